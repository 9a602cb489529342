"""What an agent says of itself on the spot: `ayni agent status` asks, `status_socket` carries it as JSON.

Ages instead of times of day: the wall clock of a node may be wrong, and how old something is, it still knows.
None: not known, or there is none. Names of states are for programs; `status_view` has the words for people.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ayni_core.message import Message

SOCKET = "agent.sock"
"""In the `runtime_dir` of the agent."""
DEFAULT_SOCKET = Path("/run/ayni") / SOCKET


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockStatus:
    """`synchronised` now; `trusted`: it is, or was and nobody has set it since. `steps` counts how often
    it was set, the last time `jump_age_s` ago by `jump_s`."""

    wall_s: float
    synchronised: bool
    trusted: bool
    steps: int
    jump_s: float | None = None
    jump_age_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HubStatus:
    """The way to the central. `connected` to the `broker` or not since `age_s`; the central is `ready`,
    `store-down`, `clock-wrong`, `gone` or `unknown`. `problem` is `network`, `lost`, `tls`, `refused` (who we
    are) or `denied` (what we send), with its `cause`. The broker's certificate is good until
    `certificate_ends`, in seconds since 1970."""

    broker: str
    connected: bool
    age_s: float
    state: str
    ack_age_s: float | None = None
    problem: str = ""
    cause: str = ""
    certificate_ends: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalStatus:
    """A frame that the central will never take."""

    name: str
    reason: str
    age_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxStatus:
    """What waits for the central, and what never came there. See `outbox.Statistics`."""

    frames: int
    size_bytes: int
    oldest_age_s: float | None = None
    dropped: int
    damaged: int
    refused: int
    refusals: tuple[RefusalStatus, ...]
    storage: str
    trouble: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetStatus:
    """Bytes sent and received. `saving` is 0 (as configured) to 3; `counted` is `tcp_info` or `estimated`."""

    today_bytes: int
    month_bytes: int
    cap_bytes: int | None = None
    forecast_bytes: int | None = None
    saving: int
    counted: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueStatus:
    """One value of a device that matters."""

    group: str
    item: str
    metric: str
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceStatus:
    """`state` is `ok`, `slow`, `failing` (the last polls did not get through), `silent` or `new`, since
    `state_age_s`."""

    name: str
    state: str
    state_age_s: float | None = None
    address: str
    family: str = ""
    answered_age_s: float | None = None
    error: str = ""
    values: tuple[ValueStatus, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmStatus:
    """A rule of the shared ones that holds now, as this node alone judges."""

    rule: str
    device: str
    item: str
    level: str
    age_s: float | None = None
    text: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class DayStatus:
    """The last day of a device. `hours` has a letter an hour, oldest first: `o` answered always, `w` not
    always, `d` never, `-` nothing known. `low`, `mean` and `high` are of the series that matters most."""

    device: str
    hours: str
    answered_pct: float | None = None
    group: str = ""
    item: str = ""
    metric: str = ""
    low: float | None = None
    mean: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """All of it. `day` may lag behind while old frames are still being read: `day_whole` says."""

    node: str
    version: str
    up_s: float
    poll_s: float
    flush_s: float
    clock: ClockStatus
    hub: HubStatus
    outbox: OutboxStatus
    budget: BudgetStatus | None = None
    devices: tuple[DeviceStatus, ...]
    alarms: tuple[AlarmStatus, ...]
    day: tuple[DayStatus, ...]
    day_whole: bool


def age(now_s: float, then_s: float) -> float:
    """Seconds since then, never less than none."""
    return round(max(0.0, now_s - then_s), 1)
