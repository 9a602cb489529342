"""The life of an alert: settled, flapping, taken on, in maintenance, over; and what of it a restart keeps."""

from __future__ import annotations

from datetime import UTC
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from test_alert_storm import read

from ayni_core import maintenance
from ayni_core.inventory import Network
from ayni_core.maintenance import Window
from ayni_core.rules import Rule, Track
from ayni_core.topology import build
from ayni_core.wire.messages import Alert
from ayni_core.wire.questions import AskAck, AskMaintain, AskMaintained, AskMaintenance, Done, Maintenance
from ayni_hub.alerting.blindness import Blind
from ayni_hub.alerting.book import CALM_S, AlertBook
from ayni_hub.alerting.desk import AlertDesk
from ayni_hub.alerting.memory import AlertMemory
from ayni_hub.alerting.states import STEADY_S, Change, States
from ayni_hub.alerting.subject import Subject
from ayni_hub.alerting.windows import Windows
from ayni_hub.ledger import Ledger, LedgerError

START = 1_760_000_000.0
VILLAGE: dict[str, Any] = {
    "network": {"title": "T", "poll_s": 60, "flush_s": 300},
    "people": {"ana": {"title": "Ana"}, "tom": {"role": "viewer"}, "rosa": {"role": "trainer"}},
    "sites": {"town": {"homes": 5}, "hill": {"homes": 7}, "far": {"homes": 9}},
    "nodes": {"pi": {"site": "town"}, "pi2": {"site": "hill"}, "pi3": {"site": "far"}},
    "devices": {
        "gw": {"site": "town", "node": "pi", "address": "10.0.0.1"},
        "switch": {"site": "town", "node": "pi", "address": "10.0.0.9"},
        "sector": {
            "site": "town", "node": "pi", "address": "10.0.0.2",
            "powered_by": {"device": "switch", "port": "3"},
        },
        "hill-st": {"site": "hill", "node": "pi", "address": "10.0.0.3"},
        "hill-ap": {"site": "hill", "node": "pi", "address": "10.0.0.4"},
        "far-st": {"site": "far", "node": "pi", "address": "10.0.0.5"},
    },
    "links": {
        "town-hill": {"title": "Town-Hill", "a": {"device": "sector"}, "b": {"device": "hill-st"}},
        "hill-far": {"a": {"device": "hill-ap"}, "b": {"device": "far-st"}},
    },
    "upstreams": {"fibre": {"device": "gw", "interface": "wan"}},
}  # fmt: skip
KINDS = {"link-down": "link", "device-silent": "device", "agent-offline": "node", "upstream-down": "upstream"}
RULES = {
    name: Rule(name=name, scope=kind, metric="m", test="equals", text="rule.link_down", critical=0)
    for name, kind in [*KINDS.items(), ("port-slow", "device"), ("signal-low", "link"), ("weak-rate", "link")]
}


class Desktop:
    """A book that is told by hand what turned; `heard` is when monitors were heard."""

    def __init__(self, network: Network | None = None, before: Desktop | None = None) -> None:
        self.network = network or read(VILLAGE)
        self.now = START
        self.heard: dict[str, float] = {}
        self.book = AlertBook(self.network, build(self.network), RULES)
        self.events: list[tuple[str, str]] = []
        if before is not None:
            self.book = AlertBook(self.network, build(self.network), RULES, before.book.alerts)
            self.book.recall(before.fired)
            self.now, self.heard = before.now, before.heard
        self.fired: dict[str, tuple[float, ...]] = {}

    def turn(self, rule: str, name: str, level: str | None = "critical", *, ago: float = 0.0) -> str:
        subject = Subject(RULES[rule].scope, name)
        track = Track(level=level, since=self.now - ago)
        self.book.turned(RULES[rule], subject, track, self.now, None)
        return f"{rule}--{subject.kind}--{name}"

    def wait(self, seconds: float = 1.0, step: float = 5.0) -> None:
        until = self.now + seconds
        while self.now < until:
            self.now = min(self.now + step, until)
            self.book.relate(self.now, self.heard.get)
            self.events += [(event.level, event.text.context) for event in self.book.flush()[1]]
            self.fired |= self.book.fired(self.now)

    def calls(self) -> set[str]:
        return {alert.id for alert in self.book.alerts.values() if alert.calls}

    def roots(self) -> dict[str, str]:
        return {alert.id: alert.silenced_by for alert in self.book.alerts.values() if alert.silenced_by}

    def alert(self, identifier: str) -> Alert:
        return self.book.alerts[identifier]


# ---- who explains whom


def test_an_alert_is_settled_after_a_poll_and_one_of_a_way_out_at_once() -> None:
    desk = Desktop()
    slow = desk.turn("port-slow", "gw")
    out = desk.turn("upstream-down", "fibre")
    desk.wait(1)
    assert desk.calls() == {out}
    desk.wait(58)
    assert desk.calls() == {out}
    desk.wait(5)
    assert desk.calls() == {out, slow}


def test_a_root_that_comes_a_little_later_speaks_instead() -> None:
    desk = Desktop()
    child = desk.turn("device-silent", "far-st")
    desk.wait(30)
    root = desk.turn("link-down", "town-hill")
    desk.wait(70)
    assert desk.calls() == {root}
    assert desk.roots() == {child: root}
    alert = desk.alert(root)
    assert (alert.behind_alerts, alert.behind_sites, alert.homes) == (1, 2, 16)


def test_a_switch_that_dies_explains_what_it_powers_and_all_that_hangs_on_that() -> None:
    desk = Desktop()
    root = desk.turn("device-silent", "switch")
    others = {
        desk.turn("device-silent", "sector"),
        desk.turn("link-down", "town-hill"),
        desk.turn("device-silent", "hill-st"),
        desk.turn("link-down", "hill-far"),
        desk.turn("port-slow", "sector"),
    }
    desk.wait(65)
    assert desk.calls() == {root}
    assert desk.roots() == dict.fromkeys(others, root)
    assert (desk.alert(root).behind_sites, desk.alert(root).homes) == (2, 16)


def test_a_radio_with_many_links_that_dies_speaks_for_its_links() -> None:
    desk = Desktop()
    root, link = desk.turn("device-silent", "sector"), desk.turn("link-down", "town-hill")
    desk.wait(65)
    assert desk.roots() == {link: root}


def test_the_far_radio_is_explained_by_its_link() -> None:
    desk = Desktop()
    far, link = desk.turn("device-silent", "hill-st"), desk.turn("link-down", "town-hill")
    desk.wait(65)
    assert desk.roots() == {far: link}


def test_a_dark_site_speaks_by_one_device_and_explains_its_monitor_and_what_is_behind() -> None:
    desk = Desktop()
    first = desk.turn("device-silent", "hill-ap")
    speaks = desk.turn("device-silent", "hill-st")
    node = desk.turn("agent-offline", "pi2")
    behind = desk.turn("device-silent", "far-st")
    desk.heard = {"pi": START + 60}
    desk.wait(65)
    assert desk.roots() == {first: speaks, node: speaks, behind: speaks}
    assert (desk.alert(speaks).behind_sites, desk.alert(speaks).homes) == (2, 16)


def test_one_of_two_devices_that_was_dead_for_long_does_not_hide_that_the_site_is_dark_now() -> None:
    desk = Desktop()
    old = desk.turn("device-silent", "hill-st", ago=7 * 86_400)
    desk.wait(65)
    new = desk.turn("device-silent", "hill-ap")
    behind = desk.turn("device-silent", "far-st")
    desk.wait(65)
    assert new in desk.calls()
    assert desk.roots() == {behind: new, old: new}


def test_what_began_long_after_a_cut_was_reachable_and_speaks_for_itself() -> None:
    desk = Desktop()
    cut = desk.turn("link-down", "town-hill", ago=86_400)
    desk.wait(65)
    other = desk.turn("device-silent", "far-st")
    desk.wait(65)
    assert desk.calls() == {cut, other}


def test_a_monitor_behind_a_cut_is_explained_unless_it_or_another_behind_it_was_heard_since() -> None:
    desk = Desktop()
    desk.heard = {"pi": START + 900, "pi2": START - 60, "pi3": START - 60}
    cut = desk.turn("link-down", "town-hill")
    desk.wait(300)
    node = desk.turn("agent-offline", "pi2", ago=10)
    desk.wait(65)
    assert desk.roots() == {node: cut}
    desk.heard["pi3"] = START + 400
    desk.wait(600)
    assert desk.calls() == {cut, node}, "there is another way: its silence is its own"


def test_a_hub_behind_the_cut_does_not_hear_the_monitors_before_it() -> None:
    desk = Desktop()
    desk.heard = {"pi": START - 60, "pi2": START - 60, "pi3": START + 900}
    cut = desk.turn("link-down", "hill-far")
    desk.wait(300)
    nodes = {desk.turn("agent-offline", "pi", ago=10), desk.turn("agent-offline", "pi2", ago=10)}
    desk.wait(65)
    assert desk.roots() == dict.fromkeys(nodes, cut)


def test_a_monitor_that_died_long_ago_does_not_hide_another() -> None:
    desk = Desktop()
    desk.heard = {"pi": START, "pi2": START, "pi3": START}
    old = desk.turn("agent-offline", "pi2")
    desk.heard |= {"pi": START + 86_400, "pi3": START + 86_400}
    desk.wait(86_400, step=600)
    assert desk.calls() == {old}
    new = desk.turn("agent-offline", "pi3")
    desk.wait(30)
    assert desk.calls() == {old}, "nobody knows yet whether it is alone"
    desk.heard["pi"] = desk.now
    desk.wait(60)
    assert desk.calls() == {old, new}


def test_a_monitor_waits_for_others_no_longer_than_their_next_report_may_take() -> None:
    desk = Desktop()
    desk.heard = {"pi": START, "pi2": START, "pi3": START}
    alone = desk.turn("agent-offline", "pi3")
    desk.wait(410)
    assert desk.calls() == set()
    desk.wait(20)
    assert desk.calls() == {alone}


def test_what_still_holds_when_its_root_is_over_speaks_two_polls_later() -> None:
    desk = Desktop()
    root, child = desk.turn("link-down", "town-hill"), desk.turn("device-silent", "far-st")
    desk.wait(65)
    desk.turn("link-down", "town-hill", None)
    desk.wait(115)
    assert desk.calls() == set()
    assert desk.roots() == {child: root}, "for two polls it names what is gone"
    desk.wait(10)
    assert desk.calls() == {child}


def test_a_restart_within_that_time_begins_it_anew_and_tells_nothing() -> None:
    desk = Desktop()
    desk.turn("link-down", "town-hill")
    child = desk.turn("device-silent", "far-st")
    desk.wait(65)
    desk.turn("link-down", "town-hill", None)
    desk.wait(60)
    again = Desktop(before=desk)
    again.wait(100)
    assert again.calls() == set()
    again.wait(25)
    assert again.calls() == {child}
    assert again.events == []


def test_what_befalls_a_link_together_is_one_alert_and_what_comes_another_day_another() -> None:
    desk = Desktop()
    first = desk.turn("signal-low", "town-hill", "warn")
    subject = Subject("link", "town-hill", "b")
    desk.book.turned(RULES["signal-low"], subject, Track(level="warn", since=desk.now + 120), desk.now, None)
    desk.wait(65)
    assert desk.calls() == {first}
    desk.wait(7200, step=60)
    later = desk.turn("weak-rate", "town-hill", "warn")
    desk.wait(65)
    assert desk.calls() == {first, later}
    worse = desk.turn("link-down", "town-hill")
    desk.wait(65)
    assert desk.calls() == {worse}


def test_after_a_restart_a_monitor_that_reports_seldom_is_still_explained_by_its_cut() -> None:
    desk = Desktop()
    desk.heard = {"pi": START + 9000, "pi2": START - 60, "pi3": START - 60}
    cut = desk.turn("link-down", "town-hill")
    desk.wait(3600, step=60)
    node = desk.turn("agent-offline", "pi2")
    desk.wait(65)
    assert desk.roots() == {node: cut}
    again = Desktop(before=desk)
    again.heard = {}
    again.wait(1200, step=20)
    assert again.roots() == {node: cut}


def test_probes_of_the_internet_are_explained_by_the_way_out() -> None:
    source = {"kind": "probes", "probes": {"p": {"what": "ping", "host": "9.9.9.9"}}}
    network = read(
        VILLAGE | {"devices": VILLAGE["devices"] | {"look": {"site": "far", "node": "pi", "source": source}}}
    )
    desk = Desktop(network)
    probe, other = desk.turn("port-slow", "look"), desk.turn("port-slow", "far-st")
    out = desk.turn("upstream-down", "fibre")
    desk.wait(65)
    assert desk.roots() == {probe: out}
    assert desk.calls() == {out, other}


# ---- flapping


def test_what_comes_and_goes_is_told_once_and_speaks_again_when_it_is_calm_and_bad() -> None:
    desk = Desktop()
    for _ in range(10):
        flaps = desk.turn("link-down", "town-hill")
        desk.wait(120)
        desk.turn("link-down", "town-hill", None)
        desk.wait(120)
    fires, clears = (
        desk.events.count(("critical", "rule.link_down")),
        desk.events.count(("clear", "rule.link_down")),
    )
    assert (fires, clears) == (4, 3)
    assert desk.events.count(("note", "event.flapping")) == 1
    alert = desk.alert(flaps)
    assert (alert.flapping, alert.holds, alert.calls) == (True, False, False)
    desk.turn("link-down", "town-hill")
    desk.wait(CALM_S - 10)
    assert desk.alert(flaps).flapping
    desk.wait(20)
    assert not desk.alert(flaps).flapping
    assert desk.events[-1] == ("critical", "rule.link_down")


def test_what_is_down_for_less_than_a_poll_again_and_again_calls_somebody_once() -> None:
    desk = Desktop()
    called = []
    for _ in range(12):
        flaps = desk.turn("link-down", "town-hill")
        desk.wait(30)
        desk.turn("link-down", "town-hill", None)
        for _times in range(18):
            desk.wait(5)
            called.append(desk.calls())
    assert called[:54] == [set()] * 54, "what is over within a poll is nobody's business, three times"
    assert [each for each, after in pairwise(called) if each != after] == [set(), {flaps}], "then once"
    assert desk.alert(flaps).flapping


def test_what_flapped_and_is_calm_and_well_is_over_and_a_restart_forgets_none_of_it() -> None:
    desk = Desktop()
    for _ in range(3):
        desk.turn("link-down", "town-hill")
        desk.wait(120)
        desk.turn("link-down", "town-hill", None)
        desk.wait(120)
    again = Desktop(before=desk)
    flaps = again.turn("link-down", "town-hill")
    again.wait(30)
    again.turn("link-down", "town-hill", None)
    again.wait(10)
    third = Desktop(before=again)
    third.wait(150)
    assert third.alert(flaps).flapping
    third.wait(CALM_S)
    assert third.book.alerts == {}
    assert third.events == [("clear", "rule.link_down")]
    third.wait(3600, step=600)
    third.turn("port-slow", "gw")
    third.wait(10)
    assert third.fired[flaps] == (), "forgotten on the disk, too"


def test_three_times_within_an_hour_is_not_flapping_nor_four_in_many_hours() -> None:
    desk = Desktop()
    for _ in range(8):
        desk.turn("link-down", "town-hill")
        desk.wait(60)
        desk.turn("link-down", "town-hill", None)
        desk.wait(1200)
    assert ("note", "event.flapping") not in desk.events
    assert desk.events.count(("clear", "rule.link_down")) == 8


# ---- people


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.db")


class Office:
    """A desk for people over a desktop."""

    def __init__(self, ledger: Ledger, before: Desktop | None = None) -> None:
        self.desktop = Desktop(before=before)
        self.ledger = ledger
        self.memory = AlertMemory(ledger)
        self.windows = Windows(self.desktop.network, UTC, self.memory.windows())
        self.desk = AlertDesk(self.desktop.network, self.desktop.book, self.windows, self.memory)

    def ask(self, asked: Any, user: str = "ana") -> str | None:
        answer = self.desk.answer(asked, user, self.desktop.now)
        assert isinstance(answer, Done)
        return answer.error.context if answer.error else None

    def wait(self, seconds: float, step: float = 5.0) -> None:
        until = self.desktop.now + seconds
        while self.desktop.now < until:
            if self.windows.look(self.desktop.now + step):
                self.desktop.book.in_maintenance = self.windows.asked
                self.desktop.book.look_again()
            self.desktop.wait(step, step)


def test_somebody_takes_an_alert_on_and_gives_it_back_and_all_of_it_is_written_down(ledger: Ledger) -> None:
    office = Office(ledger)
    alert = office.desktop.turn("link-down", "town-hill")
    office.wait(65)
    assert office.ask(AskAck(alert=alert, note=" I go  there ")) is None
    assert office.desktop.calls() == set()
    found = office.desktop.alert(alert)
    assert (found.acked_by, found.ack_note, found.acked_at) == ("Ana", "I go there", office.desktop.now)
    assert ledger.alerts()[alert].acked_by == "Ana", "before the answer, whatever happens next"
    assert office.ask(AskAck(alert=alert, note="I go there")) is None, "asked twice, told once"
    assert office.ask(AskAck(alert=alert, author="Luz", back=True), "rosa") is None
    assert office.desktop.calls() == {alert}
    assert office.ask(AskAck(alert=alert, back=True)) == "answer.not_taken_on"
    told = [(event.text.context, event.author, event.name) for event in ledger.events(None, 9)]
    assert told == [
        ("event.given_back", "rosa", "town-hill"),
        ("event.taken_on_note", "ana", "town-hill"),
    ]
    assert ledger.events(None, 1)[0].text.values["author"] == "Luz (rosa)"


def test_who_may_only_look_may_not_take_on_nor_announce_maintenance(ledger: Ledger) -> None:
    office = Office(ledger)
    alert = office.desktop.turn("link-down", "town-hill")
    for user in ("tom", "stranger"):
        assert office.ask(AskAck(alert=alert), user) == "answer.not_allowed"
        assert office.ask(AskMaintain(for_s=60), user) == "answer.not_allowed"
        assert office.ask(AskMaintained(id="m1"), user) == "answer.not_allowed"
    assert office.ask(AskAck(alert="gone")) == "answer.no_such_alert"
    assert ledger.events(None, 9) == []


def test_what_gets_worse_asks_again_and_what_comes_again_is_nobodys(ledger: Ledger) -> None:
    office = Office(ledger)
    alert = office.desktop.turn("signal-low", "town-hill", "warn")
    office.wait(65)
    assert office.ask(AskAck(alert=alert)) is None
    office.desktop.turn("signal-low", "town-hill", "critical")
    office.wait(5)
    assert office.desktop.calls() == {alert}
    assert office.ask(AskAck(alert=alert)) is None
    office.desktop.turn("signal-low", "town-hill", "warn")
    office.wait(5)
    assert office.desktop.calls() == set(), "better is no reason to call anybody"
    office.desktop.turn("signal-low", "town-hill", None)
    office.wait(5)
    office.desktop.turn("signal-low", "town-hill", "warn")
    office.wait(65)
    assert office.desktop.calls() == {alert}


def test_who_has_it_in_hand_survives_a_restart(ledger: Ledger) -> None:
    office = Office(ledger)
    alert = office.desktop.turn("link-down", "town-hill")
    office.wait(65)
    assert office.ask(AskAck(alert=alert, note="n")) is None
    again = AlertBook(office.desktop.network, build(office.desktop.network), RULES, ledger.alerts())
    assert again.alerts[alert].acked_by == "Ana"


def test_when_it_cannot_be_written_nothing_was_done(ledger: Ledger) -> None:
    office = Office(ledger)
    alert = office.desktop.turn("link-down", "town-hill")
    ledger.close()
    with pytest.raises(LedgerError):
        office.desk.answer(AskAck(alert=alert), "ana", START)
    with pytest.raises(LedgerError):
        office.desk.answer(AskMaintain(for_s=600), "ana", START)
    assert office.desktop.alert(alert).acked_by is None
    assert office.windows.made == {}


def test_in_maintenance_nobody_is_called_and_what_holds_at_its_end_speaks_then(ledger: Ledger) -> None:
    office = Office(ledger)
    assert office.ask(AskMaintain(kind="site", name="hill", for_s=1800, note="new mast")) is None
    inside = office.desktop.turn("device-silent", "hill-ap")
    outside = office.desktop.turn("port-slow", "gw")
    office.wait(90)
    assert office.desktop.calls() == {outside}
    assert office.desktop.alert(inside).maintenance == "m1"
    again = Office(ledger, before=office.desktop)
    again.wait(60)
    assert again.desktop.calls() == {outside}, "a restart does not end it"
    again.wait(1700)
    assert again.desktop.calls() == {outside, inside}
    assert again.desk.maintenance(again.desktop.now) == Maintenance()
    event = ledger.events(None, 1)[0]
    assert (event.text.context, event.kind, event.name) == ("event.maintenance_added_note", "site", "hill")


def test_what_hangs_on_a_root_in_maintenance_is_silent_with_it(ledger: Ledger) -> None:
    office = Office(ledger)
    assert office.ask(AskMaintain(kind="link", name="town-hill", for_s=3600)) is None
    office.desktop.turn("link-down", "town-hill")
    office.desktop.turn("device-silent", "far-st")
    office.wait(300)
    assert office.desktop.calls() == set()


def test_windows_are_listed_ended_and_refused_in_words(ledger: Ledger) -> None:
    office = Office(ledger)
    weekly = AskMaintain(weekdays=("sun",), from_time="22:00", to_time="04:00", note="load")
    assert office.ask(weekly) is None
    assert office.ask(AskMaintain(kind="device", name="gw", start="2025-10-10 08:00", for_s=7200)) is None
    answer = office.desk.answer(AskMaintenance(), "tom", START)
    assert isinstance(answer, Maintenance)
    device, all_of_it = answer.windows
    assert (device.id, device.name, device.open, device.end - device.start) == ("m2", "gw", False, 7200)
    assert (all_of_it.id, all_of_it.kind, all_of_it.weekdays, all_of_it.by) == ("m1", "", ("sun",), "Ana")
    assert office.ask(AskMaintained(id="m1"), "rosa") is None
    assert office.ask(AskMaintained(id="m1")) == "answer.no_such_window"
    assert set(office.windows.made) == {"m2"}
    assert office.ask(AskMaintained(id="m2")) is None
    assert office.ask(AskMaintain(kind="device", name="gw", for_s=7200)) is None
    assert set(office.windows.made) == {"m3"}, "a name that was used is nobody's again"
    for wrong in (
        AskMaintain(),
        AskMaintain(start="soon", end="later"),
        AskMaintain(start="2025-10-10 08:00", end="2025-10-10 07:00"),
        AskMaintain(start="2020-10-10 08:00", end="2020-10-10 09:00"),
        AskMaintain(weekdays=("so",), from_time="1:00", to_time="2:00"),
        AskMaintain(weekdays=("sun",)),
        AskMaintain(weekdays=("sun",), from_time="1:00", to_time="2:00", for_s=60, start="2025-10-10 08:00"),
    ):
        assert office.ask(wrong) == "answer.bad_maintenance", wrong
    assert office.ask(AskMaintain(kind="site", name="moon", for_s=60)) == "answer.not_found"


def test_a_window_of_the_inventory_holds_and_is_not_ended_from_afar(ledger: Ledger) -> None:
    network = read(
        VILLAGE
        | {"maintenance": {"night": {"weekdays": list(maintenance.WEEKDAYS), "from": "00:00", "to": "23:59"}}}
    )
    windows = Windows(network, UTC, ())
    book = AlertBook(network, build(network), RULES)
    desk = AlertDesk(network, book, windows, AlertMemory(ledger))
    assert windows.look(START)
    assert windows.asked is not None
    assert windows.asked("device", "gw") == "night"
    answer = desk.answer(AskMaintained(id="night"), "ana", START)
    assert isinstance(answer, Done)
    assert answer.error is not None
    assert answer.error.context == "answer.window_in_file"


# ---- the clock of the network


def local(text: str, zone: ZoneInfo) -> float:
    return maintenance.moment(text, zone)


@pytest.mark.parametrize(
    ("zone", "now", "start", "end", "hours"),
    [
        ("America/Lima", "2026-03-28 12:00", "2026-03-29 01:30", "2026-03-29 04:00", 2.5),
        ("Europe/Madrid", "2026-03-28 12:00", "2026-03-29 01:30", "2026-03-29 04:00", 1.5),  # 2:00 -> 3:00
        ("Europe/Madrid", "2026-10-24 12:00", "2026-10-25 01:30", "2026-10-25 04:00", 3.5),  # 3:00 -> 2:00
    ],
)
def test_a_weekly_window_keeps_to_the_clock_on_the_wall(
    zone: str, now: str, start: str, end: str, hours: float
) -> None:
    here = ZoneInfo(zone)
    window = Window(id="w", weekdays=("sun",), from_time="01:30", to_time="04:00")
    times = maintenance.occurrence(window, local(now, here), here)
    assert times == (local(start, here), local(end, here))
    assert (times[1] - times[0]) / 3600 == hours


def test_a_window_over_midnight_is_open_on_both_sides_of_it_and_closed_in_between() -> None:
    window = Window(id="w", weekdays=("fri",), from_time="22:00", to_time="06:00")
    assert maintenance.problem(window, UTC) is None
    friday = maintenance.moment("2026-11-20 00:00", UTC)  # a Friday

    def is_open(hour: float) -> bool:
        times = maintenance.occurrence(window, friday + hour * 3600, UTC)
        assert times is not None
        return times[0] <= friday + hour * 3600

    assert [is_open(hour) for hour in (2, 21.9, 22, 29.9, 30, 46)] == [False, False, True, True, False, False]


def test_a_clock_time_that_comes_twice_is_maintenance_both_times() -> None:
    here = ZoneInfo("Europe/Madrid")
    window = Window(id="w", start="2026-10-25 02:00", end="2026-10-25 03:00")
    times = maintenance.occurrence(window, local("2026-10-25 00:00", here), here)
    assert times is not None
    assert times[1] - times[0] == 2 * 3600


# ---- memory


def test_states_are_kept_when_they_changed_and_somebody_looked() -> None:
    states = States({("link", "l"): "ok"})
    states.look([("link", "l", "unknown"), ("site", "s", "ok")], START, 0.0, sees=False)
    assert states.due(0.0) == []
    states.look([("link", "l", "ok")], START + 1, 1.0, sees=True)
    assert states.due(1.0 + STEADY_S) == [Change("site", "s", START, "ok")], "the link is as it was before"
    states.kept(states.due(1.0 + STEADY_S))
    states.look([("link", "l", "down")], START + 60, 60.0, sees=True)
    assert states.due(60.0) == [Change("link", "l", START + 60, "down")]
    assert set(states.gone(read(VILLAGE))) == {("link", "l"), ("site", "s")}


def test_the_memory_of_alerts_survives_and_forgets_after_years(tmp_path: Path) -> None:
    memory = AlertMemory(Ledger(tmp_path / "ledger.db"))
    assert (memory.seen(), memory.fired(), memory.windows()) == (None, {}, [])
    changes = [Change("link", "l", START + 100 * i, "down" if i % 2 else "ok") for i in range(6)]
    memory.keep(
        fired={"a": (1.0, 2.0), "b": (3.0,)}, changes=changes, seen=START,
        blind=[Blind(start=START, end=START + 300, cause="broker")],
    )  # fmt: skip
    memory.keep(fired={"a": (), "b": (3.0, 4.0)})
    memory = AlertMemory(Ledger(tmp_path / "ledger.db"))
    assert memory.seen() == START
    assert memory.fired() == {"b": (3.0, 4.0)}
    assert memory.last_states() == {("link", "l"): "down"}
    assert memory.changes("link", "l", START + 150, START + 300) == [
        (START + 100, "down"),
        (START + 200, "ok"),
    ]
    assert memory.blind(START + 299, START + 400) == [Blind(start=START, end=START + 300, cause="broker")]
    memory.forget_before(START + 350)
    assert memory.changes("link", "l", 0, START + 1e6) == [
        (START + 300, "down"),
        (START + 400, "ok"),
        (START + 500, "down"),
    ]
    assert memory.blind(0, 2e9) == []
