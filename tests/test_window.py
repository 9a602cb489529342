"""The window of bytes in flight: a link is used whole, and news find a second of other things before them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median

import pytest

from ayni_core.window import BEGIN_BYTES, LEAST_BYTES, MOST_BYTES, QUEUE_S, Window

MOST_STEPS = 200_000


@dataclass
class Link:
    """A line that takes one byte after the other, and a road of `delay_s` each way behind it. `rate(t)` is
    bytes a second, `delay(t)` seconds. `held_s`: what comes out is held until then.
    """

    rate: Callable[[float], float]
    delay: Callable[[float], float]
    frame: int
    window: Window = field(default_factory=Window)
    free_s: float = 0.0
    carried: list[tuple[float, int]] = field(default_factory=list)
    waits: list[tuple[float, float]] = field(default_factory=list)
    """(when, how long a frame handed over at that moment would stand in the line)."""

    def run(self, until_s: float, stalls: tuple[tuple[float, float], ...] = ()) -> None:
        now_s = 0.0
        flying: deque[tuple[float, float, int]] = deque()
        for _ in range(MOST_STEPS):
            while self.window.has_room(len(flying) * self.frame, self.frame):
                begin_s = max(now_s, self.free_s)
                for stall_s, end_s in stalls:
                    if stall_s <= begin_s < end_s:
                        begin_s = end_s
                self.free_s = begin_s + self.frame / self.rate(begin_s)
                self.carried.append((self.free_s, self.frame))
                back_s = max(self.free_s + 2 * self.delay(self.free_s), flying[-1][0] if flying else 0.0)
                flying.append((back_s, now_s, (len(flying) + 1) * self.frame))
            self.waits.append((now_s, self.free_s - now_s))
            now_s, sent_s, ahead = flying.popleft()
            self.window.landed(self.frame, ahead, now_s - sent_s)
            if now_s > until_s:
                return
        raise AssertionError("the loop is bounded")

    def share(self, from_s: float, to_s: float) -> float:
        """How much of the link was used in that time."""
        could = sum(self.rate(from_s + i * 0.1) * 0.1 for i in range(int((to_s - from_s) * 10)))
        return sum(size for at_s, size in self.carried if from_s < at_s <= to_s) / could

    def waits_s(self, from_s: float, to_s: float) -> list[float]:
        return [wait_s for at_s, wait_s in self.waits if from_s < at_s <= to_s]


def steady(value: float) -> Callable[[float], float]:
    return lambda _at_s: value


@pytest.mark.parametrize("delay_s", [0.025, 0.05, 0.3, 0.9])
@pytest.mark.parametrize("frame", [400, 4000, 20_000])
@pytest.mark.parametrize("kbytes", [2, 8, 64, 1000])
def test_any_link_is_used_whole_and_news_wait_for_a_second_and_a_frame(
    kbytes: int, frame: int, delay_s: float
) -> None:
    link = Link(steady(kbytes * 1000.0), steady(delay_s), frame)
    one_s = frame / (kbytes * 1000)
    begun_s = 2 + 60 * delay_s + 5 * one_s
    end_s = begun_s + 5 + 20 * one_s
    link.run(end_s)
    at_start_s = BEGIN_BYTES / (kbytes * 1000)
    waits_s = link.waits_s(0.0, end_s)
    assert max(waits_s) <= max(QUEUE_S + one_s, QUEUE_S / 2 + 2 * one_s, at_start_s) + 0.05
    assert median(waits_s) <= QUEUE_S + one_s
    share = 1.0 if one_s <= QUEUE_S else one_s / (one_s + 2 * delay_s)  # two would make news wait too long
    assert link.share(begun_s, end_s) >= 0.95 * share


def changing(before: float, after: float, at_s: float) -> Callable[[float], float]:
    return lambda now_s: before if now_s < at_s else after


def test_a_link_that_becomes_slow_is_followed_within_what_was_on_its_way() -> None:
    link = Link(changing(64_000, 8_000, 20), steady(0.05), 4000)
    link.run(60.0)
    assert link.share(2.0, 20.0) >= 0.98
    assert max(link.waits_s(20.0, 30.0)) <= 10.0, "what was sent for a second at 64 kB/s takes eight"
    assert max(link.waits_s(33.0, 60.0)) <= QUEUE_S + 0.5 + 0.05
    assert link.share(33.0, 60.0) >= 0.98


def test_a_link_that_becomes_fast_is_used_soon() -> None:
    link = Link(changing(8_000, 64_000, 20), steady(0.05), 4000)
    link.run(40.0)
    assert link.share(22.0, 40.0) >= 0.98
    assert max(link.waits_s(0.0, 40.0)) <= QUEUE_S + 0.5 + 0.05


@pytest.mark.parametrize("frame", [400, 4000])
def test_a_road_that_becomes_longer_than_any_line_is_learned(frame: int) -> None:
    link = Link(steady(64_000), changing(0.05, 0.9, 20), frame)
    link.run(140.0)
    assert link.share(100.0, 140.0) >= 0.95
    assert max(link.waits_s(0.0, 140.0)) <= QUEUE_S + 0.15


def test_after_a_stall_it_goes_on_as_before() -> None:
    link = Link(steady(64_000), steady(0.05), 4000)
    link.run(60.0, stalls=((20.0, 25.0),))
    assert link.share(28.0, 60.0) >= 0.98
    assert max(link.waits_s(28.0, 60.0)) <= QUEUE_S + 0.15


LANDINGS = {
    "the first tells the rate: it fits ten times over, so it doubles": (
        Window(size_bytes=4000), (4000, 4000, 0.1), 8000, 0.1,
    ),
    "more than fits is not taken, however much was acknowledged": (
        Window(size_bytes=8000, quickest_s=0.5), (4000, 8000, 1.4), 8571, 0.5,
    ),
    "one that stood in the line for too long makes it smaller, by no more than itself": (
        Window(size_bytes=8000, quickest_s=0.5), (1000, 8000, 2.0), 7000, 0.5,
    ),
    "nor smaller than what fits": (Window(size_bytes=8000, quickest_s=0.5), (4000, 8000, 2.0), 6000, 0.5),
    "a link that is not used tells nothing": (
        Window(size_bytes=60_000, quickest_s=0.1), (500, 1000, 0.2), 60_000, 0.1,
    ),
    "where hardly anything stands in the line it grows by a little": (
        Window(size_bytes=5000, quickest_s=2.0), (3200, 3200, 2.0), 5200, 2.0,
    ),
    "alone on a road that became longer: so it is": (
        Window(size_bytes=4000, quickest_s=0.1), (4000, 4000, 3.0), 5333, 3.0,
    ),
    "no time at all is no reason to divide by it": (Window(size_bytes=4000), (400, 400, 0.0), 4400, 0.001),
    "it has an end": (
        Window(size_bytes=MOST_BYTES, quickest_s=0.1), (4000, MOST_BYTES, 0.1), MOST_BYTES, 0.1,
    ),
    "as small as it can be it is not the line that was long": (
        Window(size_bytes=LEAST_BYTES, quickest_s=0.1), (400, 800, 90.0), LEAST_BYTES + 25, 90.0,
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", LANDINGS)
def test_what_an_acknowledgement_tells(what: str) -> None:
    before, landing, size_bytes, quickest_s = LANDINGS[what]
    window = Window(size_bytes=before.size_bytes, quickest_s=before.quickest_s)
    window.landed(*landing)
    assert window == Window(size_bytes=size_bytes, quickest_s=quickest_s)


def test_one_frame_may_always_go_however_large() -> None:
    window = Window()
    assert window.has_room(0, 10 * MOST_BYTES)
    assert window.has_room(BEGIN_BYTES - 10, 10)
    assert not window.has_room(BEGIN_BYTES - 10, 11)
