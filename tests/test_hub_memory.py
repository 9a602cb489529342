"""Ledger and store: what is acknowledged is on the disk, once; what fails is not half done."""

from __future__ import annotations

import json
import sqlite3
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from ayni_core import inventory
from ayni_core.message import Message
from ayni_core.readings import Series
from ayni_core.rules import Track
from ayni_core.wire import codec, topics
from ayni_core.wire.frame import ANSWERED, DevicePolls, Frame
from ayni_core.wire.messages import Alert, Event
from ayni_hub.embedded import EmbeddedStore
from ayni_hub.ingest import Arrival, Ingest
from ayni_hub.ledger import Ledger, LedgerError
from ayni_hub.store import StoreError
from ayni_io import yamlfile

SIGNAL = Series("radio", "wlan1", "signal_dbm")
MODEL = Series("system", "", "model")
NETWORK = """
network: {title: T}
sites: {s: {}}
nodes: {pi: {site: s}, other: {site: s}}
devices: {ap: {site: s, node: pi, address: 10.0.0.1}, gw: {site: s, node: other, address: 10.0.0.2}}
"""


@pytest.fixture
def store(tmp_path: Path) -> EmbeddedStore:
    return EmbeddedStore(tmp_path / "store.db")


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.db")


@pytest.fixture
def ingest(tmp_path: Path, ledger: Ledger, store: EmbeddedStore) -> Ingest:
    (tmp_path / "network.yaml").write_text(NETWORK)
    return Ingest(yamlfile.read(tmp_path / "network.yaml", inventory.parse), ledger, store)


def frame(
    seq: int, *, signal: int = -60, device: str = "ap", synced: bool = True, mono_s: float | None = None
) -> Frame:
    polls = DevicePolls()
    polls.add(0.0, {ANSWERED: 1, SIGNAL: signal, MODEL: "hAP"})
    polls.add(60.0, {ANSWERED: 1, SIGNAL: signal + 1, MODEL: "hAP"})
    return Frame(
        node="pi", epoch="e1", seq=seq, boot="b", mono_s=100.0 + seq if mono_s is None else mono_s,
        wall_s=5000.0 + seq, synced=synced,
        next_by_s=310, devices={device: polls},
    )  # fmt: skip


def arrival(made: Frame, *, kind: str = "live", node: str = "pi", at: float = 6000.0) -> Arrival:
    return Arrival(topics.frame(node, kind), codec.encode(made, "field"), at)


def test_samples_come_back_in_order_summed_up_and_newest(store: EmbeddedStore) -> None:
    samples = [("ap", SIGNAL, 100.0 + 10 * i, -60 - i) for i in range(6)]
    assert store.write([*reversed(samples), ("ap", MODEL, 100.0, "hAP")]) == 7
    assert store.raw("ap", SIGNAL, 110.0, 140.0) == [(110.0, -61), (120.0, -62), (130.0, -63)]
    steps = store.steps("ap", SIGNAL, 100.0, 160.0, 30.0)
    assert [(s.at, s.low, s.mean, s.high) for s in steps] == [(100, -62, -61, -60), (130, -65, -64, -63)]
    assert {s: v for s, _at, v in store.latest("ap")} == {SIGNAL: -65, MODEL: "hAP"}
    assert store.raw("nobody", SIGNAL, 0, 1e9) == []


def test_the_same_sample_twice_is_one_and_older_news_do_not_replace_newer(store: EmbeddedStore) -> None:
    store.write([("ap", SIGNAL, 100.0, -60)])
    store.write([("ap", SIGNAL, 100.0, -60), ("ap", SIGNAL, 50.0, -70)])
    assert store.raw("ap", SIGNAL, 0, 1000) == [(50.0, -70), (100.0, -60)]
    assert store.latest("ap") == [(SIGNAL, 100.0, -60)]


def test_a_counter_beyond_63_bits_is_kept(store: EmbeddedStore) -> None:
    octets = Series("interface", "e", "in_octets")
    store.write([("ap", octets, 1.0, 2**64 - 1)])
    assert store.raw("ap", octets, 0, 10) == [(1.0, pytest.approx(2**64))]


def test_retention_forgets_numbers_but_not_the_newest_value(store: EmbeddedStore) -> None:
    store.write([("ap", SIGNAL, 100.0, -60), ("ap", SIGNAL, 9e6, -61)])
    assert store.forget_before(5e6) == 1
    assert store.raw("ap", SIGNAL, 0, 1e9) == [(9e6, -61)]


def test_a_file_of_another_version_or_no_database_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "junk").write_bytes(b"not a database at all, but long enough to look at" * 20)
    with pytest.raises(StoreError, match="junk"):
        EmbeddedStore(tmp_path / "junk")
    db = sqlite3.connect(tmp_path / "future")
    db.execute("PRAGMA user_version=99")
    db.close()
    with pytest.raises(LedgerError, match="another version"):
        Ledger(tmp_path / "future")


def test_ranges_of_frames_grow_together(ledger: Ledger) -> None:
    for seq in (1, 2, 5, 4, 3, 9):
        ledger.record([("pi", "e", seq, 0)], 0.0)
    assert [ledger.seen("pi", "e", seq) for seq in (0, 1, 3, 5, 6, 9, 10)] == [
        False, True, True, True, False, True, False,
    ]  # fmt: skip
    assert not ledger.seen("pi", "another", 3)
    rows = ledger._db.execute("SELECT first, last FROM frames ORDER BY first").fetchall()
    assert rows == [(1, 5), (9, 9)]


def test_the_judges_memory_survives(tmp_path: Path, ledger: Ledger) -> None:
    alert = Alert(
        id="i", rule="r", kind="link", name="l", level="warn", since=1.0, text=Message("rule.x", {"a": 1})
    )
    track = Track(level="warn", since=3.0, best=1e9)
    events = [Event(at=float(i), text=Message("event.note"), kind="link", name=f"l{i % 2}") for i in range(5)]
    ledger.remember({"k": track}, {"i": alert}, events, {("l", 10): "w"})
    ledger.close()
    again = Ledger(tmp_path / "ledger.db")
    assert again.tracks() == {"k": track}
    assert again.alerts() == {"i": alert}
    assert again.hours(5) == {"l": {10: "w"}}
    assert [event.at for event in again.events(None, 2)] == [4.0, 3.0]
    assert [event.at for event in again.events(3.0, 9, "link", "l0")] == [2.0, 0.0]
    again.remember({}, {"i": None}, [], {})
    assert again.alerts() == {}


def test_a_frame_is_acknowledged_when_it_is_stored_and_again_when_it_comes_again(
    ingest: Ingest, store: EmbeddedStore
) -> None:
    first = ingest.take([arrival(frame(1)), arrival(frame(2))])
    assert first.acks["pi"]["e1"].stored == ((1, 1), (2, 2))
    assert (first.frames, first.samples) == (2, 12)
    again = ingest.take([arrival(frame(2))])
    assert again.acks["pi"]["e1"].stored == ((2, 2),)
    assert again.frames == 0
    assert ingest.totals.repeated == 1
    assert store.raw("ap", SIGNAL, 0, 1e9) == [(5001.0, -60), (5002.0, -60), (5061.0, -59), (5062.0, -59)]


def test_the_same_name_with_other_bytes_is_kept_and_tells_of_a_clone(ingest: Ingest) -> None:
    ingest.take([arrival(frame(1))])
    outcome = ingest.take([arrival(frame(1, signal=-80))])
    assert outcome.clones == ["pi"]
    assert outcome.frames == 1


def test_a_copy_for_a_watcher_is_judged_but_neither_stored_nor_acknowledged(
    ingest: Ingest, store: EmbeddedStore
) -> None:
    outcome = ingest.take([arrival(frame(0), kind="watch")])
    assert (len(outcome.judge), outcome.acks, outcome.frames) == (1, {}, 0)
    assert store.latest("ap") == []


@pytest.mark.parametrize(
    ("made", "node", "reason"),
    [
        (frame(3, device="gw"), "pi", "pi does not poll gw"),
        (frame(3, device="nothing"), "pi", "pi does not poll nothing"),
        (frame(3), "other", "a frame of pi on the topic of other"),
        (frame(3), "stranger", "a frame of pi on the topic of stranger"),
    ],
)
def test_what_a_node_may_not_say_is_refused_with_a_reason(
    ingest: Ingest, store: EmbeddedStore, made: Frame, node: str, reason: str
) -> None:
    outcome = ingest.take([arrival(made, node=node)])
    assert [(r.seq, r.reason) for r in outcome.acks[node]["e1"].refused] == [(3, reason)]
    assert outcome.judge == []
    assert ingest.totals.refused == 1


def test_garbage_among_frames_harms_nobody(ingest: Ingest) -> None:
    topic = topics.frame("pi", "live")
    garbage = [b"", b"\x78\xda", zlib.compress(b"[]"), b"[1,2]", b"\xff" * 100]
    outcome = ingest.take([*(Arrival(topic, data, 1.0) for data in garbage), arrival(frame(1))])
    assert outcome.acks["pi"]["e1"].stored == ((1, 1),)
    assert ingest.totals.refused == len(garbage)


def test_an_unsynchronised_clock_is_anchored_once_per_boot(ingest: Ingest) -> None:
    """The node believes in 1970; its first frame arrived at 100000, 60 s after it began."""
    wrong = ingest.take([arrival(frame(1, synced=False), at=100_000.0)]).judge[0]
    assert wrong.start == 100_000.0 - 60
    late = ingest.take([arrival(frame(2, synced=False, mono_s=401.0), at=109_999.0)]).judge[0]
    assert late.start == wrong.start + 300, "a late resend keeps its place"


def test_nothing_is_placed_in_the_future_whatever_its_clock_says(ingest: Ingest) -> None:
    ahead = replace(frame(1), wall_s=4e9)
    assert ingest.take([arrival(ahead, at=100_000.0)]).judge[0].start <= 100_000.0
    huge = replace(frame(2, synced=False), mono_s=9e9, boot="another")
    assert ingest.take([arrival(huge, at=100_000.0)]).judge[0].start <= 100_000.0


def test_a_frame_that_cannot_be_decoded_is_refused_by_its_name(ingest: Ingest) -> None:
    header = {"n": "pi", "e": "e1", "q": 8, "b": "b", "m": 0, "w": 0, "y": 1, "x": 10}
    bad = zlib.compress(json.dumps([1, header, {"ap": "nonsense"}]).encode())
    outcome = ingest.take([Arrival(topics.frame("pi", "live"), bad, 1.0)])
    assert [refused.seq for refused in outcome.acks["pi"]["e1"].refused] == [8]


def test_writing_can_be_tried_before_anybody_sends_again(store: EmbeddedStore, ledger: Ledger) -> None:
    store.probe(1.0)
    ledger.probe(1.0)
    ledger.close()
    with pytest.raises(LedgerError):
        ledger.probe(2.0)


def test_when_the_store_fails_nothing_is_acknowledged(
    ingest: Ingest, store: EmbeddedStore, ledger: Ledger
) -> None:
    store.close()
    with pytest.raises(StoreError):
        ingest.take([arrival(frame(1))])
    assert not ledger.seen("pi", "e1", 1)


def test_names_of_what_lies_in_frames_only_are_not_forgotten(ingest: Ingest, store: EmbeddedStore) -> None:
    ingest.take([arrival(frame(1))])
    store.forget_before(4000.0)
    assert store.raw("ap", SIGNAL, 0, 1e9) == [(5001.0, -60), (5061.0, -59)]
    assert SIGNAL in store.names("ap")
