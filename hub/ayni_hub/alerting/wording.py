"""The values that go into an alert's sentence."""

from __future__ import annotations

from datetime import UTC, datetime

from ayni_core.inventory import Network
from ayni_core.message import Plain
from ayni_core.rules import Rule, Track
from ayni_core.rules.sign import SIGNS
from ayni_core.rules.words import shown
from ayni_hub.alerting.subject import Subject

_LEFT = frozenset({"certificate_days"})
"""Signs that count days still to come; others count days gone by."""


def values(
    network: Network, rule: Rule, subject: Subject, track: Track, normal: float | None, at: float
) -> dict[str, Plain]:
    """By the places of the rule's text, as it turned `at`. A normal that is not known is left to the sentence
    as nothing."""
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
        case "central":
            found = {"part": subject.name, "date": _date(rule, value, at)}
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


def _date(rule: Rule, days: float | None, at: float) -> Plain:
    """The day (UTC) that a number of days means, of those left or of those since; none where it is none."""
    sign = SIGNS.get(rule.metric)
    if days is None or sign is None or sign.unit != "d":
        return None
    moment = at + (days if rule.metric in _LEFT else -days) * 86_400
    return datetime.fromtimestamp(round(moment), UTC).strftime("%Y-%m-%d")


def _round(value: float | None) -> Plain:
    return None if value is None else round(value)


def _mega(value: float | None) -> Plain:
    return None if value is None else round(value / 1e6)
