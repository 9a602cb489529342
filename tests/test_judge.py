"""The judge over a small network: what is down, what is only not heard of, and who explains whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from ayni_core import inventory
from ayni_core.inventory import Network
from ayni_core.readings import Series, Value
from ayni_core.topology import build
from ayni_core.wire.frame import ANSWERED, DevicePolls
from ayni_core.wire.messages import DeviceView, LinkView, NodeState, NodeView
from ayni_core.wire.shape import unpack
from ayni_hub.alerting.subject import Subject, alert_id
from ayni_hub.judge import Changes, Judge
from ayni_hub.picture import Picture
from ayni_io import yamlfile
from ayni_io.rulebook import load_rules

NETWORK = """
network: {title: Prueba, poll_s: 60, flush_s: 300}
sites:
  torre: {title: Torre}
  cerro: {title: Cerro, homes: 10}
  escuela: {title: Escuela, homes: 46}
nodes: {pi: {site: torre}, pi2: {site: escuela}}
devices:
  gw: {site: torre, node: pi, address: 10.0.0.1}
  torre-ap: {site: torre, node: pi, address: 10.0.0.2}
  cerro-st: {site: cerro, node: pi, address: 10.0.0.3}
  cerro-ap: {site: cerro, node: pi, address: 10.0.0.4}
  escuela-st: {site: escuela, node: pi2, address: 10.0.0.5}
links:
  torre-cerro:
    title: Torre-Cerro
    a: {device: torre-ap, expected_dbm: -58}
    b: {device: cerro-st, expected_dbm: -58}
  cerro-escuela: {title: Cerro-Escuela, a: {device: cerro-ap}, b: {device: escuela-st}}
upstreams: {fibra: {device: gw, interface: ether1}}
"""
START = 1_760_000_000.0
MAC = {
    "torre-ap": "0a0000000002",
    "cerro-st": "0a0000000003",
    "cerro-ap": "0a0000000004",
    "escuela-st": "0a0000000005",
}
PEER = {"torre-ap": "cerro-st", "cerro-ap": "escuela-st"}


class Town:
    """A judge with its picture, fed with one poll of every device a minute."""

    def __init__(self, tmp_path: Path, saved: Town | None = None) -> None:
        path = tmp_path / "network.yaml"
        path.write_text(NETWORK)
        self.network: Network = yamlfile.read(path, inventory.parse)
        if saved is None:
            self.judge = Judge(self.network, load_rules())
        else:
            self.judge = Judge(self.network, load_rules(), saved.tracks, saved.alerts)
        self.picture = Picture(self.judge, {}, START)
        self.now = START
        self.tracks, self.alerts = {}, {}
        self.views: dict[str, bytes] = {}
        self.events: list[tuple[str, str, str]] = []
        for node in self.network.nodes:
            self.judge.node_state(node, NodeState(up=True, epoch="e", flush_s=300), self.now)

    def minute(
        self,
        *,
        dead: set[str] = frozenset(),
        deaf: set[str] = frozenset(),
        quiet: set[str] = frozenset(),
        signal: Mapping[str, int] | None = None,
        sector: Mapping[str, int] | None = None,
        upstream: int = 1,
        cable: Mapping[str, int] | None = None,
    ) -> Changes:
        """All monitors but the `quiet` poll: `dead` devices do not answer, `deaf` ones hear no other end;
        `sector` is what an access point's radio says by itself, `cable` the state of a device's port."""
        self.now += 60
        for node in self.network.nodes:
            if node in quiet:
                continue
            devices = {}
            for device in self.network.devices_of(node):
                polls = DevicePolls()
                values = (
                    {ANSWERED: 0}
                    if device.name in dead
                    else self._values(device.name, deaf, signal or {}, upstream)
                )
                if device.name in (cable or {}):
                    values |= self._port((cable or {})[device.name])
                if device.name in (sector or {}):
                    values |= self._sector((sector or {})[device.name])
                polls.add(0.0, values)
                devices[device.name] = polls
            self.judge.take(node, devices, self.now, self.now + 310)
        return self._tell()

    def _values(
        self, device: str, deaf: set[str], signal: Mapping[str, int], upstream: int
    ) -> dict[Series, Value]:
        values: dict[Series, Value] = {
            ANSWERED: 1,
            Series("system", "", "uptime_s"): 1000.0 + self.now - START,
        }
        if device == "gw":
            values[Series("interface", "ether1", "if_oper")] = upstream
            return values
        values[Series("interface", "wlan1", "if_mac")] = MAC[device]
        if device not in deaf:
            dbm = signal.get(device, -58)
            if device in PEER:
                values[Series("station", MAC[PEER[device]], "signal_dbm")] = dbm
            else:
                values[Series("radio", "wlan1", "signal_dbm")] = dbm
        return values

    @staticmethod
    def _sector(dbm: int) -> dict[Series, Value]:
        return {Series("radio", "wlan1", "signal_dbm"): dbm, Series("radio", "wlan1", "noise_dbm"): -95}

    @staticmethod
    def _port(oper: int) -> dict[Series, Value]:
        port = Series("interface", "eth0", "if_oper")
        return {port: oper, port._replace(metric="if_type"): 6, port._replace(metric="speed_bps"): 10**8}

    def wait(self, seconds: float) -> Changes:
        """Time passes and nobody polls."""
        for _ in range(int(seconds // 5)):
            self.now += 5
            changes = self._tell()
        return changes

    def _tell(self) -> Changes:
        self.judge.tick(self.now)
        self.views |= self.picture.news(self.now, set(self.judge.changes.devices))
        changes = self.judge.flush()
        self.tracks |= changes.tracks
        self.alerts = dict(self.judge.alerts)
        self.events += [(event.level, event.kind, event.name) for event in changes.events]
        return changes

    def link(self, name: str) -> LinkView:
        return unpack(LinkView, self.views[f"ayni/v1/net/link/{name}"])

    def loud(self) -> dict[str, str]:
        """The alerts that nobody else explains, with their level."""
        return {a.id: a.level for a in self.judge.alerts.values() if a.silenced_by is None}


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(tmp_path)


def test_the_tree_behind_each_link_counts_its_homes(town: Town) -> None:
    tree = build(town.network)
    assert tree.roots == ("torre",)
    assert tree.parent == {"cerro": "torre-cerro", "escuela": "cerro-escuela"}
    assert tree.homes_behind("torre-cerro", town.network) == 56
    assert tree.homes_behind("cerro-escuela", town.network) == 46


def test_a_healthy_network_is_ok_and_silent(town: Town) -> None:
    for _ in range(3):
        town.minute()
    assert town.loud() == {}
    view = town.link("torre-cerro")
    assert (view.state, view.a.signal_dbm, view.b.signal_dbm, view.a.normal_dbm) == ("ok", -58, -58, -58)
    assert (view.a.group, view.a.item) == ("station", MAC["cerro-st"])
    assert (view.b.group, view.b.item) == ("radio", "wlan1")
    assert view.day.endswith("o")
    town.picture.blind_s = lambda hour: 2000.0 if hour == int(town.now // 3600) else 0.0
    town.minute()
    assert town.link("torre-cerro").day.endswith("-"), "an hour that was mostly not seen was not a good one"
    town.picture.blind_s = lambda _hour: 600.0
    town.minute()
    assert town.link("torre-cerro").day.endswith("o")
    assert (view.a.site, view.b.site) == ("torre", "cerro")


def test_a_site_without_power_is_one_alert_that_names_the_link_and_counts_the_homes(town: Town) -> None:
    town.minute()
    for _ in range(4):
        town.minute(dead={"cerro-st", "cerro-ap"}, deaf={"torre-ap"}, quiet={"pi2"})
    assert town.loud() == {"link-down--link--torre-cerro": "critical"}
    alert = town.judge.alerts["link-down--link--torre-cerro"]
    assert alert.homes == 56
    assert alert.cause is not None
    assert alert.cause.context == "cause.no_power"
    assert {a.id for a in town.judge.alerts.values() if a.silenced_by} >= {
        "device-silent--device--cerro-st",
        "device-silent--device--cerro-ap",
    }


def test_what_comes_back_clears_and_says_so(town: Town) -> None:
    town.minute()
    for _ in range(4):
        town.minute(dead={"cerro-st"}, deaf={"torre-ap"})
    assert town.link("torre-cerro").state == "down"
    for _ in range(3):
        town.minute()
    assert town.link("torre-cerro").state == "ok"
    assert town.loud() == {}
    assert ("clear", "link", "torre-cerro") in town.events


def test_a_silent_device_that_the_far_radio_still_hears_is_not_a_dead_link(town: Town) -> None:
    town.minute()
    for _ in range(4):
        town.minute(dead={"cerro-st"})
    assert town.link("torre-cerro").state == "ok"
    assert town.loud() == {"device-silent--device--cerro-st": "critical"}


def test_a_sector_that_lost_one_station_does_not_show_the_signal_of_another(town: Town) -> None:
    """The radio's own reading is about whoever is left; only its noise serves for every station."""
    town.minute()
    for _ in range(3):
        town.minute(deaf={"torre-ap"}, sector={"torre-ap": -44})
    view = town.link("torre-cerro")
    assert view.a.group == "station"
    assert view.a.signal_dbm is None
    assert view.a.noise_dbm == -95


def test_both_ends_alive_and_deaf_is_a_dead_link(town: Town) -> None:
    town.minute()
    town.minute(deaf={"torre-ap", "cerro-st"})
    assert town.link("torre-cerro").state == "ok", "one missed poll says nothing yet"
    town.minute(deaf={"torre-ap", "cerro-st"})
    assert town.link("torre-cerro").state == "down"


def test_a_signal_that_drops_at_both_ends_is_weak_and_probably_an_antenna(town: Town) -> None:
    town.minute()
    for _ in range(4):
        town.minute(signal={"torre-ap": -70, "cerro-st": -71})
    view = town.link("torre-cerro")
    assert view.state == "weak"
    assert view.cause is not None
    assert view.cause.context == "cause.antenna_moved"
    assert town.loud() == {"signal-low--link--torre-cerro--a": "critical"}, "one speaks for both ends"
    assert len(town.judge.alerts) == 2


def test_a_monitor_that_falls_silent_is_no_news_not_down(town: Town) -> None:
    town.minute()
    town.wait(300)
    assert town.link("cerro-escuela").state == "ok", "the next report is not due yet"
    town.wait(300)
    view = town.link("cerro-escuela")
    assert view.state == "no_news"
    assert set(town.loud()) == {"agent-offline--node--pi"}, "the one nearest to the Internet speaks for both"
    assert town.judge.alerts["agent-offline--node--pi"].behind_sites == 3
    assert unpack(NodeView, town.views["ayni/v1/net/node/pi"]).state == "no_news"
    assert unpack(DeviceView, town.views["ayni/v1/net/device/gw"]).state == "no_news"


def test_a_last_will_is_believed_after_a_moment(town: Town) -> None:
    town.minute()
    town.judge.node_state("pi2", NodeState(up=False), town.now)
    town.wait(20)
    assert set(town.loud()) == {"agent-offline--node--pi2"}
    assert town.link("torre-cerro").state == "ok"


def test_a_cable_that_is_pulled_out_of_a_radio_is_told(town: Town) -> None:
    for _ in range(2):
        town.minute(cable={"cerro-st": 1, "gw": 1})
    assert town.link("torre-cerro").b.port_speed_bps == 10**8
    for _ in range(2):
        town.minute(cable={"cerro-st": 2, "gw": 2})
    assert town.loud() == {"cable-out--device--cerro-st--eth0": "warn"}, "a router's ports come and go"
    assert town.link("torre-cerro").b.port_speed_bps is None
    alert = town.judge.alerts["cable-out--device--cerro-st--eth0"]
    assert alert.cause is not None
    assert alert.cause.context == "cause.cable"


def test_the_way_out_is_judged_by_its_interface(town: Town) -> None:
    town.minute()
    town.minute(upstream=2)
    town.wait(10)
    assert town.loud() == {"upstream-down--upstream--fibra": "critical"}
    alert = town.judge.alerts["upstream-down--upstream--fibra"]
    assert alert.homes == 56
    assert alert.cause is not None
    assert alert.cause.context == "cause.provider"


def test_a_restart_forgets_no_alert_and_fires_none_twice(town: Town, tmp_path: Path) -> None:
    town.minute()
    for _ in range(4):
        town.minute(dead={"cerro-st"}, deaf={"torre-ap"})
    again = Town(tmp_path, saved=town)
    again.now = town.now
    for _ in range(2):
        again.minute(dead={"cerro-st"}, deaf={"torre-ap"})
    assert again.loud() == town.loud()
    assert again.events == []
    again.minute()
    assert ("clear", "link", "torre-cerro") in again.events


def test_the_alert_of_what_left_the_inventory_is_over(town: Town) -> None:
    town.minute()
    for _ in range(4):
        town.minute(dead={"gw"})
    (identifier,) = town.loud()
    smaller = replace(
        town.network,
        devices={name: device for name, device in town.network.devices.items() if name != "gw"},
        upstreams={},
    )
    judge = Judge(smaller, load_rules(), town.tracks, town.alerts)
    assert judge.alerts == {}
    assert judge.flush().alerts == {identifier: None}


def test_a_monitor_whose_birth_is_retained_but_who_never_reports_is_offline(town: Town) -> None:
    """A power cut took monitor and hub together; the broker still holds `up`."""
    town.wait(400)
    town.wait(100)
    assert set(town.loud()) == {"agent-offline--node--pi"}, "it speaks for both"


def test_after_a_restart_a_link_is_known_before_the_next_poll_and_nothing_is_cleared_by_it(
    town: Town, tmp_path: Path
) -> None:
    town.minute()
    for _ in range(4):
        town.minute(deaf={"torre-ap", "cerro-st"})
    again = Town(tmp_path, saved=town)
    again.now = town.now
    for device in again.network.devices:
        values = town.judge.known.of(device).values
        again.judge.recall(device, [(series, at, value) for series, (at, value) in values.items()])
    again.judge.settle()
    again.wait(30)
    assert again.link("torre-cerro").state == "down"
    assert again.link("cerro-escuela").state == "ok"
    assert again.events == []


def test_names_that_look_alike_have_alerts_of_their_own() -> None:
    rule = load_rules()[0]
    ids = {alert_id(rule, Subject("device", "d", port)) for port in ("eth0.1", "eth0_1", "eth0/1", "eth0:1")}
    assert len(ids) == 4
    assert not any(set(identifier) & set("/+#") for identifier in ids)


def test_polls_that_are_not_newer_are_passed_over(town: Town) -> None:
    for _ in range(2):
        town.minute()
    polls = DevicePolls()
    polls.add(0.0, {ANSWERED: 0})
    town.judge.take("pi", {"gw": polls}, START - 5000, None)
    assert town.judge.known.of("gw").failed_since is None


def test_only_what_changed_is_told(town: Town) -> None:
    town.minute()
    town.judge.tick(town.now + 1)
    assert town.picture.news(town.now + 1, set()) == {}
