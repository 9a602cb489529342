"""Frames and messages: what goes in comes out, and hostile bytes are refused whole."""

from __future__ import annotations

import contextlib
import json
import random
import zlib

import pytest

from ayni_core.message import Message
from ayni_core.metrics import METRICS
from ayni_core.readings import Series
from ayni_core.wire import WireError, codec, field, topics
from ayni_core.wire.dictionary import DICTIONARIES, DICTIONARY_ID
from ayni_core.wire.frame import ANSWERED, DevicePolls, Frame
from ayni_core.wire.messages import Ack, Alert, EndView, LinkView, NodeState, Refused
from ayni_core.wire.questions import AskHistory, question
from ayni_core.wire.shape import pack, unpack

SIGNAL = Series("radio", "wlan1", "signal_dbm")
VOLTS = Series("power", "", "voltage_v")
MODEL = Series("system", "", "model")
OCTETS = Series("interface", "ether1/uplink é", "in_octets")


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


def test_a_series_that_appears_late_or_goes_is_null_where_it_was_not() -> None:
    polls = frame().devices["ap"]
    assert polls.values[SIGNAL] == [-63, None, -64]
    assert [(at, value) for series, at, value in polls.samples() if series == SIGNAL] == [
        (0.0, -63),
        (119.99, -64),
    ]


@pytest.mark.parametrize("seed", range(20))
def test_random_columns_survive_the_field_encoding(seed: int) -> None:
    rng = random.Random(seed)
    polls = DevicePolls()
    kinds = [
        lambda: rng.randint(-120, 0),
        lambda: round(rng.uniform(-50, 50), rng.randint(0, 4)),
        lambda: rng.uniform(-1e9, 1e9),
        lambda: rng.randint(0, 2**64 - 1),
        lambda: rng.choice(["a", "b", "ñ"]),
        lambda: 5,
    ]
    series = [Series("sensor", str(i), "temperature_c") for i in range(12)]
    picks = [rng.choice(kinds) for _ in series]
    for i in range(rng.randint(1, 30)):
        polls.add(i * 60.0, {s: pick() for s, pick in zip(series, picks, strict=True) if rng.random() < 0.9})
    original = frame({"d": polls})
    assert codec.decode(codec.encode(original, "field")) == original


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
    assert 0x23CD2716 in DICTIONARIES


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


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00",
        b"{}",
        zlib.compress(b" " * (field.MAX_INFLATED + 10)),
        zlib.compress(b'[1,{"n":NaN},{}]'),
        zlib.compress(b'[1,{"n":"a","n":"a"},{}]'),
        zlib.compress(b"[" * 100_000),
        _packed([2, HEADER, {}]),
        _packed([1, HEADER]),
        _packed([1, {**HEADER, "q": 1.5}, {}]),
        _packed([1, {**HEADER, "q": True}, {}]),
        _packed([1, {**HEADER, "w": 1e12}, {}]),
        _packed([1, HEADER, {"d": [[0], {"radio": {"w": {"signal_dbm": [0, 1, 2]}}}]}]),
        _packed([1, HEADER, {"d": [[0] * (field.MAX_POLLS + 1), {}]}]),
        _packed([1, HEADER, {"d": [[-1], {}]}]),
        _packed([1, HEADER, {"d": [[0], {"radio": {"w": {"signal_dbm": {}}}}]}]),
        _packed([1, HEADER, {"d": [[0], {"radio": {"w": {"signal_dbm": [9, 1]}}}]}]),
        _packed([1, HEADER, {"d": [[0], {"radio": {"w": {"signal_dbm": [0, 2**65]}}}]}]),
        _packed([1, HEADER, {"d": [[0], {"radio": {"w": {"signal_dbm": True}}}]}]),
        _packed([1, HEADER, {"../x": [[0], {}]}]),
        _packed([1, HEADER, {"d": [[0] * 2000, {"radio": {str(i): {"a": 1} for i in range(600)}}]}]),
        b'[{"bn":"urn:ayni:a:"}]',
        b'[{"ayni":{}},{"n":"d/radio/w/signal_dbm","v":1}]',
        json.dumps([{"ayni": HEADER}, {"n": "d/radio/signal_dbm", "v": 1}]).encode(),
        json.dumps([{"ayni": HEADER}, {"n": "d/radio/w/signal_dbm", "v": None}]).encode(),
        json.dumps([{"ayni": HEADER}, {"n": "d/radio/w/signal_dbm", "v": 1, "t": -1}]).encode(),
        b'[{"ayni":%s},{"n":"d/radio/w/signal_dbm","v":1e999}]' % json.dumps(HEADER).encode(),
        b'[{"ayni":%s},{"n":"d/radio/w/signal_dbm","v":%s}]' % (json.dumps(HEADER).encode(), b"9" * 400),
        json.dumps([{"ayni": {**HEADER, "e": "\ud800"}}]).encode(),
        json.dumps([{"ayni": HEADER}, {"n": "d/radio/w/signal_dbm", "vs": "\udfff"}]).encode(),
        json.dumps([{"ayni": HEADER}, {"n": "d/radio/" + "w" * 200 + "/signal_dbm", "v": 1}]).encode(),
        _packed([1, {**HEADER, "e": "\ud83d"}, {}]),
        _packed([1, HEADER, {"d": [[0], {"radio": {str(i): {"a": 1} for i in range(5001)}}]}]),
    ],
)
def test_hostile_frames_are_refused(data: bytes) -> None:
    with pytest.raises(WireError):
        codec.decode(data)


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
    bad = [1, {**HEADER, "e": "e9", "q": 7}, {"d": [[0], {"radio": {"w": {"signal_dbm": [9, 1]}}}]}]
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
