"""Takes over what earlier versions kept: `samples.db`, one row a number."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from ayni_core.readings import Series
from ayni_hub.embedded.store import EmbeddedStore
from ayni_hub.store import Sample, StoreError

log = logging.getLogger("hub")


def take_over(old: Path, store: EmbeddedStore) -> None:
    """Copy everything of an old file, then set it aside. Killed in between, it begins anew: the same sample
    twice is one. Raises `StoreError`."""
    if not old.exists():
        return
    log.info("taking over samples file=%s", old)
    try:
        with closing(sqlite3.connect(old)) as db:
            devices = [name for (name,) in db.execute("SELECT DISTINCT device FROM series ORDER BY device")]
            count = sum(store.write(_samples(db, device)) for device in devices)
        old.rename(old.with_suffix(".db.old"))
        for name in ("-wal", "-shm"):
            old.with_name(old.name + name).unlink(missing_ok=True)
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"taking over samples ({old}): {error}") from error
    log.info("samples taken over count=%d", count)


def _samples(db: sqlite3.Connection, device: str) -> Iterator[Sample]:
    for table in ("sample", "latest"):
        for group, item, metric, at, value in db.execute(
            f"SELECT grp, item, metric, at, value FROM series JOIN {table} ON {table}.series=series.id"  # noqa: S608
            " WHERE device=? AND value IS NOT NULL ORDER BY at",
            (device,),
        ):
            yield device, Series(group, item, metric), at / 100, value
