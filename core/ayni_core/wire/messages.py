"""What travels besides frames: presence, acknowledgements, the judge's view, alerts, commands, the lab.

Each is a frozen dataclass; `shape.pack` and `shape.unpack` turn it into JSON and back. Times are seconds
since 1970, UTC.
"""

from __future__ import annotations

from dataclasses import dataclass

from ayni_core.message import Message

LINK_STATES = ("down", "weak", "no_news", "unknown", "ok")
"""Worst first: the order of the operator's attention."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeState:
    """`state/NODE`, retained: the birth of an agent, or its last will with `up` false."""

    up: bool
    epoch: str = ""
    boot: str = ""
    version: str = ""
    devices: int = 0
    poll_s: float = 0.0
    flush_s: float = 0.0
    at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A frame that the hub will never take, and why."""

    seq: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """`ack/NODE`: `stored` holds pairs (first, last) of sequence numbers that are safe on the hub's disk."""

    epoch: str
    stored: tuple[tuple[int, ...], ...] = ()
    refused: tuple[Refused, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HubState:
    """`hub`, retained: `ready`, `store-down`, or `gone` (its last will)."""

    state: str
    at: float = 0.0
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Community:
    """`net/community/about`, retained: the network as a whole."""

    title: str
    language: str = "en"
    poll_s: float = 60.0
    training: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EndView:
    """What is known of one end of a link. None: not known. `as_of` is when it was measured.

    `site` and `device` are names of the inventory; `group` and `item` say under which series this end hears
    the other.
    """

    site: str
    device: str
    item: str | None = None
    group: str | None = None
    answers: bool | None = None
    signal_dbm: float | None = None
    normal_dbm: float | None = None
    noise_dbm: float | None = None
    chains_dbm: tuple[float, ...] = ()
    tx_rate_bps: float | None = None
    rx_rate_bps: float | None = None
    ccq_pct: float | None = None
    retry_pct: float | None = None
    connected_s: float | None = None
    uptime_s: float | None = None
    voltage_v: float | None = None
    port: str | None = None
    port_speed_bps: float | None = None
    as_of: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkView:
    """`net/link/LINK`, retained. `state` is one of LINK_STATES; `day` has a letter an hour, oldest first:
    `o` ok, `w` weak, `d` down, `n` no news, `-` nothing known."""

    id: str
    title: str
    state: str
    since: float
    homes: int
    a: EndView
    b: EndView
    cause: Message | None = None
    headline: Message | None = None
    day: str = ""
    next_by: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteView:
    """`net/site/SITE`, retained. `parent` is the link through which the site reaches its upstream."""

    id: str
    title: str
    state: str
    homes: int
    homes_behind: int
    latitude: float | None = None
    longitude: float | None = None
    power: str = "mains"
    parent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceView:
    """`net/device/DEVICE`, retained. `state` is `ok`, `silent`, `no_news` or `unknown`."""

    id: str
    title: str
    site: str
    node: str
    state: str
    since: float
    address: str
    profile: str | None = None
    model: str | None = None
    version: str | None = None
    error: str | None = None
    as_of: float | None = None
    next_by: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeView:
    """`net/node/NODE`, retained: a monitor as the judge sees it; `state` is `ok`, `no_news` or `unknown`."""

    id: str
    title: str
    site: str
    state: str
    since: float
    version: str = ""
    as_of: float | None = None
    next_by: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamView:
    """`net/upstream/UPSTREAM`, retained: a way out to the Internet; `state` is `ok`, `down` or `unknown`."""

    id: str
    title: str
    site: str
    state: str
    since: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """`alert/ID`, retained while it lasts; an empty payload ends it.

    `kind` and `name` say what it is about: link, device, node or upstream. `level` is `warn` or
    `critical`. `silenced_by` names the alert that explains this one.
    """

    id: str
    rule: str
    kind: str
    name: str
    level: str
    since: float
    text: Message
    cause: Message | None = None
    headline: Message | None = None
    homes: int = 0
    silenced_by: str | None = None
    acked_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened: an alert fired or cleared, a note, a start. `kind`/`name` as in `Alert`."""

    at: float
    text: Message
    level: str = "info"
    kind: str = ""
    name: str = ""
    author: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """`cmd/NODE`: one command for the agent that was started with this `epoch`; any other ignores it.

    `do` is `watch`: send copies of each poll for `for_s` seconds on the agent's monotonic clock.
    """

    id: str
    do: str
    epoch: str
    for_s: float = 0.0
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that can be broken in the lab."""

    id: str
    title: Message
    active: bool = False
    since: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """Something that can be tried in the lab; `about` holds pairs (kind, name) of what it is tried on."""

    id: str
    title: Message
    about: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LabState:
    """`lab`, retained: a pretend network: what can be broken, what can be tried, the last word."""

    faults: tuple[Fault, ...] = ()
    repairs: tuple[Repair, ...] = ()
    last: Message | None = None
    at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LabDo:
    """`lab/do/PERSON`: `do` is `break`, `repair` or `reset`; `what` names a fault or a repair."""

    do: str
    what: str = ""
