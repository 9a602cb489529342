"""A slow line between a terminal and a program: so many octets a second, so long on the way.

    bench/slow_line.py BYTES_PER_S ROUND_TRIP_S COLUMNS ROWS COMMAND …

The program runs in a pty at the far end; stdin and stdout of this process are the near end. Both ways wait
half of the round trip, and the way back also carries no more than its share, ten times a second at least.
What does not fit waits in a queue without end, as it does in the modems and radios of such links.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
from collections import deque

from terminal import in_pty

_TICK_S = 0.005


class Way:
    """One direction: octets go in, and come out late and slowly."""

    def __init__(self, delay_s: float, rate: float) -> None:
        self._delay_s, self._rate = delay_s, rate
        self._queue: deque[tuple[float, bytes]] = deque()
        self._free_at = 0.0

    def put(self, octets: bytes, now: float) -> None:
        """Octets set out; each is through the narrow place when its turn has come."""
        step = max(int(self._rate * _TICK_S), 1)
        for at in range(0, len(octets), step):
            piece = octets[at : at + step]
            self._free_at = max(self._free_at, now) + len(piece) / self._rate
            self._queue.append((self._free_at + self._delay_s, piece))

    def due(self, now: float) -> bytes:
        """What arrives by now."""
        found = b""
        while self._queue and self._queue[0][0] <= now:
            found += self._queue.popleft()[1]
        return found

    def wait_s(self, now: float) -> float | None:
        """How long until something arrives."""
        return max(self._queue[0][0] - now, 0.0) if self._queue else None


def main() -> int:
    """Carry until either end has gone."""
    rate, round_trip_s, columns, rows = (float(each) for each in sys.argv[1:5])
    pid, master = in_pty(sys.argv[5:], os.environ, int(columns), int(rows))
    signal.signal(signal.SIGTERM, lambda *_all: os.kill(pid, signal.SIGTERM))
    there, back = Way(round_trip_s / 2, rate), Way(round_trip_s / 2, rate)
    listening = [0, master]
    while True:
        now = time.monotonic()
        waits = [each for each in (there.wait_s(now), back.wait_s(now)) if each is not None]
        ready, _w, _x = select.select(listening, [], [], min(waits, default=None))
        now = time.monotonic()
        for each in ready:
            try:
                octets = os.read(each, 65_536)
            except OSError:
                octets = b""
            if octets:
                (there if each == 0 else back).put(octets, now)
            elif each == master:
                os.waitpid(pid, 0)
                return 0
            else:
                listening.remove(each)
        os.write(master, there.due(now))
        os.write(1, back.due(now))


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):  # nobody looks any more
        sys.exit(main())
