"""One alert, not forty: which alert explains which.

A link that is down explains what lies behind it, the devices at its ends, and its own lesser troubles.
"""

from __future__ import annotations

from collections.abc import Mapping

from ayni_core.inventory import Network
from ayni_core.topology import Topology
from ayni_core.wire.messages import Alert

_CUT = "link-down"


def silenced_by(alerts: Mapping[str, Alert], network: Network, topology: Topology) -> dict[str, str | None]:
    """For every alert the one that explains it: of those that do, the one nearest to the upstream.

    Both ends of a link usually suffer together: then the first of their alerts speaks for all.
    """
    cuts = sorted(
        (alert for alert in alerts.values() if alert.rule == _CUT),
        key=lambda alert: len(topology.behind.get(alert.name, ())),
        reverse=True,
    )
    result = {
        identifier: next((cut.id for cut in cuts if _explains(cut, alert, network, topology)), None)
        for identifier, alert in alerts.items()
    }
    speaks: dict[str, str] = {}
    for alert in sorted(alerts.values(), key=lambda each: (each.level != "critical", each.since, each.id)):
        if alert.kind == "link" and result[alert.id] is None:
            first = speaks.setdefault(alert.name, alert.id)
            result[alert.id] = first if first != alert.id else None
    return result


def _explains(cut: Alert, alert: Alert, network: Network, topology: Topology) -> bool:
    if alert.id == cut.id:
        return False
    link = network.links.get(cut.name)
    if link is None:
        return False
    behind = topology.behind.get(cut.name, frozenset())
    match alert.kind:
        case "link":
            if alert.name == cut.name:
                return alert.rule != _CUT
            other = network.links.get(alert.name)
            return other is not None and all(site in behind for site in network.sites_of(other))
        case "device":
            device = network.devices.get(alert.name)
            return device is not None and (
                device.site in behind or alert.name in (link.a.device, link.b.device)
            )
        case "node":
            node = network.nodes.get(alert.name)
            return node is not None and node.site in behind
    return False
