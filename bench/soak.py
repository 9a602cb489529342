"""A million spoilt datagrams and frames for everything that reads what comes from a network.

    scripts/soak [--mutations 1000000] [--seed 1] [--json]

Two processes feed PATHS in batches. A batch begins afresh and from a seed of its own,
so it goes the same way every time. What is a fault: an exception that is not documented, a path that goes on
for ever (`PATIENCE_S` for a batch), and memory that grows. Then the exit status is 1, and the seed and the
octets that were read last stand on stderr. A process may be stuck where no Python runs: so what it reads
stands in memory that both sides see, and a signal that Python need not handle ends it.
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import multiprocessing
import resource
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path as FilePath
from random import Random
from typing import Any

from measure import Figure, report
from soak_paths import Answers, Messages, Path, Readings, Sealed
from soak_polls import Frames, Polls

WORKERS = 2
BATCH = 500
PATIENCE_S = 60.0
"""Of processor time, for a batch that takes seconds: others may use this machine, too."""
MOST_GROWTH_MB = 48.0
MOST_AT_ONCE_MB = 512
"""Of address space beyond what a process has at first; more than that at once is a MemoryError."""
PATHS: dict[str, type[Path]] = {
    path.name: path for path in (Answers, Messages, Sealed, Readings, Polls, Frames)
}
_LONGEST_INPUT = 65536
_PAGE = resource.getpagesize()
# Shares of the batches: what is cheap to feed gets more.
TURNS = (
    "answers", "messages", "readings", "answers", "frames", "sealed", "answers", "messages", "polls",
    "readings", "answers", "frames", "messages", "sealed", "answers", "readings", "frames", "answers",
    "messages", "messages",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What one batch brought."""

    path: str
    fed: int
    taken: int
    rss_mb: float
    peak_mb: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why it ended early."""

    path: str
    seed: int
    batch: int
    cause: str
    input: str
    """Octets in hex."""

    def __str__(self) -> str:
        return (
            f"FAILED in {self.path}: {self.cause}\nseed {self.seed}, batch {self.batch}; "
            f"the last of {len(self.input) // 2} octets that were read:\n{self.input}"
        )


@dataclass(slots=True, kw_only=True)
class Summary:
    """Counts so far, by path."""

    fed: dict[str, int] = field(default_factory=dict)
    taken: dict[str, int] = field(default_factory=dict)
    peak_mb: float = 0.0
    failure: Failure | None = None

    def add(self, done: Done) -> None:
        """Count a batch in."""
        self.fed[done.path] = self.fed.get(done.path, 0) + done.fed
        self.taken[done.path] = self.taken.get(done.path, 0) + done.taken
        self.peak_mb = max(self.peak_mb, done.peak_mb)

    @property
    def mutations(self) -> int:
        """Of all paths."""
        return sum(self.fed.values())


class Soak:
    """The run. `paths` and `turns` say what is fed, and how often each."""

    def __init__(
        self,
        seed: int,
        mutations: int,
        *,
        paths: dict[str, type[Path]] = PATHS,
        turns: Sequence[str] = TURNS,
        batch: int = BATCH,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self.seed = seed
        self.summary = Summary()
        self._paths = paths
        self._turns = turns
        self._mutations = mutations
        self._batch = max(1, min(batch, mutations // len(turns)))  # so that every path has its turn
        self._patience_s = patience_s
        self._base_mb: dict[int, float] = {}

    def run(self, tell: Any = None) -> Summary:
        """Feed until all is fed, or something fails; `tell` hears of the summary now and then."""
        context = multiprocessing.get_context("fork")
        workers = [_Worker(context, self, number) for number in range(WORKERS)]
        try:
            while workers and self.summary.failure is None:
                ready = wait([worker.connection for worker in workers], timeout=1.0)
                for worker in [worker for worker in workers if worker.connection in ready]:
                    if not self._hear(worker):
                        workers.remove(worker)
                if tell is not None:
                    tell(self.summary)
        finally:
            for worker in workers:
                worker.process.kill()
                worker.process.join()
        return self.summary

    def _hear(self, worker: _Worker) -> bool:
        """Take what a worker says; False when it has done its part."""
        try:
            said = worker.connection.recv()
        except EOFError:
            worker.process.join()
            if worker.process.exitcode:
                how = f"ended with status {worker.process.exitcode}"
                if worker.process.exitcode == -signal.SIGPROF:
                    how = f"no end within {self._patience_s:g} s"
                self.summary.failure = self._failure(worker, how)
            return False
        if isinstance(said, str):
            self.summary.failure = self._failure(worker, said)
            return False
        self.summary.add(said)
        worker.batch += WORKERS
        self._watch_memory(worker, said)
        return True

    def _watch_memory(self, worker: _Worker, done: Done) -> None:
        """Caches fill while each path has its first turns; after that nothing may grow."""
        if worker.batch < 4 * len(self._turns):
            self._base_mb[worker.number] = max(self._base_mb.get(worker.number, 0.0), done.rss_mb)
        elif done.rss_mb > self._base_mb[worker.number] + MOST_GROWTH_MB:
            grown = f"memory grew from {self._base_mb[worker.number]:.0f} to {done.rss_mb:.0f} MB"
            self.summary.failure = self._failure(worker, grown)

    def _failure(self, worker: _Worker, cause: str) -> Failure:
        size = int.from_bytes(worker.input[:4], "big")
        return Failure(
            path=self.path_of(worker.batch),
            seed=self.seed,
            batch=worker.batch,
            cause=cause,
            input=bytes(worker.input[4 : 4 + size]).hex(),
        )

    def path_of(self, batch: int) -> str:
        """Which path a batch is for."""
        return self._turns[batch % len(self._turns)]

    def work(self, number: int, connection: Connection, shown: Any) -> None:
        """A worker: every second batch, until all is fed or something fails."""
        faulthandler.register(signal.SIGPROF, file=2, chain=True)  # tells where, then ends it
        used = _memory_mb()
        resource.setrlimit(resource.RLIMIT_AS, (int((used[1] + MOST_AT_ONCE_MB) * 2**20),) * 2)
        memory = memoryview(shown).cast("B")

        def show(spoilt: bytes) -> None:
            spoilt = spoilt[:_LONGEST_INPUT]
            memory[: 4 + len(spoilt)] = len(spoilt).to_bytes(4, "big") + spoilt

        share = self._mutations // WORKERS + (number < self._mutations % WORKERS)
        batch = number
        while share > 0:
            signal.setitimer(signal.ITIMER_PROF, self._patience_s)
            try:
                path = self._paths[self.path_of(batch)](Random(f"{self.seed}/{batch}"), show)
                size = min(self._batch, share)
                while path.fed < size:
                    path.feed()
            except Exception as error:
                traceback.print_exc()
                connection.send(f"{type(error).__name__}: {error}"[:2000])
                return
            signal.setitimer(signal.ITIMER_PROF, 0)
            share -= path.fed
            batch += WORKERS
            rss_mb, _ = _memory_mb()
            peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            connection.send(
                Done(path=path.name, fed=path.fed, taken=path.taken, rss_mb=rss_mb, peak_mb=peak_mb)
            )


class _Worker:
    """A process, and what it was reading when it was heard of last."""

    def __init__(self, context: Any, soak: Soak, number: int) -> None:
        self.number = number
        self.batch = number
        self.input = context.RawArray("B", 4 + _LONGEST_INPUT)
        self.connection, theirs = context.Pipe(duplex=False)
        self.process = context.Process(target=soak.work, args=(number, theirs, self.input), daemon=True)
        self.process.start()
        theirs.close()


def _memory_mb() -> tuple[float, float]:
    """Resident memory and address space of this process."""
    size, resident, *_ = FilePath("/proc/self/statm").read_text().split()
    return int(resident) * _PAGE / 2**20, int(size) * _PAGE / 2**20


class _Progress:
    """A line on stderr every few seconds, one over the other where it is a terminal."""

    def __init__(self, mutations: int) -> None:
        self._mutations = mutations
        self._began_s = self._told_s = time.monotonic()

    def __call__(self, summary: Summary) -> None:
        now_s = time.monotonic()
        terminal = sys.stderr.isatty()
        if now_s - self._told_s < (1 if terminal else 30):
            return
        self._told_s = now_s
        line = (
            f"{summary.mutations:,} of {self._mutations:,}, {now_s - self._began_s:.0f} s, "
            f"{sum(summary.taken.values()):,} accepted, {summary.peak_mb:.0f} MB"
        )
        print(f"\r{line} " if terminal else line, end="" if terminal else "\n", file=sys.stderr, flush=True)


def main(argv: Sequence[str]) -> int:
    """0: nothing was found; 1: something was."""
    parser = argparse.ArgumentParser(prog="scripts/soak", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--mutations", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="another seed, other mutations")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout and nothing else")
    options = parser.parse_args(argv)
    began_s = time.monotonic()
    summary = Soak(options.seed, options.mutations).run(_Progress(options.mutations))
    seconds = time.monotonic() - began_s
    if summary.failure is not None:
        print(f"\n{summary.failure}", file=sys.stderr)
        if options.json:
            print(json.dumps({"bench": "soak", "failure": asdict(summary.failure)}))
        return 1
    accepted = sum(summary.taken.values())
    figures = [
        Figure(key="soak_mutations", value=summary.mutations, unit=""),
        Figure(key="soak_s", value=round(seconds, 1), unit="s"),
        Figure(key="soak_rejected", value=summary.mutations - accepted, unit=""),
        Figure(key="soak_accepted", value=accepted, unit=""),
        Figure(key="soak_peak_rss_mb", value=round(summary.peak_mb, 1), unit="MB"),
    ]
    report("soak", figures, as_json=options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
