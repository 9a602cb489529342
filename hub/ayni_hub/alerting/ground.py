"""What the inventory alone says of who hangs on whom, looked up once: silence is then a matter of tables."""

from __future__ import annotations

from collections.abc import Iterable

from ayni_core.inventory import Network
from ayni_core.topology import Topology

PROBES = "probes"
"""The kind of source that looks at the Internet from inside: it fails with the way out."""


class Ground:
    """Tables by name. `feeders` gives what a device is powered by, the first in the chain first; `child` the
    site at the far end of a link of the tree; `size` and `homes` count a site with all that is behind it."""

    def __init__(self, network: Network, topology: Topology) -> None:
        self.network = network
        self.topology = topology
        self.site_of = {device.name: device.site for device in network.devices.values()}
        self.monitor_site = {
            device.name: network.nodes[device.node].site for device in network.devices.values()
        }
        self.devices_at: dict[str, list[str]] = {site: [] for site in network.sites}
        for device in network.devices.values():
            self.devices_at[device.site].append(device.name)
        self.nodes_at: dict[str, list[str]] = {site: [] for site in network.sites}
        for node in network.nodes.values():
            self.nodes_at[node.site].append(node.name)
        self.depth = {site: place for place, site in enumerate(topology.order)}
        self.child = {link: site for site, link in topology.parent.items()}
        self.ends = {link.name: (link.a.device, link.b.device) for link in network.links.values()}
        self.links_of: dict[str, list[str]] = {}
        for name, ends in self.ends.items():
            for end in ends:
                self.links_of.setdefault(end, []).append(name)
        self.probes = {
            device.name
            for device in network.devices.values()
            if device.source is not None and device.source.get("kind") == PROBES
        }
        self.feeders = {name: self._feeders(name) for name in network.devices}
        self.feeds = {feeder for feeders in self.feeders.values() for feeder in feeders}
        self.outs: dict[str, list[str]] = {}
        for upstream in network.upstreams.values():
            self.outs.setdefault(self.site_of[upstream.device], []).append(upstream.name)
        self.way_out = {upstream.device for upstream in network.upstreams.values()}
        self.size, self.homes = self._sums()

    def _feeders(self, device: str) -> tuple[str, ...]:
        chain: list[str] = []
        fed = self.network.devices[device].powered_by
        while fed is not None and fed.device in self.network.devices and fed.device not in (device, *chain):
            chain.insert(0, fed.device)
            fed = self.network.devices[fed.device].powered_by
        return tuple(chain)

    def _sums(self) -> tuple[dict[str, int], dict[str, int]]:
        size = dict.fromkeys(self.network.sites, 1)
        homes = {site.name: site.homes for site in self.network.sites.values()}
        above = self.topology.above
        for site in reversed(self.topology.order):
            if site in above:
                size[above[site]] += size[site]
                homes[above[site]] += homes[site]
        return size, homes

    def outermost(self, tops: Iterable[str]) -> set[str]:
        """Of some sites those that lie behind none of the others."""
        wanted, found = set(tops), set()
        for site in wanted:
            up = self.topology.above.get(site)
            while up is not None and up not in wanted:
                up = self.topology.above.get(up)
            if up is None:
                found.add(site)
        return found
