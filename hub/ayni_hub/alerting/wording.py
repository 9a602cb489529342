"""The values that go into an alert's sentence."""

from __future__ import annotations

from ayni_core.inventory import Network
from ayni_core.message import Plain
from ayni_core.rules import Rule, Track
from ayni_core.rules.words import shown
from ayni_hub.alerting.subject import Subject


def values(
    network: Network, rule: Rule, subject: Subject, track: Track, normal: float | None
) -> dict[str, Plain]:
    """By the places of the rule's text. A normal that is not known is left to the sentence as nothing."""
    value = track.value
    match subject.kind:
        case "device":
            found: dict[str, Plain] = {"device": network.devices[subject.name].title, "port": subject.detail}
            if rule.test == "below_best":
                found |= {"speed": _mega(value), "best": _mega(track.best)}
        case "link":
            link = network.links[subject.name]
            found = {"link": link.title}
            if subject.detail:
                end = link.a if subject.detail == "a" else link.b
                found |= {
                    "end": network.site_of(end.device).title,
                    "signal": _round(value),
                    "normal": _round(normal),
                }
        case "node":
            found = {"node": network.nodes[subject.name].title}
        case _:
            found = {"upstream": network.upstreams[subject.name].title}
    return found | {"value": shown(value)}


def title(network: Network, kind: str, name: str) -> str:
    """What people call a thing of the inventory."""
    known = {
        "device": network.devices,
        "link": network.links,
        "node": network.nodes,
        "upstream": network.upstreams,
        "site": network.sites,
    }
    found = known.get(kind, {}).get(name)
    return str(getattr(found, "title", name))


def _round(value: float | None) -> Plain:
    return None if value is None else round(value)


def _mega(value: float | None) -> Plain:
    return None if value is None else round(value / 1e6)
