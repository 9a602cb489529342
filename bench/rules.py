"""What the alarm rules cost a hub of a thousand sites: milliseconds of processor time a second of real time.

    bench/rules.py [--json] [--sites 100] [--runs 5]

Reports of the reference site, each site with five links, go through a judge with the shipped rules and
through one without any; what lies between is the rules. A second of a thousand sites has 1,000/300 reports
and a tick. Measured once while all is well, and once while alarms hold at each site. `--sites` are simulated;
the figure is scaled to a thousand.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from itertools import pairwise

import measure
import reference_site as site
from measure import Figure, median

from ayni_core import inventory
from ayni_core.rules import Rule
from ayni_core.schema import Faults, Fields
from ayni_core.wire import codec
from ayni_core.wire.messages import NodeState
from ayni_hub.judge import Judge
from ayni_io.rulebook import load_rules

REPORTS, WARM, TICKS = 12, 2, 20
_SITES = 1000


def network(sites: int, names: Sequence[str], *, trouble: bool) -> inventory.Network:
    """So many solar sites; in `trouble` the uneven chains that each reference site has are an alarm."""
    radios = [name for name in names if name.startswith("radio")]
    raw: dict[str, dict[str, object]] = {
        "network": {"title": "bench", "rules": {} if trouble else {"chains-uneven": "off"}},
        "sites": {}, "nodes": {}, "devices": {}, "links": {},
    }  # fmt: skip
    for number in range(sites):
        raw["sites"][f"s{number}"] = {
            "power": "solar", "battery_v": 24, "latitude": -13.5, "longitude": -72.0,
        }  # fmt: skip
        raw["nodes"][f"n{number}"] = {"site": f"s{number}"}
        for name in names:
            raw["devices"][f"{name}-{number}"] = {
                "site": f"s{number}", "node": f"n{number}", "address": "127.0.0.1", "community": "env:NONE",
            }  # fmt: skip
        for at, (one, two) in enumerate(pairwise(radios)):
            raw["links"][f"l{number}-{at}"] = {
                "a": {"device": f"{one}-{number}", "expected_dbm": -64},
                "b": {"device": f"{two}-{number}", "expected_dbm": -64},
            }
    faults = Faults("bench")
    found = inventory.parse(Fields(raw, "", faults))
    faults.stop()
    return found


def cost_ms(found: inventory.Network, rules: tuple[Rule, ...], sites: int) -> tuple[float, int]:
    """(ms of processor time a second of a thousand such sites, alerts in the end)."""
    frames = [codec.decode(codec.encode(frame, "field")) for frame in site.site().frames(REPORTS)]
    judge = Judge(found, rules)
    for node in found.nodes:
        judge.node_state(node, NodeState(up=True, epoch="e", flush_s=site.FLUSH_S), site.START_S)
    reports, news, idle = [], [], []
    for number, frame in enumerate(frames):
        start = site.START_S + number * site.FLUSH_S
        taken = [
            (f"n{each}", {f"{name}-{each}": polls for name, polls in frame.devices.items()})
            for each in range(sites)
        ]
        begun = time.process_time()
        for node, devices in taken:
            judge.take(node, devices, start, start + 2 * site.FLUSH_S, True)
        reported = time.process_time()
        judge.tick(start + site.FLUSH_S)
        told = time.process_time()
        for tick in range(TICKS):
            judge.tick(start + site.FLUSH_S + 1 + 0.1 * tick)
        reports.append(reported - begun)
        news.append(told - reported)
        idle.append((time.process_time() - told) / TICKS)
        judge.flush()
    a_second = (median(reports[WARM:]) + median(news[WARM:])) / site.FLUSH_S + median(idle[WARM:])
    return a_second * 1000 * _SITES / sites, len(judge.alerts)


def main() -> int:
    """Measure and print."""
    parser = measure.arguments((__doc__ or "").splitlines()[0])
    parser.add_argument("--sites", type=int, default=100, help="how many are simulated (default: 100)")
    arguments = parser.parse_args()
    names = sorted(site.site().devices)
    rules = load_rules()
    figures = []
    for trouble in (False, True):
        found = network(arguments.sites, names, trouble=trouble)
        alone, whole, alerts = [], [], 0
        for _ in range(arguments.runs):
            with_rules, alerts = cost_ms(found, rules, arguments.sites)
            without, _none = cost_ms(found, (), arguments.sites)
            alone.append(with_rules - without)
            whole.append(with_rules)
        name = "in_trouble" if trouble else "healthy"
        figures += [
            Figure(key=f"rules_{name}_ms_per_s", value=median(alone), unit="ms/s", target=10,
                   runs=arguments.runs),
            Figure(key=f"judge_{name}_ms_per_s", value=median(whole), unit="ms/s", runs=arguments.runs),
            Figure(key=f"rules_{name}_alerts_per_site", value=round(alerts / arguments.sites, 2), unit=""),
        ]  # fmt: skip
    measure.report("rules", figures, as_json=arguments.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
