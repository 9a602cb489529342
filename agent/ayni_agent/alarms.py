"""What alarms at this node, as it judges alone, in the sentences that the central uses."""

from __future__ import annotations

from ayni_agent.status import AlarmStatus, age
from ayni_agent.verdict import MISSED_POLLS, Transition, Verdicts
from ayni_core.message import Message, Plain
from ayni_core.rules import EMPTY, LEVELS, Rule, Track
from ayni_core.rules.words import shown
from ayni_core.texts import TEXTS
from ayni_core.wire.note import VERDICT

MOST_ALARMS = 500
PEER_LOST = "peer-lost"
"""What a station that is no longer heard is called, beside the names of rules."""


def alarms(verdicts: Verdicts, now_s: float) -> tuple[AlarmStatus, ...]:
    """What holds now, critical first, then the oldest."""
    rules = {rule.name: rule for each in verdicts.rules.values() for rule in each}
    held = [
        (rules[name], device, series, track)
        for (device, name, series), track in verdicts.tracks.items()
        if track.level is not None and name in rules
    ]
    by_station = {(rule.name, device) for rule, device, series, _track in held if series.group == "station"}
    found = [
        AlarmStatus(
            rule=rule.name,
            device=device,
            item=series.item,
            level=track.level or "",
            age_s=age(now_s, track.since),
            text=alarm_text(rule, device, series.item, track, verdicts.expected_dbm.get(device)),
        )
        for rule, device, series, track in held
        if not (series.group == "radio" and (rule.name, device) in by_station)  # the same once more
    ]
    found += [
        AlarmStatus(
            rule=PEER_LOST, device=device, item="", level="critical", age_s=None,
            text=Message("alarm.alone", {"device": device}),
        )
        for device in alone(verdicts)
    ]  # fmt: skip
    found.sort(key=lambda each: (-LEVELS.index(each.level), -(each.age_s or 0.0), each.device, each.item))
    return tuple(found[:MOST_ALARMS])


def alone(verdicts: Verdicts) -> list[str]:
    """The radios that heard others before, and none any more: of many stations one may always be away."""
    return [
        device for device, peers in verdicts.missed.items() if peers and min(peers.values()) >= MISSED_POLLS
    ]


def transition_text(verdicts: Verdicts, transition: Transition) -> Message:
    """What a transition is about, as it is said while it holds."""
    device, item = transition.device, transition.item
    rules = {rule.name: rule for each in verdicts.rules.values() for rule in each}
    rule = rules.get(transition.rule)
    if rule is None:
        return Message("alarm.peer_lost", {"device": device, "peer": item})
    tracks = (
        track
        for (known, name, series), track in verdicts.tracks.items()
        if (known, name, series.item) == (device, rule.name, item)
    )
    return alarm_text(rule, device, item, next(tracks, EMPTY), verdicts.expected_dbm.get(device))


def alarm_text(rule: Rule, device: str, item: str, track: Track, normal: float | None) -> Message:
    """The sentence of an alert, as the hub says it, with the names that are known at the node."""
    values: dict[str, Plain] = {"device": device, "port": item, "value": shown(track.value, "--")}
    if rule.scope == "end":
        values |= {"link": item or device, "end": device}
        values |= {"signal": _round(track.value), "normal": _round(normal)}
    elif rule.scope != "device":
        values |= {"speed": _mega(track.value), "best": _mega(track.best)}
    return Message(rule.text, values)


def as_note(text: Message) -> Message:
    """What is said while something holds, as a note: the monitor's own verdict, named as such."""
    return Message(note_name(VERDICT, text.context), text.values)


def note_name(about: str, context: str) -> str:
    """The sentence of a note about what a rule says; `about` itself where there is none of its own."""
    name = _SHORT.get(context) or context.partition(".")[2].replace("_", "")
    return f"{about}_{name}" if f"{about}_{name}" in TEXTS else about


_SHORT = {
    "rule.device_silent": "silent",
    "rule.signal_low": "signal",
    "rule.quality_low": "quality",
    "rule.port_slow": "port",
    "rule.cable_out": "cable",
    "alarm.peer_lost": "peer",
}


def _round(value: float | None) -> Plain:
    return "--" if value is None else round(value)


def _mega(value: float | None) -> Plain:
    return "--" if value is None else round(value / 1e6)
