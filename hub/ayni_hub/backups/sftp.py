"""SFTP as far as a backup needs it, spoken with a server through `ssh -s` or any pair of pipes.

OpenSSH's own `sftp` cannot send what is still being made, and a copy on our card is what must not be. So the
few packets of version 3 (draft-ietf-secsh-filexfer-02) are here; all that is secret is left to the program
`ssh`. The other side needs no more than an account that may do nothing but `internal-sftp` below one folder.
"""

from __future__ import annotations

import contextlib
import itertools
import struct
from collections import deque
from collections.abc import Callable, Iterator
from typing import BinaryIO

from ayni_hub.backups.errors import BackupError
from ayni_io.i18n import _

_INIT, _VERSION, _OPEN, _CLOSE, _READ, _WRITE, _OPENDIR, _READDIR = 1, 2, 3, 4, 5, 6, 11, 12
_REMOVE, _MKDIR, _RENAME, _STATUS, _HANDLE, _DATA, _NAME, _EXTENDED = 13, 14, 18, 101, 102, 103, 104, 200
_OK, _EOF, _MISSING, _DENIED, _UNSUPPORTED = 0, 1, 2, 3, 8
_READABLE, _NEW = 0x01, 0x02 | 0x08 | 0x10
"""Flags of OPEN: read; write, create, truncate."""
_PIECE, _FLYING = 32_000, 48
_LARGEST = 256 * 1024
_PERMISSIONS = struct.pack(">II", 0x04, 0o600)
_NOTHING = struct.pack(">I", 0)
_MOST_NAMES = 10_000


class SftpPlace:
    """A folder at a server; it is made where it is missing. `why` is asked when the server is gone."""

    def __init__(
        self, to: BinaryIO, back: BinaryIO, folder: str, where: str, why: Callable[[], str] = lambda: ""
    ) -> None:
        self._to, self._back, self._where, self._why = to, back, where, why
        self._folder = folder.rstrip("/") or "/"
        self._numbers = itertools.count(1)
        self._send(_INIT, struct.pack(">I", 3), number=None)
        kind, body = self._packet()
        if kind != _VERSION or len(body) < 4:
            raise self._fault(_("it does not speak SFTP"))
        self._ask(_MKDIR, _string(self._folder) + struct.pack(">II", 0x04, 0o700))  # it may be there

    def names(self) -> list[str]:
        """See `Place`."""
        handle = self._handle(_OPENDIR, _string(self._folder))
        found: list[str] = []
        while len(found) < _MOST_NAMES:
            kind, body = self._ask(_READDIR, _string(handle))
            if kind != _NAME:
                break
            found += _names(body)
        self._ask(_CLOSE, _string(handle))
        return sorted(found)

    @contextlib.contextmanager
    def writing(self, name: str) -> Iterator[Callable[[bytes], object]]:
        """See `Place`."""
        part = f".{name}.part"
        handle = self._handle(_OPEN, _string(self._path(part)) + struct.pack(">I", _NEW) + _PERMISSIONS)
        flying: deque[int] = deque()
        at = 0

        def landed() -> None:
            kind, body = self._answer(flying.popleft())
            self._must(kind, body, name)

        def write(piece: bytes) -> None:
            nonlocal at
            for start in range(0, len(piece), _PIECE):
                part = piece[start : start + _PIECE]
                flying.append(self._send(_WRITE, _string(handle) + struct.pack(">Q", at) + _string(part)))
                at += len(part)
                if len(flying) >= _FLYING:
                    landed()

        try:
            yield write
            while flying:
                landed()
            kind, body = self._ask(_EXTENDED, _string(b"fsync@openssh.com") + _string(handle))
            if _code(kind, body) != _UNSUPPORTED:
                self._must(kind, body, name)
            self._must(*self._ask(_CLOSE, _string(handle)), name)
            self._must(*self._ask(_RENAME, _string(self._path(part)) + _string(self._path(name))), name)
        except BaseException:
            with contextlib.suppress(BackupError):
                while flying:
                    self._answer(flying.popleft())
                self._ask(_CLOSE, _string(handle))
                self._ask(_REMOVE, _string(self._path(part)))
            raise

    def reading(self, name: str) -> Iterator[bytes]:
        """See `Place`."""
        handle = self._handle(_OPEN, _string(self._path(name)) + struct.pack(">I", _READABLE) + _NOTHING)
        flying: deque[int] = deque()
        asked = at = 0
        ended = False
        while not ended:
            while len(flying) < _FLYING:
                flying.append(self._send(_READ, _string(handle) + struct.pack(">QI", asked, _PIECE)))
                asked += _PIECE
            kind, body = self._answer(flying.popleft())
            if kind == _DATA:
                piece = _first(body)
                at += len(piece)
                yield piece
                if len(piece) == _PIECE:
                    continue
            elif _code(kind, body) == _EOF:
                ended = True
            else:
                self._must(kind, body, name)
            while flying:  # after less than was asked for: go on from there
                self._answer(flying.popleft())
            asked = at
        self._ask(_CLOSE, _string(handle))

    def remove(self, name: str) -> None:
        """See `Place`."""
        self._must(*self._ask(_REMOVE, _string(self._path(name))), name)

    # ---- packets

    def _path(self, name: str) -> str:
        return f"{self._folder}/{name}"

    def _handle(self, kind: int, body: bytes) -> bytes:
        kind, body = self._ask(kind, body)
        if kind != _HANDLE:
            self._must(kind, body, self._folder)
            raise self._fault(_("it does not speak SFTP"))
        return _first(body)

    def _ask(self, kind: int, body: bytes) -> tuple[int, bytes]:
        return self._answer(self._send(kind, body))

    def _send(self, kind: int, body: bytes, *, number: int | None = -1) -> int:
        """One packet; its number."""
        if number is not None:
            number = next(self._numbers)
            body = struct.pack(">I", number) + body
        try:
            self._to.write(struct.pack(">IB", len(body) + 1, kind) + body)
            self._to.flush()
        except OSError as error:
            raise self._fault(str(error.strerror)) from error
        return number or 0

    def _answer(self, number: int) -> tuple[int, bytes]:
        """What answers a packet; servers answer in order (OpenSSH does, and we ask for one file at a
        time)."""
        kind, body = self._packet()
        if len(body) < 4 or int.from_bytes(body[:4], "big") != number:
            raise self._fault(_("it does not speak SFTP"))
        return kind, body[4:]

    def _packet(self) -> tuple[int, bytes]:
        head = self._exactly(5)
        size, kind = struct.unpack(">IB", head)
        if not 1 <= size <= _LARGEST:
            raise self._fault(_("it does not speak SFTP"))
        return kind, self._exactly(size - 1)

    def _exactly(self, size: int) -> bytes:
        found = b""
        while len(found) < size:
            try:
                piece = self._back.read(size - len(found))
            except OSError as error:
                raise self._fault(str(error.strerror)) from error
            if not piece:
                raise self._fault(_("the connection ended"))
            found += piece
        return found

    def _must(self, kind: int, body: bytes, name: str) -> None:
        code = _code(kind, body)
        if code == _OK:
            return
        if code == _MISSING:
            raise self._fault(_("{path} is not there", path=name))
        if code == _DENIED:
            raise self._fault(_("{path}: permission denied", path=name))
        said = _first(body[4:]).decode("utf-8", "replace") if len(body) >= 8 else ""
        raise self._fault(
            _("{path}: refused ({reason}); is its disk full?", path=name, reason=said[:80] or code)
        )

    def _fault(self, reason: str) -> BackupError:
        return BackupError(_("{place}: {reason}", place=self._where, reason=self._why() or reason))


def _string(value: str | bytes) -> bytes:
    body = value.encode() if isinstance(value, str) else value
    return struct.pack(">I", len(body)) + body


def _first(body: bytes) -> bytes:
    """The text that a body begins with; empty where it is cut."""
    size = int.from_bytes(body[:4], "big")
    return body[4 : 4 + size] if len(body) >= 4 + size else b""


def _code(kind: int, body: bytes) -> int:
    return int.from_bytes(body[:4], "big") if kind == _STATUS and len(body) >= 4 else -1


def _names(body: bytes) -> Iterator[str]:
    """Of a NAME: count, then name, long name, attributes each."""
    count, at = int.from_bytes(body[:4], "big"), 4
    for _each in range(min(count, _MOST_NAMES)):
        name = _first(body[at:])
        at += 4 + len(name)
        at += 4 + len(_first(body[at:]))
        if at + 4 > len(body):
            return
        flags = int.from_bytes(body[at : at + 4], "big")
        at += 4 + 8 * bool(flags & 1) + 8 * bool(flags & 2) + 4 * bool(flags & 4) + 8 * bool(flags & 8)
        if flags & 0x80000000:
            return  # extended attributes, which nobody sends in version 3
        yield name.decode("utf-8", "replace")
