"""The drain turn by turn, at a server that is a dictionary, with a clock that the test moves."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from test_store_contract import START, report

from ayni_core.readings import Series
from ayni_hub.remote.drain import Drain
from ayni_hub.remote.marks import Times
from ayni_hub.remote.server import Found
from ayni_hub.remote.spool import Spool
from ayni_hub.store import Step, StoreError

TIMES = Times()
LINE = re.compile(r"([a-z]+),device=([^, ]+)(?:,item=([^ ]+))? ([^ ]+) ([0-9]+)")


class Memory:
    """Keeps what it is given, unless it is told otherwise."""

    kind, where, tags, repeats, forgets = "memory", "here", "", "", "let it keep more"

    def __init__(self) -> None:
        self.samples: dict[tuple[str, str, str, int], float] = {}
        self.away = False
        self.throws_away = False
        self.unwanted = ""
        self.written = 0

    def name(self, series: Series) -> str:
        return f"{series.group}_{series.metric}"

    def write(self, lines: Sequence[str]) -> None:
        if self.away:
            raise StoreError("memory is away")
        for line in lines:
            match = LINE.fullmatch(line)
            assert match is not None, line
            group, device, item, fields, time = match.groups()
            self.written += 1
            if self.throws_away or device == self.unwanted:
                continue
            for field in fields.split(","):
                metric, value = field.split("=")
                self.samples[device, f"{group}_{metric}", item or "", int(time) // 10] = float(value)

    def read(self, device: str, wanted: Sequence[Series] | None, first: int, end: int) -> Iterator[Found]:
        names = {self.name(each) for each in wanted or ()}
        for (owner, name, item, tick), value in list(self.samples.items()):
            if owner == device and first <= tick < end and (wanted is None or name in names):
                yield Found(owner, name, item, [(tick, value)])

    def count(self, devices: Sequence[str], first: int, last: int) -> int:
        if self.away:
            raise StoreError("memory is away")
        return sum(each[0] in devices and first <= each[3] <= last for each in self.samples)

    def steps(self, device: str, series: Series, first: int, end: int, step: int) -> list[Step]:
        raise NotImplementedError

    def close(self) -> None:
        pass


class Story:
    """A spool, a server and a drain whose seconds go by when they are told to."""

    def __init__(self, folder: Path) -> None:
        self.now = 1000.0
        self.server = Memory()
        self.spool = Spool(folder / "spool.db")
        self.drain = Drain(
            self.spool, self.server, oldest_s=0.0, times=TIMES,
            monotonic_s=lambda: self.now, wall_s=lambda: START + self.now,
        )  # fmt: skip

    def keep(self, *reports: int, device: str = "ap") -> None:
        self.drain.check()
        self.drain.put(self.spool.keep([report(seq, device) for seq in reports]))

    def pass_s(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            self.now += 1.0
            self.turn()

    def turn(self) -> None:
        try:
            while self.drain.turn():
                pass
        except StoreError:
            assert self.drain.trouble is not None


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    made = Story(tmp_path)
    yield made
    made.spool.close()


def of(story: Story, device: str) -> int:
    return sum(each[0] == device for each in story.server.samples)


def test_a_report_leaves_when_it_was_counted_some_minutes_later(story: Story) -> None:
    story.keep(0, 1)
    story.turn()
    assert (story.drain.waiting, story.drain.held, of(story, "ap")) == (0, 2, 40)
    story.pass_s(290)
    assert story.drain.held == 2
    story.pass_s(80)
    assert story.drain.held == 0
    assert story.spool.waiting() == []
    assert {series.metric: value for series, _at, value in story.spool.latest("ap")}["in_octets"] == 9000


def test_what_the_server_forgot_it_gets_again(story: Story) -> None:
    story.keep(0, 1, 2)
    story.pass_s(100)
    story.server.samples.clear()  # killed and started again between two turns
    story.pass_s(300)
    assert of(story, "ap") == 60
    story.pass_s(400)
    assert story.drain.held == 0
    assert story.drain.refused == 0


def test_forgetting_again_and_again_is_not_refusing(story: Story) -> None:
    story.keep(0)
    for _ in range(8):
        story.pass_s(250)
        story.server.samples.clear()
    assert story.drain.held == 1
    story.pass_s(800)
    assert (story.drain.held, story.drain.refused, of(story, "ap")) == (0, 0, 20)


def test_what_the_server_does_not_want_holds_up_nobody(
    story: Story, caplog: pytest.LogCaptureFixture
) -> None:
    story.server.unwanted = "old"
    story.keep(0, device="old")
    story.keep(0, device="new")
    story.pass_s(1500)
    assert (story.drain.held, story.drain.refused) == (0, 20)
    assert of(story, "new") == 20
    assert [record.message.count("does not keep samples") for record in caplog.records] == [1]


def test_while_it_is_away_nothing_is_taken_and_all_is_sent_again(story: Story) -> None:
    story.keep(0)
    story.pass_s(10)
    story.server.away = True
    story.server.samples.clear()
    story.keep(1)
    story.turn()
    with pytest.raises(StoreError, match="memory is away"):
        story.keep(2)
    written = story.server.written
    story.pass_s(120)
    assert story.server.written == written
    story.server.away = False
    story.pass_s(40)
    assert of(story, "ap") == 40
    story.keep(2)
    story.pass_s(800)
    assert (story.drain.held, of(story, "ap")) == (0, 60)


def test_a_server_that_throws_everything_away_is_as_good_as_away(story: Story) -> None:
    story.server.throws_away = True
    story.keep(0)
    story.pass_s(50)
    story.keep(1)
    story.pass_s(30)
    with pytest.raises(StoreError, match="they cannot be read back after 60 s"):
        story.keep(2)
    story.server.throws_away = False
    story.pass_s(60)
    story.keep(2)
    story.pass_s(800)
    assert (story.drain.held, of(story, "ap"), story.drain.refused) == (0, 60, 0)


def test_an_idle_hub_writes_a_mark_a_minute_and_no_more(story: Story) -> None:
    story.turn()
    story.server.written = 0
    story.pass_s(600)
    assert story.server.written == 10


def test_a_bug_is_no_reason_to_acknowledge(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_arguments: object) -> None:
        story.drain._end = True
        raise ZeroDivisionError("oh")

    story.keep(0)
    monkeypatch.setattr(story.server, "write", broken)
    story.drain._run()
    with pytest.raises(StoreError, match="bringing samples to here: ZeroDivisionError"):
        story.keep(1)
    assert story.drain.waiting == 1
