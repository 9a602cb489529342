"""What the hub's own store does and weighs: taking in, bytes a sample, and how long questions take.

    bench/hub.py [--json] [--kind reference|large] [--days 3]

Frames of the reference site, in the field encoding, go through the own ingest of the hub (decoded, checked,
placed, stored, recorded), twenty reports a time. Then the store does all of its upkeep, and questions are
asked as the console asks them. The year is one of a series whose days are summed up; its samples are made by
a rule, one every ten minutes, because a year of a whole site takes hours to make. The newest values of a
thousand links are what the hub answers from its memory.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import measure
import reference_site as site
from measure import Figure, median

from ayni_core import ends, inventory
from ayni_core.lastknown import LastKnown
from ayni_core.readings import Series
from ayni_core.schema import Faults, Fields
from ayni_core.wire import codec, topics
from ayni_core.wire.frame import DevicePolls, Frame
from ayni_hub.embedded import EmbeddedStore
from ayni_hub.ingest import Arrival, Ingest
from ayni_hub.ledger import Ledger

DAY_S = 86_400
ROUNDS = int(site.FLUSH_S / site.POLL_S)
START_S = site.START_S - site.START_S % DAY_S


def frames(kind: str, days: float) -> Iterator[Frame]:
    """The reports of a site, one every five minutes."""
    made = site.site(kind)
    for seq in range(int(days * DAY_S / site.FLUSH_S)):
        devices: dict[str, DevicePolls] = {}
        for number in range(ROUNDS):
            for name, (at_s, values) in made.round(seq * ROUNDS + number).items():
                devices.setdefault(name, DevicePolls()).add(at_s - seq * site.FLUSH_S, values)
        yield Frame(
            node=site.NODE, epoch="bench", seq=seq, boot="b", mono_s=seq * site.FLUSH_S,
            wall_s=START_S + seq * site.FLUSH_S, synced=True, next_by_s=360, devices=devices,
        )  # fmt: skip


def network(devices: list[str]) -> inventory.Network:
    """The inventory of one site."""
    faults = Faults("bench")
    entry = {"site": "cerro", "node": site.NODE, "address": "127.0.0.1", "community": "env:NONE"}
    raw = {
        "network": {"title": "bench"},
        "sites": {"cerro": {}},
        "nodes": {site.NODE: {"site": "cerro"}},
        "devices": dict.fromkeys(devices, entry),
    }
    found = inventory.parse(Fields(raw, "", faults))
    faults.stop()
    return found


def timed_ms(ask: Callable[[], object], times: int = 20) -> float:
    """The median time of a question, in ms of processor time."""
    took = []
    for _ in range(times):
        begun = time.process_time()
        ask()
        took.append((time.process_time() - begun) * 1000)
    return median(took)


def take_in(folder: Path, kind: str, days: float) -> tuple[EmbeddedStore, dict[str, float], list[str]]:
    """The store after some days, and what it took."""
    reports = [(frame, codec.encode(frame, "field")) for frame in frames(kind, days)]
    devices = sorted(reports[0][0].devices)
    ledger, store = Ledger(folder / "ledger.db"), EmbeddedStore(folder / "store.db")
    ingest = Ingest(network(devices), ledger, store)
    topic = topics.frame(site.NODE, "history")
    samples, took_s, upkeep_s, pieces = 0, 0.0, 0.0, 0
    for begin in range(0, len(reports), 20):
        batch = reports[begin : begin + 20]
        now = batch[-1][0].wall_s + site.FLUSH_S
        begun = time.process_time()
        samples += ingest.take([Arrival(topic, body, now) for _frame, body in batch]).samples
        took_s += time.process_time() - begun
        begun = time.process_time()
        while store.upkeep(now):
            pieces += 1
        upkeep_s += time.process_time() - begun
    begun = time.process_time()
    while store.upkeep(START_S + (days + 2) * DAY_S):
        pieces += 1
    upkeep_s += time.process_time() - begun
    ledger.close()
    return store, {"samples": samples, "took_s": took_s, "upkeep_s": upkeep_s, "pieces": pieces}, devices


def links_ms(links: int = 1000) -> tuple[float, float]:
    """(ms for the signal at both ends of so many links, for all that views of them show), out of memory."""
    known = LastKnown()
    made = site.site().round(0)
    radio = next(values for name, (_at, values) in made.items() if name.startswith("radio-"))
    end = inventory.End(device="")
    for number in range(2 * links):
        for series, value in radio.items():
            known.learn(str(number), series, START_S, value)
    where = next((s.group, s.item) for s in radio if s.metric == "signal_dbm")

    def latest() -> None:
        for number in range(2 * links):
            known.of(str(number)).number(Series(*where, "signal_dbm"))

    def views() -> None:
        for number in range(2 * links):
            ends.view(end, "cerro", known.of(str(number)), where, True)

    return timed_ms(latest, 5), timed_ms(views, 5)


def bytes_of(store: EmbeddedStore, folder: Path) -> tuple[int, int]:
    """(bytes of samples, bytes of roll-ups) as the file holds them, indexes in."""
    store._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store._db.execute("VACUUM")
    whole = os.path.getsize(folder / "store.db")
    store._db.execute("CREATE TEMP TABLE kept AS SELECT * FROM day")
    store._db.execute("DELETE FROM day")
    store._db.execute("DELETE FROM month")
    store._db.execute("VACUUM")
    store._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return os.path.getsize(folder / "store.db"), whole - os.path.getsize(folder / "store.db")


def year(folder: Path) -> float:
    """ms for a year of one series in steps of a day."""
    store = EmbeddedStore(folder / "year.db")
    series = Series("radio", "wlan0", "signal_dbm")
    end = START_S + 365 * DAY_S
    for day in range(365):
        begin = START_S + day * DAY_S
        store.write(("ap", series, begin + 600.0 * at, -60 - (at * 7 + day) % 9) for at in range(144))
    while store.upkeep(end + DAY_S):
        pass
    found = store.steps("ap", series, START_S, end, DAY_S)
    if len(found) != 365:
        sys.exit(f"bench/hub.py: a year has {len(found)} days")
    result = timed_ms(lambda: store.steps("ap", series, START_S, end, DAY_S))
    store.close()
    return result


def main() -> int:
    """Measure and print."""
    parser = measure.arguments((__doc__ or "").splitlines()[0])
    parser.add_argument("--kind", choices=site.KINDS, default="reference", help="which site")
    parser.add_argument("--days", type=float, default=3.0, help="days of reports")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ayni-bench-") as name:
        folder = Path(name)
        store, told, devices = take_in(folder, arguments.kind, arguments.days)
        known = {device: list(store.names(device)) for device in devices}
        moving = next(s for s in known[devices[1]] if s.metric in ("signal_dbm", "in_octets"))
        end = START_S + int(arguments.days) * DAY_S
        day_ms = timed_ms(lambda: store.raw(devices[1], moving, end - DAY_S, end))
        asked = [(device, series) for device in devices for series in known[device]]
        latest_ms = timed_ms(lambda: [store.latest(device) for device in devices], 5)
        year_ms = year(folder)
        links_latest, links_views = links_ms()
        kept, summed_up = bytes_of(store, folder)
        store.close()
    samples = told["samples"]
    figures = [
        Figure(key="hub_samples_per_s", value=round(samples / told["took_s"]), unit="1/s", target=500_000,
               better="higher"),
        Figure(key="hub_upkeep_samples_per_s", value=round(samples / told["upkeep_s"]), unit="1/s"),
        Figure(key="store_bytes_per_sample", value=round(kept / samples, 3), unit="B", target=1.1),
        Figure(key="store_rollup_bytes_per_sample", value=round(summed_up / samples, 3), unit="B"),
        Figure(key="store_day_query_ms", value=round(day_ms, 3), unit="ms", target=1),
        Figure(key="store_year_query_ms", value=round(year_ms, 3), unit="ms", target=5),
        Figure(key="store_latest_site_ms", value=round(latest_ms, 2), unit="ms"),
        Figure(key="links_latest_ms", value=round(links_latest, 1), unit="ms", target=50),
        Figure(key="links_views_ms", value=round(links_views, 1), unit="ms"),
    ]  # fmt: skip
    about = f"{arguments.kind} site, {len(asked)} series, {samples:,.0f} samples, {arguments.days:g} days"
    measure.report("hub", figures, as_json=arguments.json, notes={"store": about})
    return 0


if __name__ == "__main__":
    sys.exit(main())
