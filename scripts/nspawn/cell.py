"""Where a machine lives on this computer: control groups, and processes as this computer numbers them."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

from places import LAB, Trouble, folder

_HIERARCHIES = [Path("/sys/fs/cgroup") / name for name in ("systemd", "unified", "devices")]
_DEVICES = ("c 1:3", "c 1:5", "c 1:7", "c 1:8", "c 1:9", "c 5:0", "c 5:1", "c 5:2", "c 136:*")
"""null, zero, full, random, urandom, tty, console, ptmx, pts."""
BY_HAND = _HIERARCHIES[0].is_dir()
"""Whether nobody else gives a machine its place: PID 1 of this computer is not systemd."""


def groups(name: str) -> list[Path]:
    """Its control groups, one in each hierarchy."""
    return [top / f"ayni-{LAB}-{name}" for top in _HIERARCHIES if top.is_dir()]


def own_groups(name: str) -> None:
    """Make them, with access to no device but the harmless ones."""
    for group in groups(name):
        group.mkdir(exist_ok=True)
        if (group / "devices.deny").exists():
            (group / "devices.deny").write_text("a")
            for device in _DEVICES:
                (group / "devices.allow").write_text(f"{device} rw")


def enter_groups(name: str) -> None:
    """This very process is in them from now on."""
    for group in groups(name):
        (group / "cgroup.procs").write_text(str(os.getpid()))


def end_strays() -> None:
    """Kill what still lives in control groups of this lab: machines whose folders somebody has removed."""
    for top in _HIERARCHIES:
        for procs in top.glob(f"ayni-{LAB}-*/**/cgroup.procs"):
            with contextlib.suppress(OSError):
                for pid in procs.read_text().split():
                    os.kill(int(pid), signal.SIGKILL)


def keeper(name: str) -> int | None:
    """The process that keeps the machine, if it is alive and is really this machine's."""
    try:
        pid = int((folder(name) / "pid").read_text())
        line = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        alive = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (OSError, ValueError):
        return None
    return pid if alive and f"--machine={LAB}-{name}".encode() in line else None


def children(pid: int) -> list[int]:
    """The processes that one has started."""
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def first(name: str) -> int | None:
    """The machine's PID 1, as this computer numbers it."""
    parent = keeper(name)
    if parent is None:
        return None
    with contextlib.suppress(OSError, StopIteration):
        for nspawn in children(parent):
            for child in children(nspawn):
                status = Path(f"/proc/{child}/status").read_text()
                spaces = next(line.split()[1:] for line in status.splitlines() if line.startswith("NSpid:"))
                # before it is systemd it is systemd-nspawn, with this computer's rights
                if spaces[-1] == "1" and len(spaces) > 1 and status.startswith("Name:\tsystemd\n"):
                    return child
    return None


def drops(first: int) -> str:
    """The capabilities that the machine's PID 1 does not have, as setpriv(1) wants them."""
    lines = Path(f"/proc/{first}/status").read_text().splitlines()
    bound = int(next(line.split()[1] for line in lines if line.startswith("CapBnd:")), 16)
    last = int(Path("/proc/sys/kernel/cap_last_cap").read_text())
    dropped = [f"-cap_{number}" for number in range(last + 1) if not bound >> number & 1]
    if "-cap_25" not in dropped:  # CAP_SYS_TIME
        raise Trouble("the machine could set this computer's clock; nothing is run in it")
    return ",".join(dropped)
