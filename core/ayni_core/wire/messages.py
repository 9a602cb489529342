"""What travels besides frames: presence, acknowledgements, the judge's view, alerts, commands, the lab.

Each is a frozen dataclass; `shape.pack` and `shape.unpack` turn it into JSON and back. Times are seconds
since 1970, UTC.
"""

from __future__ import annotations

from dataclasses import dataclass

from ayni_core.message import Message
from ayni_core.wire.views import LINK_STATES as LINK_STATES
from ayni_core.wire.views import Alert as Alert
from ayni_core.wire.views import Community as Community
from ayni_core.wire.views import EndView as EndView
from ayni_core.wire.views import HubState as HubState
from ayni_core.wire.views import LinkView as LinkView
from ayni_core.wire.views import NodeView as NodeView


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierBoot:
    """A boot of a node's machine from which frames may still wait, in `NodeState`.

    `until_s` is the last that is known of its monotonic clock, `offset_s` what its wall clock was ahead of
    that, `trusted` whether that had been synchronised.
    """

    boot: str
    until_s: float
    offset_s: float
    trusted: bool = False
    step: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeState:
    """`state/NODE`, retained: the birth of an agent, or its last will with `up` false.

    `mono_s` is its monotonic clock at the birth; `earlier` are boots before this one, oldest first.
    """

    up: bool
    epoch: str = ""
    boot: str = ""
    version: str = ""
    devices: int = 0
    poll_s: float = 0.0
    flush_s: float = 0.0
    at: float = 0.0
    mono_s: float = 0.0
    earlier: tuple[EarlierBoot, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A frame that the hub will never take, and why."""

    seq: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A frame whose name could not be read, by the CRC-32 of its bytes; the reason `dictionary` asks for the
    same frame without dictionary, any other is final."""

    crc: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """`ack/NODE`: `stored` holds pairs (first, last) of sequence numbers that are safe on the hub's disk.

    `unread` belongs to no epoch: it names frames by their bytes.
    """

    epoch: str
    stored: tuple[tuple[int, ...], ...] = ()
    refused: tuple[Refused, ...] = ()
    unread: tuple[Unread, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PartState:
    """`part/PART`, retained: how a part of a larger hub is, or `gone` (its last will).

    `role` is `worker`, which stores what comes for its `buckets`, or `village`, which feeds a server; `state`
    is as in `HubState`.
    """

    role: str
    state: str
    at: float = 0.0
    version: str = ""
    buckets: tuple[int, ...] = ()


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
class UpstreamView:
    """`net/upstream/UPSTREAM`, retained: a way out to the Internet; `state` is `ok`, `down` or `unknown`."""

    id: str
    title: str
    site: str
    state: str
    since: float


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
class ToldEvent:
    """An event, in `Told`; `number` grows from one to the next within one memory."""

    number: int
    event: Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """`told/PART`: what happened at a part, oldest first. `memory` names the ledger that has the numbers."""

    memory: str
    events: tuple[ToldEvent, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """`heard/PART`: events up to this `number` of that `memory` are written down here."""

    memory: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """`cmd/NODE`: one command for the agent that was started with this `epoch` in this `boot`.

    `do` is a name of `commands.COMMANDS`; `hello`, which asks only for the agent's clock; or `confirm`,
    which answers the `nonce` of the command `id` on probation. After `until_s` on the agent's CLOCK_BOOTTIME
    it is not done any more. A `watch` without `until_s` renews the copies for somebody who looks, and is
    not answered.
    """

    id: str
    do: str
    epoch: str
    boot: str = ""
    until_s: float = 0.0
    by: str = ""
    role: str = ""
    device: str = ""
    item: str = ""
    target: str = ""
    value: str = ""
    count: int = 0
    for_s: float = 0.0
    force: bool = False
    risk: str = ""
    nonce: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandState:
    """`done/NODE`: how far a command is. `state` is one of `commands.STATES`.

    While it runs, `lines` are those since the last state; a final state has all of them. `mono_s` is the
    agent's CLOCK_BOOTTIME; `epoch` and `boot` are in the answer to `hello` only.
    """

    id: str
    do: str
    state: str
    progress: float = 0.0
    text: Message | None = None
    lines: tuple[str, ...] = ()
    nonce: str = ""
    at: float = 0.0
    mono_s: float = 0.0
    epoch: str = ""
    boot: str = ""


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
