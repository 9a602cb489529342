"""Seats for what is in flight: who gets one, who gives way, and that none is ever lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import Random

import pytest
from skipped_time import Skipping, in_skipped_time

from ayni_agent.flight import SEATS, Errand, Flight, errand_of, is_slow, may_start
from ayni_agent.schedule import Turn, patience_s, timeout_s

skipping = in_skipped_time

QUICK, SLOW, CHECK = Errand.QUICK, Errand.SLOW, Errand.CHECK


@pytest.mark.parametrize(
    ("quick", "slow", "checks", "welcome"),
    [
        (0, 0, 0, {QUICK, SLOW, CHECK}),
        (15, 0, 0, {QUICK}),
        (16, 0, 0, set()),
        (0, 7, 0, {QUICK, SLOW, CHECK}),
        (0, 8, 0, {QUICK, CHECK}),
        (0, 0, 11, {QUICK, SLOW, CHECK}),
        (0, 0, 12, {QUICK}),
        (0, 8, 4, {QUICK}),
        (4, 8, 4, set()),
    ],
)
def test_some_seats_are_kept_for_quick_polls_and_half_at_most_go_to_slow_ones(
    quick: int, slow: int, checks: int, welcome: set[Errand]
) -> None:
    flying = {QUICK: quick, SLOW: slow, CHECK: checks}
    assert {errand for errand in Errand if may_start(errand, flying)} == welcome


@pytest.mark.parametrize(
    ("before", "took_s", "after"),
    [(False, 5.0, False), (False, 5.1, True), (True, 2.6, True), (True, 2.5, False)],
)
def test_a_device_is_slow_after_a_long_poll_and_quick_again_after_one_half_as_long(
    before: bool, took_s: float, after: bool
) -> None:
    assert is_slow(before, took_s, patience_s(60)) is after


def test_what_a_turn_asks_for() -> None:
    poll, get = Turn(at_s=0, slot_s=0), Turn(at_s=0, slot_s=0, full=False, failures=1)
    asked = [errand_of(turn, slow=slow) for turn in (poll, get) for slow in (False, True)]
    assert asked == [QUICK, SLOW, CHECK, CHECK]


@pytest.mark.parametrize("interval_s", [1, 5, 15, 60, 300, 3600])
def test_a_dead_device_gives_up_before_its_patience_ends(interval_s: float) -> None:
    """So that its seat is free when it has failed, and it need not fail twice."""
    assert 2 * timeout_s(interval_s) <= patience_s(interval_s) <= 5


def poll_of(took_s: float) -> Callable[[], Awaitable[float]]:
    async def poll() -> float:
        await asyncio.sleep(took_s)
        return asyncio.get_running_loop().time()

    return poll


def test_a_long_poll_goes_on_while_nobody_waits_for_its_seat(skipping: Skipping) -> None:
    async def test() -> None:
        flight = Flight(5)
        everyone = [flight.take(QUICK, poll_of(30)) for _ in range(SEATS)]
        assert await asyncio.gather(*everyone) == [30] * SEATS

    skipping(test)


def test_a_long_poll_gives_way_when_somebody_waits_unless_it_is_known_to_be_slow(skipping: Skipping) -> None:
    async def test() -> None:
        flight = Flight(5)
        slow = [asyncio.create_task(flight.take(SLOW, poll_of(30))) for _ in range(2)]
        long = [asyncio.create_task(flight.take(QUICK, poll_of(30))) for _ in range(SEATS - 2)]
        await asyncio.sleep(7)
        assert await flight.take(QUICK, poll_of(0.5)) == 7.5
        assert await asyncio.gather(*long) == [None] * (SEATS - 2)
        assert await asyncio.gather(*slow) == [30, 30]

    skipping(test)


def test_who_waits_to_be_asked_again_is_let_in_by_turns_and_nobody_starves(skipping: Skipping) -> None:
    """Checks and slow polls share what is not kept for the quick; whoever came first goes first."""

    async def test() -> None:
        flight = Flight(5)
        order: list[str] = []

        async def take(errand: Errand, name: str) -> None:
            await flight.take(errand, poll_of(4))
            order.append(name)

        wanted = [(CHECK, f"check {n}") for n in range(24)]
        wanted[12:12] = [(SLOW, "slow")]
        async with asyncio.TaskGroup() as tasks:
            for errand, name in wanted:
                tasks.create_task(take(errand, name))
        assert order[12] == "slow"
        assert asyncio.get_running_loop().time() == 12

    skipping(test)


def test_no_seat_is_lost_or_given_twice_whoever_is_cancelled_when(skipping: Skipping) -> None:
    async def test() -> None:
        rng, flight = Random(3), Flight(0.5)
        flying = most = 0

        async def poll() -> None:
            nonlocal flying, most
            flying += 1
            most = max(most, flying)
            try:
                await asyncio.sleep(rng.choice((0, 0.1, 1)))
                if rng.random() < 0.1:
                    raise TimeoutError("the poll's own")
            finally:
                flying -= 1

        tasks = [asyncio.create_task(flight.take(rng.choice(list(Errand)), poll)) for _ in range(300)]
        for task in rng.sample(tasks, 120):
            await asyncio.sleep(rng.choice((0, 0, 0.05)))
            task.cancel()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        assert {type(each) for each in done} == {type(None), TimeoutError, asyncio.CancelledError}
        assert (most, flying) == (SEATS, 0)
        again = await asyncio.gather(*(flight.take(QUICK, poll_of(0.1)) for _ in range(SEATS)))
        assert len(set(again)) == 1  # all at once: every seat is there

    skipping(test)


@pytest.mark.parametrize("given", [False, True])
def test_the_seat_of_one_who_is_cancelled_as_it_becomes_free_goes_to_the_next(
    given: bool, skipping: Skipping
) -> None:
    async def test() -> None:
        flight = Flight(100)
        waiting: list[asyncio.Task[float | None]] = []

        async def leave() -> None:
            async def poll() -> None:
                await asyncio.sleep(1)
                if not given:
                    waiting[0].cancel()

            await flight.take(QUICK, poll)
            if given:
                waiting[0].cancel()

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(leave())
            for _ in range(SEATS - 1):
                tasks.create_task(flight.take(QUICK, poll_of(9)))
            await asyncio.sleep(0)
            waiting += [tasks.create_task(flight.take(QUICK, poll_of(2))) for _ in range(2)]
        assert (waiting[0].cancelled(), waiting[1].result()) == (True, 3)

    skipping(test)
