"""What stands next to what in an inventory, looked up once: a network does not change while a hub runs."""

from __future__ import annotations

from ayni_core.inventory import Network


class Surroundings:
    """Names of devices by node and by site, and of links by device and by site."""

    def __init__(self, network: Network) -> None:
        self.devices_of_node: dict[str, list[str]] = {}
        self.devices_of_site: dict[str, list[str]] = {}
        for device in network.devices.values():
            self.devices_of_node.setdefault(device.node, []).append(device.name)
            self.devices_of_site.setdefault(device.site, []).append(device.name)
        self.links_of_device: dict[str, list[str]] = {}
        self.links_of_site: dict[str, list[str]] = {}
        for link in network.links.values():
            for device_name in {link.a.device, link.b.device}:
                self.links_of_device.setdefault(device_name, []).append(link.name)
            for site in set(network.sites_of(link)):
                self.links_of_site.setdefault(site, []).append(link.name)
