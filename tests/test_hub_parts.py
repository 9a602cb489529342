"""Parts of a larger hub, each for itself: the crew, what is told, handing over, the box, the pace."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sqlite3
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from ayni_core import inventory, slices
from ayni_core.message import Message
from ayni_core.schema import ConfigError, Faults, Fields
from ayni_core.wire import WireError, codec, fed, topics
from ayni_core.wire.frame import ANSWERED, DevicePolls, Frame
from ayni_core.wire.messages import Ack, Event, Heard, NodeState, PartState, Refused, Told, Unread
from ayni_core.wire.shape import pack, unpack
from ayni_hub import command_accounts, handover, lock, tap_view, told
from ayni_hub import config as hub_config
from ayni_hub.config import FeedConfig
from ayni_hub.crew import Crew, in_words
from ayni_hub.embedded import EmbeddedStore
from ayni_hub.feeding import Feeder, FeedError
from ayni_hub.feeding.box import FeedBox, Waiting
from ayni_hub.feeding.feed_line import FeedLine
from ayni_hub.feeding.pace import Pace
from ayni_hub.feeding.showcase import Showcase
from ayni_hub.handover import HandoverError
from ayni_hub.home import Answers, Home
from ayni_hub.ingest import Arrival, Ingest
from ayni_hub.judge import Judge
from ayni_hub.ledger import Ledger
from ayni_hub.lock import HeldError
from ayni_hub.remote.spool import Spool
from ayni_hub.retention import DEFAULT as RETENTION
from ayni_hub.store import Kept
from ayni_hub.timeline import Anchor, Line
from ayni_hub.worker import Worker
from ayni_io.local_broker import LocalBroker
from ayni_io.mqtt import BrokerConfig, BrokerReference

NODES = [f"pi-{number}" for number in range(8)]
RAW = {
    "network": {"title": "T"},
    "sites": {"s": {}},
    "nodes": {node: {"site": "s"} for node in NODES},
    "devices": {f"{node}-ap": {"site": "s", "node": node, "address": "10.0.0.1"} for node in NODES},
}
BUCKETS = sorted({topics.bucket(node) for node in NODES})


@pytest.fixture(name="network")
def the_network() -> inventory.Network:
    faults = Faults("network.yaml")
    network = inventory.parse(Fields(RAW, "", faults))
    faults.stop()
    return network


def worker(buckets: range, state: str = "ready") -> PartState:
    return PartState(role="worker", state=state, buckets=tuple(buckets))


# ---- the crew


def contexts(events: list[Event]) -> list[str]:
    return [event.text.context for event in events]


def test_buckets_are_closed_while_nobody_who_is_ready_owns_them(network: inventory.Network) -> None:
    crew = Crew(network, shares=True)
    assert crew.turned()
    assert crew.closed() == tuple(BUCKETS)
    assert crew.none_is_ready()
    crew.hear("uno", worker(range(32)))
    assert crew.turned()
    assert not crew.turned()
    assert crew.closed() == tuple(number for number in BUCKETS if number >= 32)
    assert crew.waiting() == {node for node in NODES if topics.bucket(node) >= 32}
    assert not crew.none_is_ready()
    crew.hear("dos", worker(range(32, 64)))
    assert crew.turned()
    assert crew.closed() == ()
    crew.hear("uno", worker(range(32), "store-down"))
    assert crew.turned()
    assert crew.closed() == tuple(number for number in BUCKETS if number < 32)


def test_a_hub_that_shares_nothing_closes_nothing(network: inventory.Network) -> None:
    crew = Crew(network, shares=False)
    crew.hear("valle", PartState(role="village", state="gone"))
    assert not crew.turned()
    assert crew.closed() == ()
    assert crew.events(0.0) == []
    assert crew.events(200.0) == [], "a line breaks now and then"
    assert contexts(crew.events(300.0)) == ["event.village_gone"]
    crew.hear("valle", PartState(role="village", state="ready"))
    assert contexts(crew.events(301.0)) == ["event.part_back"]


def test_buckets_that_two_have_or_nobody_are_told_once_and_once_when_that_is_over(
    network: inventory.Network,
) -> None:
    crew = Crew(network, shares=True)
    crew.hear("uno", worker(range(40)))
    crew.hear("dos", worker(range(30, 50)))
    assert crew.events(100.0) == [], "parts that start together are not at once complete"
    found = crew.events(116.0)
    assert sorted(contexts(found)) == ["event.buckets_missing", "event.buckets_twice"]
    twice = next(event for event in found if event.text.context == "event.buckets_twice")
    assert twice.text.values == {"names": "dos, uno", "buckets": "30-39"}
    for second in range(117, 200):
        assert crew.events(float(second)) == []
    crew.hear("uno", worker(range(32)))
    crew.hear("dos", worker(range(32, 64)))
    assert contexts(crew.events(200.0)) == ["event.buckets_well"] * 2


def test_a_worker_that_is_away_is_told_with_the_number_of_monitors_that_wait(
    network: inventory.Network,
) -> None:
    crew = Crew(network, shares=True)
    crew.hear("uno", worker(range(64)))
    crew.hear("uno", worker(range(64), "gone"))
    crew.events(0.0)
    (event,) = crew.events(16.0)
    assert event.text == Message("event.worker_gone", {"name": "uno", "count": len(NODES)})
    crew.hear("uno", worker(range(64)))
    assert contexts(crew.events(17.0)) == ["event.part_back"]
    crew.hear("uno", None)
    assert "event.buckets_missing" in contexts([*crew.events(18.0), *crew.events(40.0)])


def test_runs_of_buckets_read_as_they_are_written() -> None:
    assert in_words([40, 0, 1, 2, 3]) == "0-3, 40"
    assert in_words([]) == ""


def test_who_may_not_send_is_not_called_silent(network: inventory.Network) -> None:
    judge = Judge(network, ())
    state = NodeState(up=True, flush_s=300.0)
    judge.node_state("pi-0", state, 1000.0)
    judge.excuse({"pi-0"}, 1100.0)
    assert judge.nodes["pi-0"].reports(99_999.0, 60.0) is None
    judge.excuse(set(), 100_000.0)
    assert judge.nodes["pi-0"].reports(100_200.0, 60.0) is True, "it owes a report soon, not at once"
    assert judge.nodes["pi-0"].reports(100_500.0, 60.0) is False


# ---- a worker


def test_a_worker_that_cannot_store_says_so_and_acknowledges_nothing(
    tmp_path: Path, network: inventory.Network
) -> None:
    store, said = EmbeddedStore(tmp_path / "store.db"), Said()
    ledger = Ledger(tmp_path / "ledger.db")
    one = Worker("uno", range(64), network, BrokerConfig(), ledger, store, RETENTION)
    one._voice.client = said  # type: ignore[assignment]
    topic = topics.frame("pi-0", "live")

    async def story() -> None:
        await one._intake.take([Arrival(topic, codec.encode(made(1), "field"), 9.0)])
        await one._tell(10.0)
        store.close()
        await one._intake.take([Arrival(topic, codec.encode(made(2), "field"), 11.0)])
        one._message(topics.frame("pi-0", "watch"), b"a copy", False)
        one._message(topics.frame("pi-0", "live"), b"news", False)
        await asyncio.sleep(0)

    asyncio.run(story())
    acks = [unpack(Ack, payload).stored for topic_, payload in said.what if topic_ == topics.ack("pi-0")]
    assert acks == [((1, 1),)]
    states = [unpack(PartState, payload) for topic_, payload in said.what if topic_ == topics.part("uno")]
    assert [(each.state, each.buckets) for each in states] == [("store-down", tuple(range(64)))]
    assert [arrival.payload for arrival in one._intake.inbox.take()] == [b"news"], "copies are for the judge"


class Said:
    """In place of a connection: what was published."""

    connected = True

    def __init__(self) -> None:
        self.what: list[tuple[str, bytes]] = []

    async def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> bool:
        assert retain == topic.startswith(f"{topics.PREFIX}/part/")
        assert qos == (0 if "/ack/" in topic else 1)
        self.what.append((topic, payload))
        return True


# ---- what is told


def happened(number: int) -> Event:
    return Event(at=float(number), text=Message("event.note", {"text": f"{number}", "author": "a"}))


class Way:
    """From a part to who leads; `lost` loses what is told."""

    def __init__(self, folder: Path, name: str = "part") -> None:
        self.part, self.leader = Ledger(folder / f"{name}.db"), Ledger(folder / "leader.db")
        self.sent: list[Told] = []
        self.teller = told.Teller(self.part, lambda payload: self.sent.append(unpack(Told, payload)))
        self.name = name

    def deliver(self, *, answer: bool = True) -> None:
        word = told.take(self.leader, self.name, self.sent[-1])
        if answer:
            self.teller.heard(word)

    def known(self) -> list[int]:
        return [int(event.at) for event in reversed(self.leader.events(None, 1000))]


def test_every_event_is_told_and_written_down_once_whatever_gets_lost(tmp_path: Path) -> None:
    way = Way(tmp_path)
    way.part.put_events(happened(number) for number in range(1, 121))
    way.teller.look(0.0)
    assert len(way.sent[0].events) == 50
    way.teller.look(5.0)
    assert len(way.sent) == 1, "not again while it may be under way"
    way.deliver(answer=False)
    way.teller.look(25.0)
    way.deliver()
    assert way.known() == list(range(1, 51))
    again = told.Teller(way.part, lambda payload: way.sent.append(unpack(Told, payload)))
    for now_s in range(3):
        again.look(float(now_s))
        again.heard(told.take(way.leader, "part", way.sent[-1]))
    assert way.known() == list(range(1, 121))
    count = len(way.sent)
    again.look(100.0)
    assert len(way.sent) == count, "silence when all is known"


def test_a_ledger_that_begins_anew_is_not_taken_for_the_old_one(tmp_path: Path) -> None:
    way = Way(tmp_path)
    way.part.put_events([happened(1), happened(2)])
    way.teller.look(0.0)
    way.deliver()
    way.part.forget_before(100.0, 100.0)
    way.part.put_events([happened(3)])
    way.teller.look(30.0)
    way.deliver()
    assert way.known() == [1, 2, 3]
    assert way.sent[0].memory != way.sent[-1].memory


def test_a_word_about_another_memory_changes_nothing(tmp_path: Path) -> None:
    way = Way(tmp_path)
    way.part.put_events([happened(1)])
    way.teller.look(0.0)
    way.teller.heard(Heard(memory="other", number=99))
    way.teller.look(30.0)
    way.deliver()
    assert way.known() == [1]


# ---- handing over


def test_handing_over_moves_what_is_known_of_the_nodes_of_those_buckets(tmp_path: Path) -> None:
    folders = tmp_path / "uno", tmp_path / "dos"
    for folder in folders:
        folder.mkdir()
    old, new = (Ledger(folder / "ledger.db") for folder in folders)
    line = Line(anchors=(Anchor(from_s=0.0, offset_s=5.0, quality="arrival"),), until_s=9.0)
    for node in NODES:
        frames = [(node, "e", seq, 100 + seq) for seq in (1, 2, 3, 7)]
        old.record(frames, 1000.0, {(node, "b"): line}, [happened(1)] if node == NODES[0] else [])
    new.record([(NODES[0], "e", 4, 104), (NODES[0], "e", 5, 105)], 1001.0)
    old.close()
    new.close()
    moved = handover.move(folders[0], folders[1], set(range(32)))
    low = [node for node in NODES if topics.bucket(node) < 32]
    assert moved.nodes == len(low)
    old, new = (Ledger(folder / "ledger.db") for folder in folders)
    for node in NODES:
        here, there = (new, old) if node in low else (old, new)
        assert all(here.seen(node, "e", seq) for seq in (1, 2, 3, 7)), node
        assert here.crc_of(node, "e", 7) == 107
        assert here.lines(node) == {"b": line}, "a report that comes again is not placed elsewhere"
        assert not there.seen(node, "e", 1)
        assert not here.seen(node, "e", 6)
    assert [event.at for event in new.events(None, 9)] == [1.0], "what the judge may not have heard"
    old.close()
    new.close()
    assert handover.move(folders[0], folders[1], set(range(32))).nodes == 0, "twice is once"


def test_nobody_hands_over_while_somebody_runs_or_to_himself(tmp_path: Path) -> None:
    uno, dos = tmp_path / "uno", tmp_path / "dos"
    uno.mkdir()
    with pytest.raises(HandoverError, match=r"uno: no ledger\.db; expected the data_dir of a worker"):
        handover.move(uno, dos, {1})
    Ledger(uno / "ledger.db").close()
    with pytest.raises(HandoverError, match="cannot hand over to itself"):
        handover.move(uno, tmp_path / "x" / ".." / "uno", {1})
    with lock.held(uno), pytest.raises(HeldError, match="a hub runs on it"):
        handover.move(uno, dos, {1})
    dos.mkdir(exist_ok=True)
    with lock.held(dos), pytest.raises(HeldError, match="dos: a hub runs on it"):
        handover.move(uno, dos, {1})


def test_what_waits_on_its_way_to_a_shared_store_goes_along(tmp_path: Path) -> None:
    uno, dos = tmp_path / "uno", tmp_path / "dos"
    for folder in (uno, dos):
        folder.mkdir()
        Ledger(folder / "ledger.db").close()
    spool = Spool(uno / "spool.db")
    for seq in range(1, 4):
        for node in NODES:
            frame = made(seq, node)
            spool.keep([Kept(frame, 1000.0 * seq, codec.encode(frame, "field"))])
    spool.close()
    handover.move(uno, dos, set(range(32)))
    low = sum(topics.bucket(node) < 32 for node in NODES)
    old, new = Spool(uno / "spool.db"), Spool(dos / "spool.db")
    assert len(new.waiting()) == 3 * low
    assert len(old.waiting()) == 3 * (len(NODES) - low)
    numbers = [number for number, _size in new.waiting()]
    assert {tick for _number, tick, _frame in new.frames(numbers)} == {100_000, 200_000, 300_000}
    old.close()
    new.close()


# ---- fed frames


def made(seq: int = 1, node: str = "pi-0", *, synced: bool = False) -> Frame:
    polls = DevicePolls()
    polls.add(0.0, {ANSWERED: 1})
    polls.add(60.0, {ANSWERED: 1})
    return Frame(
        node=node, epoch="e", seq=seq, boot="b", mono_s=100.0, wall_s=200.0, synced=synced, next_by_s=310,
        devices={f"{node}-ap": polls},
    )  # fmt: skip


def test_a_fed_frame_is_its_bytes_behind_the_time_that_the_village_gave_it() -> None:
    body = codec.encode(made(), "field")
    data = fed.encode(1_760_000_000.126, body)
    assert data == b'{"at":1760000000.13}\n' + body
    assert fed.decode(data) == (1_760_000_000.13, body)
    assert fed.body(data) == body
    for cut in range(21):
        with pytest.raises(WireError):
            fed.decode(data[:cut])


@pytest.mark.parametrize(
    "head",
    [b"{}", b"[1]", b'{"at":"now"}', b'{"at":-1}', b'{"at":true}', b'{"at":1e12}', b'{"at":NaN}', b"x"],
)
def test_a_line_that_says_no_time_is_refused(head: bytes) -> None:
    with pytest.raises(WireError):
        fed.decode(head + b"\n" + b"body")


@pytest.fixture(name="ingest")
def the_ingest(tmp_path: Path, network: inventory.Network) -> Ingest:
    return Ingest(network, Ledger(tmp_path / "ledger.db"), EmbeddedStore(tmp_path / "store.db"))


def test_a_fed_frame_lies_where_the_village_placed_it_also_in_the_future(
    ingest: Ingest,
) -> None:
    body = codec.encode(made(), "field")
    topic = topics.fed("pi-0", "valle", "live")
    outcome = ingest.take([Arrival(topic, fed.encode(5000.0, body), 9000.0)])
    (placed,) = outcome.judge
    assert (placed.start, placed.village, placed.crc) == (5000.0, "valle", zlib.crc32(body))
    assert outcome.acks["pi-0"]["e"].stored == ((1, 1),)
    late = ingest.take([Arrival(topic, fed.encode(99_000.0, codec.encode(made(2), "field")), 9000.0)])
    assert late.judge[0].start == 99_000.0, "frames that were moved might fall on one another"
    assert [event.text.context for event in ingest.tell(9000.0)] == ["event.fed_ahead"]
    direct = ingest.take([Arrival(topics.frame("pi-0", "live"), body, 9001.0)])
    assert (direct.frames, direct.clones) == (0, []), "the same frame from its node itself is known"


def test_what_is_wrong_with_a_fed_frame_is_refused_by_the_name_of_the_frame(ingest: Ingest) -> None:
    topic = topics.fed("pi-0", "valle", "history")
    header = {"n": "pi-0", "e": "e", "q": 7, "b": "b", "m": 0, "w": 0, "y": 1, "x": 10}
    bad = zlib.compress(json.dumps([1, header, {"pi-0-ap": "nonsense"}]).encode())
    acks = ingest.take([Arrival(topic, fed.encode(1.0, bad), 9.0)]).acks
    assert [each.seq for each in acks["pi-0"]["e"].refused] == [7]
    rubbish = fed.encode(1.0, b"\x78\x9crubbish")
    acks = ingest.take([Arrival(topic, rubbish, 9.0)]).acks
    assert [each.crc for each in acks["pi-0"][""].unread] == [zlib.crc32(b"\x78\x9crubbish")]
    assert ingest.take([Arrival(topic, b"no line", 9.0)]).frames == 0


def test_what_a_village_has_and_the_server_does_not_know_yet_is_told_and_waits(ingest: Ingest) -> None:
    for seq, node in ((1, "pi-new"), (2, "pi-0")):
        frame = dataclasses.replace(made(seq, node), devices={"new-ap": made().devices["pi-0-ap"]})
        data = fed.encode(1.0, codec.encode(frame, "field"))
        outcome = ingest.take([Arrival(topics.fed(node, "valle", "live"), data, 9.0)])
        assert (outcome.frames, outcome.acks) == (0, {}), "neither safe nor refused"
    (event,) = ingest.tell(9.0)
    assert event.text.context == "event.fed_unknown"
    assert (event.text.values["name"], event.text.values["count"]) == ("valle", 2)


def test_a_new_frame_is_handed_on_before_it_counts_as_safe(
    tmp_path: Path, network: inventory.Network
) -> None:
    ledger, seen = Ledger(tmp_path / "l.db"), []

    def feed(frames: object, _now: float) -> None:
        seen.append((len(list(frames)), ledger.seen("pi-0", "e", 1)))  # type: ignore[call-overload]

    ingest = Ingest(network, ledger, EmbeddedStore(tmp_path / "s.db"), feed=feed)
    arrival = Arrival(topics.frame("pi-0", "live"), codec.encode(made(), "field"), 9.0)
    ingest.take([arrival])
    ingest.take([arrival])
    assert seen == [(1, False)], "once, and before it was recorded"


# ---- the box


def waiting(seq: int, *, size: int = 1000, live: bool = True, node: str = "pi-0") -> Waiting:
    body = bytes((seq % 256,)) * size
    return Waiting(
        node=node, epoch="e", seq=seq, crc=zlib.crc32(body), start=float(seq), live=live, body=body
    )


def ids(box: FeedBox) -> list[float]:
    return [row.start for row in box.after(0, 1000)]


def test_the_box_keeps_what_waits_over_a_restart_and_counts_it(tmp_path: Path) -> None:
    box = FeedBox(tmp_path / "feed.db", 1.0, 30.0)
    box.put([waiting(1), waiting(2), waiting(2)], 0.0)
    box.close()
    box = FeedBox(tmp_path / "feed.db", 1.0, 30.0)
    assert (box.count, box.size_bytes, ids(box)) == (2, 2000, [1.0, 2.0])
    assert box.body(box.after(0, 1)[0].id) == b"\x01" * 1000


def test_the_box_keeps_to_its_bytes_and_days_and_drops_the_oldest(tmp_path: Path) -> None:
    box = FeedBox(tmp_path / "feed.db", 0.01, 1.0)
    gone = sum(box.put([waiting(seq)], 10.0 * seq) for seq in range(1, 15))
    assert (gone, box.dropped, ids(box)) == (4, 4, [float(seq) for seq in range(5, 15)])
    for hour in range(1, 30):  # it counts the hours that it has lived
        box.put([], 140.0 + 3600.0 * hour)
    assert (box.count, box.size_bytes) == (1, 1000), "never the newest"


def test_a_clock_or_a_pause_of_weeks_ages_nothing(tmp_path: Path) -> None:
    box = FeedBox(tmp_path / "feed.db", 1.0, 1.0)
    box.put([waiting(1), waiting(2)], 0.0)
    box.put([waiting(3)], 40 * 86_400.0)
    assert box.count == 3


def test_what_the_server_has_or_refuses_leaves_the_box(tmp_path: Path) -> None:
    box = FeedBox(tmp_path / "feed.db", 1.0, 30.0)
    box.put([waiting(seq) for seq in range(1, 10)], 0.0)
    box.put([waiting(1, node="pi-1")], 0.0)
    ack = Ack(epoch="e", stored=((1, 3), (5, 5), (0, 2**80), (7,)), refused=(Refused(seq=6, reason="no"),))
    gone, reasons = box.settle([("pi-0", ack)])
    assert (len(gone), reasons) == (5, ["no"])
    assert box.count == 5
    assert ids(box) == [4.0, 7.0, 8.0, 9.0, 1.0]
    assert box.size_bytes == 5000
    box.settle([("pi-0", Ack(epoch="another", stored=((1, 99),)))])
    assert box.count == 5


def test_a_frame_whose_dictionary_the_server_does_not_know_is_spelled_out(tmp_path: Path) -> None:
    box = FeedBox(tmp_path / "feed.db", 1.0, 30.0)
    body = codec.encode(made(), "field")
    crc = zlib.crc32(body)
    box.put([Waiting(node="pi-0", epoch="e", seq=1, crc=crc, start=1.0, live=True, body=body)], 0.0)
    gone, reasons = box.settle([("pi-0", Ack(epoch="", unread=(Unread(crc=crc, reason="dictionary"),)))])
    assert (gone, reasons) == ([], [])
    (row,) = box.after(0, 9)
    plain = box.body(row.id)
    assert plain is not None
    assert not plain[1] & 0x20, "RFC 1950: without FDICT"
    assert codec.decode(plain) == codec.decode(body)
    assert box.size_bytes == len(plain)
    gone, reasons = box.settle(
        [("pi-0", Ack(epoch="", unread=(Unread(crc=zlib.crc32(plain), reason="damaged"),)))]
    )
    assert (len(gone), reasons) == (1, ["damaged"])


def test_news_are_found_newest_first_while_they_are_news(tmp_path: Path) -> None:
    box = FeedBox(tmp_path / "feed.db", 1.0, 30.0)
    box.put([waiting(1), waiting(2, live=False), waiting(3)], 0.0)
    assert [row.start for row in box.news(600.0, 9)] == [3.0, 1.0]
    box.put([waiting(4)], 700.0)
    assert [row.start for row in box.news(600.0, 9)] == [4.0]


def test_a_damaged_box_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "feed.db").write_bytes(b"not a database at all, but long enough to look at" * 30)
    with pytest.raises(FeedError, match=r"feed\.db"):
        FeedBox(tmp_path / "feed.db", 1.0, 30.0)
    assert sqlite3.sqlite_version_info >= (3, 35), "RETURNING"


def test_a_village_goes_on_when_its_box_is_full_or_broken_and_says_so_once(
    tmp_path: Path, network: inventory.Network
) -> None:
    box = FeedBox(tmp_path / "feed.db", 0.0005, 30.0)
    reference = BrokerReference(host="127.0.0.1", port=1, username=None, password=None, ca=None, protocol="5")
    config = FeedConfig(broker=reference, keep_mb=1, keep_days=1, mb_per_day=None, show_s=0.0)
    feeder = Feeder("valle", config, BrokerConfig(port=1), box, Ledger(tmp_path / "ledger.db"))
    store = EmbeddedStore(tmp_path / "store.db")
    ingest = Ingest(network, Ledger(tmp_path / "other.db"), store, feed=feeder.keep)

    def send(seq: int) -> None:
        arrival = Arrival(topics.frame("pi-0", "live"), codec.encode(made(seq), "field"), 9000.0)
        assert ingest.take([arrival]).frames == 1

    for seq in range(1, 9):
        send(seq)
    (event,) = feeder.events(9000.0)
    assert event.text.context == "event.feed_dropped"
    health = feeder.health()
    assert (health.role, health.state, health.waiting) == ("server", "gone", box.count)
    box.close()
    send(9)
    send(10)
    assert feeder.events(9001.0) == []
    (event,) = feeder.events(9000.0 + 3600.0)
    assert event.text.values["count"] == 2


# ---- pace and showcase


def test_a_backlog_waits_for_what_the_budget_leaves_and_news_go_on_credit() -> None:
    pace = Pace(8.64)  # 100 bytes a second
    assert pace.allows(0.0)
    pace.spend(100_000)
    assert not pace.allows(0.0)
    assert not pace.allows(340.0)
    assert pace.allows(400.0)
    assert pace.allows(1e6)
    pace.spend(64 * 1024)
    assert not pace.allows(1e6), "a quiet week saves up minutes, not a week"
    assert Pace(None).allows(0.0)


def view(state: str, signal: int, since: float = 1.0) -> bytes:
    return json.dumps({"state": state, "since": since, "a": {"signal_dbm": signal}}).encode()


def showcase(said: dict[str, bytes]) -> tuple[Showcase, Callable[[float], list[str]]]:
    case = Showcase({}, lambda topic: said.get(topic, b""), 900.0)

    def tell(now_s: float) -> list[str]:
        due = case.due(now_s)
        for topic, payload in due:
            case.said(topic, payload, now_s)
        return [topic for topic, _payload in due]

    return case, tell


def test_a_change_of_meaning_is_shown_at_once_and_moving_numbers_now_and_then() -> None:
    said = {"net/link/x": view("ok", -60)}
    case, tell = showcase(said)
    case.put(said)
    assert tell(0.0) == ["net/link/x"]
    said["net/link/x"] = view("ok", -61)
    case.put(said)
    assert tell(60.0) == []
    assert tell(900.0) == ["net/link/x"], "the newest numbers, not those of then"
    said["net/link/x"] = view("down", -61, 905.0)
    case.put(said)
    assert tell(906.0) == ["net/link/x"]
    assert tell(5000.0) == []


def test_what_ended_while_the_line_was_cut_is_taken_away_and_what_stands_there_is_not_repeated() -> None:
    said = {"alert/a": view("x", 1), "net/site/s": view("ok", 1)}
    case, tell = showcase(said)
    case.all(said, 0.0)
    assert tell(0.0) == ["alert/a", "net/site/s"]
    del said["alert/a"]
    case.all(said, 100.0)
    assert tell(100.0) == ["alert/a"]
    case.all(said, 100_000.0)
    assert tell(100_000.0) == ["net/site/s"], "once a day all of it: brokers lose things"


def test_what_was_on_its_way_when_the_line_broke_is_told_again_or_taken_away() -> None:
    said = {"alert/a": view("x", 1), "net/site/s": view("ok", 1)}
    case, tell = showcase(said)
    case.put(said)
    tell(0.0)
    said["alert/b"], said["net/site/s"] = view("x", 1), view("down", 1)
    case.put(said)
    assert [case.begin(topic) for topic, _payload in case.due(1.0)] == [True, False], "new, and shown before"
    del said["alert/b"]  # the broker may have had it; no word of that came back
    said["net/site/s"] = view("ok", 1)
    assert tell(2.0) == ["alert/b", "net/site/s"]


def test_a_restart_does_not_repeat_what_stands_there_and_ends_what_is_over() -> None:
    kept = view("ok", 1)
    case = Showcase({"alert/old": 7, "net/site/s": zlib.crc32(kept)}, {"net/site/s": kept}.get, 900.0)  # type: ignore[arg-type]
    assert [topic for topic, _payload in case.due(0.0)] == ["alert/old"]


# ---- a village that `ayni start` runs


def test_start_yaml_may_name_a_server_to_feed(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.begin(Answers(network="Red", site="Torre", person="Ana"), language="es", host="pi")
    start = tmp_path / "start.yaml"
    kept = start.read_text()
    where = "{host: hub.example.org, username: b-valle, password: env:X, ca: /etc/ayni/ca.pem}"
    start.write_text(kept + f"feed: {{broker: {where}, mb_per_day: 3}}\n")
    there = LocalBroker(kind="mosquitto", port=1, protocol="5", secrets=tmp_path / "secrets")
    home.write_parts(there, home.settings(), home.network())
    feed = hub_config.load(home.hub_config).feed
    assert feed is not None
    assert (feed.broker.host, feed.mb_per_day, feed.keep_days) == ("hub.example.org", 3, 30)
    start.write_text(kept + "feed: {broker: {host: far}, mb_per_dya: 3}\n")
    with pytest.raises(ConfigError) as caught:
        home.settings()
    assert len(caught.value.faults) == 2


# ---- reading along


def test_tap_reads_what_parts_say_to_each_other() -> None:
    body = codec.encode(made(5), "field")
    shown = tap_view.hear(topics.fed("pi-0", "valle", "live"), fed.encode(7.0, body), 0.0)
    assert shown.value == codec.decode(body)
    assert "field" in "\n".join(tap_view.lines(shown))
    state = tap_view.hear(topics.part("uno"), pack(worker(range(3))), 0.0)
    assert state.value == worker(range(3))
    assert tap_view.hear(topics.heard("uno"), b"{}", 0.0).problem


# ---- accounts


def test_accounts_of_a_broker_of_ones_own_have_workers_and_villages(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], network: inventory.Network
) -> None:
    (tmp_path / "network.yaml").write_text(json.dumps(RAW))
    argv = [str(tmp_path / "network.yaml"), "--dir", str(tmp_path / "broker"), "--hub", "espejo"]
    argv += ["--worker", "uno", "--worker", "dos", "--village", "valle"]
    assert command_accounts.main(argv) == 0
    made_ = {path.name for path in (tmp_path / "broker" / "secrets").iterdir()}
    wanted = slices.accounts(network, "espejo", keeper=True, workers=["uno", "dos"], villages=["valle"])
    assert made_ == set(wanted)
    assert {"h-espejo", "w-uno", "w-dos", "b-valle", "n-pi-0"} <= made_
    assert command_accounts.main(argv) == 0
    assert "nothing changed" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        command_accounts.main([*argv, "--worker", "Tres"])


# ---- in which order frames travel


def line_of(tmp_path: Path, frames: list[Waiting]) -> tuple[FeedBox, FeedLine]:
    box = FeedBox(tmp_path / "feed.db", 10.0, 30.0)
    box.put(frames, 0.0)
    line = FeedLine(box)
    line.all_due()
    return box, line


def sends(line: FeedLine, now_s: float, most: int = 100, *, backlog: bool = True) -> list[int]:
    """What goes out one after the other, and is heard."""
    found: list[int] = []
    while len(found) < most and (row := line.next(now_s, backlog=backlog)) is not None:
        line.taken(row)
        line.landed(row, now_s, heard=True)
        found.append(int(row.start))
    return found


def test_news_go_ahead_the_newest_first_and_the_backlog_follows_the_oldest_first(tmp_path: Path) -> None:
    box, line = line_of(tmp_path, [waiting(seq, live=seq > 6) for seq in range(1, 10)])
    assert sends(line, 0.0, 2) == [9, 8]
    assert sends(line, 0.0, 1) == [7]
    assert sends(line, 0.0, 2) == [1, 2]
    box.put([waiting(10)], 1.0)
    assert sends(line, 1.0) == [10, 3, 4, 5, 6]
    assert sends(line, 1.0) == []


def test_without_a_budget_only_news_go(tmp_path: Path) -> None:
    _box, line = line_of(tmp_path, [waiting(seq, live=seq > 2) for seq in range(1, 5)])
    assert sends(line, 0.0, backlog=False) == [4, 3]
    assert sends(line, 0.0) == [1, 2]


def test_what_is_not_acknowledged_is_sent_again_after_pauses_that_double(tmp_path: Path) -> None:
    box, line = line_of(tmp_path, [waiting(1, live=False), waiting(2, live=False)])
    assert sends(line, 0.0) == [1, 2]
    gone, _reasons = box.settle([("pi-0", Ack(epoch="e", stored=((1, 1),)))])
    line.gone(gone)
    assert sends(line, 29.0) == []
    assert sends(line, 31.0) == [2]
    assert sends(line, 85.0) == []
    assert sends(line, 92.0) == [2]
    line.all_due()
    assert sends(line, 93.0) == [2], "at once when the server comes back"


def test_what_nobody_heard_is_due_again_and_what_is_under_way_is_not_sent_twice(tmp_path: Path) -> None:
    _box, line = line_of(tmp_path, [waiting(1)])
    row = line.next(0.0, backlog=True)
    assert row is not None
    line.taken(row)
    assert line.next(0.0, backlog=True) is None
    line.landed(row, 0.0, heard=False)
    assert sends(line, 2.0) == [1]


def test_an_empty_box_that_fills_again_has_news(tmp_path: Path) -> None:
    box, line = line_of(tmp_path, [waiting(1)])
    assert sends(line, 0.0) == [1]
    line.gone(box.settle([("pi-0", Ack(epoch="e", stored=((1, 1),)))])[0])
    box.put([waiting(2)], 1.0)
    assert sends(line, 1.0) == [2]


def test_nodes_of_closed_buckets_wait(tmp_path: Path) -> None:
    frames = [waiting(1, node="pi-0"), waiting(2, node="pi-1", live=False), waiting(3, node="pi-2")]
    _box, line = line_of(tmp_path, frames)
    line.closed = frozenset({topics.bucket("pi-0"), topics.bucket("pi-1")})
    assert sends(line, 0.0) == [3]
    line.closed = frozenset()
    line.all_due()
    assert sorted(sends(line, 1.0)) == [1, 2, 3]
