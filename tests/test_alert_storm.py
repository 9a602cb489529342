"""A storm: what 500 sites hang on dies. One alert speaks, in time; when it is mended, nobody speaks up."""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ayni_core import inventory
from ayni_core.inventory import Network
from ayni_core.message import Message
from ayni_core.readings import Series, Value
from ayni_core.schema import Faults, Fields
from ayni_core.topology import build
from ayni_core.wire.frame import ANSWERED, DevicePolls
from ayni_core.wire.messages import Alert, NodeState
from ayni_hub.alerting.book import AlertBook
from ayni_hub.alerting.ground import Ground
from ayni_hub.alerting.silence import Silence
from ayni_hub.judge import Judge
from ayni_io.rulebook import load_rules

SITES, FEWER, ARMS = 500, 200, 20
"""One monitor meets `SITES`; what does not hang on their number meets `FEWER`."""
POLL_S, FLUSH_S = 60.0, 300.0
START = 1_760_000_000.0
UPTIME = Series("system", "", "uptime_s")
OPER = Series("interface", "wan", "if_oper")


def read(text: Mapping[str, Any]) -> Network:
    faults = Faults("network.yaml")
    network = inventory.parse(Fields(text, "", faults))
    faults.stop()
    return network


def country(*, nodes: str, hills: int = SITES) -> Network:
    """Hills in `ARMS` arms behind a tower, which hangs by one link on the town, where the Internet comes in.
    `nodes`: `one` in the town polls everything, or there is one at `each` site."""
    sites: dict[str, Any] = {"town": {"homes": 100}, "tower": {}}
    sites |= {f"s{i}": {"homes": 2} for i in range(hills)}
    at = {"town": "town"} | ({site: site for site in sites} if nodes == "each" else {})
    devices: dict[str, Any] = {
        name: {"site": "town", "node": "town", "address": "10.0.0.1"} for name in ("gw", "town-ap")
    }
    links: dict[str, Any] = {"town-tower": {"a": {"device": "town-ap"}, "b": {"device": "tower-st"}}}
    for site in [each for each in sites if each != "town"]:
        node = site if nodes == "each" else "town"
        for end in ("st", "ap"):
            devices[f"{site}-{end}"] = {"site": site, "node": node, "address": "10.0.0.1"}
    for i in range(hills):
        up = "tower" if i < ARMS else f"s{i - ARMS}"
        links[f"l{i}"] = {"a": {"device": f"{up}-ap"}, "b": {"device": f"s{i}-st"}}
    return read(
        {
            "network": {"title": "T", "poll_s": POLL_S, "flush_s": FLUSH_S},
            "sites": sites,
            "nodes": {name: {"site": site} for name, site in at.items()},
            "devices": devices,
            "links": links,
            "upstreams": {"fibre": {"device": "gw", "interface": "wan"}},
        }
    )


@dataclass
class Storm:
    """A judge that is fed: every monitor polls once a minute, each at its own second, and reports at once
    when something turned, else every five minutes."""

    network: Network
    now: float = START
    called: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    events: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.judge = Judge(self.network, load_rules())
        self.tracks: dict[str, Any] = {}
        self._told: set[str] = set()
        self._links: dict[str, list[tuple[str, str]]] = {}
        for link in self.network.links.values():
            self._links.setdefault(link.a.device, []).append((link.name, link.b.device))
            self._links.setdefault(link.b.device, []).append((link.name, link.a.device))
        self._reported: dict[str, float] = {}
        self._last: dict[str, tuple[object, ...]] = {}
        for place, node in enumerate(self.network.nodes):
            self._reported[node] = START - (place * 7) % FLUSH_S
            self.judge.node_state(node, NodeState(up=True, epoch="e", flush_s=FLUSH_S), self.now)

    def restart(self) -> None:
        """The hub is killed and started again: it knows what it wrote down, and the newest values."""
        again = Judge(self.network, load_rules(), self.tracks, dict(self.judge.alerts))
        again.book.recall(self.judge.book.fired(self.now))
        for device in self.network.devices:
            values = self.judge.known.of(device).values
            again.recall(device, [(series, at, value) for series, (at, value) in values.items()])
        again.settle()
        for node, news in self.judge.nodes.items():
            if news.state is not None:
                again.node_state(node, news.state, self.now)
        self.judge = again

    def run(
        self, seconds: int, *, dead: Iterable[str] = (), cut: Iterable[str] = (), deaf: Iterable[str] = (),
        wan: int = 1, step: int = 5,
    ) -> None:  # fmt: skip
        """`dead` devices do not answer, of `cut` monitors nothing comes, `deaf` links carry nothing."""
        dead, cut, deaf = set(dead), set(cut), set(deaf)
        places = {node: (place * 7) % int(POLL_S) for place, node in enumerate(self.network.nodes)}
        for _ in range(seconds // step):
            self.now += step
            for node, place in places.items():
                if node not in cut and 0 <= (self.now - START - place) % POLL_S < step:
                    self._poll(node, dead, deaf, wan)
            self._tell()

    def _poll(self, node: str, dead: set[str], deaf: set[str], wan: int) -> None:
        devices = {}
        for device in self.network.devices_of(node):
            values: dict[Series, Value] = {ANSWERED: 0}
            if device.name not in dead:
                values = {ANSWERED: 1, UPTIME: self.now - START + 1e5}
                if device.name == "gw":
                    values[OPER] = wan
                for link, peer in self._links.get(device.name, ()):
                    mac = f"0a{self._number(device.name):010x}"
                    values[Series("interface", "wlan", "if_mac")] = mac
                    if link not in deaf and peer not in dead:
                        values[Series("station", f"0a{self._number(peer):010x}", "signal_dbm")] = -60
            polls = DevicePolls()
            polls.add(0.0, values)
            devices[device.name] = polls
        signs = tuple((name, len(polls.values)) for name, polls in devices.items())
        wait = POLL_S * 3 if self._last.get(node) == signs else 0.0
        self._last[node] = signs
        if self.now - self._reported[node] >= FLUSH_S or wait == 0.0:
            self._reported[node] = self.now
        next_by = self._reported[node] + FLUSH_S + 10
        self.judge.take(node, devices, self.now, next_by)

    @staticmethod
    def _number(device: str) -> int:
        return zlib.crc32(device.encode())

    def _tell(self) -> None:
        self.judge.tick(self.now)
        changes = self.judge.flush()
        self.tracks |= changes.tracks
        self.events += [(event.level, event.text.context) for event in changes.events]
        for identifier, alert in changes.alerts.items():
            if alert is None:
                if identifier in self._told:
                    self._told.discard(identifier)
                    self.ended.append(identifier)
            elif alert.calls and identifier not in self._told:
                self._told.add(identifier)
                self.called.append(identifier)

    def loud(self) -> set[str]:
        return {alert.id for alert in self.judge.alerts.values() if alert.silenced_by is None}


def far(network: Network) -> list[str]:
    """Every device behind the link that all hangs on."""
    return [device.name for device in network.devices.values() if device.site != "town"]


TOWER = "link-down--link--town-tower"


def test_one_monitor_sees_500_sites_go_and_one_alert_speaks_within_a_poll() -> None:
    storm = Storm(country(nodes="one"))
    storm.run(180, step=60)
    assert storm.judge.alerts == {}
    dead = far(storm.network)
    while TOWER not in storm.judge.alerts:
        storm.run(5, dead=dead, deaf=["town-tower"])
    fired = storm.now
    while not storm.called:
        storm.run(5, dead=dead, deaf=["town-tower"])
        assert storm.now <= fired + POLL_S + 5
    storm.run(300, dead=dead, deaf=["town-tower"], step=60)
    assert storm.called == [TOWER]
    assert storm.loud() == {TOWER}
    root = storm.judge.alerts[TOWER]
    assert (root.behind_sites, root.homes) == (SITES + 1, 2 * SITES)
    assert root.behind_alerts == len(storm.judge.alerts) - 1 >= 2 * SITES
    storm.run(600, step=60)
    assert storm.judge.alerts == {}
    assert (storm.called, storm.ended) == ([TOWER], [TOWER])


def test_a_hub_restarted_in_the_middle_says_nothing_twice() -> None:
    storm = Storm(country(nodes="one", hills=60))
    storm.run(180, step=60)
    dead = far(storm.network)
    for seconds in (40, 120, 160, 20, 260, 300):
        storm.run(seconds, dead=dead, deaf=["town-tower"], step=20)
        storm.restart()
    storm.run(180, step=60)
    storm.restart()
    storm.run(600, step=60)
    assert (storm.called, storm.ended) == ([TOWER], [TOWER])
    assert storm.judge.alerts == {}
    assert len([level for level, _text in storm.events if level == "critical"]) == len(
        [level for level, _text in storm.events if level == "clear"]
    )


def test_one_monitor_a_site_the_link_is_seen_from_the_near_side_and_speaks_for_the_silent() -> None:
    """The hub is in the town: of the far monitors nothing comes, some sooner, some later."""
    storm = Storm(country(nodes="each", hills=FEWER))
    storm.run(180, step=20)
    assert storm.judge.alerts == {}
    cut = [node for node in storm.network.nodes if node != "town"]
    storm.run(120, cut=cut, deaf=["town-tower"], step=20)
    assert set(storm.judge.alerts) == {TOWER}, "the near side has heard nothing for two polls"
    storm.run(65, cut=cut, deaf=["town-tower"])
    assert storm.called == [TOWER]
    storm.run(420, cut=cut, deaf=["town-tower"], step=20)
    assert storm.called == [TOWER]
    assert storm.loud() == {TOWER}
    assert storm.judge.alerts[TOWER].behind_alerts >= FEWER
    storm.run(700, step=20)
    assert (storm.called, storm.ended) == ([TOWER], [TOWER])
    assert storm.judge.alerts == {}


def test_a_hub_outside_hears_nobody_any_more_and_names_the_monitor_nearest_to_the_internet() -> None:
    storm = Storm(country(nodes="each", hills=FEWER))
    storm.run(180, step=20)
    storm.run(1000, cut=list(storm.network.nodes), step=20)
    assert storm.called == ["agent-offline--node--town"]
    assert storm.loud() == {"agent-offline--node--town"}
    root = storm.judge.alerts["agent-offline--node--town"]
    assert (root.behind_alerts, root.behind_sites, root.homes) == (FEWER + 1, FEWER + 2, 2 * FEWER + 100)
    storm.restart()
    storm.run(200, cut=list(storm.network.nodes), step=20)
    storm.run(700, step=20)
    assert (storm.called, storm.ended) == (["agent-offline--node--town"], ["agent-offline--node--town"])


def test_the_way_out_dies_with_the_hub_inside_and_one_alert_speaks_at_once() -> None:
    storm = Storm(country(nodes="one", hills=FEWER))
    storm.run(180, step=60)
    storm.run(60, wan=2, step=60)
    storm.run(10, wan=2)
    assert storm.called == ["upstream-down--upstream--fibre"]
    assert storm.judge.alerts["upstream-down--upstream--fibre"].behind_sites == FEWER + 2
    storm.run(300, step=60)
    assert storm.ended == storm.called


# ---- how quick


def test_ten_thousand_alerts_of_a_thousand_sites_are_related_quickly_and_at_rest_cost_nothing() -> None:
    sites: dict[str, Any] = {f"s{i}": {"homes": 1} for i in range(1000)}
    devices = {f"d{i}-{j}": {"site": f"s{i}", "address": "10.0.0.1"} for i in range(1000) for j in range(9)}
    links = {
        f"l{i}": {"a": {"device": f"d{(i - 1) // 3}-0"}, "b": {"device": f"d{i}-1"}} for i in range(1, 1000)
    }
    network = read(
        {
            "network": {"title": "T"}, "sites": sites, "nodes": {"n": {"site": "s0"}}, "devices": devices,
            "links": links, "upstreams": {"u": {"device": "d0-0", "interface": "e"}},
        }
    )  # fmt: skip

    def alert(rule: str, kind: str, name: str) -> Alert:
        return Alert(
            id=f"{rule}--{kind}--{name}", rule=rule, kind=kind, name=name, level="critical", since=START,
            text=Message("rule.link_down"),
        )  # fmt: skip

    found = [alert("link-down", "link", name) for name in links]
    found += [alert("device-silent", "device", name) for name in devices if not name.startswith("d0-")]
    alerts = {each.id: each for each in found}
    assert len(alerts) == 9990
    topology = build(network)
    silence = Silence(Ground(network, topology), 420.0)
    began = time.process_time()
    result = silence.look(alerts, lambda node: START)
    took_s = time.process_time() - began
    assert took_s < 0.25, "on a busy machine; alone it is some 40 ms"
    assert len(result.root) == 9990 - 3
    rules = {"link-down", "device-silent"}
    book = AlertBook(network, topology, rules, alerts)
    book.relate(START, lambda node: START)
    began = time.process_time()
    book.look_again()
    book.relate(START + 1, lambda node: START)
    assert time.process_time() - began < 0.5
    began = time.process_time()
    for second in range(1000):
        book.relate(START + 2 + second / 1000, lambda node: START)
    assert time.process_time() - began < 0.05
