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
    roots, home = build(network).roots, network.nodes[node].site
    return _reaches(network, home, roots, "") and not _reaches(network, home, roots, device)


def homes_cut_off(network: Network, device: str) -> int:
    """Households that have a way out now and would have none without the device."""
    roots = build(network).roots
    sites = [
        site
        for site in network.sites.values()
        if _reaches(network, site.name, roots, "") and not _reaches(network, site.name, roots, device)
    ]
    return sum(site.homes for site in sites)


def _reaches(network: Network, start: str, roots: tuple[str, ...], without: str) -> bool:
    """Whether a site has a way to one of the roots when a device (or none) is out of order."""
    ends = {end.device for link in network.links.values() for _letter, end in link.ends}
    upstreams = [up.device for up in network.upstreams.values()]
    dead = network.devices[without].site if without and without not in ends else ""
    goals = {network.devices[each].site for each in upstreams if each != without} if upstreams else set(roots)
    if dead:
        goals.discard(dead)
    if start == dead:
        return False
    seen, queue = {start}, deque([start])
    while queue:
        site = queue.popleft()
        if site in goals:
            return True
        for link in network.links.values():
            if without in (link.a.device, link.b.device):
                continue
            a, b = network.sites_of(link)
            for here, there in ((a, b), (b, a)):
                if here == site and there not in seen and there != dead:
                    seen.add(there)
                    queue.append(there)
    return False
