"""Frames and messages: what goes in comes out, and hostile bytes are refused whole."""

from __future__ import annotations

import contextlib
import json
import random
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ayni_core.message import Message
from ayni_core.metrics import METRICS
from ayni_core.readings import Series, Value
from ayni_core.wire import WireError, codec, errors, field, limits, topics
from ayni_core.wire.dictionary import DICTIONARIES, DICTIONARY_ID
from ayni_core.wire.frame import ANSWERED, DevicePolls, Frame
from ayni_core.wire.messages import Ack, Alert, EndView, LinkView, NodeState, Refused, Unread
from ayni_core.wire.note import LEVELS, MAX_NOTES, FrameNote
from ayni_core.wire.questions import AskHistory, question
from ayni_core.wire.shape import pack, unpack

SIGNAL = Series("radio", "wlan1", "signal_dbm")
VOLTS = Series("power", "", "voltage_v")
MODEL = Series("system", "", "model")
OCTETS = Series("interface", "ether1/uplink é", "in_octets")


NOTES = (
    FrameNote(
        at_s=-3600.0, text=Message("note.outage", {"from": 1.5, "to": 7, "why": "link é"}), level="warn"
    ),
    FrameNote(at_s=0.0, text=Message("note.plain")),
    FrameNote(at_s=61.25, text=Message("note.verdict", {"port": None}), level="critical", device="ap"),
)


def frame(devices: dict[str, DevicePolls] | None = None) -> Frame:
    polls = DevicePolls()
    polls.add(0.0, {ANSWERED: 1, SIGNAL: -63, VOLTS: 23.8, MODEL: "hAP ac²", OCTETS: 2**64 - 5})
    polls.add(60.02, {ANSWERED: 0})
    polls.add(119.99, {ANSWERED: 1, SIGNAL: -64, VOLTS: 24.05, MODEL: "hAP ac²", OCTETS: 17})
    return Frame(
        node="torre-pi", epoch="00ff00ff00ff00ff", seq=7, boot="b00t", mono_s=12.5, wall_s=1.7e9,
        synced=False, next_by_s=310.0, devices=devices or {"ap": polls, "silent": _silent()},
    )  # fmt: skip


def _silent() -> DevicePolls:
    polls = DevicePolls()
    polls.add(1.0, {ANSWERED: 0})
    return polls


@pytest.mark.parametrize("encoding", codec.ENCODINGS)
def test_a_frame_comes_out_as_it_went_in(encoding: str) -> None:
    assert codec.decode(codec.encode(frame(), encoding)) == frame()


@pytest.mark.parametrize("encoding", codec.ENCODINGS)
def test_notes_travel_with_a_frame_and_may_travel_alone(encoding: str) -> None:
    for devices in (frame().devices, {}):
        noted = replace(frame(), devices=devices, notes=NOTES)
        assert codec.decode(codec.encode(noted, encoding)) == noted


def test_a_note_that_is_too_long_is_cut_and_never_refused() -> None:
    long = Message("note." + "x" * 500, {f"{i:02}" * 60: "y" * 5000 for i in range(40)} | {"z": 1e300})
    odd = Message("note.odd", {"not": float("nan"), "half": "a\ud800b"})
    notes = [FrameNote(at_s=1e300, text=long), FrameNote(at_s=float("nan"), text=odd)]
    for encoding in codec.ENCODINGS:
        one, two = codec.decode(codec.encode(replace(frame(), notes=tuple(notes)), encoding)).notes
        assert len(one.text.context) == 80
        assert len(one.text.values) == 12
        assert {len(str(value)) for value in one.text.values.values()} == {200}
        assert two.text.values == {"not": None, "half": "a?b"}


@pytest.mark.parametrize(
    "notes",
    [
        {},
        [[]],
        [[0]],
        [["0", "note.x"]],
        [[0.5, "note.x"]],
        [[True, "note.x"]],
        [[10**12, "note.x"]],
        [[0, ""]],
        [[0, "n" * 81]],
        [[0, ["note.x"]]],
        [[0, "note.x", []]],
        [[0, "note.x", {"a": []}]],
        [[0, "note.x", {"a": True}]],
        [[0, "note.x", {"a": 1e16}]],
        [[0, "note.x", {"a": "b" * 201}]],
        [[0, "note.x", {"a" * 33: 1}]],
        [[0, "note.x", {str(i): 1 for i in range(13)}]],
        [[0, "note.x", {}, "panic"]],
        [[0, "note.x", {}, ["info"]]],
        [[0, "note.x", {}, "info", 5]],
        [[0, "note.x", {}, "info", "d" * 49]],
        [[0, "note.x", {}, "info", "", ""]],
        [[0, "note.x"]] * (MAX_NOTES + 1),
    ],
)
def test_hostile_notes_are_refused(notes: object) -> None:
    with pytest.raises(WireError):
        codec.decode(_packed([1, HEADER, {}, [], notes]))
    with pytest.raises(WireError):
        codec.decode(json.dumps([{"ayni": HEADER, "notes": notes}]).encode())


def test_levels_of_notes_are_those_of_events() -> None:
    assert LEVELS == ("info", "note", "clear", "warn", "critical")


def test_a_series_that_appears_late_or_goes_is_null_where_it_was_not() -> None:
    polls = frame().devices["ap"]
    assert polls.values[SIGNAL] == [-63, None, -64]
    assert [(at, value) for series, at, value in polls.samples() if series == SIGNAL] == [
        (0.0, -63),
        (119.99, -64),
    ]


def random_polls(rng: random.Random, polls: int, series: int) -> DevicePolls:
    """Columns of every sort, with gaps."""
    result = DevicePolls()
    kinds: list[Callable[[], Value]] = [
        lambda: rng.randint(-120, 0),
        lambda: round(rng.uniform(-50, 50), rng.randint(0, 4)),
        lambda: rng.uniform(-1e9, 1e9),
        lambda: rng.randint(0, 2**64 - 1),
        lambda: rng.randint(1, 2**40) * 1024,
        lambda: rng.choice((130_000_000, 144_444_000, None)),
        lambda: rng.choice(["a", "b", "ñ", ""]),
        lambda: rng.choice([1, 2.5, "x", None]),
        lambda: 5,
        lambda: 0.25,
    ]
    names = [
        Series(rng.choice(("sensor", "radio")), f"é{i % 7}", rng.choice(("signal_dbm", "x", "mcs", "y_new")))
        for i in range(series)
    ]
    picks = {name: rng.choice(kinds) for name in names}
    for i in range(polls):
        values: dict[Series, Value] = {s: pick() for s, pick in picks.items() if rng.random() < 0.9}
        result.add(i * 60.0, {ANSWERED: 1} | values)
    return result


@pytest.mark.parametrize("seed", range(40))
def test_random_columns_survive_the_field_encoding(seed: int) -> None:
    rng = random.Random(seed)
    original = frame({"d": random_polls(rng, rng.randint(1, 30), 12), "e": random_polls(rng, 3, 40)})
    assert codec.decode(codec.encode(original, "field")) == original


def said(frames: list[Frame]) -> dict[str, dict[tuple[Series, float], object]]:
    """Every sample of some frames; none may stand in two of them."""
    found: dict[str, dict[tuple[Series, float], object]] = {}
    for each in frames:
        for device, polls in each.devices.items():
            for series, at_s, value in polls.samples():
                assert (series, at_s) not in found.setdefault(device, {})
                found[device][series, at_s] = value
    return found


@pytest.mark.parametrize("encoding", codec.ENCODINGS)
@pytest.mark.parametrize("seed", range(12))
def test_parts_of_a_frame_say_together_what_it_said(seed: int, encoding: str) -> None:
    """The property: whatever is encoded is decoded again, and is as small as was asked."""
    rng = random.Random(f"{seed} {encoding}")
    devices = {f"d{i}": random_polls(rng, rng.randint(1, 12), rng.randint(1, 60)) for i in range(9)}
    original = replace(frame(devices), notes=NOTES)
    most = rng.choice((900, 3000, 10_000, 10**6))
    parts = codec.pieces(original, encoding, most)
    frames = [part for part, _data in parts]
    assert [codec.decode(data) for _part, data in parts] == frames or encoding == "plain"
    assert said([codec.decode(data) for _part, data in parts]) == said([original])
    assert [part.seq for part in frames] == list(range(7, 7 + len(frames)))
    assert [part.notes for part in frames] == [NOTES] + [()] * (len(frames) - 1)
    assert all(replace(part, seq=7, devices={}, notes=()) == replace(frame(), devices={}) for part in frames)
    assert all(len(data) <= most for _part, data in parts)
    assert len(frames) > 1 or most > 5000
    assert codec.split(original, encoding, most) == frames


def polls_of(series: int, times: int, value: Any = 1, item: str = "{}") -> DevicePolls:
    names = [Series("sensor", item.format(i), "x") for i in range(series)]
    return DevicePolls(times_s=[float(i) for i in range(times)], values={n: [value] * times for n in names})


TOO_MUCH: dict[str, Callable[[], dict[str, DevicePolls]]] = {
    "devices": lambda: {f"d{i}": polls_of(2, 2) for i in range(limits.MAX_DEVICES + 40)},
    "series": lambda: {"d": polls_of(limits.MAX_SERIES + 1, 1), "e": polls_of(3, 1)},
    "polls": lambda: {"d": polls_of(3, limits.MAX_POLLS + 1)},
    "names": lambda: {f"d{i}": polls_of(3000, 1) for i in range(limits.MAX_NAMES // 3000 + 1)},
    "values": lambda: {"d": polls_of(130, 1990, 7)},
    "bytes": lambda: {"d": polls_of(1200, 1, "é" * limits.MAX_TEXT)},
    "items": lambda: {"d": polls_of(4000, 1, "text", "{:é>128}")},
}


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        (name, encoding)
        for name in TOO_MUCH
        for encoding in codec.ENCODINGS
        if (name, encoding) != ("values", "plain")  # a quarter of a million records take most of a minute
    ],
)
def test_a_frame_beyond_any_limit_is_refused_by_the_encoder_and_cut_by_pieces(
    name: str, encoding: str
) -> None:
    original = frame(TOO_MUCH[name]())
    with contextlib.suppress(WireError):  # it may fit where bytes are not what it has too many of
        data = codec.encode(original, encoding)
        assert codec.decode(data).count() == original.count()
        assert len(data) <= limits.MAX_INFLATED
    parts = codec.pieces(original, encoding)
    assert len(parts) >= 2 or encoding == "field"
    assert len(parts) <= 160
    assert sum(codec.decode(data).count() for _part, data in parts) == original.count()
    assert all(len(data) <= limits.MAX_ENCODED for _part, data in parts)


def test_more_notes_than_a_frame_takes_go_with_the_next_one() -> None:
    notes = tuple(FrameNote(at_s=float(i), text=Message("note.x")) for i in range(MAX_NOTES * 2 + 5))
    with pytest.raises(WireError, match="too large"):
        codec.encode(replace(frame(), notes=notes), "field")
    parts = codec.split(replace(frame(), notes=notes))
    assert max(len(part.notes) for part in parts) == len(parts[0].notes) == MAX_NOTES
    assert [part.devices for part in parts] == [frame().devices] + [{}] * (len(parts) - 1)
    assert tuple(note for part in parts for note in part.notes) == notes


def test_an_ordinary_frame_is_one_piece_with_its_own_number() -> None:
    assert codec.pieces(frame(), "field") == [(frame(), codec.encode(frame(), "field"))]


@pytest.mark.parametrize("encoding", codec.ENCODINGS)
@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), 2**64, True, [1], "x" * 1025, "\ud800"], ids=lambda v: repr(v)[:9]
)
def test_what_may_not_stand_in_a_frame_is_not_encoded(value: object, encoding: str) -> None:
    wrong = frame({"d": polls_of(1, 2, value)})
    with pytest.raises(WireError):
        codec.encode(wrong, encoding)
    with pytest.raises(WireError):
        codec.pieces(wrong, encoding)


@pytest.mark.parametrize(
    "change",
    [
        {"node": ""},
        {"seq": -1},
        {"mono_s": -1.0},
        {"wall_s": float("nan")},
        {"next_by_s": 0.0},
        {"boot": "b" * 65},
        {"devices": {"../x": polls_of(1, 1)}},
        {"devices": {"d": DevicePolls([0.0], {Series("radio", "w" * 129, "x"): [1]})}},
        {"devices": {"d": DevicePolls([0.0], {Series("radio", "w", "a/b"): [1]})}},
        {"devices": {"d": DevicePolls([0.0], {Series("", "w", "x"): [1]})}},
        {"devices": {"d": DevicePolls([float("nan")], {SIGNAL: [1]})}},
        {"devices": {"d": DevicePolls([-1.0], {SIGNAL: [1]})}},
        {"devices": {"d": DevicePolls([1.0, 2.0], {SIGNAL: [1]})}},
    ],
)
def test_names_that_no_hub_takes_are_not_encoded(change: dict[str, object]) -> None:
    for encoding in codec.ENCODINGS:
        with pytest.raises(WireError):
            codec.encode(replace(frame(), **change), encoding)  # type: ignore[arg-type]


def test_the_field_encoding_is_small() -> None:
    """Five polls of a radio's steady readings: far below what one JSON message a poll would take."""
    assert len(codec.encode(frame(), "field")) * 3 < len(codec.encode(frame(), "plain"))


def test_the_dictionary_is_named_in_the_stream_and_can_be_left_out() -> None:
    data = field.encode(frame())
    assert int.from_bytes(data[2:6], "big") == DICTIONARY_ID == zlib.adler32(DICTIONARIES[DICTIONARY_ID])
    assert field.decode(field.encode(frame(), dictionary=False)) == frame()
    with pytest.raises(WireError, match="unknown dictionary"):
        field.decode(data[:2] + b"\0\0\0\1" + data[6:])


def test_a_released_dictionary_never_changes() -> None:
    """Agents in the field send with it for years; a new word list is a new dictionary."""
    assert 0x80AEBF50 in DICTIONARIES


@pytest.mark.parametrize("encoding", codec.ENCODINGS)
def test_no_truncation_and_no_flipped_bit_gets_through_as_another_frame(encoding: str) -> None:
    data = codec.encode(frame(), encoding)
    for cut in range(len(data)):
        with pytest.raises(WireError):
            codec.decode(data[:cut])
    if encoding == "field":  # the checksum of the stream sees to it
        rng = random.Random(1)
        for _ in range(500):
            damaged = bytearray(data)
            damaged[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
            with contextlib.suppress(WireError):
                assert codec.decode(bytes(damaged)) == frame()


def _packed(value: object) -> bytes:
    return zlib.compress(json.dumps(value).encode())


HEADER = {"n": "a", "e": "e", "q": 1, "b": "b", "m": 0, "w": 0, "y": 1, "x": 10}
RAW = json.dumps(HEADER).encode()


def one(times: object = [0], names: object = {"radio": [["w"], ["x"]]}, column: object = 1) -> bytes:
    """A field frame of one series, with one thing wrong."""
    return _packed([1, HEADER, {"d": [times, names]}, [[column]]])


def many_names() -> bytes:
    """Eleven devices of 5,000 series each: more than a frame may name."""
    names = {"radio": [[str(i) for i in range(100)], [f"x{i}" for i in range(50)]]}
    return _packed([1, HEADER, {f"d{i}": [[0], names] for i in range(11)}, [[1] * 5000] * 11])


def many_values() -> bytes:
    """A few bytes that stand for 260,000 values."""
    return _packed(
        [1, HEADER, {"d": [[0] * 2000, {"radio": [[str(i) for i in range(130)], ["x"]]}]}, [[1] * 130]]
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00",
        b"{}",
        zlib.compress(b" " * (limits.MAX_INFLATED + 10)),
        zlib.compress(b'[1,{"n":NaN},{}]'),
        zlib.compress(b'[1,{"n":"a","n":"a"},{}]'),
        zlib.compress(b"[" * 100_000),
        _packed([2, HEADER, {}, []]),
        _packed([1, HEADER]),
        _packed([1, HEADER, {}]),
        _packed([1, HEADER, {}, [], [], []]),
        _packed([1, HEADER, [], []]),
        _packed([1, HEADER, {}, {}]),
        _packed([1, HEADER, {}, [[]]]),
        _packed([1, {**HEADER, "q": 1.5}, {}, []]),
        _packed([1, {**HEADER, "q": True}, {}, []]),
        _packed([1, {**HEADER, "w": 1e12}, {}, []]),
        _packed([1, {**HEADER, "e": "\ud83d"}, {}, []]),
        one(column=[0, 1, 2]),
        one(column=[[]]),
        one(column={}),
        one(column=True),
        one(column=[9, 1]),
        one(column=[2**65, 1]),
        one(column=[-3, 1]),
        one(column=[1.5, 1]),
        one(column=["x", 1]),
        one(column=["", [1]]),
        one(column=["", "x" * 1025]),
        one(column=2**64),
        one(column=[2**63, 4]),
        one(column=[True]),
        one(column=["5"]),
        one([0, 1], column=[2**64 - 1, 1]),
        one([0, 1], column=[-(2**63), -(2**63)]),
        one([0, 1], column=[1024, 2**60, None]),
        one([]),
        one({}),
        one([0] * (limits.MAX_POLLS + 1)),
        one([-1]),
        one([0.5]),
        one([10**11]),
        one(names={"radio": [["w"]]}),
        one(names={"radio": ["w", "x"]}),
        one(names={"radio": [[1], ["x"]]}),
        one(names={"radio": [["w"], [1]]}),
        one(names={"radio": [["w"], [None]]}),
        one(names={"radio": [["w"], ["a/b"]]}),
        one(names={"radio": [["w" * 129], ["x"]]}),
        one(names={"radio/": [["w"], ["x"]]}),
        one(names=[["w"], ["x"]]),
        one(names={"radio": [["w", "v"], ["x"]]}),
        _packed([1, HEADER, {"d": [[0], {"radio": [["w", "w"], ["x"]]}]}, [[1, 1]]]),
        _packed([1, HEADER, {"d": [[0], {"radio": [["w"], ["x"], ["w"], ["x"]]}]}, [[1, 1]]]),
        _packed([1, HEADER, {"../x": [[0], {}]}, [[]]]),
        _packed([1, HEADER, {"d": [[0]]}, [[]]]),
        _packed([1, HEADER, {f"d{i}": [[0], {}] for i in range(limits.MAX_DEVICES + 1)}, [[]] * 501]),
        many_names(),
        many_values(),
        _packed([1, HEADER, {"d": [[0], {"radio": [[str(i) for i in range(5001)], ["x"]]}]}, [[1] * 5001]]),
        _packed([1, HEADER, {"d": [[0], {"radio": [["w"] * 9999, ["x"] * 9999]}]}, [[]]]),
        zlib.compress(b'[1,%s,{"d":[[0],{"radio":[["w"],["x"]]}]},[[1e999]]]' % RAW),
        zlib.compress(
            b'[1,%s,{"d":[[0],{"radio":[["w"],["x"]]}]},[[%s]]]' % (json.dumps(HEADER).encode(), b"9" * 5000)
        ),
        zlib.compress(b'[1,%s,{"d":[[0],{}],"d":[[0],{}]},[[],[]]]' % RAW),
        b'[{"bn":"urn:ayni:a:"}]',
        b'[{"ayni":{}},{"n":"d/radio/w/signal_dbm","v":1}]',
        json.dumps([{"ayni": HEADER}, {"n": "d/radio/signal_dbm", "v": 1}]).encode(),
        json.dumps([{"ayni": HEADER}, {"n": "d/radio/w/signal_dbm", "v": None}]).encode(),
        json.dumps([{"ayni": HEADER}, {"n": "d/radio/w/signal_dbm", "v": 1, "t": -1}]).encode(),
        b'[{"ayni":%s},{"n":"d/radio/w/signal_dbm","v":1e999}]' % RAW,
        b'[{"ayni":%s},{"n":"d/radio/w/signal_dbm","v":%s}]' % (RAW, b"9" * 400),
        json.dumps([{"ayni": {**HEADER, "e": "\ud800"}}]).encode(),
        json.dumps([{"ayni": HEADER}, {"n": "d/radio/w/signal_dbm", "vs": "\udfff"}]).encode(),
        json.dumps([{"ayni": HEADER}, {"n": "d/radio/" + "w" * 200 + "/signal_dbm", "v": 1}]).encode(),
    ],
)
def test_hostile_frames_are_refused(data: bytes) -> None:
    with pytest.raises(WireError) as refused:
        codec.decode(data)
    assert refused.value.kind in errors.KINDS


def test_the_frame_that_the_hostile_ones_are_made_from_is_sound() -> None:
    assert codec.decode(one()).count() == 1
    assert codec.decode(one([0, 5], column=[1024, 2, None])).count() == 1


def test_a_node_has_one_bucket_and_nobody_else_may_use_it() -> None:
    topic = topics.frame("torre-pi", "live")
    assert topics.parse(topic).words == (f"{topics.bucket('torre-pi'):02d}", "torre-pi", "live")
    wrong = (topics.bucket("torre-pi") + 1) % 64
    with pytest.raises(WireError, match="bucket"):
        topics.parse(f"ayni/v1/in/{wrong:02d}/torre-pi/live")


@pytest.mark.parametrize(
    "topic",
    ["", "ayni/v1", "ayni/v2/hub", "ayni/v1/ask/a/b", "ayni/v1/in/00/x/nonsense", "ayni/v1/lab/x", "$SYS/x"],
)
def test_foreign_topics_are_refused(topic: str) -> None:
    with pytest.raises(WireError):
        topics.parse(topic)


@pytest.mark.parametrize(
    "message",
    [
        NodeState(up=True, epoch="e", at=1.5),
        Ack(epoch="e", stored=((1, 4), (6, 6)), refused=(Refused(seq=5, reason="no"),)),
        Ack(epoch="", unread=(Unread(crc=2**32 - 1, reason="dictionary"),)),
        Alert(id="i", rule="r", kind="link", name="l", level="warn", since=1.0, text=Message("a", {"x": 1})),
        LinkView(
            id="l", title="L", state="ok", since=1.0, homes=2,
            a=EndView(site="s", device="d", chains_dbm=(-1.0, -2.5)),
            b=EndView(site="t", device="e"), cause=Message("cause.no_power"),
        ),
    ],
)  # fmt: skip
def test_messages_come_out_as_they_went_in(message: object) -> None:
    assert unpack(type(message), pack(message)) == message


@pytest.mark.parametrize(
    "data",
    [b"[]", b"{}", b'{"epoch":1}', b'{"epoch":"e","stored":[["a"]]}', b'{"epoch":"e","stored":{}}', b"nul"],
)
def test_messages_of_a_wrong_shape_are_refused(data: bytes) -> None:
    with pytest.raises(WireError):
        unpack(Ack, data)


@pytest.mark.parametrize("number", ["9" * 400, "1e999", "-1e400", "9" * 24 + "0"])
def test_numbers_that_no_machine_holds_are_refused(number: str) -> None:
    with pytest.raises(WireError):
        unpack(NodeState, f'{{"up":true,"poll_s":{number}}}'.encode())


def test_whole_characters_spelt_as_escapes_are_taken() -> None:
    assert unpack(Ack, b'{"epoch":"\\ud83d\\ude00"}').epoch == "\U0001f600"


def test_a_frame_that_cannot_be_taken_can_still_be_named() -> None:
    bad = [1, {**HEADER, "e": "e9", "q": 7}, "nonsense", []]
    assert codec.name_of(_packed(bad)) == ("e9", 7)
    plain_bad = json.dumps([{"ayni": {**HEADER, "q": 3}}, {"n": "x", "v": 1}]).encode()
    assert codec.name_of(plain_bad) == ("e", 3)
    for garbage in (b"", b"[", b"[1]", b"\x78\xda", zlib.compress(b"[]")):
        assert codec.name_of(garbage) is None


def test_an_older_console_passes_over_what_it_does_not_know() -> None:
    assert unpack(Ack, b'{"epoch":"e","news":{"a":[1]}}') == Ack(epoch="e")


def test_questions_name_themselves() -> None:
    asked = AskHistory(start=0.0, end=1.0, step_s=1.0, metric="signal_dbm", link="l", side="a")
    assert question(pack(asked)) == asked
    with pytest.raises(WireError, match="unknown question"):
        question(b'{"ask":"everything"}')


def test_the_list_of_metrics_is_sound() -> None:
    for name, metric in METRICS.items():
        assert metric.name == name
        assert metric.meaning
        assert (metric.unit == "") if metric.kind in ("state", "text") else True
