"""`ayni tap`: everything that travels, in words; nothing that comes from the network can hurt the reader."""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import zlib
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import parts
import pytest

from ayni_core import slices
from ayni_core.message import Message
from ayni_core.readings import Series
from ayni_core.wire import codec, topics
from ayni_core.wire.frame import ANSWERED, DevicePolls, Frame
from ayni_core.wire.messages import (
    Ack,
    Alert,
    Command,
    CommandState,
    EndView,
    HubState,
    LabDo,
    LinkView,
    NodeState,
    Refused,
    Unread,
)
from ayni_core.wire.note import FrameNote
from ayni_core.wire.questions import AskEvents, AskHistory, Done
from ayni_core.wire.shape import pack
from ayni_hub import tap_view
from ayni_hub.command_tap import audible, covers
from ayni_io import i18n, local_broker, yamlwrite
from ayni_io.local_broker import LocalBroker
from ayni_io.onlooker import Onlooker
from ayni_io.stack import Stack, ayni

FRAME_TOPIC = topics.frame("torre-pi", "live")


@pytest.fixture(autouse=True)
def english() -> None:
    i18n.use("en")


def frame() -> Frame:
    polls = DevicePolls()
    signal, octets = Series("radio", "wlan1", "signal_dbm"), Series("interface", "ether1", "in_octets")
    polls.add(0.0, {ANSWERED: 1, signal: -63, octets: 4200000})
    polls.add(60.0, {ANSWERED: 0})
    note = FrameNote(at_s=-1.5, text=Message("note.outage", {"span": "2 h"}), level="warn", device="ap")
    return Frame(
        node="torre-pi", epoch="9f3c", seq=7, boot="b00t", mono_s=12.5, wall_s=1.76e9, synced=False,
        next_by_s=310.0, devices={"ap": polls}, notes=(note,),
    )  # fmt: skip


def shown(topic: str, payload: bytes, *, verbose: bool = False, kept: bool = False) -> list[str]:
    return list(tap_view.lines(tap_view.hear(topic, payload, 0.0, kept), verbose=verbose))


def test_a_frame_is_shown_with_its_header_notes_and_a_few_readings() -> None:
    block = shown(FRAME_TOPIC, codec.encode(frame(), "field"))
    assert block[0].endswith("  in/34/torre-pi/live")
    text = "\n".join(block)
    assert "frame 7 of torre-pi" in text
    assert "field, 1 device, 4 samples" in text
    assert "begins 2025-10-09 08:53:20 UTC by its own clock, which is not synchronised" in text
    assert "e 9f3c  q 7  b b00t  m 12.5" in text
    assert "note, warn ap, at -1.5 s: No contact with the central for 2 h" in text
    assert "ap  2 polls, 3 series, 4 samples  answered 1 0  signal_dbm -63  in_octets 4200000" in text


def test_with_verbose_every_reading_is_shown() -> None:
    block = shown(FRAME_TOPIC, codec.encode(frame(), "plain"), verbose=True)
    assert "      radio/wlan1/signal_dbm  -63 –" in block
    assert "      system//answered  1 0" in block
    assert "      seconds after the start: 0 60" in block


LINK = LinkView(
    id="l", title="Torre – Cerro", state="down", since=1.76e9, homes=12, cause=Message("cause.no_power"),
    a=EndView(site="torre", device="ap", signal_dbm=-63.0), b=EndView(site="cerro", device="st"),
)  # fmt: skip
ALERT = Alert(
    id="x", rule="link-down", kind="link", name="l", level="critical", since=1.76e9,
    text=Message("rule.link_down", {"link": "Torre – Cerro"}),
)  # fmt: skip
TABLE: list[tuple[str, object, list[str]]] = [
    (topics.state("torre-pi"), NodeState(up=False, epoch="e"), ["NodeState", "up: no", "epoch: e"]),
    (
        topics.ack("torre-pi"),
        Ack(epoch="e", stored=((1, 4), (7, 7)), refused=(Refused(seq=5, reason="not its device"),),
            unread=(Unread(crc=17, reason="dictionary"),)),
        ["stored: 1–4 7–7", "refused: seq 5, reason not its device", "unread: crc 17, reason dictionary"],
    ),
    (topics.HUB, HubState(state="ready", at=1.76e9), ["HubState", "state: ready", "2025-10-09 08:53:20 UTC"]),
    (topics.BEAT, HubState(state="store-down"), ["state: store-down"]),
    (topics.alert("x"), ALERT, ["level: critical", "text: Torre – Cerro is down  [rule.link_down]"]),
    (topics.net("link", "l"), LINK, ["LinkView", "state: down", "cause: no power", "a:", "signal_dbm: -63"]),
    (topics.cmd("torre-pi"), Command(id="c1", do="ping", epoch="e", by="ana"), ["do: ping", "by: ana"]),
    (
        topics.done("torre-pi"),
        CommandState(id="c1", do="ping", state="running", progress=0.5, lines=("64 octets",)),
        ["state: running", "progress: 0.5", "lines: 64 octets"],
    ),
    (topics.ask("ana", "s", "1"), AskEvents(limit=3), ["AskEvents", "limit: 3"]),
    (topics.answer("ana", "s", "1"), Done(error=Message("answer.too_many", {"most": 64})), ["too_many"]),
    (topics.lab_do("rosa"), LabDo(do="break", what="f1"), ["LabDo", "do: break", "what: f1"]),
]  # fmt: skip


@pytest.mark.parametrize(("topic", "message", "words"), TABLE, ids=lambda each: str(each)[:40])
def test_every_kind_of_message_is_shown_in_words_and_as_json(
    topic: str, message: object, words: list[str]
) -> None:
    for verbose in (False, True):
        text = "\n".join(shown(topic, pack(message), verbose=verbose))
        for each in words:
            assert each in text, text
    found = tap_view.as_json(tap_view.hear(topic, pack(message), 5.0))
    assert found["says"] == json.loads(pack(message))
    assert json.loads(json.dumps(found)) == found


def test_what_was_kept_and_what_was_taken_away_is_told() -> None:
    assert shown(topics.alert("x"), pack(ALERT), kept=True)[0].endswith("alert/x  (kept)")
    assert "nothing is kept here any more" in shown(topics.alert("x"), b"")[1]


@pytest.mark.parametrize(
    ("topic", "payload", "why"),
    [
        (FRAME_TOPIC, b"\x78\xda\x01\x02", "cut short (damaged)"),
        (FRAME_TOPIC, zlib.compress(b" " * 2_000_000), "when unpacked (size)"),
        (FRAME_TOPIC, b"hello", "neither a field nor a plain frame (damaged)"),
        (topics.frame("torre-pi", "live").replace("34", "35"), b"x", "bucket 35 (topic)"),
        (topics.ack("torre-pi"), b"{}", "Ack.epoch is missing (shape)"),
        (topics.HUB, b'{"state":NaN}', "NaN is not a value (json)"),
        ("other/topic", b"x" * 100, "not a topic of ours (topic)"),
        (topics.answer("a", "b", "c"), b"[" * 5000, "not JSON"),
    ],
)
def test_what_cannot_be_decoded_is_shown_with_the_reason_and_its_first_bytes(
    topic: str, payload: bytes, why: str
) -> None:
    block = shown(topic, payload)
    assert "cannot be read: " in block[1]
    assert why in block[1]
    assert payload[:24].hex(" ") in block[2]
    found = tap_view.as_json(tap_view.hear(topic, payload, 0.0))
    assert found["start"] == payload[:24].hex()


def test_nothing_that_a_terminal_obeys_gets_through() -> None:
    evil = "\x1b]0;gotcha\x07\x1b[2J\u202e\r\n"
    polls = DevicePolls()
    polls.add(0.0, {ANSWERED: 1, Series("system", evil, "name"): evil})
    note = FrameNote(at_s=0.0, text=Message("note.outage", {"span": evil}))
    made = replace(frame(), devices={"ap": polls}, notes=(note,), boot=evil)
    heard = [tap_view.hear(FRAME_TOPIC, codec.encode(made, encoding), 0.0) for encoding in codec.ENCODINGS]
    heard += [
        tap_view.hear(topics.state("x"), pack(NodeState(up=True, version=evil)), 0.0),
        tap_view.hear(topics.answer("a", "b", "c"), json.dumps({"a": evil}).encode(), 0.0),
        tap_view.hear("ayni/v1/" + evil, evil.encode(), 0.0),
    ]
    for each in heard:
        for text in (
            *tap_view.lines(each, verbose=True),
            tap_view.raw(each),
            json.dumps(tap_view.as_json(each)),
        ):
            assert text.isprintable(), text


@pytest.mark.parametrize("seed", range(20))
def test_no_bytes_whatever_end_the_tap(seed: int) -> None:
    rng = random.Random(seed)
    sound = [codec.encode(frame(), "plain"), *(pack(message) for _topic, message, _words in TABLE)]
    for topic in (FRAME_TOPIC, *(topic for topic, _message, _words in TABLE)):
        payload = bytearray(rng.choice(sound))
        for _ in range(rng.randint(0, 5)):
            payload[rng.randrange(len(payload))] = rng.randrange(256)
        heard = tap_view.hear(topic, bytes(payload), rng.uniform(0, 2e9))
        assert list(tap_view.lines(heard, verbose=True))
        assert tap_view.raw(heard)
        assert json.dumps(tap_view.as_json(heard))


def test_a_filter_that_is_wider_than_a_right_becomes_the_rights_within_it() -> None:
    rights = topics.rights("p-ana").subscribe
    assert audible("ayni/v1/#", rights) == list(rights)
    assert audible("ayni/v1/alert/x", rights) == ["ayni/v1/alert/x"]
    assert audible("ayni/v1/in/#", rights) == []
    assert audible("ayni/v1/+/ana/#", rights) == ["ayni/v1/answer/ana/#"]
    assert audible("ayni/v1/in/#", ()) == ["ayni/v1/in/#"]
    assert covers("a/#", "a")
    assert covers("a/+", "a/b")
    assert not covers("a/+", "a/#")
    assert not covers("a/b", "a/+")
    assert not covers("a/+", "a/b/c")


# ---- with a real broker


@asynccontextmanager
async def town(folder: Path) -> AsyncIterator[LocalBroker]:
    parts.need("mosquitto")
    roles = {"h-hub": "", "n-torre-pi": "", "p-ana": "operator"}
    local_broker.write_accounts(folder, roles)
    stack = Stack(folder)
    try:
        local = await local_broker.start(stack, "h-hub", wanted="mosquitto")
        facts = slices.BrokerFacts(port=local.port, secrets=str(folder / "secrets"))
        config = slices.hub("hub", facts, network_path=f"{folder}/network.yaml", data_dir=f"{folder}/data")
        yamlwrite.write(folder / "hub.yaml", config)
        yield local
    finally:
        await stack.stop()


async def tapping(*words: str, while_: Callable[[], Coroutine[None, None, None]]) -> tuple[int, str, str]:
    """Status, output and errors of a tap; `while_` is done as soon as the tap hears."""
    process = await asyncio.create_subprocess_exec(
        *ayni("tap", *words), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "AYNI_LANG": "en", "TZ": "UTC", "XDG_DATA_HOME": "/nonexistent"},
    )  # fmt: skip
    try:
        speaking = asyncio.create_task(while_())
        output, errors = await asyncio.wait_for(process.communicate(), 60)
        speaking.cancel()
        await asyncio.gather(speaking, return_exceptions=True)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, output.decode(), errors.decode()


def test_a_hubs_account_hears_frames_and_acknowledgements_and_stops_by_itself(tmp_path: Path) -> None:
    async def story() -> None:
        async with town(tmp_path) as local:
            node, hub = Onlooker(local.config("n-torre-pi")), Onlooker(local.config("h-hub"))
            async with node, hub:

                async def speak() -> None:
                    while True:
                        await node.publish(FRAME_TOPIC, codec.encode(frame(), "field"))
                        await node.publish(FRAME_TOPIC, b"xrubbish")
                        await hub.publish(topics.ack("torre-pi"), pack(Ack(epoch="e", stored=((1, 2),))))
                        await asyncio.sleep(0.1)

                assert await node.until(lambda: node._client.connected, 30)
                assert await hub.until(lambda: hub._client.connected, 30)
                config = ("--config", str(tmp_path / "hub.yaml"))
                status, output, errors = await tapping(*config, "--count", "6", while_=speak)
                assert (status, errors) == (0, "")
                assert output.count("\n\n") == 6
                for words in (
                    "frame 7 of torre-pi",
                    "cannot be read: ",
                    "stored: 1–2",
                    "in/34/torre-pi/live",
                ):
                    assert words in output

                status, output, _errors = await tapping(
                    *config, "ack/+", "--json", "--count", "2", while_=speak
                )
                assert status == 0
                assert [json.loads(line)["kind"] for line in output.splitlines()] == ["Ack", "Ack"]

                status, output, _errors = await tapping(*config, "in/#", "--raw", "--for", "1", while_=speak)
                assert status == 0
                assert f"{FRAME_TOPIC} xrubbish" in output.splitlines()
                secret = (tmp_path / "secrets" / "h-hub").read_text().strip()
                assert secret not in output

    asyncio.run(story())


def test_a_person_hears_what_people_may_hear_and_is_told_what_not(tmp_path: Path) -> None:
    async def story() -> None:
        async with town(tmp_path) as local:
            hub, node = Onlooker(local.config("h-hub")), Onlooker(local.config("n-torre-pi"))
            async with hub, node:

                async def speak() -> None:
                    while True:
                        await node.publish(FRAME_TOPIC, codec.encode(frame(), "field"))
                        await hub.publish(topics.HUB, pack(HubState(state="ready")))
                        await asyncio.sleep(0.1)

                assert await hub.until(lambda: hub._client.connected, 30)
                assert await node.until(lambda: node._client.connected, 30)
                person = (
                    "--broker", f"127.0.0.1:{local.port}", "--user", "ana",
                    "--password-file", str(tmp_path / "secrets" / "p-ana"),
                )  # fmt: skip
                status, output, errors = await tapping(*person, "--for", "2", while_=speak)
                assert (status, errors) == (0, "")
                assert "state: ready" in output
                assert "frame 7" not in output
                status, output, errors = await tapping(*person, "in/#", "--count", "1", while_=speak)
                assert (status, output) == (2, "")
                assert errors == "in/#: the account p-ana does not hear this\n"

    asyncio.run(story())


def test_no_way_to_the_broker_is_one_line(tmp_path: Path) -> None:
    async def nothing() -> None:
        return

    async def story() -> None:
        port = parts.free_port()
        status, output, errors = await tapping(
            "--broker", f"127.0.0.1:{port}", "--user", "ana", "--for", "1", while_=nothing
        )
        assert (status, output) == (1, "")
        assert len(errors.splitlines()) == 1
        assert "nothing listens there" in errors

    asyncio.run(story())


def test_questions_with_numbers_are_shown(tmp_path: Path) -> None:
    asked = AskHistory(start=0.0, end=1e10, step_s=60.0, metric="signal_dbm", link="l", side="a")
    text = "\n".join(shown(topics.ask("ana", "s", "2"), pack(asked)))
    assert "AskHistory" in text
    assert "end: 2286-11-20 17:46:40 UTC" in text
