"""The embedded store: in frames, blocks or roll-ups, the same questions have the same answers."""

from __future__ import annotations

import contextlib
import random
import sqlite3
from pathlib import Path

import pytest

from ayni_core import columns
from ayni_core.columns import ColumnError
from ayni_core.readings import Series, Value
from ayni_core.wire import codec
from ayni_core.wire.frame import DevicePolls, Frame
from ayni_hub.embedded import EmbeddedStore
from ayni_hub.embedded.polls import Polls
from ayni_hub.retention import Retention
from ayni_hub.store import Kept, StoreError

SIGNAL = Series("radio", "wlan0", "signal_dbm")
OCTETS = Series("interface", "eth0", "in_octets")
UPTIME = Series("system", "", "uptime_s")
MODEL = Series("system", "", "model")
DAY = 86_400
START = 20_000.0 * DAY


@pytest.fixture
def store(tmp_path: Path) -> EmbeddedStore:
    return EmbeddedStore(tmp_path / "store.db")


def frame(seq: int, start: float = START, polls: int = 5, node: str = "pi", **extra: Value) -> Kept:
    """One report: a poll a minute, a signal that moves, a counter that runs 1,000 a minute, a text."""
    times = [60.0 * at for at in range(polls)]
    base = seq * polls
    values: dict[Series, list[Value]] = {
        SIGNAL: [-60 - (base + at) % 7 for at in range(polls)],
        OCTETS: [1000 * (base + at) for at in range(polls)],
        UPTIME: [1e5 + 60 * (base + at) for at in range(polls)],
        MODEL: ["hAP"] * polls,
    }
    made = Frame(
        node=node, epoch="e", seq=seq, boot="b", mono_s=0.0, wall_s=start, synced=True, next_by_s=360,
        devices={"ap": DevicePolls(times_s=times, values=values)},
    )  # fmt: skip
    return Kept(made, start + 300.0 * seq, codec.encode(made, "field"))


def settled(store: EmbeddedStore, now: float) -> int:
    """Do all that is to be done; how many pieces it was."""
    count = 0
    while store.upkeep(now):
        count += 1
        assert count < 1000
    return count


COLUMNS: list[list[Value]] = [
    [7],
    [1, 1, 1],
    [1, 1.0, 1],
    [None, None],
    [-60, -61, None, -60],
    [0, 2**63 - 1, 5],
    [2**64 - 1, 0],
    [1.5, 2.25, -3.125],
    [0.1, 0.2, 0.3],
    [1e300, -1e-300, 0.0],
    [1.23456789, 2.0],
    ["a", "b", None, "ñ"],
    ["a", 1, 2.5],
    [*range(1000)],
    [*range(0, 10**12, 10**9)],
]


@pytest.mark.parametrize("values", COLUMNS, ids=lambda column: str(column)[:24])
def test_a_column_comes_back_as_it_was_with_its_types(values: list[Value]) -> None:
    found = columns.unpack(columns.pack(values), len(values))
    assert found == values
    assert list(map(type, found)) == list(map(type, values))


def test_a_damaged_column_is_told_and_never_anything_else() -> None:
    chance = random.Random(7)
    for values in COLUMNS:
        whole = columns.pack(values)
        for _ in range(60):
            broken = bytearray(whole)
            broken[chance.randrange(len(broken))] = chance.randrange(256)
            for data in (bytes(broken), whole[: chance.randrange(len(whole))]):
                with contextlib.suppress(ColumnError):
                    assert len(columns.unpack(data, len(values))) == len(values)


def test_polls_join_in_time_order_and_the_first_of_two_at_the_same_time_counts() -> None:
    one = Polls([10, 30], {1: [1, 3], 2: ["a", None]})
    two = Polls([20, 30], {1: [2, 9], 2: [None, "b"], 3: [5, 6]})
    both = one.join(two)
    assert both.times == [10, 20, 30]
    assert both.columns == {1: [1, 2, 3], 2: ["a", None, "b"], 3: [None, 5, 6]}
    pieces = list(both.cut(2))
    assert [piece.times for piece in pieces] == [[10, 20], [30]]
    assert pieces[0].columns == {1: [1, 2], 2: ["a", None], 3: [None, 5]}


def test_frames_blocks_and_both_together_answer_alike(store: EmbeddedStore) -> None:
    frames = [frame(seq) for seq in range(60)]
    expected = [(START + 60.0 * at, -60 - at % 7) for at in range(300)]
    for part in range(0, 60, 20):
        assert store.keep(frames[part : part + 20]) == 20 * 5 * 4
        assert store.raw("ap", SIGNAL, 0, 2e12) == expected[: (part + 20) * 5]
        settled(store, START)  # compacts from the twenty-fourth frame on
        assert store.raw("ap", SIGNAL, 0, 2e12) == expected[: (part + 20) * 5]
    settled(store, START + 30 * DAY)
    assert store.raw("ap", SIGNAL, 0, 2e12) == expected
    assert store.raw("ap", SIGNAL, START + 600, START + 720) == expected[10:12]
    assert store.raw("ap", Series("radio", "wlan1", "signal_dbm"), 0, 2e12) == []
    assert store.raw("nobody", SIGNAL, 0, 2e12) == []
    newest = {series: (at, value) for series, at, value in store.latest("ap")}
    assert newest[MODEL] == (START + 299 * 60, "hAP")
    assert newest[OCTETS] == (START + 299 * 60, 299_000)


def test_the_same_frame_twice_is_one_also_when_it_lies_in_a_block_by_then(store: EmbeddedStore) -> None:
    store.keep([frame(seq) for seq in range(30)])
    store.keep([frame(3)])
    settled(store, START + DAY)
    store.keep([frame(seq) for seq in range(2, 5)])
    assert len(store.raw("ap", SIGNAL, 0, 2e12)) == 150
    settled(store, START + 2 * DAY)
    assert len(store.raw("ap", SIGNAL, 0, 2e12)) == 150


def test_what_comes_late_is_merged_where_it_belongs(store: EmbeddedStore) -> None:
    order = list(range(120))
    random.Random(3).shuffle(order)
    for begin in range(0, 120, 30):
        store.keep([frame(seq) for seq in order[begin : begin + 30]])
        settled(store, START + DAY)
    assert store.raw("ap", SIGNAL, 0, 2e12) == [(START + 60.0 * at, -60 - at % 7) for at in range(600)]


def test_steps_of_roll_ups_are_those_of_the_samples(store: EmbeddedStore, tmp_path: Path) -> None:
    plain = EmbeddedStore(tmp_path / "plain.db")
    for seq in range(0, 2 * 288):
        for each in (store, plain):
            each.keep([frame(seq)])
    end = START + 2 * DAY
    settled(store, end + DAY)
    for series in (SIGNAL, OCTETS):
        for step_s in (300.0, 900.0, 3600.0, 86_400.0):
            for begin in (START, START - 7200):
                found = store.steps("ap", series, begin, end, step_s)
                expected = plain.steps("ap", series, begin, end, step_s)
                assert [step.at for step in found] == [step.at for step in expected]
                for one, two in zip(found, expected, strict=True):
                    assert one.low == pytest.approx(two.low, rel=1e-5)
                    assert one.mean == pytest.approx(two.mean, rel=1e-3)
                    assert one.high == pytest.approx(two.high, rel=1e-5)
    rate = store.steps("ap", OCTETS, START, end, 3600.0)[5]
    assert rate.mean == pytest.approx(1000 / 60, rel=1e-3)


def test_late_samples_sum_their_day_up_again_and_forgotten_samples_do_not(store: EmbeddedStore) -> None:
    store.keep([frame(seq) for seq in range(288) if seq != 100])
    settled(store, START + 2 * DAY)
    before = store.steps("ap", SIGNAL, START, START + DAY, 3600.0)
    store.write([("ap", SIGNAL, START + 100 * 300 + 1, -20)])
    settled(store, START + 2 * DAY)
    after = store.steps("ap", SIGNAL, START, START + DAY, 3600.0)
    assert [step.high for step in before] == [-60] * 24
    assert [step.high for step in after] == [-60] * 8 + [-20] + [-60] * 15
    store.forget_before(START + 1.9 * DAY)
    assert store.raw("ap", SIGNAL, 0, 2e12) == []
    assert store.steps("ap", SIGNAL, START, START + DAY, 3600.0) == after
    store.write([("ap", SIGNAL, START + 5, -10)])
    settled(store, START + 2 * DAY)
    assert store.steps("ap", SIGNAL, START, START + DAY, 3600.0)[1:] == after[1:]


def test_when_short_steps_are_gone_the_long_ones_still_tell(tmp_path: Path) -> None:
    retain = Retention(samples_days=1, steps_days=2, long_days=100)
    store = EmbeddedStore(tmp_path / "store.db", retain=retain)
    for day in range(12):
        store.keep([frame(day * 288 + seq) for seq in range(288)])
        settled(store, START + (day + 2) * DAY)
    end = START + 12 * DAY
    spans = [(START, end, 86_400.0), (START, end, 7200.0), (START, START + DAY, 3600.0)]
    before = [store.steps("ap", OCTETS, *span) for span in spans]
    store.forget_before(end - DAY)
    part = store.steps("ap", OCTETS, START + 3600, START + 7200, 300.0)
    assert [(step.at, step.mean) for step in part] == [(START + 3600, before[2][1].mean)]
    assert [store.steps("ap", OCTETS, *span) for span in spans] == before
    assert [len(steps) for steps in before] == [12, 144, 24]
    fine = store.steps("ap", OCTETS, end - 2 * DAY, end, 300.0)
    assert len(fine) == 2 * 288
    assert store.steps("ap", OCTETS, end - 1.5 * DAY, end - 1.25 * DAY, 300.0) == fine[144:216]
    store.close()


def test_a_store_that_was_closed_in_the_middle_goes_on(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "store.db")
    store.keep([frame(seq) for seq in range(30)])
    store.upkeep(START)
    store.keep([frame(seq) for seq in range(30, 40)])
    store.close()
    again = EmbeddedStore(tmp_path / "store.db")
    assert len(again.raw("ap", SIGNAL, 0, 2e12)) == 200
    assert set(again.names("ap")) == {SIGNAL, OCTETS, UPTIME, MODEL}
    assert {series: value for series, _at, value in again.latest("ap")}[OCTETS] == 199_000


def test_a_change_that_fails_leaves_nothing_and_later_ones_work(
    store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(store._tail, "add", full)
        with pytest.raises(StoreError, match="disk is full"):
            store.keep([frame(0)])
    assert not store.names("ap")
    store.keep([frame(0)])
    assert len(store.raw("ap", SIGNAL, 0, 2e12)) == 5


def test_a_damaged_block_is_told_in_a_sentence(store: EmbeddedStore) -> None:
    store.keep([frame(seq) for seq in range(30)])
    settled(store, START + DAY)
    store._db.execute("UPDATE block SET body=zeroblob(length(body))")
    with pytest.raises(StoreError, match="damaged"):
        store.raw("ap", SIGNAL, 0, 2e12)
