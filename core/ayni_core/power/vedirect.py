"""The text protocol of VE.Direct (Victron): blocks of labelled values, each with a checksum, once a second.

A field is `\\r\\n LABEL \\t VALUE`; the last one of a block is `Checksum`, whose one octet makes the sum of
all octets of the block a multiple of 256. Messages of the other protocol of the same port, `:` to `\\n`, may
stand anywhere in between and are not part of the sum. (VE.Direct Protocol, revision 3.34)
"""

from __future__ import annotations

from collections.abc import Iterator

_MAX_FIELDS = 64
_LONGEST_LABEL, _LONGEST_VALUE, _LONGEST_HEX = 16, 48, 256
_PRINTABLE = range(0x20, 0x7F)
_BEGIN, _LABEL, _VALUE, _SUM, _HEX, _LOST = range(6)

Block = dict[str, str]
"""Values by label, as they came."""


class Blocks:
    """Takes octets as they come, cut anywhere; gives whole blocks whose sum is right.

    What comes first may be the rest of a block: it counts only after a `quiet` line or another block. `wrong`
    counts the blocks with a wrong sum, `octets` everything that came.
    """

    def __init__(self) -> None:
        self.wrong = 0
        self.octets = 0
        self._whole = False
        self._state = self._before_hex = _LOST
        self._hex = 0
        self._restart()

    def quiet(self) -> None:
        """Nothing comes for a while: what comes next is the beginning of a block."""
        self._whole = True
        self._state = _LOST
        self._restart()

    def feed(self, octets: bytes) -> Iterator[Block]:
        """The blocks that end in these octets."""
        self.octets += len(octets)
        for octet in octets:
            if (block := self._take(octet)) is not None:
                yield block

    def _restart(self) -> None:
        self._sum = 0
        self._block: Block = {}
        self._label = self._value = b""

    def _take(self, octet: int) -> Block | None:
        if self._state == _HEX:
            self._hex += 1
            if octet == 0x0A or self._hex > _LONGEST_HEX:
                self._state = self._before_hex
            return None
        if octet == 0x3A and self._state != _SUM:
            self._before_hex, self._state, self._hex = self._state, _HEX, 0
            return None
        self._sum = (self._sum + octet) % 256
        if self._state == _SUM:
            return self._end()
        if self._state == _LABEL:
            if octet == 0x09:
                self._state = _SUM if self._label == b"Checksum" else _VALUE
            else:
                self._label += bytes((octet,))
                if len(self._label) > _LONGEST_LABEL or octet not in _PRINTABLE:
                    self._lose()
        elif octet == 0x0A:
            self._keep()
            self._state, self._label, self._value = _LABEL, b"", b""
        elif self._state == _VALUE and octet != 0x0D:
            self._value += bytes((octet,))
            if len(self._value) > _LONGEST_VALUE or octet not in _PRINTABLE:
                self._lose()  # octets are missing, and one sum of 256 is right all the same
        return None

    def _keep(self) -> None:
        if self._state == _VALUE:
            self._block[self._label.decode("latin-1")] = self._value.decode("latin-1").strip()
            if len(self._block) > _MAX_FIELDS:
                self._lose()

    def _lose(self) -> None:
        """This is no block; the next one may be."""
        self._whole = False
        self._state = _LOST
        self._restart()

    def _end(self) -> Block | None:
        block, right, whole = self._block, self._sum == 0, self._whole
        self._state, self._whole = _LOST, True
        self._restart()
        self.wrong += whole and not right
        return block if whole and right and block else None
