"""How objects are got from an SNMP agent, whatever it puts in the way: which request follows which answer.

Theory of operation. A reading is a generator. It yields an `Ask` (a request and how often to try it) and is
sent the PDU that answered, or None when all tries went unanswered; an answer that is addressed right but
cannot be decoded is thrown in as `SnmpDecodeError`. It returns the var-binds. So the same reading runs over a
socket, over a recording and in a test, and the socket can send the next request as soon as an answer arrives.

What goes wrong, and what is done:
- tooBig, or an answer that cannot be decoded: half the batch, down to one object;
- no answer: the last try asks for one object alone. If that is answered the batch was too big (tunnels that
  drop fragments, agents with small buffers) and is halved; if not, the device is silent and has cost no more;
- a bad object fails a whole PDU (always in v1; genErr in v2c): it is left out and the rest asked again.

Walks (`snmpwalk.py`) stand on the same exchange. What a device has shown it can take is kept in its `Pace`,
so the next poll does not pay for it again.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import chain
from typing import NamedTuple, overload

from ayni_core.ber import oid_text
from ayni_core.snmp import (
    GEN_ERR,
    GET,
    NO_ACCESS,
    NO_ERROR,
    NO_SUCH_NAME,
    NO_SUCH_OBJECT,
    RESOURCE_UNAVAILABLE,
    TOO_BIG,
    V1,
    Binds,
    Pdu,
    RequestTemplate,
    Shape,
    SnmpDecodeError,
    VarBind,
    request_template,
    status_name,
)

# What fits one unfragmented datagram: 1,500 octets less 28 of IP and UDP, less the message around.
MOST_VARBINDS = 66
MOST_OCTETS = 1472 - 52
BESIDES_NAME = 11  # octets of a var-bind in an answer beside its name: three headers and a usual value

# Errors that concern one object; the others concern the request.
OBJECT_ERRORS = frozenset((NO_SUCH_NAME, GEN_ERR, NO_ACCESS, RESOURCE_UNAVAILABLE))


class NoAnswer(Exception):  # noqa: N818  what happened, named as such
    """Nothing came back, not even for one object alone."""


class BadAnswer(Exception):  # noqa: N818
    """The agent answered, but not as the protocol has it; the text says how."""


class Ask(NamedTuple):
    """A request to send, at most `tries` times."""

    request: RequestTemplate
    tries: int


class Answers(Sequence[VarBind]):
    """What a reading brought, in the `parts` it came in; those of a known shape are `Binds`."""

    __slots__ = ("parts",)

    def __init__(self) -> None:
        self.parts: list[Sequence[VarBind]] = []

    def __len__(self) -> int:
        return sum(map(len, self.parts))

    def __iter__(self) -> Iterator[VarBind]:
        return chain.from_iterable(self.parts)

    @overload
    def __getitem__(self, at: int) -> VarBind: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[VarBind]: ...

    def __getitem__(self, at: int | slice) -> VarBind | Sequence[VarBind]:
        return list(self)[at]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]


Reading = Generator[Ask, Pdu | None, Sequence[VarBind]]


class Trouble(Enum):
    """An exchange that brought nothing, but might with a smaller request."""

    TOO_BIG = auto()
    LOST = auto()
    GARBLED = auto()


@dataclass(frozen=True, slots=True)
class Leg:
    """A request for the next rows of some columns, `left` of each wanted, and the limit it was made under."""

    request: RequestTemplate
    width: int
    repetitions: int
    left: int
    limit: int
    bulk: bool


@dataclass(slots=True)
class Step:
    """Where an answer of this shape led the columns that were asked for, `rows` further, and what was asked
    then.
    """

    shape: Shape
    rows: int
    cursors: tuple[bytes, ...]
    onward: Leg | None = None


class Pace:
    """What one device has shown: var-binds it takes in a PDU, whether GETBULK works, how its walks go."""

    __slots__ = (
        "_good", "_lost_size", "_silenced", "_strikes", "bulk", "bulk_seen", "limit", "octets", "steps",
        "tries",
    )  # fmt: skip

    RECOVERY = 256  # good exchanges until a larger batch is tried again
    SILENCED, SILENCED_LATER = 2, 4  # times that GETBULK ended all talk until it is believed to do so
    MOST_STEPS = 64

    def __init__(self, *, version: int, tries: int = 3, surplus: int = 0) -> None:
        self.tries = max(1, tries)
        self.limit = MOST_VARBINDS
        self.octets = MOST_OCTETS - surplus  # `surplus`: what the envelope adds beyond a community message
        self.bulk = version != V1
        self.bulk_seen = False
        self.steps: dict[RequestTemplate, Step] = {}
        self._strikes = self._lost_size = self._good = self._silenced = 0

    def good(self, size: int) -> None:
        """An exchange of `size` var-binds succeeded."""
        if size >= self._lost_size:
            self._strikes = 0
        if self.limit < MOST_VARBINDS:
            self._good += 1
            if self._good >= self.RECOVERY:
                self._good = 0
                self.limit = min(MOST_VARBINDS, self.limit * 2)

    def too_big(self, size: int) -> None:
        """The agent says `size` var-binds are too many."""
        self.limit = max(1, min(self.limit, size // 2))
        self._good = 0

    def lost(self, size: int) -> None:
        """`size` var-binds went unanswered while one was answered: believed the second time.

        Once may be a lossy link, which small batches would only make worse.
        """
        self._strikes += 1
        self._lost_size = size
        if self._strikes >= 2:
            self._strikes = 0
            self.too_big(size)

    def bulk_good(self) -> None:
        """GETBULK brought something."""
        self.bulk_seen = True
        self._silenced = 0

    def silenced(self) -> None:
        """After a GETBULK not even the smallest question was answered, where others had been before.

        Once the device may just have died; some die of GETBULK each time.
        """
        self._silenced += 1
        if self._silenced >= (self.SILENCED_LATER if self.bulk_seen else self.SILENCED):
            self.bulk = False

    def remember(self, request: RequestTemplate, step: Step) -> None:
        """The answer to `request` led on by `step`; one of the same shape need not be checked again."""
        if len(self.steps) >= self.MOST_STEPS:
            self.steps.clear()
        self.steps[request] = step


def exchange(
    pace: Pace, request: RequestTemplate, size: int, probe: tuple[int, bytes], *, alone: bool
) -> Generator[Ask, Pdu | None, Pdu | Trouble]:
    """One request for `size` var-binds; unless it is `alone`, the last try asks for `probe` (kind, OID)."""
    try:
        reply = yield Ask(request, pace.tries if alone else max(1, pace.tries - 1))
    except SnmpDecodeError as error:
        if alone:
            raise BadAnswer(f"answered in octets that cannot be decoded: {error}") from None
        return Trouble.GARBLED
    if reply is None:
        if alone or not (yield from answers(request_template(probe[0], (probe[1],)), tries=1)):
            raise NoAnswer
        return Trouble.LOST
    if reply.error_status == TOO_BIG:
        if alone:
            raise BadAnswer("answered tooBig to one object")
        pace.too_big(size)
        return Trouble.TOO_BIG
    return reply


def answers(request: RequestTemplate, *, tries: int) -> Generator[Ask, Pdu | None, bool]:
    """Whether anything comes back at all."""
    try:
        return (yield Ask(request, tries)) is not None
    except SnmpDecodeError:
        return True


def read_objects(oids: Sequence[bytes], pace: Pace) -> Reading:
    """GET of any number of objects, in their order; one that cannot be read comes as (oid, 0x80, None)."""
    found: list[VarBind] = [(oid, NO_SUCH_OBJECT, None) for oid in oids]
    smooth = Answers()  # the same, as long as every batch is answered in full
    todo = _batches(oids, pace.limit, pace.octets)
    while todo:
        batch = todo.pop()
        names = tuple([oids[at] for at in batch])
        size = len(names)
        request = request_template(GET, names)
        reply = yield from exchange(pace, request, size, (GET, names[0]), alone=size == 1)
        if isinstance(reply, Pdu):
            if reply.error_status == NO_ERROR:
                if _names(reply.varbinds) == names:
                    pace.good(size)
                    smooth.parts.append(reply.varbinds)
                    if len(smooth) == len(oids):
                        return smooth
                    for at, varbind in zip(batch, reply.varbinds, strict=True):
                        found[at] = varbind
                    continue
                if size == 1:
                    raise BadAnswer(f"answered with something else than {oid_text(names[0])}")
            elif reply.error_status not in OBJECT_ERRORS:
                raise BadAnswer(f"answered {status_name(reply.error_status)}")
            elif size == 1:
                continue
            elif 1 <= reply.error_index <= size:
                del batch[reply.error_index - 1]
                todo.append(batch)
                continue
        elif reply is Trouble.LOST:
            pace.lost(size)
        todo += (batch[size // 2 :], batch[: size // 2])
    return found


def _names(varbinds: Sequence[VarBind]) -> tuple[bytes, ...]:
    return varbinds.shape.names if isinstance(varbinds, Binds) else tuple([oid for oid, _, _ in varbinds])


def _batches(oids: Sequence[bytes], limit: int, most_octets: int) -> list[list[int]]:
    """Positions of `oids` in batches that fit a PDU, last batch first."""
    if 0 < len(oids) <= limit and sum(map(len, oids)) + BESIDES_NAME * len(oids) <= most_octets:
        return [list(range(len(oids)))]
    batches: list[list[int]] = []
    room = 0
    for at, oid in enumerate(oids):
        room -= len(oid) + BESIDES_NAME
        if room < 0 or len(batches[-1]) >= limit:
            batches.append([])
            room = most_octets - len(oid) - BESIDES_NAME
        batches[-1].append(at)
    return batches[::-1]
