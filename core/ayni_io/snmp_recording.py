"""A recording behind the port `SnmpReader`: what a device once said, read as if it were there."""

from __future__ import annotations

from collections.abc import Sequence

from ayni_core.mibview import MibView
from ayni_core.snmp import (
    MIN_REQUEST_ID,
    V2C,
    CommunityEnvelope,
    Pdu,
    VarBind,
    decode_request,
)
from ayni_core.snmplayout import Layouts
from ayni_core.snmpread import BadAnswer, NoAnswer, Pace, Reading, read_objects
from ayni_core.snmpwalk import read_columns
from ayni_io.snmp import Cost
from ayni_io.snmp_errors import SnmpProtocolError


class RecordedReader:
    """`SnmpReader` over a MibView: a recording answers through the same codec, and costs the same."""

    def __init__(self, view: MibView, *, version: int = V2C, max_size: int = 1472) -> None:
        self._view = view
        self._envelope = CommunityEnvelope(version, b"recorded")
        self._pace = Pace(version=version)
        self._layouts = Layouts()
        self._max_size = max_size
        self._cost = Cost()

    @property
    def cost(self) -> Cost:
        """What it would have cost so far."""
        return self._cost

    async def get(self, oids: Sequence[bytes]) -> Sequence[VarBind]:
        """See `SnmpReader.get`."""
        return self._run(read_objects(oids, self._pace))

    async def columns(
        self, columns: Sequence[bytes], expected_rows: int | None = None, max_rows: int = 4096
    ) -> Sequence[VarBind]:
        """See `SnmpReader.columns`."""
        return self._run(read_columns(columns, self._pace, expected_rows=expected_rows, max_rows=max_rows))

    async def walk(self, root: bytes, max_objects: int = 4096) -> Sequence[VarBind]:
        """See `SnmpReader.walk`."""
        return self._run(read_columns([root], self._pace, max_rows=max_objects))

    def close(self) -> None:
        """Nothing to give back."""

    def _run(self, reading: Reading) -> Sequence[VarBind]:
        outcome: Pdu | None = None
        try:
            while True:
                ask = reading.send(outcome)
                request = self._envelope.seal(ask.request, MIN_REQUEST_ID + self._cost.pdus)
                answer = self._view.answer(decode_request(request), self._max_size)
                if answer is not None:
                    outcome = self._layouts.decode(ask.request, *self._envelope.open(answer))
                else:
                    outcome = None
                self._cost = Cost(
                    pdus=self._cost.pdus + 1,
                    bytes_sent=self._cost.bytes_sent + len(request),
                    bytes_received=self._cost.bytes_received + len(answer or b""),
                )
        except StopIteration as done:
            found: Sequence[VarBind] = done.value
            return found
        except (BadAnswer, NoAnswer) as error:
            raise SnmpProtocolError(f"reading a recording: {error}") from None
