"""The lock-out guard: whoever cuts off the branch that they sit on gets it back.

Theory of operation. Before something is changed, the way back is written to disk, so that no crash and no
power cut can come in between. Then it is done, looked at, and put *on probation*: the agent makes up a nonce
and sends it to the hub; only the hub's answer with that nonce shows that the two still reach each other, and
cancels the undo. Without it the undo runs when the window ends; when the agent was killed, as soon as it is
back. It is tried again, with growing pauses, until the device says that all is as it was.

The law of the file: an undo leaves the disk only after it was confirmed, or worked, or was refused before
anything was changed, or was tried for a whole day and somebody was told.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ayni_agent.logbook import kept, set_aside
from ayni_core.ber import BerError, encode_oid, oid_text
from ayni_core.message import Message
from ayni_core.snmp import VarBind
from ayni_core.wire import WireError
from ayni_core.wire.shape import pack, unpack
from ayni_io import files
from ayni_io.snmp_errors import SnmpError
from ayni_io.snmp_set import SnmpSetRefused, SnmpWriter
from ayni_io.waiting import Clock, within

log = logging.getLogger("agent")
REPEAT_S = 5.0
"""How often the nonce is sent again while nobody has answered it."""
UNDO_FOR_S = 86_400.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 300.0
_ACT_S, _TRY_S = 30.0, 20.0
LAST_TRY_S = 5.0


class GuardError(Exception):
    """Nothing was changed, because the way back could not be kept; `text` is for the person."""

    def __init__(self, text: Message) -> None:
        super().__init__(text.context)
        self.text = text


class TurnBack(Exception):  # noqa: N818  what is to happen, named as such
    """It is to be undone; `text` says why."""

    def __init__(self, text: Message) -> None:
        super().__init__(text.context)
        self.text = text


class NotUndoneError(Exception):
    """The undo was tried for as long as it makes sense, in vain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Object:
    """An object of a device as it was: octets are written in hexadecimal."""

    oid: str
    tag: int
    value: int | str

    @classmethod
    def of(cls, varbind: VarBind) -> Object:
        """A var-bind that has a value."""
        oid, tag, value = varbind
        return cls(oid=oid_text(oid), tag=tag, value=value.hex() if isinstance(value, bytes) else value or 0)

    def varbind(self) -> VarBind:
        """As SNMP has it. Raises `ValueError`."""
        value = bytes.fromhex(self.value) if isinstance(self.value, str) else self.value
        return encode_oid(self.oid), self.tag, value


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """The way back from one command: these objects of this device get these values again."""

    id: str
    device: str
    item: str
    objects: tuple[Object, ...]

    def place(self, cause: str = "") -> dict[str, str]:
        """What sentences about it are filled with."""
        return {"item": self.item, "device": self.device} | ({"cause": cause} if cause else {})


class Writers(Protocol):
    """Who gives sessions to change devices; `ayni_agent.devices.Devices` is one."""

    def writer(self, name: str) -> SnmpWriter | None:
        """A session, or None where nobody may change the device."""
        ...


@dataclass(slots=True)
class _Probation:
    nonce: str
    confirmed: asyncio.Event


class Guard:
    """Undos in `folder`/undo; without a folder nothing is done that would need one."""

    def __init__(self, folder: Path | None, writers: Writers, clock: Clock) -> None:
        self._folder = folder / "undo" if folder is not None else None
        self._writers = writers
        self._clock = clock
        self._on_probation: dict[str, _Probation] = {}
        self._pending = {undo.id: undo for undo in _read(self._folder)} if self._folder else {}

    @property
    def keeps(self) -> bool:
        """Whether there is a place to keep an undo in."""
        return self._folder is not None

    def pending(self) -> tuple[Undo, ...]:
        """What has not been undone and not been confirmed."""
        return tuple(self._pending.values())

    def pending_of(self, identifier: str) -> Undo | None:
        """The undo of one command, if it has one."""
        return self._pending.get(identifier)

    def confirm(self, identifier: str, nonce: str) -> bool:
        """The hub has heard us; False if that answers nothing that is on probation now."""
        found = self._on_probation.get(identifier)
        if found is None or not hmac.compare_digest(found.nonce.encode(), nonce.encode()):
            return False
        found.confirmed.set()
        return True

    async def guarded(
        self,
        undo: Undo,
        act: Callable[[], Awaitable[None]],
        *,
        window_s: float,
        probation: Callable[[str, float], None],
    ) -> None:
        """Do something with a way back. `act` comes back only when the device shows that it was done.

        `probation` is told the nonce and the seconds that are left, again and again. Raises `GuardError` when
        nothing was done, `SnmpSetRefused` when the device would not. After `TurnBack`, and whatever else ends
        this, the undo is still pending, and it is for the caller to `undo` it.
        """
        self.keep(undo)
        try:
            await within(self._clock, _ACT_S, _run(act))
        except SnmpSetRefused:
            self.settle(undo)
            raise
        except Exception as error:  # whatever went wrong: the device may be half changed
            cause = str(error) or f"not within {_ACT_S:g} s"
            raise TurnBack(Message("undone.failed", undo.place(cause[:200]))) from error
        if not await self._confirmed(undo.id, window_s, probation):
            raise TurnBack(Message("undone.no_word", undo.place()))
        self.settle(undo)

    def keep(self, undo: Undo) -> None:
        """Write down the way back, so that nothing can take it away. Raises `GuardError`."""
        if self._folder is None:
            raise GuardError(Message("refused.not_kept", {"cause": "no state_dir"}))
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            files.write_durably(self._folder / f"{undo.id}.json", pack(undo).decode("utf-8"))
        except OSError as error:
            raise GuardError(Message("refused.not_kept", {"cause": error.strerror or str(error)})) from None
        self._pending[undo.id] = undo

    def settle(self, undo: Undo) -> None:
        """The way back is not needed any more."""
        self._pending.pop(undo.id, None)
        if self._folder is None:
            return
        try:
            (self._folder / f"{undo.id}.json").unlink(missing_ok=True)
            files.sync_folder(self._folder)
        except OSError as error:  # the next start will undo it: better than never
            log.error("undo cannot be cleared away id=%s cause=%s", undo.id, error.strerror)

    async def undo(self, undo: Undo, undoing: Callable[[int, str], None]) -> None:
        """Make everything as it was, however long it takes. Raises `NotUndoneError` after a day."""
        log.warning("undoing device=%s item=%s id=%s", undo.device, undo.item, undo.id)
        begun, pause_s, tries = self._clock.now(), _FIRST_PAUSE_S, 0
        while True:
            cause = await self._try(undo, _TRY_S)
            if cause is None:
                break
            tries += 1
            undoing(tries, cause)
            if self._clock.now() - begun + pause_s > UNDO_FOR_S:
                log.error("undo given up device=%s item=%s cause=%s", undo.device, undo.item, cause)
                self.settle(undo)
                raise NotUndoneError
            await self._clock.sleep(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
        log.warning("undone device=%s item=%s tries=%d", undo.device, undo.item, tries + 1)
        self.settle(undo)

    async def last_try(self) -> list[Undo]:
        """The agent ends: what can still be undone at once is; the rest waits on disk for the next start."""
        pending = self.pending()
        causes = await asyncio.gather(*(self._try(undo, LAST_TRY_S) for undo in pending))
        undone = [undo for undo, cause in zip(pending, causes, strict=True) if cause is None]
        for undo in undone:
            self.settle(undo)
        return undone

    async def _confirmed(
        self, identifier: str, window_s: float, probation: Callable[[str, float], None]
    ) -> bool:
        found = _Probation(secrets.token_hex(16), asyncio.Event())
        self._on_probation[identifier] = found
        end = self._clock.now() + window_s
        try:
            while (left := end - self._clock.now()) > 0:
                probation(found.nonce, left)
                try:
                    await within(self._clock, min(left, REPEAT_S), found.confirmed.wait())
                except TimeoutError:
                    continue
                return True
            return found.confirmed.is_set()
        finally:
            del self._on_probation[identifier]

    async def _try(self, undo: Undo, limit_s: float) -> str | None:
        """One try; None when the device says that all is as it was, else what was in the way."""
        try:
            await within(self._clock, limit_s, self._back(undo))
        except TimeoutError:
            return f"no end within {limit_s:g} s"
        except (SnmpError, ValueError, KeyError, ModuleNotFoundError) as error:
            return str(error)
        except Exception as error:  # an undo must not die of a surprise
            log.exception("undo tripped id=%s", undo.id)
            return f"{type(error).__name__}: {error}"
        return None

    async def _back(self, undo: Undo) -> None:
        writer = self._writers.writer(undo.device)
        if writer is None:
            raise ValueError(f"{undo.device}: no write access any more")
        try:
            wanted = [each.varbind() for each in undo.objects]
            await writer.set(wanted)
            found = await writer.get([oid for oid, _tag, _value in wanted])
        finally:
            writer.close()
        if [value for _oid, _tag, value in found] != [value for _oid, _tag, value in wanted]:
            raise ValueError(f"{undo.device}: it says that it was set, and it was not")


async def _run(act: Callable[[], Awaitable[None]]) -> None:
    await act()


def _read(folder: Path) -> list[Undo]:
    found = []
    for path in kept(folder):
        try:
            undo = unpack(Undo, path.read_bytes())
            for each in undo.objects:
                each.varbind()
        except (OSError, WireError, ValueError, BerError) as error:
            log.error("damaged undo put aside: look at the device by hand file=%s cause=%s", path.name, error)
            set_aside(path)
            continue
        if undo.id == path.stem:
            found.append(undo)
    return found
