"""One machine: a booted systemd in namespaces of its own, above a root that it cannot change.

Theory of operation. `systemd-nspawn` boots an overlay: below, the root that all machines share; above, a
tmpfs of limited size, which is the machine's card. So nothing that happens inside can fill or touch a disk of
this computer, and the card outlives a power cut of the machine. Where PID 1 of this computer is not systemd,
nobody gives the machine a place in the control groups, so it is made here, with access to no device but the
harmless ones.

A command is run *inside* by entering the machine's namespaces. Whoever enters keeps the capabilities of this
computer's root, with which `date -s` sets this computer's clock: so all that the machine's PID 1 does not
have are dropped first.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import bases
import card
import cell
import wires
from places import LAB, Trouble, call, check_name, folder, machines, namespace

CARD = "1500M"
_KEEPER = 'while :; do "$@"; [ $? -eq 133 ] || exit; done'
"""nspawn ends with 133 when the machine reboots, for whoever keeps it to start it again."""
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_BOOT_S, _STOP_S = 40.0, 60.0
_POWER_OFF = signal.SIGRTMIN + 4
"""What systemd's PID 1 takes for "poweroff" (systemd(1), "Signals")."""


# ---- life


def up(
    name: str,
    address: str = "",
    *,
    base: str = "bookworm",
    size: str = CARD,
    small: Mapping[str, str] | None = None,
    prepare: Callable[[str], None] | None = None,
    forgets: bool = False,
) -> None:
    """Boot a machine; one that is off comes back with its card.

    `small`: folders with a size of their own. `prepare` is called before a new one boots for the first time.
    `forgets`: nothing is kept over a boot but these folders, as with `overlayroot` on a card.
    """
    check_name(name)
    home = folder(name)
    if state(name) == "running":
        return
    if not home.is_dir():
        if not address:
            raise Trouble(f"{name}: a new machine needs an address, such as 10.77.0.11")
        try:
            card.make(name, address, bases.named(base), size, small or {})
        except Trouble:
            down(name)
            raise
        if prepare is not None:
            prepare(name)
    _reap(name)
    log = (home / "console.log").open("ab")
    cell.own_groups(name)
    options = [
        f"--directory={home / 'root'}", f"--machine={LAB}-{name}", f"--hostname={name}",
        f"--network-namespace-path=/run/netns/{namespace(name)}", "--register=no", "--quiet",
        "--resolv-conf=off", "--timezone=off", "--link-journal=no", "--console=read-only",
        "--drop-capability=CAP_MKNOD",
        *(f"--bind={home / 'small' / card.flat(path)}:{path}" for path in card.smalls(name)),
        *(["--volatile=overlay"] if forgets else []),
        *(["--keep-unit"] if cell.BY_HAND else []),
    ]  # fmt: skip
    process = subprocess.Popen(
        ["sh", "-c", _KEEPER, "sh", "systemd-nspawn", *options, "--boot"],
        stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        env={**os.environ, "SYSTEMD_NSPAWN_API_VFS_WRITABLE": "network"},  # its own
        start_new_session=True, preexec_fn=lambda: cell.enter_groups(name),
    )  # fmt: skip
    (home / "pid").write_text(str(process.pid))
    _until_booted(name, process)


def state(name: str) -> str:
    """`none`, `off` or `running`."""
    if not folder(name).is_dir():
        return "none"
    return "running" if cell.keeper(name) else "off"


def powercut(name: str) -> None:
    """Everything in it is gone at once; what was written stays, as on a card that was in time."""
    first = cell.first(name)
    if first is None:
        raise Trouble(f"{name}: is not running")
    os.kill(first, signal.SIGKILL)
    _until_gone(name)


def poweroff(name: str) -> None:
    """An orderly stop."""
    first = cell.first(name)
    if first is None:
        raise Trouble(f"{name}: is not running")
    os.kill(first, _POWER_OFF)
    _until_gone(name)


def wait_off(name: str, within_s: float = _STOP_S) -> None:
    """Wait until a machine has switched itself off."""
    _until_gone(name, within_s, kill=False)


def down(name: str) -> None:
    """Take the machine away, card and all."""
    if cell.first(name) is not None:
        powercut(name)
    elif cell.keeper(name):
        _until_gone(name, 0.0)
    home = folder(name)
    for mount in [home / "root", home / "card", *(home / "small").glob("*")]:
        while os.path.ismount(mount):
            call("umount", "--lazy", mount)
    wires.pull(name)
    for group in cell.groups(name):
        for sub in sorted(group.rglob("*"), key=lambda each: -len(each.parts)):
            if sub.is_dir():
                with contextlib.suppress(OSError):
                    sub.rmdir()
        with contextlib.suppress(OSError):
            group.rmdir()
    if any(os.path.ismount(each) for each in home.rglob("*")):
        raise Trouble(f"{home}: still holds a mount; nothing is deleted")
    shutil.rmtree(home, ignore_errors=True)


# ---- inside


def run(name: str, command: Sequence[str], *, user: str = "root") -> subprocess.CompletedProcess[bytes]:
    """Run a command in the machine, with the machine's rights only; it talks to the terminal."""
    return subprocess.run(words(name, command, user=user), check=False)


def told(name: str, *command: str, may_fail: bool = False) -> str:
    """What a command in the machine says."""
    return call(*words(name, command), may_fail=may_fail)


def words(name: str, command: Sequence[str], *, user: str = "root") -> list[str]:
    """The whole command line by which a command runs in the machine."""
    first = cell.first(name)
    if first is None:
        raise Trouble(f"{name}: is not running")
    home = "/root" if user == "root" else f"/home/{user}"
    as_user = [] if user == "root" else ["runuser", "-u", user, "--"]
    return [
        "nsenter", "-t", str(first), "-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w", "--",
        "setpriv", f"--bounding-set={cell.drops(first)}", "--inh-caps=-all", "--",
        "env", "-i", f"PATH={_PATH}", f"HOME={home}", "TERM=dumb", "LANG=C.UTF-8", *as_user, *command,
    ]  # fmt: skip


def root(name: str) -> Path:
    """The machine's files, as seen from here: for putting things in before it boots."""
    return folder(name) / "root"


def _until_booted(name: str, process: subprocess.Popen[bytes]) -> None:
    deadline, said = time.monotonic() + _BOOT_S, ""
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        if cell.first(name) is not None:
            said = told(name, "systemctl", "is-system-running", may_fail=True).strip()
            if said in ("running", "degraded"):
                return
        time.sleep(0.1)
    log = (folder(name) / "console.log").read_text(errors="replace").strip().splitlines()[-5:]
    raise Trouble(f"{name}: did not come up ({said or 'no answer'}): {' / '.join(log)}")


def _until_gone(name: str, within_s: float = _STOP_S, *, kill: bool = True) -> None:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if cell.keeper(name) is None:
            return _reap(name)
        time.sleep(0.05)
    if not kill:
        raise Trouble(f"{name}: still running after {within_s:g} s")
    keeper = cell.keeper(name)
    for process in [keeper, *cell.children(keeper)] if keeper else []:
        os.kill(process, signal.SIGKILL)
    time.sleep(0.2)
    return _reap(name)


def _reap(name: str) -> None:
    """Where this very process started it, take note that it ended."""
    with contextlib.suppress(OSError, ValueError):
        os.waitpid(int((folder(name) / "pid").read_text()), os.WNOHANG)


def down_all() -> None:
    """The whole lab: machines, wires, keys."""
    for name in machines():
        down(name)
    cell.end_strays()
    wires.clear()
