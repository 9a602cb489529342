"""The hub among bad neighbours: it refuses, counts, says so once, and goes on for all others."""

from __future__ import annotations

import json
import logging
import random
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from ayni_core import inventory
from ayni_core.inventory import Network
from ayni_core.message import Message
from ayni_core.readings import Series
from ayni_core.wire import WireError, codec, field, limits, topics
from ayni_core.wire.frame import ANSWERED, DevicePolls, Frame
from ayni_core.wire.messages import Event, Unread
from ayni_core.wire.note import FrameNote
from ayni_core.wire.questions import AskNote
from ayni_hub import node_notes
from ayni_hub.embedded import EmbeddedStore
from ayni_hub.ingest import Arrival, Ingest
from ayni_hub.ledger import Ledger
from ayni_hub.names import Names
from ayni_hub.notebook import MOST, Notebook
from ayni_hub.refusals import Refusals
from ayni_hub.tally import Tally
from ayni_hub.watching import Watching
from ayni_io import yamlfile

SIGNAL = Series("radio", "wlan1", "signal_dbm")
NETWORK = """
network: {title: T}
people: {ana: {title: Ana}, eva: {title: Eva, role: viewer}}
sites: {s: {}}
nodes: {pi: {site: s}, other: {site: s}}
devices: {ap: {site: s, node: pi, address: 10.0.0.1}, gw: {site: s, node: other, address: 10.0.0.2}}
"""
HEADER = {"n": "pi", "e": "e1", "q": 8, "b": "b", "m": 0, "w": 0, "y": 1, "x": 10}
RAW = json.dumps(HEADER).encode()
NOW = 1_000_000.0


@pytest.fixture
def store(tmp_path: Path) -> EmbeddedStore:
    return EmbeddedStore(tmp_path / "store.db")


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.db")


@pytest.fixture
def network(tmp_path: Path) -> Network:
    (tmp_path / "network.yaml").write_text(NETWORK)
    return yamlfile.read(tmp_path / "network.yaml", inventory.parse)


@pytest.fixture
def ingest(network: Network, ledger: Ledger, store: EmbeddedStore) -> Ingest:
    return Ingest(network, ledger, store)


def frame(
    seq: int, values: dict[Series, int] | None = None, *, node: str = "pi", device: str = "ap"
) -> Frame:
    polls = DevicePolls()
    polls.add(0.0, {ANSWERED: 1, **(values or {SIGNAL: -60})})
    return Frame(
        node=node, epoch="e1", seq=seq, boot="b", mono_s=100.0 + seq, wall_s=NOW - 5000 + seq, synced=True,
        next_by_s=310, devices={device: polls},
    )  # fmt: skip


def arrival(made: Frame | bytes, *, kind: str = "live", node: str = "pi", at: float = NOW) -> Arrival:
    payload = made if isinstance(made, bytes) else codec.encode(made, "field")
    return Arrival(topics.frame(node, kind), payload, at)


def packed(value: object) -> bytes:
    return zlib.compress(json.dumps(value).encode())


def one(column: object, times: object = (0,)) -> bytes:
    return packed([1, HEADER, {"ap": [times, {"radio": [["w"], ["x"]]}]}, [[column]]])


HOSTILE: dict[str, tuple[bytes, str, bool]] = {
    # what: (bytes, kind of refusal, whether the header can still be read)
    "nothing": (b"", "damaged", False),
    "noise": (random.Random(1).randbytes(4000), "damaged", False),
    "noise in zlib's clothes": (b"\x78\xda" + random.Random(2).randbytes(4000), "damaged", False),
    "a bomb": (zlib.compress(b" " * 20_000_000, 9), "size", False),
    "a bomb of brackets": (zlib.compress(b"[" * 900_000), "json", False),
    "deep nesting": (zlib.compress(b"[1,%s,%s" % (RAW, b'{"a":' * 150_000)), "json", False),
    "half a frame": (one(1)[:-9], "damaged", False),
    "two frames": (one(1) + one(1), "damaged", False),
    "no version": (packed([9, HEADER, {}, []]), "shape", True),
    "a text for a header": (packed([1, "pi", {}, []]), "shape", False),
    "a huge n": (one(1, [0] * 2001), "size", True),
    "a huge product": (
        packed([1, HEADER, {"ap": [[0], {"radio": [["w"] * 70_000, ["x"] * 70_000]}]}, [[]]]), "size", True,
    ),
    "huge numbers": (one(10**300), "shape", True),
    "a number of 5,000 digits": (
        zlib.compress(b'[1,%s,{"ap":[[0],{"radio":[["w"],["x"]]}]},[[%s]]]' % (RAW, b"7" * 5000)),
        "json", False,
    ),
    "not a number": (
        zlib.compress(b'[1,%s,{"ap":[[0],{"radio":[["w"],["x"]]}]},[[NaN]]]' % RAW), "json", False,
    ),
    "infinity": (
        zlib.compress(b'[1,%s,{"ap":[[0],{"radio":[["w"],["x"]]}]},[[-Infinity]]]' % RAW), "json", False,
    ),
    "an exponent": (
        zlib.compress(b'[1,%s,{"ap":[[0],{"radio":[["w"],["x"]]}]},[[1e999]]]' % RAW), "json", False,
    ),
    "a wrong type": (one({"a": 1}), "shape", True),
    "yes for a number": (one(True), "shape", True),
    "a key twice": (zlib.compress(b'[1,%s,{"ap":[[0],{}],"ap":[[0],{}]},[[],[]]]' % RAW), "json", False),
    "half a character": (one("\ud800"), "json", False),
    "a foreign node": (packed([1, {**HEADER, "n": "other"}, {}, []]), "foreign", True),
    "a foreign device": (packed([1, HEADER, {"gw": [[0], {}]}, [[]]]), "foreign", True),
    "a device that nobody has": (packed([1, HEADER, {"zz": [[0], {}]}, [[]]]), "foreign", True),
    "plain: not a list": (b"[", "json", False),
    "plain: no header": (b"[{}]", "shape", False),
    "plain: two megabytes": (b"[" + b" " * 2_000_000 + b"]", "size", False),
    "plain: a key twice": (b'[{"ayni":%s,"ayni":%s}]' % (RAW, RAW), "json", False),
}  # fmt: skip


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the hub wrote into its log."""
    return [record.getMessage() for record in caplog.records if record.name == "hub"]


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_frame_is_refused_by_name_or_by_bytes_and_its_neighbours_are_stored(
    what: str, ingest: Ingest, store: EmbeddedStore, caplog: pytest.LogCaptureFixture
) -> None:
    data, kind, named = HOSTILE[what]
    with caplog.at_level(logging.WARNING, "hub"):
        outcome = ingest.take([arrival(data), arrival(frame(1)), arrival(data)])
        events = ingest.tell(NOW)
    acks = outcome.acks["pi"]
    assert acks["e1"].stored == ((1, 1),)
    assert [refused.seq for refused in acks["e1"].refused] == ([8, 8] if named else [])
    if not named:
        assert {unread.crc for unread in acks[""].unread} == {zlib.crc32(data)}
        assert acks[""].unread[0].reason != "dictionary"
    assert store.raw("ap", SIGNAL, 0, 2e9) == [(NOW - 4999, -60)]
    (line,) = told(caplog)
    assert f"frames refused node=pi kind={kind} count=2 " in line
    assert len(line) < 400
    assert [(e.text.context, e.text.values["count"], e.name) for e in events] == [
        ("event.frames_refused", 2, "pi")
    ]


def test_refusals_are_told_once_then_once_a_minute_and_to_people_once_an_hour(
    ingest: Ingest, caplog: pytest.LogCaptureFixture
) -> None:
    foreign = HOSTILE["a foreign device"][0]
    lines, events = [], []
    with caplog.at_level(logging.WARNING, "hub"):
        for second in range(0, 3 * 3600, 5):
            if second < 7200:
                ingest.take([arrival(foreign, at=NOW + second)])
            events += ingest.tell(NOW + second)
        lines = told(caplog)
    assert sum(int(line.partition("count=")[2].split()[0]) for line in lines) == 1440
    assert len(lines) == 121
    assert [event.text.values["count"] for event in events] == [1, 720, 719]


def test_what_comes_from_strangers_is_counted_as_one(
    ingest: Ingest, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "hub"):
        for i in range(600):
            stranger = replace(frame(1), node=f"n{i}")
            ingest.take([arrival(stranger, node=f"n{i}")])
        assert ingest.tell(NOW) == []
    assert len(told(caplog)) == 1


def test_a_node_that_sends_bombs_is_put_off_for_the_rest_of_a_minute_and_the_others_are_not(
    ingest: Ingest, store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    bomb = HOSTILE["a bomb of brackets"][0]
    looked_at: list[int] = []
    inflate = field.inflate

    def counted(data: bytes) -> bytes:
        looked_at.append(len(data))
        return inflate(data)

    monkeypatch.setattr(field, "inflate", counted)
    batch = [arrival(bomb)] * 500
    outcome = ingest.take(
        [*batch, arrival(frame(1)), arrival(frame(1, node="other", device="gw"), node="other")]
    )
    assert len(looked_at) < 130
    assert "e1" not in outcome.acks["pi"], "not acknowledged: it comes again"
    assert outcome.acks["other"]["e1"].stored == ((1, 1),)
    later = ingest.take([arrival(frame(1), at=NOW + 61)])
    assert later.acks["pi"]["e1"].stored == ((1, 1),)
    assert store.raw("ap", SIGNAL, 0, 2e9)


def test_an_unknown_dictionary_asks_for_the_frame_without_one(ingest: Ingest) -> None:
    data = codec.encode(frame(1), "field")
    newer = data[:2] + b"\1\2\3\4" + data[6:]
    outcome = ingest.take([arrival(newer)])
    assert outcome.acks["pi"][""].unread == (Unread(crc=zlib.crc32(newer), reason="dictionary"),)
    assert ingest.tell(NOW) == [], "nobody has to do anything"
    again = codec.encode(frame(1), "field", dictionary=False)
    assert ingest.take([arrival(again)]).acks["pi"]["e1"].stored == ((1, 1),)


@pytest.mark.parametrize("seed", range(30))
def test_no_random_damage_ends_the_hub(seed: int, ingest: Ingest) -> None:
    rng = random.Random(seed)
    sound = codec.encode(frame(1), rng.choice(codec.ENCODINGS))
    raw = bytearray(field.inflate(sound) if sound[:1] == b"\x78" else sound)
    odd = (b"[", b"]", b"{", b"null", b"-", b"9e9", b'"', b",", b":", b"true", b"\xff")
    batch = []
    for _ in range(40):
        damaged = bytearray(raw)
        for _ in range(rng.randint(1, 6)):
            place = rng.randrange(len(damaged))
            damaged[place : place + rng.randint(0, 3)] = rng.choice((*odd, rng.randbytes(2)))
        batch.append(arrival(zlib.compress(damaged) if sound[:1] == b"\x78" else bytes(damaged)))
    ingest.take(batch)


# ---- copies for watchers


def test_copies_are_never_stored_never_answered_and_carry_no_notes(
    ingest: Ingest, store: EmbeddedStore, ledger: Ledger
) -> None:
    noted = replace(frame(0), notes=(FrameNote(at_s=0.0, text=Message("note.x")),))
    for each in (noted, replace(frame(5), epoch="e9")):
        outcome = ingest.take([arrival(each, kind="watch")])
        assert (outcome.acks, outcome.frames, len(outcome.judge)) == ({}, 0, 1)
    assert ingest.take([arrival(b"rubbish", kind="watch")]).acks == {}
    assert store.latest("ap") == []
    assert ledger.events(None, 10) == []
    assert not ledger.seen("pi", "e9", 5)
    assert ingest.take([arrival(replace(frame(5), epoch="e9"))]).frames == 1, "its frame is news still"


def test_a_node_hears_of_its_watchers_only_when_it_has_to() -> None:
    watching = Watching()
    told = [second for second in range(600) if watching.due("pi", "e", 60.0, NOW + second)]
    assert told == list(range(0, 600, 16)), "asked every second, told four times a minute"
    told = [second for second in range(0, 600, 30) if watching.due("pi", "e", 60.0, NOW + 1000 + second)]
    assert len(told) == 20, "what a console asks every half minute goes on without a gap"
    assert watching.due("pi", "after a restart", 60.0, NOW + 1571)
    assert watching.due("other", "e", 60.0, NOW + 1571)
    assert watching.due("pi", "after a restart", 60.0, NOW - 9e5), "a clock that was set back"


# ---- names


def many(count: int, first: int = 0) -> dict[Series, int]:
    return {Series("station", f"{first + i:012x}", "signal_dbm"): -60 for i in range(count)}


def test_names_of_a_device_are_bounded_and_what_it_has_goes_on(
    ingest: Ingest, store: EmbeddedStore, network: Network, ledger: Ledger
) -> None:
    ingest._names = Names(store.names, most=100)
    known = many(50)
    ingest.take([arrival(frame(1, known))])
    for seq in range(2, 40):
        outcome = ingest.take([arrival(frame(seq, {**known, **many(10, 1000 * seq)}))])
        assert outcome.acks["pi"]["e1"].stored == ((seq, seq),)
    assert len(store.names("ap")) == 100
    assert len(store.raw("ap", next(iter(known)), 0, 2e9)) == 39
    (event,) = ingest.tell(NOW)
    assert (event.text.context, event.text.values, event.name) == (
        "event.names_refused", {"device": "ap", "most": 100, "count": 38 * 10 - 49}, "ap",
    )  # fmt: skip
    assert ingest.tell(NOW + 60) == []

    again = Ingest(network, ledger, store)
    again._names = Names(store.names, most=100)
    outcome = again.take([arrival(frame(50, {**known, **many(10, 10**6)}))])
    assert len(outcome.judge[0].frame.devices["ap"].values) == 51, "after a restart as well"


def test_one_batch_and_the_copies_for_watchers_count_too(ingest: Ingest, store: EmbeddedStore) -> None:
    ingest._names = Names(store.names, most=100)
    outcome = ingest.take([arrival(frame(seq, many(60, 1000 * seq)), kind="history") for seq in (1, 2, 3)])
    assert [len(each.frame.devices["ap"].values) for each in outcome.judge] == [61, 40, 1]
    assert len(store.names("ap")) == 100

    names = Names(lambda device: (), most=100)
    seen = [len(names.bound(frame(0, many(60, 1000 * i)), copy=True).devices["ap"].values) for i in range(3)]
    assert seen == [61, 40, 1]


def test_names_of_all_devices_of_a_node_are_bounded_together(store: EmbeddedStore) -> None:
    names = Names(store.names, lambda node: ["ap", "gw"] if node == "pi" else [], 100, 150)
    store.write([("ap", series, NOW, -60) for series in many(90)])
    for seq in (1, 2, 3):
        names.begin()
        found = names.bound(frame(seq, many(30, 1000 * seq), device="gw")).devices["gw"]
        store.write([("gw", series, NOW + seq, value) for series, _at, value in found.samples()])
    assert len(store.names("gw")) == 60, "although a device alone may have a hundred"
    (event,) = names.events(NOW)
    assert (event.text.context, event.text.values, event.kind, event.name) == (
        "event.names_refused_node", {"node": "pi", "most": 150, "count": 31}, "node", "pi",
    )  # fmt: skip
    assert names.events(NOW + 60) == []


def test_names_that_a_device_no_longer_brings_make_room_but_a_silent_device_is_not_forgotten(
    store: EmbeddedStore,
) -> None:
    old, kept = many(30), many(1, 500)
    store.write([("ap", series, 1000.0, -60) for series in (*old, *kept)])
    store.write([("gw", series, 1000.0, -60) for series in old])
    store.write([("ap", series, 9_000_000.0, -61) for series in kept])
    assert (len(store.names("ap")), len(store.names("gw"))) == (31, 30)
    store.forget_before(5_000_000.0)
    assert list(store.names("ap")) == list(kept)
    assert len(store.names("gw")) == 30
    assert len(store.latest("ap")) == 1
    assert store.raw("ap", next(iter(kept)), 0, 2e9) == [(9_000_000.0, -61)]
    store.write([("ap", series, 9_000_001.0, -62) for series in old])
    assert len(store.names("ap")) == 31
    assert store.raw("ap", next(iter(old)), 0, 2e9) == [(9_000_001.0, -62)]


def test_the_largest_frame_that_is_taken_is_taken_quickly_enough(
    ingest: Ingest, store: EmbeddedStore
) -> None:
    """A frame as large as can be is no reason to stop: it is stored, and the names are counted."""
    names = {Series("station", f"{i:x}", "signal_dbm"): i for i in range(limits.MAX_SERIES - 1)}
    outcome = ingest.take([arrival(frame(1, names))])
    assert outcome.samples == limits.MAX_SERIES
    assert len(store.names("ap")) == limits.MAX_SERIES


# ---- notes of nodes


def noted(seq: int, *notes: FrameNote) -> Frame:
    return replace(frame(seq), notes=notes)


def test_notes_become_events_once(ingest: Ingest, ledger: Ledger) -> None:
    text = Message("note.meanwhile", {"device": "ap"})
    made = noted(
        1,
        FrameNote(at_s=-300.0, text=text, level="warn", device="ap"),
        FrameNote(at_s=10.0, text=Message("note.storage")),
        FrameNote(at_s=1e7, text=Message("note.future"), device="gw"),
        FrameNote(at_s=-1e8, text=Message("note.past"), device="no-such"),
    )
    for _ in range(3):
        ingest.take([arrival(made)])
    events = ledger.events(None, 10)
    start = NOW - 4999
    assert {(e.at, e.text.context, e.level, e.kind, e.name, e.author) for e in events} == {
        (start - 300, "note.meanwhile", "warn", "device", "ap", ""),
        (start + 10, "note.storage", "info", "node", "pi", ""),
        (NOW, "note.future", "info", "node", "pi", ""),
        (0.0, "note.past", "info", "node", "pi", ""),
    }
    assert len(events) == 4
    assert text in [event.text for event in events]


def test_notes_of_history_are_events_too_and_those_of_a_refused_frame_are_not(
    ingest: Ingest, ledger: Ledger
) -> None:
    note = FrameNote(at_s=0.0, text=Message("note.outage"))
    ingest.take([arrival(noted(1, note), kind="history")])
    ingest.take([arrival(replace(noted(2, note), node="other"))])
    assert len(ledger.events(None, 10)) == 1


def test_a_verdict_of_a_node_is_told_only_where_the_hub_has_none_of_its_own(
    ingest: Ingest, ledger: Ledger
) -> None:
    text = Message("note.verdict_silent", {"device": "ap"})
    then = FrameNote(at_s=60.0, text=text, level="critical", device="ap")
    before = replace(then, at_s=-7200.0)  # of the account of an outage
    ingest.take([arrival(noted(1, then))])
    assert ledger.events(None, 10) == [], "from the same poll the hub has its own verdict"
    ingest.take([arrival(noted(2, before))])
    ingest.take([arrival(noted(3, replace(then, at_s=60.4)), kind="history")])
    again = replace(then, at_s=-7202.0)  # history, which says what the account has said
    ingest.take([arrival(noted(4, again), kind="history")])
    told = sorted(ledger.events(None, 10), key=lambda event: event.at)
    assert [event.text for event in told] == [text, text]
    assert [round(event.at - (NOW - 4999)) for event in told] == [-7199, 62]
    assert ledger.alerts() == {}


def test_a_node_says_only_what_notes_say_and_not_without_end(
    ingest: Ingest, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_notes, "MOST_A_DAY", 100)
    lie = FrameNote(at_s=0.0, text=Message("event.hub_started"))
    ingest.take([arrival(noted(1, lie))])
    assert ledger.events(None, 10) == []
    assert [event.text.context for event in ingest.tell(NOW)] == ["event.notes_refused"]
    verdicts = [FrameNote(at_s=0.0, text=Message("note.verdict"))] * 60
    other = Ingest(ingest._network, ledger, ingest._store)
    other.take([arrival(noted(seq, *verdicts), kind="history") for seq in (101, 102)])
    assert len(ledger.events(None, 100)) == 50, "what flaps leaves room for what is rare"
    ledger.forget_before(NOW + 1, NOW + 1)
    many_notes = [FrameNote(at_s=0.0, text=Message("note.x"))] * 60
    for seq in range(2, 8):
        ingest.take([arrival(noted(seq, *many_notes))])
    assert len(ledger.events(None, 500)) == 100
    (event,) = ingest.tell(NOW + 90_000)
    assert event.text.values == {"node": "pi", "count": 260}
    ingest.take([arrival(noted(9, *many_notes), at=NOW + 86_400)])
    assert len(ledger.events(None, 500)) == 160, "another day"


# ---- notes of people


def ask(text: str = "cable changed", kind: str = "device", name: str = "ap", author: str = "") -> AskNote:
    return AskNote(kind=kind, name=name, text=text, author=author)


@pytest.mark.parametrize(
    ("asked", "user", "why"),
    [
        (ask(), "eva", "answer.not_allowed"),
        (ask(), "nobody", "answer.not_allowed"),
        (ask(""), "ana", "answer.empty_note"),
        (ask(" \n\t "), "ana", "answer.empty_note"),
        (ask(name="no-such"), "ana", "answer.not_found"),
        (ask(kind="planet"), "ana", "answer.not_found"),
        (ask(kind="", name="ap"), "ana", "answer.not_found"),
        (ask(kind="device", name=""), "ana", "answer.not_found"),
    ],
)
def test_a_note_that_may_not_be_written_is_answered_with_the_reason(
    network: Network, asked: AskNote, user: str, why: str
) -> None:
    found = Notebook(network).write(asked, user, NOW)
    assert isinstance(found, Message)
    assert found.context == why


def test_notes_are_bounded_in_length_and_in_number(network: Network) -> None:
    notebook = Notebook(network)
    written = notebook.write(ask("x" * 9000, author="Rosa " * 50), "ana", NOW)
    assert not isinstance(written, Message)
    assert len(str(written.text.values["text"])) == 2000
    assert written.text.values["author"] == ("Rosa " * 50)[:40] + " (Ana)"
    assert not isinstance(notebook.write(ask(kind="", name=""), "ana", NOW), Message), "about the network"
    found = [notebook.write(ask(), "ana", NOW + i) for i in range(MOST)]
    refused = [each for each in found if isinstance(each, Message)]
    assert [each.context for each in refused] == ["answer.too_many_notes"] * 2
    assert not isinstance(notebook.write(ask(), "ana", NOW + 700), Message)


def test_a_note_that_was_written_without_contact_stands_at_its_own_time(network: Network) -> None:
    notebook = Notebook(network)
    at = {"late": NOW - 7200, "long ago": NOW - 31 * 86400, "to come": NOW + 3600}
    written = {key: notebook.write(replace(ask(), at=time), "ana", NOW) for key, time in at.items()}
    assert {key: each.at for key, each in written.items() if isinstance(each, Event)} == {
        "late": NOW - 7200, "long ago": NOW, "to come": NOW,
    }  # fmt: skip


# ---- counting


def test_a_tally_tells_the_first_at_once_and_the_rest_in_turns() -> None:
    tally: Tally[str] = Tally(60.0, "other", most=2)
    tally.add("a", "one")
    assert tally.due(0.0) == [("a", 1, "one")]
    for i in range(5):
        tally.add("a", f"n{i}")
    assert tally.due(59.9) == []
    assert tally.due(60.0) == [("a", 5, "n4")]
    for key in "bcdef":
        tally.add(key)
    assert tally.due(61.0) == [("b", 1, ""), ("other", 4, "")]
    assert tally.due(500.0) == []
    tally.add("z")
    assert tally.due(500.0) == [("z", 1, "")], "what was silent for a turn made room"
    tally.add("z")
    assert tally.due(-1000.0) == [("z", 1, "")], "a clock that was set back silences nobody"


def test_the_table_of_costly_refusals_is_bounded() -> None:
    refusals = Refusals()
    for i in range(5000):
        refusals.add(f"n{i}", WireError("x"), NOW)
    assert len(refusals._costly) <= 500
    assert not refusals.puts_off("n1", NOW)
