"""The outbox: what the hub has not yet committed survives kills, full and damaged disks, in its order."""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ayni_agent import outbox_file
from ayni_agent.outbox import Limits, MemoryOutbox, Row, row_of, without_dictionary
from ayni_agent.outbox_steady import SteadyOutbox
from ayni_core.clockwatch import Moment
from ayni_core.readings import Series
from ayni_core.wire import codec
from ayni_core.wire.frame import DevicePolls, Frame
from ayni_core.wire.messages import Ack, Refused, Unread

DAY_S = 86400.0


def at(mono_s: float, wall_s: float = 0.0) -> Moment:
    return Moment(mono_s=mono_s, wall_s=wall_s or 1e9 + mono_s, synced=True)


def row(seq: int, *, size: int = 100, made_s: float | None = None, epoch: str = "e") -> Row:
    return row_of(epoch, seq, random.Random(seq).randbytes(size), float(seq if made_s is None else made_s))


def outbox(path: Path | None, mono_s: float = 0.0, *, boot: str = "b", **more: object) -> SteadyOutbox:
    return SteadyOutbox(path, at(mono_s), boot, **more)  # type: ignore[arg-type]


def seqs(box: SteadyOutbox | MemoryOutbox, now_s: float = 1e9) -> list[int]:
    return [each.seq for each in box.due(now_s, 10**6)]


def stored(*pairs: tuple[int, int], epoch: str = "e") -> Ack:
    return Ack(epoch=epoch, stored=pairs)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "agent.sqlite"


# ---- order


def test_news_go_first_newest_ahead_then_the_backlog_oldest_first() -> None:
    box = MemoryOutbox(live_s=100.0)
    for seq in range(1, 11):
        box.put(row(seq, made_s=seq * 50.0))
    assert seqs(box, 500.0) == [10, 9, 1, 2, 3, 4, 5, 6, 7, 8]
    assert [each.seq for each in box.due(500.0, 3)] == [10, 9, 1]


def test_a_late_frame_is_not_news_again_when_it_is_resent() -> None:
    box = MemoryOutbox(live_s=100.0)
    box.put(row(1, made_s=0.0))
    assert box.due(99.0)[0].live
    assert not box.due(100.0)[0].live


# ---- on disk


def test_frames_and_state_are_found_again_and_their_bytes_stay_on_disk(path: Path) -> None:
    first = outbox(path, 1000.0)
    for seq in range(1, 6):
        assert first.commit([row(seq, made_s=1000.0 + seq)], {"budget": b"%d" % seq}, at(1000.0 + seq))
    assert sum(each.payload is not None for each in first.due(1e9, 99)) == 1, "only the newest is in memory"
    first.close()
    again = outbox(path, 1010.0)
    assert seqs(again) == [1, 2, 3, 4, 5]
    assert again.state("budget") == b"5"
    assert again.last_seq("e") == 5
    assert [again.read(each) for each in again.due(1e9, 99)] == [row(seq).payload for seq in range(1, 6)]
    assert again.statistics().storage == "disk"
    assert again.past is not None
    assert not again.past.clean


def test_what_the_hub_has_is_not_sent_again_but_kept_for_eight_days(path: Path) -> None:
    box = outbox(path)
    for seq in range(1, 11):
        box.commit([row(seq)], None, at(seq))
    assert box.acknowledge(stored((1, 4), (6, 6), (8, 10)), 0.0) == []
    box.write(at(11))
    box.close()
    box = outbox(path, 12)
    assert seqs(box) == [5, 7]
    assert len(box.recent(12.0)) == 10
    box.acknowledge(stored((5, 7)), 0.0)
    later = 8 * DAY_S
    box.commit([row(11, made_s=later)], None, at(later))
    box.commit([], None, at(later + 20))
    assert len(box.recent(later + 20, for_s=10 * DAY_S)) == 1
    box.close()
    assert seqs(outbox(path, later + 20)) == [11]


def test_acknowledged_frames_are_kept_within_bounds(path: Path) -> None:
    box = outbox(path)
    for seq in range(1, 60):
        box.put([row(seq, size=100_000)])
        box.acknowledge(stored((1, seq)), 0.0)
        box.commit([row(1000 + seq, size=10)], None, at(seq))
        box.commit([], None, at(seq))
    assert path.stat().st_size < 8 * 2**20


def test_an_acknowledgement_in_pieces_leaves_exactly_the_rest(path: Path) -> None:
    """Every second frame of many: more runs than are worth noting, so they go at once."""
    box = outbox(path)
    box.commit([row(seq) for seq in range(1, 401)], None, at(1))
    box.acknowledge(stored(*((seq, seq) for seq in range(1, 401, 2))), 0.0)
    box.write(at(2))
    box.close()
    assert seqs(outbox(path, 3)) == list(range(2, 401, 2))


def test_after_a_reboot_nothing_is_news_and_ages_count_lived_time_only(path: Path) -> None:
    box = outbox(path, 5000.0, boot="one", live_s=600.0)
    box.commit([row(1, made_s=5000.0)], None, at(5000.0))
    box.close()
    same = outbox(path, 5100.0, boot="one", live_s=600.0)
    assert [each.live for each in same.due(5100.0, 9)] == [True], "restarted at once: still news"
    same.close()
    for boot in ("two", "two", "three"):
        box = outbox(path, 20.0, boot=boot, live_s=600.0)
        (only,) = box.due(20.0, 9)
        assert not only.live
        assert -300.0 < only.made_s <= 20.0, "years in a drawer are not its age"
        box.write(at(21.0))
        box.close()


def test_a_second_agent_is_told_that_the_file_is_in_use(path: Path) -> None:
    box = outbox(path)
    box.commit([row(1)], None, at(1))
    child = f"""
from pathlib import Path
from ayni_agent.outbox_steady import SteadyOutbox
from ayni_core.clockwatch import Moment
box = SteadyOutbox(Path({str(path)!r}), Moment(mono_s=1.0, wall_s=1.0, synced=True), "b")
print(box.statistics().trouble, len(box))"""
    done = subprocess.run([sys.executable, "-c", child], capture_output=True, text=True, timeout=30)
    assert done.stdout.split() == ["busy", "0"], done.stderr


# ---- bounds


def test_the_oldest_go_first_are_counted_for_ever_and_the_newest_never_goes(path: Path) -> None:
    box = outbox(path, limits=Limits(size_bytes=1000))
    for seq in range(1, 16):
        box.commit([row(seq)], None, at(seq))
    assert seqs(box) == list(range(15, 5, -1)) or sorted(seqs(box)) == list(range(6, 16))
    box.commit([row(16, size=5000)], None, at(16))
    assert seqs(box) == [16]
    assert box.statistics().dropped == 15
    box.close()
    again = outbox(path, 17, limits=Limits(size_bytes=1000))
    assert (again.statistics().dropped, seqs(again)) == (15, [16])


def test_frames_older_than_the_bound_go(path: Path) -> None:
    box = outbox(path, limits=Limits(age_s=30 * DAY_S))
    for day in range(40):
        box.commit([row(day + 1, made_s=day * DAY_S)], None, at(day * DAY_S))
    assert min(seqs(box)) == 10
    assert box.statistics().dropped == 9


def test_memory_is_bounded_where_there_is_no_disk() -> None:
    box = outbox(None, limits=Limits(memory_bytes=1000))
    for seq in range(1, 30):
        box.commit([row(seq)], None, at(seq))
    assert sorted(seqs(box)) == list(range(20, 30))
    assert (box.statistics().storage, box.statistics().trouble) == ("memory", "none")


# ---- the hub's word


def test_a_refused_frame_is_kept_aside_with_its_reason_and_bounded(path: Path) -> None:
    box = outbox(path)
    for seq in range(1, 101):
        box.put([row(seq)])
    box.write(at(1))
    refused = tuple(Refused(seq=seq, reason=f"odd \ud800 {seq}") for seq in range(1, 100))
    assert len(box.acknowledge(Ack(epoch="e", refused=refused), 7.0)) == 99
    box.write(at(2))
    assert seqs(box) == [100]
    assert (box.refusals()[-1].seq, box.refusals()[-1].at) == (99, 7.0)
    box.close()
    again = outbox(path, 3)
    assert again.statistics().refused == 99
    assert [each.seq for each in again.refusals()] == list(range(50, 100))
    assert again.refusals()[0].reason == "odd ? 50"
    assert seqs(again) == [100]


def frame(seq: int) -> Frame:
    polls = DevicePolls()
    polls.add(0.0, {Series("radio", "wlan1", "signal_dbm"): -60})
    return Frame(
        node="pi", epoch="e", seq=seq, boot="b", mono_s=1.0, wall_s=5.0, synced=True, next_by_s=310,
        devices={"ap": polls},
    )  # fmt: skip


def test_an_unknown_dictionary_is_answered_without_it_once_and_for_all_restarts(path: Path) -> None:
    box = outbox(path)
    before = row_of("e", 1, codec.encode(frame(1), "field"), 1.0)
    box.commit([before, row_of("e", 2, codec.encode(frame(2), "field"), 2.0)], None, at(2))
    crc = before.crc
    assert box.acknowledge(Ack(epoch="", unread=(Unread(crc=crc, reason="dictionary"),)), 0.0) == []
    (first,) = [each for each in box.due(3.0, 9) if each.seq == 1]
    bare = box.read(first)
    assert bare is not None
    assert not bare[1] & 0x20, "no dictionary is named in the stream"
    assert codec.decode(bare) == frame(1)
    box.write(at(4))
    box.close()
    box = outbox(path, 5)
    (first,) = [each for each in box.due(6.0, 9) if each.seq == 1]
    assert box.read(first) == bare
    assert box.size_bytes == sum(each.size for each in box.due(6.0, 9))
    unread = Unread(crc=first.crc, reason="dictionary")
    box.acknowledge(Ack(epoch="", unread=(unread,)), 0.0)
    assert box.read(first) == bare, "it has none to leave out"
    assert box.acknowledge(Ack(epoch="", unread=(unread,)), 0.0) == ["dictionary"]
    assert seqs(box) == [2]


def test_a_frame_that_is_unread_for_another_reason_is_refused(path: Path) -> None:
    box = outbox(path)
    box.commit([row(1)], None, at(1))
    crc = box.due(1.0, 1)[0].crc
    assert box.acknowledge(Ack(epoch="", unread=(Unread(crc=crc, reason="damaged"),)), 0.0) == ["damaged"]
    assert box.acknowledge(Ack(epoch="", unread=(Unread(crc=crc, reason="damaged"),)), 0.0) == []
    assert [each.reason for each in box.refusals()] == ["damaged"]


def test_only_a_dictionary_can_be_left_out() -> None:
    assert without_dictionary(b"[1]") is None
    assert without_dictionary(b"\x78") is None
    assert without_dictionary(b"\x78\xf9garbage") is None


# ---- kills


def live_until_killed(path: Path, epoch: str, seed: int, told: int) -> None:
    """In a child: keep frames, take acknowledgements, and tell of each once it is done."""
    dice = random.Random(seed)
    box = outbox(path, boot=epoch)
    assert box.statistics().storage == "disk"
    found = box.due(1e9, 10**6)
    assert all(len(box.read(each) or b"") == each.size for each in found)
    os.write(told, " ".join(["found", *(f"{each.epoch}:{each.seq}" for each in found)]).encode() + b"\n")
    for seq in range(1, 10**6):
        size = dice.choice((30, 900, 4000, 20000))
        box.commit([row(seq, size=size, epoch=epoch)], {"last": b"%d" % seq}, at(seq))
        os.write(told, f"kept {epoch}:{seq}\n".encode())
        if dice.random() < 0.5:
            last = dice.randint(1, seq)
            box.acknowledge(stored((1, last), epoch=epoch), 0.0)
            names = " ".join(f"{epoch}:{each}" for each in range(1, last + 1))
            os.write(told, f"acked {names}\n".encode())


def what_it_told_before_it_was_killed(path: Path, epoch: str, seed: int, after_s: float) -> list[str]:
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            live_until_killed(path, epoch, seed, writing)
        finally:
            os._exit(1)
    os.close(writing)
    with open(reading, "rb") as told:
        lines = [told.readline()]
        threading.Timer(after_s, os.kill, (child, signal.SIGKILL)).start()
        lines += told.read().splitlines(keepends=True)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    return [line.decode() for line in lines if line.endswith(b"\n")]


def test_a_kill_at_any_instant_loses_nothing_that_was_kept(path: Path) -> None:
    """What was found and what was kept, less what was acknowledged, is found by the next. One commit may be
    there too whose end nobody saw; and what was acknowledged since the last commit is sent again.
    """
    dice = random.Random(4)
    kept: set[str] = set()
    acked: set[str] = set()
    for kill in range(30):
        found, *lines = what_it_told_before_it_was_killed(path, f"e{kill}", kill, dice.uniform(0.0, 0.08))
        names = set(found.split()[1:])
        assert kept - acked <= names, "lost"
        assert len(names - kept) <= 1, "out of nothing"
        kept = names
        for line in lines:
            word, *told = line.split()
            if word == "kept":
                kept |= set(told)
            else:
                acked |= set(told)
    assert len(kept) > 20
    assert outbox(path).statistics().damaged == 0


# ---- damage


def filled(path: Path, frames: int = 60, *, wal: bool = False) -> None:
    """A file as a power cut leaves it: checkpointed or with everything in its WAL."""
    box = outbox(path)
    for seq in range(1, frames + 1):
        box.commit([row(seq, size=2000)], {"identities": b"x" * 500}, at(seq))
    box.acknowledge(stored((1, 10)), 0.0)
    box.write(at(frames + 1))
    if wal:
        for each in (path, path.with_name(path.name + "-wal")):
            each.with_name("copy-" + each.name).write_bytes(each.read_bytes())
        box.close()
        for each in (path, path.with_name(path.name + "-wal")):
            each.with_name("copy-" + each.name).replace(each)
    else:
        box.close()


def files(path: Path, word: str) -> list[str]:
    return sorted(each.name for each in path.parent.glob(f"{path.name}.{word}*"))


def test_a_damaged_file_is_set_aside_and_what_can_be_read_is_rescued(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    filled(path)
    with path.open("r+b") as file:
        file.seek(70 * 1024)
        file.write(b"\xff" * 3000)
    with caplog.at_level(logging.INFO):
        box = outbox(path, 100)
    found = seqs(box)
    assert 40 <= len(found) < 50
    assert 60 in found
    assert 11 in found
    assert box.state("identities") == b"x" * 500
    assert box.statistics().storage == "disk"
    assert len([each for each in caplog.records if each.levelno >= logging.WARNING]) == 2, "aside, rescued"
    for each in box.due(1e9, 99):
        assert box.read(each) == row(each.seq, size=2000).payload
    assert (files(path, "damaged"), files(path, "rescue")) == (["agent.sqlite.damaged-1"], [])
    box.close()
    again = outbox(path, 101)
    assert sorted(seqs(again)) == sorted(found), "once rescued, it is in the new file"
    assert again.last_seq("e") == 60


def test_at_most_two_damaged_files_are_kept(path: Path) -> None:
    for _ in range(4):
        filled(path, 3)
        path.write_bytes(b"no database at all" * 1000)
        outbox(path, 50).close()
    assert files(path, "damaged") == ["agent.sqlite.damaged-3", "agent.sqlite.damaged-4"]


@pytest.mark.parametrize("wal", [False, True])
def test_files_cut_short_anywhere_never_stop_the_agent(path: Path, wal: bool) -> None:
    filled(path, 30, wal=wal)
    whole = {each: each.read_bytes() for each in path.parent.iterdir()}
    target = path.with_name(path.name + "-wal") if wal else path
    dice = random.Random(1)
    size = len(whole[target])
    cuts = [0, 1, 15, 16, 50, 99, 100, 1023, 1024, 1025, size - 1, *(dice.randrange(size) for _ in range(25))]
    rescued = []
    for cut in cuts:
        for each in path.parent.iterdir():
            each.unlink()
        for each, text in whole.items():
            each.write_bytes(text)
        os.truncate(target, cut)
        box = outbox(path, 100)
        assert box.statistics().storage == "disk", (cut, box.statistics())
        found = box.due(1e9, 99)
        assert all(box.read(each) == row(each.seq, size=2000).payload for each in found)
        rescued.append((cut, len(found)))
        assert box.commit([row(31)], None, at(101)), cut
        box.close()
        assert 31 in seqs(outbox(path, 102)), cut
    rescued.sort()
    assert rescued[-1][1] >= 18, "nearly whole: nearly all"
    assert [count for _cut, count in rescued] == sorted(count for _cut, count in rescued) or not wal


def test_random_damage_never_stops_the_agent(path: Path) -> None:
    filled(path, 30)
    whole = path.read_bytes()
    dice = random.Random(2)
    for _ in range(40):
        text = bytearray(whole)
        for _hit in range(dice.choice((1, 3, 200))):
            text[dice.randrange(len(text))] = dice.randrange(256)
        for each in path.parent.iterdir():
            each.unlink()
        path.write_bytes(text)
        box = outbox(path, 100)
        found = [(each, box.read(each)) for each in box.due(1e9, 99)]
        for each, payload in found:
            assert payload is None or payload == random.Random(each.seq).randbytes(len(payload))
        assert box.commit([row(31)], None, at(101)), box.statistics()
        box.close()


def test_damage_that_shows_while_it_runs_costs_only_what_is_damaged(path: Path) -> None:
    box = outbox(path)
    for seq in range(1, 41):
        box.commit([row(seq, size=3000)], None, at(seq))
    box._shut()  # so that nothing is left in the page cache of SQLite
    text = bytearray(path.read_bytes())
    place = text.index(row(20, size=3000).payload[:200])  # type: ignore[index]
    text[place] ^= 1
    path.write_bytes(text)
    box.write(at(50))
    assert [each.seq for each in box.due(1e9, 99) if box.read(each) is None] == [20]
    assert box.statistics().damaged == 1
    assert box.statistics().frames == 39
    assert sorted(seqs(box)) == [seq for seq in range(1, 41) if seq != 20]


def test_a_rescue_that_was_interrupted_is_begun_anew(path: Path) -> None:
    filled(path)
    path.replace(path.with_name("agent.sqlite.rescue-1"))
    box = outbox(path, 100)
    box.commit([row(61)], None, at(101))
    assert sorted(seqs(box)) == list(range(11, 62))
    assert files(path, "rescue") == []
    assert box.past is not None


def test_a_file_of_another_version_is_set_aside_and_its_frames_go_on(path: Path) -> None:
    filled(path)
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version=99")
    db.close()
    box = outbox(path, 100)
    assert sorted(seqs(box)) == list(range(11, 61))
    assert files(path, "damaged") == ["agent.sqlite.damaged-1"]


# ---- disks that do not work


@contextlib.contextmanager
def small_disk(folder: Path, size_kb: int) -> Iterator[Path]:
    """A file system of its own, which only root can make."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size_kb}k", "tmpfs", str(folder)], check=False
    )
    if made.returncode:
        pytest.skip("mounting is not allowed here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


def remount(folder: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(folder)], check=True)


def test_a_full_disk_keeps_it_in_memory_says_so_once_and_recovers_by_itself(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with small_disk(tmp_path / "card", 600) as card, caplog.at_level(logging.INFO):
        path = card / "agent.sqlite"
        box = outbox(path)
        box.commit([row(1, size=4000)], None, at(1))
        ballast = card / "ballast"
        with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)
        for seq in range(2, 200):
            box.commit([row(seq, size=4000)], {"n": b"%d" % seq}, at(seq * 300.0))
        said = box.statistics()
        assert (said.storage, said.trouble, said.frames) == ("memory", "full", 199)
        assert len([each for each in caplog.records if "memory only" in each.message]) == 1
        assert all(box.read(each) == row(each.seq, size=4000).payload for each in box.due(1e9, 999))
        box.acknowledge(stored((1, 190)), 0.0)
        ballast.unlink()
        assert box.commit([row(200)], None, at(10**6))
        assert box.statistics().storage == "disk"
        assert len([each for each in caplog.records if "on disk again" in each.message]) == 1
        box.close()
        assert sorted(seqs(outbox(path, 10**6))) == list(range(191, 201))


def test_a_full_disk_at_the_start_too(tmp_path: Path) -> None:
    with small_disk(tmp_path / "card", 200) as card:
        ballast = card / "ballast"
        with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)
        box = outbox(card / "state" / "agent.sqlite")
        box.commit([row(1)], None, at(1))
        assert (box.statistics().trouble, seqs(box)) == ("full", [1])
        ballast.unlink()
        assert box.commit([row(2)], None, at(1000))
        box.close()
        assert sorted(seqs(outbox(card / "state" / "agent.sqlite", 1001))) == [1, 2]


def test_a_disk_that_becomes_read_only_and_back(tmp_path: Path) -> None:
    with small_disk(tmp_path / "card", 4000) as card:
        box = outbox(card / "agent.sqlite")
        box.commit([row(1), row(2)], None, at(1))
        box._shut()  # the kernel does not let go of a file that is open for writing
        remount(card, "ro")
        assert not box.commit([row(3)], None, at(3))
        assert (box.statistics().trouble, sorted(seqs(box))) == ("read-only", [1, 2, 3])
        assert all(box.read(each) for each in box.due(1e9, 9)), "what lies there can still be read"
        remount(card, "rw")
        assert not box.commit([], None, at(4)), "too soon"
        assert box.commit([], None, at(40))
        assert all(box.read(each) for each in box.due(1e9, 9))


@pytest.mark.parametrize("wal", [False, True])
def test_a_read_only_disk_at_the_start_still_delivers_what_is_on_it(tmp_path: Path, wal: bool) -> None:
    with small_disk(tmp_path / "card", 4000) as card:
        path = card / "agent.sqlite"
        filled(path, 20, wal=wal)
        remount(card, "ro")
        box = outbox(path, 100)
        assert sorted(seqs(box)) == list(range(11, 21))
        said = box.statistics()
        assert (said.storage, said.trouble) == ("memory", "read-only")
        assert box.past is not None
        assert box.state("identities") == b"x" * 500
        assert not box.commit([row(21, made_s=101)], None, at(101))
        assert all(box.read(each) is not None for each in box.due(1e9, 99))
        box.acknowledge(stored((11, 15)), 0.0)
        remount(card, "rw")
        assert box.commit([], None, at(1000))
        assert box.statistics().storage == "disk"
        box.close()
        assert sorted(seqs(outbox(path, 1001))) == list(range(16, 22))


def test_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    """As somebody who is not root, in a child."""
    folder = tmp_path / "state"
    folder.mkdir(mode=0o755)
    child = f"""
import os
from pathlib import Path
from ayni_agent.outbox import row_of
from ayni_agent.outbox_steady import SteadyOutbox
from ayni_core.clockwatch import Moment
os.chmod({str(folder)!r}, 0o500)
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
now = Moment(mono_s=1.0, wall_s=1.0, synced=True)
for path in ({str(folder)!r} + "/agent.sqlite", {str(folder)!r} + "/below/agent.sqlite"):
    box = SteadyOutbox(Path(path), now, "b")
    box.commit([row_of("e", 1, b"xx", 1.0)], None, now)
    print(box.statistics().trouble, len(box))
"""
    for parent in (tmp_path, *tmp_path.parents[:3]):
        with contextlib.suppress(PermissionError):
            parent.chmod(parent.stat().st_mode | 0o055)
    done = subprocess.run([sys.executable, "-c", child], capture_output=True, text=True, timeout=30)
    assert "Traceback" not in done.stderr, done.stderr
    assert done.stdout.splitlines() == ["denied 1", "denied 1"], done.stderr


def test_tries_become_rarer_while_the_disk_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    box = outbox(blocked / "agent.sqlite")
    tries: list[float] = []
    real = SteadyOutbox._ready

    def counting(self: SteadyOutbox, path: Path, moment: Moment) -> None:
        tries.append(moment.mono_s)
        real(self, path, moment)

    monkeypatch.setattr(SteadyOutbox, "_ready", counting)
    for second in range(0, 4000, 10):
        box.write(at(second))
    pauses = [b - a for a, b in itertools.pairwise(tries)]
    assert pauses == sorted(pauses)
    assert max(pauses) == 900.0
    assert box.statistics().trouble == "denied"


def test_a_clean_end_is_remembered(path: Path) -> None:
    box = outbox(path)
    box.put([row(1)])
    assert box.write(at(5.0, wall_s=77.0), clean=True)
    box.close()
    again = outbox(path, 6)
    assert again.past is not None
    assert (again.past.clean, again.past.wall_s, again.past.boot) == (True, 77.0, "b")
    again.write(at(7))
    again.close()
    past = outbox(path, 8).past
    assert past is not None
    assert not past.clean


def test_a_book_that_makes_no_sense_is_an_empty_one() -> None:
    for text in (b"", b"[]", b'{"acked": 5}', b'{"last_seq": {"e": "x"}}', b'{"lived_s": null}'):
        assert outbox_file.book_of(text).last_seq == {}
