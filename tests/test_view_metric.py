"""One number over time, the values as they were measured, and one end of a link: as tables."""

from __future__ import annotations

from dataclasses import replace

import pytest
from console_village import NOW, Village, evidence, readings

from ayni_console.lines import plain, width
from ayni_console.view import end as end_view
from ayni_console.view import metric as view
from ayni_console.view.page import Look, Row
from ayni_console.view.past import Level
from ayni_core.wire.questions import Bucket, Reading, Sample

LOOK, SMALL = Look(width=80, height=24, now=NOW), Look(width=60, height=20, now=NOW)
HEARS = view.Series(metric="signal_dbm", link="torre-clinica", side="a")
STEPS = tuple(Bucket(at=NOW - 86400 + 1440 * n, low=-61, mean=-59.5, high=-58) for n in range(60))


def said(rows: list[Row]) -> list[str]:
    return [plain(row.draw()) for row in rows]


@pytest.fixture
def village() -> Village:
    return Village()


def test_a_number_over_time_with_its_normal_and_its_steps() -> None:
    past = view.Past(steps=STEPS, start=NOW - 86400, end=NOW, step_s=1440)
    past.levels = [Level(value=-55.0, name="when new -55")]
    shown = said(view.rows(HEARS, past, LOOK))
    assert shown[0].strip() == "how loud the other side is heard; nearer to 0 is louder"
    assert shown[1].strip().startswith("hears, 24 hours")
    assert shown[1].endswith("── when new -55")
    assert any("█" in each for each in shown)
    assert any("─────" in each for each in shown[2:])
    head = next(at for at, each in enumerate(shown) if "least" in each)
    assert shown[head + 1].split()[1:] == ["-61", "dBm", "-59.5", "dBm", "-58", "dBm"]


@pytest.mark.parametrize(
    "metric", ["signal_dbm", "in_octets", "uptime_s", "tx_rate_bps", "if_oper", "voltage_v"]
)
@pytest.mark.parametrize("look", [LOOK, SMALL, replace(LOOK, braille=True)])
def test_every_kind_of_number_fits(metric: str, look: Look) -> None:
    series = view.Series(metric=metric, device="d", group="g", item="i")
    steps = tuple(
        Bucket(at=NOW - 60.0 * n, low=1e9 * n, mean=1.5e9 * n, high=2e9 * n) for n in range(50, 0, -1)
    )
    for found in (steps, STEPS, ()):
        past = view.Past(steps=found, start=NOW - 3600, end=NOW, step_s=60, zoom="hour")
        assert all(width(row.draw()) <= look.width for row in view.rows(series, past, look))


def test_why_there_is_nothing_is_said() -> None:
    assert "Asking the central …" in "\n".join(said(view.rows(HEARS, view.Past(), LOOK)))
    failed = view.Past(problem="The central did not answer.")
    assert said(view.rows(HEARS, failed, LOOK))[-1] == " ? The central did not answer."


def test_values_as_measured_show_their_second_and_what_is_missing() -> None:
    times = (0, 30, 60, 90, 500, 530)
    samples = tuple(Sample(at=NOW - each, value=-57) for each in times)
    shown = said(view.sample_rows(HEARS, view.Measured(samples=samples, asked=True), LOOK))
    assert shown[1] == " 6 values as measured"
    assert shown[2].endswith("-57 dBm")
    assert shown[2].split()[2].count(":") == 2
    assert [each.strip() for each in shown if "nothing for" in each] == ["nothing for 6 min"]
    assert shown.index(next(each for each in shown if "nothing for" in each)) == 6


def test_older_values_are_promised_only_where_there_are_some() -> None:
    sample = (Sample(at=NOW, value="up"),)
    more = said(view.sample_rows(HEARS, view.Measured(samples=sample, asked=True, until=NOW), LOOK))
    assert more[-1].strip() == "Older ones come as you go down."
    all_of_it = said(view.sample_rows(HEARS, view.Measured(samples=sample, asked=True), LOOK))
    assert all_of_it[-1].endswith("up")
    none = said(view.sample_rows(HEARS, view.Measured(asked=True), LOOK))
    assert none[-1].strip() == "Nothing was measured in this time."


# one end


def known(village: Village) -> end_view.EndKnown:
    found = {each.metric: each for each in evidence("torre-clinica").normals if each.side == "a"}
    chains = tuple(
        Reading(
            group="station", item=f"000c42aabbcc.{n}", metric="signal_chain_dbm", value=-60 - n, at=NOW - 12
        )
        for n in range(2)
    )
    other = Reading(group="station", item="ffffffffffff", metric="signal_dbm", value=-80, at=NOW - 12)
    noise = Reading(group="radio", item="wlan0", metric="noise_dbm", value=-95, at=NOW - 12)
    return end_view.EndKnown(readings=(*readings(NOW), *chains, other, noise), normals=found, asked=True)


def test_an_end_shows_what_belongs_to_it_each_with_its_age(village: Village) -> None:
    end = village.model.links["torre-clinica"].a
    shown = said(end_view.rows(village.model, end, "a", LOOK, known(village)))
    assert shown[0] == " A  Radio Torre · LiteBeam 5AC"
    assert shown[1].split() == ["plan", "new", "week", "age"]
    assert shown[2].split() == ["hears", "-57", "dBm", "=", "-56", "-59", "-60", "10s"]
    assert [each.split()[0] for each in shown[3:5]] == ["H/V", "H/V"], "each half of the signal"
    radio = next(at for at, each in enumerate(shown) if "wlan0" in each)
    assert shown[radio + 1].split()[:3] == ["noise", "-95", "dBm"], "that of the place"
    assert not any("-80" in each for each in shown), "another station is no business of this link"
    assert not any("processor" in each for each in shown)
    assert all(each.endswith("10s") for each in shown[2:] if each.startswith("   "))


def test_an_end_fits_both_sizes_and_can_be_filtered(village: Village) -> None:
    end = village.model.links["torre-clinica"].a
    for look in (LOOK, SMALL):
        rows = end_view.rows(village.model, end, "a", look, known(village))
        assert all(width(row.draw()) <= look.width for row in rows)
    assert len(end_view.rows(village.model, end, "a", LOOK, known(village), "rate")) == 3


def test_an_end_that_says_nothing_says_so(village: Village) -> None:
    end = village.model.links["torre-clinica"].a
    silent = end_view.EndKnown(asked=True)
    assert "says nothing" in said(end_view.rows(village.model, end, "a", LOOK, silent))[-1]
    failed = end_view.EndKnown(problem="The central did not answer.")
    assert "did not answer" in said(end_view.rows(village.model, end, "a", LOOK, failed))[-1]
    assert "Asking" in said(end_view.rows(village.model, end, "a", LOOK, end_view.EndKnown()))[-1]
