"""What goes wrong in the field, done to one machine: a bad way to the others, a wrong clock, a full disk.

Nothing of it reaches this computer: the way is spoilt in the lab's own switch, the clock by a library that
only this machine's programs load, and a disk can be filled only where `up --small` gave it a size.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import machine
import wires
from places import LIVING, SWITCH, Trouble, call, check_name, folder, inside

_HERE = Path(__file__).parent
_SHIFT = "/usr/lib/ayni-lab/clock_shift.so"
_SHIFT_FILE = "/run/ayni-lab-clock"
"""Both as the machine sees them; the second is what clock_shift.c reads."""
_FILLER = "filler-of-the-lab"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """How bad the way is, in each direction."""

    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    loss_percent: float = 0.0
    rate_kbit: float = 0.0
    dark: bool = False


# ---- the way to the others


def spoil(name: str, line: Line) -> None:
    """Put a bad line between a machine and the switch, until `mend`."""
    if machine.state(name) == "none":
        raise Trouble(f"{name}: there is no such machine")
    words = [
        sys.executable, str(_HERE / "bad_line.py"), wires.port(name), f"--bridge={wires.BRIDGE}",
        f"--delay={line.delay_ms}", f"--jitter={line.jitter_ms}", f"--rate={line.rate_kbit}",
        f"--loss={100 if line.dark else line.loss_percent}",
    ]  # fmt: skip
    with (folder(name) / "line.log").open("ab") as log:
        process = subprocess.Popen(
            [*inside(SWITCH), *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
            start_new_session=True,
        )  # fmt: skip
    assert process.stdout is not None
    if process.stdout.readline().strip() != b"ready":
        raise Trouble(f"{name}: the bad line did not begin; see {folder(name) / 'line.log'}")
    (folder(name) / "line.pid").write_text(str(process.pid))


def mend(name: str) -> None:
    """The line is good again."""
    file = folder(check_name(name)) / "line.pid"
    with contextlib.suppress(OSError, ValueError):
        pid = int(file.read_text())
        if b"bad_line.py" in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(pid, signal.SIGTERM)
            for _ in range(100):
                os.kill(pid, 0)
                if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                    break
                time.sleep(0.05)
    file.unlink(missing_ok=True)


# ---- the clock


def install_clock(name: str) -> None:
    """Before it boots: every program of the machine takes the wall clock from our library."""
    library = LIVING / "clock_shift.so"
    if not library.exists():
        call("gcc", "-O2", "-shared", "-fPIC", "-o", library, _HERE / "clock_shift.c", "-ldl")
    files = machine.root(name)
    place = files / _SHIFT.lstrip("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(library.read_bytes())
    place.chmod(0o755)
    (files / "etc/ld.so.preload").write_text(f"{_SHIFT}\n")


def shift_clock(name: str, seconds: float, *, synchronised: bool = True) -> None:
    """The machine's wall clock is this far from ours, from now on; a boot makes it right again."""
    if not (machine.root(name) / _SHIFT.lstrip("/")).exists():
        raise Trouble(f"{name}: was not booted with --clock")
    text = f"{seconds:.0f} {int(synchronised)}\n"
    script = 'printf "%s" "$1" >"$2.new" && chmod 644 "$2.new" && mv "$2.new" "$2"'
    machine.told(name, "sh", "-c", script, "sh", text, _SHIFT_FILE)


# ---- the disk


def fill(name: str, path: str, *, leave_kb: int = 0, empty: bool = False) -> None:
    """Fill a folder that has a size of its own, or make room again."""
    place = folder(name) / "small" / path.strip("/").replace("/", "_")
    if not os.path.ismount(place):
        raise Trouble(f"{name}: {path} has no size of its own: boot it with --small {path}=SIZE")
    filler = place / _FILLER
    filler.unlink(missing_ok=True)
    if empty:
        return
    space = os.statvfs(place)
    left = space.f_bavail * space.f_frsize - leave_kb * 1024
    with contextlib.suppress(OSError), filler.open("wb") as file:  # also what is written when it is closed
        for _ in range(max(0, left) // 4096):
            file.write(bytes(4096))
