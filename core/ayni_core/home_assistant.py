"""Our links, devices and ways out as Home Assistant finds them by itself (its MQTT discovery).

A *config* is retained at `PREFIX/COMPONENT/ayni/ID/config` and says where a state is and how to read it.
States of links, devices and ways out are what the judge retains for people; of some readings of devices, such
as a battery's voltage, the hub retains a small JSON at `PREFIX/ayni/DEVICE/state`. What a device calls its
parts is shown, and never becomes part of a template.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ayni_core import __version__
from ayni_core.inventory import Device, Link, Network
from ayni_core.message import Message
from ayni_core.readings import Series
from ayni_core.wire import topics
from ayni_core.wire.topics import Rights

ACCOUNT = "a-home-assistant"
"""The account that Home Assistant itself has on the broker."""
MOST_SENSORS = 20
"""Of one device."""
SENSORS: Mapping[str, tuple[str, str]] = {
    "voltage_v": ("voltage", "V"),
    "current_a": ("current", "A"),
    "power_w": ("power", "W"),
    "charge_pct": ("battery", "%"),
    "temperature_c": ("temperature", "°C"),
    "humidity_pct": ("humidity", "%"),
}
"""Metrics that become sensors: the class and the unit that Home Assistant has for them."""
_GROUPS = ("power", "sensor", "node")
_ON = {"ok": "ON", "weak": "ON", "down": "OFF", "silent": "OFF"}
"""What connectivity a state means; any other is unknown there, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The option: the topics' first word, and of which sites; none named means all."""

    prefix: str = "homeassistant"
    sites: tuple[str, ...] = ()

    def has(self, *sites: str) -> bool:
        """Whether something at one of these sites is wanted."""
        return not self.sites or not set(sites).isdisjoint(self.sites)


def own_topics(prefix: str) -> tuple[str, str]:
    """Filters of everything that the hub retains there."""
    return f"{prefix}/+/ayni/+/config", f"{prefix}/ayni/+/state"


def extra_rights(hub: str, prefix: str | None, earlier: str | None = None) -> dict[str, Rights]:
    """What this adds to the accounts of a broker: rights of the account `hub`, and an account to read. With
    an `earlier` prefix alone the hub can still take away what stands there."""
    found: dict[str, Rights] = {}
    for each in dict.fromkeys((prefix, earlier)):
        if each is not None:
            before, own = found.get(hub) or topics.rights(hub), own_topics(each)
            found[hub] = Rights(publish=(*before.publish, *own), subscribe=(*before.subscribe, *own))
    if prefix is not None:
        heard = (f"{topics.PREFIX}/net/#", topics.HUB, f"{prefix}/#")
        found[ACCOUNT] = Rights(publish=(f"{prefix}/status",), subscribe=heard)
    return found


def sensors(found: Iterable[Series]) -> list[Series]:
    """Of the readings of a device those that become sensors, in a lasting order."""
    usable = {series for series in found if series.metric in SENSORS and series.group in _GROUPS}
    return sorted(usable)[:MOST_SENSORS]


def key(series: Series) -> str:
    """The name of a reading in the JSON of its device: nothing of the item's own text."""
    return f"{series.metric}_{zlib.crc32('/'.join(series[:2]).encode('utf-8', 'replace')):08x}"


def state_topic(prefix: str, device: str) -> str:
    """Where the readings of a device are retained."""
    return f"{prefix}/ayni/{device}/state"


def configs(network: Network, wanted: Wanted) -> dict[str, dict[str, Any]]:
    """The configs of links and ways out by their topics; names in them are `Message`s or plain texts."""
    result: dict[str, dict[str, Any]] = {}
    for link in network.links.values():
        if wanted.has(*network.sites_of(link)):
            result |= _link(network, link, wanted.prefix)
    for upstream in network.upstreams.values():
        site = network.site_of(upstream.device)
        if wanted.has(site.name):
            about = _about(f"upstream_{upstream.name}", upstream.title, site.title)
            result |= _connection("upstream", upstream.name, about, wanted.prefix)
    return result


def _link(network: Network, link: Link, prefix: str) -> dict[str, dict[str, Any]]:
    about = _about(f"link_{link.name}", Message("home.link", {"title": link.title}), None)
    result = _connection("link", link.name, about, prefix)
    for side, end in link.ends:
        site = network.site_of(end.device)
        field = f"value_json.{side}.signal_dbm"
        template = (
            "{{ "
            + field
            + " if value_json.state in ['ok', 'weak'] and "
            + field
            + " is defined else 'None' }}"
        )
        result |= _entity(
            "sensor",
            f"link_{link.name}_signal_{side}",
            prefix,
            name=Message("home.signal", {"site": site.title}),
            device=about,
            state_topic=topics.net("link", link.name),
            value_template=template,
            device_class="signal_strength",
            unit_of_measurement="dBm",
            state_class="measurement",
        )
    return result


def device_configs(
    network: Network, device: Device, prefix: str, found: Iterable[Series]
) -> dict[str, dict[str, Any]]:
    """The same of a device; `found` are its readings that become sensors."""
    about = _about(f"device_{device.name}", device.title, network.sites[device.site].title)
    result = _connection("device", device.name, about, prefix)
    for series in found:
        kind, unit = SENSORS[series.metric]
        result |= _entity(
            "sensor",
            f"device_{device.name}_{key(series)}",
            prefix,
            name=Message(f"home.{series.metric}", {"item": series.item[:40]}),
            device=about,
            state_topic=state_topic(prefix, device.name),
            value_template="{{ value_json." + key(series) + " | default('None') }}",
            device_class=kind,
            unit_of_measurement=unit,
            state_class="measurement",
        )
    return result


def _connection(kind: str, name: str, about: dict[str, Any], prefix: str) -> dict[str, dict[str, Any]]:
    words = ", ".join(f"'{state}': '{value}'" for state, value in _ON.items())
    topic = topics.net(kind, name)
    return _entity(
        "binary_sensor",
        f"{kind}_{name}",
        prefix,
        name=Message("home.connection"),
        device=about,
        state_topic=topic,
        value_template="{{ {" + words + "}.get(value_json.state, 'None') }}",
        device_class="connectivity",
        json_attributes_topic=topic,
        json_attributes_template="{{ {'state': value_json.state, 'since': value_json.since} | tojson }}",
    )


def _about(identifier: str, name: str | Message, area: str | None) -> dict[str, Any]:
    about: dict[str, Any] = {"identifiers": [f"ayni_{identifier}"], "name": name, "manufacturer": "Ayni"}
    return about | ({"suggested_area": area} if area else {})


def _entity(component: str, identifier: str, prefix: str, **config: Any) -> dict[str, dict[str, Any]]:
    shared = {
        "unique_id": f"ayni_{identifier}",
        "availability_topic": topics.HUB,
        "availability_template": "{{ 'online' if value_json.state == 'ready' else 'offline' }}",
        "origin": {"name": "Ayni", "sw_version": __version__},
        "qos": 1,
    }
    return {f"{prefix}/{component}/ayni/{identifier}/config": config | shared}
