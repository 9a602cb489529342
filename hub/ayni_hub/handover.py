"""What a worker's ledger knows of the nodes of some buckets, moved to another worker's.

With it goes which frames are safe, so that one that is sent again is not stored twice; the lines of time, so
that it is not placed elsewhere; events that the judge may not have heard; and of a store elsewhere what waits
on this machine to be sent there. Samples that are stored stay where they are.

Both ledgers are files of their own, so this is not one transaction: everything is written where it goes,
then taken away where it was. After a crash in between it can be done again.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from ayni_core.wire import codec
from ayni_core.wire.topics import bucket
from ayni_hub import lock, told
from ayni_hub.ledger import Ledger
from ayni_hub.remote.opening import SPOOL
from ayni_hub.remote.spool import Spool
from ayni_hub.store import Kept

_LEDGER = "ledger.db"
_AT_ONCE = 100
_TABLES = {
    "frames": "node, epoch, first, last",
    "crc": "node, epoch, seq, crc, at",
    "line": "node, boot, body, at",
}


class HandoverError(Exception):
    """It cannot be done; one sentence with the folder."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What was moved: nodes, and frames that are known to be safe."""

    nodes: int
    frames: int


def move(source: Path, target: Path, buckets: Collection[int]) -> Moved:
    """Move these buckets from one worker's folder to another's. Raises `HandoverError`, `HeldError` while
    either runs, `LedgerError`, `StoreError`, `OSError`."""
    if source.resolve() == target.resolve():
        raise HandoverError(f"{source}: a worker cannot hand over to itself")
    if not (source / _LEDGER).is_file():
        raise HandoverError(f"{source}: no {_LEDGER}; expected the data_dir of a worker")
    target.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        for folder in (source, target):
            stack.enter_context(lock.held(folder))
        old = stack.enter_context(closing(Ledger(source / _LEDGER)))
        new = stack.enter_context(closing(Ledger(target / _LEDGER)))
        nodes = [node for node in _nodes(old) if bucket(node) in buckets]
        told.pass_on(old, new)
        if (source / SPOOL).is_file():
            _move_spool(source / SPOOL, target / SPOOL, buckets)
        return Moved(len(nodes), sum(_move(old, new, node) for node in nodes))


def _move_spool(source: Path, target: Path, buckets: Collection[int]) -> None:
    """Frames that are on their way to the store: the other worker brings them there."""
    with closing(Spool(source)) as old, closing(Spool(target)) as new:
        numbers = [number for number, _size in old.waiting()]
        for begin in range(0, len(numbers), _AT_ONCE):
            found = old.frames(numbers[begin : begin + _AT_ONCE])
            ours = [each for each in found if bucket(each[2].node) in buckets]
            new.keep([Kept(frame, tick / 100, codec.encode(frame, "field")) for _n, tick, frame in ours])
            old.drop([number for number, _tick, _frame in ours], {})


def _nodes(ledger: Ledger) -> list[str]:
    with ledger.file.failing_as("reading the names of nodes"):
        rows = ledger.file.db.execute(
            " UNION ".join(f"SELECT node FROM {table}" for table in _TABLES)  # noqa: S608
        ).fetchall()
    return sorted(node for (node,) in rows)


def _move(old: Ledger, new: Ledger, node: str) -> int:
    """One node; how many frames are known of it there now."""
    rows = {}
    with old.file.failing_as("reading what is known of a node"):
        for table, columns in _TABLES.items():
            query = f"SELECT {columns} FROM {table} WHERE node=?"  # noqa: S608
            rows[table] = old.file.db.execute(query, (node,)).fetchall()
    with new.file.failing_as("writing what is known of a node"), new.file.transaction():
        for _node, epoch, first, last in rows.pop("frames"):
            new.add_range(node, epoch, first, last)
        for table, found in rows.items():
            marks = ",".join("?" * len(_TABLES[table].split(",")))
            new.file.db.executemany(f"INSERT OR REPLACE INTO {table} VALUES({marks})", found)
        (count,) = new.file.db.execute(
            "SELECT ifnull(sum(last - first + 1), 0) FROM frames WHERE node=?", (node,)
        ).fetchone()
    with old.file.failing_as("forgetting what is known of a node"), old.file.transaction():
        for table in _TABLES:
            old.file.db.execute(f"DELETE FROM {table} WHERE node=?", (node,))  # noqa: S608
    return int(count)
