"""From alerts to messages that are sent once: quiet hours, turns, limits, failures, kills, digests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

import pytest
from people_town import ANA, BETO, NOON, Town, link_down, people_of, silent

from ayni_core.message import Message
from ayni_core.wire.messages import Event
from ayni_hub.people import deliveries
from ayni_hub.people.memory import FILE, GIVEN_UP, MOOT, SENDING, SENT, open_memory

LIMA = ZoneInfo("America/Lima")


class Founded(Protocol):
    def __call__(self, *people: str, more: str = "", now: float = NOON) -> Town: ...


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Founded]:
    with ExitStack() as stack:

        def make(*people: str, more: str = "", now: float = NOON) -> Town:
            made = Town(tmp_path, *people, more=more, now=now)
            stack.callback(made.close)
            return made

        yield make


def at(clock: str) -> float:
    return datetime.fromisoformat(clock).replace(tzinfo=LIMA).timestamp()


def test_people_are_told_once_and_hear_when_it_is_over(town: Founded) -> None:
    valle = town(ANA, BETO)
    valle.put(link_down())
    assert valle.go(120) == [(name, "ALARM: Torre–Escuela is down, since 12:00") for name in ("ana", "beto")]
    valle.end(link_down())
    assert valle.go(60) == [
        (name, "Over (12:00 to 12:02): Torre–Escuela is down") for name in ("ana", "beto")
    ]
    assert valle.go(600) == []


def test_each_reads_it_in_their_own_language_and_zone(town: Founded) -> None:
    lima = "ana: {timezone: America/Lima, language: en, notify: {mail: {address: env:NOWHERE}}}"
    berlin = "beto: {timezone: Europe/Berlin, notify: {mail: {address: env:NOWHERE}}}"
    valle = town(lima, berlin)
    valle.put(link_down())
    titles = dict(valle.go(10))
    assert titles["ana"].endswith("is down, since 07:00")
    assert "14:00" in titles["beto"]


def test_those_who_want_other_levels_or_sites_hear_nothing(town: Founded) -> None:
    valle = town(
        "ana: {levels: critical, notify: {mail: {address: env:NOWHERE}}}",
        "beto: {sites: [torre], notify: {mail: {address: env:NOWHERE}}}",
        "caro: {sites: [escuela], notify: {mail: {address: env:NOWHERE}}}",
    )
    valle.put(silent("cpe", level="warn"))
    assert people_of(valle.go(10)) == ["caro"]
    valle.put(silent("ap"))
    assert people_of(valle.go(10)) == ["ana", "beto"]
    valle.put(link_down())
    assert people_of(valle.go(10)) == ["ana", "beto", "caro"], "a link is about both its ends"


def test_warnings_wait_for_the_morning_and_what_is_critical_does_not(town: Founded) -> None:
    night = 'ana: {timezone: America/Lima, language: en, quiet: "22:00-06:30", notify: {m: {address: env:N}}}'
    valle = town(night, now=at("2026-06-24 23:00"))
    valle.put(silent("cpe", level="warn"))
    assert valle.go(60) == []
    valle.put(link_down())
    assert len(valle.go(60)) == 1
    assert valle.go(7 * 3600, 30) == []
    (told,) = valle.go(3600, 30)
    assert told[1].startswith("Warning: cpe does not answer")
    assert at("2026-06-25 06:30") <= valle.now < at("2026-06-25 07:30")


def test_what_was_over_before_the_morning_is_not_told_at_all(town: Founded) -> None:
    night = (
        'ana: {timezone: America/Lima, quiet: "22:00-06:30", quiet_all: true, notify: {m: {address: env:N}}}'
    )
    valle = town(night, now=at("2026-06-24 23:00"))
    valle.put(link_down())
    valle.go(3600, 10)
    valle.end(link_down())
    assert valle.go(12 * 3600, 30) == []
    assert {each.state for each in valle.memory.newest(10)} == {MOOT}


def test_a_warning_that_did_not_arrive_in_the_evening_does_not_ring_at_night(town: Founded) -> None:
    night = 'ana: {timezone: America/Lima, language: en, quiet: "22:00-06:30", notify: {m: {address: env:N}}}'
    valle = town(night, now=at("2026-06-24 21:30"))
    valle.broken["m"] = "away"
    valle.put(silent("cpe", level="warn"))
    valle.go(3600, 10)
    valle.put(link_down())
    valle.go(60, 10)
    valle.broken.clear()
    assert [title.partition(":")[0] for _person, title in valle.go(7 * 3600, 30)] == ["ALARM"]
    assert [title.partition(":")[0] for _person, title in valle.go(3600, 30)] == ["Warning"]


def test_who_was_woken_hears_at_night_that_it_is_over(town: Founded) -> None:
    night = 'ana: {timezone: America/Lima, language: en, quiet: "22:00-06:30", notify: {m: {address: env:N}}}'
    valle = town(night, now=at("2026-06-24 21:00"))
    valle.put(silent("ap"))
    valle.go(10)
    valle.go(2 * 3600, 30)
    valle.put(link_down())
    assert len(valle.go(60)) == 1
    valle.end(link_down(), silent("ap"))
    assert [title for _person, title in valle.go(60)] == ["Over (07:00 to 23:01): Torre–Escuela is down"]
    assert len(valle.go(8 * 3600, 30)) == 1, "who was told in the evening hears of it in the morning"


def test_many_in_the_morning_are_one_message(town: Founded) -> None:
    night = 'ana: {timezone: America/Lima, language: en, quiet: "22:00-06:30", notify: {m: {address: env:N}}}'
    valle = town(night, now=at("2026-06-24 23:00"))
    valle.put(silent("ap", level="warn"), silent("cpe", level="warn"))
    (told,) = valle.go(9 * 3600, 30)
    assert told[1] == "2 messages since Wed 23:01. Open now: 2"
    body = valle.sent[-1][3].splitlines()
    assert [line.partition(",")[0] for line in body] == [
        "Warning: ap does not answer",
        "Warning: cpe does not answer",
    ]


def test_one_person_gets_six_messages_in_ten_minutes_and_then_one_about_the_rest(town: Founded) -> None:
    valle = town(ANA)
    for number in range(20):
        valle.put(silent("ap", id=f"alert-{number}"))
        valle.go(5)
    assert len(valle.sent) == 6
    (told,) = valle.go(900)
    assert told[1].startswith("14 messages since 12:00. Open now: 20")
    assert "and 4 more" in valle.sent[-1][3]
    valle.end(silent("ap", id="alert-19"))
    (over,) = valle.go(60)
    assert over[1].startswith("Over"), "it was told, if only in a summary"


def test_whose_turn_it_is_hears_first_then_the_next_one_then_all(town: Founded) -> None:
    caro = "caro: {title: Caro, language: en, role: trainer, notify: {mail: {address: env:NOWHERE}}}"
    valle = town(
        ANA, BETO, caro,
        more='on_call: {people: [ana, beto, caro], from: "2026-06-15"}\n'
        "escalation: {next_after_min: 15, all_after_min: 45}\n",
    )  # fmt: skip
    valle.put(link_down())
    assert people_of(valle.go(60)) == ["beto"], "the second week"
    assert valle.go(800, 5) == []
    ((person, title),) = valle.go(120)
    assert (person, title) == ("caro", "NOBODY HAS THIS YET: Torre–Escuela is down, since 12:00")
    assert people_of(valle.go(1900, 5)) == ["ana", "beto", "caro"]
    valle.put(link_down(acked_by="Ana"))
    assert valle.go(10) == [(each, "Ana takes this on: Torre–Escuela is down") for each in ("beto", "caro")]


def test_a_message_that_does_not_arrive_is_tried_again_with_growing_pauses(town: Founded) -> None:
    valle = town("ana: {title: Ana, language: en, notify: {mail: {address: env:N}, sms: {address: env:N}}}")
    valle.broken["mail"] = "nobody is there"
    valle.put(link_down())
    assert len(valle.go(5)) == 1, "the other target is not held up"
    tried = []
    for _ in range(1200):
        valle.go(3, 3)
        (mail,) = [each for each in valle.people.outbox.notices.values() if each.target == "mail"]
        tried.append(mail.tries)
    assert tried[-1] == 7, "at once, after 30 s, and then 1, 2, 4, 8, 16 minutes later"
    assert [event.text.context for event in valle.events] == ["event.target_failing"]
    del valle.broken["mail"]
    assert len(valle.go(3600, 30)) == 1
    assert [event.text.context for event in valle.events] == ["event.target_failing", "event.target_works"]


def test_after_a_day_a_message_is_given_up_and_that_is_an_event(town: Founded) -> None:
    valle = town(ANA)
    valle.broken["mail"] = "nobody is there"
    valle.put(link_down())
    valle.go(90_000, 60)
    assert [each.state for each in valle.memory.newest(9)] == [GIVEN_UP]
    values = {"person": "Ana", "target": "mail", "reason": "nobody is there"}
    assert [event.text for event in valle.events if event.text.context == "event.not_told"] == [
        Message("event.not_told", values)
    ]
    (view,) = deliveries.view(valle.network, valle.people.outbox, valle.memory).targets
    assert (view.failing, view.reached_at, view.waiting) == ("nobody is there", None, 0)


def test_a_kill_between_writing_and_sending_loses_nothing(town: Founded) -> None:
    valle = town(ANA)
    valle.broken["mail"] = "away"
    valle.put(link_down())
    valle.go(5)
    valle.kill()
    assert valle.sent == []
    del valle.broken["mail"]
    assert len(valle.go(5)) == 1
    assert valle.go(300) == []


def test_what_was_under_way_at_a_kill_is_repeated_once_and_says_so(town: Founded) -> None:
    valle = town(ANA)
    valle.hanging.add("mail")
    valle.put(link_down())
    valle.go(5)
    assert [each.state for each in valle.memory.newest(9)] == [SENDING]
    valle.kill()
    assert len(valle.go(5)) == 1
    assert valle.sent[0][3].endswith("(Perhaps you have this already.)")
    assert [each.state for each in valle.memory.newest(9)] == [SENT]


def test_on_a_telephone_a_repeated_message_still_fits(town: Founded) -> None:
    valle = town("ana: {language: en, notify: {sms: {address: env:N, form: short}}}")
    valle.hanging.add("sms")
    valle.put(link_down())
    valle.go(5)
    valle.kill()
    valle.go(5)
    ((_person, _target, title, body),) = valle.sent
    assert title.endswith("(Perhaps you have this already.)")
    assert len(title) <= 160
    assert body == ""


def test_what_was_sent_before_a_kill_is_not_sent_again(town: Founded) -> None:
    valle = town(ANA)
    valle.put(link_down(), silent("ap"))
    assert len(valle.go(10)) == 2
    valle.kill()
    assert valle.go(300) == []
    valle.end(silent("ap"))
    (over,) = valle.go(60)
    assert over[1].startswith("Over")
    valle.kill()
    assert valle.go(300) == []


def test_what_ended_while_the_hub_was_down_is_told_to_those_who_know(town: Founded) -> None:
    valle = town(ANA)
    valle.put(link_down())
    valle.go(10)
    valle.alerts.clear()
    valle.kill()
    (over,) = valle.go(60)
    assert over[1].startswith("Over")


def test_what_left_the_inventory_is_not_said_to_be_over(town: Founded) -> None:
    valle = town(ANA)
    valle.put(silent("sold"), silent("ap"))
    assert len(valle.go(10)) == 2
    valle.end(silent("sold"), silent("ap"))
    assert [title.partition(": ")[2] for _person, title in valle.go(60)] == ["ap does not answer"]


def test_a_disk_that_cannot_be_written_keeps_nobody_from_being_told(
    town: Founded, caplog: pytest.LogCaptureFixture
) -> None:
    valle = town(ANA)
    valle.memory._db.execute("PRAGMA query_only=ON")
    valle.put(link_down())
    assert len(valle.go(60)) == 1
    assert len([each for each in caplog.messages if "cannot be written down" in each]) == 1
    valle.memory._db.execute("PRAGMA query_only=OFF")
    valle.go(5)
    assert [each.state for each in valle.memory.newest(9)] == [SENT]


def test_a_damaged_file_is_set_aside_and_people_are_told_all_the_same(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / FILE
    path.write_bytes(b"rubbish" * 1000)
    open_memory(path).close()
    assert (tmp_path / f"{FILE}.damaged").read_bytes().startswith(b"rubbish")
    (told,) = caplog.messages
    assert told.startswith("notifications set aside file=people.db.damaged cause=opening (")


def test_the_centrals_own_troubles_are_told_when_they_last(town: Founded) -> None:
    valle = town(ANA, "eva: {role: viewer, notify: {mail: {address: env:NOWHERE}}}")
    valle.people.state("store-down")
    valle.go(30)
    valle.people.state("ready")
    assert valle.go(300) == [], "half a minute is nothing"
    valle.people.state("store-down")
    (told,) = valle.go(120)
    assert told[1].startswith("The central cannot write its memory, since 12:05")
    valle.people.state("ready")
    (over,) = valle.go(10)
    assert over[1] == "The central works again (12:05 to 12:07)"
    text = Message("event.blind_stopped", {"start": "2026-06-24 10:00", "end": "2026-06-24 11:00"})
    valle.people.hear([Event(at=NOON, text=text), Event(at=NOON, text=Message("event.hub_started"))])
    (blind,) = valle.go(10)
    assert blind[1].startswith("The central was blind from 2026-06-24 10:00 to")


def test_a_digest_comes_each_morning_and_each_monday(town: Founded) -> None:
    person = (
        'ana: {timezone: America/Lima, language: en, digest: {daily: "07:00", weekly: "mon 07:00"},'
        " notify: {mail: {address: env:NOWHERE}, sms: {address: env:N, form: short}}}"
    )
    valle = town(person, now=at("2026-06-26 12:00"))
    valle.put(link_down(level="warn", acked_by="caro", since=at("2026-06-26 11:00")))
    text = link_down().text
    valle.history = [
        Event(at=at("2026-06-26 11:00"), text=text, level="critical", kind="link", name="torre-escuela"),
        Event(at=at("2026-06-26 11:30"), text=text, level="clear", kind="link", name="torre-escuela"),
        Event(at=at("2026-06-26 11:40"), text=Message("event.hub_started")),
    ]
    valle.shares = {"Torre–Escuela": 0.97996, "Salida": 0.99999}
    told = valle.go(86_400, 60)
    assert [title for _person, title in told] == ["Valle: the last day. Open now: 1, alarms: 1, over: 1"] * 2
    assert valle.sent[0][3].splitlines() == [
        "Open:",
        "Warning: Torre–Escuela is down, since Fri 11:00 (caro has it)",
        "",
        "What happened:",
        "Fri 11:00 Torre–Escuela is down",
        "",
        "Worked:",
        "Torre–Escuela: 97.9 % of the time",
    ]
    assert valle.sent[1][3] == "", "nothing but one line on a telephone"
    assert len(valle.go(86_400, 60)) == 2
    monday = [title for _person, title in valle.go(86_400, 60)]
    assert (
        sorted(title.partition(".")[0] for title in monday)
        == ["Valle: the last day"] * 2 + ["Valle: the last week"] * 2
    )


def test_a_digest_whose_time_passed_long_ago_is_left_out_and_none_comes_twice(town: Founded) -> None:
    person = 'ana: {timezone: America/Lima, digest: {daily: "07:00"}, notify: {mail: {address: env:NOWHERE}}}'
    valle = town(person, now=at("2026-06-26 06:00"))
    valle.go(10)
    valle.now = at("2026-06-26 09:00")
    valle.kill()
    assert len(valle.go(600, 10)) == 1
    valle.kill()
    assert valle.go(600, 10) == []
    valle.now = at("2026-06-27 20:00")
    valle.kill()
    assert valle.go(600, 10) == []
