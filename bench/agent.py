"""What an agent weighs at work: memory, and processor time a poll, with ten devices and a real broker.

    bench/agent.py [--json] [--for 60]

Ten simulated devices (RouterOS, airOS) answer on loopback, polled every 15 s; Mosquitto and a hub run
beside it. The connection to the broker is plain: TLS is not part of this figure.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import measure

from ayni_core import inventory
from ayni_hub.ledger import Ledger
from ayni_io import configs, local_broker
from ayni_io.stack import Part, Stack, ayni
from ayni_lab.village import Village

DEVICES = 10
POLL_S = 15  # the quickest pace at which names and speeds are read only every ten minutes
TICKS = os.sysconf("SC_CLK_TCK")


def ten_devices(folder: Path) -> Village:
    """The example community cut down to ten devices of one node, and the links between them."""
    village = Village.in_folder(folder, poll_s=POLL_S, language="en")
    raw: dict[str, Any] = village.raw
    names = list(raw["devices"])[:DEVICES]
    node = next(iter(raw["nodes"]))
    raw["nodes"] = {node: raw["nodes"][node]}
    raw["devices"] = {name: raw["devices"][name] | {"node": node} for name in names}
    raw["links"] = {
        name: link
        for name, link in raw["links"].items()
        if {link["a"]["device"], link["b"]["device"]} <= set(names)
    }
    raw["upstreams"] = {name: up for name, up in raw["upstreams"].items() if up["device"] in names}
    return village


async def measured(folder: Path, for_s: float) -> tuple[float, float, int]:
    """(resident memory in MB, processor ms a device's poll, frames) of an agent after `for_s` seconds."""
    village = ten_devices(folder)
    local_broker.write_accounts(folder, village.roles())
    stack = Stack(folder)
    try:
        local = await local_broker.start(stack, "h-demo", wanted="mosquitto")
        lab = village.write_lab(local)
        scenario = folder / "empty.yaml"
        scenario.write_text("faults: {}\n")
        lab.write_text(
            lab.read_text().replace(str(configs.find("scenarios/red-cerro-norte.yaml")), str(scenario))
        )

        async def lab_answers() -> bool:
            return village.ports.is_file()

        await stack.start(
            Part(name="lab", argv=ayni("lab", "simulate", "--config", str(lab)), ready=lab_answers)
        )
        network: inventory.Network = village.write_network(local, None)
        (node,) = network.nodes
        await stack.start(Part(name="hub", argv=ayni("hub", "run", "--config", str(village.hub_config))))
        agent = ayni("agent", "run", "--config", str(village.agent_config(node)))
        await stack.start(Part(name="agent", argv=agent))
        await asyncio.sleep(for_s / 3)
        pid = stack.pids()["agent"]
        before, started = cpu_s(pid), time.monotonic()
        await asyncio.sleep(for_s * 2 / 3)
        used, elapsed = cpu_s(pid) - before, time.monotonic() - started
        memory = rss_mb(pid)
        polls = elapsed / POLL_S * DEVICES
        await stack.end("agent", "hub")
        ledger = Ledger(folder / "hub" / "ledger.db")
        frames = ledger._db.execute("SELECT sum(last - first + 1) FROM frames").fetchone()[0] or 0
        ledger.close()
        return memory, 1000 * used / polls, frames
    finally:
        await stack.stop()


def cpu_s(pid: int) -> float:
    """Processor seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def rss_mb(pid: int) -> float:
    """Resident memory of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def main() -> int:
    """Measure once; memory does not vary from run to run."""
    parser = measure.arguments(__doc__.splitlines()[0])
    parser.add_argument("--for", type=float, default=60.0, dest="for_s", help="seconds of work")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ayni-bench-") as folder:
        memory, cpu_ms, frames = asyncio.run(measured(Path(folder), arguments.for_s))
    if not frames:
        sys.exit("bench/agent.py: no frame reached the hub; nothing was measured")
    figures = [
        measure.Figure(key="agent_rss_v2c_mb", value=round(memory, 1), unit="MB", target=28),
        measure.Figure(key="agent_cpu_per_poll_ms", value=round(cpu_ms, 2), unit="ms"),
    ]
    measure.report("agent", figures, as_json=arguments.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
