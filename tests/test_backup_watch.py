"""Backups that fail or grow old are told: an alert, events, Health as lines and on the screen."""

from __future__ import annotations

from pathlib import Path

import pytest

from ayni_console.view import health_words as say
from ayni_core import inventory
from ayni_core.inventory import Network
from ayni_core.schema import Faults, Fields
from ayni_core.wire.health import BackupHealth
from ayni_core.wire.messages import Alert, Event
from ayni_hub.backups import status
from ayni_hub.backups.status import BackupStatus, PlaceStatus
from ayni_hub.backups.watch import BackupWatch
from ayni_hub.judge import Judge
from ayni_hub.picture import Picture
from ayni_io.i18n import say as said
from ayni_io.rulebook import load_rules

NOW = 1_795_300_000.0
DAY = 86_400.0
RAW = {"network": {"title": "T"}, "sites": {"town": {}}, "nodes": {"pi": {"site": "town"}}}


def network() -> Network:
    faults = Faults("network.yaml")
    found = inventory.parse(Fields(RAW, "", faults))
    faults.stop()
    return found


class Central:
    """A judge and a desk that hears of backups."""

    def __init__(self) -> None:
        self.judge = Judge(network(), load_rules())
        self.backup: BackupHealth | None = None
        self.events: list[Event] = []
        self.watch = BackupWatch(Path(), NOW, self, self.judge, self.events.append)  # type: ignore[arg-type]

    def look(self, days: float, *places: PlaceStatus) -> list[Alert]:
        """The alerts that hold so many days later."""
        now = NOW + days * DAY
        found = BackupStatus(places={f"place {at}": each for at, each in enumerate(places)})
        self.watch.look(found, now)
        self.judge.tick(now)
        self.judge.tick(now + 120)
        return list(self.judge.alerts.values())


def good(days: float) -> PlaceStatus:
    return PlaceStatus(tried_at=NOW + days * DAY, good_at=NOW + days * DAY)


def test_the_newest_anywhere_counts_and_is_missed_after_three_days_until_there_is_one_again() -> None:
    central = Central()
    assert central.look(2.9) == [], "configured, and the first night may fail"
    (alert,) = central.look(3.1)
    assert (alert.level, alert.kind, alert.calls) == ("warn", "central", True)
    Picture(central.judge, {}, NOW).news(NOW + 3.1 * DAY, set())
    (alert,) = central.judge.alerts.values()
    assert alert.rule == "backup-old"
    assert said(alert.cause) == "no good backup"
    assert central.look(4, good(4)) == []
    old = PlaceStatus(tried_at=NOW + 7.5 * DAY, good_at=NOW + 4 * DAY, fault="no stick")
    assert central.look(7.5, old, good(7)) == []
    (alert,) = central.look(11, old, good(7))
    assert said(alert.text) == "The newest good backup is of 2026-11-28"
    (alert,) = central.look(18, old, good(7))
    assert alert.level == "critical"


def test_each_failure_is_an_event_once() -> None:
    central = Central()
    bad = PlaceStatus(tried_at=NOW, fault="no stick with the label AYNI is there")
    central.look(0, bad)
    assert central.events == [], "what was so before the central started was told then"
    central.look(1, good(1))
    central.look(2, bad)
    central.look(2.1, bad)
    assert [said(each.text) for each in central.events] == [
        "The backup of this night failed: no stick with the label AYNI is there"
    ]


def test_health_says_how_old_it_is_and_why_there_is_no_newer_one() -> None:
    def span(seconds: float) -> str:
        return f"{seconds / DAY:g} d"

    well = BackupHealth(since=NOW, good_at=NOW + 5 * DAY)
    assert say.backup(well, NOW + 6 * DAY, span) == "newest backup: 1 d old"
    assert say.backup_state(well, NOW + 6 * DAY) == "ok"
    assert say.backup_state(well, NOW + 8.1 * DAY) == "weak"
    failed = BackupHealth(since=NOW, fault="no stick")
    assert say.backup(failed, NOW + DAY, span) == "no backup yet; no stick"
    assert say.backup_state(failed, NOW + DAY) == "weak"
    assert say.backup_state(BackupHealth(since=NOW), NOW + DAY) == "ok"


@pytest.mark.parametrize("body", ["", "{", "[]", '{"places": {"a": {"b": 1}}}', '{"places": 7}'])
def test_a_status_that_cannot_be_read_is_as_if_there_was_none(body: str, tmp_path: Path) -> None:
    (tmp_path / status.FILE).write_text(body)
    assert status.read(tmp_path) == BackupStatus(places={})
