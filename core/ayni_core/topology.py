"""Who hangs behind whom: the tree of sites, seen from where the Internet comes in."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from ayni_core.inventory import Link, Network


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """`parent` gives the link through which a site reaches the upstream (none at the root itself), `above`
    the site at its near end; `behind` gives the sites that are cut off when a link is. `order` has the sites
    that can be reached, those nearest to the Internet first; `root` says for each at which root it hangs."""

    roots: tuple[str, ...]
    parent: Mapping[str, str]
    behind: Mapping[str, frozenset[str]]
    above: Mapping[str, str]
    order: tuple[str, ...]
    root: Mapping[str, str]

    def homes_behind(self, link: str, network: Network) -> int:
        """Households that lose their way out when this link is down."""
        return sum(network.sites[site].homes for site in self.behind.get(link, ()))


def build(network: Network) -> Topology:
    """The tree, breadth first from the sites with an upstream (none known: from the first node's site)."""
    roots = tuple(dict.fromkeys(network.devices[up.device].site for up in network.upstreams.values()))
    if not roots:
        first = next(iter(network.nodes.values()), None)
        roots = (first.site,) if first else tuple(network.sites)[:1]
    neighbours: dict[str, list[tuple[str, Link]]] = {site: [] for site in network.sites}
    for link in network.links.values():
        a, b = network.sites_of(link)
        neighbours[a].append((b, link))
        neighbours[b].append((a, link))
    parent: dict[str, str] = {}
    above: dict[str, str] = {}
    order: list[str] = []
    queue = deque(roots)
    seen = set(roots)
    while queue:
        site = queue.popleft()
        order.append(site)
        for other, link in neighbours[site]:
            if other not in seen:
                seen.add(other)
                parent[other], above[other] = link.name, site
                queue.append(other)
    below: dict[str, set[str]] = {site: {site} for site in order}
    for site in reversed(order):
        if site in above:
            below[above[site]] |= below[site]
    behind = {link: frozenset(below[site]) for site, link in parent.items()}
    root: dict[str, str] = {}
    for site in order:
        root[site] = root[above[site]] if site in above else site
    return Topology(roots=roots, parent=parent, behind=behind, above=above, order=tuple(order), root=root)
