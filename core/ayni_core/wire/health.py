"""The question `health` and its answer: how the central, its parts and the monitors are.

All times are seconds since 1970, as the central counts them.
"""

from __future__ import annotations

from dataclasses import dataclass

from ayni_core.message import Message

MOST_MONITORS = 200
"""In one answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskHealth:
    """`health`: how the central is, and these monitors (none named: the first ones). Answered by `Health`."""

    ask: str = "health"
    monitors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CentralHealth:
    """The central: in its `state` (as in `HubState`) `since` then.

    `reports` and `refused` count since the start; `waiting` reports came and are not stored yet.
    `memory_bytes` is what it keeps on its disk, where `free_bytes` are left; `store` is the kind of its
    store.
    """

    name: str
    role: str
    version: str
    state: str
    since: float
    started_at: float
    newest_at: float | None = None
    reports: int = 0
    refused: int = 0
    waiting: int = 0
    store: str = ""
    memory_bytes: int | None = None
    free_bytes: int | None = None
    samples_days: int = 0
    events_days: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PartHealth:
    """Another part of a larger central. `role` is `worker`, `village`, or `server`, which we feed; `state` is
    as in `HubState`, `since` then as far as we know. `waiting` reports are kept for a server."""

    name: str
    role: str
    state: str
    since: float
    version: str = ""
    buckets: str = ""
    monitors: int = 0
    waiting: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorHealth:
    """A monitor. `clock` is `right`, `unsure` (nobody has confirmed it) or empty (not known); it is ahead of
    the central's by `ahead_s`, less what reports need on their way. The rest was said at `told_at` and is as
    in `NodeHealth`."""

    id: str
    clock: str = ""
    ahead_s: float | None = None
    clock_at: float | None = None
    told_at: float | None = None
    waiting: int = 0
    waiting_bytes: int = 0
    room_days: int | None = None
    lost: int = 0
    on_disk: bool = True
    today_bytes: int = 0
    month_bytes: int = 0
    cap_bytes: int | None = None
    forecast_bytes: int | None = None
    saving: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateHealth:
    """A certificate that others meet at the central: good until `ends`. `of` is `broker`, `server` (which we
    feed), `phone` or `numbers`; `name` is where it is shown, or of a `file` its path."""

    of: str
    name: str
    ends: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupHealth:
    """Of the central's backups, where it is told to make some: there should be any `since`; the newest good
    one is of `good_at`, and `fault` is what was wrong the last time, as a sentence."""

    since: float
    good_at: float | None = None
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The answer to `health`."""

    central: CentralHealth | None = None
    parts: tuple[PartHealth, ...] = ()
    monitors: tuple[MonitorHealth, ...] = ()
    certificates: tuple[CertificateHealth, ...] = ()
    backup: BackupHealth | None = None
    error: Message | None = None
