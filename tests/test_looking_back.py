"""Samples as they were measured, what is normal for a link, the signs of its cause: out of a real store."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from ayni_core import inventory
from ayni_core.readings import UPTIME, Series, Value
from ayni_core.wire.frame import ANSWERED, DevicePolls
from ayni_core.wire.messages import LinkView, NodeState
from ayni_core.wire.questions import AskEvidence, AskSamples, Evidence, Samples
from ayni_core.wire.shape import unpack
from ayni_hub.embedded import EmbeddedStore
from ayni_hub.judge import Judge
from ayni_hub.looking_back import MOST_SAMPLES, LookingBack, newest_before
from ayni_hub.normals import Wanted
from ayni_hub.picture import Picture
from ayni_io import yamlfile
from ayni_io.rulebook import load_rules

NETWORK = """\
network: {title: Prueba, poll_s: 60, flush_s: 300}
sites: {torre: {title: Torre}, cerro: {title: Cerro}}
nodes: {pi: {site: torre}}
devices:
  ap: {site: torre, address: 10.0.0.1}
  st: {site: cerro, address: 10.0.0.2}
  far: {site: cerro, address: 10.0.0.3}
links:
  l:
    title: Torre-Cerro
    frequency_mhz: 5500
    budget: {tx_power_dbm: 20, gains_db: 46, losses_db: 2, distance_km: 5}
    a: {device: ap, expected_dbm: -59}
    b: {device: st}
  silent: {a: {device: ap, radio: none}, b: {device: far}}
"""
NOW = 1_760_000_000.0
HOUR, DAY = 3600.0, 86_400.0
PLAN = -57.2
SIGNAL, NOISE, RATE = (Series("radio", "w", metric) for metric in ("signal_dbm", "noise_dbm", "tx_rate_bps"))


class Place:
    """A judge with its picture and a store. Both ends fell by 12 dB three days ago."""

    def __init__(self, folder: Path) -> None:
        path = folder / "network.yaml"
        path.write_text(NETWORK)
        self.network = yamlfile.read(path, inventory.parse)
        self.store = EmbeddedStore(folder / "store.db", gap_s=1200)
        self.judge = Judge(self.network, load_rules())
        self.judge.node_state("pi", NodeState(up=True, epoch="e", flush_s=300), NOW - 600)
        self.picture = Picture(self.judge, {}, NOW - 600)
        self.looking = LookingBack(self.network, self.judge, self.store, self.picture.around)

    def remember(self, days: float = 9.0) -> None:
        samples = []
        for device in ("ap", "st"):
            for n in range(int(days * 96)):
                at = NOW - days * DAY + 900.0 * n
                fell = at > NOW - 3 * DAY
                samples.append((device, SIGNAL, at, -71 if fell else -59))
                samples.append((device, NOISE, at, -95))
                samples.append((device, RATE, at, 39e6 if fell else 130e6))
        self.store.write(samples)

    def live(self, signal: int = -71, more: Mapping[Series, Value] | None = None) -> None:
        """A few polls of both ends."""
        frames = {}
        for device in ("ap", "st"):
            frame = DevicePolls()
            for n in range(10):
                values: dict[Series, Value] = {
                    ANSWERED: 1, UPTIME: 1e6 + 60 * n, SIGNAL: signal, NOISE: -95, RATE: 39e6,
                    **(more or {}),
                }  # fmt: skip
                frame.add(60.0 * n, values)
            frames[device] = frame
        self.judge.take("pi", frames, NOW - 600, NOW + 300)
        self.judge.tick(NOW)
        self.judge.flush()
        self.picture.news(NOW, {"ap", "st"})

    def evidence(self, link: str = "l") -> Evidence:
        return asyncio.run(self.looking.evidence(AskEvidence(link=link), NOW))

    def samples(self, **asked: object) -> Samples:
        question = AskSamples(**{"metric": "signal_dbm", "before": NOW, "link": "l", "side": "a"} | asked)  # type: ignore[arg-type]
        return asyncio.run(self.looking.samples(question, NOW))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.store.close()


def test_three_normals_stand_side_by_side(place: Place) -> None:
    place.remember()
    place.live()
    place.judge.learn_normal(Wanted("st", SIGNAL, "reference"), -60.0)
    place.judge.learn_normal(Wanted("st", SIGNAL, "last_week"), -59.5)
    found = {(each.side, each.metric): each for each in place.evidence().normals}
    near, far = found["a", "signal_dbm"], found["b", "signal_dbm"]
    assert near.plan == far.plan == pytest.approx(PLAN, abs=0.1)
    assert near.new == -59, "as it was written down"
    assert (far.new, far.week) == (-60.0, -59.5), "as it was worked out"
    assert near.week == -59, "what was usual lately stands in until it is worked out"
    assert found["a", "noise_dbm"].week == -95
    assert ("a", "retry_pct") not in found, "a number that the device does not give has no normal"


def test_what_nobody_asked_for_before_is_worked_out_from_now_on(place: Place) -> None:
    place.remember()
    place.live()
    place.evidence()
    wanted = place.judge.normals.wanted
    assert Wanted("ap", NOISE, "reference") in wanted
    assert Wanted("ap", RATE, "last_week") in wanted
    assert Wanted("ap", SIGNAL, "reference") not in wanted, "it is written down"


def test_in_a_network_of_some_hours_the_week_is_what_was_so_far(place: Place) -> None:
    place.remember(days=0.2)
    place.live(signal=-59)
    found = {(each.side, each.metric): each for each in place.evidence().normals}
    assert found["a", "noise_dbm"].week == -95
    assert found["a", "signal_dbm"].week == -71, "so it was since anything is known"


def test_what_is_wrong_since_is_no_norm(place: Place) -> None:
    """Trouble from the first minute on: nobody knows what is usual, and no sign is claimed by it."""
    place.store.write([("ap", RATE, NOW - 600 + 60.0 * n, 39e6) for n in range(10)])
    place.live()
    evidence = place.evidence()
    assert {each.metric for each in evidence.normals} == {"signal_dbm"}
    assert {sign.text.context: sign.seen for sign in evidence.signs}["sign.rates_follow"] is None


def test_a_step_of_some_minutes_is_seen_in_a_young_network(place: Place) -> None:
    for device in ("ap", "st"):
        place.store.write(
            [(device, SIGNAL, NOW - 3600 + 60.0 * n, -59 if n < 50 else -71) for n in range(60)]
        )
    place.live()
    assert place.evidence().signs[0].seen is True


def test_an_antenna_that_moved_shows_its_signs(place: Place) -> None:
    place.remember()
    place.live()
    assert [(sign.text.context, sign.seen) for sign in place.evidence().signs] == [
        ("sign.step", True), ("sign.both_ends", True), ("sign.noise_flat", True),
        ("sign.rates_follow", True), ("sign.by_eye", None),
    ]  # fmt: skip


def test_a_wet_connector_that_dries_shows_its_signs(place: Place) -> None:
    """One half fell by 14 dB in the rain two days ago, at both ends, and comes back slowly."""
    place.remember()
    halves = [Series("radio", f"w/{chain}", "signal_chain_dbm") for chain in (0, 1)]
    for device in ("ap", "st"):
        for n in range(9 * 24):
            ago = 9 * 24 - n
            lost = 14.0 - (48 - ago) / 6 if ago < 48 else 0.0
            at = NOW - ago * HOUR
            place.store.write([(device, halves[0], at, -62.0), (device, halves[1], at, -62.0 - lost)])
    place.live(signal=-64, more={halves[0]: -62, halves[1]: -69})
    assert [(sign.text.context, sign.seen) for sign in place.evidence().signs] == [
        ("sign.uneven", True), ("sign.uneven_at_both", True), ("sign.dries", True),
        ("sign.noise_flat", True), ("sign.on_the_phone", None),
    ]  # fmt: skip


def test_a_link_that_is_well_has_no_signs(place: Place) -> None:
    place.remember()
    place.live(signal=-59)
    assert place.evidence().signs == ()


def test_of_a_link_that_nobody_hears_only_the_plan_is_known(place: Place) -> None:
    found = place.evidence()
    assert {(each.metric, each.week) for each in found.normals} == {("signal_dbm", None)}
    assert place.evidence("silent").normals == ()
    nobody = asyncio.run(place.looking.evidence(AskEvidence(link="none"), NOW))
    assert nobody.error is not None
    assert nobody.error.context == "answer.not_found"


def test_where_nothing_is_written_down_the_reference_is_normal(place: Place) -> None:
    """A link without a budget shows on Home what it was when new, as soon as that is known."""
    end = place.network.links["l"].b
    object.__setattr__(end, "expected_dbm", None)
    place.live()
    place.judge.learn_normal(Wanted("st", SIGNAL, "reference"), -60.0)
    view = unpack(LinkView, next(iter(place.picture.news(NOW + 1, {"st"}).values())))
    assert view.b.normal_dbm == -60.0
    assert view.a.normal_dbm == -59


def test_the_noise_of_a_sector_is_that_of_its_stations(place: Place) -> None:
    """A station's row has no noise: the past and the normal are those of the radio, as the number itself."""
    peer, radio = Series("station", "0a0000000002", "signal_dbm"), Series("radio", "w", "noise_dbm")
    frame = DevicePolls()
    frame.add(0.0, {ANSWERED: 1, UPTIME: 1e6, peer: -59, radio: -95})
    place.store.write([("far", radio, NOW - 7200 + 60.0 * n, -95) for n in range(120)])
    place.judge.take("pi", {"far": frame}, NOW - 60, NOW + 300)
    place.judge.ends["silent", "b"].where = ("station", "0a0000000002")
    found = place.samples(link="silent", side="b", metric="noise_dbm", limit=3)
    assert [each.value for each in found.samples] == [-95, -95, -95]
    normals = {(each.side, each.metric): each for each in place.evidence("silent").normals}
    assert normals["b", "noise_dbm"].week == -95


def test_samples_come_newest_first_and_page_back_to_the_first(place: Place) -> None:
    place.remember(days=4)
    place.live()
    seen, before = [], NOW
    for _page in range(20):
        page = place.samples(before=before, limit=50)
        seen += page.samples
        if page.until is None:
            break
        before = page.until
    assert len(seen) == 4 * 96
    assert [each.at for each in seen] == sorted((each.at for each in seen), reverse=True)
    assert (seen[0].value, seen[-1].value) == (-71, -59)
    assert page.unit == "dBm"


def test_texts_and_states_are_samples_too(place: Place) -> None:
    model = Series("system", "", "model")
    place.store.write([("ap", model, NOW - 50 * DAY, "LiteBeam"), ("ap", model, NOW - 5, "LiteBeam 5AC")])
    found = place.samples(link=None, side=None, device="ap", group="system", item="", metric="model")
    assert [each.value for each in found.samples] == ["LiteBeam 5AC", "LiteBeam"]


@pytest.mark.parametrize(
    "asked",
    [{"link": "none"}, {"side": "c"}, {"link": None}, {"metric": "nothing"}, {"link": None, "device": "x"}],
)
def test_a_question_about_nothing_is_answered_so(place: Place, asked: dict[str, object]) -> None:
    place.live()
    error = place.samples(**asked).error
    assert error is not None
    assert error.context == "answer.not_found"


@pytest.mark.parametrize("before", [0.0, -5.0, 1e300])
def test_a_moment_that_nobody_means_does_no_harm(place: Place, before: float) -> None:
    place.remember(days=1)
    place.live()
    assert place.samples(before=before, limit=10_000).error is None


def test_a_series_that_is_not_there_is_not_looked_for_in_vain_for_ever(place: Place) -> None:
    assert newest_before(place.store, "ap", NOISE, NOW, MOST_SAMPLES) == []
