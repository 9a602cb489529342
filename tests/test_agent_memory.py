"""What an agent remembers: its last day, its verdicts over a restart, what happened while it was cut off."""

from __future__ import annotations

import asyncio
import json
import math
import zlib
from collections.abc import Sequence

import pytest

from ayni_agent import today, verdict_memory
from ayni_agent.account import MOST_CHANGES, MOST_LINES, WORTH_S, OutageAccount, lasted
from ayni_agent.alarms import alarms, as_note, transition_text
from ayni_agent.collector import Collector
from ayni_agent.outbox_file import Book
from ayni_agent.today import DAY_S, HOUR_S, Today
from ayni_agent.verdict import Transition, Verdicts
from ayni_core.clockwatch import Moment
from ayni_core.message import Message
from ayni_core.readings import Poll, Series
from ayni_core.texts import TEXTS
from ayni_core.wire import codec
from ayni_core.wire.frame import Frame
from ayni_core.wire.note import VERDICT, FrameNote, decode_notes, encode_notes
from ayni_io.i18n import say
from ayni_io.rulebook import load_rules

SIGNAL = Series("radio", "wlan1", "signal_dbm")
UPTIME = Series("system", "", "uptime_s")
NOW = Moment(mono_s=100 * HOUR_S + 60, wall_s=1.8e9, synced=True, trusted=True)


def poll(at_s: float, signal: float | None = -60.0, *, device: str = "ap", error: str | None = None) -> Poll:
    values = {UPTIME: at_s} | ({} if signal is None else {SIGNAL: signal})
    return Poll(device=device, at_s=at_s, values={} if error else values, error=error)


def frame(polls: Sequence[Poll], *, boot: str = "b", seq: int = 1, wall_s: float | None = None) -> Frame:
    """A frame; `wall_s` is what the wall clock said at its first poll."""
    collector = Collector(node="pi", epoch="e", boot=boot, flush_s=300, seq=seq - 1)
    for each in polls:
        collector.add(each)
    start_s = polls[0].at_s
    wall = NOW.wall_at(start_s) if wall_s is None else wall_s
    made = collector.close(Moment(mono_s=start_s, wall_s=wall, synced=True))
    assert made is not None
    return made


# ---- the last day


def nothing(_now_s: float, _for_s: float, _most: int) -> list[bytes]:
    return []


def test_each_hour_has_a_letter_and_the_day_a_share_and_the_lowest_of_many() -> None:
    day = Today("b", 0.0, nothing)
    base = NOW.mono_s
    for hour, (signal, error) in enumerate(
        [(-60.0, None), (-64.0, None), (None, "timed out"), (-58.0, None)]
    ):
        day.take(poll(base - hour * HOUR_S, signal, error=error))
    day.take(poll(base - 3 * HOUR_S, error="timed out"))
    day.take(
        Poll(device="ap", at_s=base, values={SIGNAL: -61.0, Series("radio", "wlan2", "signal_dbm"): -70.0})
    )
    day.take(Poll(device="box", at_s=base, values={Series("power", "", "voltage_v"): 12.5}))
    ap, box, other = day.status(["ap", "box", "other"], base)
    assert (ap.hours, ap.answered_pct) == ("-" * 20 + "wdoo", round(100 * 4 / 6, 1))
    assert (ap.metric, ap.low, ap.mean, ap.high) == ("signal_dbm", -70.0, -63.0, -58.0)
    assert (box.metric, box.mean) == ("voltage_v", 12.5)
    assert (other.hours, other.answered_pct, other.metric) == ("-" * 24, None, "")


def test_what_is_older_than_a_day_is_forgotten_and_so_is_a_device_that_went() -> None:
    day = Today("b", 0.0, nothing)
    for hour in range(60):
        day.take(poll(hour * HOUR_S))
    (status,) = day.status(["ap"], 59 * HOUR_S)
    assert (status.hours, status.answered_pct) == ("o" * 24, 100.0)
    assert len(day._live.devices["ap"]) <= 24
    day.keep([])
    assert day.status(["ap"], 59 * HOUR_S)[0].answered_pct is None


def test_what_was_before_this_run_is_read_once_from_the_frames_that_were_kept() -> None:
    started_s, base = NOW.mono_s - 2 * HOUR_S, NOW.mono_s
    own = codec.encode(frame([poll(base - HOUR_S), poll(base - HOUR_S + 60)], seq=9), "field")
    before = [
        frame([poll(base - 5 * HOUR_S, -70.0), poll(base - 5 * HOUR_S + 60, error="timed out")]),
        frame([poll(50.0, -66.0)], boot="earlier", seq=2, wall_s=NOW.wall_s - 7 * HOUR_S),
        frame([poll(50.0, -99.0)], boot="ancient", seq=3, wall_s=NOW.wall_s - 3 * DAY_S),
        frame([poll(50.0, -99.0)], boot="future", seq=4, wall_s=NOW.wall_s + 3 * DAY_S),
    ]
    kept = [own, *(codec.encode(each, "plain") for each in before), b"\x78garbage", b""]
    calls: list[float] = []

    def recent(now_s: float, for_s: float, most: int) -> list[bytes]:
        calls.append(for_s)
        return kept[:1] if for_s < DAY_S else kept

    day = Today("b", started_s, recent)
    for at_s in (base - HOUR_S, base - HOUR_S + 60):
        day.take(poll(at_s))

    async def ask() -> None:
        assert not day.whole
        await day.read_past(NOW, 30.0)
        assert day.whole
        await day.read_past(NOW, 30.0)

    asyncio.run(ask())
    assert calls == [2 * HOUR_S, DAY_S], "once"
    (status,) = day.status(["ap"], base)
    assert status.hours == "-" * 16 + "o-w---o-"
    assert (status.answered_pct, status.low, status.high) == (80.0, -70.0, -60.0)


def test_a_slow_card_delays_the_first_answer_only_so_long_and_a_broken_one_costs_only_the_past() -> None:
    async def ask() -> None:
        release = asyncio.Event()
        loop = asyncio.get_running_loop()

        def slow(_now_s: float, _for_s: float, _most: int) -> list[bytes]:
            asyncio.run_coroutine_threadsafe(release.wait(), loop).result(30)
            raise OSError("the card is gone")

        day = Today("b", 0.0, slow)
        day.take(poll(NOW.mono_s))
        await day.read_past(NOW, 0.05)
        assert not day.whole
        assert day.status(["ap"], NOW.mono_s)[0].answered_pct == 100.0
        release.set()
        await day.read_past(NOW, 30.0)
        assert day.whole
        assert day.status(["ap"], NOW.mono_s)[0].answered_pct == 100.0

    asyncio.run(ask())


def test_a_bounded_number_of_frames_is_asked_for() -> None:
    asked: list[int] = []
    day = Today("b", 0.0, lambda _now, _for, most: asked.append(most) or [])  # type: ignore[func-returns-value]
    asyncio.run(day.read_past(NOW, 30.0))
    assert asked == [today.MOST_FRAMES] * 2


# ---- verdicts over a restart


def verdicts() -> Verdicts:
    return Verdicts.over(load_rules(), {"ap": -58.0, "gw": None})


def judged(rounds: int = 4, at_s: float = 1000.0) -> Verdicts:
    """One device is silent, another hears badly, and a station has gone."""
    made = verdicts()
    station = {Series("station", "0a0b0c0d0e0f", "signal_dbm"): -60.0}
    made.judge(Poll(device="ap", at_s=at_s - 1, values=station))
    for n in range(rounds):
        made.judge(poll(at_s + 60 * n, -64.0))
        made.judge(poll(at_s + 60 * n, device="gw", error="timed out"))
    return made


def moment(mono_s: float, wall_s: float = 1.8e9) -> Moment:
    return Moment(mono_s=mono_s, wall_s=wall_s, synced=True, trusted=True)


def recalled(data: bytes | None, boot: str, now: Moment, past: Book | None = None) -> Verdicts:
    made = verdicts()
    verdict_memory.unpack(data, made, boot, now, past, ("ap", "gw"))
    return made


def test_an_alarm_is_not_announced_again_after_a_restart_and_its_end_is() -> None:
    before = judged()
    assert len(alarms(before, 2000.0)) == 3
    after = recalled(verdict_memory.pack(before, "b"), "b", moment(1300.0))
    assert {(a.rule, a.age_s) for a in alarms(after, 2000.0)} == {
        (a.rule, a.age_s) for a in alarms(before, 2000.0)
    }
    for n in range(3):
        assert after.judge(poll(1300.0 + 60 * n, -64.0)) == []
        assert after.judge(poll(1300.0 + 60 * n, device="gw", error="timed out")) == []
    assert [t.level for t in after.judge(poll(1500.0, None, device="gw"))] == [None]


def test_a_verdict_in_the_making_goes_on_where_it_was() -> None:
    before = judged(rounds=2)
    assert alarms(before, 2000.0) != alarms(judged(), 2000.0)
    after = recalled(verdict_memory.pack(before, "b"), "b", moment(1130.0))
    transitions = after.judge(poll(1140.0, device="gw", error="timed out"))
    assert [(t.rule, t.level) for t in transitions] == [("device-silent", "critical")]
    assert alarms(after, 1140.0)[0].age_s == 140.0, "since the first of the three"


def test_the_bytes_change_only_when_a_verdict_does() -> None:
    made = judged()
    packed = verdict_memory.pack(made, "b")
    made.judge(poll(1300.0, -64.4))
    made.judge(poll(1300.0, device="gw", error="timed out"))
    assert verdict_memory.pack(made, "b") == packed
    made.judge(poll(1400.0, None, device="gw"))
    assert verdict_memory.pack(made, "b") != packed


@pytest.mark.parametrize(
    ("past", "now", "age_s"),
    [
        (Book(boot="b", mono_s=1300.0, wall_s=1.8e9), moment(40.0, 1.8e9 + 600), 300.0 + 600.0),
        (Book(boot="b", mono_s=1300.0, wall_s=1.8e9), moment(40.0, 1.8e9 - 600), 300.0),  # set back
        (Book(boot="b", mono_s=1300.0, wall_s=1.8e9), moment(40.0, 100.0), 300.0),  # 1970
        (Book(boot="x", mono_s=1300.0, wall_s=1.8e9), moment(40.0), 0.0),
        (None, moment(40.0), 0.0),
    ],
)
def test_after_a_reboot_ages_go_on_as_far_as_anybody_knows(
    past: Book | None, now: Moment, age_s: float
) -> None:
    after = recalled(verdict_memory.pack(judged(), "b"), "another", now, past)
    silent = next(each for each in alarms(after, now.mono_s) if each.rule == "device-silent")
    assert silent.age_s == pytest.approx(age_s, abs=0.2)


def test_what_is_no_longer_polled_or_no_longer_a_rule_is_not_remembered() -> None:
    data = verdict_memory.pack(judged(), "b")
    made = Verdicts.over([rule for rule in load_rules() if rule.name != "signal-low"], {"ap": -58.0})
    verdict_memory.unpack(data, made, "b", moment(1300.0), None, ("ap",))
    assert {key[:2] for key in made.tracks if made.tracks[key].level} == set()
    assert set(made.missed) == {"ap"}


def test_bytes_that_are_damaged_are_nothing() -> None:
    good = verdict_memory.pack(judged(), "b")
    for data in (None, b"", b"x", good[:-3], good[3:], b"\x78" + good):
        assert recalled(data, "b", moment(1300.0)).tracks == {}
    name: list[object] = ["d", "r", ["g", "i", "m"]]
    for odd in (
        [], {}, [9, "b", [], {}], [1, 7, [], {}], [1, "b", [], []], [1, "b", [[1, 2, 3, 4]], {}],
        [1, "b", [["d", "r", ["g"], [0]]], {}], [1, "b", [[*name, [9, 0, 0, 0, 0, 0]]], {}],
        [1, "b", [[*name, ["1", "x", 0, 0, 0, 0]]], {}], [1, "b", [[*name, None]], {}],
    ):  # fmt: skip
        packed = zlib.compress(json.dumps(odd).encode())
        assert recalled(packed, "b", moment(1300.0)).tracks == {}, odd
    assert recalled(zlib.compress(b" " * 50_000_000), "b", moment(1300.0)).tracks == {}


# ---- the account of an outage

SILENT = Message("rule.device_silent", {"device": "gw"})
WEAK = Message("rule.signal_low", {"link": "wlan1", "end": "ap", "signal": -64, "normal": -58})
LOST = Message("alarm.peer_lost", {"device": "ap", "peer": "0a"})
CABLE = Message("rule.cable_out", {"device": "ap", "port": "eth1"})


def told(notes: Sequence[FrameNote]) -> list[tuple[float, str, str]]:
    return [(note.at_s, note.level, say(note.text)) for note in notes]


def test_the_account_says_how_long_what_alarmed_what_is_over_and_what_was_dropped() -> None:
    account = OutageAccount(0.0)
    assert account.back(30.0, 0) == (), "the first seconds of a run are no outage"
    account.away(1000.0, 5)
    account.away(1100.0, 6)
    account.changed("signal-low", "ap", "wlan1", "warn", WEAK, 2000.0)
    account.changed("device-silent", "gw", "", "critical", SILENT, 3000.0)
    account.changed("signal-low", "ap", "wlan1", None, WEAK, 5000.0)
    account.changed("peer-lost", "ap", "0a", "warn", LOST, 6000.0)
    account.changed("peer-lost", "ap", "0a", None, LOST, 6600.0)
    notes = account.back(17080.0, 8)
    assert told(notes) == [
        (1000.0, "note", "No contact with the central for 4 h 28 min"),
        (3000.0, "critical", "Seen by the monitor alone: gw does not answer"),
        (2000.0, "clear", "wlan1: ap heard a weak signal for 50 min"),
        (6000.0, "clear", "ap did not hear 0a for 10 min"),
        (17080.0, "warn", "3 reports were dropped meanwhile: there was no room"),
    ]
    assert [note.device for note in notes] == ["", "gw", "ap", "ap", ""]
    assert decode_notes(encode_notes(notes)) == notes
    assert account.back(18000.0, 9) == ()
    assert account.since_s is None


def test_nothing_is_collected_while_the_central_is_there() -> None:
    account = OutageAccount(0.0)
    account.back(1.0, 0)
    account.changed("device-silent", "gw", "", "critical", SILENT, 10.0)
    account.away(20.0, 0)
    assert told(account.back(20.0 + WORTH_S, 0)) == [(20.0, "note", "No contact with the central for 2 min")]


def test_a_short_outage_is_told_only_if_something_was_dropped() -> None:
    account = OutageAccount(0.0)
    assert account.back(WORTH_S - 1, 0) == ()
    account.away(200.0, 0)
    assert len(account.back(230.0, 1)) == 2


def test_the_account_stays_a_few_lines_however_much_happened() -> None:
    account = OutageAccount(0.0)
    for n in range(MOST_CHANGES + 50):
        account.changed("device-silent", f"d{n}", "", "critical", SILENT, 10.0 + n)
    for n in range(3):
        account.changed("device-silent", f"d{n}", "", None, SILENT, 900.0)
        account.changed("device-silent", f"d{n}", "", "critical", SILENT, 950.0)
        account.changed("device-silent", f"d{n}", "", None, SILENT, 990.0)
    notes = account.back(1000.0, 0)
    assert len(notes) == 1 + MOST_LINES + 1
    assert all(note.level == "critical" for note in notes[1:-1]), "what is wrong now comes first"
    assert say(notes[-1].text) == f"{MOST_CHANGES + 50 - MOST_LINES} more things changed meanwhile"


def test_an_alarm_that_was_there_before_and_ended_meanwhile_is_told_as_over() -> None:
    account = OutageAccount(0.0)
    account.changed("device-silent", "gw", "", None, SILENT, 600.0)
    assert told(account.back(1200.0, 0))[1] == (0.0, "clear", "gw did not answer for 10 min")


def test_an_outage_goes_on_over_a_restart() -> None:
    account = OutageAccount(1000.0)
    account.changed("device-silent", "gw", "", "critical", SILENT, 3000.0)
    account.changed("cable-out", "ap", "eth1", None, CABLE, 3100.0)
    data = account.to_bytes("b")
    assert account.to_bytes("b") == data
    fresh = OutageAccount(4000.0)
    assert fresh.made_in(data) == "b"
    fresh.restore(data, 0.0, 4000.0)
    assert told(fresh.back(5000.0, 0)) == told(account.back(5000.0, 0))
    later = OutageAccount(50.0)
    later.restore(data, math.inf, 50.0)
    assert later.since_s == 50.0


@pytest.mark.parametrize(
    "data",
    [
        None, b"", b"x", b"[]", b"{}", b"[1]", b'[1,"b",null,0,0,[]]', b'[1,"b","soon",0,0,[]]',
        b'[1,"b",5,0,0,[[1]]]', b'[1,"b",5,0,0,[["r","d","i",["x",{}],"p","loud",null,1,2]]]',
        b'[1,"b",5,0,0,[["r","d","i","x","p","warn",null,1,2]]]',
    ],
)  # fmt: skip
def test_an_account_that_cannot_be_read_is_begun_anew(data: bytes | None) -> None:
    account = OutageAccount(100.0)
    account.made_in(data)
    account.restore(data, 0.0, 100.0)
    assert account.since_s == 100.0
    assert len(account.back(1000.0, 0)) == 1


def test_the_sentences_of_verdicts_have_all_their_places_filled() -> None:
    """What is over, and the same as a note of its own."""
    made, account, verdicts_told = judged(rounds=1), OutageAccount(0.0), []
    for rule in load_rules():
        if rule.scope in ("device", "interface", "cable", "end"):
            item = "" if rule.scope == "device" else "eth1"
            transition = Transition(device="ap", rule=rule.name, item=item, level=None, before="warn")
            text = transition_text(made, transition)
            account.changed(rule.name, "ap", item, None, text, 100.0)
            verdicts_told.append(FrameNote(at_s=0.0, text=as_note(text)))
    assert as_note(LOST).context == "note.verdict_peer"
    assert VERDICT not in [note.text.context for note in verdicts_told], "there is a sentence for each"
    assert say(as_note(Message("rule.new", {"device": "ap"}))).endswith("something is wrong with ap")
    notes = [*account.back(1000.0, 0), *verdicts_told]
    assert len(notes) > 9
    for note in notes:
        assert note.text.context in TEXTS
        assert "{" not in say(note.text), note


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "1 min"), (90, "2 min"), (3599, "1 h"), (3600 * 4 + 28 * 60, "4 h 28 min"), (86400 * 3, "3 d"),
     (86400 * 3 + 4 * 3600, "3 d 4 h")],
)  # fmt: skip
def test_spans_are_the_same_in_all_languages(seconds: float, words: str) -> None:
    assert lasted(seconds) == words
