"""Commands at the agent and at the hub's desk: who may, what is done once, what is told and written down."""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import parts
import pytest
from commanded import (
    BOOT,
    DOWN,
    EPOCH,
    REBOOT,
    UP,
    UPTIME,
    Box,
    Clock,
    Scene,
    UdpBox,
    in_loop,
    port,
    settle,
    until,
)
from parts import UdpAgent

from ayni_agent import config as agent_config
from ayni_agent import logbook
from ayni_agent.device_loop import DeviceLoop
from ayni_agent.devices import Devices, write_access
from ayni_agent.doings import ALL, rows
from ayni_agent.doings import ping as ping_doing
from ayni_agent.flight import Flight
from ayni_agent.logbook import Logbook
from ayni_agent.schedule import Turn
from ayni_core import commands, inventory, only_way
from ayni_core.ber import encode_oid
from ayni_core.commands import COMMANDS, OrderError
from ayni_core.inventory import Network
from ayni_core.message import Message
from ayni_core.oid_notation import index_body
from ayni_core.profile import Switch
from ayni_core.readings import Poll
from ayni_core.schema import ConfigError, Faults, Fields
from ayni_core.slices import BrokerFacts
from ayni_core.snmp import GAUGE32, INTEGER, OCTET_STRING, TIME_TICKS
from ayni_core.texts import TEXTS
from ayni_core.usm_keys import UsmUser
from ayni_core.wire import WireError, topics
from ayni_core.wire.messages import Command, CommandState, Event, NodeState
from ayni_core.wire.questions import AskCommand, AskEvents, CommandNews
from ayni_core.wire.shape import pack, unpack
from ayni_hub import commands as desk_module
from ayni_hub.commands import Desk
from ayni_io import clock, ping, traceroute, yamlfile, yamlwrite
from ayni_io.ping import Address
from ayni_io.snmp_access import Access
from ayni_io.snmp_errors import SnmpError
from ayni_io.snmp_set import SnmpSetRefused, open_writer

ROOT = Path(__file__).parent.parent


def asked(do: str, **fields: Any) -> AskCommand:
    values: dict[str, Any] = {"id": "1", "where": "switch", "do": do}
    return AskCommand(**(values | fields))


# ---- the list


def test_every_command_has_a_doing_a_text_and_a_sentence_of_what_will_happen() -> None:
    assert set(ALL) == set(COMMANDS)
    for doing in COMMANDS.values():
        assert f"command.{doing.name}" in TEXTS
        plans = {"port": ("plan.port_up", "plan.port_down")}.get(doing.name, (f"plan.{doing.name}",))
        assert not doing.changes or all(plan in TEXTS for plan in plans)
        assert doing.changes == (doing.undo != "" or doing.name == "restart")


def test_every_sentence_that_is_raised_has_its_text() -> None:
    """`test_translations` sees those that stand in a Message; these are made from a word."""
    said = set()
    for path in (
        *ROOT.glob("agent/ayni_agent/**/*.py"),
        *ROOT.glob("hub/ayni_hub/*.py"),
        ROOT / "core/ayni_core/commands.py",
    ):
        said |= set(
            re.findall(
                r'"((?:refused|failed|undone|expired|done|plan|event\.command\w*)\.?\w*)"', path.read_text()
            )
        )
    contexts = {word for word in said if "." in word.rstrip(".")}
    assert len(contexts) > 60
    assert contexts <= set(TEXTS)


@pytest.mark.parametrize(
    ("do", "fields", "refusal"),
    [
        ("explode", {}, "refused.unknown"),
        ("", {}, "refused.unknown"),
        ("poll", {"item": "x"}, "refused.surplus"),
        ("reboot", {"count": 2}, "refused.surplus"),
        ("ping", {"count": 21}, "refused.number"),
        ("ping", {"count": -1}, "refused.number"),
        ("ping", {"value": "1401"}, "refused.word"),
        ("ping", {"value": "٣"}, "refused.word"),
        ("ping", {"target": "-f"}, "refused.word"),
        ("ping", {"target": "a b"}, "refused.word"),
        ("ping", {"target": "$(reboot)"}, "refused.word"),
        ("ping", {"target": "x\n"}, "refused.word"),
        ("traceroute", {"count": 31}, "refused.number"),
        ("walk", {}, "refused.missing"),
        ("walk", {"target": "1.3.6.1"}, "refused.root"),
        ("walk", {"target": "1.3.6.1.2.1"}, "refused.root"),
        ("walk", {"target": "1.3.6.1.4.1"}, "refused.root"),
        ("walk", {"target": "1.3.6.1.6.3.18.1"}, "refused.root"),
        ("walk", {"target": "1.3.6.1.2.1.99999999999"}, "refused.word"),
        ("walk", {"target": "1.3.6.1.2.1.2", "count": 501}, "refused.number"),
        ("port", {"item": "eth0"}, "refused.missing"),
        ("port", {"value": "down"}, "refused.missing"),
        ("port", {"item": "eth0", "value": "sideways"}, "refused.word"),
        ("port", {"item": "eth\x1b[2J", "value": "down"}, "refused.word"),
        ("port", {"item": "x" * 70, "value": "down"}, "refused.word"),
        ("port", {"item": "eth0", "value": "down", "for_s": 601}, "refused.number"),
        ("port", {"item": "eth0", "value": "down", "for_s": 5}, "refused.number"),
        ("port", {"item": "eth0", "value": "down", "for_s": float("nan")}, "refused.number"),
        ("poe", {"item": "1", "for_s": 61}, "refused.number"),
        ("watch", {"for_s": 601}, "refused.number"),
        ("plan", {}, "refused.missing"),
        ("plan", {"value": "poll_s=4"}, "refused.number"),
        ("plan", {"value": "poll_s=3601"}, "refused.number"),
        ("plan", {"value": "flush_s=9"}, "refused.number"),
        ("plan", {"value": "poll_s=30;rm -rf"}, "refused.word"),
        ("plan", {"value": ","}, "refused.word"),
        ("plan", {"value": "own,poll_s=30"}, "refused.word"),
        ("plan", {"value": "poll_s=30", "for_s": 86401}, "refused.number"),
    ],
)
def test_what_is_not_on_the_list_is_refused(do: str, fields: dict[str, Any], refusal: str) -> None:
    with pytest.raises(OrderError) as caught:
        commands.check(asked(do, **fields))
    assert caught.value.text.context == refusal


def test_defaults_are_filled_in() -> None:
    order = commands.check(asked("ping"))
    assert (order.count, order.value, order.target) == (5, "56", "")
    assert commands.check(asked("port", item="eth0", value="down")).for_s == 60
    assert commands.poll_plan("poll_s=30,flush_s=120") == (30, 120)
    assert commands.poll_plan("flush_s=120") == (0, 120)


@pytest.mark.parametrize(
    ("role", "may"), [("viewer", 0), ("operator", 1), ("trainer", 1), ("hub", 0), ("", 0)]
)
def test_roles(role: str, may: int) -> None:
    assert {commands.may(role, doing) for doing in COMMANDS.values()} == {bool(may)}


def test_an_unknown_state_or_a_bad_name_is_no_command() -> None:
    assert commands.is_identifier("ana.3f2a-9_c")
    for bad in ("", "a/b", "a+b", "#", "..", "-x", "x" * 81, "é", "a b"):
        assert not commands.is_identifier(bad)


# ---- taking on


@in_loop
async def test_a_command_for_another_start_boot_or_time_is_expired_and_not_done(tmp_path: Path) -> None:
    async with Scene(tmp_path) as scene:
        await scene.give("poll", "a", epoch="0" * 16)
        await scene.give("poll", "b", boot="another")
        await scene.give("poll", "c", until_s=scene.clock.now() - 0.1)
        await scene.give("poll", "d", until_s=scene.clock.now() + 601)
        assert [(scene.ground.last(each).state, scene.ground.why(each)) for each in "abcd"] == [
            ("expired", "expired.start"),
            ("expired", "expired.start"),
            ("expired", "expired.late"),
            ("expired", "expired.late"),
        ]
        assert scene.ground.watched == []
        await scene.give("poll", "a")
        assert scene.ground.last("a").state == "done", "an expired one was never taken: it may come again"


@in_loop
async def test_a_retained_command_and_one_without_a_proper_name_are_ignored(tmp_path: Path) -> None:
    async with Scene(tmp_path) as scene:
        scene.commands.take(scene.command("poll"), retained=True)
        scene.commands.take(scene.command("poll", "../../etc/passwd"))
        await settle()
        assert scene.ground.told == []


@in_loop
async def test_hello_tells_the_clock_and_nothing_is_written_down(tmp_path: Path) -> None:
    async with Scene(tmp_path) as scene:
        scene.commands.take(Command(id="ana.1", do="hello", epoch=""))
        await settle()
        (state,) = scene.ground.told
        assert (state.do, state.epoch, state.boot, state.mono_s) == ("hello", EPOCH, BOOT, scene.clock.now())
        assert list(tmp_path.iterdir()) == []


@in_loop
async def test_near_the_cap_nobody_can_watch_and_is_told_why(tmp_path: Path) -> None:
    async with Scene(tmp_path) as scene:
        scene.ground.saves = True
        await scene.give("watch", for_s=30)
        assert (scene.ground.states(), scene.ground.why()) == (["accepted", "refused"], "refused.saving")
        assert scene.ground.watched == []


@in_loop
async def test_the_quiet_watch_of_somebody_who_looks_is_not_answered(tmp_path: Path) -> None:
    async with Scene(tmp_path) as scene:
        scene.commands.take(Command(id="watch-1", do="watch", epoch=EPOCH, for_s=60, by="eva"))
        scene.commands.take(Command(id="watch-2", do="watch", epoch="old", for_s=90, by="eva"))
        await settle()
        assert scene.ground.watched == [60]
        assert scene.ground.told == []


@pytest.mark.parametrize(
    ("do", "fields", "why"),
    [
        ("poll", {"role": "viewer"}, "refused.role"),
        ("poll", {"role": ""}, "refused.role"),
        ("poll", {"device": "other"}, "refused.not_mine"),
        ("explode", {}, "refused.unknown"),
        ("walk", {"device": "", "target": "1.3.6.1.2.1.2"}, "refused.wants_device"),
        ("restart", {"device": "switch"}, "refused.wants_node"),
        ("reboot", {"risk": "path"}, "refused.on_path"),
        ("port", {"item": "1", "value": "down", "risk": "far"}, "refused.far"),
    ],
)
@in_loop
async def test_the_agent_looks_for_itself(tmp_path: Path, do: str, fields: dict[str, Any], why: str) -> None:
    async with Scene(tmp_path) as scene:
        await scene.give(do, **fields)
        assert (scene.ground.states(), scene.ground.why()) == (["refused"], why)
        assert scene.box.sets == []


@in_loop
async def test_what_may_have_to_be_undone_is_refused_without_a_folder() -> None:
    async with Scene(None) as scene:
        await scene.give("port", item="1", value="down")
        assert scene.ground.why() == "refused.no_folder"
        await scene.give("poe", "ana.2", item="1")
        assert scene.ground.why("ana.2") == "refused.no_folder"
        await scene.give("poll", "ana.3")
        assert scene.ground.last("ana.3").state == "done", "everything else works"


@in_loop
async def test_one_at_a_time_per_device(tmp_path: Path) -> None:
    held = asyncio.Event()

    async def slow(device: str) -> Any:
        await held.wait()
        raise SnmpError("never mind")

    async with Scene(tmp_path) as scene:
        scene.ground.poll = slow  # type: ignore[method-assign]
        await scene.give("poll", "a")
        await scene.give("poll", "b", by="eva")
        assert scene.ground.why("b") == "refused.busy"
        text = scene.ground.last("b").text
        assert text is not None and text.values == {"name": "switch", "do": "poll", "by": "ana"}
        await scene.give("restart", "c")
        assert scene.ground.why("c") == "refused.busy", "a restart waits"
        held.set()
        await settle()
        await scene.give("poll", "d")
        assert scene.ground.states("d") == ["accepted", "failed"]


@in_loop
async def test_a_doing_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    async def endless(device: str) -> Any:
        await asyncio.Event().wait()

    async with Scene(tmp_path) as scene:
        scene.ground.poll = endless  # type: ignore[method-assign]
        await scene.give("poll")
        await scene.clock.passes(COMMANDS["poll"].limit_s + 1)
        assert (scene.ground.last().state, scene.ground.why()) == ("failed", "failed.late")


@in_loop
async def test_a_doing_that_trips_is_an_answer_and_the_agent_goes_on(tmp_path: Path) -> None:
    async def trips(device: str) -> Any:
        raise ZeroDivisionError("oh")

    async with Scene(tmp_path) as scene:
        scene.ground.poll = trips  # type: ignore[method-assign]
        await scene.give("poll")
        assert scene.ground.why() == "failed.inside"
        await scene.give("watch", "ana.2")
        assert scene.ground.last("ana.2").state == "done"


# ---- once, and told


@in_loop
async def test_the_same_id_again_brings_the_same_answer_and_nothing_is_done_twice(tmp_path: Path) -> None:
    async with Scene(tmp_path) as scene:
        await scene.give("watch", for_s=30)
        first = scene.ground.last()
        await scene.clock.passes(5)
        await scene.give("watch", for_s=30)
        await scene.again()
        await scene.give("watch", for_s=30)
        await scene.give("watch", for_s=30, epoch=EPOCH, until_s=1.0)
        assert scene.ground.last() == first
        assert scene.ground.watched == [30]


@in_loop
async def test_without_a_folder_the_same_holds_until_the_process_ends() -> None:
    async with Scene(None) as scene:
        await scene.give("watch", for_s=30)
        await scene.give("watch", for_s=30)
        assert scene.ground.watched == [30]
        await scene.again()
        await scene.give("watch", for_s=30)
        assert scene.ground.watched == [30, 30]


@in_loop
async def test_an_answer_waits_until_the_hub_is_there(tmp_path: Path) -> None:
    async with Scene(tmp_path) as scene:
        scene.ground.hub_there = False
        await scene.give("watch")
        assert scene.ground.told == []
        await scene.again()
        assert scene.ground.told == []
        scene.ground.hub_there = True
        await scene.clock.passes(31)
        assert scene.ground.states() == ["done"], "it is tried again every half minute"
        await scene.again()
        await scene.clock.passes(100)
        assert len(scene.ground.told) == 1, "what the hub has is not told again"


@in_loop
async def test_progress_is_told_once_a_second_and_no_line_is_lost(tmp_path: Path, monkeypatch: Any) -> None:
    async def busily(job: Any) -> Any:
        for number in range(50):
            job.say(number / 50, None, (f"line {number}",))
            await job.clock.sleep(0.1)
        return ping_doing.Outcome(Message("done.walk", {"objects": 50}), ("all of it",))

    monkeypatch.setitem(ALL, "poll", busily)  # type: ignore[arg-type]
    async with Scene(tmp_path) as scene:
        await scene.give("poll")
        await scene.clock.passes(6)
        running = [state for state in scene.ground.told if state.state == "running"]
        assert 4 <= len(running) <= 7
        lines = [line for state in running for line in state.lines]
        assert lines == [f"line {number}" for number in range(len(lines))]
        assert scene.ground.last().lines == ("all of it",)


@in_loop
async def test_a_restart_is_answered_by_the_next_process(tmp_path: Path) -> None:
    async with Scene(tmp_path) as scene:
        await scene.give("restart")
        await scene.clock.passes(2)
        assert scene.ground.restarts == 1
        assert scene.ground.states() == ["accepted", "running"]
        await scene.again()
        assert (scene.ground.last().state, scene.ground.why()) == ("done", "done.restart")
        await scene.give("restart", epoch=EPOCH)
        assert scene.ground.restarts == 1


@in_loop
async def test_a_restart_that_does_not_happen_fails(tmp_path: Path) -> None:
    async with Scene(tmp_path) as scene:
        await scene.give("restart")
        await scene.clock.passes(130)
        assert scene.ground.last().state == "failed"


# ---- written down


@in_loop
async def test_who_when_what_and_what_came_of_it_is_written_down(tmp_path: Path) -> None:
    async with Scene(tmp_path) as scene:
        await scene.give("watch", for_s=30)
        await scene.give("poll", "eva.1", by="eva", role="viewer")
        await scene.give("poll", "ana.2", epoch="x")
    path = tmp_path / "audit.log"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(line["id"], line["by"], line["do"], line["state"]) for line in lines] == [
        ("ana.1", "ana", "watch", "accepted"),
        ("ana.1", "ana", "watch", "done"),
        ("eva.1", "eva", "poll", "refused"),
        ("ana.2", "ana", "poll", "expired"),
    ]
    assert all(line["at"] > 1e9 and line["device"] == "switch" for line in lines)
    assert lines[1]["text"] == ["done.watch", {"seconds": 30}]


def a_state(identifier: str, state: str = "done") -> CommandState:
    return CommandState(id=identifier, do="poll", state=state)


def test_the_audit_and_the_records_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logbook, "LARGEST_AUDIT", 2000)
    book = Logbook(tmp_path)
    for number in range(100):
        command = Command(id=f"c{number}", do="poll", epoch="e", by="ana")
        book.begin(command, a_state(command.id, "accepted"))
        book.finish(command, a_state(command.id))
        book.audit(command, a_state(command.id))
    assert len(list((tmp_path / "commands").iterdir())) == logbook.MOST_RECORDS
    assert sorted(path.name for path in tmp_path.iterdir()) == ["audit.log", "audit.old.log", "commands"]
    assert all(path.stat().st_size <= 2000 for path in tmp_path.glob("audit*"))
    after = Logbook(tmp_path)
    assert after.get("c99") is not None and after.get("c0") is None
    assert [record.command.id for record in after.untold()][-1] == "c99"


def test_damaged_records_are_put_aside(tmp_path: Path) -> None:
    book = Logbook(tmp_path)
    for name in ("a", "b", "c"):
        book.begin(Command(id=name, do="poll", epoch="e"), a_state(name))
    folder = tmp_path / "commands"
    (folder / "a.json").write_bytes(b"\0" * 100)
    (folder / "b.json").write_bytes((folder / "b.json").read_bytes()[:-20])
    (folder / ".c.json.tmp").write_bytes(b"{")
    after = Logbook(tmp_path)
    assert after.get("c") is not None and after.get("a") is None and after.get("b") is None
    assert sorted(path.name for path in folder.iterdir()) == ["a.damaged", "b.damaged", "c.json"]


@in_loop
async def test_when_the_disk_takes_nothing_only_what_changes_something_is_refused(tmp_path: Path) -> None:
    (tmp_path / "commands").write_text("in the way")
    async with Scene(tmp_path) as scene:
        await scene.give("watch", "a")
        assert scene.ground.last("a").state == "done"
        await scene.give("watch", "a")
        assert len(scene.ground.watched) == 1
        await scene.give("plan", "b", value="poll_s=30")
        assert (scene.ground.last("b").state, scene.ground.why("b")) == ("refused", "refused.not_noted")
        assert scene.ground.plans == []


# ---- each doing


@in_loop
async def test_poll_one_and_all(tmp_path: Path) -> None:
    async with Scene(tmp_path) as scene:
        await scene.give("poll", "a")
        assert scene.ground.last("a").text == Message("done.poll", {"device": "switch", "n": 2})
        assert scene.ground.last("a").lines == ("system//uptime_s = 90", "interface/ether1/in_octets = 7")
        await scene.give("poll", "b", device="")
        assert scene.ground.last("b").text == Message("done.polls", {"n": 1, "total": 1})
        scene.ground.poll_error = "no answer after 3 tries"
        await scene.give("poll", "c")
        assert scene.ground.last("c").state == "failed"
        assert scene.ground.watched == [20.0] * 3, "what was polled is sent at once"


@in_loop
async def test_a_plan_ends_by_itself(tmp_path: Path) -> None:
    async with Scene(tmp_path) as scene:
        await scene.give("plan", "a", value="poll_s=10,flush_s=30", for_s=600)
        await scene.clock.passes(300)
        await scene.give("plan", "b", value="poll_s=20", for_s=600)
        await scene.clock.passes(599)
        assert scene.ground.plans == [(10, 30), (20, 300)]
        await scene.clock.passes(2)
        assert scene.ground.plans == [(10, 30), (20, 300), (60, 300)]
        await scene.give("plan", "c", value="flush_s=30")
        assert scene.ground.why("c") == "refused.flush", "a report needs a poll"


@in_loop
async def test_a_plan_is_ended_before_its_time(tmp_path: Path) -> None:
    async with Scene(tmp_path) as scene:
        await scene.give("plan", "a", value="poll_s=10,flush_s=30", for_s=600)
        await scene.clock.passes(60)
        await scene.give("plan", "b", value="own")
        assert scene.ground.last("b").text == Message("done.plan_own", {"poll": 60, "flush": 300})
        assert scene.ground.plans == [(10, 30), (60, 300)]
        await scene.clock.passes(600)
        assert scene.ground.plans == [(10, 30), (60, 300)], "there is nothing left that ends"
        await scene.give("plan", "c", value="own")
        assert scene.ground.last("c").state == "done", "also where there is no other one"


@in_loop
async def test_reboot_is_sent_once_and_waited_for(tmp_path: Path) -> None:
    box = UdpBox()
    async with UdpAgent.serving(box.answer) as agent, Scene(tmp_path, box) as scene:
        box.port = agent.port

        def dies() -> None:
            if box[REBOOT] == b"1":
                box.mute = box.cut = True

        box.on_set = dies
        await scene.give("reboot")
        await until(lambda: scene.ground.why() == "running.waiting_back", scene.clock)
        box.objects[UPTIME] = (TIME_TICKS, 300)
        await scene.clock.passes(6)
        await asyncio.sleep(0.4)
        box.cut = False
        await until(lambda: scene.ground.last().state == "done", scene.clock)
        assert scene.ground.why() == "done.reboot"
        assert box.sets == [(REBOOT, b"1")]


@in_loop
async def test_a_device_that_does_not_restart_is_told(tmp_path: Path) -> None:
    box = UdpBox()
    scene = Scene(tmp_path, box)

    def older(datagram: bytes) -> list[bytes]:
        box.objects[UPTIME] = (TIME_TICKS, 900_000 + int(scene.clock.now() * 100))
        return box.answer(datagram)

    async with UdpAgent.serving(older) as agent, scene:
        box.port = agent.port
        await scene.give("reboot")
        await until(lambda: scene.ground.why() == "running.waiting_back", scene.clock)
        for _ in range(60):
            if scene.ground.last().state == "failed":
                break
            await scene.clock.passes(5)
            await asyncio.sleep(0.02)
        assert scene.ground.why() == "failed.no_restart"


@in_loop
async def test_a_profile_that_does_not_know_how_is_one_sentence(tmp_path: Path) -> None:
    box = UdpBox("generic")
    async with UdpAgent.serving(box.answer) as agent, Scene(tmp_path, box) as scene:
        box.port = agent.port
        await scene.give("reboot")
        await until(lambda: scene.ground.last().state == "refused")
        assert scene.ground.last().text == Message(
            "refused.no_action", {"profile": "generic", "device": "switch"}
        )


@in_loop
async def test_without_write_access_is_one_sentence(tmp_path: Path) -> None:
    box = UdpBox(writable=False)
    async with UdpAgent.serving(box.answer) as agent, Scene(tmp_path, box) as scene:
        box.port = agent.port
        for number, (do, fields) in enumerate(
            (("port", {"item": "ether1", "value": "down"}), ("poe", {"item": "1"}), ("reboot", {}))
        ):
            await scene.give(do, f"ana.{number}", **fields)
            await until(lambda: scene.ground.why(f"ana.{number}") == "refused.no_write")  # noqa: B023


@in_loop
async def test_a_device_that_refuses_is_one_sentence_and_nothing_is_undone(tmp_path: Path) -> None:
    box = UdpBox()
    box.refuses = True
    async with UdpAgent.serving(box.answer) as agent, Scene(tmp_path, box) as scene:
        box.port = agent.port
        await scene.give("port", item="ether1", value="down")
        await until(lambda: scene.ground.last().state == "refused")
        text = scene.ground.last().text
        assert text is not None and "refuses (noAccess)" in str(text.values["cause"])
        assert "letmewrite" not in str(scene.ground.told)


@pytest.mark.parametrize(("item", "why"), [("ether9", "refused.no_port"), ("9", "refused.no_port")])
@in_loop
async def test_a_port_that_is_not_there_is_told_with_those_that_are(
    tmp_path: Path, item: str, why: str
) -> None:
    box = UdpBox()
    async with UdpAgent.serving(box.answer) as agent, Scene(tmp_path, box) as scene:
        box.port = agent.port
        await scene.give("port", item=item, value="down")
        await until(lambda: scene.ground.why() == why)
        text = scene.ground.last().text
        assert text is not None and text.values["known"] == "ether1, ether2, ether3"


@in_loop
async def test_a_port_that_is_so_already_is_left_alone(tmp_path: Path) -> None:
    box = UdpBox()
    async with UdpAgent.serving(box.answer) as agent, Scene(tmp_path, box) as scene:
        box.port = agent.port
        await scene.give("port", item="2", value="up")
        await until(lambda: scene.ground.why() == "done.port_already")
        assert box.sets == []


@in_loop
async def test_the_port_that_the_monitor_hangs_on_is_never_cut(tmp_path: Path, monkeypatch: Any) -> None:
    box = UdpBox()
    own = bytes.fromhex("b827eb010203")
    monkeypatch.setattr(rows, "own_macs", lambda: [own])
    async with UdpAgent.serving(box.answer) as agent, Scene(tmp_path, box) as scene:
        box.port = agent.port
        box.objects[encode_oid("1.3.6.1.2.1.4.20.1.2.127.0.0.1")] = (INTEGER, 1)
        await scene.give("port", "a", item="ether1", value="down", force=True)
        await until(lambda: scene.ground.why("a") == "refused.own_port")
        box.objects[encode_oid("1.3.6.1.2.1.17.4.3.1.2") + index_body(tuple(own))] = (INTEGER, 12)
        box.objects[encode_oid("1.3.6.1.2.1.17.1.4.1.2.12")] = (INTEGER, 2)
        await scene.give("port", "b", item="ether2", value="down", force=True)
        await until(lambda: scene.ground.why("b") == "refused.own_port")
        assert box.sets == []
        await scene.give("port", "c", item="ether3", value="down")
        await until(lambda: scene.ground.last("c").state == "probation")


@in_loop
async def test_ports_numbered_by_the_switch_itself(tmp_path: Path) -> None:
    box = UdpBox()
    switch = Switch(
        column=encode_oid("1.3.6.1.2.1.105.1.1.1.3"), tag=INTEGER, on=1, off=2, by_index=True, prefix="port "
    )
    async with UdpAgent.serving(box.answer) as agent:
        box.port = agent.port
        reader = box.reader("switch")
        for item in ("1.2", "2", "port 1.2"):
            assert await rows.find_row(reader, "switch", switch, item) == (1, 2)
        reader.close()


@in_loop
async def test_walk_is_bounded_and_says_whether_there_is_more(tmp_path: Path) -> None:
    box = UdpBox()
    box.objects[encode_oid("1.3.6.1.2.1.2.2.1.6.1")] = (OCTET_STRING, bytes.fromhex("b827eb010203"))
    async with UdpAgent.serving(box.answer) as agent, Scene(tmp_path, box) as scene:
        box.port = agent.port
        await scene.give("walk", "a", target="1.3.6.1.2.1.2.2.1.7")
        await until(lambda: scene.ground.last("a").state == "done")
        assert scene.ground.last("a").lines == tuple(f"1.3.6.1.2.1.2.2.1.7.{n} = 1" for n in (1, 2, 3))
        await scene.give("walk", "b", target="1.3.6.1.2.1.2.2", count=2)
        await until(lambda: scene.ground.last("b").state == "done")
        assert scene.ground.why("b") == "done.walk_cut"
        assert len(scene.ground.last("b").lines) == 2
        await scene.give("walk", "c", target="1.3.6.1.2.1.2.2.1.6")
        await until(lambda: scene.ground.last("c").state == "done")
        assert scene.ground.last("c").lines == ("1.3.6.1.2.1.2.2.1.6.1 = b8 27 eb 01 02 03",)


@in_loop
async def test_identify_asks_anew(tmp_path: Path) -> None:
    box = UdpBox(profile=None)
    async with UdpAgent.serving(box.answer) as agent, Scene(tmp_path, box) as scene:
        box.port = agent.port
        await scene.give("identify", "a")
        await until(lambda: scene.ground.last("a").state == "done")
        assert scene.ground.last("a").text == Message(
            "done.identify", {"device": "switch", "profile": "routeros"}
        )
        assert "sysName = switch-1" in scene.ground.last("a").lines
        await scene.give("identify", "b", device="")
        assert scene.ground.why("b") == "done.identify_node"


@in_loop
async def test_a_silent_device_is_a_sentence(tmp_path: Path) -> None:
    box = UdpBox()
    box.cut = True
    async with UdpAgent.serving(box.answer) as agent, Scene(tmp_path, box) as scene:
        box.port = agent.port
        await scene.give("identify")
        await until(lambda: scene.ground.last().state == "failed")
        text = scene.ground.last().text
        assert text is not None and "no answer" in str(text.values["cause"])


# ---- ping, traceroute


def pings() -> bool:
    """Whether this machine lets us."""
    try:
        opened = ping._open(Address(socket.AF_INET, "127.0.0.1"))
    except (OSError, ping.PingError):
        return False
    if opened is not None:
        opened.close()
    return opened is not None


@pytest.mark.skipif(not pings(), reason="echo requests are not allowed here")
@in_loop
async def test_ping_the_device_itself(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(ping, "PAUSE_S", 0.01)
    async with Scene(tmp_path) as scene:
        await scene.give("ping", count=3)
        await until(lambda: scene.ground.last().state == "done")
        text = scene.ground.last().text
        assert text is not None and (text.values["received"], text.values["sent"]) == (3, 3)
        assert len(scene.ground.last().lines) == 3


IPUTILS = """PING 10.0.0.1 (10.0.0.1) 56(84) bytes of data.
64 bytes from 10.0.0.1: icmp_seq=1 ttl=64 time=0.42 ms
64 bytes from 10.0.0.1: icmp_seq=3 ttl=64 time=1.5 ms
64 bytes from 10.0.0.1: icmp_seq=3 ttl=64 time=1.6 ms (DUP!)

--- 10.0.0.1 ping statistics ---"""
BUSYBOX = """64 bytes from 10.0.0.1: seq=0 ttl=64 time=0.420 ms
64 bytes from 10.0.0.1: seq=2 ttl=64 time=1.500 ms"""


@pytest.mark.parametrize("said", [IPUTILS, BUSYBOX])
@in_loop
async def test_the_systems_ping_gets_a_list_of_arguments(tmp_path: Path, monkeypatch: Any, said: str) -> None:
    program = tmp_path / "ping"
    program.write_text(f"#!/bin/sh\nprintf '%s ' \"$@\" > {tmp_path}/arguments\ncat <<'X'\n{said}\nX\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(ping, "_open", lambda _address: None)
    found = [echo.ms async for echo in ping.ping(Address(socket.AF_INET, "10.0.0.1"), count=4)]
    assert found == [0.42, None, 1.5, None]
    assert (tmp_path / "arguments").read_text() == "-c 4 -W 2 -s 56 10.0.0.1 "


@in_loop
async def test_without_rights_and_without_a_ping_it_is_a_sentence(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(ping, "_open", lambda _address: None)
    monkeypatch.setattr(ping.shutil, "which", lambda *_a, **_k: None)
    async with Scene(tmp_path) as scene:
        await scene.give("ping")
        await until(lambda: scene.ground.last().state == "refused")
        assert scene.ground.why() == "refused.no_tool"


@in_loop
async def test_traceroute_to_this_machine_is_one_hop(tmp_path: Path) -> None:
    async with Scene(tmp_path) as scene:
        await scene.give("traceroute", "a")
        await until(lambda: scene.ground.last("a").state == "done")
        assert scene.ground.last("a").text == Message("done.traceroute", {"target": "127.0.0.1", "hops": 1})
        await scene.give("traceroute", "b", target="no-such-host.invalid")
        await until(lambda: scene.ground.last("b").state == "failed")
        assert scene.ground.why("b") == "failed.name"
        await scene.give("ping", "c", device="")
        assert scene.ground.why("c") == "refused.wants_target"


def test_the_error_queue_is_read_as_linux_writes_it() -> None:
    class Probe:
        def __init__(self, octets: bytes) -> None:
            self.octets = octets

        def recvmsg(self, *_sizes: int) -> Any:
            return b"", [(0, 11, self.octets)], 0, None

    def told(code: int, kind: int, address: bytes) -> Any:
        octets = traceroute._EXTENDED.pack(code, 2, kind, 0, 0, 0, 0) + address
        return traceroute._told(Probe(octets), 3, 1.0)  # type: ignore[arg-type]

    router = socket.AF_INET.to_bytes(2, "little") + b"\0\0" + bytes((10, 0, 0, 9)) + b"\0" * 8
    assert told(113, 11, router) == traceroute.Hop(3, "10.0.0.9", 1.0)
    assert told(111, 3, router).last
    assert (told(113, 3, router).cause, told(113, 3, router).last) == ("EHOSTUNREACH", True)
    assert told(111, 3, b"").address is None
    assert traceroute._told(Probe(b"short"), 3, 1.0) is None  # type: ignore[arg-type]


# ---- SET against net-snmp


@pytest.fixture(scope="module")
def writable_snmpd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("snmpd-rw")
    program, udp = parts.need("snmpd"), parts.free_port(socket.SOCK_DGRAM)
    file = folder / "snmpd.conf"
    file.write_text(
        "rocommunity readonly 127.0.0.1\nrwcommunity letmewrite 127.0.0.1\n"
        "createUser boss SHA-256 authpassword AES privpassword\nrwuser boss priv\n"
        f"[snmp] persistentDir {folder}/persistent\n"
    )
    words = [program, "-f", "-Lo", "-C", "-c", str(file), "-I", "-smux", f"udp:127.0.0.1:{udp}"]
    with parts.running(words, folder / "snmpd.log") as process:
        from ayni_io.snmpd import answers

        parts.wait_until(lambda: answers("127.0.0.1", udp, "readonly") or process.poll() is not None, "snmpd")
        yield udp


LOCATION = encode_oid("1.3.6.1.2.1.1.6.0")
CONTACT = encode_oid("1.3.6.1.2.1.1.4.0")
BOSS = UsmUser(
    name=b"boss", auth="SHA-256", auth_password=b"authpassword", priv="AES", priv_password=b"privpassword"
)


@pytest.mark.real("snmpd")
@pytest.mark.parametrize(
    "access",
    [
        Access(version="1", community=b"letmewrite"),
        Access(version="2c", community=b"letmewrite"),
        Access(version="3", user=BOSS),
    ],
    ids=lambda access: f"v{access.version}",
)
@in_loop
async def test_net_snmp_takes_a_set(writable_snmpd: int, access: Access) -> None:
    writer = open_writer("127.0.0.1", writable_snmpd, access, timeout_s=1)
    try:
        place = f"under mango tree {access.version}".encode()
        await writer.set([(LOCATION, OCTET_STRING, place), (CONTACT, OCTET_STRING, b"Ana")])
        found = await writer.get([LOCATION, CONTACT])
        assert [value for _oid, _tag, value in found] == [place, b"Ana"]
        with pytest.raises(SnmpSetRefused, match="the device refuses"):
            await writer.set([(LOCATION, OCTET_STRING, b"x"), (UPTIME, GAUGE32, 1)])
        assert [value for _oid, _tag, value in await writer.get([LOCATION])] == [place], "all or nothing"
    finally:
        writer.close()


@pytest.mark.real("snmpd")
@in_loop
async def test_net_snmp_refuses_who_may_only_read(writable_snmpd: int) -> None:
    writer = open_writer(
        "127.0.0.1", writable_snmpd, Access(version="2c", community=b"readonly"), timeout_s=1
    )
    try:
        with pytest.raises(SnmpSetRefused, match="noAccess"):
            await writer.set([(LOCATION, OCTET_STRING, b"mine")])
    finally:
        writer.close()


@in_loop
async def test_a_set_that_nobody_answers_is_an_error_of_another_kind() -> None:
    async with UdpAgent.serving(lambda _datagram: []) as agent:
        writer = open_writer(
            "127.0.0.1", agent.port, Access(version="2c", community=b"x"), timeout_s=0.05, tries=2
        )
        with pytest.raises(SnmpError) as caught:
            await writer.set([(port(1), INTEGER, DOWN)])
        assert not isinstance(caught.value, SnmpSetRefused)
        assert len(agent.asked) == 2
        with pytest.raises(SnmpError):
            await writer.set([(port(1), INTEGER, DOWN)], tries=1)
        assert len(agent.asked) == 3, "what must not be done twice is sent once"
        writer.close()


# ---- write access in configuration

WRITE_KINDS: list[tuple[dict[str, Any], str]] = [
    ({"community": "env:RW"}, ""),
    ({"version": "3", "user": "boss", "auth": {"protocol": "SHA", "password": "env:A"}}, ""),
    ({}, "community: is missing"),
    ({"community": "secret"}, "never the secret itself"),
    ({"community": "env:RW", "user": "boss"}, 'belongs to version: "3"'),
    ({"community": "env:RW", "engine": "fast"}, "unknown key"),
]


@pytest.mark.parametrize(("section", "fault"), WRITE_KINDS)
def test_write_access_is_read_alike_in_both_files(
    section: dict[str, Any], fault: str, tmp_path: Path
) -> None:
    device = {"address": "10.0.0.1", "community": "env:RO", "write": section}
    whole = {
        "network": {"title": "T"},
        "sites": {"a": {}},
        "nodes": {"pi": {"site": "a"}},
        "devices": {"r": {"site": "a", **device}},
    }
    yamlwrite.write(tmp_path / "network.yaml", whole)
    yamlwrite.write(tmp_path / "agent.yaml", {"node": "pi", "devices": {"r": device}})
    if fault:
        for read in (
            lambda: yamlfile.read(tmp_path / "network.yaml", inventory.parse),
            lambda: agent_config.load(tmp_path / "agent.yaml"),
        ):
            with pytest.raises(ConfigError, match=re.escape(fault)) as caught:
                read()
            assert "env:RW" not in str(caught.value) and '"secret"' not in str(caught.value)
        return
    from ayni_core import slices

    network = yamlfile.read(tmp_path / "network.yaml", inventory.parse)
    yamlwrite.write(tmp_path / "slice.yaml", slices.agent(network, "pi", BrokerFacts(secrets="/s")))
    sliced, own = agent_config.load(tmp_path / "slice.yaml"), agent_config.load(tmp_path / "agent.yaml")
    assert sliced.devices["r"].write == own.devices["r"].write == network.devices["r"].write
    assert own.devices["r"].write is not None


def test_a_missing_secret_of_write_access_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RW", raising=False)
    device = {"address": "10.0.0.1", "community": "env:RO", "write": {"community": "env:RW"}}
    yamlwrite.write(
        tmp_path / "agent.yaml",
        {"node": "pi", "devices": {"r": device, "s": {**device, "write": {"community": "env:RX"}}}},
    )
    configs = agent_config.load(tmp_path / "agent.yaml").devices
    with pytest.raises(ConfigError) as caught:
        write_access(configs, "agent.yaml")
    assert len(caught.value.faults) == 2
    assert caught.value.faults[0].startswith("agent.yaml: devices.r.write.community: ")
    monkeypatch.setenv("RW", "letmewrite")
    found = write_access({"r": configs["r"]}, "agent.yaml")
    assert "letmewrite" not in repr(found)
    devices = Devices(configs, {}, found)
    assert devices.writer("s") is None
    writer = devices.writer("r")
    assert writer is not None
    writer.close()


# ---- the only way


def network(**changes: Any) -> Network:
    """torre (a monitor and its switch) -- centro (the way out); torre -- cerro beyond."""
    raw: dict[str, Any] = {
        "network": {"title": "T"},
        "people": {"ana": {"title": "Ana"}, "eva": {"role": "viewer"}, "rosa": {"role": "trainer"}},
        "sites": {"centro": {"homes": 5}, "torre": {"homes": 1}, "cerro": {"homes": 9}},
        "nodes": {"pi": {"site": "torre"}},
        "devices": {
            name: {"site": site, "address": "10.0.0.1", "community": "env:X"}
            for name, site in (
                ("centro-router", "centro"), ("centro-torre", "centro"), ("torre-centro", "torre"),
                ("switch", "torre"), ("torre-cerro", "torre"),
                ("cerro-torre", "cerro"), ("cerro-box", "cerro"),
            )
        },
        "links": {
            "one": {"a": {"device": "centro-torre"}, "b": {"device": "torre-centro"}},
            "two": {"a": {"device": "torre-cerro"}, "b": {"device": "cerro-torre"}},
        },
        "upstreams": {"isp": {"device": "centro-router", "interface": "wan"}},
    }  # fmt: skip
    for key, value in changes.items():
        raw[key] = raw[key] | value
    faults = Faults("network")
    made = inventory.parse(Fields(raw, "", faults))
    faults.stop()
    return made


def ordered(do: str) -> commands.Order:
    fields = {"port": {"item": "1", "value": "down"}, "poe": {"item": "1"}}.get(do, {})
    return commands.check(asked(do, **fields))


@pytest.mark.parametrize(
    ("device", "reboot", "cut", "homes"),
    [
        ("centro-router", "path", "far", 15),
        ("centro-torre", "path", "far", 10),
        ("torre-centro", "path", "", 10),
        ("switch", "path", "", 10),
        ("torre-cerro", "", "", 9),
        ("cerro-torre", "", "far", 9),
        ("cerro-box", "", "far", 9),
    ],
)
def test_what_is_risky_where(device: str, reboot: str, cut: str, homes: int) -> None:
    net = network()
    assert only_way.risk(net, ordered("reboot"), "pi", device) == reboot
    assert only_way.risk(net, ordered("port"), "pi", device) == cut
    assert only_way.risk(net, ordered("poe"), "pi", device) == cut
    assert only_way.risk(net, ordered("ping"), "pi", device) == ""
    up = commands.check(asked("port", item="1", value="up"))
    assert only_way.risk(net, up, "pi", device) == ""
    assert only_way.homes_cut_off(net, device) == homes


def test_a_second_way_makes_the_first_one_not_the_only_one() -> None:
    more = {
        name: {"site": site, "address": "10.0.0.1", "community": "env:X"}
        for name, site in (("centro-two", "centro"), ("torre-two", "torre"))
    }
    devices = {
        **{
            d.name: {"site": d.site, "address": "10.0.0.1", "community": "env:X"}
            for d in network().devices.values()
        },
        **more,
    }
    net = network(
        devices=devices, links={"three": {"a": {"device": "centro-two"}, "b": {"device": "torre-two"}}}
    )
    assert only_way.risk(net, ordered("reboot"), "pi", "torre-centro") == ""
    assert only_way.risk(net, ordered("reboot"), "pi", "centro-router") == "path"
    assert only_way.homes_cut_off(net, "torre-centro") == 0


# ---- the desk


class Bus:
    """A hub's desk, an agent's commands, and the way between them, which can be cut in either direction."""

    def __init__(self, folder: Path | None, box: Box | None = None) -> None:
        self.scene = Scene(folder, box)
        self.network = network()
        self.up = True
        self.to_node = self.to_hub = True
        self.heard: list[tuple[str, CommandNews]] = []
        self.sent: list[Command] = []
        self.events: list[Event] = []
        self.desk = self._desk()
        self.scene.ground.on_told = self._told

    def _desk(self) -> Desk:
        return Desk(self.network, self._state, self._publish, self.events.append, self.scene.clock)

    def restart_hub(self) -> None:
        for task in self.desk._tasks:
            task.cancel()
        self.desk = self._desk()

    def _state(self, _node: str) -> NodeState:
        return NodeState(up=self.up)

    def _told(self, state: CommandState) -> None:
        if self.to_hub:
            self.desk.heard("pi", pack(state))

    async def _publish(self, topic: str, payload: bytes) -> None:
        if topic == topics.cmd("pi"):
            command = unpack(Command, payload)
            self.sent.append(command)
            if self.to_node:
                self.scene.commands.take(command)
        else:
            self.heard.append((topic, unpack(CommandNews, payload)))

    async def ask(self, asked: AskCommand, user: str = "ana", topic: str = "answer/ana/s/1") -> None:
        assert self.desk.ask(pack(asked), user, topic)
        await settle()

    def news(self, topic: str = "answer/ana/s/1") -> list[str]:
        return [news.state.state for where, news in self.heard if where == topic and news.state]

    def last(self) -> CommandState:
        return [news.state for _where, news in self.heard if news.state][-1]

    def why(self) -> str:
        text = self.last().text
        return text.context if text else ""

    def audited(self) -> list[tuple[str, str]]:
        return [(event.author, event.text.context) for event in self.events]


def bus_test(test: Callable[[Bus], Any]) -> Callable[[Path], None]:
    def run(tmp_path: Path) -> None:
        async def scene() -> None:
            bus = Bus(tmp_path)
            async with bus.scene:
                await test(bus)

        asyncio.run(scene())

    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run


@bus_test
async def test_a_command_goes_there_and_its_answers_come_back(bus: Bus) -> None:
    await bus.ask(asked("watch", where="pi", for_s=30))
    assert bus.news() == ["accepted", "done"]
    assert bus.last().id == "1", "as the person knows it"
    assert bus.scene.ground.watched == [30]
    (hello, command) = bus.sent
    assert (hello.do, command.do, command.by, command.role) == ("hello", "watch", "ana", "operator")
    assert (command.epoch, command.boot, command.id) == (EPOCH, BOOT, "ana.1")
    assert command.until_s == bus.scene.clock.now() + commands.VALID_S
    assert bus.audited() == [("ana", "event.command"), ("ana", "event.command_done")]
    assert bus.events[0].text.values == {"who": "Ana", "do": "watch", "detail": "pi"}
    assert (bus.events[0].kind, bus.events[0].name) == ("node", "pi")


@bus_test
async def test_who_may_not_is_told_so_and_it_is_written_down(bus: Bus) -> None:
    for number in range(30):
        await bus.ask(asked("poll", id=f"x{number}"), "eva")
    assert set(bus.news()) == {"refused"}
    assert bus.why() == "refused.role"
    assert bus.sent == []
    assert bus.audited() == [("eva", "event.command_refused")] * 20, "nobody fills the ledger with it"
    await bus.ask(asked("poll"), "stranger")
    assert bus.why() == "refused.role"


@bus_test
async def test_what_the_desk_refuses_never_leaves(bus: Bus) -> None:
    for wrong, why in (
        (asked("explode"), "refused.unknown"),
        (asked("poll", where="nowhere"), "refused.place"),
        (asked("walk", where="pi", target="1.3.6.1.2.1.2"), "refused.wants_device"),
        (asked("restart"), "refused.wants_node"),
        (asked("ping", count=99), "refused.number"),
        (asked("poll", id="a/b"), "refused.bad_id"),
        (asked("poll", id="x" * 80), "refused.bad_id"),
        (asked("reboot"), "refused.on_path"),
        (asked("port", where="cerro-torre", item="1", value="down"), "refused.far"),
        (asked("poe", where="cerro-torre", item="1"), "refused.far"),
    ):
        await bus.ask(wrong)
        assert bus.why() == why, wrong
    bus.up = False
    await bus.ask(asked("poll"))
    assert bus.why() == "refused.node_down"
    assert bus.sent == []


@bus_test
async def test_forced_it_is_sent_with_its_risk(bus: Bus) -> None:
    await bus.ask(asked("reboot", force=True))
    assert (bus.sent[-1].force, bus.sent[-1].risk) == (True, "path")


@bus_test
async def test_other_questions_are_not_for_the_desk(bus: Bus) -> None:
    assert not bus.desk.ask(pack(AskEvents()), "ana", "t")
    assert not bus.desk.ask(b"nonsense", "ana", "t")
    assert not bus.desk.ask(b'{"ask":"command"}', "ana", "t"), "what is missing is told as for every question"


@bus_test
async def test_looking_first_does_nothing_and_says_who_is_cut_off(bus: Bus) -> None:
    for question, contexts, homes in (
        (
            asked("port", item="1", value="down"),
            ["plan.port_down", "plan.homes", "plan.sites", "plan.guard"],
            10,
        ),
        (asked("port", item="1", value="up"), ["plan.port_up", "plan.guard"], 0),
        (asked("poe", item="1"), ["plan.poe", "plan.homes", "plan.sites", "plan.poe_back"], 10),
        (
            asked("reboot", force=True),
            ["plan.reboot", "plan.homes", "plan.sites", "plan.on_path", "plan.none"],
            10,
        ),
        (asked("reboot", where="cerro-box"), ["plan.reboot", "plan.homes", "plan.sites", "plan.none"], 9),
        (asked("restart", where="pi"), ["plan.restart"], 0),
        (asked("plan", where="pi", value="poll_s=30"), ["plan.plan", "plan.plan_back"], 0),
        (asked("plan", where="pi", value="own"), ["plan.plan_own"], 0),
        (asked("poll"), ["plan.harmless"], 0),
    ):
        await bus.ask(replace(question, look_first=True))
        plan = bus.heard[-1][1].plan
        assert plan is not None
        assert ([each.context for each in plan.says], plan.homes) == (contexts, homes)
        for each in plan.says:
            assert "{" not in TEXTS[each.context].format(**each.values)
    assert (bus.sent, bus.events) == ([], [])


@bus_test
async def test_a_lost_question_is_asked_again_and_nothing_is_done_twice(bus: Bus) -> None:
    await bus.ask(asked("watch", where="pi"))
    await bus.ask(asked("watch", where="pi"), topic="answer/ana/s2/1")
    assert bus.news("answer/ana/s2/1") == ["done"]
    bus.restart_hub()
    await bus.ask(asked("watch", where="pi"), topic="answer/ana/s3/1")
    assert bus.news("answer/ana/s3/1") == ["done"], "the agent remembers"
    assert len(bus.scene.ground.watched) == 1
    await bus.ask(asked("watch", where="pi", for_s=33))
    assert bus.why() == "refused.other_id"


@bus_test
async def test_a_node_that_does_not_answer_has_done_nothing(bus: Bus) -> None:
    bus.to_node = False
    await bus.ask(asked("poll"))
    await bus.scene.clock.passes(20)
    assert (bus.last().state, bus.why()) == ("failed", "failed.no_monitor")
    assert {command.do for command in bus.sent} == {"hello"}
    assert bus.audited()[-1] == ("ana", "event.command_failed")


@bus_test
async def test_a_command_that_gets_lost_is_sent_again(bus: Bus) -> None:
    lost = []
    take = bus.scene.commands.take

    def loses(command: Command, **_how: Any) -> None:
        if command.do == "watch" and not lost:
            lost.append(command)
        else:
            take(command)

    bus.scene.commands.take = loses  # type: ignore[method-assign,assignment]
    await bus.ask(asked("watch", where="pi"))
    assert bus.news() == []
    await bus.scene.clock.passes(7)
    assert bus.news() == ["accepted", "done"]


@bus_test
async def test_silence_after_sending_ends_with_a_sentence_and_the_late_answer_is_told_and_written(
    bus: Bus,
) -> None:
    await bus.ask(asked("watch", where="pi", id="warm"))
    bus.scene.ground.on_told = lambda state: bus._told(state) if state.do == "hello" else None
    await bus.ask(asked("watch", where="pi", id="2"))
    await bus.scene.clock.passes(60)
    assert (bus.last().state, bus.why()) == ("failed", "failed.no_word")
    bus._told(bus.scene.ground.last("ana.2"))
    await settle()
    assert bus.last().state == "done"
    assert bus.audited()[-1] == ("ana", "event.command_done")


@bus_test
async def test_a_state_of_a_node_for_the_command_of_another_is_not_relayed(bus: Bus) -> None:
    bus.to_node = False
    await bus.ask(asked("poll"))
    fake = CommandState(id="ana.1", do="poll", state="done")
    bus.desk.heard("other", pack(fake))
    await settle()
    assert bus.news() == []
    for bad in (b"x", pack(replace(fake, id="other", state="nonsense"))):
        with pytest.raises(WireError):
            bus.desk.heard("pi", bad)


@bus_test
async def test_a_node_cannot_fill_the_ledger_with_commands_that_nobody_gave(bus: Bus) -> None:
    for number in range(100):
        state = CommandState(id=f"ana.{number}", do="poll", state="done")
        bus.desk.heard("pi", pack(state))
        bus.desk.heard("pi", pack(state))
    assert len(bus.events) == 20


@bus_test
async def test_not_too_many_at_once(bus: Bus) -> None:
    bus.to_node = False
    for number in range(9):
        await bus.ask(asked("poll", id=f"n{number}"))
    assert bus.why() == "refused.many"
    await bus.ask(asked("poll", id="r"), "rosa")
    assert bus.news().count("refused") == 1, "each has a share"


def guarded(test: Callable[[Bus, UdpBox], Any]) -> Callable[[Path], None]:
    def run(tmp_path: Path) -> None:
        async def scene() -> None:
            box = UdpBox()
            bus = Bus(tmp_path, box)
            async with UdpAgent.serving(box.answer) as agent, bus.scene:
                box.port = agent.port
                await test(bus, box)

        asyncio.run(scene())

    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run


PORT_DOWN = asked("port", item="ether2", value="down", for_s=20)


@guarded
async def test_the_hub_confirms_what_it_hears_and_the_change_stays(bus: Bus, box: UdpBox) -> None:
    await bus.ask(PORT_DOWN)
    await until(lambda: bus.news()[-1:] == ["done"])
    assert bus.news() == ["accepted", "probation", "done"]
    assert all(not news.state.nonce for _topic, news in bus.heard if news.state), (
        "a nonce is nobody else's business"
    )
    await bus.scene.clock.passes(100)
    assert box[port(2)] == DOWN


@guarded
async def test_the_way_to_the_hub_is_cut_by_it(bus: Bus, box: UdpBox) -> None:
    box.on_set = lambda: setattr(bus, "to_hub", box[port(2)] == UP)
    await bus.ask(PORT_DOWN)
    await until(lambda: bus.scene.ground.last().state == "probation")
    await bus.scene.clock.passes(21)
    await until(lambda: bus.news()[-1:] == ["undone"])
    assert box[port(2)] == UP
    assert bus.audited()[-1] == ("ana", "event.command_undone")


@guarded
async def test_the_way_to_the_node_is_cut_by_it(bus: Bus, box: UdpBox) -> None:
    box.on_set = lambda: setattr(bus, "to_node", box[port(2)] == UP)
    await bus.ask(PORT_DOWN)
    await until(lambda: bus.news()[-1:] == ["probation"])
    await bus.scene.clock.passes(21)
    await until(lambda: bus.news()[-1:] == ["undone"])
    assert box[port(2)] == UP


@guarded
async def test_a_hub_that_was_started_anew_confirms_nothing_and_writes_down_the_end(
    bus: Bus, box: UdpBox
) -> None:
    box.on_set = bus.restart_hub
    await bus.ask(PORT_DOWN)
    await until(lambda: bus.scene.ground.last().state == "probation")
    bus.events.clear()
    await bus.scene.clock.passes(21)
    await until(lambda: bus.scene.ground.last().state == "undone")
    assert box[port(2)] == UP
    assert bus.audited() == [("ana", "event.command_undone")]
    await bus.scene.clock.passes(100)
    assert len(bus.events) == 1


@guarded
async def test_somebody_who_asks_the_new_hub_again_saves_the_change(bus: Bus, box: UdpBox) -> None:
    box.on_set = bus.restart_hub
    await bus.ask(PORT_DOWN)
    await until(lambda: bus.scene.ground.last().state == "probation")
    box.on_set = lambda: None
    await bus.ask(PORT_DOWN, topic="answer/ana/s2/1")
    await until(lambda: bus.news("answer/ana/s2/1")[-1:] == ["done"], bus.scene.clock)
    assert box[port(2)] == DOWN
    assert len(box.sets) == 1


@guarded
async def test_the_node_restarts_in_between(bus: Bus, box: UdpBox) -> None:
    bus.desk._publish = _confirms_nothing(bus)  # type: ignore[method-assign]
    await bus.ask(PORT_DOWN)
    await until(lambda: bus.news()[-1:] == ["probation"])
    await bus.scene.again()
    await until(lambda: bus.news()[-1:] == ["undone"])
    assert bus.why() == "undone.restart"
    assert box[port(2)] == UP


def _confirms_nothing(bus: Bus) -> Callable[[str, bytes], Any]:
    async def publish(topic: str, payload: bytes) -> None:
        if b'"confirm"' not in payload:
            await bus._publish(topic, payload)

    return publish


class Counting:
    """A poller that only counts."""

    name = "switch"

    def __init__(self) -> None:
        self.polls = 0
        self.error: str | None = None

    async def poll(self, now_s: float) -> Poll:
        self.polls += 1
        return Poll(device=self.name, at_s=now_s, values={}, error=self.error)

    async def pulse(self, now_s: float) -> Poll:
        raise NotImplementedError

    def close(self) -> None:
        pass


@in_loop
async def test_a_device_is_polled_at_once_when_asked_and_its_turn_comes_all_the_same() -> None:
    poller, polls = Counting(), []
    loop = DeviceLoop(poller, Flight(5), 60, polls.append)
    at_s = clock.monotonic_s() + 0.3
    task = asyncio.create_task(loop.run(Turn(at_s=at_s, slot_s=at_s)))
    await settle()
    assert poller.polls == 0
    first, second = await asyncio.gather(loop.now(), loop.now())
    assert (poller.polls, first is second, polls) == (1, True, [first])
    await until(lambda: poller.polls == 2)
    poller.error = "no answer"
    assert (await loop.now()).error == "no answer"
    waiting = asyncio.create_task(loop.now())
    task.cancel()
    assert (await waiting).error is not None, "nobody waits for a loop that is gone"


def test_the_clock_of_the_tests_wakes_in_order() -> None:
    async def scene() -> None:
        clock, woken = Clock(), []

        async def sleeper(seconds: float) -> None:
            await clock.sleep(seconds)
            woken.append((seconds, clock.now()))

        tasks = [asyncio.create_task(sleeper(each)) for each in (3, 1, 2, 9)]
        await clock.passes(5)
        assert woken == [(1, 5001), (2, 5002), (3, 5003)]
        tasks[-1].cancel()

    asyncio.run(scene())


def test_the_desk_waits_longer_than_any_command_may_take() -> None:
    for doing in COMMANDS.values():
        assert doing.limit_s + desk_module.SLACK_S > doing.limit_s + 2 * 30
