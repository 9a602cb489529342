"""A supply that upsd looks after: one connection for each read, closed politely.

upsd allows few connections and drops idle ones, and a read a minute needs none of its own. The way there is
not encrypted: a password is worth no more than the network it crosses.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Mapping

from ayni_agent.eyes import EyeError, Sight
from ayni_core.power import nut
from ayni_core.readings import Series, Value
from ayni_core.sources.nut import Nut
from ayni_io.i18n import _
from ayni_io.secret import Secret

_PATIENCE_S = 5.0


class NutEye:
    """See `ayni_agent.eyes.Eye`."""

    states: Mapping[Series, Mapping[int, str]] = nut.STATES

    def __init__(self, source: Nut, password: Secret | None, patience_s: float = 30.0) -> None:
        self._source = source
        self._patience_s = min(_PATIENCE_S, 0.85 * patience_s)
        self._password = password

    async def read(self) -> dict[Series, Value]:
        """All variables of the supply."""
        where = self._source.where
        try:
            async with asyncio.timeout(self._patience_s):
                reader, writer = await asyncio.open_connection(
                    self._source.host, self._source.port, limit=nut.LONGEST_LINE
                )
                try:
                    return nut.readings(await self._variables(reader, writer))
                finally:
                    writer.close()
        except TimeoutError:
            raise EyeError(_("{where}: upsd does not answer", where=where)) from None
        except ConnectionRefusedError:
            raise EyeError(
                _("{where}: nothing listens there; does upsd run, and LISTEN on this address?", where=where)
            ) from None
        except (OSError, UnicodeError) as error:
            number = getattr(error, "errno", None)
            cause = os.strerror(number) if number else str(error)
            raise EyeError(_("{where}: no connection: {cause}", where=where, cause=cause)) from None
        except (ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            raise EyeError(_("{where}: what answers there is no upsd", where=where)) from None

    async def _variables(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> dict[str, str]:
        if self._password is not None:
            await self._ask(reader, writer, f"USERNAME {self._source.username}")
            await self._ask(reader, writer, f'PASSWORD "{_quoted(self._password.reveal())}"')
        ups = self._source.ups or await self._only_one(reader, writer)
        found: dict[str, str] = {}
        for words in await self._list(reader, writer, f"VAR {ups}"):
            if len(words) == 4:
                found[words[2]] = words[3]
        with contextlib.suppress(OSError):
            writer.write(b"LOGOUT\n")
        return found

    async def _only_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
        names = [words[1] for words in await self._list(reader, writer, "UPS") if len(words) >= 2]
        if len(names) == 1:
            return names[0]
        if not names:
            raise EyeError(_("{where}: upsd looks after no supply", where=self._source.where))
        raise EyeError(
            _(
                "{where}: there are several supplies, say which one with ups: {names}",
                where=self._source.where, names=", ".join(sorted(names)[:8]),
            )
        )  # fmt: skip

    async def _list(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, what: str
    ) -> list[list[str]]:
        if (await self._ask(reader, writer, f"LIST {what}"))[:2] != ["BEGIN", "LIST"]:
            raise ValueError("no list")
        found: list[list[str]] = []
        while (words := nut.words(await _line(reader)))[:1] != ["END"]:
            found.append(words)
            if len(found) > nut.MOST_VARIABLES:
                raise ValueError("a list without end")
        return found

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: str) -> list[str]:
        writer.write(f"{line}\n".encode())
        await writer.drain()
        words = nut.words(await _line(reader))
        if words[:1] == ["ERR"]:
            raise EyeError(self._refused(words[1] if len(words) > 1 else ""))
        if words[:1] not in (["OK"], ["BEGIN"]):
            raise ValueError("no answer of upsd")
        return words

    def _refused(self, code: str) -> str:
        where = self._source.where
        match code:
            case "UNKNOWN-UPS":
                return _("{where}: upsd does not know this supply; upsc -l lists those it knows", where=where)
            case "DATA-STALE" | "DRIVER-NOT-CONNECTED":
                return _(
                    "{where}: upsd hears nothing of the supply: is its cable in, and its driver running?",
                    where=where,
                )
            case "ACCESS-DENIED" | "INVALID-USERNAME" | "INVALID-PASSWORD":
                return _("{where}: upsd refuses this user or this machine", where=where)
        return _("{where}: upsd refuses: {code}", where=where, code=code or "?")

    def close(self) -> None:
        """Nothing is held between two reads."""


def open_eye(sight: Sight) -> NutEye:
    """See `ayni_agent.eyes`."""
    assert isinstance(sight.source, Nut)  # noqa: S101  the registry says so
    return NutEye(sight.source, sight.secrets.get("password"), sight.patience_s)


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


async def _line(reader: asyncio.StreamReader) -> str:
    octets = await reader.readuntil(b"\n")
    return octets.decode("utf-8", "replace")
