"""Links found by themselves: out of what devices say of their neighbours, which two radios or ports meet.

Theory of operation. Every statement "I hear that one, here" is evidence, and evidence is weighed by what can
make it: a registration is made by a radio, so it is a link, whoever tells of it. LLDP stops at the next
bridge, so it is a cable, where a port hears only one; where it hears several, something passes it on, and
then it proves nothing. What is heard across a whole bridge (MNDP, CDP, addresses that a bridge learned, ARP)
never makes a link: it names ports and confirms. A mesh protocol makes a link on the air; over a cable port it
may have come through bridging radios, which tell of themselves.

Statements are matched to devices by hardware address; where none is given, by a name or an address that only
one device has. An address that two devices claim (a copied configuration) belongs to nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

Kind = Literal["radio", "cable", "mesh"]
KINDS: tuple[Kind, ...] = ("radio", "cable", "mesh")
MESH = frozenset(("batman", "babel", "olsr"))
BRIDGED = frozenset(("mndp", "cdp", "fdb", "arp"))
SURE = 0.5
"""Less than this is no link."""
_CABLED = re.compile(r"(?:eth|en[opsx]?\d|lan|wan|sfp|ether|br)", re.IGNORECASE)
_BOTH, _ONE = 0.99, 0.9
_LLDP_BOTH, _LLDP_CONFIRMED, _LLDP_ONE = 0.95, 0.85, 0.7
_MESH_BOTH, _MESH_ONE = 0.95, 0.75


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One statement of a device: at `port` (one of its own, "" if it does not say) it hears by `via` somebody
    with this address, name, port and IP address ("" where it does not say)."""

    via: str
    port: str = ""
    mac: str = ""
    name: str = ""
    far_port: str = ""
    ip: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one device says. `macs` are its own hardware addresses and the port of each; `radios` its radios;
    `heard` includes its registrations, `via` "station" (at an access point) and "peer" (at a station)."""

    device: str
    site: str = ""
    names: frozenset[str] = frozenset()
    ips: frozenset[str] = frozenset()
    macs: Mapping[str, str] = field(default_factory=dict)
    radios: frozenset[str] = frozenset()
    aliases: Mapping[str, str] = field(default_factory=dict)
    heard: tuple[Heard, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundEnd:
    """One end: the radio or port of a device ("" while nobody tells), and the address that is heard there."""

    device: str
    port: str = ""
    mac: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundLink:
    """Two ends that hear each other, in the order of their devices' names. `evidence` are words such as
    "station a", "lldp b": what was said, and by which end; `sure` is 0 to 1."""

    a: FoundEnd
    b: FoundEnd
    kind: Kind
    evidence: tuple[str, ...]
    sure: float


class _Word(NamedTuple):
    """A statement whose speaker and subject are known, as seen from the pair: `side` says who spoke."""

    side: str
    via: str
    a_port: str
    b_port: str
    far_mac: str


@dataclass(slots=True)
class _Bundle:
    """Statements about one pair that can be about the same link."""

    a_port: str = ""
    b_port: str = ""
    words: list[_Word] = field(default_factory=list)

    def takes(self, word: _Word) -> bool:
        """Whether it can be about this link, as far as ports are known."""
        return all(
            not theirs or not ours or theirs == ours
            for theirs, ours in ((word.a_port, self.a_port), (word.b_port, self.b_port))
        )

    def add(self, word: _Word) -> None:
        """Count it in."""
        self.a_port = self.a_port or word.a_port
        self.b_port = self.b_port or word.b_port
        self.words.append(word)


def find(devices: Sequence[Seen]) -> tuple[FoundLink, ...]:
    """Every link that the evidence is enough for, sorted by its ends."""
    known = {seen.device: seen for seen in devices}
    who = _Directory(devices)
    pairs: dict[tuple[str, str], list[_Word]] = {}
    crowds = _crowds(devices, who)
    for weak in (
        False,
        True,
    ):  # in a large bridge most of what is heard is weak, and about no pair that counts
        for seen in devices:
            for heard in seen.heard:
                if (heard.via in BRIDGED) != weak:
                    continue
                other = who.of(seen.device, heard)
                if other is None or (weak and _pair(seen.device, other) not in pairs):
                    continue
                if heard.via == "station" and _belongs_elsewhere(seen.device, known[other], who):
                    continue
                crowded = crowds.get((seen.device, heard.port), 0) > 1
                word = _word(seen, known[other], heard, crowded=crowded)
                pairs.setdefault(_pair(seen.device, other), []).append(word)
    aired = {
        frozenset((known[a].site, known[b].site))
        for (a, b), words in pairs.items()
        if known[a].site != known[b].site and any(word.via in ("station", "peer") for word in words)
    }
    links = [
        link
        for (a, b), words in pairs.items()
        for link in _links(
            known[a], known[b], words, aired=frozenset((known[a].site, known[b].site)) in aired
        )
        if link.sure >= SURE
    ]
    return tuple(sorted(links, key=lambda link: (link.a.device, link.b.device, link.a.port, link.b.port)))


# ---- who is meant


class _Directory:
    """Whose addresses and names these are."""

    def __init__(self, devices: Iterable[Seen]) -> None:
        self._open: set[str] = set()
        """Devices that do not tell their own addresses."""
        self._macs: dict[str, set[str]] = {}
        self._names: dict[str, set[str]] = {}
        self._ips: dict[str, set[str]] = {}
        for seen in devices:
            if not seen.macs:
                self._open.add(seen.device)
            for table, words in ((self._macs, seen.macs), (self._names, seen.names), (self._ips, seen.ips)):
                for word in words:
                    table.setdefault(word, set()).add(seen.device)

    def of(self, speaker: str, heard: Heard) -> str | None:
        """The device that is heard; None if nobody knows, or it is the speaker itself."""
        if heard.mac:
            owners = self._macs.get(heard.mac)
            if owners:
                return _only(owners, speaker)
        for table, word in ((self._names, heard.name), (self._ips, heard.ip)):
            owners = table.get(word) if word else None
            if owners:
                found = _only(owners, speaker)
                # a radio registers with an address of its own: another one than those it has is another radio
                wrong = heard.mac and heard.via == "station" and found not in self._open
                return None if wrong else found
        return None


def _only(owners: set[str], speaker: str) -> str | None:
    owner = next(iter(owners))
    return owner if len(owners) == 1 and owner != speaker else None


def _crowds(devices: Iterable[Seen], who: _Directory) -> dict[tuple[str, str], int]:
    """How many known devices each port hears by LLDP; a port without a name is a crowd by itself."""
    heard_at: dict[tuple[str, str], set[str]] = {}
    for seen in devices:
        for heard in seen.heard:
            other = who.of(seen.device, heard) if heard.via == "lldp" else None
            if other is not None:
                heard_at.setdefault((seen.device, heard.port), set()).add(other)
    return {key: len(others) if key[1] else 2 for key, others in heard_at.items()}


def _belongs_elsewhere(speaker: str, station: Seen, who: _Directory) -> bool:
    """Whether a station says that its access point is another device: controllers list stations that their
    access points hear."""
    peers = {who.of(station.device, heard) for heard in station.heard if heard.via == "peer"} - {None}
    return bool(peers) and speaker not in peers


# ---- what is said


def _pair(one: str, two: str) -> tuple[str, str]:
    return (one, two) if one < two else (two, one)


def _word(seen: Seen, other: Seen, heard: Heard, *, crowded: bool) -> _Word:
    near = _port_of(seen, heard.port) or heard.port
    far = ""
    if heard.far_port:
        # what its own device does not call so would stand beside what it does call so, as a second link
        far = _port_of(other, heard.far_port) or ("" if other.macs else heard.far_port)
    elif heard.via in ("station", "peer", *MESH):
        far = other.macs.get(heard.mac, "")
    if heard.via in ("station", "peer"):
        near, far = _radio_of(seen, near), _radio_of(other, far)
    via = "lldp?" if heard.via == "lldp" and crowded else heard.via
    side = "a" if seen.device < other.device else "b"
    ports = (near, far) if side == "a" else (far, near)
    return _Word(side, via, *ports, heard.mac if heard.mac in other.macs or not other.macs else "")


def _port_of(seen: Seen, said: str) -> str:
    """A port of a device by however it was called: its name, its address, its description, or the name behind
    that of its bridge (RouterOS says bridge/ether1). "" for none of its own."""
    if said in seen.macs:
        return seen.macs[said]
    names = {*seen.macs.values(), *seen.radios}
    if said in names:
        return said
    if said in seen.aliases:
        return seen.aliases[said]
    last = said.rpartition("/")[2]
    return last if last in names else ""


def _radio_of(seen: Seen, port: str) -> str:
    """The name of the radio behind a port: of several radios the one called alike."""
    if port in seen.radios:
        return port
    return next(iter(seen.radios)) if len(seen.radios) == 1 else port


# ---- links out of it


def _links(a: Seen, b: Seen, words: list[_Word], *, aired: bool) -> list[FoundLink]:
    links = _radio_links(a, b, words)
    links += _mesh_links(a, b, words, links)
    if not aired or a.site == b.site:  # what comes through a radio link between two sites is no cable
        links += _cables(a, b, words, links)
    return [_confirmed(link, words, alone=len(links) == 1) for link in links]


def _bundles(words: Iterable[_Word]) -> list[_Bundle]:
    """Statements sorted by link: those that know more ports first, so that the others find theirs."""
    bundles: list[_Bundle] = []
    for word in sorted(words, key=lambda each: ((not each.a_port) + (not each.b_port), each)):
        mine = [bundle for bundle in bundles if bundle.takes(word)]
        silent = [bundle for bundle in mine if all(word[:2] != each[:2] for each in bundle.words)]
        bundle = next(iter(silent or mine), None)
        if bundle is None:
            bundle = _Bundle()
            bundles.append(bundle)
        bundle.add(word)
    return bundles


def _radio_links(a: Seen, b: Seen, words: list[_Word]) -> list[FoundLink]:
    found = []
    for bundle in _bundles(word for word in words if word.via in ("station", "peer")):
        sides = {word.side for word in bundle.words}
        found.append(_made(a, b, bundle, "radio", _BOTH if len(sides) == 2 else _ONE))
    return found


def _mesh_links(a: Seen, b: Seen, words: list[_Word], before: list[FoundLink]) -> list[FoundLink]:
    """On the air only. Where the radios tell of the same link, it is that one; it becomes a mesh link."""
    found = []
    for bundle in _bundles(word for word in words if word.via in MESH):
        if _is_cable(a, bundle.a_port) or _is_cable(b, bundle.b_port):
            continue
        same = next((link for link in before if _alike(link, bundle) or len(before) == 1), None)
        if same is not None:
            before.remove(same)
            evidence = (*same.evidence, *_evidence(bundle.words))
            found.append(replace(same, kind="mesh", evidence=tuple(sorted(set(evidence)))))
            continue
        both = len({word.side for word in bundle.words}) == 2
        found.append(_made(a, b, bundle, "mesh", _MESH_BOTH if both else _MESH_ONE))
    return found


def _is_cable(seen: Seen, port: str) -> bool:
    return port not in seen.radios and _CABLED.match(port) is not None


def _cables(a: Seen, b: Seen, words: list[_Word], before: list[FoundLink]) -> list[FoundLink]:
    found = []
    back = {word.side for word in words if word.via in BRIDGED or word.via == "lldp?"}
    for bundle in _bundles(word for word in words if word.via == "lldp"):
        sides = {word.side for word in bundle.words}
        if any(_alike(link, bundle) for link in before):
            continue
        one_way = _LLDP_CONFIRMED if back - sides else _LLDP_ONE
        sure = _LLDP_BOTH if len(sides) == 2 else one_way
        kind: Kind = "radio" if bundle.a_port in a.radios or bundle.b_port in b.radios else "cable"
        found.append(_made(a, b, bundle, kind, sure))
    return found


def _alike(link: FoundLink, bundle: _Bundle) -> bool:
    """Whether the ports are the same, as far as both are known; one of them at least."""
    same = [
        ours == theirs
        for ours, theirs in ((link.a.port, bundle.a_port), (link.b.port, bundle.b_port))
        if ours and theirs
    ]
    return bool(same) and all(same)


def _made(a: Seen, b: Seen, bundle: _Bundle, kind: Kind, sure: float) -> FoundLink:
    """Who hears an address tells that of the other end."""
    a_mac = next((word.far_mac for word in bundle.words if word.side == "b" and word.far_mac), "")
    b_mac = next((word.far_mac for word in bundle.words if word.side == "a" and word.far_mac), "")
    return FoundLink(
        a=FoundEnd(device=a.device, port=bundle.a_port, mac=a_mac),
        b=FoundEnd(device=b.device, port=bundle.b_port, mac=b_mac),
        kind=kind,
        evidence=_evidence(bundle.words),
        sure=sure,
    )


def _evidence(words: Iterable[_Word]) -> tuple[str, ...]:
    return tuple(sorted({f"{word.via} {word.side}" for word in words}))


def _confirmed(link: FoundLink, words: list[_Word], *, alone: bool) -> FoundLink:
    """What is heard across bridges, too, names the ports of a cable that nobody named: the only one between
    these two, or none."""
    if link.kind != "cable":
        return link
    weak = [word for word in words if word.via in BRIDGED or word.via == "lldp?"]
    a_ports = {word.a_port for word in weak if word.a_port}
    b_ports = {word.b_port for word in weak if word.b_port}
    a_port = link.a.port or (next(iter(a_ports)) if alone and len(a_ports) == 1 else "")
    b_port = link.b.port or (next(iter(b_ports)) if alone and len(b_ports) == 1 else "")
    fitting = [word for word in weak if word.a_port in ("", a_port) and word.b_port in ("", b_port)]
    return replace(
        link,
        a=replace(link.a, port=a_port),
        b=replace(link.b, port=b_port),
        evidence=tuple(sorted({*link.evidence, *_evidence(fitting)})),
    )
