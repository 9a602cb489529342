"""What may cut off a node when something happens to a device: seen from the inventory alone.

Sites hang together by links. A radio that is an end of a link takes its links with it; any other device of a
site (a router, a switch, a power box) may carry everything there, so it is counted as taking the whole site
along: the inventory does not say how cables run. This errs on the side of asking once more.
"""

from __future__ import annotations

from collections import deque

from ayni_core.commands import Order
from ayni_core.inventory import Network
from ayni_core.topology import build

ON_PATH, FAR = "path", "far"


def risk(network: Network, order: Order, node: str, device: str) -> str:
    """Why a command may lock people out: "path", the device is on the only way between its node and the ways
    out, and there is no undo; "far", it stands elsewhere than the node that would have to undo it; or ""."""
    if not device:
        return ""
    if order.doing.undo == "none":
        return ON_PATH if on_only_way(network, node, device) else ""
    cuts = order.doing.name == "poe" or (order.doing.name == "port" and order.value == "down")
    return FAR if cuts and network.devices[device].site != network.nodes[node].site else ""


def on_only_way(network: Network, node: str, device: str) -> bool:
    """Whether a node has a way out, and would have none without the device."""
    home = network.nodes[node].site
    return home in _with_a_way(network, "") and home not in _with_a_way(network, device)


def sites_cut_off(network: Network, device: str) -> tuple[str, ...]:
    """Sites that have a way out now and would have none without the device, in the order of the inventory."""
    lost = _with_a_way(network, "") - _with_a_way(network, device)
    return tuple(site for site in network.sites if site in lost)


def homes_cut_off(network: Network, device: str) -> int:
    """Households at these sites."""
    return sum(network.sites[site].homes for site in sites_cut_off(network, device))


def _with_a_way(network: Network, without: str) -> set[str]:
    """Sites that have a way to one of the roots when a device (or none) is out of order."""
    ends = {end.device for link in network.links.values() for _letter, end in link.ends}
    upstreams = [up.device for up in network.upstreams.values()]
    dead = network.devices[without].site if without and without not in ends else ""
    goals = {network.devices[each].site for each in upstreams if each != without}
    if not upstreams:
        goals = set(build(network).roots)
    goals.discard(dead)
    beside: dict[str, list[str]] = {}
    for link in network.links.values():
        if without not in (link.a.device, link.b.device):
            a, b = network.sites_of(link)
            beside.setdefault(a, []).append(b)
            beside.setdefault(b, []).append(a)
    seen, queue = set(goals), deque(goals)
    while queue:
        for there in beside.get(queue.popleft(), ()):
            if there not in seen and there != dead:
                seen.add(there)
                queue.append(there)
    return seen
