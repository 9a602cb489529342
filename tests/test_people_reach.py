"""How people are reached, as network.yaml says it: faults in one sentence, quiet hours, turns, odd days."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ayni_core import inventory
from ayni_core.inventory import Network
from ayni_core.reach import OnCall, Quiet, local_time, next_at
from ayni_core.schema import ConfigError, Faults, Fields
from ayni_hub import command_network
from ayni_io import timezones, yamlfile

BERLIN = ZoneInfo("Europe/Berlin")
LIMA = ZoneInfo("America/Lima")
WHOLE = """
network:
  title: T
  timezone: America/Lima
  heartbeat: {url: file:/x/heartbeat, every_min: 10}
  telegram: {token: credential:telegram}
sites: {torre: {}, escuela: {}}
people:
  ana:
    title: Ana
    language: es
    quiet: "22:00-06:30"
    quiet_all: true
    levels: critical
    sites: [escuela]
    digest: {daily: "07:00", weekly: "mon 07:30"}
    notify:
      phone: {kind: telegram, chat: "12345"}
      mail: {address: file:/x/ana}
      sms: {address: env:ANA_SMS, form: short}
  beto:
    timezone: Europe/Berlin
    notify: {mail: {kind: apprise, address: file:/x/beto}}
on_call: {people: [ana, beto], from: "2026-01-05 08:00", turn_days: 7}
escalation: {next_after_min: 15, all_after_min: 45}
"""


def read(text: str) -> Network:
    value, lines = yamlfile.load(text, "network.yaml")
    faults = Faults("network.yaml", lines)
    fields = Fields(value, "", faults)
    network = inventory.parse(fields)
    fields.done()
    faults.stop()
    return network


def test_everything_about_a_person_is_read() -> None:
    network = read(WHOLE)
    ana, beto = network.people["ana"].contact, network.people["beto"].contact
    assert [(each.name, each.kind, each.form) for each in ana.targets] == [
        ("phone", "telegram", "long"), ("mail", "apprise", "long"), ("sms", "apprise", "short"),
    ]  # fmt: skip
    assert ana.quiet == Quiet(start_min=22 * 60, end_min=6 * 60 + 30, all=True)
    assert (ana.daily_min, ana.weekly, ana.levels) == (7 * 60, (0, 7 * 60 + 30), "critical")
    assert (beto.quiet, beto.levels, beto.timezone) == (None, "warn", "Europe/Berlin")
    assert network.reach.heartbeat is not None and network.reach.heartbeat.every_min == 10
    assert network.reach.telegram is not None and network.reach.telegram.server == "https://api.telegram.org"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("file:/x/ana", "mailto://ana:secret@example.org", "never the secret itself"),
        ('chat: "12345"', "chat: 12345", 'must be a text; write it in quotes: "12345"'),
        ('chat: "12345"', 'chat: "@ana"', '"@ana" is no chat'),
        ("kind: apprise", "kind: apprize", 'unknown value "apprize"; did you mean "apprise"?'),
        ('"22:00-06:30"', '"22-6"', '"22-6" is no span of the day; expected such as "22:00-06:30"'),
        ('quiet: "22:00-06:30"\n    ', "", "quiet_all: means nothing without quiet"),
        ("levels: critical", "levels: crit", 'did you mean "critical"?'),
        ("[escuela]", "[escuella]", 'unknown site "escuella"; did you mean "escuela"?'),
        ('"07:00"', '"7:00"', '"7:00" is no time of day'),
        ('"mon 07:30"', '"monday 07:30"', '"monday 07:30" is no day and time; expected such as "mon 07:00"'),
        ("telegram: {token: credential:telegram}", "", "needs network.telegram with the token of a bot"),
        ("[ana, beto]", "[ana, bete]", 'unknown person "bete"; did you mean "beto"?'),
        ("[ana, beto]", "[ana, ana]", "each person stands here once"),
        ('"2026-01-05 08:00"', '"next monday"', '"next monday" is no date'),
        ("next_after_min: 15", "next_after: 15", 'unknown key; did you mean "next_after_min"?'),
        ('on_call: {people: [ana, beto], from: "2026-01-05 08:00", turn_days: 7}', "", "who comes next?"),
        ("token: credential:telegram", "token: 123:abc", "never the secret itself"),
        (
            "token: credential:telegram",
            'token: env:T, server: "http://example.org"',
            "the token travels there",
        ),
        ("url: file:/x/heartbeat", "url: https://hc.example/uuid", "never the secret itself"),
        ("timezone: Europe/Berlin", 'timezone: "../Berlin"', "is no name of a time zone"),
    ],
)
def test_a_fault_is_one_sentence_that_says_what_was_expected(old: str, new: str, said: str) -> None:
    assert old in WHOLE
    with pytest.raises(ConfigError) as caught:
        read(WHOLE.replace(old, new))
    assert said in str(caught.value)
    assert all(line.startswith("network.yaml:") for line in caught.value.faults)


def test_two_people_cannot_have_the_same_chat() -> None:
    other = 'notify: {phone: {kind: telegram, chat: "12345"}}'
    with pytest.raises(ConfigError, match="is the chat of ana already"):
        read(WHOLE.replace("notify: {mail: {kind: apprise, address: file:/x/beto}}", other))


def test_somebody_whose_turn_it_is_must_have_a_target() -> None:
    with pytest.raises(ConfigError, match="beto has no notify"):
        read(WHOLE.replace("notify: {mail: {kind: apprise, address: file:/x/beto}}", "levels: warn"))


def test_an_unknown_zone_is_a_fault_and_utc_needs_no_list() -> None:
    with pytest.raises(ConfigError, match='unknown time zone "Europe/Berlim"; did you mean "Europe/Berlin"'):
        timezones.find("Europe/Berlim", "network.yaml: network.timezone")
    assert timezones.find("UTC", "") is UTC


def test_ayni_network_check_looks_time_zones_up(tmp_path: Path) -> None:
    (tmp_path / "network.yaml").write_text(WHOLE.replace("Europe/Berlin", "Europe/Berlim"))
    with pytest.raises(ConfigError, match="unknown time zone"):
        command_network.main(["check", str(tmp_path / "network.yaml")])


# ---- the clock on the wall

NIGHT = Quiet(start_min=22 * 60, end_min=6 * 60 + 30)


@pytest.mark.parametrize(
    ("clock", "quiet"),
    [("21:59", False), ("22:00", True), ("00:00", True), ("06:29", True), ("06:30", False)],
)
def test_quiet_hours_go_over_midnight(clock: str, quiet: bool) -> None:
    local = datetime.fromisoformat(f"2026-03-10 {clock}").replace(tzinfo=LIMA)
    assert NIGHT.covers(local) is quiet


@pytest.mark.parametrize(
    ("begins", "hours"),
    [("2026-03-28 23:00", 6.5), ("2026-10-24 23:00", 8.5), ("2026-06-10 23:00", 7.5)],
    ids=["clocks go ahead", "clocks go back", "no change"],
)
def test_quiet_hours_end_by_the_clock_on_the_wall(begins: str, hours: float) -> None:
    local = datetime.fromisoformat(begins).replace(tzinfo=BERLIN)
    assert (NIGHT.ends(local) - local.timestamp()) / 3600 == hours


def test_an_end_in_the_hour_that_comes_twice_or_never_comes_once() -> None:
    early = Quiet(start_min=0, end_min=2 * 60 + 30)
    twice = datetime(2026, 10, 25, 1, 0, tzinfo=BERLIN)
    first = early.ends(twice)
    assert first - twice.timestamp() == 1.5 * 3600
    second = local_time(first + 1800, BERLIN)
    assert (second.hour, second.minute, second.fold) == (2, 0, 1)
    assert early.covers(second), "by the clock on the wall it is 02:00 again"
    assert early.ends(second) == first + 3600
    never = datetime(2026, 3, 29, 1, 0, tzinfo=BERLIN)
    assert early.ends(never) - never.timestamp() == 1.5 * 3600


@pytest.mark.parametrize("zone", [BERLIN, LIMA, UTC])
def test_a_digest_comes_once_each_day_of_a_year_at_its_time(zone: ZoneInfo) -> None:
    at = datetime(2026, 1, 1, 12, 0, tzinfo=zone).timestamp()
    days = set()
    for _ in range(365):
        at = next_at(local_time(at, zone), 7 * 60)
        local = local_time(at, zone)
        assert (local.hour, local.minute) == (7, 0)
        days.add(local.date())
    assert len(days) == 365


def test_a_weekly_digest_comes_on_its_day() -> None:
    local = datetime(2026, 3, 4, 12, 0, tzinfo=BERLIN)
    assert local_time(next_at(local, 450, 0), BERLIN).isoformat() == "2026-03-09T07:30:00+01:00"
    monday = local_time(next_at(local, 450, 0), BERLIN)
    assert next_at(monday, 450, 0) - monday.timestamp() == 7 * 86400


def test_turns_change_at_their_hour_also_where_the_clock_was_changed() -> None:
    rota = OnCall(people=("ana", "beto", "caro"), since=datetime(2026, 3, 23, 8, 0))
    first = datetime(2026, 3, 23, 8, 0, tzinfo=BERLIN)
    assert rota.order(first - timedelta(minutes=1))[0] == "ana", (
        "before the first turn it is the first person's"
    )
    assert rota.order(first)[0] == "ana"
    change = datetime(2026, 3, 30, 8, 0, tzinfo=BERLIN)
    assert rota.order(change - timedelta(minutes=1)) == ("ana", "beto", "caro")
    assert rota.order(change) == ("beto", "caro", "ana")
    assert rota.order(change + timedelta(days=14)) == ("ana", "beto", "caro")
