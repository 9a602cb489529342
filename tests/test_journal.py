"""The open frame survives a kill at any instant; a power cut costs one flush at most, and is told."""

from __future__ import annotations

import asyncio
import base64
import logging
import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ayni_agent import config as agent_config
from ayni_agent import keeper as keeping
from ayni_agent.journal import Journal, _read
from ayni_agent.keeper import Keeper
from ayni_agent.outbox import row_of
from ayni_agent.outbox_steady import SteadyOutbox
from ayni_core.clockwatch import Moment
from ayni_core.message import Message
from ayni_core.readings import Names, Poll, Row, Series, Value
from ayni_core.schema import Faults, Fields
from ayni_core.wire import codec
from ayni_core.wire.messages import Ack
from ayni_core.wire.note import FrameNote
from ayni_io import clock

COUNT = Series("system", "", "uptime_s")
TEXT = Series("system", "", "model")


def poll(at_s: float, *, device: str = "ap", error: str | None = None, **more: Value) -> Poll:
    values = {COUNT: at_s, TEXT: "hAP ñ"} | {Series("radio", "w", key): value for key, value in more.items()}
    return Poll(device=device, at_s=at_s, values={} if error else values, error=error)


POLLS = [
    poll(1.0, signal_dbm=-60),
    poll(1.5, device="gw", error="timed out"),
    poll(61.0, signal_dbm=-61),
    poll(61.5, device="gw", in_octets=2**64 - 1, temperature_c=None, voltage_v=24.1),
    poll(121.0, noise_dbm=-95),
    poll(121.5, device="gw", error="refused"),
    Poll(device="ap", at_s=181.0, values=Row(Names((COUNT, TEXT)), [181, "x"])),
]


def journal(folder: Path | None, epoch: str = "e", boot: str = "b") -> Journal:
    made = Journal(folder, "pi", epoch, boot)
    made.recover()
    return made


def killed(made: Journal) -> None:
    """As a kill leaves it: no good-bye, and the kernel closes the files."""
    made.turn()
    if made._lock is not None:
        os.close(made._lock)
        made._lock = None


def same(found: list[tuple[Poll, float]], told: list[Poll]) -> bool:
    return [(p.device, p.at_s, dict(p.values), p.error) for p, _wall in found] == [
        (p.device, p.at_s, dict(p.values), p.error) for p in told
    ]


# ---- the file


def test_polls_are_found_as_they_were(tmp_path: Path) -> None:
    first = journal(tmp_path / "run" / "journal")
    for each in POLLS:
        first.add(each, 1000.0 + each.at_s)
    killed(first)
    there, (segment,) = Journal(tmp_path / "run" / "journal", "pi", "e2", "b").recover()
    assert there
    assert (segment.node, segment.epoch, segment.boot, segment.last_seq) == ("pi", "e", "b", 0)
    assert same(segment.polls, POLLS)
    assert [wall for _poll, wall in segment.polls] == [1000.0 + each.at_s for each in POLLS]
    types = [type(value) for value in segment.polls[3][0].values.values()]
    assert types == [float, str, int, type(None), float]


def test_a_segment_cut_anywhere_gives_what_stands_before_the_cut(tmp_path: Path) -> None:
    first = journal(tmp_path)
    for each in POLLS:
        first.add(each, 0.0)
    killed(first)
    (path,) = tmp_path.iterdir()
    counts = []
    for cut in range(path.stat().st_size, -1, -1):
        os.truncate(path, cut)
        segment = _read(path)
        assert same(segment.polls, POLLS[: len(segment.polls)])
        counts.append(len(segment.polls))
    assert counts == sorted(counts, reverse=True)
    assert (counts[0], counts[-1]) == (len(POLLS), 0)


def test_damage_costs_what_follows_it_and_nothing_else(tmp_path: Path) -> None:
    first = journal(tmp_path)
    for each in POLLS:
        first.add(each, 0.0)
    killed(first)
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    for place in range(0, len(whole), 3):
        for byte in (whole[place] ^ 0x55, whole[place]):
            with path.open("r+b") as file:
                file.seek(place)
                file.write(bytes([byte]))
            segment = _read(path)
            assert same(segment.polls, POLLS[: len(segment.polls)])
        assert len(segment.polls) == len(POLLS)
    (tmp_path / "segment-00000009").mkdir()
    (tmp_path / "notes.txt").write_text("not ours")
    assert len(_found(tmp_path)) == 2


def _found(folder: Path) -> list:  # type: ignore[type-arg]
    other = Journal(folder, "pi", "x", "b")
    _there, segments = other.recover()
    killed(other)
    return segments


def test_frames_take_the_place_of_their_polls_until_they_are_safe(tmp_path: Path) -> None:
    first = journal(tmp_path)
    first.add(POLLS[0], 0.0)
    segment = first.turn()
    first.add(POLLS[2], 0.0)
    rows = [row_of("e", 1, b"one", 5.0), row_of("e", 2, b"two", 5.0)]
    first.closed(segment, rows)
    closed, still_open = _peek(tmp_path)
    assert [(row.seq, row.payload, row.made_s) for row in closed.rows] == [(1, b"one", 5.0), (2, b"two", 5.0)]
    assert closed.polls == []
    assert same(still_open.polls, POLLS[2:3])
    assert still_open.last_seq == 2, "it knows that two numbers were given meanwhile"
    first.keep_only({("e", 2)})
    assert len(_peek(tmp_path)) == 2
    first.keep_only(set())
    (still_open,) = _peek(tmp_path)
    assert same(still_open.polls, POLLS[2:3])
    first.closed(first.turn(), [])
    first.leave()
    assert not tmp_path.exists()


def _peek(folder: Path) -> list:  # type: ignore[type-arg]
    return [_read(each) for each in sorted(folder.iterdir())]


def test_a_second_agent_keeps_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    first = journal(tmp_path)
    first.add(POLLS[0], 0.0)
    second = journal(tmp_path, "e2")
    assert "another agent" in caplog.text
    assert not second.kept
    second.add(POLLS[1], 0.0)
    assert len(list(tmp_path.iterdir())) == 1


def test_values_of_a_type_of_their_own_are_kept_as_plain_ones(tmp_path: Path) -> None:
    class Odd(int):
        pass

    first = journal(tmp_path)
    first.add(poll(1.0, signal_dbm=Odd(-60)), 0.0)
    killed(first)
    (segment,) = _found(tmp_path)
    assert segment.polls[0][0].values[Series("radio", "w", "signal_dbm")] == -60


def test_a_folder_that_cannot_be_written_or_goes_away_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    blocked = journal(tmp_path / "file" / "journal")
    for each in POLLS:
        blocked.add(each, 0.0)
    blocked.closed(blocked.turn(), [])
    assert caplog.text.count("open frame not kept") == 1
    gone = journal(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    gone.add(POLLS[0], 0.0)
    assert len(_peek(tmp_path / "gone")) == 1, "made again"


def test_a_full_disk_leaves_whole_records_only(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tmp_path)]
    if subprocess.run(mount, check=False).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        folder = tmp_path / "journal"
        first = journal(folder)
        polls = [poll(float(i), **{f"m{i % 3}": i}) for i in range(2000)]
        for each in polls:
            first.add(each, 0.0)
        (segment,) = _peek(folder)
        kept = len(segment.polls)
        assert 100 < kept < 2000
        assert same(segment.polls, polls[:kept])
        (tmp_path / "journal" / "segment-00000001").rename(tmp_path / "journal" / "segment-00000000")
        os.truncate(folder / "segment-00000000", 0)
        first.add(polls[0], 0.0)
        killed(first)
    finally:
        subprocess.run(["umount", "-l", str(tmp_path)], check=False)


def test_nothing_is_kept_where_there_is_no_folder() -> None:
    none = journal(None)
    none.add(POLLS[0], 0.0)
    none.closed(none.turn(), [])
    none.leave()
    assert not none.kept


# ---- the keeper


def config(folder: Path, *, state: bool = True, runtime: bool = True) -> agent_config.AgentConfig:
    faults = Faults("test")
    given = {"node": "pi", "devices": {}}
    given |= {"state_dir": str(folder / "state")} if state else {}
    given |= {"runtime_dir": str(folder / "run")} if runtime else {}
    parsed = agent_config.parse(Fields(given, "", faults))
    faults.stop()
    return parsed


class Run:
    """One life of an agent, as far as it keeps things."""

    def __init__(self, folder: Path, epoch: str, *, boot: str = "b", **where: bool) -> None:
        self.keeper = Keeper(config(folder, **where), epoch, boot)
        self.ending = self.keeper.begin()

    def polls(self, *numbers: int) -> Run:
        for number in numbers:
            self.keeper.add(Poll(device="ap", at_s=clock.monotonic_s(), values={COUNT: number}), 1e9 + number)
        return self

    def close(self) -> Run:
        asyncio.run(self._anew(self.keeper.close))
        return self

    async def _anew(self, work: Callable[[], object]) -> None:
        self.keeper._closing = asyncio.Lock()
        self.keeper._writing = None
        await work()  # type: ignore[misc]

    def kill(self) -> None:
        killed(self.keeper.journal)
        self.keeper.outbox.close()

    def leave(self) -> None:
        asyncio.run(self._anew(self.keeper.leave))

    def frames(self) -> dict[tuple[str, int], list[int]]:
        """The numbers of the polls in each frame that waits."""
        found = {}
        for row in self.keeper.outbox.due(1e9, 10**6):
            frame = codec.decode(self.keeper.outbox.read(row) or b"")
            assert (frame.epoch, frame.seq) == row.name
            found[row.name] = [int(value) for value in frame.devices["ap"].values[COUNT]]  # type: ignore[arg-type]
        return found


def test_the_open_frame_of_a_killed_run_is_found_under_its_old_name(tmp_path: Path) -> None:
    run = Run(tmp_path, "one").polls(1, 2).close().polls(3, 4)
    assert run.ending.how == "first"
    run.kill()
    run = Run(tmp_path, "two")
    assert run.frames() == {("one", 1): [1, 2], ("one", 2): [3, 4]}
    assert (run.ending.how, run.ending.lost, run.ending.frames) == ("killed", False, 1)
    run.kill()
    assert Run(tmp_path, "three").frames() == {("one", 1): [1, 2], ("one", 2): [3, 4]}, "found once only"


def test_frames_that_are_not_yet_on_disk_keep_their_bytes(tmp_path: Path) -> None:
    """The card does not work: what was closed waits in memory, and in the journal."""
    (tmp_path / "state").write_text("in the way")
    run = Run(tmp_path, "one").polls(1).close().polls(2, 3).close().polls(4)
    before = {row.name: row.payload for row in run.keeper.outbox.due(1e9, 9)}
    run.keeper.outbox.acknowledge(Ack(epoch="one", stored=((1, 1),)), 0.0)
    run.close()
    run.polls(5).kill()
    run = Run(tmp_path, "two")
    after = {row.name: row.payload for row in run.keeper.outbox.due(1e9, 9)}
    assert after[("one", 2)] == before[("one", 2)]
    assert run.frames() == {("one", 2): [2, 3], ("one", 3): [4], ("one", 4): [5]}
    (tmp_path / "state").unlink()
    run.kill()
    run = Run(tmp_path, "three")
    assert run.keeper.outbox.statistics().storage == "disk"
    assert run.frames() == {("one", 2): [2, 3], ("one", 3): [4], ("one", 4): [5]}
    assert list((tmp_path / "run" / "journal").iterdir()) == []


def test_without_a_card_a_number_that_the_hub_has_seen_is_never_given_again(tmp_path: Path) -> None:
    run = Run(tmp_path, "one", state=False)
    for number in range(1, 6):
        run.polls(number).close()
    run.keeper.outbox.acknowledge(Ack(epoch="one", stored=((1, 5),)), 0.0)
    run.polls(6).close()
    run.keeper.outbox.acknowledge(Ack(epoch="one", stored=((6, 6),)), 0.0)
    run.polls(7).kill()
    run = Run(tmp_path, "two", state=False)
    assert run.frames() == {("one", 6): [6], ("one", 7): [7]}
    assert run.ending.how == "killed"


def test_a_power_cut_is_told_with_what_is_missing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    run = Run(tmp_path, "one").polls(1).close().polls(2)
    wall_s = time.time()
    run.kill()
    for each in (tmp_path / "run" / "journal").iterdir():
        each.unlink()
    (tmp_path / "run" / "journal").rmdir()
    with caplog.at_level(logging.INFO):
        run = Run(tmp_path, "two", boot="another")
    ending = run.ending
    assert (ending.how, ending.lost, ending.frames) == ("power-cut", True, 0)
    assert ending.since_s is not None
    assert abs(ending.since_s - wall_s) < 5
    assert ending.since_s <= ending.until_s
    assert caplog.text.count("readings lost how=power-cut") == 1
    assert list(run.frames()) == [("one", 1)]


def test_a_kill_without_a_journal_loses_the_open_frame_and_says_so(tmp_path: Path) -> None:
    Run(tmp_path, "one", runtime=False).polls(1).close().polls(2).kill()
    ending = Run(tmp_path, "two", runtime=False).ending
    assert (ending.how, ending.lost) == ("killed", True)


def test_a_kill_between_two_polls_loses_nothing(tmp_path: Path) -> None:
    Run(tmp_path, "one").polls(1).close().kill()
    ending = Run(tmp_path, "two").ending
    assert (ending.how, ending.lost, ending.frames) == ("killed", False, 0)


def test_a_clean_end_leaves_no_trace_in_memory_and_nothing_to_tell(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = Run(tmp_path, "one").polls(1).close()
    run.leave()
    assert not (tmp_path / "run" / "journal").exists()
    with caplog.at_level(logging.WARNING):
        run = Run(tmp_path, "two", boot="another")
    assert (run.ending.how, run.ending.lost) == ("clean", False)
    assert caplog.records == []
    run.kill()
    assert Run(tmp_path, "three", boot="another").ending.how == "killed"


def test_notes_of_the_open_frame_survive_a_kill_and_travel_once(tmp_path: Path) -> None:
    run = Run(tmp_path, "one")
    told = FrameNote(at_s=clock.monotonic_s(), text=Message("note.x", {"n": 1, "what": "ñ"}), level="warn")
    run.keeper.note(told)
    run.close().keeper.note(replace(told, device="ap"))
    run.polls(1).keeper.note(replace(told, text=Message("note.y")))
    run.kill()
    run = Run(tmp_path, "two")
    frames = [codec.decode(run.keeper.outbox.read(row) or b"") for row in run.keeper.outbox.due(1e9, 9)]
    said = {(frame.seq, note.text.context, note.device) for frame in frames for note in frame.notes}
    assert said == {(1, "note.x", ""), (2, "note.x", "ap"), (2, "note.y", "")}
    run.keeper.note(told)  # nothing was polled yet
    run.kill()
    run = Run(tmp_path, "three")
    (frame,) = (
        codec.decode(run.keeper.outbox.read(row) or b"")
        for row in run.keeper.outbox.due(1e9, 9)
        if row.epoch == "two"
    )
    assert [(note.text, note.level) for note in frame.notes] == [(told.text, "warn")]
    assert frame.mono_s + frame.notes[0].at_s == pytest.approx(told.at_s, abs=0.02)


def test_a_note_before_the_start_hurts_nothing_that_an_earlier_run_left(tmp_path: Path) -> None:
    Run(tmp_path, "one").polls(1, 2).kill()
    keeper = Keeper(config(tmp_path), "two", "b")
    keeper.note(FrameNote(at_s=clock.monotonic_s(), text=Message("note.budget_lost")))
    assert keeper.begin().frames == 1
    killed(keeper.journal)
    keeper.outbox.close()
    run = Run(tmp_path, "three")
    kept = [codec.decode(run.keeper.outbox.read(row) or b"") for row in run.keeper.outbox.due(1e9, 9)]
    found = {(frame.epoch, len(frame.devices), len(frame.notes)) for frame in kept}
    assert found == {("one", 1, 0), ("two", 0, 1)}


def test_after_a_reboot_an_open_frame_belongs_to_the_step_of_the_clock_that_it_was_made_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead_s = [-1e9]
    monkeypatch.setattr(clock, "synchronised", lambda: ahead_s[0] == 0.0)
    monkeypatch.setattr(clock, "wall_s", lambda: time.time() + ahead_s[0])

    def poll(run: Run, number: int) -> None:
        at_s, wall_s = clock.monotonic_s(), clock.wall_s()
        run.keeper.add(Poll(device="ap", at_s=at_s, values={COUNT: number}), wall_s)

    run = Run(tmp_path, "one")
    poll(run, 1)
    ahead_s[0] = 0.0  # NTP has found somebody
    poll(run, 2)
    run.kill()
    run = Run(tmp_path, "two", boot="another")
    (row,) = run.keeper.outbox.due(1e9, 9)
    frame = codec.decode(run.keeper.outbox.read(row) or b"")
    assert (frame.boot, frame.step, frame.synced) == ("b", 1, True)
    assert frame.wall_s == pytest.approx(time.time(), abs=60)
    assert [note.text.context for note in frame.notes] == []


def test_a_journal_of_another_boot_or_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "synchronised", lambda: False)
    run = Run(tmp_path, "one").polls(1, 2)
    run.kill()
    run = Run(tmp_path, "two", boot="another")
    (row,) = run.keeper.outbox.due(1e9, 9)
    frame = codec.decode(run.keeper.outbox.read(row) or b"")
    assert (frame.boot, frame.synced, round(frame.wall_s)) == ("b", False, 1e9 + 2)
    assert not row.live
    assert not run.ending.lost
    foreign = Journal(tmp_path / "other", "somebody", "x", "b")
    foreign.recover()
    foreign.add(POLLS[0], 0.0)
    killed(foreign)
    run.kill()
    next((tmp_path / "other").iterdir()).replace(tmp_path / "run" / "journal" / "segment-00000077")
    assert list(Run(tmp_path, "three").frames()) == [("one", 1)]


def test_a_frame_that_is_too_large_becomes_several_with_numbers_of_their_own(tmp_path: Path) -> None:
    run = Run(tmp_path, "one")
    dice = random.Random(1)
    names = Names([COUNT, *(Series("interface", f"e{i}", "alias") for i in range(1000))])
    for number in range(1, 11):
        cells: list[Value] = [number, *(base64.b64encode(dice.randbytes(48)).decode() for _ in range(1000))]
        run.keeper.add(Poll(device="ap", at_s=clock.monotonic_s() + number, values=Row(names, cells)), 0.0)
    assert not run.keeper.collector.full
    run.close().polls(21)
    parts = len(run.frames())
    assert parts > 3
    run.kill()
    run = Run(tmp_path, "two")
    frames = run.frames()
    assert sorted(frames) == [("one", seq) for seq in range(1, parts + 2)]
    assert sorted(number for numbers in frames.values() for number in numbers if number) == sorted(
        number for seq in range(1, parts + 2) for number in frames["one", seq]
    )
    assert frames["one", parts + 1] == [21]


def test_a_frame_is_full_before_it_is_too_large(tmp_path: Path) -> None:
    run = Run(tmp_path, "one")
    names = Names([COUNT, *(Series("interface", f"e{i}", "in_octets") for i in range(4000))])
    for number in range(40):
        run.keeper.add(Poll(device="ap", at_s=float(number), values=Row(names, [0] * 4001)), 0.0)
    assert run.keeper.collector.full
    run.close()
    assert not run.keeper.collector.full


def test_small_things_are_remembered_with_each_commit(tmp_path: Path) -> None:
    run = Run(tmp_path, "one")
    count = iter(range(100))
    run.keeper.remember("budget", lambda: b"%d" % next(count))
    run.polls(1).close().polls(2).close().kill()
    run = Run(tmp_path, "two")
    assert run.keeper.outbox.state("budget") == b"1"
    assert run.keeper.outbox.state("clock") is not None


def test_a_card_that_stalls_holds_up_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(keeping, "_PATIENCE_S", 0.05)
    run = Run(tmp_path, "one")
    free = threading.Event()
    real = SteadyOutbox.write

    def stalling(self: SteadyOutbox, moment: Moment, *, clean: bool = False) -> bool:
        free.wait(10)
        return real(self, moment, clean=clean)

    monkeypatch.setattr(SteadyOutbox, "write", stalling)

    async def story() -> None:
        run.keeper._closing = asyncio.Lock()
        for number in (1, 2, 3):
            run.polls(number)
            await asyncio.wait_for(run.keeper.close(), 2)
        assert len(run.keeper.outbox.in_memory()) == 3, "they can travel"
        assert [each.rows[0].seq for each in _peek(tmp_path / "run" / "journal")] == [1, 2, 3]
        free.set()
        monkeypatch.setattr(keeping, "_PATIENCE_S", 10)  # a real card may be slow, too
        run.polls(4)
        while run.keeper.outbox.in_memory():
            await run.keeper.close()

    asyncio.run(story())
    assert caplog.text.count("card slow") == 1
    run.kill()
    assert sorted(Run(tmp_path, "two").frames()) == [("one", seq) for seq in (1, 2, 3, 4)]


def test_a_close_is_done_to_the_end_even_if_its_caller_is_cancelled(tmp_path: Path) -> None:
    run = Run(tmp_path, "one").polls(1)

    async def story() -> None:
        run.keeper._closing = asyncio.Lock()
        closing = asyncio.create_task(run.keeper.close())
        await asyncio.sleep(0)
        closing.cancel()
        await asyncio.gather(closing, return_exceptions=True)
        run.polls(2)
        await run.keeper.close()
        await run.keeper.leave()

    asyncio.run(story())
    run = Run(tmp_path, "two")
    assert run.frames() == {("one", 1): [1], ("one", 2): [2]}
    assert run.ending.how == "clean"


# ---- kills


def live_until_killed(folder: Path, life: int, told: int) -> None:
    """In a child: poll as fast as it goes, close a frame now and then, and tell of each poll that is kept."""
    dice = random.Random(life)
    run = Run(folder, f"life{life}")
    assert run.ending.lost is False

    async def story() -> None:
        run.keeper._closing = asyncio.Lock()
        for number in range(10**6):
            run.polls(life * 10**6 + number)
            os.write(told, b"%d\n" % (life * 10**6 + number))
            if dice.random() < 0.1:
                closing = asyncio.create_task(run.keeper.close())
                if dice.random() < 0.5:
                    await closing
            await asyncio.sleep(0)

    asyncio.run(story())


def test_a_kill_at_any_instant_loses_no_poll_and_doubles_none(tmp_path: Path) -> None:
    dice = random.Random(9)
    told: list[int] = []
    kills = 30
    for life in range(kills):
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            try:
                live_until_killed(tmp_path, life, writing)
            finally:
                os._exit(1)
        os.close(writing)
        with open(reading, "rb") as pipe:
            first = pipe.readline()
            threading.Timer(dice.uniform(0.0, 0.06), os.kill, (child, signal.SIGKILL)).start()
            told += [int(each) for each in (first + pipe.read()).splitlines()]
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    found = sorted(number for numbers in Run(tmp_path, "last").frames().values() for number in numbers)
    assert len(found) == len(set(found)), "doubled"
    assert set(told) <= set(found), "lost"
    assert len(found) - len(told) <= kills, "a poll may be kept that nobody was told of"
    assert len(found) > 200
