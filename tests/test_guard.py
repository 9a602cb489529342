"""The lock-out guard: cut off in every phase, killed in every phase, what was changed comes back."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from commanded import DOWN, UP, Box, Clock, Scene, UdpBox, in_loop, poe, port, settle, until
from parts import UdpAgent

from ayni_agent import guard
from ayni_agent.guard import Guard, GuardError, Object, TurnBack, Undo
from ayni_core.snmp import INTEGER
from ayni_io.snmp_set import SnmpSetRefused

ETHER2 = port(2)


def undo_of(box: Box, identifier: str = "ana.1") -> Undo:
    return Undo(
        id=identifier, device=box.name, item="ether2", objects=(Object.of((ETHER2, INTEGER, box[ETHER2])),)
    )


class Scenery:
    """A guard, its box and a clock, and one thing done under guard: ether2 goes down."""

    def __init__(self, folder: Path | None) -> None:
        self.box, self.clock = Box(), Clock()
        self.guard = Guard(folder, self.box, self.clock)
        self.nonces: list[str] = []
        self.undoings: list[tuple[int, str]] = []
        self.acted = asyncio.Event()
        self.may_act = asyncio.Event()
        self.may_act.set()

    async def act(self) -> None:
        await self.may_act.wait()
        writer = self.box.writer("switch")
        assert writer is not None
        await writer.set([(ETHER2, INTEGER, DOWN)])
        self.acted.set()

    async def do(self) -> str:
        """What became of it, the undo included, as the commands do it."""
        undo = undo_of(self.box)
        try:
            await self.guard.guarded(
                undo, self.act, window_s=60, probation=lambda nonce, _left: self.nonces.append(nonce)
            )
        except SnmpSetRefused:
            return "refused"
        except TurnBack as back:
            await self.guard.undo(undo, lambda tries, cause: self.undoings.append((tries, cause)))
            return back.text.context
        return "done"


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "undo").iterdir())


@in_loop
async def test_a_confirmed_change_stays_and_its_undo_is_cleared_away(tmp_path: Path) -> None:
    it = Scenery(tmp_path)
    task = asyncio.create_task(it.do())
    await settle()
    assert it.box[ETHER2] == DOWN
    assert files(tmp_path) == ["ana.1.json"]
    assert oct((tmp_path / "undo" / "ana.1.json").stat().st_mode & 0o777) == "0o600"
    assert it.guard.confirm("ana.1", it.nonces[-1])
    assert await task == "done"
    assert files(tmp_path) == []
    await it.clock.passes(10_000)
    assert it.box[ETHER2] == DOWN


@in_loop
async def test_the_way_back_is_on_disk_before_anything_is_changed(tmp_path: Path) -> None:
    it = Scenery(tmp_path)
    seen: list[list[str]] = []
    it.box.on_set = lambda: seen.append(files(tmp_path))
    task = asyncio.create_task(it.do())
    await settle()
    assert seen == [["ana.1.json"]]
    told = json.loads((tmp_path / "undo" / "ana.1.json").read_text())
    assert told["objects"] == [{"oid": "1.3.6.1.2.1.2.2.1.7.2", "tag": INTEGER, "value": UP}]
    task.cancel()


@in_loop
async def test_without_a_word_of_the_hub_it_is_undone_when_the_window_ends(tmp_path: Path) -> None:
    it = Scenery(tmp_path)
    task = asyncio.create_task(it.do())
    await it.clock.passes(59)
    assert it.box[ETHER2] == DOWN
    assert len(set(it.nonces)) == 1 and len(it.nonces) >= 10, "the nonce is sent again and again"
    await it.clock.passes(2)
    assert await task == "undone.no_word"
    assert it.box[ETHER2] == UP
    assert files(tmp_path) == []


@pytest.mark.parametrize("nonce", ["", "0" * 32, "é"])
@in_loop
async def test_another_nonce_confirms_nothing(tmp_path: Path, nonce: str) -> None:
    it = Scenery(tmp_path)
    task = asyncio.create_task(it.do())
    await settle()
    assert not it.guard.confirm("ana.1", nonce)
    assert not it.guard.confirm("ana.2", it.nonces[-1])
    await it.clock.passes(61)
    assert await task == "undone.no_word"


@in_loop
async def test_a_confirmation_that_comes_late_confirms_nothing(tmp_path: Path) -> None:
    it = Scenery(tmp_path)
    task = asyncio.create_task(it.do())
    await it.clock.passes(61)
    assert not it.guard.confirm("ana.1", it.nonces[-1])
    assert await task == "undone.no_word"


@in_loop
async def test_each_time_another_nonce(tmp_path: Path) -> None:
    it = Scenery(tmp_path)
    for _ in range(2):
        task = asyncio.create_task(it.do())
        await it.clock.passes(61)
        await task
    assert len(set(it.nonces)) == 2


@in_loop
async def test_what_the_device_refuses_needs_no_undo(tmp_path: Path) -> None:
    it = Scenery(tmp_path)
    it.box.refuses = True
    assert await it.do() == "refused"
    assert files(tmp_path) == []
    assert it.box.sets == []


@in_loop
async def test_when_nobody_knows_whether_it_was_done_it_is_undone(tmp_path: Path) -> None:
    """The device did it, and its answer was lost."""
    it = Scenery(tmp_path)
    it.box.mute = True
    task = asyncio.create_task(it.do())
    await settle()
    assert it.box[ETHER2] == UP, "the first try has set it already, but nobody knows"
    assert not task.done()
    it.box.mute = False
    await it.clock.passes(2)
    assert await task == "undone.failed"
    assert [value for _oid, value in it.box.sets] == [DOWN, UP, UP]


@in_loop
async def test_a_doing_that_hangs_is_undone(tmp_path: Path) -> None:
    it = Scenery(tmp_path)
    it.may_act.clear()
    task = asyncio.create_task(it.do())
    await it.clock.passes(31)
    assert await task == "undone.failed"
    assert it.box[ETHER2] == UP


@in_loop
async def test_undoing_is_tried_with_growing_pauses_until_it_works(tmp_path: Path) -> None:
    it = Scenery(tmp_path)
    task = asyncio.create_task(it.do())
    await settle()
    it.box.cut = True
    await it.clock.passes(61 + 2 * 3600)
    assert not task.done()
    assert files(tmp_path) == ["ana.1.json"]
    assert 25 <= len(it.undoings) <= 35, "a try every five minutes in the end"
    it.box.cut = False
    await it.clock.passes(301)
    assert await task == "undone.no_word"
    assert it.box[ETHER2] == UP


@in_loop
async def test_a_device_that_lies_is_asked_again(tmp_path: Path) -> None:
    it = Scenery(tmp_path)
    task = asyncio.create_task(it.do())
    await settle()
    it.box.deaf = True
    await it.clock.passes(65)
    assert "it was not" in it.undoings[0][1]
    it.box.deaf = False
    await it.clock.passes(20)
    assert await task == "undone.no_word"


@in_loop
async def test_after_a_day_in_vain_somebody_is_told(tmp_path: Path) -> None:
    it = Scenery(tmp_path)
    undo = undo_of(it.box)
    it.guard.keep(undo)
    it.box.cut = True
    task = asyncio.create_task(it.guard.undo(undo, lambda _tries, _cause: None))
    await it.clock.passes(guard.UNDO_FOR_S + 400)
    with pytest.raises(guard.NotUndoneError):
        await task
    assert files(tmp_path) == []


@in_loop
async def test_without_a_folder_nothing_is_done() -> None:
    it = Scenery(None)
    with pytest.raises(GuardError):
        await it.do()
    assert it.box.sets == []


@in_loop
async def test_when_the_disk_takes_nothing_nothing_is_done(tmp_path: Path) -> None:
    (tmp_path / "undo").write_text("a file where the folder should be")
    it = Scenery(tmp_path)
    with pytest.raises(GuardError) as caught:
        await it.do()
    assert caught.value.text.context == "refused.not_kept"
    assert it.box.sets == []


# ---- killed


@in_loop
async def test_a_kill_before_the_change_and_one_after_it_end_the_same(tmp_path: Path) -> None:
    for at_change in (False, True):
        it = Scenery(tmp_path)
        if not at_change:
            it.may_act.clear()
        task = asyncio.create_task(it.do())
        await settle()
        assert it.box[ETHER2] == (DOWN if at_change else UP)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        after = Guard(tmp_path, it.box, it.clock)
        (undo,) = after.pending()
        await after.undo(undo, lambda _tries, _cause: None)
        assert it.box[ETHER2] == UP
        assert Guard(tmp_path, it.box, it.clock).pending() == ()


@in_loop
async def test_damaged_undos_are_put_aside_and_the_others_run(tmp_path: Path) -> None:
    it = Scenery(tmp_path)
    it.guard.keep(undo_of(it.box))
    folder = tmp_path / "undo"
    whole = (folder / "ana.1.json").read_bytes()
    (folder / "cut.json").write_bytes(whole[:40])
    (folder / "empty.json").write_bytes(b"")
    (folder / "other.json").write_bytes(whole)  # it calls itself by another name
    bad = whole.replace(b"1.3.6.1.2.1.2.2.1.7.2", b"no.such.oid")
    (folder / "bad.json").write_bytes(bad.replace(b"ana.1", b"bad"))
    (folder / ".ana.1.json.x7").write_bytes(whole[:10])  # what a kill left behind
    after = Guard(tmp_path, it.box, it.clock)
    assert [undo.id for undo in after.pending()] == ["ana.1"]
    assert {"cut.damaged", "empty.damaged", "bad.damaged"} <= set(files(tmp_path))
    assert ".ana.1.json.x7" not in files(tmp_path)


CHILD = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from commanded import Box, Clock, port, DOWN
from ayni_agent.guard import Guard, Object, Undo
from ayni_core.snmp import INTEGER

folder, phase = Path(sys.argv[1]), sys.argv[2]
box, device = Box(), Path(sys.argv[1]) / "device"
box.on_set = lambda: device.write_text(str(box[port(2)]))

def here(name):
    if name == phase:
        print(name, flush=True)
        import time
        time.sleep(60)

async def main():
    guard = Guard(folder, box, Clock())
    undo = Undo(id="ana.1", device="switch", item="ether2", objects=(Object.of((port(2), INTEGER, 1)),))
    async def act():
        here("kept")
        await box.writer("switch").set([(port(2), INTEGER, DOWN)])
        here("acted")
    await guard.guarded(undo, act, window_s=60, probation=lambda nonce, left: here("probation"))

asyncio.run(main())
"""


@pytest.mark.parametrize("phase", ["kept", "acted", "probation"])
def test_after_sigkill_the_next_process_undoes(tmp_path: Path, phase: str) -> None:
    script = tmp_path / "child.py"
    script.write_text(CHILD.format(tests=str(Path(__file__).parent)))
    device = tmp_path / "device"
    device.write_text(str(UP))
    child = subprocess.Popen([sys.executable, str(script), str(tmp_path), phase], stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.readline().decode().strip() == phase
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()
    assert device.read_text() == str(UP if phase == "kept" else DOWN)

    async def after() -> None:
        box = Box()
        box.objects[ETHER2] = (INTEGER, int(device.read_text()))
        it = Guard(tmp_path, box, Clock())
        (undo,) = it.pending()
        await it.undo(undo, lambda _tries, _cause: None)
        assert box[ETHER2] == UP
        assert it.pending() == ()

    asyncio.run(after())


# ---- as a command, over the network, in every phase


async def switch(folder: Path, profile: str = "routeros") -> tuple[UdpBox, Scene]:
    box = UdpBox(profile)
    return box, Scene(folder, box)


@in_loop
async def test_port_down_confirmed(tmp_path: Path) -> None:
    box, scene = await switch(tmp_path)
    async with UdpAgent.serving(box.answer) as agent, scene:
        box.port = agent.port
        await scene.give("port", item="ether2", value="down")
        await until(lambda: "probation" in scene.ground.states())
        assert box[ETHER2] == DOWN
        scene.confirm()
        await until(lambda: scene.ground.last().state == "done")
        assert scene.ground.states() == ["accepted", "probation", "done"]
        assert scene.ground.why() == "done.port"
        assert box[ETHER2] == DOWN
        assert files(tmp_path) == []


@in_loop
async def test_path_cut_before_the_command_nothing_happens(tmp_path: Path) -> None:
    """What was meant for then comes when the way is there again: it has expired."""
    box, scene = await switch(tmp_path)
    async with UdpAgent.serving(box.answer) as agent, scene:
        box.port = agent.port
        late = scene.command("port", item="ether2", value="down")
        await scene.clock.passes(31)
        scene.commands.take(late)
        await settle()
        assert scene.ground.states() == ["expired"]
        assert box.sets == []


@in_loop
async def test_path_cut_between_accepting_and_acting(tmp_path: Path) -> None:
    box, scene = await switch(tmp_path)
    box.on_set = lambda: setattr(scene.ground, "hub_there", False)
    async with UdpAgent.serving(box.answer) as agent, scene:
        box.port = agent.port
        await scene.give("port", item="ether2", value="down", for_s=20)
        await until(lambda: box[ETHER2] == DOWN)
        await until(lambda: files(tmp_path) == ["ana.1.json"])
        await settle()
        await scene.clock.passes(25)
        await until(lambda: box[ETHER2] == UP)
        await until(lambda: files(tmp_path) == [])
        assert scene.ground.states() == ["accepted"]
        scene.ground.hub_there = True
        scene.commands.connected()
        await settle()
        assert scene.ground.last().state == "undone", "it is told when the hub is there again"


@in_loop
async def test_nonce_lost_once_it_is_sent_again(tmp_path: Path) -> None:
    box, scene = await switch(tmp_path)
    async with UdpAgent.serving(box.answer) as agent, scene:
        box.port = agent.port
        await scene.give("port", item="ether2", value="down", for_s=60)
        scene.ground.hub_there = False
        await until(lambda: box[ETHER2] == DOWN)
        await until(lambda: scene.commands._guard._on_probation != {})
        scene.ground.hub_there = True
        await scene.clock.passes(11)
        assert scene.ground.states() == ["accepted", "probation"]
        scene.confirm()
        await until(lambda: scene.ground.last().state == "done")


@in_loop
async def test_confirmation_lost_or_late_it_is_undone_and_stays_so(tmp_path: Path) -> None:
    box, scene = await switch(tmp_path)
    async with UdpAgent.serving(box.answer) as agent, scene:
        box.port = agent.port
        await scene.give("port", item="ether2", value="down", for_s=10)
        await until(lambda: "probation" in scene.ground.states())
        await scene.clock.passes(11)
        await until(lambda: scene.ground.last().state == "undone")
        assert scene.ground.why() == "undone.no_word"
        scene.confirm()
        await scene.clock.passes(100)
        assert box[ETHER2] == UP
        assert scene.ground.last().state == "undone"


@in_loop
async def test_the_device_itself_is_cut_off_by_it(tmp_path: Path) -> None:
    """It did what it was told, and its answer never came: it is undone as soon as it can be reached."""
    box, scene = await switch(tmp_path)
    async with UdpAgent.serving(box.answer) as agent, scene:
        box.port = agent.port
        box.mute = True
        box.on_set = lambda: setattr(box, "cut", True)
        await scene.give("port", item="ether2", value="down")
        await until(lambda: scene.ground.why() == "running.undo_failed", scene.clock)
        box.cut = box.mute = False
        box.on_set = lambda: None
        await scene.clock.passes(2)
        await until(lambda: scene.ground.last().state == "undone")
        assert scene.ground.why() == "undone.failed"
        assert box[ETHER2] == UP


@pytest.mark.parametrize("phase", ["accepted", "acting", "probation", "undoing"])
@in_loop
async def test_killed_in_each_phase_the_next_start_makes_it_as_it_was(tmp_path: Path, phase: str) -> None:
    box, scene = await switch(tmp_path)
    async with UdpAgent.serving(box.answer) as agent, scene:
        box.port = agent.port
        if phase == "accepted":
            box.cut = True
        if phase == "acting":
            box.mute = True
        await scene.give("port", item="ether2", value="down", for_s=10)
        if phase == "acting":
            await until(lambda: box[ETHER2] == DOWN)
        elif phase != "accepted":
            await until(lambda: "probation" in scene.ground.states())
        if phase == "undoing":
            box.cut = True
            await scene.clock.passes(11)
            await until(lambda: scene.ground.why() in ("running.undo_failed", "running.undoing"), scene.clock)
        before = scene.ground.last()
        box.cut = box.mute = False
        await scene.again()
        await until(lambda: scene.ground.last() is not before)
        await until(lambda: scene.ground.last().state in ("undone", "failed"))
        assert box[ETHER2] == UP
        expected = ("failed", "failed.cut_short") if phase == "accepted" else ("undone", "undone.restart")
        assert (scene.ground.last().state, scene.ground.why()) == expected
        if phase == "probation":
            scene.confirm()  # it answers a nonce of before
            await scene.clock.passes(60)
            assert box[ETHER2] == UP
        sets = len(box.sets)
        await scene.give("port", epoch=EPOCH_BEFORE, item="ether2", value="down", for_s=10)
        assert scene.ground.last().state == expected[0], "the same id brings the same answer"
        assert len(box.sets) == sets


EPOCH_BEFORE = "e" * 16


@in_loop
async def test_killed_between_the_confirmation_and_its_answer_it_stays_done(tmp_path: Path) -> None:
    box, scene = await switch(tmp_path)
    async with UdpAgent.serving(box.answer) as agent, scene:
        box.port = agent.port
        await scene.give("port", item="ether2", value="down")
        await until(lambda: "probation" in scene.ground.states())
        scene.ground.hub_there = False
        (tmp_path / "undo" / "ana.1.json").unlink()  # as the confirmation does, a moment before the kill
        scene.ground.hub_there = True
        await scene.again()
        await until(lambda: scene.ground.last().state == "done")
        assert box[ETHER2] == DOWN


@in_loop
async def test_a_tidy_end_undoes_at_once_what_was_on_probation(tmp_path: Path) -> None:
    box, scene = await switch(tmp_path)
    async with UdpAgent.serving(box.answer) as agent, scene:
        box.port = agent.port
        await scene.give("port", item="ether2", value="down")
        await until(lambda: "probation" in scene.ground.states())
        await scene.stop()
        assert box[ETHER2] == UP
        assert files(tmp_path) == []


@in_loop
async def test_poe_is_switched_on_again_and_its_undo_is_on(tmp_path: Path) -> None:
    box, scene = await switch(tmp_path, "generic")
    async with UdpAgent.serving(box.answer) as agent, scene:
        box.port = agent.port
        await scene.give("poe", item="3", for_s=5)
        await until(lambda: box[poe(3)] == 2)
        await until(lambda: scene.ground.why() == "running.waiting_off", scene.clock)
        assert files(tmp_path) == ["ana.1.json"]
        await scene.clock.passes(6)
        await until(lambda: scene.ground.last().state == "done")
        assert box[poe(3)] == 1
        assert files(tmp_path) == []
        assert [value for _oid, value in box.sets] == [2, 1]


@in_loop
async def test_poe_killed_while_it_is_off_comes_on_again(tmp_path: Path) -> None:
    box, scene = await switch(tmp_path, "generic")
    async with UdpAgent.serving(box.answer) as agent, scene:
        box.port = agent.port
        await scene.give("poe", item="1.3")
        await until(lambda: scene.ground.why() == "running.waiting_off", scene.clock)
        await scene.again()
        await until(lambda: scene.ground.last().state == "undone")
        assert box[poe(3)] == 1


@in_loop
async def test_poe_that_is_off_stays_off(tmp_path: Path) -> None:
    box, scene = await switch(tmp_path, "generic")
    box.objects[poe(2)] = (INTEGER, 2)
    async with UdpAgent.serving(box.answer) as agent, scene:
        box.port = agent.port
        await scene.give("poe", item="2")
        await until(lambda: scene.ground.last().state == "refused")
        assert scene.ground.why() == "refused.poe_off"
        assert box.sets == []
