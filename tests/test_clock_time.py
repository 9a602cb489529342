"""Time: whatever a node's clock does, every reading arrives once, in order, and where it belongs.

The machines are pretended, their clocks too; collector, codec, ingest, ledger and store are the real ones.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import parts
import pytest

from ayni_agent.collector import Collector
from ayni_core import inventory
from ayni_core.clockwatch import MOST_BOOTS, ClockWatch, Moment
from ayni_core.readings import Poll, Series
from ayni_core.wire import codec, topics
from ayni_core.wire.frame import DevicePolls, Frame
from ayni_core.wire.messages import EarlierBoot, Event, NodeState
from ayni_core.wire.shape import pack, unpack
from ayni_hub.embedded import EmbeddedStore
from ayni_hub.ingest import Arrival, Ingest, Outcome
from ayni_hub.ledger import Ledger, LedgerError
from ayni_hub.timeline import BELIEVABLE_S, Anchor, Bound, Line, Sighting, before, place
from ayni_io import clock, yamlfile

COUNT = Series("interface", "ether1", "in_octets")
NETWORK = """
network: {title: T}
sites: {s: {}}
nodes: {pi: {site: s}}
devices: {ap: {site: s, node: pi, address: 10.0.0.1}}
"""
NOW = 1_790_000_000.0
POLL_S, FLUSH_S = 60.0, 300.0
DAY_S = 86_400.0


# ---- the watch


def looks(*moments: tuple[float, float, bool]) -> list[Moment]:
    watch = ClockWatch("b")
    return [watch.look(*moment) for moment in moments]


@pytest.mark.parametrize(
    ("moments", "steps", "trusted"),
    [
        ([(10, 10, False), (70, 70, False)], [0, 0], [False, False]),
        ([(10, 10, False), (70, NOW, True), (130, NOW + 60, True)], [0, 1, 1], [False, True, True]),
        ([(10, NOW, True), (70, NOW - 3540, True)], [0, 1], [True, True]),
        ([(10, NOW, True), (70, NOW + 60, False)], [0, 0], [True, True]),
        ([(10, NOW, True), (70, NOW + 3660, False)], [0, 1], [True, False]),
        ([(10, NOW, True), (11, NOW + 2.9, True), (12, NOW + 4.1, True)], [0, 0, 1], [True, True, True]),
        ([(10, NOW, True), (50_010, NOW + 50_000, True)], [0, 0], [True, True]),
    ],
    ids=["1970", "first contact", "set back", "contact lost", "set by hand", "small ones add up", "suspend"],
)
def test_steps_of_the_wall_clock_are_counted(
    moments: list[tuple[float, float, bool]], steps: list[int], trusted: list[bool]
) -> None:
    found = looks(*moments)
    assert [moment.step for moment in found] == steps
    assert [moment.trusted for moment in found] == trusted
    assert [moment.jump_s is not None for moment in found] == [
        a != b for a, b in zip([0, *steps], steps, strict=False)
    ]


def test_people_are_told_from_when_to_when_a_clock_was_set() -> None:
    _before, found = looks((10, 10, False), (70, 1_790_000_000, True))
    told = found.told()
    assert told is not None
    assert told.values == {"before": "1970-01-01 00:01", "after": "2026-09-21 14:13"}
    assert _before.told() is None
    assert (_before.dated(), found.dated()) == (False, True)


def test_a_restart_of_the_agent_goes_on_counting_and_a_step_meanwhile_is_noticed() -> None:
    watch = ClockWatch("b")
    watch.look(10, 10, False)
    watch.look(70, NOW, True)
    same = ClockWatch.from_bytes(watch.to_bytes(), "b")
    assert same.look(100, NOW + 30, False) == Moment(
        mono_s=100, wall_s=NOW + 30, synced=False, step=1, trusted=True
    )
    moved = ClockWatch.from_bytes(watch.to_bytes(), "b").look(100, NOW + 5000, False)
    assert (moved.step, moved.trusted) == (2, False)


def test_a_new_boot_gets_a_higher_step_and_remembers_the_boots_before_it() -> None:
    data: bytes | None = None
    for number in range(MOST_BOOTS + 5):
        watch = ClockWatch.from_bytes(data, f"b{number}")
        assert watch.look(number, 1000 + number, number % 2 == 1).step == number
        data = watch.to_bytes()
    assert [boot.boot for boot in watch.earlier] == [f"b{n}" for n in range(4, MOST_BOOTS + 4)], "the newest"
    assert watch.earlier[-1] == EarlierBoot(boot="b19", until_s=19, offset_s=1000, trusted=True, step=19)
    watch.forget_earlier()
    assert ClockWatch.from_bytes(watch.to_bytes(), watch._boot).earlier == ()


@pytest.mark.parametrize("cut", range(0, 34, 3))
def test_a_damaged_state_starts_anew(cut: int) -> None:
    watch = ClockWatch("b")
    watch.look(10, NOW, True)
    for data in (None, watch.to_bytes()[:cut], b"[1,[[2]]]", b"\xff", b"[-1,[]]", b"[0,[[1,2,3,4,5]]]", b"7"):
        assert ClockWatch.from_bytes(data, "c").look(1, 2, False).step == 0


def test_the_clocks_of_this_machine_are_read_close_together() -> None:
    watch = ClockWatch("b")
    first, second = clock.look(watch), clock.look(watch)
    assert 0 <= second.mono_s - first.mono_s < 5
    assert second.step == 0
    if sys.platform == "linux":
        uptime_s = float(Path("/proc/uptime").read_text().split()[0])  # CLOCK_BOOTTIME
        assert abs(clock.monotonic_s() - uptime_s) < 1


# ---- the frame


def test_a_frame_believes_the_clock_at_its_close_and_its_readings_keep_their_distances() -> None:
    """The clock is set twice while it is open, the second time to before 1970 plus what the frame lasts."""
    collector = Collector(node="pi", epoch="e", boot="b", flush_s=FLUSH_S)
    watch = ClockWatch("b")
    for at_s, wall_s in ((1000.0, 1000.0), (1060.0, NOW), (1120.0, NOW + 60)):
        collector.add(Poll(device="ap", at_s=at_s, values={COUNT: int(at_s)}))
        watch.look(at_s, wall_s, False)
    frame = collector.close(watch.look(1180.0, NOW + 120, True))
    assert frame is not None
    assert (frame.mono_s, frame.wall_s, frame.synced) == (1000.0, NOW - 60, True)
    assert (frame.made_s, frame.step) == (1180.0, 1)
    assert frame.devices["ap"].times_s == [0.0, 60.0, 120.0]
    collector.add(Poll(device="ap", at_s=1200.0, values={}))
    backwards = collector.close(watch.look(1260.0, 5.0, False))
    assert backwards is not None
    assert (backwards.wall_s, backwards.step) == (0.0, 2), "a time before 1970 would be refused by the hub"
    for encoding in codec.ENCODINGS:
        for each in (frame, backwards):
            assert codec.decode(codec.encode(each, encoding)) == each


@pytest.mark.parametrize("header", [{"s": -1}, {"s": 1.5}, {"s": True}, {"s": "1"}, {"c": -1}, {"c": "x"}])
def test_a_hostile_header_is_refused(header: dict[str, object]) -> None:
    from ayni_core.wire import WireError
    from ayni_core.wire.frame import check_header

    whole = {"n": "pi", "e": "e", "q": 1, "b": "b", "m": 1, "w": 1, "y": 1, "x": 10}
    assert check_header(whole)["made_s"] is None
    with pytest.raises(WireError):
        check_header({**whole, **header})


# ---- a village with a bad clock


@dataclass
class Machine:
    """A Pi with its agent. `true` is what a perfect clock says; the hub has one."""

    true: float = NOW
    booted: float = NOW
    offset: float = 0.0
    synced: bool = False
    boots: int = 0
    kept: bytes | None = None
    outbox: list[Frame] = field(default_factory=list)
    sent: list[tuple[str, Frame]] = field(default_factory=list)
    truth: dict[int, tuple[float, int]] = field(default_factory=dict)
    count: int = 0
    online: bool = False
    drift: float = 0.0

    def __post_init__(self) -> None:
        self.boot()

    @property
    def mono(self) -> float:
        return (self.true - self.booted) * (1 + self.drift)

    def boot(self, clock_says: float = 30.0, *, off_s: float = 0.0) -> None:
        """A power cut of `off_s`, then the clock stands at `clock_says`."""
        self.true += off_s
        self.boots += 1
        self.booted, self.offset, self.synced = self.true, clock_says, False
        self.true += 20
        self.start()

    def start(self) -> None:
        """The agent starts, in the same boot or in a new one."""
        self.watch = ClockWatch.from_bytes(self.kept, f"boot-{self.boots}")
        self.collector = Collector(
            node="pi", epoch=f"e{self.boots}-{self.count}", boot=f"boot-{self.boots}", flush_s=FLUSH_S
        )
        self.look()

    def look(self) -> Moment:
        return self.watch.look(self.mono, self.mono + self.offset, self.synced)

    def set_clock(self, wall: float, *, synced: bool) -> None:
        self.offset, self.synced = wall - self.mono, synced

    def learn(self) -> None:
        """NTP is reached."""
        self.set_clock(self.true, synced=True)

    def suspend(self, for_s: float) -> None:
        self.true += for_s

    def polls(self, n: int) -> None:
        """So many polls, a frame every five."""
        for _ in range(n):
            self.true += POLL_S
            self.count += 1
            self.truth[self.count] = self.true, self.boots
            self.collector.add(Poll(device="ap", at_s=self.mono, values={COUNT: self.count}))
            if self.count % 5 == 0:
                self.flush()

    def flush(self) -> None:
        frame = self.collector.close(self.look())
        if frame is not None:
            self.outbox.append(frame)
            self.kept = self.watch.to_bytes()

    def birth(self) -> NodeState:
        state = NodeState(
            up=True, boot=self.collector.boot, mono_s=round(self.mono, 2), earlier=self.watch.earlier
        )
        return unpack(NodeState, pack(state))

    def due(self) -> list[tuple[str, Frame]]:
        """News first, newest ahead; then the backlog, oldest first."""
        news = [
            frame
            for frame in self.outbox
            if frame.boot == self.collector.boot and self.mono - (frame.made_s or 0) < 2 * FLUSH_S
        ]
        backlog = [frame for frame in self.outbox if frame not in news]
        self.outbox = []
        return [("live", frame) for frame in reversed(news)] + [("history", frame) for frame in backlog]


class Hub:
    """The real ingest over real files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "network.yaml").write_text(NETWORK)
        self.network = yamlfile.read(folder / "network.yaml", inventory.parse)
        self.events: list[Event] = []
        self.birth = NodeState(up=False)
        self.start()

    def start(self) -> None:
        self.ledger = Ledger(self.folder / "ledger.db")
        self.store = EmbeddedStore(self.folder / "store.db")
        self.ingest = Ingest(self.network, self.ledger, self.store)

    def restart(self) -> None:
        self.ledger.close()
        self.store.close()
        self.start()

    def hear(self, machine: Machine, *, retained: bool = False) -> None:
        """A birth message; the one of the last connection where it was retained."""
        self.birth = self.birth if retained else machine.birth()
        self.ingest.hear("pi", self.birth, machine.true, retained=retained)

    def take(self, kind: str, frame: Frame, at: float) -> Outcome:
        data = codec.encode(frame, "field")
        outcome = self.ingest.take([Arrival(topics.frame("pi", kind), data, at)])
        self.events += outcome.events
        assert not outcome.acks["pi"][frame.epoch].refused, "nothing is refused for its date"
        return outcome

    def deliver(self, machine: Machine, delay_s: float = 0.3) -> None:
        """Everything that is due, and the last of it twice."""
        due = machine.due()
        for kind, frame in due:
            self.take(kind, frame, machine.true + delay_s)
        for kind, frame in due[-1:]:
            self.take(kind, frame, machine.true + delay_s + 30)
        machine.sent += due

    def placed(self) -> list[tuple[float, int]]:
        return [(at, int(value)) for at, value in self.store.raw("ap", COUNT, -1e12, 1e12)]

    def qualities(self) -> dict[str, list[str]]:
        return {
            boot: [anchor.quality for anchor in line.anchors]
            for boot, line in sorted(self.ledger.lines("pi").items())
        }


def check(hub: Hub, machine: Machine, *, within_s: float | None = 2.0) -> None:
    """Nothing lost, nothing doubled, in order, not in the future, and near the truth."""
    found = hub.placed()
    assert [value for _at, value in found] == sorted(machine.truth), "every reading once, in their order"
    assert found[-1][0] <= machine.true + 1
    if within_s is not None:
        worst = max(abs(at - machine.truth[value][0]) for at, value in found)
        assert worst <= within_s, worst


Story = Callable[[Machine, Hub], None]


def booted_in_1970_and_synchronised_later(pi: Machine, hub: Hub) -> None:
    hub.hear(pi)
    pi.polls(7)
    hub.deliver(pi)
    pi.polls(2)
    pi.learn()
    pi.polls(20)
    hub.deliver(pi)
    assert hub.qualities() == {"boot-1": ["arrival", "clock"]}
    assert hub.events == []


def synchronised_before_the_central_was_reached(pi: Machine, hub: Hub) -> None:
    """What was measured in 1970 arrives after what was measured later, and finds its place by that."""
    pi.polls(12)
    pi.learn()
    pi.polls(30)
    hub.hear(pi)
    hub.deliver(pi)
    assert hub.qualities() == {"boot-1": ["clock"]}


def never_synchronised_for_days(pi: Machine, hub: Hub) -> None:
    hub.hear(pi)
    for _ in range(3 * 24):
        pi.polls(60)
        hub.deliver(pi)
    assert hub.qualities() == {"boot-1": ["arrival"]}
    assert [(event.text.context, event.name) for event in hub.events] == [("event.clock_arrival", "pi")]


def never_synchronised_and_a_crystal_that_runs_fast(pi: Machine, hub: Hub) -> None:
    _days_of_drift(pi, hub, 6e-5)


def never_synchronised_and_a_crystal_that_runs_slow(pi: Machine, hub: Hub) -> None:
    _days_of_drift(pi, hub, -6e-5)


def _days_of_drift(pi: Machine, hub: Hub, drift: float) -> None:
    pi.drift = drift
    hub.hear(pi)
    for _ in range(3 * 24):
        pi.polls(60)
        hub.deliver(pi, delay_s=0.3)
    assert 4 < len(hub.qualities()["boot-1"]) < 20


def cut_off_for_two_days_without_synchronisation(pi: Machine, hub: Hub) -> None:
    pi.polls(2 * 24 * 60)
    hub.hear(pi)
    hub.deliver(pi)
    pi.polls(10)
    hub.deliver(pi)


def set_forward_and_back_within_a_frame(pi: Machine, hub: Hub) -> None:
    pi.learn()
    pi.polls(6)
    hub.deliver(pi)
    pi.set_clock(pi.true + 3 * DAY_S, synced=False)
    pi.polls(2)
    pi.look()
    pi.learn()
    pi.polls(12)
    hub.deliver(pi)
    assert hub.qualities() == {"boot-1": ["clock"]}


def set_forward_between_frames(pi: Machine, hub: Hub) -> None:
    """By hand, so nothing vouches for it: what was believed before goes on."""
    pi.learn()
    pi.polls(5)
    hub.deliver(pi)
    pi.set_clock(pi.true + 3600, synced=False)
    pi.polls(30)
    hub.deliver(pi)
    assert hub.qualities() == {"boot-1": ["clock"]}


def set_back_between_frames(pi: Machine, hub: Hub) -> None:
    pi.learn()
    pi.polls(5)
    hub.deliver(pi)
    pi.set_clock(1000.0, synced=False)
    pi.polls(30)
    hub.deliver(pi)


def far_ahead_though_it_says_synchronised(pi: Machine, hub: Hub) -> None:
    pi.set_clock(pi.true + 4 * 3600, synced=True)
    hub.hear(pi)
    pi.polls(10)
    hub.deliver(pi)
    pi.learn()
    pi.polls(10)
    hub.deliver(pi)
    assert hub.qualities() == {"boot-1": ["arrival", "clock"]}


def suspended_between_polls(pi: Machine, hub: Hub) -> None:
    pi.learn()
    pi.polls(7)
    pi.suspend(5 * 3600)
    pi.polls(8)
    hub.deliver(pi)
    assert hub.qualities() == {"boot-1": ["clock"]}


def the_agent_restarts_in_the_same_boot(pi: Machine, hub: Hub) -> None:
    hub.hear(pi)
    pi.polls(10)
    hub.deliver(pi)
    pi.start()
    hub.hear(pi)
    pi.polls(10)
    pi.kept = None  # and once without what it kept
    pi.start()
    pi.learn()
    hub.hear(pi)
    pi.polls(10)
    hub.deliver(pi)
    assert hub.qualities() == {"boot-1": ["arrival", "clock"]}


def the_hub_restarts(pi: Machine, hub: Hub) -> None:
    hub.hear(pi)
    pi.polls(10)
    hub.deliver(pi)
    hub.restart()
    hub.hear(pi, retained=True)
    pi.polls(10)
    hub.deliver(pi, delay_s=1.5)
    hub.restart()
    pi.learn()
    pi.polls(20)
    hub.deliver(pi)
    assert hub.qualities()["boot-1"][0] == "arrival"


def a_bridge_holds_news_for_hours(pi: Machine, hub: Hub) -> None:
    """They come late as news, all at once; the first anchor holds."""
    hub.hear(pi)
    pi.polls(5)
    hub.deliver(pi)
    pi.polls(15)
    late = pi.due()
    pi.polls(60 * 3)
    for _kind, frame in late:
        hub.take("live", frame, pi.true)
    hub.deliver(pi)
    assert hub.qualities() == {"boot-1": ["arrival"]}


def copies_for_a_watcher_leave_no_trace(pi: Machine, hub: Hub) -> None:
    pi.polls(1)
    copy = Frame(
        node="pi", epoch="e", seq=0, boot="boot-1", mono_s=pi.mono, wall_s=0, synced=False, next_by_s=310,
        devices={"ap": DevicePolls([0.0], {COUNT: [1]})},
    )  # fmt: skip
    placed = hub.ingest.take([Arrival(topics.frame("pi", "watch"), codec.encode(copy, "field"), pi.true)])
    assert abs(placed.judge[0].start - pi.true) < 0.1
    assert hub.qualities() == {}
    pi.polls(9)
    hub.deliver(pi)


STORIES: list[Story] = [
    booted_in_1970_and_synchronised_later,
    synchronised_before_the_central_was_reached,
    never_synchronised_for_days,
    cut_off_for_two_days_without_synchronisation,
    set_forward_and_back_within_a_frame,
    set_forward_between_frames,
    set_back_between_frames,
    far_ahead_though_it_says_synchronised,
    suspended_between_polls,
    the_agent_restarts_in_the_same_boot,
    the_hub_restarts,
    a_bridge_holds_news_for_hours,
    copies_for_a_watcher_leave_no_trace,
]


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_every_reading_is_placed_once_in_order_and_at_its_time(tmp_path: Path, story: Story) -> None:
    hub, pi = Hub(tmp_path), Machine()
    story(pi, hub)
    pi.flush()
    hub.deliver(pi)
    check(hub, pi)


@pytest.mark.parametrize(
    "story",
    [never_synchronised_and_a_crystal_that_runs_fast, never_synchronised_and_a_crystal_that_runs_slow],
)
def test_two_clocks_that_drift_apart_are_kept_together(tmp_path: Path, story: Story) -> None:
    """6e-5 is 5 s a day."""
    hub, pi = Hub(tmp_path), Machine()
    story(pi, hub)
    check(hub, pi, within_s=6.0)


# ---- boots that nobody heard


def two_boots_in_1970_then_power(pi: Machine, hub: Hub) -> None:
    pi.polls(20)
    pi.boot(off_s=1800)
    pi.polls(35)
    pi.boot(off_s=600)
    pi.polls(15)
    hub.hear(pi)
    hub.deliver(pi)
    assert hub.qualities() == {"boot-1": ["order"], "boot-2": ["order"], "boot-3": ["arrival"]}
    assert [event.text.context for event in hub.events] == ["event.clock_order", "event.clock_order"]


def a_clock_that_goes_on_from_where_the_power_was_cut(pi: Machine, hub: Hub) -> None:
    """As fake-hwclock does; after the second cut it falls behind what was measured already."""
    pi.set_clock(pi.true - 7000, synced=False)
    pi.polls(20)
    pi.boot(clock_says=pi.true - 7000, off_s=1800)
    pi.polls(35)
    pi.boot(clock_says=pi.true - 7000 - 3000, off_s=600)
    pi.polls(15)
    hub.hear(pi)
    hub.deliver(pi)
    assert hub.qualities()["boot-2"] == ["own"]


def synchronised_late_in_a_boot_that_nobody_heard(pi: Machine, hub: Hub) -> None:
    """Its first frames, from 1970, are sent first: the birth message has told of what was learnt later."""
    pi.polls(20)
    pi.learn()
    pi.polls(20)
    pi.boot(off_s=3 * 3600)
    pi.polls(15)
    hub.hear(pi)
    hub.deliver(pi)
    assert hub.qualities()["boot-1"] == ["clock"]
    early = [(at, value) for at, value in hub.placed() if value <= 40]
    assert all(abs(at - pi.truth[value][0]) < 0.1 for at, value in early)


def a_boot_that_was_heard_and_then_cut_off(pi: Machine, hub: Hub) -> None:
    hub.hear(pi)
    pi.polls(20)
    hub.deliver(pi)
    pi.polls(40)
    pi.boot(off_s=1800)
    pi.polls(15)
    hub.hear(pi)
    hub.deliver(pi)
    assert hub.qualities() == {"boot-1": ["arrival"], "boot-2": ["arrival"]}


def a_reboot_while_news_wait(pi: Machine, hub: Hub) -> None:
    """The last frame of a boot that nobody heard is still news to the agent when the next begins."""
    pi.polls(10)
    pi.boot(off_s=30)
    pi.polls(2)
    pi.flush()
    hub.hear(pi)
    for frame in pi.outbox:
        hub.take("live", frame, pi.true + 0.3)
    pi.outbox = []
    pi.polls(15)
    hub.deliver(pi)


def the_hub_restarts_before_the_backlog(pi: Machine, hub: Hub) -> None:
    pi.polls(20)
    pi.boot(off_s=1800)
    pi.polls(15)
    hub.hear(pi)
    due = pi.due()
    for kind, frame in due[:4]:
        hub.take(kind, frame, pi.true)
    hub.restart()
    hub.hear(pi, retained=True)
    for kind, frame in due:
        hub.take(kind, frame, pi.true + 60)


UNHEARD: list[Story] = [
    two_boots_in_1970_then_power,
    a_clock_that_goes_on_from_where_the_power_was_cut,
    synchronised_late_in_a_boot_that_nobody_heard,
    a_boot_that_was_heard_and_then_cut_off,
    a_reboot_while_news_wait,
    the_hub_restarts_before_the_backlog,
]


@pytest.mark.parametrize("story", UNHEARD, ids=lambda story: story.__name__)
def test_boots_that_nobody_heard_come_before_the_next_in_order(tmp_path: Path, story: Story) -> None:
    hub, pi = Hub(tmp_path), Machine()
    story(pi, hub)
    pi.flush()
    hub.deliver(pi)
    check(hub, pi, within_s=None)


def test_without_a_word_about_earlier_boots_history_still_comes_before_the_next_one(tmp_path: Path) -> None:
    """An agent that keeps no state; newest first is then the best that it can do."""
    hub, pi = Hub(tmp_path), Machine()
    pi.polls(20)
    pi.kept = None
    pi.boot(off_s=600)
    pi.polls(15)
    due = pi.due()
    for kind, frame in sorted(due, key=lambda each: (each[0] == "history", -each[1].seq)):
        hub.take(kind, frame, pi.true)
    check(hub, pi, within_s=None)


@pytest.mark.parametrize("seed", range(12))
def test_whatever_happens_in_whatever_order_nothing_is_lost_doubled_or_out_of_order(
    tmp_path: Path, seed: int
) -> None:
    """Only NTP tells the truth here, and every connection begins with a birth message."""
    chance = random.Random(seed)
    hub, pi = Hub(tmp_path), Machine()
    for _ in range(40):
        match chance.choice(
            ("poll", "poll", "online", "online", "ntp", "by hand", "sleep", "cut", "agent", "hub")
        ):
            case "poll":
                pi.polls(chance.randrange(1, 40))
            case "online":
                hub.hear(pi)
                hub.deliver(pi, delay_s=chance.choice((0.1, 0.5, 20.0)))
            case "ntp":
                pi.learn()
            case "hand":
                pi.set_clock(pi.true + chance.uniform(-1e6, 1e6), synced=False)
            case "sleep":
                pi.suspend(chance.uniform(1, 10_000))
            case "cut":
                pi.flush()
                pi.boot(clock_says=chance.choice((30.0, pi.true - 5000)), off_s=chance.uniform(5, 5000))
            case "agent":
                pi.flush()
                pi.start()
            case "hub":
                hub.restart()
                hub.hear(pi, retained=True)
    pi.polls(5)
    pi.flush()
    hub.hear(pi)
    hub.deliver(pi)
    check(hub, pi, within_s=None)


# ---- crashes


def test_a_crash_between_store_and_ledger_doubles_nothing(tmp_path: Path) -> None:
    """The samples are safe, the frame is not recorded, and it comes again, later, to a new hub."""
    hub, pi = Hub(tmp_path), Machine()
    hub.hear(pi)
    for number in range(40):
        pi.polls(30)
        if number == 20:
            pi.learn()
        for kind, frame in pi.due():
            hub.ledger.record = _crashing  # type: ignore[method-assign]
            with pytest.raises(LedgerError):
                hub.take(kind, frame, pi.true + 3.0 * (number % 4))
            hub.restart()
            hub.take(kind, frame, pi.true + 3600)
    check(hub, pi, within_s=None)


def _crashing(*_arguments: object) -> None:
    raise LedgerError("as if the power went")


# ---- pieces of the line


def sighting(
    mono_s: float, *, own_s: float = 0.0, synced: bool = False, follows: bool = True, lasts_s: float = 240.0
) -> Sighting:
    end_s = mono_s + lasts_s
    return Sighting(
        mono_s=mono_s, end_s=end_s, made_s=end_s, own_s=own_s, synced=synced, step=0, follows=follows
    )


def test_a_line_that_runs_ahead_goes_back_only_as_far_as_the_gaps_between_frames() -> None:
    """A synchronised clock that was five minutes wrong: order counts more than the hour, until both agree."""
    line: Line | None = None
    ends: list[float] = []
    for number in range(60):
        mono_s = 1000.0 + 300 * number
        own_s = NOW + 300 if number < 3 else NOW
        seen = sighting(mono_s, own_s=own_s, synced=True)
        line = place(seen, NOW + mono_s + 300, line, None, [])
        start = line.anchor(mono_s).offset_s + mono_s
        assert not ends or start > ends[-1], "no two readings change their order"
        ends.append(start + 240)
    assert line is not None
    assert line.anchors[-1].offset_s == pytest.approx(NOW, abs=1.01), "and in the end it is right"
    assert len(line.anchors) < 12


def test_it_does_not_go_back_while_frames_in_between_may_still_come() -> None:
    line = Line(anchors=(Anchor(from_s=0, offset_s=NOW + 100, quality="clock"),), first_s=1000, until_s=1240)
    seen = sighting(3000, own_s=NOW, synced=True, follows=False)
    assert place(seen, NOW + 4000, line, None, []).anchors == line.anchors


@pytest.mark.parametrize("ahead_s", [0, 300, BELIEVABLE_S - 1, BELIEVABLE_S + 1, DAY_S])
def test_a_synchronised_clock_is_believed_up_to_ten_minutes_ahead(ahead_s: float) -> None:
    seen = sighting(1000, own_s=NOW + ahead_s, synced=True)
    made = place(seen, NOW + seen.made_s, None, NOW, [])
    assert made.anchors[0].quality == ("clock" if ahead_s < BELIEVABLE_S else "arrival")


def test_a_bound_takes_the_least_delay_and_follows_a_hub_whose_clock_was_set() -> None:
    bound = Bound(1000.0, 0.0)
    for at, delay_s in enumerate((5.0, 0.4, 9.0, 3.0)):
        bound.hear(1000.0 + delay_s, float(at), 600)
    assert bound.offset_s == pytest.approx(1000.0, abs=0.01), "the first had no delay"
    for at in range(0, 3601, 300):
        bound.hear(DAY_S + 2.0 + at % 7, DAY_S + at, 600)
    assert bound.offset_s == pytest.approx(DAY_S + 2, abs=1)
    bound.hear(50.0, DAY_S, 600)
    assert bound.offset_s == 50.0


def test_a_boot_without_a_state_lies_between_its_neighbours() -> None:
    before_it = Line(anchors=(Anchor(from_s=0, offset_s=NOW - 9000, quality="clock"),), step=0, until_s=1000)
    after_it = Line(anchors=(Anchor(from_s=0, offset_s=NOW, quality="clock"),), step=2, until_s=500)
    fits = Sighting(mono_s=0, end_s=300, made_s=300, own_s=NOW - 5000, synced=False, step=1, follows=False)
    assert place(fits, NOW + 999, None, None, [before_it, after_it]).anchors[0].quality == "own"
    early = Sighting(mono_s=0, end_s=300, made_s=300, own_s=30, synced=False, step=1, follows=False)
    line = place(early, NOW + 999, None, None, [before_it, after_it])
    assert line.anchors[0].quality == "order"
    assert line.anchors[0].offset_s + 300 < NOW


def test_earlier_boots_get_their_lines_from_the_newest_back() -> None:
    known = {"b": Line(anchors=(Anchor(from_s=0, offset_s=NOW - 500_000, quality="clock"),))}
    earlier = [
        EarlierBoot(boot="a", until_s=1000, offset_s=30),
        EarlierBoot(boot="b", until_s=1000, offset_s=0),
        EarlierBoot(boot="c", until_s=2000, offset_s=NOW - 400_000, trusted=True),
        EarlierBoot(boot="d", until_s=3000, offset_s=NOW + 1e6, trusted=True),
    ]
    made = before(earlier, known, {}, NOW, 310.0)
    assert {name: (line.anchors[0].quality, line.anchors[0].offset_s) for name, line in made.items()} == {
        "d": ("order", NOW - 310 - 3000),
        "c": ("clock", NOW - 400_000),
        "a": ("order", NOW - 500_000 - 310 - 1000),
    }


def test_what_the_ledger_keeps_of_lines_comes_back(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    lines = {
        ("pi", "a"): Line(anchors=(Anchor(from_s=0, offset_s=1.25, quality="own"),), step=3, told=True),
        ("pi", "b"): Line(anchors=(), until_s=7.5),
        ("other", "a"): Line(),
    }
    ledger.keep_lines(lines, 1000.0)
    ledger.close()
    again = Ledger(tmp_path / "ledger.db")
    assert again.lines("pi") == {"a": lines["pi", "a"], "b": lines["pi", "b"]}
    again.forget_before(2000.0, 2000.0)
    assert again.lines("pi") == {}


# ---- a real process whose clock is shifted


SHIFTED = """
import sys
from ayni_core.clockwatch import ClockWatch
from ayni_io import clock
watch = ClockWatch("b")
for line in sys.stdin:
    moment = clock.look(watch)
    print(moment.step, moment.mono_s, moment.wall_s, int(moment.dated()), flush=True)
"""


def test_a_real_process_sees_its_clock_set_and_its_monotonic_seconds_run_on(tmp_path: Path) -> None:
    library = parts.shifted_clock(tmp_path)
    by = tmp_path / "by"
    now = clock.wall_s()
    by.write_text(str(-int(now)))
    environment = {**os.environ, "LD_PRELOAD": str(library), "AYNI_AHEAD": str(by)}
    with subprocess.Popen(
        [sys.executable, "-c", SHIFTED],
        env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as child:  # fmt: skip
        assert child.stdin is not None
        assert child.stdout is not None
        found = []
        for shift in (-int(now), -int(now), 0, 3600, 0, -7200):
            by.write_text(str(shift))
            child.stdin.write("\n")
            child.stdin.flush()
            step, mono_s, wall_s, dated = child.stdout.readline().split()
            found.append((int(step), float(mono_s), float(wall_s), dated == "1"))
        child.stdin.close()
    assert [step for step, *_rest in found] == [0, 0, 1, 2, 3, 4]
    monos = [mono_s for _step, mono_s, *_rest in found]
    assert monos == sorted(monos)
    assert monos[-1] - monos[0] < 30
    assert [dated for *_rest, dated in found] == [False, False, True, True, True, True]
    assert found[0][2] < 60, "1970"
