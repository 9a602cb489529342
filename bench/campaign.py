"""Kill agent, hub and broker at random, cut and slow the link between them, and count what got lost.

    scripts/campaign [--kills 500] [--seed N] [--json]

Real processes: devices that count their polls (`counted_site`), an agent that polls every second and
flushes every five, Mosquitto, a hub. Between agent and broker lies a `bad_link`. At random instants one of
the three, sometimes two at once, gets SIGKILL and is started again, at once or after up to three seconds;
beside that the link is cut, stalled, slowed, delayed, refused or forgotten by a router. Every twenty kills
there is a calm of some seconds. At last all trouble ends, the devices fall silent, and within `--drain`
seconds everything that was read must be in the hub's store. What counts as read stands in `poll_count`; the
exit status is 1 unless nothing was lost, doubled, disordered or torn, and no program ended by itself or with
a traceback.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import re
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import measure
from counted_town import Town, town
from poll_count import Count

from ayni_io.stack import StackError

DEVICES = tuple(f"device-{number}" for number in range(1, 7))
POLL_S, FLUSH_S = 1, 5
VICTIMS = {"agent": 5, "hub": 3, "broker": 3}
"""Who is killed, and how often compared with the others."""
CALM_EVERY = 20
LONGEST_PAUSE_S = 3.0
TROUBLES = ("cut", "cut", "cut", "stall", "slow", "delay", "refuse", "forget")
_SIGHS = {
    "tracebacks": re.compile(r"^Traceback", re.MULTILINE),
    "refused": re.compile(r"frame refused|hub refused"),
    "clones": re.compile("cloned node"),
}
"""What no log may say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is asked of one campaign. `every_s` is the mean time between two kills, `calm_s` how long a calm
    lasts at most, `drain_s` how long the rest may take."""

    kills: int
    seed: int
    every_s: float
    calm_s: float
    drain_s: float


@dataclass(slots=True)
class Outcome:
    """What happened, and what is left in the store."""

    kills: Counter[str] = field(default_factory=Counter)
    troubles: Counter[str] = field(default_factory=Counter)
    by_itself: list[str] = field(default_factory=list)
    sighs: Counter[str] = field(default_factory=Counter)
    published: int = 0
    resent: int = 0
    changed: int = 0
    drained_s: float | None = None
    seconds: float = 0.0
    count: Count | None = None


class Campaign:
    """One campaign in a town; the parts are there when it begins and afterwards."""

    def __init__(self, made: Town, plan: Plan, outcome: Outcome) -> None:
        self._town = made
        self._plan = plan
        self._rng = Random(plan.seed)
        self._outcome = outcome
        self._coming: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Kill and trouble until it is enough, then make everything well again."""
        trouble = asyncio.create_task(self._trouble_the_link())
        try:
            while self._killed() < self._plan.kills:
                await self._pause()
                await self._kill()
        finally:
            trouble.cancel()
            await asyncio.gather(trouble, return_exceptions=True)
        self._town.link.good()
        self._town.link.cut()
        while self._coming:
            await asyncio.gather(*self._coming)
        await self._look_around()

    def _killed(self) -> int:
        return sum(self._outcome.kills.values())

    async def _pause(self) -> None:
        if self._killed() and self._killed() % CALM_EVERY == 0:
            await asyncio.sleep(self._rng.uniform(0.5, 1.0) * self._plan.calm_s)
        every_s = self._plan.every_s
        await asyncio.sleep(min(self._rng.expovariate(1 / every_s), 4 * every_s))

    async def _kill(self) -> None:
        """One of those that are there, now and then two at the same instant."""
        await self._look_around()
        left = self._plan.kills - self._killed()
        for _ in range(min(left, 2 if self._rng.random() < 0.1 else 1)):
            there = self._town.there()
            if not there:
                return
            (name,) = self._rng.choices(there, [VICTIMS[each] for each in there])
            if await self._town.kill(name):
                self._outcome.kills[name] += 1
                self._again(name, 0.0 if self._rng.random() < 0.4 else self._rng.uniform(0, LONGEST_PAUSE_S))

    def _again(self, name: str, pause_s: float) -> None:
        async def begin() -> None:
            await asyncio.sleep(pause_s)
            await self._town.begin(name)

        task = asyncio.create_task(begin())
        self._coming.add(task)
        task.add_done_callback(self._coming.discard)

    async def _look_around(self) -> None:
        """Nobody may end by itself; who did is started again."""
        for name, words in self._town.ended_by_itself().items():
            self._outcome.by_itself.append(f"{name}: {words}")
            await self._town.begin(name)

    async def _trouble_the_link(self) -> None:
        rng, link = self._rng, self._town.link
        while True:
            await asyncio.sleep(rng.uniform(0.5, 6.0))
            kind = rng.choice(TROUBLES)
            self._outcome.troubles[kind] += 1
            match kind:
                case "stall":
                    link.stall()
                case "slow":
                    link.rate = rng.uniform(2_000, 40_000)
                case "delay":
                    link.delay_s = rng.uniform(0.05, 1.0)
                case "refuse":
                    link.refusing = True
                case "forget":
                    link.forget()
            if kind != "cut":
                await asyncio.sleep(rng.uniform(0.3, 6.0))
            if kind in ("cut", "refuse", "forget") or rng.random() < 0.3:
                link.cut()
            link.good()


async def campaign(folder: Path, plan: Plan) -> Outcome:
    """Everything, from an empty folder to the count. Raises `StackError`."""
    began = time.monotonic()
    outcome = Outcome()
    async with town(folder, DEVICES, poll_s=POLL_S, flush_s=FLUSH_S) as made:
        for name in ("broker", "hub", "agent"):
            await made.begin(name)
        if not await made.until(lambda count: count.stored >= len(DEVICES), 60.0):
            raise StackError("nothing arrived within a minute, before anything was killed")
        await Campaign(made, plan, outcome).run()
        await asyncio.sleep(2 * FLUSH_S)
        made.mute(True)
        healed = time.monotonic()
        await asyncio.sleep(2 * POLL_S)
        if await made.until(lambda count: not count.lost, plan.drain_s):
            outcome.drained_s = time.monotonic() - healed
        outcome.by_itself += [f"{name}: {words}" for name, words in made.ended_by_itself().items()]
        await made.end("agent")
        await made.end("hub")
        outcome.published, outcome.resent, outcome.changed = (
            made.tap.published, made.tap.resent, len(made.tap.changed)
        )  # fmt: skip
        outcome.count = made.counted()
    for log in (folder / "logs").iterdir():
        text = log.read_text(errors="replace")
        for name, pattern in _SIGHS.items():
            outcome.sighs[name] += len(pattern.findall(text))
    outcome.seconds = time.monotonic() - began
    return outcome


def figures(outcome: Outcome) -> list[measure.Figure]:
    """The outcome, line by line."""
    count = outcome.count
    assert count is not None

    def told(key: str, value: float, unit: str = "", target: float | None = None) -> measure.Figure:
        return measure.Figure(key=f"campaign_{key}", value=round(value, 2), unit=unit, target=target)

    return [
        *(told(f"kills_{name}", outcome.kills[name]) for name in VICTIMS),
        *(told(f"link_{name}", number) for name, number in sorted(outcome.troubles.items())),
        told("frames_published", outcome.published, "frames"),
        told("frames_resent", outcome.resent, "frames"),
        told("polls_served", count.served, "polls"),
        told("polls_read", count.read, "polls"),
        told("polls_failed", count.failed, "polls"),
        told("polls_in_the_air", count.in_the_air, "polls"),
        told("polls_stored", count.stored, "polls"),
        told("time_off_most_s", count.off_s, "s"),
        told("seconds", outcome.seconds, "s"),
        told("drained_s", -1 if outcome.drained_s is None else outcome.drained_s, "s"),
        told("lost", len(count.lost), "polls", 0),
        told("doubled", len(count.doubled), "polls", 0),
        told("disordered", len(count.disordered), "polls", 0),
        told("torn", len(count.torn), "polls", 0),
        told("alien", len(count.alien), "polls", 0),
        told("frames_changed", outcome.changed, "frames", 0),
        told("ended_by_itself", len(outcome.by_itself), "times", 0),
        *(told(name, outcome.sighs[name], "times", 0) for name in _SIGHS),
    ]


def main() -> int:
    """Run one campaign; 1 when something happened that must not."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--seed", type=int, default=None, help="the same kills again; their instants differ")
    parser.add_argument("--every", type=float, default=2.0, metavar="S", help="mean time between two kills")
    parser.add_argument("--calm", type=float, default=9.0, metavar="S", help="the longest calm")
    parser.add_argument("--drain", type=float, default=180.0, metavar="S", help="how long the rest may take")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="work there and leave everything")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout and nothing else")
    arguments = parser.parse_args()
    seed = Random().randrange(1_000_000) if arguments.seed is None else arguments.seed
    plan = Plan(
        kills=arguments.kills,
        seed=seed,
        every_s=arguments.every,
        calm_s=arguments.calm,
        drain_s=arguments.drain,
    )
    with contextlib.ExitStack() as stack:
        if arguments.keep is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ayni-campaign-")))
        else:
            folder = arguments.keep.resolve()
            folder.mkdir(parents=True)
        try:
            outcome = asyncio.run(campaign(folder, plan))
        except StackError as error:
            sys.exit(f"bench/campaign.py: {error}")
    found = figures(outcome)
    measure.report(f"campaign seed {seed}", found, as_json=arguments.json)
    assert outcome.count is not None
    for what in ("lost", "doubled", "disordered", "torn", "alien"):
        for device, serial in getattr(outcome.count, what)[:10]:
            print(f"{what}: poll {serial} of {device}", file=sys.stderr)
    for words in outcome.by_itself[:10]:
        print(f"ended by itself: {words}", file=sys.stderr)
    return 0 if all(figure.met() is not False for figure in found) else 1


if __name__ == "__main__":
    sys.exit(main())
