"""Plain forms of the screens: what `ayni link`, `site`, `events` and `health` say, without a broker."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from console_village import DELIVERIES, NOW, Village, readings

from ayni_console import command_events, command_health, command_look, plainly
from ayni_console.feed import NoAnswer
from ayni_console.view import events as events_view
from ayni_console.view import (
    plain_advice,
    plain_events,
    plain_health,
    plain_link,
    plain_map,
    plain_messages,
    plain_names,
    plain_parts,
    plain_site,
)
from ayni_core.message import Message
from ayni_core.wire import topics
from ayni_core.wire.messages import Event, HubState, NodeState, SiteView
from ayni_core.wire.questions import AskEvents, AskHistory, Deliveries, Events, Question

SHORT = ("`map`", "`map`, in `links`", "`messages`")
GUIDE = (Path(__file__).parent.parent / "docs" / "operators-guide.md").read_text(encoding="utf-8")


@pytest.fixture
def village() -> Village:
    return Village()


def link_lines(village: Village, name: str, explain: Sequence[str] = ()) -> list[str]:
    link = village.model.links[name]
    asked = asyncio.run(command_look.ask_link(village, link, NOW))
    return list(plain_link.lines(village.model, link, asked, NOW, explain))


def site_lines(village: Village, name: str, explain: Sequence[str] = ()) -> list[str]:
    site = village.model.sites[name]
    asked = asyncio.run(command_look.ask_site(village, site))
    return list(plain_site.lines(village.model, site, asked, NOW, explain))


def health_lines(village: Village) -> list[str]:
    asked = asyncio.run(command_health.ask(village, NOW))
    return list(plain_health.lines(village.model, asked, NOW))


# words


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-3, "0 seconds"), (1, "1 second"), (59.9, "59 seconds"), (60, "1 minute"), (34 * 60, "34 minutes"),
        (2 * 3600, "2 hours"), (47 * 3600, "47 hours"), (48 * 3600, "2 days"), (41 * 86400, "41 days"),
    ],
)  # fmt: skip
def test_ages_are_said_in_words(seconds: float, said: str) -> None:
    assert plain_parts.spoken(seconds) == said


@pytest.mark.parametrize(
    ("metric", "current", "usual", "said"),
    [
        ("signal_dbm", -71, -59, "now 12 dB lower"),
        ("signal_dbm", -60, -59, "now much the same"),
        ("retry_pct", 18, 3, "now 15 % higher"),
        ("tx_rate_bps", 39e6, 130e6, "now 91 Mb/s lower"),
        ("tx_rate_bps", 120e6, 130e6, "now much the same"),
    ],
)
def test_a_number_is_set_against_what_is_usual(metric: str, current: float, usual: float, said: str) -> None:
    assert plain_link.change(metric, current, usual) == said


@pytest.mark.parametrize(
    ("day", "said"),
    [
        ("o" * 24, ["OK in all of the last 24 hours"]),
        ("o" * 40 + "d" * 3, ["DOWN in 3 of the last 24 hours", "OK in 21 of the last 24 hours"]),
        ("", ["NOT KNOWN in all of the last 24 hours"]),
        ("w" * 2, ["WEAK in 2 of the last 24 hours", "NOT KNOWN in 22 of the last 24 hours"]),
    ],
)
def test_the_day_is_told_in_hours(day: str, said: list[str]) -> None:
    assert list(plain_link.day_lines(day)) == said


# names


@pytest.mark.parametrize(
    ("wanted", "kinds", "found"),
    [
        ("torre-clinica", ("link",), ("link", "torre-clinica")),
        ("Torre-Clínica", ("link",), ("link", "torre-clinica")),
        ("TORRE-CLINICA", ("link",), ("link", "torre-clinica")),
        ("esc", ("link",), ("link", "escuela-cerro")),
        ("clinica", ("site",), ("site", "clinica")),
        ("Molino", ("node",), ("node", "molino-pi")),
        ("torre", plain_names.KINDS, ("site", "torre")),
        ("monitor/Torre", plain_names.KINDS, ("node", "torre-pi")),
        ("internet/fibra", plain_names.KINDS, ("upstream", "fibra")),
        ("Radio Cl", plain_names.KINDS, ("device", "clinica-radio")),
    ],
)
def test_a_name_a_title_or_a_beginning_finds_the_thing(
    village: Village, wanted: str, kinds: Sequence[str], found: tuple[str, str]
) -> None:
    assert plain_names.find(village.model, wanted, kinds) == found


@pytest.mark.parametrize(
    ("wanted", "kinds", "said"),
    [
        ("torre", ("link",), "“torre” may be any of these: torre-cerro, torre-clinica"),
        ("mol", ("site", "node"), "“mol” may be any of these: node/molino-pi, site/molino"),
        ("clinca", ("site",), "nothing is called “clinca”; did you mean \"clinica\"?"),
        ("", ("link",), "nothing is called “”"),
        ("a\x1bb", ("link",), "nothing is called “a b”"),
    ],
)  # fmt: skip
def test_a_name_that_means_nothing_or_several_things_says_so(
    village: Village, wanted: str, kinds: Sequence[str], said: str
) -> None:
    with pytest.raises(plain_names.NoSuchName) as caught:
        plain_names.find(village.model, wanted, kinds)
    assert str(caught.value).startswith(said)


def test_before_the_central_told_of_anything_no_name_is_known() -> None:
    with pytest.raises(plain_names.NoSuchName, match="has not told of any yet"):
        plain_names.find(plainly_empty().model, "x", ("link",))


def plainly_empty() -> Village:
    empty = Village()
    empty.model.links.clear()
    return empty


# a link


def test_a_link_says_state_cause_alarm_both_ends_and_its_past(village: Village) -> None:
    said = link_lines(village, "torre-clinica")
    assert said[:4] == [
        "Torre-Clínica: WEAK for 3 days",
        "An antenna has probably moved.",
        "probably antenna moved",
        "12 homes depend on it",
    ]
    assert said[4:7] == [
        "Alarm a1: Torre-Clínica: Torre hears -71 dBm, normal is -59",
        "  for 3 days",
        "  nobody has taken it on",
    ]
    at = said.index("End A, Torre, Radio Torre:")
    assert said[at + 1 : at + 5] == [
        "  measured 12 seconds ago",
        "  hears: -71 dBm",
        "  normal: -59 dBm",
        "  against normal: now 12 dB lower",
    ]
    assert "  rate out, median of last week: 130 Mb/s; now 91 Mb/s lower" in said
    assert "  H/V: -72 dBm, -73 dBm, even" in said
    assert "  cable: eth0 at 100 Mb/s" in said
    assert "WEAK in 16 of the last 24 hours" in said
    assert said[-4] == "Notes:"
    assert said[-3].startswith("  Note: Torre-Clínica: rosa: Antenna tilted after the storm; 2 hours ago")
    assert said[-2] == "What happened last:"


def test_a_dead_link_says_what_is_not_known_and_what_explains_the_rest(village: Village) -> None:
    said = link_lines(village, "escuela-cerro")
    assert said[0] == "Escuela-Cerro: DOWN for 34 minutes"
    assert "  explained by: Escuela-Cerro is down" in said
    assert said.count("  hears: not known") == 2
    assert said.count("  measured 34 minutes ago") == 2


def test_who_has_taken_an_alarm_on_is_said(village: Village) -> None:
    taken = replace(
        village.model.alerts["a1"], acked_by="Ana", acked_at=NOW - 600, ack_note="I go there\x07", homes=12
    )
    village.send(topics.alert("a1"), taken)
    said = link_lines(village, "torre-clinica")
    assert "  Ana is at it, for 10 minutes" in said
    assert "  note: I go there " in said
    about = plain_link.things(village.model.links["torre-clinica"])
    assert not plain_parts.needs_somebody(village.model, about, NOW)


def test_what_comes_and_goes_leaves_room_for_notes(village: Village) -> None:
    noise = Event(at=NOW, text=Message("event.hub_started"), kind="link", name="torre-cerro")
    asked = plain_link.Asked(
        events=[*(replace(noise, at=NOW - n) for n in range(20)), *many(7, at=NOW - 900)]
    )
    said = list(plain_link.lines(village.model, village.model.links["torre-cerro"], asked, NOW))
    assert sum("The central started" in each for each in said) == 5
    assert sum("note " in each for each in said) == 5


def test_late_news_is_no_news_and_not_down(village: Village) -> None:
    later = NOW + 4 * 3600
    link = village.model.links["torre-cerro"]
    said = list(plain_link.lines(village.model, link, plain_link.Asked(), later))
    assert said[:2] == [
        "Torre-Cerro: NO NEWS for 4 hours",
        "The monitor is late. The link may well work.",
    ]
    assert plain_parts.needs_somebody(village.model, [("link", "torre-cerro")], later)


def test_an_explanation_comes_once_after_its_number(village: Village) -> None:
    said = link_lines(village, "torre-clinica", ("noise_dbm", "battery_v"))
    means = [each for each in said if "means:" in each]
    assert means == ["  noise means: background noise; nearer to 0 is worse"]
    assert said.index(means[0]) > said.index("  noise: -95 dBm")
    every = [each for each in link_lines(village, "torre-clinica", ("all",)) if "means:" in each]
    assert len(every) == len(set(every)) >= 8


def test_medians_come_from_last_week_of_both_ends(village: Village) -> None:
    link = village.model.links["torre-clinica"]
    asyncio.run(command_look.ask_link(village, link, NOW))
    histories = [each for each in village.asked if isinstance(each, AskHistory)]
    assert {(each.side, each.metric) for each in histories} == {
        (side, metric) for side in "ab" for metric in plain_link.WEEK
    }
    assert {each.start for each in histories} == {NOW - 7 * 86400}


def test_an_end_without_a_past_takes_nothing_from_the_others(village: Village) -> None:
    class Deaf(Village):
        async def ask(self, question: Question, kind: type[Any]) -> Any:
            if isinstance(question, AskHistory) and question.side == "b":
                raise NoAnswer("nothing is known of torre-clinica")
            return await super().ask(question, kind)

    deaf = Deaf()
    asked = asyncio.run(command_look.ask_link(deaf, deaf.model.links["torre-clinica"], NOW))
    assert {side for side, _metric in asked.medians} == {"a"}
    assert (asked.answered, asked.problem) == (True, "")


def test_a_central_that_answers_late_is_waited_for_a_while_only(
    village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plainly, "ASKS_FOR_S", 0.05)

    class Slow(Village):
        async def ask(self, question: Question, kind: type[Any]) -> Any:
            if isinstance(question, AskHistory):
                await asyncio.sleep(60)
            return await super().ask(question, kind)

    slow = Slow()
    asked = asyncio.run(command_look.ask_link(slow, slow.model.links["torre-clinica"], NOW))
    assert (asked.answered, asked.medians) == (True, {})
    assert asked.problem == "The central did not answer."


# a site


def test_a_site_says_its_power_and_every_reading_by_group(village: Village) -> None:
    said = site_lines(village, "torre")
    assert said[:3] == ["Torre: OK", "12 homes here", "70 with those behind"]
    at = said.index("Power:")
    assert said[at + 1 : at + 4] == [
        "  power from the grid",
        "  Radio Torre, Power, measured 12 seconds ago:",
        "    voltage: 24.1 V",
    ]
    at = said.index("  Port eth0, measured 12 seconds ago:")
    assert said[at + 1 : at + 4] == ["    works: up", "    speed: 100 Mb/s", "    received: 123 MB"]
    assert "    runs for: 41 days" in said
    assert said[said.index("Links:") + 1] == "  Torre-Clínica: WEAK for 3 days"
    assert said.count("    hears: -57 dBm") == 1


def test_older_readings_of_a_group_have_their_own_age(village: Village) -> None:
    site = village.model.sites["torre"]
    old = tuple(replace(r, at=NOW - 7200) if r.metric == "cpu_pct" else r for r in readings(NOW))
    asked = plain_site.Asked(readings={"torre-radio": old})
    said = list(plain_site.lines(village.model, site, asked, NOW))
    assert "    processor: 14 %, measured 2 hours ago" in said


def test_readings_that_are_missing_say_why(village: Village) -> None:
    asked = plain_site.Asked(problems={"torre-radio": "The central did not answer."})
    said = list(plain_site.lines(village.model, village.model.sites["torre"], asked, NOW))
    assert "  its readings are not known: The central did not answer." in said


def test_every_line_says_something_and_has_no_columns(village: Village) -> None:
    lines = [
        *link_lines(village, "torre-clinica", ("all",)), *site_lines(village, "torre", ("all",)),
        *health_lines(village),
    ]  # fmt: skip
    for each in lines:
        assert each.strip(), lines
        assert "  " not in each.strip(), each
        assert "--" not in each, each
        assert not re.search(r"[●▲■│█▒░]", each), each


# events


def many(count: int, *, at: float = NOW - 60, apart_s: float = 1.0) -> list[Event]:
    return [
        Event(
            at=at - apart_s * n, level="note", kind="link", name="torre-cerro",
            text=Message("event.note", {"author": "rosa", "text": f"note {n}"}),
        )
        for n in range(count)
    ]  # fmt: skip


class Ledger(Village):
    """A village whose central remembers these events, and answers as a real one: strictly before a time."""

    def __init__(self, events: Sequence[Event]) -> None:
        super().__init__()
        self.remembered = sorted(events, key=lambda each: -each.at)

    async def ask(self, question: Question, kind: type[Any]) -> Any:
        if not isinstance(question, AskEvents):
            return await super().ask(question, kind)
        self.asked.append(question)
        found = [
            each
            for each in self.remembered
            if (question.before is None or each.at < question.before)
            and question.kind in (None, each.kind)
            and question.name in (None, each.name)
        ]
        return Events(events=tuple(found[: question.limit]))


def ask(feed: Village, last_s: float, about: tuple[str, str] | None, limit: int = 200) -> plain_events.Asked:
    return asyncio.run(command_events.ask(feed, NOW - last_s, about, limit))


def test_events_are_told_newest_first_with_their_sort_and_age(village: Village) -> None:
    asked = ask(village, 86400, None)
    said = list(plain_events.lines(village.model, asked, NOW))
    assert said[0] == "2 events in the last 24 hours"
    assert said[1].startswith("Alarm: Escuela-Cerro is down; 34 minutes ago, ")
    assert said[2].startswith("Note: Torre-Clínica: rosa: Antenna tilted after the storm; 2 hours ago, ")
    assert len(said) == 3


def test_events_of_one_link_and_of_all_that_ends_at_a_site(village: Village) -> None:
    of_link = ask(village, 7 * 86400, ("link", "torre-clinica"))
    assert [each.name for each in of_link.events] == ["torre-clinica"] * 2
    assert {each.name for each in ask(village, 7 * 86400, ("site", "escuela")).events} == {"escuela-cerro"}
    said = list(plain_events.lines(village.model, of_link, NOW))
    assert said[0] == "2 events of Torre-Clínica in the last 7 days"


def test_events_of_one_moment_at_the_end_of_a_batch_are_not_lost() -> None:
    for apart_s in (1.0, 0.0):
        ledger = Ledger(many(150) + many(150, at=NOW - 400, apart_s=apart_s) + many(90, at=NOW - 5000))
        asked = ask(ledger, 86400, None, limit=5000)
        assert (len(asked.events), asked.whole) == (390, True)


def test_more_events_than_wanted_are_cut_and_it_is_said() -> None:
    asked = ask(Ledger(many(900)), 86400, None, limit=300)
    assert (len(asked.events), asked.whole) == (300, False)
    said = list(plain_events.lines(Village().model, asked, NOW))
    assert said[-1] == "There are older ones: --limit shows more."
    assert ask(Ledger(many(300)), 86400, None, limit=300).whole


def test_a_ledger_full_of_one_moment_ends_the_search() -> None:
    ledger = Ledger(many(1000, apart_s=0.0) + many(10, at=NOW - 900))
    asked = ask(ledger, 86400, None, limit=5000)
    assert len(ledger.asked) <= 6
    assert len(asked.events) >= 210, "what is older is still found"


def test_older_events_join_those_on_the_screen_without_twins() -> None:
    events = tuple(many(3))
    assert events_view.joined(events[:2], events[1:]) == events


# health


def test_health_says_central_monitors_and_ways_to_people(village: Village) -> None:
    village.send(topics.HUB, HubState(state="ready", at=NOW, version="0.1.0"))
    village.send(
        topics.state("molino-pi"), NodeState(up=False, version="0.1", devices=2, poll_s=60, flush_s=300)
    )
    said = health_lines(village)
    assert said[:2] == ["The central takes everything in.", "  version: 0.1.0"]
    at = said.index("Monitor Molino: NO NEWS for 5 hours")
    assert said[at + 1 : at + 7] == [
        "  version: 0.1",
        "  last report: 12 seconds ago",
        "  not connected to the broker",
        "  2 devices",
        "  asks every: 1 minute",
        "  reports every: 5 minutes",
    ]
    assert "Messages to Ana by phone: works" in said
    assert "Messages to Ana by mail: does not work: nobody is there" in said
    assert "  2 messages wait" in said


def test_health_says_what_monitors_and_the_central_told_lately() -> None:
    def told(context: str, age_s: float, node: str = "", **values: Any) -> Event:
        kind = "node" if node else ""
        return Event(at=NOW - age_s, text=Message(context, values), kind=kind, name=node)

    ledger = Ledger(
        [
            told("note.clock_set", 3600, "torre-pi", before="1970-01-01 00:05", after="2026-11-22 09:00"),
            told("note.clock_set", 7200, "torre-pi", before="old", after="old"),
            told("note.outage", 90 * 60, "torre-pi", span="5 h"),
            told("event.blind_broker", 3 * 86400, start="02:00", end="03:00"),
            told("event.blind_broker", 30 * 86400, start="long ago", end="long ago"),
        ]
    )
    said = health_lines(ledger)
    assert "  its reports: No contact with the central for 5 h; 90 minutes ago" in said
    clock = [each for each in said if each.startswith("  its clock: The clock")]
    assert len(clock) == 1, "the newest alone"
    assert clock[0].endswith(" was set from 1970-01-01 00:05 to 2026-11-22 09:00 UTC; 60 minutes ago")
    blind = [each for each in said if "was blind" in each]
    assert len(blind) == 1 and "02:00" in blind[0]


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("store-down", "The central cannot write. Nothing is lost: reports wait at the monitors."),
        ("gone", "The central has stopped. Values stay as they were."),
        ("clock-wrong", "The clock of the central is wrong. Nothing is lost: reports wait at the monitors."),
    ],
)
def test_health_says_why_the_central_takes_nothing_in(village: Village, state: str, said: str) -> None:
    village.send(topics.HUB, HubState(state=state, at=NOW))
    asked = asyncio.run(command_health.ask(village, NOW))
    assert next(plain_health.lines(village.model, asked, NOW)) == said
    assert not plain_health.all_is_well(village.model, asked, NOW)


def test_all_is_well_when_everything_reports_and_every_way_works(village: Village) -> None:
    for node in list(village.model.nodes.values()):
        village.send(topics.net("node", node.id), replace(node, state="ok"))
    works = Deliveries(targets=DELIVERIES.targets[:1])
    assert plain_health.all_is_well(village.model, plain_health.Asked(told=works), NOW)
    assert not plain_health.all_is_well(village.model, plain_health.Asked(told=DELIVERIES), NOW)
    village.send(topics.HUB, HubState(state="ready", at=NOW, closed=(3,)))
    assert not plain_health.all_is_well(village.model, plain_health.Asked(told=works), NOW)


# for programs


def documented() -> dict[str, list[str]]:
    """The keys of the guide's table, by its first column."""
    below = GUIDE.split("\n## Without a screen\n", 1)[1].split("\n## ", 1)[0]
    rows = [line.split("|")[1:3] for line in below.splitlines() if line.startswith("|")]
    keys = {name.strip(): re.findall(r"`(\w+)`", cell) for name, cell in rows}
    return {name: found for name, found in keys.items() if len(found) > 4 or name in SHORT}


def test_the_keys_of_every_object_are_those_of_the_guide(village: Village) -> None:
    model = village.model
    link, site = model.links["torre-clinica"], model.sites["torre"]
    of_link = plain_link.as_json(model, link, asyncio.run(command_look.ask_link(village, link, NOW)), NOW)
    of_site = plain_site.as_json(model, site, asyncio.run(command_look.ask_site(village, site)), NOW)
    of_events = plain_events.as_json(model, ask(village, 7 * 86400, None), NOW)
    health = plain_health.as_json(model, asyncio.run(command_health.ask(village, NOW)), NOW)
    a_map, told = plain_map.as_json(model, NOW), plain_messages.as_json(DELIVERIES, NOW)
    shown: dict[str, Mapping[str, Any]] = {
        "`link`": of_link,
        "`link`, in `ends`": of_link["ends"][0],  # type: ignore[index]
        "`site`": of_site,
        "`site`, in `devices`": of_site["devices"][0],  # type: ignore[index]
        "`site`, in `readings`": of_site["devices"][0]["readings"][0],  # type: ignore[index]
        "`events`": of_events,
        "every one, in `events`": of_events["events"][0],  # type: ignore[index]
        "`health`": health,
        "`health`, in `central`": health["central"],  # type: ignore[dict-item]
        "`health`, in `monitors`": health["monitors"][0],  # type: ignore[index]
        "`health`, in `people`": health["people"][0],  # type: ignore[index]
        "`map`": {"contact": True} | a_map,
        "`map`, in `sites`": a_map["sites"][0],  # type: ignore[index]
        "`map`, in `links`": a_map["links"][0],  # type: ignore[index]
        "`advice`": {"contact": True} | plain_advice.as_json(model, ("site", "torre"), "tree", NOW),
        "`messages`": told,
        "`messages`, in `told`": told["told"][0],  # type: ignore[index]
    }
    assert documented() == {name: list(value) for name, value in shown.items()}


def test_a_site_without_anything_is_said_too(village: Village) -> None:
    empty = SiteView(id="x", title="X", state="unknown", homes=0, homes_behind=0, power="wind")
    said = list(plain_site.lines(village.model, empty, plain_site.Asked(), NOW))
    assert said == ["X: NOT KNOWN", "0 homes here", "No alarms.", "Power:", "  power: wind"]
