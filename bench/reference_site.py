"""The reference site: one node's devices whose readings move like real ones, the same for every benchmark.

    bench/reference_site.py [large] [--rounds N]       say what it is made of

*reference*: 1 node, 6 radios, 3 routers, 560 samples a round. *large*: ten devices of 13 scalars and 24
interfaces x 13 columns each, 3,250 samples a round: what `bench/poll.py` polls, ten times.

Everything comes out of one seed, so that two programs measure the same bytes. How values move: signals and
temperatures wander around a mean and stay where they are now and then; rates jump between the steps of a
modulation table; octets follow the hour of the day, with bursts; errors come seldom; a good part never moves.
"""

from __future__ import annotations

import argparse
import itertools
import math
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from ayni_core.readings import Series, Value
from ayni_core.wire.frame import ANSWERED, DevicePolls, Frame

POLL_S, FLUSH_S = 60.0, 300.0
START_S = 1_760_000_000.0
NODE = "cerro-pi"
KINDS = ("reference", "large")
SAMPLES = {"reference": 560, "large": 3250}
"""A round of polls of each kind."""

Source = Callable[[float], Value]
"""Seconds since the start -> the value that is read then; called once a poll, in order."""


def site(kind: str = "reference", seed: int = 1) -> Site:
    """A fresh site of one of KINDS."""
    if kind == "large":
        named = [(f"sector-{i:02d}", _large) for i in range(10)]
    else:
        named = [(NODE, _node)]
        named += [(f"radio-{place}", _radio) for place in ("cerro", "torre", "loma", "pozo", "salto", "abra")]
        named += [(f"router-{place}", _router) for place in ("cerro", "escuela", "posta")]
    return Site({name: make(random.Random(f"{seed}/{name}")) for name, make in named})


@dataclass(slots=True)
class Site:
    """`devices[name][series]` makes the values of one series."""

    devices: Mapping[str, Mapping[Series, Source]]

    def round(self, number: int) -> dict[str, tuple[float, dict[Series, Value]]]:
        """One poll of each device: (seconds since the start, values). Rounds come in order, each once."""
        result = {}
        for index, (name, sources) in enumerate(self.devices.items()):
            jitter = random.Random(f"{name}/{number}").uniform(0.0, 0.012)
            at_s = number * POLL_S + index * POLL_S / len(self.devices) + jitter
            result[name] = (at_s, {series: source(at_s) for series, source in sources.items()})
        return result

    def frames(
        self, count: int, *, epoch: str = "5b1e0c77a2d94f03", first: int = 0, every: int = 1
    ) -> Iterator[Frame]:
        """The frames of `count` flushes, five rounds each; with `every` spread over a longer time."""
        rounds = round(FLUSH_S / POLL_S)
        for number in range(first, first + count * every, every):
            start_s = number * FLUSH_S
            devices: dict[str, DevicePolls] = {}
            for each in range(number * rounds, (number + 1) * rounds):
                for name, (at_s, values) in self.round(each).items():
                    devices.setdefault(name, DevicePolls()).add(at_s - start_s, values)
            yield Frame(
                node=NODE,
                epoch=epoch,
                seq=number + 1,
                boot="3c0f7c5a-2f0e-4a57-9a43-6d1e7a5b9c21",
                mono_s=86_400.0 + start_s,
                wall_s=START_S + start_s,
                synced=True,
                next_by_s=FLUSH_S + 10,
                made_s=86_400.0 + start_s + FLUSH_S,
                devices=devices,
            )


# ---- how values move


def constant(value: Value) -> Source:
    """What never changes."""
    return lambda _at_s: value


def wander(
    rng: random.Random, mean: float, by: float, low: float, high: float, digits: int = 0, moves: float = 1.0
) -> Source:
    """Drifts around `mean`; at a share of the polls (`moves`) at all."""
    value = mean

    def read(_at_s: float) -> Value:
        nonlocal value
        if rng.random() < moves:
            value = min(high, max(low, value + 0.05 * (mean - value) + rng.gauss(0, by)))
        return round(value, digits) if digits else round(value)

    return read


def pick(rng: random.Random, choices: tuple[int, ...], moves: float) -> Source:
    """Jumps between a few steps, as modulation rates do."""
    value = rng.choice(choices)

    def read(_at_s: float) -> Value:
        nonlocal value
        if rng.random() < moves:
            value = rng.choice(choices)
        return value

    return read


def counter(
    rng: random.Random, per_s: float, first: int, *, bursts: float = 0.6, idle: float = 0.0, bits: int = 64
) -> Source:
    """Counts up with the hour of the day, in bursts; at a share of the polls (`idle`) not at all."""
    value, before_s = first, 0.0

    def read(at_s: float) -> Value:
        nonlocal value, before_s
        span_s, before_s = at_s - before_s, at_s
        if per_s and rng.random() >= idle:
            busy = 1 + 0.6 * math.sin(2 * math.pi * (at_s % 86_400) / 86_400 - 2)
            value = (value + int(per_s * span_s * busy * rng.lognormvariate(0, bursts))) % (1 << bits)
        return value

    return read


def times(unit: int, source: Source) -> Source:
    """What a device tells in a larger unit than ours: kbit/s, KiB."""

    def read(at_s: float) -> Value:
        value = source(at_s)
        return value * unit if isinstance(value, int) else value

    return read


def uptime(rng: random.Random) -> Source:
    """Seconds since a start some days ago, in the hundredths that sysUpTime has."""
    since_s = rng.uniform(1e3, 9e6)
    return lambda at_s: int((at_s + since_s) * 100) / 100


# ---- devices


def _hex(rng: random.Random, digits: int) -> str:
    return f"{rng.getrandbits(4 * digits):0{digits}x}"


def _radio(rng: random.Random) -> dict[Series, Source]:
    """A radio of a point-to-point link: itself, what it hears, its one peer, its cable."""
    peer = f"245a4c{_hex(rng, 6)}"
    rates = (130_000_000, 144_444_000, 173_333_000, 195_000_000)

    def system(metric: str, source: Source) -> tuple[Series, Source]:
        return Series("system", "", metric), source

    def radio(metric: str, source: Source, item: str = "ath0") -> tuple[Series, Source]:
        return Series("radio", item, metric), source

    def station(metric: str, source: Source) -> tuple[Series, Source]:
        return Series("station", peer, metric), source

    def cable(metric: str, source: Source) -> tuple[Series, Source]:
        return Series("interface", "eth0", metric), source

    return dict(
        (
            (ANSWERED, constant(1)),
            system("uptime_s", uptime(rng)),
            system("cpu_pct", wander(rng, 14, 3, 1, 100)),
            (Series("sensor", "", "temperature_c"), wander(rng, 41, 0.4, 10, 80, moves=0.5)),
            (Series("power", "", "voltage_v"), wander(rng, 23.8, 0.05, 22, 26, 1, moves=0.5)),
            radio("frequency_mhz", constant(rng.choice((5180, 5500, 5745, 5785)))),
            radio("channel_width_mhz", constant(20)),
            radio("tx_power_dbm", constant(23)),
            radio("distance_m", constant(rng.randrange(300, 24_000, 150))),
            radio("clients", constant(1)),
            radio("noise_dbm", wander(rng, -95, 0.5, -99, -88)),
            radio("signal_dbm", wander(rng, -63, 1, -75, -55)),
            radio("signal_chain_dbm", wander(rng, -65, 1, -77, -57), "ath0 chain 0"),
            radio("signal_chain_dbm", wander(rng, -66, 1, -78, -58), "ath0 chain 1"),
            radio("ccq_pct", wander(rng, 92, 2, 60, 100, 1)),
            radio("airtime_pct", wander(rng, 22.0, 3, 1, 90, 1)),
            radio("tx_capacity_bps", times(1000, wander(rng, 92_000, 2500, 4e4, 1.2e5))),
            radio("rx_capacity_bps", times(1000, wander(rng, 88_000, 2500, 4e4, 1.2e5))),
            station("remote_signal_dbm", wander(rng, -64, 1, -75, -55)),
            station("snr_db", wander(rng, 31, 1, 20, 40)),
            station("mcs", pick(rng, (6, 7, 8, 9), 0.15)),
            station("tx_rate_bps", pick(rng, rates, 0.15)),
            station("rx_rate_bps", pick(rng, rates, 0.15)),
            station("tx_octets", counter(rng, 3e5, rng.randrange(10**9, 5 * 10**12))),
            station("rx_octets", counter(rng, 9e5, rng.randrange(10**9, 5 * 10**12))),
            cable("in_octets", counter(rng, 9.2e5, rng.randrange(10**9, 5 * 10**12))),
            cable("out_octets", counter(rng, 3.1e5, rng.randrange(10**9, 5 * 10**12))),
            cable("in_ucast_pkts", counter(rng, 500, rng.randrange(10**7, 10**10))),
            cable("out_ucast_pkts", counter(rng, 900, rng.randrange(10**7, 10**10))),
            cable("in_errors", counter(rng, 0.05, rng.randrange(5000), idle=0.8)),
        )
    )


def _ports(rng: random.Random, count: int, busy: int, more: bool) -> dict[Series, Source]:
    found: dict[Series, Source] = {}
    for number in range(1, count + 1):
        used = number <= busy
        rate = 10 ** rng.uniform(3.5, 6) if used else 0.0

        def first(low: int, high: int, used: bool = used) -> int:
            return rng.randrange(low, high) if used else 0

        columns: dict[str, Source] = {
            "if_admin": constant(1),
            "if_oper": constant(1 if used else 2),
            "speed_bps": constant(1_000_000_000 if used else 10_000_000),
            "in_octets": counter(rng, rate, first(10**8, 10**13)),
            "out_octets": counter(rng, rate * rng.uniform(0.2, 2), first(10**8, 10**13)),
            "in_ucast_pkts": counter(rng, rate / 700, first(10**6, 10**10)),
            "out_ucast_pkts": counter(rng, rate / 600, first(10**6, 10**10)),
            "in_errors": counter(rng, 0.01 if used else 0, first(0, 300), idle=0.97),
            "out_errors": constant(0),
            "in_discards": counter(rng, 0.02 if used else 0, first(0, 900), idle=0.93),
            "out_discards": constant(0),
        }
        if more:
            columns |= {"if_type": constant(6), "mtu_bytes": constant(1500)}
        found |= {Series("interface", f"ether{number}", metric): read for metric, read in columns.items()}
    return found


def _router(rng: random.Random) -> dict[Series, Source]:
    """A router with ten ports, six of them in use."""
    system: dict[Series, Source] = {
        ANSWERED: constant(1),
        Series("system", "", "uptime_s"): uptime(rng),
        Series("system", "", "cpu_pct"): wander(rng, 9, 2, 1, 100),
        Series("system", "", "memory_total_bytes"): constant(268_435_456),
        Series("system", "", "memory_free_bytes"): times(1024, wander(rng, 187_432, 300, 1e5, 2.5e5)),
        Series("system", "", "dhcp_leases"): wander(rng, 31, 0.6, 0, 200, moves=0.3),
        Series("system", "", "connections"): wander(rng, 1450, 60, 100, 5000),
        Series("system", "", "version"): constant("6.49.10"),
        Series("sensor", "", "temperature_c"): wander(rng, 47, 0.4, 10, 80, moves=0.5),
        Series("power", "", "voltage_v"): wander(rng, 24.1, 0.05, 22, 26, 1, moves=0.5),
    }
    return system | _ports(rng, 10, 6, more=False)


def _large(rng: random.Random) -> dict[Series, Source]:
    """A switch with 24 ports, and radios behind 18 of them."""
    system: dict[Series, Source] = {
        Series("system", "", "name"): constant(f"sw-{_hex(rng, 4)}"),
        Series("system", "", "model"): constant("CRS328-24P-4S+"),
        Series("system", "", "description"): constant("RouterOS CRS328-24P-4S+"),
    }
    router = {series: read for series, read in _router(rng).items() if series.group != "interface"}
    return system | router | _ports(rng, 24, 18, more=True)


def _node(rng: random.Random) -> dict[Series, Source]:
    """The Raspberry Pi itself, as its own SNMP agent shows it."""
    system: dict[str, Source] = {
        "answered": constant(1),
        "uptime_s": uptime(rng),
        "cpu_pct": wander(rng, 7, 2, 0, 100),
        "load_1m": wander(rng, 0.22, 0.06, 0.01, 4, 2),
        "load_5m": wander(rng, 0.20, 0.03, 0.01, 4, 2),
        "load_15m": wander(rng, 0.20, 0.01, 0.01, 4, 2),
        "memory_total_bytes": constant(948_236 * 1024),
        "memory_used_bytes": times(1024, wander(rng, 212_400, 900, 1e5, 9e5)),
    }
    storage: dict[str, Source] = {
        "storage_total_bytes": constant(31_268_536_320),
        "storage_used_bytes": times(4096, wander(rng, 832_000, 40, 8e5, 9e5, moves=0.3)),
    }
    modem: dict[str, Source] = {
        "rssi_dbm": wander(rng, -79, 1.2, -100, -50),
        "rsrq_db": wander(rng, -11, 0.7, -20, -3),
        "sinr_db": wander(rng, 9, 1.2, -5, 25),
    }
    port: dict[str, Source] = {
        "if_oper": constant(1),
        "in_octets": counter(rng, 150, rng.randrange(10**6, 10**9), bits=32),
        "out_octets": counter(rng, 300, rng.randrange(10**6, 10**9), bits=32),
        "in_ucast_pkts": counter(rng, 1.1, rng.randrange(10**4, 10**7), bits=32),
        "out_ucast_pkts": counter(rng, 1.3, rng.randrange(10**4, 10**7), bits=32),
    }
    return (
        {Series("system", "", metric): read for metric, read in system.items()}
        | {Series("system", "/", metric): read for metric, read in storage.items()}
        | {Series("radio", "wwan0", metric): read for metric, read in modem.items()}
        | {Series("interface", "wwan0", metric): read for metric, read in port.items()}
        | {
            Series("sensor", "cpu", "temperature_c"): wander(rng, 48.2, 0.7, 20, 85, 1),
            Series("power", "", "voltage_v"): wander(rng, 5.08, 0.01, 4.6, 5.2, 2, moves=0.6),
        }
    )


def main() -> int:
    """Say how many samples each device brings, and how many of them move."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", nargs="?", choices=KINDS, default="reference")
    parser.add_argument("--rounds", type=int, default=100)
    arguments = parser.parse_args()
    made = site(arguments.kind)
    rounds = [made.round(number) for number in range(arguments.rounds)]
    total = 0
    for name in made.devices:
        values = [found[name][1] for found in rounds]
        moved = sum(
            before[series] != after[series]
            for before, after in itertools.pairwise(values)
            for series in after
        )
        total += len(values[0])
        print(f"{name:<16} {len(values[0]):>5} samples, {moved / max(1, len(rounds) - 1):6.1f} move")
    print(f"{'a round':<16} {total:>5} samples")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
