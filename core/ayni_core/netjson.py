"""The network as a NetJSON NetworkGraph (http://netjson.org): sites as nodes, links as links.

Who reads it may put it on the web. So it has no people, no addresses and no secrets, and it tells where a
site is only if that is wanted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ayni_core.inventory import Link, Network
from ayni_core.wire.messages import EndView, LinkView, SiteView

_REFERENCE_BPS = 100e6
"""The cost of a link is this over the slower of its directions, as OSPF does (RFC 2328, C.3)."""
_UNKNOWN = 1.0


def graph(
    network: Network,
    *,
    links: Mapping[str, LinkView] | None = None,
    sites: Mapping[str, SiteView] | None = None,
    devices: bool = False,
    places: bool = False,
    only_up: bool = False,
) -> dict[str, Any]:
    """The graph of the inventory, and what is known of it right now in `links` and `sites`.

    `devices`: they are the nodes, not their sites. `only_up` leaves out links that are down: some readers
    take a link that is not in the graph for a broken one.
    """
    links, sites = links or {}, sites or {}
    shown = [
        link
        for link in network.links.values()
        if not (only_up and link.name in links and links[link.name].state == "down")
    ]
    return {
        "type": "NetworkGraph",
        "protocol": "static",
        "version": None,
        "metric": None,
        "label": network.title,
        "nodes": _devices(network) if devices else _sites(network, sites, places),
        "links": [_link(network, link, links.get(link.name), devices) for link in shown],
    }


def _sites(network: Network, sites: Mapping[str, SiteView], places: bool) -> list[dict[str, Any]]:
    nodes = []
    for site in network.sites.values():
        about: dict[str, Any] = {"power": site.power}
        view = sites.get(site.name)
        if view is not None:
            about["state"] = view.state
        if places and site.latitude is not None and site.longitude is not None:
            about["location"] = {"lat": site.latitude, "lng": site.longitude}
        nodes.append({"id": site.name, "label": site.title, "properties": about})
    return nodes


def _devices(network: Network) -> list[dict[str, Any]]:
    return [
        {"id": device.name, "label": device.title, "properties": {"site": device.site}}
        for device in network.devices.values()
    ]


def _link(network: Network, link: Link, view: LinkView | None, devices: bool) -> dict[str, Any]:
    source, target = (link.a.device, link.b.device) if devices else network.sites_of(link)
    about: dict[str, Any] = {"id": link.name, "label": link.title}
    if link.frequency_mhz is not None:
        about["frequency_mhz"] = link.frequency_mhz
    cost, text = _UNKNOWN, ""
    if view is not None:
        about["state"] = view.state
        if view.state not in ("down", "no_news", "unknown"):
            for side, end in (("a", view.a), ("b", view.b)):
                about |= {
                    f"{name}_{side}": value
                    for name in ("signal_dbm", "tx_rate_bps", "rx_rate_bps")
                    if (value := getattr(end, name)) is not None
                }
            rate = _slower(view.a, view.b)
            if rate:
                cost, text = round(_REFERENCE_BPS / rate, 4), f"{rate / 1e6:g} Mb/s"
    return {"source": source, "target": target, "cost": cost, "cost_text": text, "properties": about}


def _slower(a: EndView, b: EndView) -> float | None:
    """The rate of the slower direction, as far as the ends tell."""
    rates = [rate for end in (a, b) for rate in (end.tx_rate_bps, end.rx_rate_bps) if rate]
    return min(rates, default=None)
