"""All that reads SNMP, each fed with spoilt octets, and what may come of it.

A path takes octets whole or raises what its module documents. Any other exception is a fault, and so is what
goes on for ever, two ways of reading that disagree, or an answer that breaks a promise (`Fault`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from random import Random
from typing import Any, ClassVar

from soak_devices import (
    COLUMNS,
    LARGEST,
    NOWHERE,
    PLAIN,
    REQUEST_ID,
    USERS,
    WIDE,
    Talk,
    samples,
    scope_of,
    views,
)
from soak_line import Fault, connect
from spoil import Spoiler

from ayni_core.ber import encode_oid, follows
from ayni_core.snmp import (
    GET_BULK,
    NO_SUCH_OBJECT,
    V2C,
    CommunityEnvelope,
    Denial,
    Renewal,
    RequestTemplate,
    SnmpDecodeError,
    decode_pdu,
    decode_request,
    decode_response,
    request_template,
)
from ayni_core.snmpfollow import read_after
from ayni_core.snmplayout import Layouts
from ayni_core.snmpread import BadAnswer, NoAnswer, read_objects
from ayni_core.snmpwalk import read_columns
from ayni_core.usm_message import HeaderShape, parse_message

_HEADER = 100
"""Octets in which the header of a v3 message stands."""


class Path:
    """Something that reads. `tell` hears of all spoilt octets before they are read; `taken` were accepted."""

    name: ClassVar[str]

    def __init__(self, rng: Random, tell: Callable[[bytes], None]) -> None:
        self.rng = rng
        self._tell = tell
        self.fed = self.taken = 0

    def feed(self) -> None:
        """Read something spoilt once."""
        raise NotImplementedError

    def note(self, spoilt: bytes) -> bytes:
        """These octets are about to be read."""
        self.fed += 1
        self._tell(spoilt)
        return spoilt


class Answers(Path):
    """v1 and v2c: the codec, and layouts, which must agree with it."""

    name = "answers"

    def __init__(self, rng: Random, tell: Callable[[bytes], None]) -> None:
        super().__init__(rng, tell)
        self._samples = samples()
        self._spoiler = Spoiler(rng, [answer for _, _, answer in self._samples])
        self._layouts = Layouts()
        for _ in range(3):
            for version, request, answer in self._samples:
                self._decode(version, request, answer)

    def feed(self) -> None:
        version, request, answer = self.rng.choice(self._samples)
        bad = self.note(self._spoiler.spoil(answer))
        for decode in (decode_response, decode_request):
            _outcome(decode, bad)
        self.taken += self._decode(version, request, bad)

    def _decode(self, version: int, request: RequestTemplate, datagram: bytes) -> bool:
        try:
            octets = CommunityEnvelope(version, b"public").open(datagram)
        except SnmpDecodeError:
            return False
        straight, short = _outcome(decode_pdu, *octets), _outcome(self._layouts.decode, request, *octets)
        if straight != short:
            raise Fault(f"decode_pdu says {straight}, a layout {short}")
        return straight is not None


class Messages(Path):
    """v3 as it comes over the wire: nobody who has no key changes anything within a message."""

    name = "messages"

    def __init__(self, rng: Random, tell: Callable[[bytes], None]) -> None:
        super().__init__(rng, tell)
        self._others: list[bytes] = [answer for _, _, answer in samples()[:20]]
        self._settle()

    def _settle(self) -> None:
        """An agent's next message, at any point of the conversation that begins with discovery."""
        rng = self.rng
        self._talk = Talk(rng.choice(USERS), rng, views()["router"])
        request = request_template(GET_BULK, COLUMNS[:4], 0, rng.choice((1, 3, 12)))
        self._shape: HeaderShape | None = None
        for _ in range(rng.randrange(5)):
            good = self._talk.ask(request, REQUEST_ID)
            _outcome(self._talk.envelope.open, good)
            if good.startswith(b"\x30\x82"):
                self._shape = HeaderShape(parse_message(good))
        self._good = self._talk.ask(request, REQUEST_ID)
        self._others[:1] = [self._good]
        self._spoiler = Spoiler(rng, self._others)

    def feed(self) -> None:
        head = self.rng.choice((_HEADER, len(self._good)))
        bad = self.note(self._spoiler.spoil(self._good[:head]) + self._good[head:])
        long = _outcome(parse_message, bad)
        short = self._shape.read(bad) if self._shape else None
        if short is not None and short != long:
            raise Fault("a header is read in one stroke as another one than the parser reads")
        try:
            octets = self._talk.envelope.open(bad)
        except (Renewal, Denial):
            self._settle()
            return
        except SnmpDecodeError:
            return
        if self._talk.user is not PLAIN and not bad.startswith(self._good):
            raise Fault("a message was changed, and passed for authentic")
        self.taken += _outcome(decode_pdu, *octets) is not None
        self._settle()


class Sealed(Path):
    """v3 from a device that has the keys and means harm: scope and PDU are spoilt before they are sealed."""

    name = "sealed"

    def __init__(self, rng: Random, tell: Callable[[bytes], None]) -> None:
        super().__init__(rng, tell)
        request = decode_request(CommunityEnvelope(V2C, b"").seal(_BULK, REQUEST_ID))
        answer = views()["router"].answer(request, LARGEST) or b""
        _, pos, end = CommunityEnvelope(V2C, b"").open(answer)
        self._good = scope_of(answer[pos:end])
        self._spoiler = Spoiler(rng, [self._good, answer])
        self._left = 0

    def _settle(self) -> None:
        self._left = 64  # messages that may be under way
        self._talk = Talk(self.rng.choice(USERS), self.rng, views()["router"])
        for _ in range(4):
            _outcome(self._talk.envelope.open, self._talk.ask(_BULK, REQUEST_ID))

    def feed(self) -> None:
        self._left -= 1
        if self._left < 0:
            self._settle()
        request = parse_message(self._talk.envelope.seal(_BULK, REQUEST_ID))
        bad = self._talk.seal_scope(request, self.note(self._spoiler.spoil(self._good)))
        octets = _outcome(self._talk.envelope.open, bad)
        if octets is not None:
            self.taken += _outcome(decode_pdu, *octets) is not None


_BULK = request_template(GET_BULK, COLUMNS[:5], 0, 6)


class Readings(Path):
    """Whole readings in all versions: they end, and what they bring is what was asked for."""

    name = "readings"

    def __init__(self, rng: Random, tell: Callable[[bytes], None]) -> None:
        super().__init__(rng, tell)
        self._spoiler = Spoiler(rng, [answer for _, _, answer in samples()])
        self._left = 0

    def _settle(self) -> None:
        """Another device, and another way to speak with it."""
        rng = self.rng
        self._view = rng.choice(list(views().values()))
        self._line, self._pace, self._talk = connect(rng, self._view, self._spoil)
        self._left = 20

    def _spoil(self, good: bytes) -> bytes:
        return self.note(self._spoiler.spoil(good))

    def feed(self) -> None:
        rng = self.rng
        self._left -= 1
        if self._left < 0:
            self._settle()
        self._line.spoilt = rng.choice((0.1, 0.4, 1.0))
        self._line.requests = 0
        if self._talk is not None:
            self._talk.now_s += rng.choice((0, 60, 400))
            if rng.randrange(20) == 0:
                self._talk.agent.reboot()
        read = rng.choice((self._objects, self._columns, self._everything))
        try:
            read()
            self.taken += 1
        except (BadAnswer, NoAnswer, Denial) as error:
            if isinstance(error, NoAnswer) and self._talk is not None:
                self._talk.envelope.unanswered()

    def _objects(self) -> None:
        there = [oid for oid, _, _ in self._view]
        asked = [*self.rng.sample(there, min(len(there), self.rng.choice((1, 5, 30, 90)))), NOWHERE]
        found = self._line.run(read_objects(asked, self._pace))
        if [oid for oid, _, _ in found] != asked:
            raise Fault("objects came that nobody asked for, or in another order")

    def _columns(self) -> None:
        columns = self.rng.choice((COLUMNS, WIDE, COLUMNS[:1], (encode_oid("1.3.6.1.2.1"),)))
        rows = self.rng.choice((None, 1, 3, 24))
        most = self.rng.choice((1, 10, 200))
        found = self._line.run(read_columns(columns, self._pace, expected_rows=rows, max_rows=most))
        for column in columns:
            names = [oid for oid, _, _ in found if oid.startswith(column)]
            if len(names) > min(most, most if rows is None else rows):
                raise Fault("more rows than were wanted")
            check_order(column, names)
        if any(tag >= NO_SUCH_OBJECT or not oid.startswith(columns) for oid, tag, _ in found):
            raise Fault("an object that is not there, or stands beside the columns")

    def _everything(self) -> None:
        at = encode_oid("0.0")
        for _ in range(30):
            found = self._line.run(read_after(at, self._pace))
            check_order(at, [oid for oid, _, _ in found])
            if not found:
                break
            at = found[-1][0]


def check_order(start: bytes, names: Iterable[bytes]) -> None:
    """Fault unless the names follow `start` and each other."""
    last = start
    for name in names:
        if not follows(last, name):
            raise Fault("objects do not increase")
        last = name


def _outcome(read: Callable[..., Any], *octets: Any) -> Any:
    """What comes of reading; None where it is refused as documented."""
    try:
        return read(*octets)
    except SnmpDecodeError:
        return None
