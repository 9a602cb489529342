"""A bad line on a port of the lab's switch: delay, jitter, loss and rate, where the kernel has no `netem`.

Runs inside the switch's namespace. The port leaves the bridge for one of its own; between the two bridges
stand two TAP devices, and each frame passes from one to the other through a queue ordered by when it is due.
When it ends, the port returns to where it was. Only the standard library, and /dev/net/tun.
"""

from __future__ import annotations

import argparse
import fcntl
import heapq
import os
import random
import select
import signal
import struct
import subprocess
import time

_TUNSETIFF, _IFF_TAP, _IFF_NO_PI = 0x400454CA, 0x0002, 0x1000  # linux/if_tun.h
_LARGEST, _QUEUE = 65536, 200


def main() -> None:
    """Until SIGTERM."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port")
    parser.add_argument("--bridge", required=True)
    for option in ("delay", "jitter", "loss", "rate"):
        parser.add_argument(f"--{option}", type=float, default=0.0)
    arguments = parser.parse_args()
    near, far, own = (f"{letter}{arguments.port[1:]}" for letter in "nfb")
    taps = _tap(near), _tap(far)
    _ip("link", "add", own, "type", "bridge")
    _ip("link", "set", own, "up")
    _ip("link", "set", arguments.port, "master", own)
    _ip("link", "set", near, "master", own, "up")
    _ip("link", "set", far, "master", arguments.bridge, "up")
    stopped: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _frame: stopped.append(number))
    print("ready", flush=True)
    try:
        _carry(taps, arguments, stopped)
    finally:
        _ip("link", "set", arguments.port, "master", arguments.bridge)
        _ip("link", "del", own)


def _carry(taps: tuple[int, int], line: argparse.Namespace, stopped: list[int]) -> None:
    free_s = dict.fromkeys(taps, 0.0)
    """When each direction has sent all that is before."""
    due: list[tuple[float, int, int, bytes]] = []
    count = 0
    while not stopped:
        wait_s = max(0.0, min(0.2, due[0][0] - time.monotonic())) if due else 0.2
        for tap in select.select(taps, [], [], wait_s)[0]:
            for frame in _frames(tap):
                now = time.monotonic()
                if random.random() * 100 < line.loss or len(due) >= _QUEUE:
                    continue
                if line.rate:
                    free_s[tap] = now = max(now, free_s[tap]) + len(frame) * 8 / (line.rate * 1000)
                now += max(0.0, line.delay + random.uniform(-line.jitter, line.jitter)) / 1000
                count += 1
                heapq.heappush(due, (now, count, taps[1 - taps.index(tap)], frame))
        while due and due[0][0] <= time.monotonic():
            _when, _count, tap, frame = heapq.heappop(due)
            os.write(tap, frame)


def _frames(tap: int) -> list[bytes]:
    found = []
    while len(found) < _QUEUE:
        try:
            found.append(os.read(tap, _LARGEST))
        except BlockingIOError:
            break
    return found


def _tap(name: str) -> int:
    tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tap, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TAP | _IFF_NO_PI))
    return tap


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


if __name__ == "__main__":
    main()
