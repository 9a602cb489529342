"""The pretend world: plausible when nothing is wrong, and what each condition does to it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from ayni_core import inventory
from ayni_core.inventory import Network
from ayni_io import configs, yamlfile
from ayni_lab import air, scenario, traffic, views
from ayni_lab.conditions import Conditions
from ayni_lab.machine import Machine, Peer
from ayni_lab.mib import oid
from ayni_lab.world import World

NOON = 1_800_000_000.0 - 1_800_000_000.0 % 86_400 + 12 * 3600


@pytest.fixture(scope="module")
def network() -> Network:
    return yamlfile.read(configs.find("network.yaml"), inventory.parse)


@pytest.fixture
def world(network: Network) -> World:
    path = configs.find("scenarios/red-cerro-norte.yaml")
    cast = yamlfile.read(path, lambda fields: scenario.parse(fields, network)).cast
    return World(network, cast, Conditions(), Random(7), NOON)


def _run(world: World, seconds: float, each: Callable[[], None] = lambda: None) -> None:
    start = world._now
    for n in range(1, int(seconds / 5) + 1):
        world.step(start + 5 * n)
        each()


def _peers(world: World, link: str) -> tuple[Peer, Peer]:
    """What end a and end b of a link hear."""
    found = world.network.links[link]
    result = []
    for here, there in ((found.a, found.b), (found.b, found.a)):
        radio = world.machines[here.device].radio
        assert radio is not None
        result.append(radio.peers[world.machines[there.device].port_of("radio").mac])
    return result[0], result[1]


def test_a_healthy_day_stays_inside_what_rules_take_for_normal(world: World, network: Network) -> None:
    def check() -> None:
        for name, link in network.links.items():
            for peer, end in zip(_peers(world, name), (link.a, link.b), strict=True):
                assert end.expected_dbm is not None
                assert abs(peer.signal_dbm - end.expected_dbm) < 3.5, name
                assert -97 < peer.noise_dbm < -93
                assert peer.ccq_pct > 85
        for machine in world.machines.values():
            assert machine.on
            if machine.voltage_v is not None:
                assert 23.5 < machine.voltage_v < 28.5, machine.name
            assert 0 < machine.cpu_pct < 60

    for hour in range(0, 24, 3):
        world._now = NOON + hour * 3600
        _run(world, 60, check)


def test_the_signal_is_alive_but_slow(world: World) -> None:
    seen: list[float] = []
    _run(world, 1800, lambda: seen.append(_peers(world, "torre-cerro")[0].signal_dbm))
    assert len({round(value) for value in seen}) >= 2
    steps = [abs(b - a) for a, b in itertools.pairwise(seen)]
    assert max(steps) < 2


def test_both_ends_list_each_other_by_the_mac_that_the_interface_table_shows(world: World) -> None:
    for machine in world.machines.values():
        if machine.radio is None:
            continue
        own = machine.port_of("radio").mac
        for mac in machine.radio.peers:
            other = next(m for m in world.machines.values() if m.radio and m.port_of("radio").mac == mac)
            assert other.radio is not None
            assert own in other.radio.peers
            assert {machine.radio.mode, other.radio.mode} == {"ap", "station"}


def test_a_moved_antenna_costs_both_ends_12_db_and_leaves_the_noise(world: World) -> None:
    before = [peer.signal_dbm for peer in _peers(world, "torre-clinica")]
    world.conditions.moved_db["torre-clinica"] = 12.0
    _run(world, 10)
    for was, peer in zip(before, _peers(world, "torre-clinica"), strict=True):
        assert 9 < was - peer.signal_dbm < 15
        assert peer.noise_dbm < -93
        assert peer.tx_rate_bps < 60_000_000


def test_a_stranger_on_the_channel_hurts_one_end_and_not_the_signal(world: World) -> None:
    world.conditions.noise_db["cerro-alto", "b"] = 18.0
    _run(world, 10)
    near, far = _peers(world, "cerro-alto")
    assert far.noise_dbm > -80 > near.noise_dbm
    assert far.ccq_pct < 60 < near.ccq_pct
    assert abs(far.signal_dbm - near.signal_dbm) < 3
    assert far.rx_rate_bps < 40_000_000 < far.tx_rate_bps


def test_a_site_without_power_is_silent_and_starts_anew(world: World) -> None:
    world.conditions.dark_sites.add("escuela")
    _run(world, 5)
    radio = world.machines["escuela-radio"]
    sector = world.machines["cerro-sector"].radio
    assert not radio.on
    assert sector is not None
    assert radio.port_of("radio").mac not in sector.peers
    world.conditions.clear()
    _run(world, 10)
    assert radio.on
    assert world._now - radio.booted_at <= 10
    assert radio.port_of("radio").in_octets < 1e9
    assert world._now - _peers(world, "cerro-escuela")[0].since <= 10


def test_cables_and_the_provider_show_on_their_ports(world: World) -> None:
    world.conditions.unplugged.add(("clinica-radio", "ether1"))
    world.conditions.slow_ports.add(("torre-cerro", "ether1"))
    world.conditions.dead_upstreams.add("provider")
    _run(world, 5)
    assert not world.machines["clinica-radio"].ports["ether1"].up
    assert world.machines["clinica-radio"].on, "the radio hangs on the mast, the cable goes into the house"
    assert world.machines["torre-cerro"].ports["ether1"].speed_bps == 10_000_000
    upstream = world.machines["centro-router"].ports["ether1"]
    before = upstream.in_octets
    _run(world, 30)
    assert not upstream.up
    assert upstream.in_octets == before


def test_traffic_flows_to_the_homes_and_stops_where_the_way_is_cut(world: World) -> None:
    def grown(device: str, seconds: float = 30) -> float:
        port = world.machines[device].port_of("radio")
        before = port.in_octets
        _run(world, seconds)
        return port.in_octets - before

    healthy = grown("quebrada-radio")
    assert healthy > 1e6
    assert grown("torre-centro") > 3 * healthy, "what all homes fetch passes the first link"
    world.conditions.dead_devices.add("cerro-torre")
    assert grown("quebrada-radio") < healthy / 10


def test_every_family_shows_what_the_world_says(world: World) -> None:
    def value(machine: Machine, *numbers: int | str) -> object:
        view = views.MachineView(machine, lambda: world._now).view()
        assert view is not None
        column, *index = numbers
        found = view.get(oid(str(column), *(int(n) for n in index)))
        return None if found is None else found[2]

    torre, alto = world.machines["torre-cerro"], world.machines["alto-radio"]
    assert torre.radio is not None and alto.radio is not None
    assert torre.voltage_v is not None
    assert value(torre, "1.3.6.1.4.1.14988.1.1.3.8", 0) == round(torre.voltage_v * 10)
    peer = next(iter(alto.radio.peers.values()))
    station = "1.3.6.1.4.1.41112.1.4.7.1"
    assert value(alto, f"{station}.3", 1, *peer.mac) == round(peer.signal_dbm)
    assert value(alto, f"{station}.6", 1, *peer.mac) == round(peer.ccq_pct)
    server = world.machines["escuela-server"]
    assert value(server, "1.3.6.1.2.1.2.2.1.8", 2) == 1


def test_rows_of_stations_come_and_go(world: World) -> None:
    sector = world.machines["cerro-sector"]
    view = views.MachineView(sector, lambda: world._now)
    before = view.view()
    assert before is not None
    rows = len(before)
    world.conditions.dark_sites.add("alto")
    _run(world, 5)
    after = view.view()
    assert after is not None
    assert len(after) == rows - 17


def test_rates_and_quality_follow_signal_over_noise() -> None:
    rates = [air.rate_bps(snr) for snr in range(0, 45)]
    assert rates == sorted(rates)
    assert air.rate_bps(36) == 130_000_000
    assert air.ccq_pct(36, 0) > 90 > air.ccq_pct(20, 0)
    assert air.ccq_pct(20, 15) < air.ccq_pct(20, 0)


def test_the_day_has_a_quiet_night_and_a_busy_evening() -> None:
    hours = [traffic.day_curve(hour) for hour in range(24)]
    assert hours.index(max(hours)) == 20
    assert hours[4] < 0.2 < 0.4 < hours[12] < hours[20] <= 1
    assert all(24.2 < traffic.battery_v(24, hour / 4) < 28 for hour in range(96)), (
        "healthy batteries alarm nobody"
    )


def test_the_same_seed_tells_the_same_story(network: Network, tmp_path: Path) -> None:
    def tell() -> list[float]:
        world = World(network, {}, Conditions(), Random(3), NOON)
        _run(world, 60)
        return [_peers(world, link)[0].signal_dbm for link in network.links]

    assert tell() == tell()
