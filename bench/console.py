"""What an operator waits for: the real `ayni console` in a terminal, on a fast line and on a slow one.

    bench/console.py [--json] [--links 24,1000] [--runs 3]

A real Mosquitto, set as `ayni start` sets it, holds the picture of a network that a stand-in for the central
made (console_town.py). The console runs in a pty; what it writes is shown by a terminal emulator that takes
frames as a whole (16 octets a frame). The slow line carries 8 kB/s with 600 ms there and back (slow_line.py).
Figures end in the number of links.

Moving the cursor is the median of all moves; scrolling by a line is the largest of them.

A key is painted when the octets came that changed the first cell below the head of the screen; `whole` is
when those came that changed the last one. Steady state: 12 cells change each second, while every other link
is measured anew once in 300 s, as monitors report by default.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import measure
from console_town import StandIn
from measure import Figure
from scale import Usage, mosquitto, process
from terminal import Session

SLOW_BPS, ROUND_TRIP_S = 8_000, 0.6
_CALM_S = {False: 0.12, True: 0.3}
_START_WITHIN_S = 40.0
_MOST_UNANSWERED = 12
"""Keys that change nothing cost 3 s each: with more of them a walk is given up."""
_KEYS = {
    "up": b"\x1b[A", "down": b"\x1b[B", "pageup": b"\x1b[5~", "pagedown": b"\x1b[6~", "home": b"\x1b[H",
    "end": b"\x1b[F", "enter": b"\r", "esc": b"\x1b", "tab": b"\t", "ctrl+p": b"\x10",
}  # fmt: skip
_WALK = """
    down down down down pagedown pagedown pageup up up down enter tab down down z esc down enter esc
    end home down down m down down esc e down down esc s s s s down a esc down up ? esc
    / 1 2 esc down down down ctrl+p m esc up up up pageup down down home down enter esc down
"""
WALK = _WALK.split()


@dataclass(slots=True)
class Keys:
    """What a walk told: ms until the first and the last change, and octets, by key."""

    first_ms: list[float] = field(default_factory=list)
    whole_ms: list[float] = field(default_factory=list)
    octets: dict[str, list[int]] = field(default_factory=dict)
    slowest: list[tuple[float, str]] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)


class Central:
    """A broker with a picture in it, and the stand-in on a thread of its own."""

    def __init__(self, port: int, links: int) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.stand_in = self.do(self._made(port, links))
        self._running = [self.begin(self.stand_in.client.run())]
        end = time.monotonic() + 10
        while not self.stand_in.client.connected and time.monotonic() < end:
            time.sleep(0.05)
        self.messages = self.do(self.stand_in.tell_all())
        self.titles = [link.title for link in self.stand_in.town.links.values()]

    async def _made(self, port: int, links: int) -> StandIn:
        return StandIn(port, links)

    def begin(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.begin(work).result(120)

    def end(self) -> None:
        for each in self._running:
            each.cancel()
        time.sleep(0.2)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)


@contextlib.contextmanager
def central(folder: Path, links: int) -> Iterator[tuple[Central, int]]:
    """A broker that holds a network of so many links."""
    argv, port = mosquitto(folder)
    config = folder / "mosquitto.conf"
    config.write_text(config.read_text().replace("max_queued_messages 100000", "max_queued_messages 2000"))
    with process(argv, folder / "broker.log"):
        time.sleep(0.5)
        found = Central(port, links)
        try:
            yield found, port
        finally:
            found.end()


def console(port: int, folder: Path, *, slow: bool = False) -> Session:
    """Start it, at once or at the end of a slow line."""
    command = [sys.executable, "-m", "ayni_io.cli", "console"]
    argv = [*command, "--broker", f"127.0.0.1:{port}", "--language", "en"]
    through: list[str] = []
    if slow:
        line = str(Path(__file__).parent / "slow_line.py")
        through = [sys.executable, line, str(SLOW_BPS), str(ROUND_TRIP_S), "80", "24"]
    environment = {
        "XDG_STATE_HOME": str(folder), "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": str(folder / "compiled"),
    }  # fmt: skip
    return Session(argv, environment=environment, through=through)


def started(session: Session, titles: list[str]) -> float:
    """Seconds from the start until a link's title is on the screen."""

    def there() -> bool:
        text = "\n".join(session.terminal.lines)
        return any(title in text for title in titles)

    if session.until(there, _START_WITHIN_S) is None:
        sys.exit("bench/console.py: no link within 40 s\n" + "\n".join(session.terminal.lines))
    return time.monotonic() - session.begun


def press(session: Session, name: str, calm_s: float, found: Keys) -> None:
    """One key, and what it changed below the head of the screen, which tells seconds by itself."""
    before, octets = session.terminal.cells()[1:], session.octets
    begun = last = time.monotonic()
    first = 0.0
    session.press(_KEYS.get(name, name.encode()))
    while time.monotonic() - (last if first else begun) < (calm_s if first else 3.0):
        if not session.pump(0.02):
            continue
        now, cells = session.read_at, session.terminal.cells()[1:]
        if cells != before:
            first, last, before = first or now, now, cells
    if not first:
        found.unanswered.append(f"{name}@{len(found.first_ms)}")
        return
    found.first_ms.append((first - begun) * 1000)
    found.whole_ms.append((last - begun) * 1000)
    found.octets.setdefault(name, []).append(session.octets - octets)
    found.slowest.append((round((first - begun) * 1000), name))


def walk(session: Session, *, slow: bool) -> Keys:
    """Some sixty keys, as an operator presses them."""
    session.calm(1.0, 5.0)
    found = Keys()
    for name in WALK:
        press(session, name, _CALM_S[slow], found)
        if len(found.unanswered) > _MOST_UNANSWERED:
            unheard = " ".join(found.unanswered)
            sys.exit(f"bench/console.py: no answer to {unheard}\n" + "\n".join(session.terminal.lines))
    return found


def octets_per_s(session: Session, for_s: float) -> float:
    """What is written in a while, a second."""
    octets, begun = session.octets, time.monotonic()
    while time.monotonic() - begun < for_s:
        session.pump(0.1)
    return (session.octets - octets) / (time.monotonic() - begun)


def p95(values: list[float]) -> float:
    return round(statistics.quantiles(values, n=20)[18], 1)


def at_work(session: Session, town: Central, for_s: float) -> tuple[float, float, float]:
    """(octets a second, share of a core in per cent, MB) while cells change."""
    text = "\n".join(session.terminal.lines)
    names = [
        name for name, link in town.stand_in.town.links.items()
        if link.state == "ok" and link.title in text.partition("ALL LINKS")[2]
    ][:12]  # fmt: skip
    turn, octets = 0, session.octets
    begun = Usage.of(session.pid)
    reports = town.begin(town.stand_in.report())
    while time.monotonic() - begun.at < for_s:
        town.begin(town.stand_in.change(names, turn))
        turn += 1
        while time.monotonic() - begun.at < turn:
            session.pump(0.1)
    reports.cancel()
    used = Usage.of(session.pid)
    took_s = used.at - begun.at
    if len(names) < 12:
        print(f"bench/console.py: only {len(names)} links are on the screen", file=sys.stderr)
    return (session.octets - octets) / took_s, 100 * (used.cpu_s - begun.cpu_s) / took_s, used.rss_mb


def measured(links: int, runs: int, seconds: float) -> tuple[list[Figure], dict[str, str]]:
    """All figures of one size of network."""
    starts: list[float] = []
    start_cpu_s: list[float] = []
    slow_starts: list[float] = []
    with tempfile.TemporaryDirectory(prefix="ayni-bench-") as name:
        folder = Path(name)
        with central(folder, links) as (town, port):
            session = console(port, folder)  # compiles what is imported, which is done once
            started(session, town.titles)
            session.end()
            for number in range(runs):
                session = console(port, folder)
                starts.append(started(session, town.titles))
                start_cpu_s.append(Usage.of(session.pid).cpu_s)
                if number < runs - 1:
                    session.end()
            whole = session.until(lambda: f"ALL LINKS {links} " in "\n".join(session.terminal.lines), 20)
            whole_s = time.monotonic() - session.begun
            quick = walk(session, slow=False)
            session.press(b"h")
            session.calm(1.0, 5.0)
            idle = octets_per_s(session, seconds)
            steady, cpu_pct, rss_mb = at_work(session, town, seconds)
            session.press(b"p")
            session.calm(1.0, 3.0)
            paused = octets_per_s(session, seconds / 2)
            session.end()
            for number in range(runs):
                session = console(port, folder, slow=True)
                slow_starts.append(started(session, town.titles))
                if number < runs - 1:
                    session.end()
            late = walk(session, slow=True)
            session.end()
    moves = sorted(each for name in ("up", "down") for each in quick.octets.get(name, []))
    pages = [each for name in ("pageup", "pagedown") for each in quick.octets.get(name, [])]
    whole_pages = [each for name in ("enter", "m", "e", "a", "?") for each in quick.octets.get(name, [])]
    slow_ms = ROUND_TRIP_S * 1000 + 150
    end = f"_{links}"

    def figure(key: str, value: float, unit: str, target: float | None = None, of: int = 1) -> Figure:
        return Figure(key=key + end, value=value, unit=unit, target=target, runs=of)

    figures = [
        figure("console_start_s", round(statistics.median(starts), 2), "s", 1, runs),
        figure("console_start_cpu_s", round(statistics.median(start_cpu_s), 2), "s", of=runs),
        figure("console_whole_start_s", round(whole_s, 2) if whole is not None else -1, "s"),
        figure("console_key_p95_ms", p95(quick.first_ms), "ms", 50),
        figure("console_key_whole_p95_ms", p95(quick.whole_ms), "ms"),
        figure("console_slow_start_s", round(statistics.median(slow_starts), 2), "s", 2, runs),
        figure("console_slow_key_p95_ms", p95(late.first_ms), "ms", slow_ms),
        figure("console_slow_key_whole_p95_ms", p95(late.whole_ms), "ms"),
        figure("console_idle_bps", round(idle, 1), "B/s", 300),
        figure("console_paused_bps", round(paused, 1), "B/s", 0),
        figure("console_steady_bps", round(steady, 1), "B/s", 300),
        figure("console_move_bytes", statistics.median(moves), "B", 400),
        figure("console_scroll_bytes", max(moves), "B"),
        figure("console_page_bytes", max(pages), "B", 8000),
        figure("console_screen_bytes", max(whole_pages), "B", 8000),
        figure("console_cpu_pct", round(cpu_pct, 1), "%", 3),
        figure("console_rss_mb", round(rss_mb, 1), "MB", 60),
    ]
    notes = {
        f"{links} links": f"{town.messages} messages retained; {len(quick.first_ms)} keys",
        f"slowest of {links}": ", ".join(f"{n} {ms:g}" for ms, n in sorted(quick.slowest)[-5:]),
        f"slowest of {links}, slow line": ", ".join(f"{n} {ms:g}" for ms, n in sorted(late.slowest)[-5:]),
    }
    if quick.unanswered or late.unanswered:
        notes[f"without an answer, {links}"] = " ".join(quick.unanswered + late.unanswered)
    return figures, notes


def main() -> int:
    """Measure and print."""
    parser = measure.arguments((__doc__ or "").splitlines()[0])
    parser.set_defaults(runs=3)
    parser.add_argument("--links", default="24,1000", help="sizes of network")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long a steady state is looked at")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_all: sys.exit(1))  # so that what was started is ended
    figures: list[Figure] = []
    notes: dict[str, str] = {}
    for links in arguments.links.split(","):
        found, told = measured(int(links), arguments.runs, arguments.seconds)
        figures += found
        notes |= told
    load = os.getloadavg()[0]
    measure.report("console", figures, as_json=arguments.json, notes={**notes, "load": f"{load:.1f}"})
    return 0


if __name__ == "__main__":
    sys.exit(main())
