"""A process that fills a store until it is killed: it prints the number of each report once that is safe.

store_writer.py FOLDER FIRST
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

from ayni_core.readings import Series, Value
from ayni_core.wire import codec
from ayni_core.wire.frame import DevicePolls, Frame
from ayni_hub.embedded import EmbeddedStore
from ayni_hub.store import Kept

SIGNAL = Series("radio", "wlan0", "signal_dbm")
COUNT = Series("interface", "eth0", "in_octets")
START_S, FLUSH_S, POLLS = 1_760_000_000.0, 300.0, 5


def report(seq: int) -> Kept:
    """The report of this number: always the same."""
    values: dict[Series, list[Value]] = {
        SIGNAL: [-50 - (seq * POLLS + at) % 30 for at in range(POLLS)],
        COUNT: [seq * POLLS + at for at in range(POLLS)],
    }
    devices = {
        f"ap-{number}": DevicePolls(times_s=[60.0 * at for at in range(POLLS)], values=values)
        for number in range(4)
    }
    made = Frame(
        node="pi", epoch="e", seq=seq, boot="b", mono_s=0.0, wall_s=START_S, synced=True, next_by_s=360,
        devices=devices,
    )  # fmt: skip
    return Kept(made, START_S + FLUSH_S * seq, codec.encode(made, "field"))


def main() -> None:
    """Some reports a time, one of them again now and then; upkeep in between, as if days went by."""
    folder, first = Path(sys.argv[1]), int(sys.argv[2])
    chance = random.Random(first)
    store = EmbeddedStore(folder / "store.db")
    seq = first
    while True:
        batch = [report(seq + at) for at in range(chance.randint(1, 12))]
        again = [report(chance.randrange(seq))] if seq else []
        store.keep(again + batch)
        seq += len(batch)
        print(seq, flush=True)
        for _ in range(chance.randint(0, 3)):
            store.upkeep(START_S + FLUSH_S * seq)


if __name__ == "__main__":
    main()
