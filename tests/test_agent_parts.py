"""The agent's pure parts: when to poll, what a frame holds, what closes it early, what is kept."""

from __future__ import annotations

from ayni_agent.collector import Collector
from ayni_agent.outbox import FIRST_RESEND_S, LONGEST_RESEND_S, Limits, MemoryOutbox, Row, row_of
from ayni_agent.schedule import Turn, first_turn, next_turn, timeout_s
from ayni_agent.verdict import Verdicts
from ayni_core.clockwatch import Moment
from ayni_core.readings import Poll, Series
from ayni_core.wire import codec
from ayni_core.wire.frame import ANSWERED
from ayni_core.wire.messages import Ack, Refused
from ayni_io.rulebook import load_rules

SIGNAL = Series("station", "0a0b0c0d0e0f", "signal_dbm")


def poll(at_s: float, *, device: str = "ap", error: str | None = None, **values: int) -> Poll:
    series = {Series("radio", "wlan1", metric): value for metric, value in values.items()}
    return Poll(device=device, at_s=at_s, values={} if error else series, error=error)


def test_the_first_round_is_quick_and_later_ones_are_spread_over_the_interval() -> None:
    turns = [first_turn(100.0, i, 10, 60) for i in range(10)]
    assert max(turn.at_s for turn in turns) <= 102.0
    later = [next_turn(turn, True, turn.at_s + 0.1, 60) for turn in turns]
    assert [turn.at_s for turn in later] == [160.0 + 6 * i for i in range(10)]
    assert all(turn.full for turn in later)


def test_a_failure_is_checked_again_at_a_sixth_and_a_third_and_then_only_pulsed() -> None:
    turn = Turn(at_s=600, slot_s=600)
    seen = []
    for _ in range(5):
        turn = next_turn(turn, False, turn.at_s + 4, 60)
        seen.append((turn.at_s, turn.full, turn.failures))
    assert seen == [(610, False, 1), (620, False, 2), (660, False, 3), (720, False, 4), (780, False, 5)]
    back = next_turn(turn, True, 780.1, 60)
    assert (back.at_s, back.full, back.failures) == (780.1, True, 0), (
        "an answer calls for a full poll at once"
    )
    assert next_turn(back, True, 781, 60).at_s == 840


def test_a_slow_poll_skips_slots_instead_of_piling_up() -> None:
    assert next_turn(Turn(at_s=600, slot_s=600), True, 790, 60).at_s == 840


def test_a_dead_device_is_known_within_two_intervals_whatever_the_interval() -> None:
    for interval in (5, 10, 60, 300):
        worst = interval + interval / 3 + 2 * timeout_s(interval)
        assert worst <= 2 * interval + 2


def moment(mono_s: float, *, synced: bool = True) -> Moment:
    return Moment(mono_s=mono_s, wall_s=950.0 + mono_s, synced=synced)


def test_a_frame_holds_every_poll_since_the_last_and_is_named_once() -> None:
    collector = Collector(node="pi", epoch="e", boot="b", flush_s=300)
    assert collector.close(moment(40.0)) is None
    collector.add(poll(50.0, signal_dbm=-60))
    collector.add(poll(50.5, device="gw", error="no answer"))
    collector.add(poll(110.0, signal_dbm=-61))
    frame = collector.close(moment(115.0, synced=False))
    assert frame is not None
    assert (frame.seq, frame.mono_s, frame.wall_s, frame.synced, frame.next_by_s) == (
        1,
        50.0,
        1000.0,
        False,
        310,
    )
    assert frame.devices["ap"].times_s == [0.0, 60.0]
    assert frame.devices["ap"].values[ANSWERED] == [1, 1]
    assert frame.devices["gw"].values == {ANSWERED: [0]}
    collector.add(poll(170.0, signal_dbm=-61))
    second = collector.close(moment(180.0))
    assert second is not None
    assert (second.seq, second.devices["ap"].times_s) == (2, [0.0])
    assert collector.copy(poll(1.0, signal_dbm=-1), 5.0, True).seq == 0, (
        "a copy for a watcher takes no number"
    )


def test_what_the_hub_would_refuse_does_not_leave_the_agent() -> None:
    """One device with odd names or numbers must not cost its neighbours their readings."""
    odd = {
        Series("sensor", "x" * 300, "temperature_c"): 20,
        Series("sensor", "big", "temperature_c"): 10**30,
        Series("sensor", "nan", "temperature_c"): float("nan"),
        Series("system", "", "description"): "long " * 1000,
        **{Series("interface", str(i), "in_octets"): i for i in range(6000)},
    }
    collector = Collector(node="pi", epoch="e", boot="b", flush_s=300)
    collector.add(Poll(device="odd", at_s=1.0, values=odd))
    frame = collector.close(moment(2.0))
    assert frame is not None
    for encoding in codec.ENCODINGS:
        back = codec.decode(codec.encode(frame, encoding)).devices["odd"].values
        assert back[Series("sensor", "x" * 128, "temperature_c")] == [20]
        assert Series("sensor", "big", "temperature_c") not in back or back[
            Series("sensor", "big", "temperature_c")
        ] == [None]


def test_what_is_private_does_not_leave_the_agent() -> None:
    collector = Collector(node="pi", epoch="e", boot="b", flush_s=300)
    values = {Series("radio", "modem", "imei"): "860000000000001", Series("radio", "modem", "rssi_dbm"): -71}
    collector.add(Poll(device="router", at_s=1.0, values=values))
    frame = collector.close(moment(2.0))
    assert frame is not None
    assert set(frame.devices["router"].values) == {ANSWERED, Series("radio", "modem", "rssi_dbm")}


def test_a_device_that_falls_silent_closes_the_frame_and_so_does_its_return() -> None:
    verdicts = Verdicts.over(load_rules(), {"ap": None})
    found = [verdicts.judge(poll(t, error="no answer")) for t in (0.0, 1.0, 2.0, 3.0)]
    assert [len(each) for each in found] == [0, 0, 1, 0]
    assert (found[2][0].rule, found[2][0].level, found[2][0].critical) == ("device-silent", "critical", True)
    back = verdicts.judge(poll(60.0, signal_dbm=-60))
    assert [(t.rule, t.level, t.critical) for t in back] == [("device-silent", None, True)]


def test_a_signal_below_what_is_expected_is_news() -> None:
    verdicts = Verdicts.over(load_rules(), {"ap": -58.0})
    found = [verdicts.judge(poll(t * 60.0, signal_dbm=-64)) for t in range(4)]
    assert [[t.level for t in each] for each in found] == [[], [], ["warn"], []]
    assert not found[2][0].critical


def test_a_peer_that_is_no_longer_heard_is_news_after_two_polls() -> None:
    verdicts = Verdicts.over(load_rules(), {})
    with_peer = Poll(device="ap", at_s=0.0, values={SIGNAL: -60})
    alone = Poll(device="ap", at_s=1.0, values={Series("system", "", "uptime_s"): 1.0})
    counts = [len(verdicts.judge(each)) for each in (with_peer, alone, alone, alone, with_peer)]
    assert counts == [0, 0, 1, 0, 1]


def row(seq: int, size: int = 10, made_s: float = 0.0) -> Row:
    return row_of("e", seq, b"x" * size, made_s)


def test_a_frame_stays_until_the_hub_has_it_or_refuses_it() -> None:
    outbox = MemoryOutbox()
    for seq in range(1, 6):
        outbox.put(row(seq, made_s=seq))
    assert [each.seq for each in outbox.due(10.0)] == [5, 4, 3, 2, 1], "live before backlog"
    assert outbox.acknowledge(Ack(epoch="another", stored=((1, 5),))) == []
    assert len(outbox) == 5
    assert outbox.acknowledge(Ack(epoch="e", stored=((1, 2),), refused=(Refused(seq=4, reason="no"),))) == [
        "no"
    ]
    assert [each.seq for each in outbox.due(10.0)] == [5, 3]
    assert outbox.size_bytes == 20


def test_what_was_sent_is_due_again_later_and_later_and_at_once_when_the_hub_returns() -> None:
    outbox = MemoryOutbox()
    outbox.put(row(1))
    now, pauses = 0.0, []
    for _ in range(10):
        (only,) = outbox.due(now)
        outbox.sent(only, now)
        pauses.append(only.due_s - now)
        assert outbox.due(now + pauses[-1] - 1) == []
        now = only.due_s
    assert pauses[:3] == [FIRST_RESEND_S, 60.0, 120.0]
    assert pauses[-1] == LONGEST_RESEND_S
    outbox.all_due()
    assert len(outbox.due(now)) == 1


def test_a_full_outbox_drops_the_oldest_and_counts_them() -> None:
    outbox = MemoryOutbox(Limits(size_bytes=100))
    for seq in range(1, 16):
        outbox.put(row(seq))
    assert sorted(each.seq for each in outbox.due(1.0)) == list(range(6, 16))
    assert outbox.dropped == 5
