"""Health in lines: the central, its parts, monitors, ways to people; one monitor in full; plain lines too."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest
from console_village import DELIVERIES, NOW, Village, health

from ayni_console import command_health
from ayni_console.lines import plain, to_ascii, width
from ayni_console.view import health as view
from ayni_console.view import health_words as say
from ayni_console.view import monitor, plain_health, plain_parts
from ayni_console.view.health import Told
from ayni_console.view.page import Look, Row
from ayni_core.message import Message
from ayni_core.wire import topics
from ayni_core.wire.health import MOST_MONITORS, AskHealth, CentralHealth, MonitorHealth, PartHealth
from ayni_core.wire.messages import Event, HubState, NodeState, NodeView
from ayni_core.wire.questions import Deliveries
from ayni_io import words

LOOK = Look(width=80, height=24, now=NOW)
SMALL = Look(width=60, height=20, now=NOW)
CENTRAL = health(NOW).central
MONITORS = {each.id: each for each in health(NOW).monitors}


def said(rows: Sequence[Row]) -> list[str]:
    return [plain(row.draw()) for row in rows]


@pytest.fixture
def village() -> Village:
    return Village()


def told(**fields: object) -> Told:
    return Told(**{"central": CENTRAL, "monitors": dict(MONITORS), "people": DELIVERIES, **fields})  # type: ignore[arg-type]


def test_health_says_central_monitors_and_ways_to_people(village: Village) -> None:
    assert said(view.rows(village.model, LOOK, told())) == [
        " CENTRAL",
        " ● OK        It takes everything in.",
        "   runs      for 9 days, newest reading 10 s ago",
        "   took in   12345 reports",
        "   memory    1.2 GB kept, 41 GB free, every reading for 30 days, events for 3",
        "             years",
        "",
        " MONITORS 2                report         waits     room    this month     clock",
        " ? NO NEWS   Molino           10s   61 · 210 kB   2 days        2.1 MB      -2 h",
        " ● OK        Torre            10s             0  30 days    21 MB / 50     right",
        "",
        " MESSAGES TO PEOPLE",
        f" ● OK        Ana, phone           reached {words.when(NOW - 60, NOW)}",
        " ■ FAILS     Ana, mail            2 messages wait; nobody is there",
    ]


def test_parts_stand_between_the_central_and_its_monitors(village: Village) -> None:
    parts = (
        PartHealth(name="dos", role="worker", state="gone", since=NOW - 2040, buckets="0-31", monitors=9),
    )
    shown = said(view.rows(village.model, LOOK, told(parts=parts)))
    at = shown.index(" PARTS OF THE CENTRAL")
    assert shown[at + 1 : at + 4] == [
        " ■ DOWN      Worker dos                                                  34 min",
        "             the reports of 9 monitors wait there; its buckets: 0-31",
        "",
    ]


@pytest.mark.parametrize("look", [LOOK, SMALL], ids=["80x24", "60x20"])
def test_every_line_fits_whatever_is_wrong(village: Village, look: Look) -> None:
    parts = (
        PartHealth(name="uno", role="worker", state="ready", since=NOW - 900, buckets="0-31", monitors=12),
        PartHealth(name="dos", role="worker", state="gone", since=NOW - 90, buckets="32-63", monitors=9),
        PartHealth(name="a-village-with-a-long-name", role="village", state="store-down", since=NOW),
        PartHealth(name="x", role="server", state="gone", since=NOW - 9e5, waiting=1234),
    )
    events = [
        Event(
            at=NOW - 60, text=Message("event.blind_stopped", {"start": "10:00", "end": "12:00"}), level="warn"
        )
    ]
    wrong = CentralHealth(
        name="hub", role="judge", version="0.2", state="store-down", since=NOW - 600, started_at=NOW - 900,
        waiting=3, refused=4, reports=1, store="influxdb", memory_bytes=10**12, free_bytes=0,
        events_days=1095,
    )  # fmt: skip
    village.send(topics.HUB, HubState(state="ready", at=NOW, version="0.2", closed=tuple(range(64))))
    for central in (None, CENTRAL, wrong):
        for people in (None, Deliveries(), DELIVERIES):
            rows = view.rows(
                village.model, look, told(central=central, parts=parts, people=people, events=events)
            )
            assert max(width(row.draw()) for row in rows) <= look.width
            assert all(to_ascii(each).isascii() for each in said(rows))


@pytest.mark.parametrize(
    ("state", "line"),
    [
        ("store-down", " ■ DOWN      The central cannot write. Nothing is lost: reports wait at the"),
        ("clock-wrong", " ■ DOWN      The clock of the central is wrong. Nothing is lost: reports wait"),
        ("gone", " ■ DOWN      The central has stopped. Values stay as they were."),
    ],
)
def test_why_the_central_takes_nothing_in_and_since_when(village: Village, state: str, line: str) -> None:
    village.send(topics.HUB, HubState(state=state, at=NOW))
    assert CENTRAL is not None
    blind = replace(CENTRAL, state=state, since=NOW - 600)
    shown = said(view.rows(village.model, LOOK, told(central=blind)))
    assert shown[1] == line
    assert any("blind for 10 min, since" in each for each in shown)


def test_monitors_whose_reports_nobody_takes_in_are_named(village: Village) -> None:
    closed = (topics.bucket("torre-pi"),)
    village.send(topics.HUB, HubState(state="ready", at=NOW, closed=closed))
    assert said(view.rows(village.model, LOOK, told()))[1] == (
        " ▲ WEAK      The reports of 1 monitor wait there: Torre"
    )
    village.send(topics.HUB, HubState(state="ready", at=NOW, closed=tuple(range(64))))
    assert say.held_sentence(village.model) == "The reports of 2 monitors wait there: Torre, Molino"


def test_an_answer_that_is_missing_is_no_news_of_the_central(village: Village) -> None:
    shown = said(view.rows(village.model, LOOK, Told(problem="The central did not answer.")))
    assert shown[1] == " ? NOT KNOWN The central did not answer."
    assert " ● OK        Torre            10s            --       --            --        --" in shown


def test_what_it_said_long_ago_is_said_to_be_old(village: Village) -> None:
    shown = said(view.rows(village.model, LOOK, told(at=NOW - 60)))
    assert not any("so it said" in each for each in shown)
    shown = said(view.rows(village.model, LOOK, told(at=NOW - 86400)))
    assert "             so it said 24 h ago" in shown
    assert "   runs      for 8 days, newest reading 10 s ago" in shown, "as long as we know"


def test_another_version_is_told(village: Village) -> None:
    assert CENTRAL is not None
    shown = said(view.rows(village.model, LOOK, told(central=replace(CENTRAL, version="0.2"))))
    assert "   versions  2 monitors run another one: Torre, Molino" in shown


def part(role: str, state: str = "ready", **fields: int) -> PartHealth:
    return PartHealth(name="x", role=role, state=state, since=0, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("found", "state", "sentence"),
    [
        (part("worker", monitors=1), "ok", "stores for 1 monitor"),
        (part("worker", "gone", monitors=9), "down", "the reports of 9 monitors wait there"),
        (part("village"), "ok", "it brings what it stores"),
        (part("village", "gone"), "down", "what is shown of it may be old"),
        (part("server"), "ok", "has everything"),
        (part("server", waiting=2), "ok", "2 reports are on their way"),
        (part("server", "gone"), "weak", "out of reach; nothing waits for it"),
        (part("server", "gone", waiting=1), "weak", "out of reach; 1 report waits"),
    ],
)
def test_parts_say_what_they_do_or_what_it_means_that_they_do_not(
    found: PartHealth, state: str, sentence: str
) -> None:
    assert (say.part_state(found), say.part_sentence(found)) == (state, sentence)


@pytest.mark.parametrize(
    ("clock", "ahead_s", "sentence"),
    [
        ("", None, "not known"),
        ("right", -0.6, "right"),
        ("right", 14.0, "right"),
        ("right", 180.0, "it is 3 min ahead"),
        ("right", -7300.0, "it is 2 h behind"),
        ("unsure", 0.0, "nobody has confirmed it; readings are dated by when they arrive"),
        (
            "unsure",
            99.0,
            "it is 1 min ahead; nobody has confirmed it; readings are dated by when they arrive",
        ),
    ],
)
def test_a_clock_is_said_in_words(clock: str, ahead_s: float | None, sentence: str) -> None:
    assert say.clock(MonitorHealth(id="x", clock=clock, ahead_s=ahead_s), words.duration) == sentence


@pytest.mark.parametrize(
    ("fields", "lines"),
    [
        ({}, ["nothing counted yet"]),
        ({"month_bytes": 5_000}, ["today 0 B", "this month 5 kB, no limit"]),
        (
            {
                "today_bytes": 312_000,
                "month_bytes": 21_000_000,
                "cap_bytes": 50_000_000,
                "forecast_bytes": 29_000_000,
            },
            ["today 312 kB", "this month 21 MB of 50 MB", "about 29 MB at its end"],
        ),
    ],
)
def test_bytes_are_set_against_the_budget(fields: dict[str, int], lines: list[str]) -> None:
    assert list(say.data(MonitorHealth(id="x", **fields))) == lines  # type: ignore[arg-type]


def test_each_step_of_saving_has_its_sentence() -> None:
    sentences = [say.saving(MonitorHealth(id="x", saving=step)) for step in range(4)]
    assert sentences[0] == ""
    assert len(set(sentences)) == 4


@pytest.mark.parametrize(
    ("fields", "needs"),
    [
        ({}, False),
        ({"clock": "right", "ahead_s": 60.0}, True),
        ({"clock": "unsure", "ahead_s": 60.0}, False),
        ({"waiting": 9, "room_days": 2}, True),
        ({"waiting": 0, "room_days": 2}, False),
        ({"saving": 1}, True),
    ],
)
def test_what_will_go_wrong_soon_stands_before_what_is_well(
    village: Village, fields: dict[str, object], needs: bool
) -> None:
    known = MonitorHealth(id="zeta", **fields)  # type: ignore[arg-type]
    assert say.needs_somebody(known) == needs
    zeta = NodeView(id="zeta", title="Zeta", site="torre", state="ok", since=NOW)
    village.send(topics.net("node", "zeta"), zeta)
    names = [node.id for node in view.order(village.model, {"zeta": known}, NOW)]
    assert names == (["molino-pi", "zeta", "torre-pi"] if needs else ["molino-pi", "torre-pi", "zeta"])


def test_a_filter_leaves_what_it_names(village: Village) -> None:
    shown = "\n".join(said(view.rows(village.model, LOOK, told(), "moli")))
    assert "Molino" in shown
    assert "Torre" not in shown
    assert "No monitor fits the filter." in "\n".join(said(view.rows(village.model, LOOK, told(), "zzz")))


@pytest.mark.parametrize("cells", range(56, 140))
def test_the_table_of_monitors_fits_every_width(village: Village, cells: int) -> None:
    table = view.columns(cells)
    for node in village.model.nodes.values():
        shown = view.monitor_line(village.model, node, MONITORS[node.id], table, NOW)
        assert width(shown) <= cells
    assert table.name >= 6


def test_one_monitor_says_all_that_is_known_of_it(village: Village) -> None:
    node = village.model.nodes["molino-pi"]
    presence = NodeState(up=False, epoch="e", version="0.1", devices=2, poll_s=60, flush_s=300)
    village.send(topics.state("molino-pi"), presence)
    event = Event(at=NOW - 60, text=Message("note.killed"), level="note", kind="node", name="molino-pi")
    shown = said(monitor.rows(village.model, node, MONITORS["molino-pi"], [event], "", LOOK))
    assert shown[:14] == [
        " ? NO NEWS for 5 h",
        "   last report  10 s ago",
        "   work         not connected to the broker, 2 devices, asks every 1 min,",
        "                reports every 5 min",
        "   version      0.1",
        "   outbox       61 reports wait, 210 kB",
        "                there is room for 2 days more, it is in memory only: a power",
        "                cut would lose it, 4 reports were lost, ever",
        "   data         today 80 kB, this month 2.1 MB, no limit",
        "                to save data it reports half as often, and shows nothing live",
        "                so it said 5 h ago",
        "   clock        it is 2 h behind; nobody has confirmed it; readings are dated",
        "                by when they arrive",
        "",
    ]
    assert " ● OK        Radio Molino               LiteBeam 5AC                        10s" in shown
    assert "The monitor ended without a word" in shown[-1]


@pytest.mark.parametrize("look", [LOOK, SMALL], ids=["80x24", "60x20"])
def test_a_monitor_that_told_nothing_says_so_and_fits(village: Village, look: Look) -> None:
    node = village.model.nodes["torre-pi"]
    for known, problem in (
        (None, ""),
        (None, "The central did not answer."),
        (MonitorHealth(id="torre-pi"), ""),
    ):
        rows = monitor.rows(village.model, node, known, [], problem, look)
        assert max(width(row.draw()) for row in rows) <= look.width
        assert problem or "It has not told yet" in "\n".join(said(rows))
        assert problem in "\n".join(said(rows))


def test_plain_lines_say_the_same(village: Village) -> None:
    asked = asyncio.run(command_health.ask(village, NOW))
    asked.parts = (part("worker", "gone", monitors=9),)
    lines = list(plain_health.lines(village.model, asked, NOW))
    for line in (
        "  runs for: 9 days",
        "  newest reading: 12 seconds ago",
        "  since it started: 12345 reports",
        "  memory: 1.2 GB kept, 41 GB free",
        "  memory: events for 3 years",
        "  its outbox: 61 reports wait, 210 kB",
        "    there is room for 2 days more",
        "    4 reports were lost, ever",
        "  data: this month 21 MB of 50 MB",
        "  to save data it reports half as often, and shows nothing live",
        "  its clock now: right",
        "  so it said: 5 hours ago",
    ):
        assert line in lines, line
    assert any(line.startswith("  Worker x: the reports of 9 monitors wait there, for ") for line in lines)
    shown = plain_health.as_json(village.model, asked, NOW)
    assert shown["central"]["health"]["reports"] == 12345  # type: ignore[index]
    assert shown["central"]["parts"][0]["monitors"] == 9  # type: ignore[index]
    told = {each["id"]: each["health"]["waiting"] for each in shown["monitors"]}  # type: ignore[attr-defined]
    assert told == {"torre-pi": 0, "molino-pi": 61}


def test_plain_lines_of_very_many_monitors_are_asked_for_in_parts(village: Village) -> None:
    for number in range(2 * MOST_MONITORS):
        name = f"pi-{number:04}"
        village.send(topics.net("node", name), NodeView(id=name, title=name, site="s", state="ok", since=NOW))
    asyncio.run(command_health.ask(village, NOW))
    batches = [each.monitors for each in village.asked if isinstance(each, AskHealth)]
    assert [len(batch) for batch in batches] == [MOST_MONITORS, MOST_MONITORS, 2]
    assert sorted(name for batch in batches for name in batch) == sorted(village.model.nodes)


def test_plain_lines_say_ages_in_whole_words() -> None:
    told = MonitorHealth(id="x", clock="right", ahead_s=180.0)
    assert say.clock(told, plain_parts.spoken) == "it is 3 minutes ahead"
