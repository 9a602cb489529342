"""The machine that the monitor runs on: supply, heat, clock, memory, disks, ports."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from ayni_agent.eyes import EyeError, Sight
from ayni_core import linux_facts
from ayni_core.linux_facts import Ticks
from ayni_core.readings import Series, Value
from ayni_io import clock, program
from ayni_io.aside import Aside, BusyError
from ayni_io.i18n import _

_LONGEST = 64 * 1024
_MOST = 64
"""Ports, sensors and disks of each kind: containers make ports by the hundred."""
_PATIENCE_S = 2.0
_IN_FIRMWARE = "sys/devices/platform/soc/soc:firmware/get_throttled"
_NET_FILES = (
    "ifindex",
    "type",
    "flags",
    "operstate",
    "carrier",
    "mtu",
    "address",
    "speed",
    "duplex",
    "ifalias",
)

Found = dict[Series, Value]


class HostEye:
    """Reads below `root`, the folder that holds `proc`, `sys` and `etc`; `synced` asks about the clock.

    The files are read in a thread: a card that fails lets whoever asks for its size wait for ever.
    """

    def __init__(
        self,
        root: Path = Path("/"),
        *,
        synced: Callable[[], bool] = clock.synchronised,
        tool: str = "vcgencmd",
    ) -> None:
        self._root = root
        self._synced = synced
        self._tool = shutil.which(tool) or ""
        self._ticks: Ticks | None = None
        self._aside = Aside("host")

    async def read(self) -> Found:
        """See `Eye.read`."""
        try:
            found = await self._aside.run(self._look)
        except BusyError:
            raise EyeError(
                _("this machine: its files have not answered since the last time; a card may be failing")
            ) from None
        if not found:
            raise EyeError(
                _("this machine: {root} tells nothing; expected /proc and /sys of Linux", root=self._root)
            )
        found[Series("node", "", "clock_synced")] = int(self._synced())
        if Series("node", "", "throttle_state") not in found and self._is_pi():
            found |= await self._ask_firmware()
        return found

    def close(self) -> None:
        """Nothing is held between two reads."""

    def _look(self) -> Found:
        found: Found = {}
        for part in (self._system, self._supply, self._sensors, self._disks, self._wear, self._ports):
            found.update(part())
        return found

    def _read(self, *path: str) -> str:
        """A small file; "" where it is missing or refuses, as `speed` does while a port is down."""
        try:
            file = os.open(os.path.join(self._root, *path), os.O_RDONLY)  # noqa: PTH118  it is read often
        except OSError:
            return ""
        try:
            return os.read(file, _LONGEST).decode("utf-8", "replace").replace("\0", "")
        except OSError:
            return ""
        finally:
            os.close(file)

    def _folders(self, *path: str) -> list[Path]:
        with contextlib.suppress(OSError):
            return sorted(self._root.joinpath(*path).iterdir())
        return []

    def _system(self) -> Iterator[tuple[Series, Value]]:
        readings: dict[str, Value] = {}
        uptime = linux_facts.uptime_s(self._read("proc", "uptime"))
        if uptime is None:
            return
        readings["uptime_s"] = uptime
        readings |= linux_facts.loads(self._read("proc", "loadavg"))
        readings |= linux_facts.memory(self._read("proc", "meminfo"))
        ticks = linux_facts.ticks(self._read("proc", "stat"))
        readings["cpu_pct"] = linux_facts.busy_pct(self._ticks, ticks)
        self._ticks = ticks
        texts = {
            "name": self._read("proc", "sys", "kernel", "hostname"),
            "version": self._read("proc", "sys", "kernel", "osrelease"),
            "model": self._read("proc", "device-tree", "model")
            or self._read("sys", "class", "dmi", "id", "product_name"),
        }
        readings |= {metric: text.strip()[:255] for metric, text in texts.items() if text.strip()}
        yield from ((Series("system", "", metric), value) for metric, value in readings.items())

    def _supply(self) -> Iterator[tuple[Series, Value]]:
        word = linux_facts.hexadecimal(self._read(_IN_FIRMWARE))
        if word is not None:
            states = linux_facts.throttled(word)
            yield from ((Series("node", "", metric), value) for metric, value in states.items())
            return
        for folder in self._folders("sys", "class", "hwmon")[:_MOST]:
            if self._read(str(folder / "name")).strip() == "rpi_volt":
                low = self._read(str(folder / "in0_lcrit_alarm")).strip() == "1"
                yield Series("node", "", "supply_state"), 2 if low else 0

    def _sensors(self) -> Iterator[tuple[Series, Value]]:
        seen: dict[str, int] = {}

        def sensor(name: str, path: Path) -> Iterator[tuple[Series, Value]]:
            value = linux_facts.degrees(self._read(str(path)))
            if value is not None:
                seen[name] = seen.get(name, 0) + 1
                item = name if seen[name] == 1 else f"{name}#{seen[name]}"
                yield Series("sensor", item[:64], "temperature_c"), value

        zones: set[str] = set()
        for zone in self._folders("sys", "class", "thermal")[:_MOST]:
            if zone.name.startswith("thermal_zone"):
                name = self._read(str(zone / "type")).strip() or zone.name
                zones.add(name.replace("-", "_"))
                yield from sensor(name, zone / "temp")
        for chip in self._folders("sys", "class", "hwmon")[:_MOST]:
            name = self._read(str(chip / "name")).strip() or chip.name
            if name.replace("-", "_") in zones:
                continue  # the same sensor, told a second time
            for path in self._folders(str(chip))[: 4 * _MOST]:
                if path.name.startswith("temp") and path.name.endswith("_input"):
                    label = self._read(str(path).removesuffix("_input") + "_label").strip()
                    yield from sensor(f"{name}/{label}" if label else name, path)
                elif path.name.startswith("fan") and path.name.endswith("_input"):
                    turns = linux_facts.number(self._read(str(path)))
                    fan = path.name.removesuffix("_input")
                    yield Series("sensor", f"{name}/{fan}"[:64], "fan_rpm"), turns

    def _disks(self) -> Iterator[tuple[Series, Value]]:
        for mount in linux_facts.mounts(self._read("proc", "self", "mounts"))[:_MOST]:
            try:
                size = os.statvfs(self._root / mount.point.lstrip("/"))
            except OSError:
                continue
            if size.f_blocks:
                point = mount.point[:96]
                total, used = size.f_blocks * size.f_frsize, (size.f_blocks - size.f_bfree) * size.f_frsize
                yield Series("system", point, "storage_total_bytes"), total
                yield Series("system", point, "storage_used_bytes"), used

    def _wear(self) -> Iterator[tuple[Series, Value]]:
        for disk in self._folders("sys", "block")[:_MOST]:
            worn = linux_facts.worn_pct(self._read(str(disk / "device" / "life_time")))
            if worn is not None:
                yield Series("system", disk.name, "wear_pct"), worn

    def _ports(self) -> Iterator[tuple[Series, Value]]:
        traffic = linux_facts.traffic(self._read("proc", "net", "dev"))
        ports = [folder for folder in self._folders("sys", "class", "net") if folder.name in traffic]
        ports.sort(key=lambda folder: not _stands(folder / "device"))  # real ones first
        for port in ports[:_MOST]:
            files = {name: self._read(str(port), name) for name in _NET_FILES}
            inside = [name for name in ("bridge", "wireless", "phy80211") if _stands(port / name)]
            readings = linux_facts.interface(files, inside) | traffic[port.name]
            yield from ((Series("interface", port.name, metric), value) for metric, value in readings.items())

    def _is_pi(self) -> bool:
        return bool(self._tool) and "Raspberry" in self._read("proc", "device-tree", "model")

    async def _ask_firmware(self) -> Found:
        """By the Pi's own program, where the kernel has no such file."""
        try:
            ended = await program.run((self._tool, "get_throttled"), _PATIENCE_S, most=200)
        except OSError:
            return {}
        word = linux_facts.hexadecimal(ended.output) if ended.status == 0 else None
        states = linux_facts.throttled(word) if word is not None else {}
        return {Series("node", "", metric): value for metric, value in states.items()}


def _stands(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False


def open_eye(_sight: Sight) -> HostEye:
    """See `ayni_agent.eyes`."""
    return HostEye()
