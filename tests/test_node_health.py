"""How a monitor itself is: what its header says of it, and when the agent says it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ayni_agent.health_report import BACKLOG, EVERY_S, PACE_S, HealthReport
from ayni_agent.outbox import MIB, Limits, Statistics
from ayni_agent.status import BudgetStatus
from ayni_core.clockwatch import Moment
from ayni_core.wire import WireError, codec
from ayni_core.wire.frame import ANSWERED, DevicePolls, Frame
from ayni_core.wire.node_health import NodeHealth, decode, encode
from ayni_core.wire.split import pieces

WHOLE = NodeHealth(
    waiting=61, waiting_bytes=210_000, room_days=29, lost=4, on_disk=True, trusted=True, today_bytes=312_000,
    month_bytes=21_000_000, cap_bytes=50_000_000, forecast_bytes=29_000_000, saving=2,
)  # fmt: skip


@pytest.mark.parametrize(
    ("health", "sent"),
    [
        (WHOLE, [61, 210, 29, 4, 1, 1, 312, 21000, 50000, 29000, 2]),
        (NodeHealth(), [0, 0, None, 0, 1, 1]),
        (NodeHealth(on_disk=False, trusted=False), []),
        (NodeHealth(on_disk=False, trusted=False, room_days=0), [0, 0, 0]),
        (NodeHealth(cap_bytes=0, trusted=False), [0, 0, None, 0, 1, 0, 0, 0, 0]),
    ],
)
def test_health_travels_in_a_short_list(health: NodeHealth, sent: list[int | None]) -> None:
    assert encode(health) == sent
    assert decode(sent) == health


def test_bytes_travel_as_whole_kilobytes_rounded_up() -> None:
    assert decode(encode(NodeHealth(waiting=1, waiting_bytes=1, today_bytes=1001))) == NodeHealth(
        waiting=1, waiting_bytes=1000, today_bytes=2000
    )


@pytest.mark.parametrize(
    "hostile",
    [
        None, {}, "1", [1.5], ["1"], [True], [-1], [None], [10**13], [0] * 12, [0, 0, 10**6],
        [0, 0, 0, 0, 2], [0, 0, 0, 0, 0, 2], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10], [[1]],
    ],
)  # fmt: skip
def test_hostile_health_is_refused(hostile: object) -> None:
    with pytest.raises(WireError):
        decode(hostile)


def frame(health: NodeHealth | None) -> Frame:
    polls = DevicePolls(times_s=[0.0], values={})
    return Frame(
        node="pi", epoch="e", seq=1, boot="b", mono_s=5.0, wall_s=1.7e9, synced=True, next_by_s=310.0,
        devices={"ap": polls}, health=health,
    )  # fmt: skip


@pytest.mark.parametrize("encoding", codec.ENCODINGS)
@pytest.mark.parametrize("health", [None, WHOLE, NodeHealth()])
def test_a_frame_carries_it_in_both_encodings(encoding: str, health: NodeHealth | None) -> None:
    assert codec.decode(codec.encode(frame(health), encoding)).health == health


def test_of_a_frame_in_pieces_the_first_one_has_it() -> None:
    small = 2000
    polls = DevicePolls()
    for number in range(40):
        polls.add(float(number), {ANSWERED: 1})
    parts = pieces(
        replace(frame(WHOLE), devices={"ap": polls, "gw": polls}),
        lambda part: codec.encode(part, "plain"),
        small,
    )
    assert len(parts) > 1
    assert [part.health for part, _data in parts] == [WHOLE, *[None] * (len(parts) - 1)]


# when it is told


class Node:
    """An agent's parts, as they are just now."""

    def __init__(self, started_s: float = 0.0) -> None:
        self.outbox = Statistics(
            frames=0,
            size_bytes=0,
            oldest_s=None,
            dropped=0,
            damaged=0,
            refused=0,
            storage="disk",
            trouble="",
            why="",
        )
        self.budget = BudgetStatus(today_bytes=10, month_bytes=20, saving=0, counted="tcp_info")
        self.report = HealthReport(lambda: self.outbox, lambda: self.budget, Limits(), started_s)

    def at(self, mono_s: float, *, trusted: bool = True) -> NodeHealth | None:
        return self.report.due(Moment(mono_s=mono_s, wall_s=1.7e9 + mono_s, synced=trusted, trusted=trusted))


def test_it_is_told_first_then_once_an_hour() -> None:
    node = Node()
    assert node.at(1.0) is not None
    assert node.at(300.0) is None
    assert node.at(EVERY_S) is None
    assert node.at(EVERY_S + 1.0) is not None
    assert node.at(EVERY_S + 301.0) is None


def test_a_backlog_is_told_with_every_report_until_it_is_gone() -> None:
    node = Node()
    node.at(0.0)
    told = []
    for waiting in (1, BACKLOG, BACKLOG + 9, BACKLOG + 9, BACKLOG + 2, 0, 0):
        node.outbox = replace(node.outbox, frames=waiting)
        found = node.at(60.0)
        told.append(None if found is None else found.waiting)
    assert told == [None, None, BACKLOG + 9, None, BACKLOG + 2, 0, None]


def test_what_turned_for_the_worse_and_what_was_mended_is_told_at_once() -> None:
    node = Node()
    node.at(0.0)
    node.outbox = replace(node.outbox, storage="memory")
    assert node.at(1.0) == NodeHealth(on_disk=False, today_bytes=10, month_bytes=20)
    node.outbox = replace(node.outbox, storage="disk", dropped=2, refused=1)
    assert node.at(2.0) == NodeHealth(lost=3, today_bytes=10, month_bytes=20)
    assert node.at(3.0, trusted=False) is not None
    node.budget = replace(node.budget, saving=1, cap_bytes=50)
    assert node.at(4.0, trusted=False) is not None
    assert node.at(5.0, trusted=False) is None


def test_the_first_bytes_that_were_counted_are_told_soon() -> None:
    node = Node()
    node.budget = replace(node.budget, today_bytes=0, month_bytes=0)
    node.at(0.0)
    assert node.at(10.0) is None
    node.budget = replace(node.budget, today_bytes=7000, month_bytes=7000)
    assert node.at(300.0) is not None
    assert node.at(600.0) is None


def test_a_central_that_was_away_is_told_anew() -> None:
    node = Node()
    node.at(0.0)
    node.report.again()
    assert node.at(1.0) is not None
    assert node.at(2.0) is None


@pytest.mark.parametrize(
    ("made", "after_s", "size", "oldest_s", "storage", "days"),
    [
        (0, 7200.0, 0, None, "disk", None),
        (MIB, PACE_S - 1, 0, None, "disk", None),
        (MIB, 86400.0, 0, None, "disk", 30),
        (32 * MIB, 86400.0, 0, None, "disk", 2),
        (32 * MIB, 86400.0, 40 * MIB, 0.0, "disk", 0),
        (MIB, 86400.0, 0, None, "memory", 8),
        (MIB, 10 * 86400.0, MIB, 0.0, "disk", 20),
        (MIB, 86400.0, 65 * MIB, 80000.0, "disk", 0),
    ],
)
def test_room_is_what_is_left_at_the_pace_of_this_run(
    made: int, after_s: float, size: int, oldest_s: float | None, storage: str, days: int | None
) -> None:
    node = Node()
    node.report.made(made)
    node.outbox = replace(node.outbox, size_bytes=size, oldest_s=oldest_s, storage=storage)
    found = node.at(after_s)
    assert found is not None
    assert found.room_days == days
