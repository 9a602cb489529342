"""CPU of one poll over SNMP, 13 scalars and 24 interfaces x 13 columns, beside other programs.

All read the same responder (`snmp_device.py`), which runs in processes of its own: our agent in v2c and v3
(authPriv, SHA and AES) with everything up to the hub's acknowledgement (`driven_agent.py`), pysnmp with MIB
look-up, collectd's snmp and mqtt plugins, snmp_exporter. Python clients run in a worker process each and
count their own CPU; that of the daemons is read from /proc, less what they need while nothing is asked.
collectd sends numbers only: the interface name goes along as a label, texts are left out. Our agent reads
names and speeds every tenth poll only: `look_over` is what that poll costs, `idle_hour` an hour of ten such
devices, polled every minute.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path

from driven_agent import DEVICES, driven
from measure import Figure, Peer, arguments, median, report
from snmp_device import COLUMNS, INTERFACES, SCALARS, TEXTS, Device, device

POLLS_OURS, LOOK_OVERS, POLLS_PYSNMP, SCRAPES, COLLECTD_WINDOW_S = 200, 20, 3, 15, 3.0
COLLECTD_INTERVAL_S, IDLE_WINDOW_S = 0.2, 2.0


# ---- workers: Python clients, one process each


@contextlib.asynccontextmanager
async def pysnmp(port: int) -> AsyncIterator[Callable[[bool], Awaitable[None]]]:
    """What the library's documentation shows: a GET, and bulk_walk_cmd column by column."""
    from pysnmp.hlapi.v3arch import asyncio as hlapi

    engine = hlapi.SnmpEngine()
    target = await hlapi.UdpTransportTarget.create(("127.0.0.1", port), timeout=5, retries=1)
    who = (engine, hlapi.CommunityData("public", mpModel=1), target, hlapi.ContextData())

    async def poll(_look_over: bool) -> None:
        scalars = [hlapi.ObjectType(hlapi.ObjectIdentity(oid)) for oid in SCALARS.values()]
        failed, status, _, found = await hlapi.get_cmd(*who, *scalars)
        assert not failed and not status
        rows = 0
        for oid in COLUMNS.values():
            column = hlapi.ObjectType(hlapi.ObjectIdentity(oid))
            walk = hlapi.bulk_walk_cmd(*who, 0, INTERFACES, column, lexicographicMode=False)
            async for failed, status, _, varbinds in walk:
                assert not failed and not status
                rows += len(varbinds)
        assert len(found) == len(SCALARS) and rows == INTERFACES * len(COLUMNS), rows

    yield poll


def work(path: str, port: int, broker: int) -> None:
    """Polls as many times as each line of stdin says, and prints CPU seconds per poll."""

    async def run() -> None:
        paths = {"v2c": partial(driven, port, broker, "2c"), "v3": partial(driven, port, broker, "3")}
        async with paths.get(path, partial(pysnmp, port))() as poll:
            for _ in range(5 * DEVICES):
                await poll(False)
            print("ready", flush=True)
            while line := await asyncio.to_thread(sys.stdin.readline):
                times, look_over = int(line.split()[0]), line.split()[1] == "over"
                start = time.process_time()
                for _ in range(times):
                    await poll(look_over)
                print((time.process_time() - start) / times, flush=True)

    asyncio.run(run())


class Worker:
    """A client in a process of its own that polls when told to."""

    def __init__(self, path: str, port: int, broker: int = 0) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, "--worker", path, str(port), str(broker)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._read()

    def _read(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("a worker ended before its time")
        return line

    def cpu_ms(self, polls: int, *, look_over: bool = False) -> float:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{polls} {'over' if look_over else 'steady'}\n")
        self._process.stdin.flush()
        return float(self._read()) * 1000

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


# ---- daemons


def cpu_s(pid: int) -> float:
    """User and system time of a process with all its threads, from /proc/PID/stat."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def idle(pid: int) -> float:
    """CPU seconds a second of a program that is asked nothing."""
    start = cpu_s(pid)
    time.sleep(IDLE_WINDOW_S)
    return (cpu_s(pid) - start) / IDLE_WINDOW_S


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def find(program: str) -> str | None:
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")


def version_of(*command: str) -> str:
    """The first word that begins like a version in what the command prints."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"\b\d+\.\d+[\w.]*", done.stdout + done.stderr)
    return found.group() if found else "?"


@contextlib.contextmanager
def daemon(command: list[str], folder: Path) -> Iterator[int]:
    with (folder / f"{Path(command[0]).name}.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=folder)
    try:
        yield process.pid
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


COLLECTD = """\
FQDNLookup false
Hostname "bench"
BaseDir "{folder}"
PIDFile "{folder}/collectd.pid"
PluginDir "/usr/lib/collectd"
TypesDB "/usr/share/collectd/types.db"
Interval {interval}
ReadThreads 2
WriteThreads 2
LoadPlugin logfile
<Plugin logfile>
 LogLevel warning
 File "{folder}/collectd-plugin.log"
</Plugin>
LoadPlugin snmp
LoadPlugin mqtt
<Plugin mqtt>
 <Publish "bench">
  Host "127.0.0.1"
  Port {broker}
  Prefix "collectd"
  QoS 0
  StoreRates true
 </Publish>
</Plugin>
<Plugin snmp>
{data}
 <Host "router">
  Address "127.0.0.1:{port}"
  Version 2
  Community "public"
  Collect {names}
  Interval {interval}
  BulkSize 24
 </Host>
</Plugin>
"""


def collectd_config(folder: Path, *, port: int, broker: int, interval_s: float) -> str:
    data, names = "", []
    for name, oid in COLUMNS.items():
        if name in TEXTS:
            continue
        kind = "gauge" if name.endswith(("Status", "Speed")) else "derive"
        names.append(name)
        data += (
            f' <Data "{name}">\n  Type "{kind}"\n  Table true\n  TypeInstanceOID "{COLUMNS["ifName"]}"\n'
            f'  PluginInstance "{name}"\n  Values "{oid}"\n </Data>\n'
        )
    for name, oid in SCALARS.items():
        if name in TEXTS:
            continue
        names.append(name)
        data += (
            f' <Data "{name}">\n  Type "gauge"\n  Table false\n  TypeInstance "{name}"\n'
            f'  Values "{oid}"\n </Data>\n'
        )
    return COLLECTD.format(
        folder=folder,
        interval=interval_s,
        broker=broker,
        port=port,
        data=data,
        names=" ".join(f'"{name}"' for name in names),
    )


class Collectd:
    """collectd polling at its own interval, stopped by a signal outside of its windows."""

    def __init__(self, pid: int, idle_s: float, seen: Device) -> None:
        self._pid = pid
        self._idle_s = idle_s
        self._device = seen
        os.kill(pid, signal.SIGSTOP)

    def cpu_ms(self) -> float:
        polls, cpu = self._device.stats()["polls"], cpu_s(self._pid)
        os.kill(self._pid, signal.SIGCONT)
        time.sleep(COLLECTD_WINDOW_S)
        os.kill(self._pid, signal.SIGSTOP)
        spent = cpu_s(self._pid) - cpu - self._idle_s * COLLECTD_WINDOW_S
        return spent * 1000 / (self._device.stats()["polls"] - polls)


def exporter_config() -> str:
    lines = ["if_mib:", "  walk:", *(f"  - {oid}" for oid in COLUMNS.values())]
    lines += ["  get:", *(f"  - {oid}" for oid in SCALARS.values()), "  metrics:"]
    for name, oid in COLUMNS.items():
        if name in TEXTS:
            continue
        kind = "gauge" if name.endswith(("Status", "Speed")) else "counter"
        lines += [
            f"  - name: {name}",
            f"    oid: {oid}",
            f"    type: {kind}",
            f"    help: {name}",
            "    indexes:",
        ]
        lines += ["    - labelname: ifIndex", "      type: gauge", "    lookups:"]
        for label in ("ifName", "ifAlias"):
            lines += ["    - labels:", "      - ifIndex", f"      labelname: {label}"]
            lines += [f"      oid: {COLUMNS[label]}", "      type: DisplayString"]
    for name, oid in SCALARS.items():
        kind = "DisplayString" if name in TEXTS else "gauge"
        lines += [
            f"  - name: {name}",
            f"    oid: {oid.removesuffix('.0')}",
            f"    type: {kind}",
            f"    help: {name}",
        ]
    lines += ["  max_repetitions: 25", "  version: 2", "  auth:", "    community: public", ""]
    return "\n".join(lines)


class Exporter:
    """snmp_exporter, scraped as Prometheus does."""

    def __init__(self, pid: int, port: int, seen: Device) -> None:
        self._pid = pid
        self._url = f"http://127.0.0.1:{port}/snmp?target=127.0.0.1:{seen.port}&module=if_mib"
        for _ in range(100):
            with contextlib.suppress(OSError):
                self._scrape()
                break
            time.sleep(0.1)
        for _ in range(5):
            self._scrape()
        self._idle_s = idle(pid)

    def _scrape(self) -> None:
        with urllib.request.urlopen(self._url, timeout=10) as answer:
            text = answer.read().decode()
        assert text.count("\nifHCInOctets{") == INTERFACES, text[:500]

    def cpu_ms(self) -> float:
        start, begun = cpu_s(self._pid), time.monotonic()
        for _ in range(SCRAPES):
            self._scrape()
        spent = cpu_s(self._pid) - start - self._idle_s * (time.monotonic() - begun)
        return spent * 1000 / SCRAPES


# ---- the run


def main() -> None:
    options = arguments(__doc__ or "").parse_args()
    paths: dict[str, Callable[[], float]] = {}
    versions: dict[str, str] = {}
    left_out: list[str] = []
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-poll-")))
        mosquitto = find("mosquitto")
        if mosquitto is None:
            sys.exit("bench/poll.py: the agent publishes to Mosquitto, which is not installed")
        broker = free_port()
        (folder / "mosquitto.conf").write_text(f"listener {broker} 127.0.0.1\nallow_anonymous true\n")
        stack.enter_context(daemon([mosquitto, "-c", str(folder / "mosquitto.conf")], folder))
        time.sleep(0.3)
        hub = [sys.executable, str(Path(__file__).with_name("driven_agent.py")), "--hub", str(broker)]
        stack.enter_context(daemon(hub, folder))
        seen = stack.enter_context(device())
        workers = {"v2c": Worker("v2c", seen.port, broker)}
        try:
            import cryptography  # noqa: F401

            workers["v3"] = Worker("v3", stack.enter_context(device()).port, broker)
        except ImportError:
            left_out.append("cryptography, for SNMPv3")
        for name, worker in workers.items():
            stack.callback(worker.close)
            paths[name] = partial(worker.cpu_ms, POLLS_OURS)

        try:
            from pysnmp import __version__ as pysnmp_version

            theirs = Worker("pysnmp", stack.enter_context(device()).port)
            stack.callback(theirs.close)
            paths["pysnmp bulk_walk_cmd"] = lambda: theirs.cpu_ms(POLLS_PYSNMP)
            versions["pysnmp bulk_walk_cmd"] = pysnmp_version
        except ImportError:
            left_out.append("pysnmp")

        collectd = find("collectd")
        if collectd and Path("/usr/lib/collectd/snmp.so").exists():
            polled = stack.enter_context(device())

            def start(name: str, interval_s: float) -> int:
                home = folder / name
                home.mkdir()
                config = home / "collectd.conf"
                config.write_text(
                    collectd_config(home, port=polled.port, broker=broker, interval_s=interval_s)
                )
                return stack.enter_context(daemon([collectd, "-f", "-C", str(config)], home))

            resting = start("resting", 3600)
            busy = start("busy", COLLECTD_INTERVAL_S)
            time.sleep(2)
            paths["collectd"] = Collectd(busy, idle(resting), polled).cpu_ms
            versions["collectd"] = version_of(collectd, "-h")
        else:
            left_out.append("collectd with snmp and mqtt plugins")

        exporter = find("prometheus-snmp-exporter") or find("snmp_exporter")
        if exporter:
            (folder / "snmp.yml").write_text(exporter_config())
            port = free_port()
            command = [exporter, f"--config.file={folder}/snmp.yml", f"--web.listen-address=127.0.0.1:{port}"]
            pid = stack.enter_context(daemon(command, folder))
            paths["snmp_exporter"] = Exporter(pid, port, stack.enter_context(device())).cpu_ms
            versions["snmp_exporter"] = version_of(exporter, "--version")
        else:
            left_out.append("snmp_exporter")

        before = seen.stats()
        results: dict[str, list[float]] = {name: [] for name in paths}
        for _ in range(options.runs):
            for name, measure in paths.items():
                results[name].append(measure())
        after = seen.stats()
        over = {name: worker.cpu_ms(LOOK_OVERS, look_over=True) for name, worker in workers.items()}

    per_poll = {key: (after[key] - before[key]) / (after["polls"] - before["polls"]) for key in after}
    figures = [
        Figure(
            key=f"poll_{name}_cpu_ms",
            value=median(results[name]),
            unit="ms",
            target=target,
            runs=options.runs,
        )
        for name, target in (("v2c", 0.7), ("v3", 1.0))
        if name in results
    ]
    figures += [
        Figure(key="poll_pdus", value=per_poll["requests"], unit="PDUs", runs=options.runs),
        Figure(key="poll_bytes_sent", value=round(per_poll["octets_in"]), unit="bytes", runs=options.runs),
        Figure(
            key="poll_bytes_received", value=round(per_poll["octets_out"]), unit="bytes", runs=options.runs
        ),
    ]
    for name, cost in over.items():
        figures.append(Figure(key=f"look_over_{name}_cpu_ms", value=round(cost, 2), unit="ms"))
        hour = 60 * 10 * (0.9 * median(results[name]) + 0.1 * cost) / 1000
        figures.append(Figure(key=f"idle_hour_{name}_cpu_s", value=round(hour, 2), unit="s"))
    for name, key in (("collectd", "poll_vs_collectd"), ("snmp_exporter", "poll_vs_exporter")):
        if name in results:
            ratios = [mine / other for mine, other in zip(results["v2c"], results[name], strict=True)]
            figures.append(Figure(key=key, value=median(ratios), unit="", target=0.2, runs=options.runs))
    peers = [
        Peer(name=name, version=versions[name], key="cpu_ms", value=median(values))
        for name, values in results.items()
        if name not in workers
    ]
    report("poll", figures, peers, left_out, as_json=options.json)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        work(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    else:
        main()
