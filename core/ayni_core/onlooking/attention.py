"""What needs the operator, worst first: firing alerts, and what is late although nobody raised an alert."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from ayni_core.message import Message
from ayni_core.onlooking.model import NO_CONTACT, Model
from ayni_core.wire.views import LINK_STATES, Alert, LinkView

_DOWN = {"link_down", "device_silent", "upstream_down", "port_down"}
_NO_NEWS = {"agent_offline"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One line of DO FIRST: the thing, its state, since when, how many homes, and why."""

    key: str
    kind: str
    name: str
    state: str
    since: float | None
    homes: int
    cause: Message | None = None
    headline: Message | None = None
    text: Message | None = None
    acked_by: str | None = None
    maintenance: bool = False
    flapping: bool = False

    @property
    def in_hand(self) -> bool:
        """Whether it needs nobody just now: somebody is at it, or all know of it."""
        return self.acked_by is not None or self.maintenance


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many things need somebody, how many links are well, and of how many nothing is known."""

    need: int
    ok: int
    no_data: int


def alert_state(alert: Alert) -> str:
    """The state that an alert speaks of: rules may have any name, their texts are known."""
    known = {alert.text.context.removeprefix("rule."), alert.rule.replace("-", "_")}
    if known & _DOWN:
        return "down"
    return "no_news" if known & _NO_NEWS else "weak"


def items(model: Model, now: float) -> list[Item]:
    """Everything that needs the operator, ranked: what nobody has in hand first, down before weak, then by
    the homes affected, then the oldest."""
    found = [of_alert(alert) for alert in model.alerts.values() if alert.silenced_by is None]
    spoken_of = {(alert.kind, alert.name) for alert in model.alerts.values()}
    found += _without_alert(model, now, spoken_of)
    return sorted(found, key=_rank)


def counts(model: Model, now: float, worklist: list[Item]) -> Counts:
    """The three numbers in the head of Home."""
    states = Counter(model.link_states(now).values())
    silent = sum(item.state == "no_news" for item in worklist)
    return Counts(
        need=sum(item.state in ("down", "weak") and not item.in_hand for item in worklist),
        ok=states["ok"],
        no_data=max(states["no_news"] + states["unknown"], silent),
    )


def find(model: Model, kind: str, name: str, now: float) -> Item | None:
    """The line of DO FIRST that speaks of one thing, silenced or not."""
    for item in items(model, now):
        if (item.kind, item.name) == (kind, name):
            return item
    for alert in model.alerts.values():
        if (alert.kind, alert.name) == (kind, name):
            return of_alert(alert)
    return None


def _rank(item: Item) -> tuple[bool, int, int, float, str]:
    order = LINK_STATES.index(item.state) if item.state in LINK_STATES else len(LINK_STATES)
    return item.in_hand, order, -item.homes, item.since or 0.0, item.key


def of_alert(alert: Alert) -> Item:
    """An alert as a line of DO FIRST."""
    return Item(
        key=f"alert:{alert.id}",
        kind=alert.kind,
        name=alert.name,
        state="weak" if alert.flapping and not alert.holds else alert_state(alert),
        since=alert.since,
        homes=alert.homes,
        cause=alert.cause,
        headline=alert.headline,
        text=alert.text,
        acked_by=alert.acked_by,
        maintenance=alert.maintenance is not None,
        flapping=alert.flapping,
    )


def _without_alert(model: Model, now: float, spoken_of: set[tuple[str, str]]) -> list[Item]:
    """Monitors whose report is late, and links that are late while their monitor is not."""
    if model.contact(now) in NO_CONTACT:
        return []  # everything is late, and the head of the screen says why
    found: list[Item] = []
    behind: set[str] = set()
    for name in _late(model.node_states(now)):
        node = model.nodes[name]
        behind.add(node.id)
        if ("node", node.id) not in spoken_of:
            found.append(_silent("node", node.id, node.as_of, _homes_at(model, node.site)))
    for name in _late(model.link_states(now)):
        link = model.links[name]
        if ("link", link.id) not in spoken_of and not _watched_by(model, link) & behind:
            found.append(_silent("link", link.id, model.link_since(link, now), link.homes))
    return found


def _late(states: Mapping[str, str]) -> list[str]:
    if "no_news" not in states.values():
        return []
    return [name for name, state in states.items() if state == "no_news"]


def _watched_by(model: Model, link: LinkView) -> set[str]:
    devices = (model.devices.get(end.device) for end in (link.a, link.b))
    return {device.node for device in devices if device is not None}


def _homes_at(model: Model, site: str) -> int:
    found = model.sites.get(site)
    return found.homes_behind or found.homes if found else 0


def _silent(kind: str, name: str, since: float | None, homes: int) -> Item:
    return Item(
        key=f"late:{kind}/{name}",
        kind=kind,
        name=name,
        state="no_news",
        since=since,
        homes=homes,
        cause=Message("cause.monitor_silent"),
        headline=Message("headline.monitor_silent"),
    )
