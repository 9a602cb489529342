"""What a session is, without a socket and without time: readings over answers of which some are spoilt."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from random import Random
from typing import Any

from soak_devices import LARGEST, USERS, Talk

from ayni_core.mibview import MibView
from ayni_core.snmp import (
    MIN_REQUEST_ID,
    RESPONSE,
    V1,
    V2C,
    CommunityEnvelope,
    Denial,
    Envelope,
    Pdu,
    Renewal,
    SnmpDecodeError,
    VarBind,
    decode_request,
)
from ayni_core.snmplayout import Layouts
from ayni_core.snmpread import Ask, BadAnswer, NoAnswer, Pace, Reading, read_objects
from ayni_core.snmpwalk import read_columns
from ayni_io.snmp import Cost
from ayni_io.snmp_errors import denied, failure, silence
from ayni_io.snmp_session import MOST_RENEWALS

MOST_REQUESTS = 3000
"""Of one reading or poll; the devices here are read in a hundred."""


class Fault(AssertionError):  # noqa: N818  what happened, named as such
    """Spoilt octets brought what they must not."""


class Line:
    """What a session is, without a socket and without time: `spoilt` of the answers are, some are lost."""

    def __init__(
        self,
        envelope: Envelope,
        answer: Callable[[bytes], bytes | None],
        spoil: Callable[[bytes], bytes],
        rng: Random,
    ) -> None:
        self.spoilt = 0.0
        self.requests = 0
        self._envelope = envelope
        self._answer = answer
        self._spoil = spoil
        self._rng = rng
        self._layouts = Layouts()
        self._id = MIN_REQUEST_ID

    def run(self, reading: Reading) -> Sequence[VarBind]:
        """Drive a reading to its end. Raises BadAnswer, NoAnswer, Denial."""
        try:
            ask = next(reading)
            while True:
                outcome = self._exchange(ask)
                if isinstance(outcome, SnmpDecodeError):
                    ask = reading.throw(outcome)
                else:
                    ask = reading.send(outcome)
        except StopIteration as done:
            found: Sequence[VarBind] = done.value
            return found

    def _exchange(self, ask: Ask) -> Pdu | SnmpDecodeError | None:
        self._id += 1
        left, renewals = ask.tries, 0
        while left:
            left -= 1
            outcome = self._try(ask)
            if isinstance(outcome, Renewal):
                left, renewals = left + 1, renewals + 1
                if renewals > MOST_RENEWALS:
                    raise BadAnswer("answered every request by asking for another")
            elif isinstance(outcome, Denial):
                raise outcome
            elif outcome is not None:
                return outcome
        return None

    def _try(self, ask: Ask) -> Pdu | SnmpDecodeError | None:
        self.requests += 1
        if self.requests > MOST_REQUESTS:
            raise Fault(f"a reading has no end: {MOST_REQUESTS} requests")
        answer = self._answer(self._envelope.seal(ask.request, self._id))
        if answer is None or self._rng.random() < 0.02:
            return None
        if self._rng.random() < self.spoilt:
            answer = self._spoil(answer)
        outcome: Pdu | SnmpDecodeError
        try:
            outcome = self._layouts.decode(ask.request, *self._envelope.open(answer))
            if outcome.kind != RESPONSE:
                return None
        except SnmpDecodeError as error:
            outcome = error
        return outcome if outcome.request_id == self._id else None


def connect(rng: Random, view: MibView, spoil: Callable[[bytes], bytes]) -> tuple[Line, Pace, Talk | None]:
    """A line to a device in one of the versions, and its pace."""
    version = rng.choice((V1, V2C, V2C, None))
    if version is None:
        talk = Talk(rng.choice(USERS), rng, view)
        pace = Pace(version=talk.envelope.version, tries=2, surplus=talk.envelope.surplus)
        return Line(talk.envelope, talk.answer, spoil, rng), pace, talk

    def answer(datagram: bytes) -> bytes | None:
        return view.answer(decode_request(datagram), LARGEST)

    return (
        Line(CommunityEnvelope(version, b"public"), answer, spoil, rng),
        Pace(version=version, tries=2),
        None,
    )


class LineReader:
    """`SnmpReader` over a line."""

    cost = Cost()

    def __init__(self, line: Line, pace: Pace) -> None:
        self._line = line
        self._pace = pace

    async def get(self, oids: Sequence[bytes]) -> Sequence[VarBind]:
        return self._run(read_objects(oids, self._pace))

    async def columns(
        self, columns: Sequence[bytes], expected_rows: int | None = None, max_rows: int = 4096
    ) -> Sequence[VarBind]:
        return self._run(read_columns(columns, self._pace, expected_rows=expected_rows, max_rows=max_rows))

    async def walk(self, root: bytes, max_objects: int = 4096) -> Sequence[VarBind]:
        return self._run(read_columns([root], self._pace, max_rows=max_objects))

    def close(self) -> None:
        pass

    def _run(self, reading: Reading) -> Sequence[VarBind]:
        try:
            return self._line.run(reading)
        except NoAnswer:
            raise silence("reading", 2, 2.0) from None
        except Denial as denial:
            raise denied("reading", denial) from None
        except BadAnswer as error:
            raise failure("reading", error) from None


def at_once(running: Coroutine[Any, Any, Any]) -> Any:
    """The result of a coroutine that never waits."""
    try:
        running.send(None)
    except StopIteration as done:
        return done.value
    raise Fault("somebody waits for what never comes")
