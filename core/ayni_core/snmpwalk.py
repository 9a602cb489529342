"""Walks of table columns: side by side, in as few PDUs as they fit, past what agents do wrong.

Columns of tables with the same index are asked for together, several rows a GETBULK; each column keeps a
cursor of its own, because columns may have gaps, end early or be cut off by the agent. GETBULK that goes
unanswered or is refused where GETNEXT works is not used again, nor one that silences the device each time.
OIDs that do not increase end the walk with an error: RFC 3416 section 4.2.3 promises that they do, and a walk
that believes otherwise never ends.
"""

from __future__ import annotations

from collections.abc import Sequence

from ayni_core.ber import follows, oid_text
from ayni_core.snmp import (
    GET_BULK,
    GET_NEXT,
    NO_ERROR,
    NO_SUCH_OBJECT,
    Binds,
    Pdu,
    Shape,
    VarBind,
    request_template,
    status_name,
)
from ayni_core.snmpread import (
    BESIDES_NAME,
    OBJECT_ERRORS,
    Answers,
    BadAnswer,
    Leg,
    NoAnswer,
    Pace,
    Reading,
    Step,
    Trouble,
    answers,
    exchange,
)


def read_columns(
    columns: Sequence[bytes], pace: Pace, *, expected_rows: int | None = None, max_rows: int = 4096
) -> Reading:
    """Walk columns of tables with the same index.

    At most `max_rows` of each column; with `expected_rows` the walk stops there instead of running into what
    comes behind. Within a column the OIDs increase; how the columns are interleaved is not promised.
    """
    walk = _Walk(columns, max_rows if expected_rows is None else min(expected_rows, max_rows), pace.octets)
    walk.expecting = expected_rows is not None
    bulk = pace.bulk
    limit = pace.limit
    step: Step | None = None
    while walk.cursors:
        leg = step.onward if step else None
        if leg is None or not walk.goes_on_by(leg, limit, bulk=bulk):
            leg = walk.next_leg(limit, bulk=bulk)
            if step is not None and leg.width == len(walk.cursors):
                step.onward = leg
        step = None
        request, width = leg.request, leg.width
        size = width * leg.repetitions
        first = walk.cursors[0]
        try:
            reply = yield from exchange(pace, request, size, (GET_NEXT, first), alone=size == 1 and not bulk)
        except NoAnswer:
            if bulk:
                pace.silenced()
            raise
        if isinstance(reply, Pdu):
            if reply.error_status == NO_ERROR:
                if reply.varbinds:
                    step = pace.steps.get(request)
                    if step is None or not walk.repeat(step, reply):
                        step = walk.take(width, reply)
                        if step is not None:
                            pace.remember(request, step)
                    pace.good(size)
                    if bulk:
                        pace.bulk_good()
                    else:
                        pace.bulk = False  # v1, or refused as GETBULK and answered as GETNEXT
                    continue
            elif reply.error_status not in OBJECT_ERRORS:
                raise BadAnswer(f"answered {status_name(reply.error_status)}")
            elif bulk:
                bulk = False
                continue
            elif width == 1 or 1 <= reply.error_index <= width:
                # v1 says noSuchName at the end of its MIB; elsewhere this column cannot be read any further.
                walk.close([0 if width == 1 else reply.error_index - 1])
                bulk = pace.bulk
                continue
        elif reply is Trouble.LOST:
            if bulk and not pace.bulk_seen:
                smallest = request_template(GET_BULK, (first,), 0, 1)
                if not (yield from answers(smallest, tries=max(1, pace.tries - 1))):
                    bulk = pace.bulk = False
                    continue
                pace.bulk_seen = True
            pace.lost(size)
        if size > 1:
            limit = size // 2
        elif bulk:
            bulk = False
            limit = pace.limit
        else:
            raise BadAnswer(f"no object in the answer to what follows {oid_text(first)}")
    return walk.found


class _Walk:
    """How far each column has come; a column that has been read leaves all three lists."""

    __slots__ = ("_columns", "_most_octets", "_wanted", "cursors", "expecting", "found")

    def __init__(self, columns: Sequence[bytes], rows: int, most_octets: int) -> None:
        self._most_octets = most_octets
        self._columns = list(columns) if rows > 0 else []
        self.cursors = self._columns[:]
        self._wanted = [rows] * len(self._columns)
        self.expecting = False
        self.found = Answers()

    def goes_on_by(self, leg: Leg, limit: int, *, bulk: bool) -> bool:
        """Whether a request that followed this very answer before is the one to follow now."""
        return leg.limit == limit and leg.bulk == bulk and leg.left == self._wanted[0]

    def next_leg(self, limit: int, *, bulk: bool) -> Leg:
        """The request that goes on where the columns stand: as many as fit a PDU, as many rows as fit."""
        names, repetitions = self._next_request(limit, bulk=bulk)
        request = (
            request_template(GET_BULK, names, 0, repetitions) if bulk else request_template(GET_NEXT, names)
        )
        return Leg(request, len(names), repetitions, max(self._wanted), limit, bulk)

    def _next_request(self, limit: int, *, bulk: bool) -> tuple[tuple[bytes, ...], int]:
        names = tuple(self.cursors[:limit])
        row = sum(map(len, names)) + len(names) * BESIDES_NAME
        if row > self._most_octets:
            names = names[: max(1, len(names) * self._most_octets // row)]
        if not bulk:
            return names, 1
        return names, max(
            1, min(limit // len(names), self._most_octets // row, max(self._wanted[: len(names)]))
        )

    def take(self, width: int, reply: Pdu) -> Step | None:
        """Sort in an answer for the first `width` columns; it may be cut off anywhere (RFC 3416, 4.2.3).

        Returns what there is to remember where each column brought the same number of rows and goes on.
        """
        ended: list[int] = []
        taken_rows: list[VarBind] = []
        last_row: bytes | None = None
        varbinds = list(reply.varbinds)
        shape = _shape(reply)
        even = shape is not None
        for at in range(width):
            column = self._columns[at]
            start = len(column)
            last = self.cursors[at][start:]
            rows = varbinds[at::width]
            del rows[self._wanted[at] :]
            taken = 0
            for oid, tag, _ in rows:
                if tag >= NO_SUCH_OBJECT or not oid.startswith(column):
                    ended.append(at)
                    break
                suffix = oid[start:]
                if not (suffix > last if suffix.isascii() else follows(last, suffix)):
                    raise BadAnswer(f"{oid_text(oid)} does not increase after {oid_text(column + last)}")
                last = suffix
                taken += 1
            even = even and taken * width == len(varbinds)
            if taken:
                taken_rows += rows[:taken] if taken < len(rows) else rows
                self.cursors[at] = rows[taken - 1][0]
                self._wanted[at] -= taken
                if not self._wanted[at]:
                    ended.append(at)
                    if last_row is None or follows(last_row, last):
                        last_row = last
        step = None
        if even and shape is not None:
            step = Step(shape, len(varbinds) // width, tuple(self.cursors[:width]))
            self.found.parts.append(reply.varbinds)
        else:
            self.found.parts.append(taken_rows)
        self.close(ended)
        if self.expecting and last_row is not None:
            self._close_complete(last_row)
        return step

    def repeat(self, step: Step, reply: Pdu) -> bool:
        """Sort in an answer of the shape that `take` found good before, to this very request.

        False where the columns do not stand level, and `take` has to look again.
        """
        wanted = self._wanted
        width = len(wanted)
        left = wanted[0] - step.rows
        if (
            step.shape is not _shape(reply)
            or len(step.cursors) != width
            or left < 0
            or wanted.count(wanted[0]) != width
            or not all(map(bytes.startswith, step.cursors, self._columns))  # a wider walk may have asked it
        ):
            return False
        self.found.parts.append(reply.varbinds)
        self.cursors = list(step.cursors) if left else []
        self._wanted = [left] * width
        return True

    def _close_complete(self, last_row: bytes) -> None:
        """A column with gaps never reaches the count, but once it stands at the last row it is done too."""
        self.close(
            [
                at
                for at, (column, cursor) in enumerate(zip(self._columns, self.cursors, strict=True))
                if not follows(cursor[len(column) :], last_row)
            ]
        )

    def close(self, ended: list[int]) -> None:
        """These columns, in increasing order, have been read as far as they go."""
        for at in reversed(ended):
            del self._columns[at], self.cursors[at], self._wanted[at]


def _shape(reply: Pdu) -> Shape | None:
    return reply.varbinds.shape if isinstance(reply.varbinds, Binds) else None
