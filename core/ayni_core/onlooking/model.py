"""What an onlooker knows of the network: built up from retained messages, one at a time.

Pure: bytes and times go in, values come out. A newer message replaces an older one; an empty one removes
it. Nothing here trusts that news goes on coming: whoever asks for a state gives the time it is now.
What a first screen can do without is decoded when somebody looks at it (`Late`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

from ayni_core.onlooking.late import Late
from ayni_core.onlooking.standing import Standing
from ayni_core.wire import topics
from ayni_core.wire.errors import WireError
from ayni_core.wire.shape import unpack
from ayni_core.wire.views import Alert, Community, HubState, LinkView, NodeView

if TYPE_CHECKING:
    from ayni_core.wire.messages import DeviceView, LabState, NodeState, SiteView, UpstreamView

QUIET_S = 150.0
"""Without a word from the central for so long, contact counts as lost."""
HOLDING = ("gone", "store-down", "clock-wrong")
"""States of a central that takes nothing in."""
NO_CONTACT = ("broker", "silent", *HOLDING)
"""What is shown is old then."""
_SKEW_S = 5.0
KINDS = ("community", "link", "upstream", "node", "site", "device")
"""What is told of under `net/`; what a first screen needs comes first."""


class Model:
    """The picture of the network. `version` changes with every change of it."""

    def __init__(self) -> None:
        self.version = 0
        self.community = Community(title="")
        self.links: dict[str, LinkView] = {}
        self.sites: Late[SiteView] = Late(_decoder("SiteView"))
        self.devices: Late[DeviceView] = Late(_decoder("DeviceView"))
        self.nodes: dict[str, NodeView] = {}
        self.upstreams: Late[UpstreamView] = Late(_decoder("UpstreamView"))
        self.alerts: dict[str, Alert] = {}
        self.presence: Late[NodeState] = Late(_decoder("NodeState"))
        self.hub: HubState | None = None
        self.lab: LabState | None = None
        self.connected = False
        self.trouble = ""
        self.contact_at: float | None = None
        self.past: float | None = None
        """Where this is the past: how many seconds of it go by in one; 0: it stands still."""
        self._refused = 0
        self.skew_s = 0.0
        self._standing_links, self._standing_nodes = Standing(self.links), Standing(self.nodes)
        self._read: dict[str, dict[str, Any]] = {"link": self.links, "node": self.nodes, "alert": self.alerts}
        self._late: dict[str, Late[Any]] = {
            "site": self.sites,
            "device": self.devices,
            "upstream": self.upstreams,
            "state": self.presence,
        }
        self._unconfirmed: set[tuple[str, str]] = set()

    def apply(self, topic: str, payload: bytes, retained: bool, at: float) -> None:
        """Take one message in; what cannot be understood is counted in `refused` and changes nothing. Of what
        is decoded late that is found then."""
        try:
            address = topics.parse(topic)
            self._take(address.root, address.words, payload, retained, at)
        except WireError:
            self._refused += 1
            return
        if not retained and address.root in ("hub", "beat", "alert", "net", "answer"):
            self.heard(at)
        self.version += 1

    def _take(self, root: str, words: tuple[str, ...], payload: bytes, retained: bool, at: float) -> None:
        match root:
            case "net" if words[0] == "community":
                self.community = unpack(Community, payload) if payload else Community(title="")
            case "net" if words[0] in KINDS:
                self._keep(words[0], words[1], payload)
            case "alert" | "state":
                self._keep(root, words[0], payload)
            case "hub" | "beat":
                self.hub = unpack(HubState, payload) if payload else None
                if self.hub and not retained and self.hub.state not in ("gone", "clock-wrong"):
                    # an `at` of the past may be when the central started; one of the future is our clock
                    self.skew_s = self.hub.at - at if self.hub.at - at > _SKEW_S else 0.0
            case "lab" if not words:
                self.lab = _decoder("LabState")(payload) if payload else None

    def heard(self, at: float) -> None:
        """The central has said something just now."""
        self.contact_at = at
        self.version += 1

    def linked(self, connected: bool, trouble: str = "") -> None:
        """The way to the broker came up or broke. What is known by then may be gone when it comes up: it
        is `unconfirmed` until it is told again."""
        if connected and not self.connected:
            self._unconfirmed = {(kind, name) for kind, table in self._read.items() for name in table}
            self._unconfirmed |= {(kind, name) for kind, late in self._late.items() for name in late.names()}
        self.connected, self.trouble = connected, trouble
        self.version += 1

    @property
    def unconfirmed(self) -> int:
        """How many things were not told again since the way to the broker came up."""
        return len(self._unconfirmed)

    def confirm(self) -> None:
        """All that is there was told by now: what was not told again is gone."""
        for kind, name in self._unconfirmed:
            self._remove(kind, name)
        if self._unconfirmed:
            self._unconfirmed = set()
            self.version += 1

    def _keep(self, kind: str, name: str, payload: bytes) -> None:
        if not payload:
            self._remove(kind, name)
        elif kind == "link":
            self.links[name] = unpack(LinkView, payload)
        elif kind == "node":
            self.nodes[name] = unpack(NodeView, payload)
        elif kind == "alert":
            self.alerts[name] = unpack(Alert, payload)
        else:
            self._late[kind].put(name, payload)
        self._unconfirmed.discard((kind, name))

    def _remove(self, kind: str, name: str) -> None:
        table: MutableMapping[str, Any] = self._late[kind] if kind in self._late else self._read[kind]
        table.pop(name, None)

    @property
    def refused(self) -> int:
        """How many messages could not be understood, as far as they were looked at."""
        return self._refused + sum(late.refused for late in self._late.values())

    @property
    def training(self) -> bool:
        """Whether this network is a pretend one."""
        return self.lab is not None or self.community.training

    def now(self, at: float) -> float:
        """The central's time: this machine's clock, corrected where the central said otherwise."""
        return at + self.skew_s

    def contact_age(self, now: float) -> float | None:
        """Seconds since the central was last heard; None before that."""
        return None if self.contact_at is None else max(now - self.skew_s - self.contact_at, 0.0)

    def contact(self, now: float) -> str:
        """`live`, `waiting` (never heard), `broker` (no way there), `silent`, or why the central takes in
        nothing: `gone` (it ended), `store-down`, `clock-wrong`."""
        if not self.connected:
            return "broker"
        if self.hub is not None and self.hub.state in HOLDING:
            return self.hub.state
        age = self.contact_age(now)
        if age is None:
            return "waiting"
        return "live" if age <= QUIET_S else "silent"

    def late(self, next_by: float | None, now: float) -> bool:
        """Whether news that was promised by `next_by` is late by more than two polls."""
        return next_by is not None and now > next_by + 2 * self.community.poll_s

    def link_state(self, link: LinkView, now: float) -> str:
        """A link's state, NO NEWS when its news is late."""
        return "no_news" if self.late(link.next_by, now) else link.state

    def device_state(self, device: DeviceView, now: float) -> str:
        """A device's state, NO NEWS when its news is late."""
        return "no_news" if self.late(device.next_by, now) else device.state

    def node_state(self, node: NodeView, now: float) -> str:
        """A monitor's state, NO NEWS when its news is late."""
        return "no_news" if self.late(node.next_by, now) else node.state

    def link_states(self, now: float) -> Mapping[str, str]:
        """The state of each link, as `link_state` says it; the same mapping until one is another one."""
        return self._standing_links.states(now, 2 * self.community.poll_s, self.version)

    def node_states(self, now: float) -> Mapping[str, str]:
        """The state of each monitor, as `node_state` says it."""
        return self._standing_nodes.states(now, 2 * self.community.poll_s, self.version)

    def link_as_of(self, link: LinkView) -> float | None:
        """When a link was measured: its older end, for a link is known only as well as both are."""
        return min((end.as_of for end in (link.a, link.b) if end.as_of is not None), default=None)

    def link_since(self, link: LinkView, now: float) -> float | None:
        """Since when a link is in its state; for NO NEWS found here, when it was last measured."""
        if link.state != "no_news" and self.late(link.next_by, now):
            return max((end.as_of for end in (link.a, link.b) if end.as_of is not None), default=None)
        return link.since

    def title(self, kind: str, name: str) -> str:
        """What people call a thing."""
        found = self._find(kind, name)
        return str(found.title) if found is not None and found.title else name

    def state(self, kind: str, name: str, now: float) -> str:
        """The state of anything that has one."""
        found = self._find(kind, name)
        if found is None:
            return "unknown"
        if kind in ("link", "device", "node") and self.late(found.next_by, now):
            return "no_news"
        return str(found.state)

    def site_of(self, kind: str, name: str) -> str | None:
        """The site a thing stands at; for a link its second end, which is where people go."""
        found = self._find(kind, name)
        if found is None:
            return None
        return str(found.b.site if kind == "link" else found.id if kind == "site" else found.site)

    def _find(self, kind: str, name: str) -> Any:
        """The view of a link, site, device, monitor or way out."""
        if kind in ("link", "node"):
            return self._read[kind].get(name)
        return self._late[kind].get(name) if kind in self._late and kind != "state" else None


def _decoder(shape: str) -> Callable[[bytes], Any]:
    """How to read one of the views that come late; its class is made when the first one is read."""

    def decode(payload: bytes) -> Any:
        from ayni_core.wire import messages

        return unpack(getattr(messages, shape), payload)

    return decode
