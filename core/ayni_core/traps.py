"""What devices report by themselves: traps, what they mean as data, and how many of them are told.

A device that flaps, or somebody who forges its address, can send thousands. So a device is told so many times
a minute, the same thing once in a while, and the rest as one line.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ayni_core.message import Message, Phrase
from ayni_core.oid_notation import OidError, parse
from ayni_core.schema import Fields
from ayni_core.texts_traps import TRAP_TEXTS
from ayni_core.wire.note import LEVELS, FrameNote

IF_INDEX = "1.3.6.1.2.1.2.2.1.1."
_IF_NAMES = ("1.3.6.1.2.1.31.1.1.1.1.", "1.3.6.1.2.1.2.2.1.2.")
"""ifName, and ifDescr, which some traps bring along."""
PER_MINUTE, PER_HOUR = 10, 40
"""Of one device; the rest is counted."""
ALL_PER_HOUR = 120
"""Of all devices together: the central takes some thousand notes of a monitor a day."""
_MINUTE_S, _HOUR_S = 60.0, 3600.0
_SAME_S = 20.0
"""Devices send a trap again, to several addresses of one receiver or as an inform that went unanswered."""
_SUM_EVERY_S = 600.0
_MOST_UNKNOWN = 32
_MOST_STRANGERS = 256
_PREFIX = "note.trap_"
SAYS = tuple(context.removeprefix(_PREFIX) for context in TRAP_TEXTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trap:
    """One trap or inform as SNMPv2 has it: its own OID and what it brings, OIDs as texts."""

    oid: str
    binds: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a trap says: the sentence `note.trap_SAYS`, its level, and which bind fills {what}. With `value`
    it is meant only where that bind has this value."""

    says: str
    level: str
    what: str = ""
    value: str = ""


Meanings = Mapping[str, Sequence[Meaning]]
"""By OID, the first one that fits is meant. An OID that ends in a dot stands for all below it."""


def read_meanings(fields: Fields) -> dict[str, list[Meaning]]:
    """A file of `configs/traps`; faults are noted."""
    fields.text("about")
    found: dict[str, list[Meaning]] = {}

    def one(each: Fields) -> None:
        meaning = Meaning(
            says=each.choice("says", SAYS),
            level=each.choice("level", LEVELS, "note"),
            what=_dotted(each, "what", each.text("what", "")),
            value=each.text("value", ""),
        )
        if meaning.value and not meaning.what:
            each.fault("value", "fault.needs", other="what")
        if "{what}" in TRAP_TEXTS[_PREFIX + meaning.says] and not meaning.what:
            each.fault("what", "fault.missing", wanted=Phrase("word.oid"))
        for oid in each.texts("oid"):
            text = _dotted(each, "oid", oid)
            others = found.setdefault(text, [])
            if any(other.value in ("", meaning.value) for other in others):
                each.fault("oid", "fault.stands_above", name=oid)
            others.append(meaning)
        if "oid" not in each:
            each.fault("oid", "fault.missing", wanted=Phrase("word.oid"))
        each.done()

    fields.items("traps", one, required=True)
    return found


def _dotted(fields: Fields, key: str, text: str) -> str:
    if not text:
        return ""
    try:
        parse(text.removesuffix("."))
    except OidError as error:
        fields.fault(key, error.what)
    return text


@dataclass(slots=True)
class _Told:
    """Of one device: when it was told of in the last hour, and what was not."""

    times: deque[float] = field(default_factory=deque)
    more: int = 0
    refused: int = 0
    counted_from_s: float = 0.0
    summed_s: float = -_HOUR_S
    same: dict[Trap, float] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)


class Teller:
    """Turns traps into notes. All times are monotonic seconds, handed in."""

    def __init__(self, meanings: Meanings) -> None:
        self._meanings = meanings
        self._told: dict[str, _Told] = {}
        self._all: deque[float] = deque()
        self._strangers: dict[str, int] = {}
        self._many_strangers = 0
        self._strangers_from_s: float | None = None

    def take(self, device: str, trap: Trap, now_s: float, ports: Mapping[str, str]) -> FrameNote | None:
        """What to tell of a trap; None for what was told already, or is counted. `ports` are names by
        ifIndex."""
        told = self._told.setdefault(device, _Told())
        told.same = {each: at_s for each, at_s in told.same.items() if now_s - at_s < _SAME_S}
        if trap in told.same:
            return None
        meaning = self._meaning(trap)
        if meaning is None and (trap.oid in told.unknown or len(told.unknown) >= _MOST_UNKNOWN):
            return None
        if not self._may(told, now_s):
            self.leave(device, now_s)
            return None
        told.same[trap] = now_s
        if meaning is None:
            told.unknown.add(trap.oid)
            text = Message("note.trap_unknown", {"device": device, "oid": trap.oid})
            return FrameNote(at_s=now_s, text=text, level="info", device=device)
        return FrameNote(
            at_s=now_s, text=_text(meaning, device, trap, ports), level=meaning.level, device=device
        )

    def _may(self, told: _Told, now_s: float) -> bool:
        for times in (told.times, self._all):
            while times and now_s - times[0] >= _HOUR_S:
                times.popleft()
        lately = sum(now_s - at_s < _MINUTE_S for at_s in told.times)
        if lately >= PER_MINUTE or len(told.times) >= PER_HOUR or len(self._all) >= ALL_PER_HOUR:
            return False
        told.times.append(now_s)
        self._all.append(now_s)
        return True

    def leave(self, device: str, now_s: float) -> None:
        """One more of a device that is only counted."""
        told = self._told.setdefault(device, _Told())
        self._count(told, now_s)
        told.more += 1

    def refuse(self, device: str, now_s: float) -> None:
        """A message came from the device's address and was no trap that can be believed."""
        told = self._told.setdefault(device, _Told())
        self._count(told, now_s)
        told.refused += 1

    def stranger(self, address: str, now_s: float) -> None:
        """A message came from an address that is no device of ours."""
        if self._strangers_from_s is None:
            self._strangers_from_s = now_s
        if address in self._strangers or len(self._strangers) < _MOST_STRANGERS:
            self._strangers[address] = self._strangers.get(address, 0) + 1
        else:
            self._many_strangers += 1

    def due(self, now_s: float) -> list[FrameNote]:
        """The lines that sum up what was only counted: of a device after a minute, and then every ten; of
        strangers and of what was not believed after an hour."""
        found: list[FrameNote] = []
        for device, told in self._told.items():
            passed_s = now_s - told.counted_from_s
            if told.more and passed_s >= _MINUTE_S and now_s - told.summed_s >= _SUM_EVERY_S:
                told.summed_s = now_s
                found.append(_sum("note.trap_more", {"device": device, "n": told.more}, now_s, device))
                told.more = 0
            if told.refused and passed_s >= _HOUR_S:
                found.append(_sum("note.trap_refused", {"device": device, "n": told.refused}, now_s, device))
                told.refused = 0
        if self._strangers_from_s is not None and now_s - self._strangers_from_s >= _HOUR_S:
            ranked = sorted(self._strangers.items(), key=lambda each: -each[1])
            names = ", ".join(address for address, _count in ranked[:4]) + (" …" if len(ranked) > 4 else "")
            number = sum(self._strangers.values()) + self._many_strangers
            found.append(_sum("note.trap_strangers", {"n": number, "addresses": names}, now_s, ""))
            self._strangers, self._many_strangers, self._strangers_from_s = {}, 0, None
        return found

    def keep(self, devices: Iterable[str]) -> None:
        """Forget what is no device any more."""
        names = set(devices)
        self._told = {device: told for device, told in self._told.items() if device in names}

    def _count(self, told: _Told, now_s: float) -> None:
        if not told.more and not told.refused:
            told.counted_from_s = now_s

    def _meaning(self, trap: Trap) -> Meaning | None:
        oid = trap.oid
        found = self._meanings.get(oid)
        while found is None and "." in oid:
            oid = oid.rpartition(".")[0]
            found = self._meanings.get(f"{oid}.")
        return next(
            (each for each in found or () if each.value in ("", _said(each.what, trap))),
            None,
        )


def _said(what: str, trap: Trap) -> str:
    """The value of the first bind at or below an OID."""
    return next((value for oid, value in trap.binds if value and f"{oid}.".startswith(f"{what}.")), "")


def _text(meaning: Meaning, device: str, trap: Trap, ports: Mapping[str, str]) -> Message:
    values: dict[str, str | int | float | None] = {"device": device}
    text = TRAP_TEXTS[_PREFIX + meaning.says]
    if "{port}" in text:
        values["port"] = _port(trap, ports)
    if "{what}" in text:
        values["what"] = _said(meaning.what, trap)[:120] or "?"
    return Message(_PREFIX + meaning.says, values)


def _port(trap: Trap, ports: Mapping[str, str]) -> str:
    """The name of the interface that a link trap is about."""
    index = next((value for oid, value in trap.binds if oid.startswith(IF_INDEX)), "")
    for prefix in _IF_NAMES:
        for oid, value in trap.binds:
            if oid.startswith(prefix) and value:
                return value[:64]
            if not index and oid.startswith(IF_INDEX[:-2]):
                index = oid.rpartition(".")[2]
    return ports.get(index) or (f"port {index}" if index else "?")


def _sum(context: str, values: Mapping[str, str | int], now_s: float, device: str) -> FrameNote:
    return FrameNote(at_s=now_s, text=Message(context, values), level="note", device=device)
