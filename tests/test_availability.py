"""What was up, what was down, what nobody saw: a central that was blind says so and counts nothing of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from test_alert_life import START, VILLAGE
from test_alert_storm import read
from test_judge import Town

from ayni_core.availability import Availability, availability
from ayni_hub.alerting.blindness import LEAST_S, Blind, Blindness
from ayni_hub.alerting.life import Life
from ayni_hub.alerting.states import STEADY_S
from ayni_hub.ledger import Ledger
from ayni_io import timezones


@pytest.mark.parametrize(
    ("changes", "blind", "expected"),
    [
        ([], [], (0, 0, 100)),
        ([(-50, "ok")], [], (100, 0, 0)),
        ([(0, "ok"), (40, "down"), (60, "weak")], [], (80, 20, 0)),
        ([(40, "down"), (0, "ok"), (60, "weak")], [], (80, 20, 0)),
        ([(0, "ok"), (40, "no_news"), (60, "ok")], [], (80, 0, 20)),
        ([(0, "ok")], [(20, 50)], (70, 0, 30)),
        ([(0, "ok"), (30, "silent")], [(20, 50), (40, 60), (-10, 5), (95, 500)], (15, 35, 50)),
        ([(0, "down")], [(-100, 1000)], (0, 0, 100)),
        ([(50, "ok"), (500, "down")], [], (50, 0, 50)),
    ],
)
def test_every_second_is_up_down_or_not_known(
    changes: list[tuple[float, str]], blind: list[tuple[float, float]], expected: tuple[float, float, float]
) -> None:
    found = availability(changes, blind, 0, 100)
    assert (found.up_s, found.down_s, found.unknown_s) == expected


def test_the_share_is_of_what_is_known() -> None:
    assert availability([(0, "ok"), (25, "down"), (50, "unknown")], [], 0, 100).up == 0.5
    assert Availability(unknown_s=9).up is None
    assert availability([(0, "ok")], [], 10, 10) == Availability()


# ---- blindness


def test_a_hub_that_did_not_run_was_blind_until_it_sees_again() -> None:
    found = Blindness(START, START + 600, 50.0)
    assert found.look(START + 601, 51.0, "broker") is None
    assert found.look(START + 620, 70.0, "") == Blind(start=START, end=START + 620, cause="stopped")
    assert found.look(START + 621, 71.0, "") is None


def test_a_quick_restart_is_no_blindness() -> None:
    found = Blindness(START, START + LEAST_S - 5, 50.0)
    assert found.look(START + LEAST_S - 4, 51.0, "") is None


@pytest.mark.parametrize("cause", ["broker", "store", "clock"])
def test_nothing_to_see_for_a_while_is_told_when_it_is_over(cause: str) -> None:
    found = Blindness(None, START, 0.0)
    for second in range(300):
        assert found.look(START + second, float(second), cause if second > 10 else "") is None
    assert found.look(START + 300, 300.0, "") == Blind(start=START + 10, end=START + 300, cause=cause)


def test_a_machine_that_slept_was_blind_and_a_clock_that_jumps_was_not() -> None:
    found = Blindness(START, START, 0.0)
    found.look(START + 1, 1.0, "")
    assert found.look(START + 1e8, 2.0, "") is None, "the wall clock jumped ahead"
    assert found.look(START + 3, 3.0, "") is None
    assert found.look(START + 3600, 3600.0, "") == Blind(start=START + 3, end=START + 3600, cause="asleep")


def test_a_last_word_from_the_future_says_nothing() -> None:
    found = Blindness(START + 1e8, START, 0.0)
    assert found.look(START + 1, 1.0, "") is None


# ---- together


class Hut:
    """The small town of the judge's tests with a ledger, over which a hub lives and dies."""

    def __init__(self, tmp_path: Path, saved: Hut | None = None) -> None:
        self.path = tmp_path
        self.town = Town(tmp_path, saved.town if saved else None)
        self.town.now = saved.town.now if saved else self.town.now
        self.ledger = Ledger(tmp_path / "ledger.db")
        zone = timezones.find("America/Lima", "test")
        town = self.town
        self.life = Life(town.network, town.judge, town.picture, self.ledger, zone, town.now, town.now)
        self.told: list[Any] = []

    def live(self, seconds: int, cause: str = "", step: int = 1, **what: Any) -> None:
        """The hub's loop."""
        end = self.town.now + seconds
        while self.town.now < end:
            before = self.town.now
            if not cause and before // 60 != (before + step) // 60:
                self.town.now = (before + step) // 60 * 60 - 60
                self.town.minute(**what)
            self.town.now = before + step
            if self.life.look(self.town.now, self.town.now, cause):
                everybody = set(self.town.network.nodes)
                self.town.judge.excuse(everybody if cause else set(), self.town.now)
            self.town._tell()
            self.told += self.life.write(self.town.now, self.town.now)

    def stop(self, seconds: float) -> Hut:
        """Killed; started again after so long."""
        self.ledger.close()
        self.town.now += seconds
        return Hut(self.path, self)

    def of(self, name: str, start: float, end: float) -> Availability:
        memory = self.life.memory
        blind = [(each.start, each.end) for each in memory.blind(start, end)]
        return availability(memory.changes("link", name, start, end), blind, start, end)


def test_a_hub_that_was_down_says_from_when_to_when_and_counts_nothing_of_it(tmp_path: Path) -> None:
    hut = Hut(tmp_path)
    begin = hut.town.now
    hut.live(600, step=5)
    assert hut.told == []
    hut.live(600, step=5, dead={"cerro-st"}, deaf={"torre-ap"})
    again = hut.stop(1800)
    again.live(30, cause="broker", step=5)
    again.live(600, step=5)
    (event,) = again.told
    assert event.text.context == "event.blind_stopped"
    assert str(event.text.values["start"]) in ("2025-10-09 04:12", "2025-10-09 04:13"), "the clock of Lima"
    assert again.ledger.events(None, 1) == [event]
    found = again.of("torre-cerro", begin, again.town.now)
    assert found.up_s + found.down_s + found.unknown_s == pytest.approx(again.town.now - begin)
    assert found.unknown_s == pytest.approx(1800 + 30 + 60, abs=90)
    assert found.down_s == pytest.approx(600 - 180, abs=150)
    third = again.stop(20)
    third.live(100, step=5)
    assert third.told == []
    hours = range(int(begin // 3600), int(again.town.now // 3600) + 1)
    assert sum(again.life.blind_s(hour) for hour in hours) == pytest.approx(1830, abs=70)
    assert sum(third.life.blind_s(hour) for hour in hours) == pytest.approx(1830, abs=70)


def test_while_the_broker_is_away_no_monitor_is_called_silent(tmp_path: Path) -> None:
    hut = Hut(tmp_path)
    hut.live(300, step=5)
    hut.live(3600, cause="broker", step=20)
    assert hut.town.judge.alerts == {}
    assert hut.told == []
    hut.live(300, step=5)
    (event,) = hut.told
    assert event.text.context == "event.blind_broker"
    assert hut.town.judge.alerts == {}
    (blind,) = hut.life.memory.blind(0, 2e9)
    assert blind.end - blind.start == pytest.approx(3600, abs=10)


def test_a_monitor_that_was_silent_before_is_so_after_it_until_it_reports(tmp_path: Path) -> None:
    hut = Hut(tmp_path)
    hut.live(300, step=5)
    hut.live(600, step=20, quiet={"pi2"})
    assert "agent-offline--node--pi2" in hut.town.judge.alerts
    hut.live(30, cause="broker", step=5)
    hut.live(900, step=20, quiet={"pi2"})
    hut.live(120, step=5)
    about = [level for level, _kind, name in hut.town.events if name == "pi2"]
    assert (about[0], about[-1], about.count("clear")) == ("warn", "clear", 1)


def test_told_and_kept_is_one_step_so_a_kill_between_tells_nothing_twice(tmp_path: Path) -> None:
    hut = Hut(tmp_path).stop(3600)
    hut = hut.stop(7200)
    assert hut.life.memory.seen() is None, "it never saw"
    hut.live(30, step=5)
    again = hut.stop(7200)
    again.live(int(STEADY_S) + 60, step=5)
    third = again.stop(30)
    third.live(300, step=5)
    contexts = [event.text.context for event in third.ledger.events(None, 9)]
    assert contexts == ["event.blind_stopped"]


def test_a_heartbeat_is_written_once_a_minute_and_states_when_they_change(tmp_path: Path) -> None:
    hut = Hut(tmp_path)
    hut.live(120, step=5)
    before = hut.ledger.file.db.total_changes
    hut.live(1200, step=5)
    assert hut.ledger.file.db.total_changes - before <= 1200 / 60 + 1


def test_names_of_time_zones_and_windows_are_looked_at() -> None:
    network = read(VILLAGE | {"network": {"title": "T", "timezone": "America/Lima"}})
    assert network.timezone == "America/Lima"
