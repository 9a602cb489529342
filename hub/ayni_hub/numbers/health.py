"""How the hub itself is: what came in, what waits, what is stored, what is alarmed, what it costs."""

from __future__ import annotations

import os
import resource
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ayni_core.wire.messages import Alert
from ayni_hub.numbers import states
from ayni_hub.numbers.exposition import Family, Rows, labels
from ayni_hub.numbers.states import View

LEVELS = ("critical", "warn")
ALERT_STATES = ("firing", "acknowledged", "silenced", "maintenance", "flapping")
STATES = ("ready", "store-down", "clock-wrong")


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The hub at a moment. Counts are since its start; `folder` is where its files lie."""

    version: str
    state: str
    started_at: float
    connected: bool
    frames: int
    samples: int
    repeated: int
    refused: int
    inbox_frames: int
    inbox_bytes: int
    newest: float | None
    alerts: tuple[Alert, ...] = ()
    folder: Path | None = None


def families(health: Health, views: Iterable[View]) -> list[tuple[Family, Rows]]:
    """Everything about the hub. Sizes of files and the process are looked up here, off the hub's loop."""
    found: list[tuple[Family, Rows]] = [
        (Family(name="ayni_hub", kind="info", help="the hub"), [(labels(version=health.version), 1)]),
        (
            _gauge("state", "1 for the state that the hub is in"),
            [(labels(state=state), int(state == health.state)) for state in STATES],
        ),
        (_gauge("broker_connected", "1 while the hub has the broker"), [("", int(health.connected))]),
        (
            _gauge("start_time_seconds", "when the hub started, in seconds since 1970", "seconds"),
            [("", round(health.started_at, 1))],
        ),
        (_counter("frames", "frames stored"), [("", health.frames)]),
        (_counter("samples", "samples stored"), [("", health.samples)]),
        (
            _counter("repeated_frames", "frames that came again and were stored before"),
            [("", health.repeated)],
        ),
        (_counter("refused_frames", "frames that were not taken"), [("", health.refused)]),
        (
            _counter("acknowledged_frames", "frames that their monitors were told are safe"),
            [("", health.frames + health.repeated)],
        ),
        (_gauge("inbox_frames", "frames that wait to be stored"), [("", health.inbox_frames)]),
        (
            _gauge("inbox_bytes", "bytes of frames that wait to be stored", "bytes"),
            [("", health.inbox_bytes)],
        ),
        (
            _gauge("newest_sample_timestamp_seconds", "time of the newest sample stored", "seconds"),
            [] if health.newest is None else [("", health.newest)],
        ),
        (_gauge("file_bytes", "size of what the hub keeps on its disk", "bytes"), _sizes(health.folder)),
        (
            _gauge("things", "how many links, sites, devices, monitors and ways out are in a state"),
            _counted(views),
        ),
        (_gauge("alerts", "alerts that hold, by level and how they stand"), _alerts(health.alerts)),
        (
            _gauge("homes_cut", "homes behind critical alerts that no other explains"),
            [("", _homes(health.alerts))],
        ),
    ]
    return [*found, *process()]


def alert_state(alert: Alert) -> str:
    """How an alert stands with people, as one word of ALERT_STATES."""
    if alert.silenced_by is not None:
        return "silenced"
    if alert.maintenance is not None:
        return "maintenance"
    if alert.acked_by is not None:
        return "acknowledged"
    return "flapping" if alert.flapping else "firing"


def process() -> list[tuple[Family, Rows]]:
    """What the process costs (/proc, Linux)."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    found: list[tuple[Family, Rows]] = [
        (
            Family(name="ayni_hub_cpu_seconds", kind="counter", help="processor time used", unit="seconds"),
            [("", round(used.ru_utime + used.ru_stime, 2))],
        )
    ]
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        open_files = sum(1 for _each in Path("/proc/self/fd").iterdir())
    except (OSError, ValueError, IndexError):
        return found
    return [
        *found,
        (
            _gauge("resident_memory_bytes", "memory in use", "bytes"),
            [("", pages * os.sysconf("SC_PAGE_SIZE"))],
        ),
        (_gauge("open_fds", "files and sockets open"), [("", open_files)]),
    ]


def _alerts(alerts: Iterable[Alert]) -> list[tuple[str, int]]:
    """Every level and state, so that a graph shows nothing as 0 and not as a gap."""
    counted = Counter((alert.level, alert_state(alert)) for alert in alerts)
    return [
        (labels(level=level, state=state), counted[level, state])
        for level in LEVELS
        for state in ALERT_STATES
    ]


def _homes(alerts: Iterable[Alert]) -> int:
    return sum(alert.homes for alert in alerts if alert.level == "critical" and alert.silenced_by is None)


def _counted(views: Iterable[View]) -> list[tuple[str, int]]:
    counted = Counter((states.kind_of(view), view.state) for view in views)
    return [
        (labels(kind=kind, state=word), counted[kind, word])
        for kind, words in states.WORDS.items()
        for word in words
    ]


def _sizes(folder: Path | None) -> list[tuple[str, int]]:
    """The databases with what is still written apart from them."""
    sizes: Counter[str] = Counter()
    for path in folder.glob("*.db*") if folder is not None else ():
        try:
            sizes[path.name.partition(".db")[0]] += path.stat().st_size
        except OSError:  # gone meanwhile
            continue
    return [(labels(file=name), size) for name, size in sorted(sizes.items())]


def _gauge(name: str, text: str, unit: str = "") -> Family:
    return Family(name=f"ayni_hub_{name}", kind="gauge", help=text, unit=unit)


def _counter(name: str, text: str) -> Family:
    return Family(name=f"ayni_hub_{name}", kind="counter", help=text)
