"""The Link screen as tables: three normals, signs, what is plotted, and that all of it fits."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from console_village import NOW, Village, evidence

from ayni_console.lines import plain, width
from ayni_console.view import link as view
from ayni_console.view import past as times
from ayni_console.view.page import Look, Row
from ayni_core.message import Message
from ayni_core.wire.messages import LinkView
from ayni_core.wire.questions import Bucket, Evidence, Normal, Sign
from ayni_io import words

LOOK, SMALL = Look(width=80, height=24, now=NOW), Look(width=60, height=20, now=NOW)
WIDE = Look(width=132, height=43, now=NOW)


@pytest.fixture
def village() -> Village:
    return Village()


def said(rows: list[Row]) -> list[str]:
    return [plain(row.draw()) for row in rows]


def weak(village: Village) -> LinkView:
    return village.model.links["torre-clinica"]


def past_with(*keys: tuple[str, str, str], what: str = "signal", **fields: object) -> view.LinkPast:
    past = view.LinkPast(what=what, **fields)  # type: ignore[arg-type]
    past.take(evidence("torre-clinica"))
    for metric, side, zoom in keys:
        span = times.ZOOMS[zoom]
        steps = tuple(
            Bucket(at=NOW - span + each * span / 60, low=m - 2, mean=m, high=m + 1)
            for each in range(60)
            for m in [(-59 if each < 30 else -71) + math.sin(each)]
        )
        past.known[metric, side, zoom] = view.Stretch(
            steps=steps, start=NOW - span, end=NOW, step_s=span / 60
        )
    return past


def test_each_end_has_three_normals_beside_what_is_measured(village: Village) -> None:
    shown = said(view.rows(village.model, weak(village), LOOK, past_with()))
    head = next(each for each in shown if "plan" in each)
    assert head.split() == [">A", "Torre", "plan", "new", "week", "B", "Clínica", "plan", "new", "week"]
    hears = next(each for each in shown if each.startswith(" hears"))
    assert hears.split() == [
        "hears", "-71", "dBm", "↓12", "-56", "-59", "-60", "-70", "dBm", "↓11", "-56", "-59", "-60"
    ]  # fmt: skip
    rate = next(each for each in shown if each.startswith(" rate"))
    assert rate.split() == ["rate", "39", "Mb/s", "↓", "144", "130", "39", "Mb/s", "↓", "144", "130"]
    assert hears.index("-59") == head.index("new"), "under its head"


def test_where_three_do_not_fit_or_nobody_told_them_there_is_one(village: Village) -> None:
    small = said(view.rows(village.model, weak(village), SMALL, past_with()))
    assert sum("normal" in each for each in small) == 1
    assert any(each.split()[:5] == ["repeats", "18", "%", "↑15", "3"] for each in small)
    untold = said(view.rows(village.model, weak(village), LOOK, view.LinkPast()))
    assert not any("plan" in each for each in untold)


def test_signs_are_counted_and_named(village: Village) -> None:
    shown = said(view.rows(village.model, weak(village), LOOK, past_with()))
    assert shown[0].startswith(" An antenna has probably moved.  4 of 5 signs")
    assert shown[0].endswith("Press a: what do I do?")
    assert shown[-1] == " SIGNS  ● step  ● both ends  ● noise flat  ● rates follow  - seen by eye"


def test_signs_that_do_not_fit_go_on_below(village: Village) -> None:
    look = replace(SMALL, width=40)
    shown = said(view.sign_rows(evidence("torre-clinica").signs, look))
    assert len(shown) > 1
    assert all(len(each) <= 40 for each in shown)
    assert " ".join(shown).count("●") == 4
    assert view.sign_rows((), LOOK) == []


def test_a_sign_against_the_cause_has_a_mark_of_its_own() -> None:
    signs = [Sign(text=Message("sign.step"), seen=seen) for seen in (True, False, None)]
    assert said(view.sign_rows(signs, LOOK)) == [" SIGNS  ● step  × step  - step"]


@pytest.mark.parametrize("zoom", list(times.ZOOMS))
@pytest.mark.parametrize("look", [LOOK, SMALL, WIDE, replace(LOOK, braille=True)])
def test_every_zoom_and_plot_fits_every_size(village: Village, look: Look, zoom: str) -> None:
    link = weak(village)
    for what in view.PLOTS:
        past = past_with(what=what, zoom=zoom)
        past = past_with(*past.wanted(), what=what, zoom=zoom)
        rows = view.rows(village.model, link, look, past)
        assert all(width(row.draw()) <= look.width for row in rows), what
        shown = "\n".join(said(rows))
        assert times.span_name(zoom) in shown
        assert "now" in shown
        assert "│" in shown


@pytest.mark.parametrize(
    ("what", "title", "level"),
    [
        ("signal", "SIGNAL at Torre, 7 days", "when new -59"),
        ("noise", "NOISE at Torre, 7 days", "last week -95"),
        ("rate", "RATE from Torre in Mb/s, 7 days", "last week 130"),
        ("repeats", "REPEATS at Torre in %, 7 days", "last week 3"),
        ("both", "SIGNAL at both ends, 7 days", "▒ Clínica"),
    ],
)
def test_a_plot_says_what_it_shows_and_what_is_normal(
    village: Village, what: str, title: str, level: str
) -> None:
    past = past_with(*view.LinkPast(what=what).wanted(), what=what)
    shown = said(view.past_rows(village.model, weak(village), LOOK, past, 7))
    assert shown[0].strip().startswith(title)
    assert shown[0].rstrip().endswith(level)
    assert any("─" in each for each in shown[1:]), "the expected line"


def test_the_line_of_an_end_is_its_own_in_front(village: Village) -> None:
    past = view.LinkPast(what="both", side="b")
    assert [side for _metric, side, _zoom in past.wanted()] == ["b", "a"]


def test_until_the_central_answers_it_is_asked_and_then_its_reason_is_told(village: Village) -> None:
    past = view.LinkPast()
    assert "Asking the central …" in "\n".join(said(view.rows(village.model, weak(village), LOOK, past)))
    past.problem = "The central did not answer."
    assert "did not answer" in "\n".join(said(view.rows(village.model, weak(village), LOOK, past)))
    known = past_with(*past.wanted(), problem="The central did not answer.")
    assert "│" in "\n".join(said(view.rows(village.model, weak(village), LOOK, known))), "what is known stays"


def test_nothing_measured_is_said(village: Village) -> None:
    past = view.LinkPast()
    past.known[past.wanted()[0]] = view.Stretch(steps=(), start=NOW - 600, end=NOW, step_s=60)
    shown = said(view.past_rows(village.model, weak(village), LOOK, past, 7))
    assert shown[1].strip() == "Nothing was measured in this time."


def test_only_what_a_link_gives_can_be_plotted(village: Village) -> None:
    link = weak(village)
    assert view.plots_of(link) == view.PLOTS
    a, b = (replace(end, retry_pct=None, noise_dbm=None) for end in (link.a, link.b))
    bare = replace(link, a=a, b=b)
    assert view.plots_of(bare) == ("signal", "rate", "both")
    assert view.plots_of(village.model.links["escuela-cerro"]) == view.PLOTS, "of one that is down, its past"


@pytest.mark.parametrize(
    ("normal", "name"),
    [
        (Normal(side="a", metric="signal_dbm", plan=-56, new=-59, week=-60), "when new -59"),
        (Normal(side="a", metric="signal_dbm", plan=-56, week=-60), "by plan -56"),
        (Normal(side="a", metric="noise_dbm", new=-96, week=-95), "last week -95"),
        (Normal(side="a", metric="noise_dbm", new=-96), "when new -96"),
        (Normal(side="a", metric="tx_rate_bps", week=130e6), "last week 130"),
        (Normal(side="a", metric="noise_dbm"), None),
    ],
)
def test_the_normal_that_counts(normal: Normal, name: str | None) -> None:
    level = view.usually(normal)
    assert (level.name if level else None) == name


def test_the_level_of_a_signal_is_the_one_that_home_shows(village: Village) -> None:
    """A budget that nobody measured against, and a reference learned later: Home shows the budget."""
    past = view.LinkPast()
    past.take(Evidence(normals=(Normal(side="a", metric="signal_dbm", plan=-59.0, new=-63.0),)))
    link = weak(village)
    assert [level.name for level in view._levels(past, {"a": link.a, "b": link.b})] == ["by plan -59"]


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(3, "just now"), (12, "10 s ago"), (59, "50 s ago"), (61, "1 min ago"), (7300, "2 h ago")],
)
def test_an_age_is_honest_and_does_not_count_seconds(seconds: float, shown: str) -> None:
    assert words.ago(seconds) == shown


def test_how_far_back_one_may_look() -> None:
    zooms = list(times.ZOOMS)
    assert zooms == ["hour", "day", "week", "month", "year"]
    assert [times.zoomed(zoom, 1) for zoom in zooms] == ["day", "week", "month", "year", "year"]
    assert [times.zoomed(zoom, -1) for zoom in zooms] == ["hour", "hour", "day", "week", "month"]


@pytest.mark.parametrize("zoom", list(times.ZOOMS))
def test_moments_of_an_axis_are_round_rising_and_few(zoom: str) -> None:
    found = times.moments(zoom, NOW - times.ZOOMS[zoom], NOW)
    assert 4 <= len(found) <= 13
    at = [each for each, _name in found]
    assert at == sorted(at)
    assert NOW - times.ZOOMS[zoom] <= at[0]
    assert at[-1] < NOW


def test_a_plot_never_asks_for_more_than_the_central_answers() -> None:
    for zoom in times.ZOOMS:
        for look in (LOOK, SMALL, Look(width=300, height=80, braille=True)):
            step = times.step_s(zoom, look, 30.0)
            assert step >= 30.0
            assert times.ZOOMS[zoom] / step <= 2000
