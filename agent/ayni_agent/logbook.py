"""The agent's logbook of commands: what was asked, what came of it; it remembers across restarts.

Two things in one folder. `commands/ID.json` holds a command from the moment it is taken on, with how far it
is, and later with its answer: so the same id brings the same answer and nothing is done twice. `audit.log`
has a line of JSON for everything that was asked and for what came of it, the newest last; when it is full it
becomes `audit.old.log`. Without a folder the memory ends with the process.

A file that cannot be read is put aside under another name: one lost answer must not keep the agent from
working.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from ayni_core import commands
from ayni_core.wire import WireError
from ayni_core.wire.messages import Command, CommandState
from ayni_core.wire.shape import pack, unpack
from ayni_io import files

log = logging.getLogger("agent")
MOST_RECORDS = 40
LARGEST_AUDIT = 256 * 1024
_MOST_DAMAGED = 8


class LogbookError(Exception):
    """The disk does not take it; the text is the cause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A command and how far it is. `number` counts them; `told`: the hub has the final state."""

    number: int
    command: Command
    state: CommandState
    told: bool = False

    @property
    def final(self) -> bool:
        """Whether nothing follows any more."""
        return self.state.state in commands.FINAL


class Logbook:
    """One folder, or none. Only `begin` raises: what cannot be noted afterwards is still true."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._records: dict[str, Record] = {}
        self._failing = False
        if folder is not None:
            for record in sorted(_read(folder / "commands"), key=lambda each: each.number):
                self._records[record.command.id] = record
        self._number = max((record.number for record in self._records.values()), default=0)

    def get(self, identifier: str) -> Record | None:
        """What is remembered of a command."""
        return self._records.get(identifier)

    def unfinished(self) -> list[Record]:
        """Commands that an earlier process took on and did not end."""
        return [record for record in self._records.values() if not record.final]

    def untold(self) -> list[Record]:
        """Answers that the hub may not have."""
        return [record for record in self._records.values() if record.final and not record.told]

    def begin(self, command: Command, state: CommandState) -> None:
        """A command is taken on, or answered at once. Raises `LogbookError`: then it is not remembered."""
        self._number += 1
        record = Record(number=self._number, command=command, state=state)
        try:
            self._write(record)
        except OSError as error:
            raise LogbookError(error.strerror or str(error)) from None
        self._records[command.id] = record
        self._forget_the_oldest()

    def remember(self, command: Command, state: CommandState) -> None:
        """As `begin`, for what changes nothing: without a disk it is remembered until the process ends."""
        try:
            self.begin(command, state)
        except LogbookError as error:
            self._trouble(str(error))
            self._records[command.id] = Record(number=self._number, command=command, state=state)

    def progress(self, identifier: str, state: CommandState) -> None:
        """How far a command is, where the next start must know it."""
        record = self._records.get(identifier)
        if record is not None:
            self._change(replace(record, state=state))

    def finish(self, command: Command, state: CommandState) -> None:
        """What came of a command."""
        record = self._records.get(command.id)
        if record is None:
            self.remember(command, state)
        else:
            self._change(replace(record, state=state, told=False))

    def told(self, identifier: str) -> None:
        """The hub has the answer."""
        record = self._records.get(identifier)
        if record is not None and record.final and not record.told:
            self._change(replace(record, told=True))

    def audit(self, command: Command, state: CommandState) -> None:
        """A line about who wanted what, and what came of it."""
        log.info(
            "command state=%s do=%s device=%s by=%s id=%s cause=%s",
            state.state, command.do, command.device or "-", command.by or "-", command.id,
            state.text.context if state.text else "-",
        )  # fmt: skip
        if self._folder is None:
            return
        line = {
            "at": round(state.at, 1),
            "state": state.state,
            **{name: getattr(command, name) for name in _AUDITED if getattr(command, name)},
            "text": state.text.to_wire() if state.text else None,
        }
        try:
            self._append(json.dumps(line, ensure_ascii=False) + "\n")
        except OSError as error:
            self._trouble(error.strerror or str(error))
        else:
            self._failing = False

    def _append(self, line: str) -> None:
        assert self._folder is not None  # noqa: S101  its caller looked
        path = self._folder / "audit.log"
        if path.is_file() and path.stat().st_size + len(line) > LARGEST_AUDIT:
            path.replace(path.with_name("audit.old.log"))
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(handle, "a", encoding="utf-8") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())

    def _change(self, record: Record) -> None:
        self._records[record.command.id] = record
        try:
            self._write(record)
        except OSError as error:
            self._trouble(error.strerror or str(error))

    def _write(self, record: Record) -> None:
        if self._folder is None:
            return
        folder = self._folder / "commands"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        files.write_durably(folder / f"{record.command.id}.json", pack(record).decode("utf-8"))

    def _forget_the_oldest(self) -> None:
        ended = [record for record in self._records.values() if record.final]
        for record in ended[: max(0, len(self._records) - MOST_RECORDS)]:
            del self._records[record.command.id]
            if self._folder is not None:
                try:
                    (self._folder / "commands" / f"{record.command.id}.json").unlink(missing_ok=True)
                except OSError as error:
                    self._trouble(error.strerror or str(error))

    def _trouble(self, cause: str) -> None:
        if not self._failing:
            self._failing = True
            log.error("logbook of commands cannot be written cause=%s", cause)


_AUDITED = (
    "id", "by", "role", "do", "device", "item", "target", "value", "count", "for_s", "force", "risk"
)  # fmt: skip


def _read(folder: Path) -> Iterator[Record]:
    for path in kept(folder):
        try:
            record = unpack(Record, path.read_bytes())
        except (OSError, WireError) as error:
            log.error("record of a command put aside file=%s cause=%s", path.name, error)
            set_aside(path)
            continue
        if record.command.id == path.stem:
            yield record


def kept(folder: Path) -> list[Path]:
    """The files that were written whole into a folder; what a kill left half written is cleared away."""
    try:
        for left in folder.glob(".*.json.*"):
            left.unlink(missing_ok=True)
        return sorted(folder.glob("*.json"))
    except OSError as error:
        log.error("%s: cannot be read: %s", folder, error.strerror)
        return []


def set_aside(path: Path) -> None:
    """Keep a damaged file where nobody takes it for a good one, and few of them."""
    try:
        path.replace(path.with_suffix(".damaged"))
        for old in sorted(path.parent.glob("*.damaged"), key=lambda each: each.stat().st_mtime)[
            :-_MOST_DAMAGED
        ]:
            old.unlink(missing_ok=True)
    except OSError as error:
        log.error("%s: cannot be put aside: %s", path, error.strerror)
