"""The monitor's own machine, read from made-up trees of /proc and /sys and from the real one."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from ayni_agent.eyes import EyeError
from ayni_agent.eyes.host import HostEye
from ayni_core import linux_facts
from ayni_core.linux_facts import Mount, Ticks
from ayni_core.readings import Series, Value
from ayni_io.aside import Aside, BusyError

PI = {
    "proc/uptime": "93784.21 370011.03\n",
    "proc/loadavg": "0.42 0.31 0.25 1/123 4567\n",
    "proc/meminfo": "MemTotal:         443080 kB\nMemFree:          143080 kB\nMemAvailable: 1 kB\n"
    "Buffers:           20000 kB\nCached:            90000 kB\nSReclaimable:      10000 kB\n",
    "proc/stat": "cpu  100 0 100 700 100 0 0 0 0 0\ncpu0 1 2 3\n",
    "proc/self/mounts": "proc /proc proc rw 0 0\n"
    "/dev/mmcblk0p2 / ext4 rw 0 0\n/dev/mmcblk0p1 /boot vfat rw 0 0\n"
    "/dev/mmcblk0p2 /srv ext4 rw 0 0\n/dev/loop0 /snap ext4 rw 0 0\n",
    "proc/sys/kernel/hostname": "torre-pi\n",
    "proc/sys/kernel/osrelease": "6.6.51+rpt-rpi-v8\n",
    "proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.4\0",
    "sys/devices/platform/soc/soc:firmware/get_throttled": "50005\n",
    "sys/class/thermal/thermal_zone0/type": "cpu-thermal\n",
    "sys/class/thermal/thermal_zone0/temp": "48312\n",
    "sys/class/hwmon/hwmon0/name": "cpu_thermal\n",
    "sys/class/hwmon/hwmon0/temp1_input": "48312\n",
    "sys/class/hwmon/hwmon1/name": "rp1_adc\n",
    "sys/class/hwmon/hwmon1/temp1_input": "51000\n",
    "sys/class/hwmon/hwmon2/name": "pwmfan\n",
    "sys/class/hwmon/hwmon2/fan1_input": "3012\n",
    "sys/block/mmcblk0/device/life_time": "0x03 0x01\n",
    "boot/config.txt": "",
    "sys/class/net/eth0/device/vendor": "x",
    "sys/class/net/eth0/ifindex": "2\n",
    "sys/class/net/eth0/type": "1\n",
    "sys/class/net/eth0/flags": "0x1003\n",
    "sys/class/net/eth0/operstate": "up\n",
    "sys/class/net/eth0/carrier": "1\n",
    "sys/class/net/eth0/mtu": "1500\n",
    "sys/class/net/eth0/address": "dc:a6:32:01:02:03\n",
    "sys/class/net/eth0/speed": "100\n",
    "sys/class/net/eth0/duplex": "full\n",
    "proc/net/dev": "Inter-| Receive | Transmit\n face |bytes packets errs drop …|\n"
    "  eth0: 1000 50 7 3 0 0 0 20 2000 40 1 2 0 0 0 0\n wlan0: 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n  bad: 1 2\n",
    "sys/class/net/wlan0/phy80211/name": "phy0",
    "sys/class/net/wlan0/type": "1\n",
    "sys/class/net/wlan0/flags": "0x1002\n",
    "sys/class/net/wlan0/operstate": "down\n",
    "sys/class/net/wlan0/speed": "-1\n",
}


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def look(eye: HostEye) -> dict[Series, Value]:
    return asyncio.run(eye.read())


def test_a_pi_tells_supply_heat_clock_memory_disks_wear_and_ports(tmp_path: Path) -> None:
    eye = HostEye(tree(tmp_path, PI), synced=lambda: True, tool="no-such-tool")
    found = look(eye)

    def value(group: str, item: str, metric: str) -> Value:
        return found[Series(group, item, metric)]

    assert (value("node", "", "supply_state"), value("node", "", "throttle_state")) == (2, 2)
    assert value("node", "", "clock_synced") == 1
    assert (value("system", "", "uptime_s"), value("system", "", "load_5m")) == (93784, 0.31)
    assert value("system", "", "memory_used_bytes") == 180000 * 1024
    assert value("system", "", "memory_used_pct") == 40.6
    assert value("system", "", "cpu_pct") is None, "a share of time needs two looks"
    assert value("system", "", "model") == "Raspberry Pi 4 Model B Rev 1.4"
    assert value("system", "mmcblk0", "wear_pct") == 30
    disks = {series.item for series in found if series.metric == "storage_total_bytes"}
    assert disks == {"/", "/boot"}, "no loop device, and a disk that is mounted twice is one disk"
    heat = {series.item: value for series, value in found.items() if series.metric == "temperature_c"}
    assert heat == {"cpu-thermal": 48.3, "rp1_adc": 51.0}, "one sensor told in two places is one"
    assert value("sensor", "pwmfan/fan1", "fan_rpm") == 3012
    port = {series.metric: value for series, value in found.items() if series[:2] == ("interface", "eth0")}
    assert port == {
        "if_index": 2, "if_type": 6, "if_admin": 1, "if_oper": 1, "mtu_bytes": 1500,
        "speed_bps": 100_000_000, "duplex": 3, "if_mac": "dca632010203", "in_octets": 1000,
        "out_octets": 2000, "in_errors": 7, "out_errors": 1, "in_discards": 3,
        "out_discards": 2, "in_ucast_pkts": 30, "out_ucast_pkts": 40,
    }  # fmt: skip
    assert value("interface", "wlan0", "if_type") == 71
    assert (value("interface", "wlan0", "if_admin"), value("interface", "wlan0", "if_oper")) == (2, 2)
    assert value("interface", "wlan0", "speed_bps") is None

    tree(tmp_path, {"proc/stat": "cpu  150 0 100 850 100 0 0 0 0 0\n"})
    assert look(eye)[Series("system", "", "cpu_pct")] == 25.0


def test_what_is_missing_or_odd_in_the_tree_is_left_out_and_an_empty_tree_is_one_sentence(
    tmp_path: Path,
) -> None:
    odd = {
        name: text
        for name, text in PI.items()
        if not ("firmware" in name or "/thermal" in name or "hwmon0" in name)
    }
    odd |= {"proc/meminfo": "MemTotal: lots", "proc/loadavg": "\xff", "proc/stat": "cpu 1\n"}
    odd |= {"sys/class/hwmon/hwmon1/temp1_input": "-273150\n"}
    odd |= {"sys/class/hwmon/hwmon3/name": "rpi_volt\n", "sys/class/hwmon/hwmon3/in0_lcrit_alarm": "1\n"}
    found = look(HostEye(tree(tmp_path / "odd", odd), synced=lambda: False, tool="no-such-tool"))
    assert found[Series("node", "", "supply_state")] == 2, "newer kernels tell it as a sensor"
    assert found[Series("node", "", "clock_synced")] == 0
    assert not any(series.metric.startswith(("memory", "load", "temperature")) for series in found)
    with pytest.raises(EyeError, match=r"expected /proc and /sys of Linux"):
        look(HostEye(tmp_path / "nothing", tool="no-such-tool"))


def test_the_firmwares_own_program_is_asked_where_the_kernel_has_no_file(tmp_path: Path) -> None:
    tool = tmp_path / "vcgencmd"
    tool.write_text('#!/bin/sh\n[ "$*" = get_throttled ] && echo throttled=0x50000\n')
    tool.chmod(0o755)
    files = {name: text for name, text in PI.items() if "firmware" not in name}
    found = look(HostEye(tree(tmp_path / "pi", files), tool=str(tool)))
    assert found[Series("node", "", "supply_state")] == 1, "it was low since the start"
    assert found[Series("node", "", "throttle_state")] == 1


def test_a_file_that_never_answers_holds_up_nothing_else(tmp_path: Path) -> None:
    async def work() -> None:
        gate = threading.Event()
        eye = HostEye(tree(tmp_path, PI), tool="no-such-tool")
        eye._look = lambda: (gate.wait(10), {})[1]  # type: ignore[method-assign]
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(eye.read(), 0.05)
        with pytest.raises(EyeError, match="a card may be failing"):
            await eye.read()
        gate.set()

    asyncio.run(work())


def test_work_aside_gives_results_and_errors_and_takes_one_at_a_time() -> None:
    async def work() -> None:
        aside, gate = Aside("t"), threading.Event()
        assert await aside.run(lambda: 7) == 7
        with pytest.raises(ZeroDivisionError):
            await aside.run(lambda: 1 // 0)
        stuck = asyncio.create_task(aside.run(lambda: gate.wait(10)))
        await asyncio.sleep(0)
        with pytest.raises(BusyError):
            await aside.run(lambda: 8)
        gate.set()
        assert await stuck

    asyncio.run(work())


def test_this_machine_itself_is_read() -> None:
    found = look(HostEye())
    assert isinstance(found[Series("system", "", "uptime_s")], int)
    if not Path("/sys/class/net").is_dir():
        pytest.skip("no /sys here, so no interfaces are told")
    assert found[Series("interface", "lo", "if_type")] == 24
    assert found[Series("interface", "lo", "if_oper")] == 1


@pytest.mark.parametrize(
    ("word", "supply", "slowed"),
    [(0, 0, 0), (0x1, 2, 0), (0x10000, 1, 0), (0x4, 0, 2), (0x50005, 2, 2), (0x80008, 0, 2), (0xE0000, 0, 1)],
)
def test_the_bits_of_the_firmware(word: int, supply: int, slowed: int) -> None:
    assert linux_facts.throttled(word) == {"supply_state": supply, "throttle_state": slowed}


@pytest.mark.parametrize(
    ("text", "word"), [("50005\n", 0x50005), ("throttled=0x0\n", 0), ("", None), ("error=1", None)]
)
def test_the_firmwares_word_in_either_form(text: str, word: int | None) -> None:
    assert linux_facts.hexadecimal(text) == word


@pytest.mark.parametrize(
    ("text", "worn"),
    [
        ("0x01 0x01", 10),
        ("0x0a 0x02", 100),
        ("0x0b 0x02", 100),
        ("0x00 0x00", None),
        ("", None),
        ("0xff", None),
    ],
)
def test_wear_is_told_in_steps(text: str, worn: int | None) -> None:
    assert linux_facts.worn_pct(text) == worn


def test_shares_of_time_need_two_looks_in_order() -> None:
    assert linux_facts.ticks("cpu  1 2 3 4 5 6 7 8 9 9\n") == Ticks(27, 36)
    assert linux_facts.busy_pct(Ticks(10, 100), Ticks(10, 100)) is None
    assert linux_facts.busy_pct(Ticks(10, 100), Ticks(5, 90)) is None
    assert linux_facts.busy_pct(Ticks(10, 100), Ticks(60, 200)) == 50.0


def test_mount_points_are_unescaped() -> None:
    assert linux_facts.mounts("/dev/sda1 /media/My\\040Disk ext4 rw 0 0") == [
        Mount("/dev/sda1", "/media/My Disk")
    ]
