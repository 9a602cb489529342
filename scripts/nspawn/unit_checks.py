"""What a unit promises, tried on a machine where it runs: each check raises `Trouble` with what it saw.

They know systemd and the agreed layout, and nothing of how the machine was deployed.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import faults
import machine
from places import Trouble

SETTLE_S = 40.0


def property_of(name: str, unit: str, key: str) -> str:
    """One property of a unit, as `systemctl show` says it; empty while nobody can be asked."""
    return machine.told(name, "systemctl", "show", "--value", "-p", key, unit, may_fail=True).strip()


def wait(what: str, true: Callable[[], bool], within_s: float = SETTLE_S) -> float:
    """Wait for something; how long it took. Raises `Trouble`."""
    began_s = time.monotonic()
    while not true():
        if time.monotonic() - began_s > within_s:
            raise Trouble(f"{what}: not within {within_s:g} s")
        time.sleep(0.2)
    return time.monotonic() - began_s


def active(name: str, unit: str, within_s: float = SETTLE_S) -> float:
    """It runs, and has said itself that it is ready."""
    try:
        took_s = wait(
            f"{name}: {unit} ready", lambda: property_of(name, unit, "ActiveState") == "active", within_s
        )
    except Trouble as trouble:
        raise Trouble(f"{trouble}\n{log(name, unit)}") from None
    if property_of(name, unit, "Type") != "notify":
        raise Trouble(f"{name}: {unit}: expected Type=notify")
    return took_s


def log(name: str, unit: str, lines: int = 15) -> str:
    """The last lines of a unit in the journal."""
    return machine.told(
        name, "journalctl", "-u", unit, "-n", str(lines), "--no-pager", "-o", "cat", may_fail=True
    )


def comes_back(name: str, unit: str, signal: str, within_s: float) -> float:
    """Hit its main process with a signal: systemd starts it again; how long that took."""
    pid, restarts = property_of(name, unit, "MainPID"), int(property_of(name, unit, "NRestarts"))
    began_s = time.monotonic()

    def again() -> bool:
        more = int(property_of(name, unit, "NRestarts")) > restarts
        return more and property_of(name, unit, "MainPID") not in (pid, "0")

    machine.told(name, "kill", f"-{signal}", pid)
    wait(f"{name}: {unit} started again after SIG{signal}", again, within_s)
    active(name, unit)
    return time.monotonic() - began_s


def watchdog(name: str, unit: str, period_s: float = 6.0) -> float:
    """A process that hangs (SIGSTOP) is killed by the watchdog and started again. The period is shortened for
    the occasion, by a drop-in in memory; it is what the unit says again afterwards."""
    folder = f"/run/systemd/system/{unit}.d"
    script = 'mkdir -p "$1" && printf "[Service]\\nWatchdogSec=%s\\nRestartSec=1\\n" "$2" >"$1/99-check.conf"'
    machine.told(name, "sh", "-c", f"{script} && systemctl daemon-reload && systemctl restart \"$3\"", "sh",
                 folder, str(period_s), unit)  # fmt: skip
    try:
        active(name, unit)
        took_s = comes_back(name, unit, "STOP", 3 * period_s + SETTLE_S)
        told = log(name, unit, 200).lower()
        if "watchdog timeout" not in told and "watchdog" not in told:
            raise Trouble(
                f"{name}: {unit}: came back, but the journal does not speak of the watchdog\n{told}"
            )
    finally:
        script = 'rm -r "$1" && systemctl daemon-reload && systemctl restart "$2"'
        machine.told(name, "sh", "-c", script, "sh", folder, unit)
    active(name, unit)
    return took_s


def credentials(name: str, unit: str, user: str = "ayni") -> int:
    """The service has its secrets, and cannot look into the folder that they come from; how many."""
    pid = property_of(name, unit, "MainPID")
    seen = machine.told(name, "sh", "-c", f"ls /run/credentials/{unit} | wc -l").strip()
    kept = machine.told(name, "sh", "-c", "find /etc/ayni/secrets -type f ! -name '.*' | wc -l").strip()
    if seen != kept or int(seen) == 0:
        raise Trouble(f"{name}: {unit}: has {seen} of the {kept} secrets")
    denied = machine.told(
        name, "sh", "-c", f"runuser -u {user} -- cat /etc/ayni/secrets/* 2>/dev/null | wc -c", may_fail=True
    ).strip()
    if denied != "0":
        raise Trouble(f"{name}: {user} can read /etc/ayni/secrets")
    for place in ("environ", "cmdline"):
        text = machine.told(name, "cat", f"/proc/{pid}/{place}")
        for secret in machine.told(name, "sh", "-c", "cat /etc/ayni/secrets/*").split():
            if len(secret) >= 8 and secret in text:
                raise Trouble(f"{name}: {unit}: a secret stands in its {place}")
    return int(seen)


def sandbox(name: str, unit: str) -> None:
    """It has no capability, cannot become anybody else, and sees no process but its own."""
    pid = property_of(name, unit, "MainPID")
    lines = machine.told(name, "cat", f"/proc/{pid}/status").splitlines()
    status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    wrong = [key for key in ("CapEff", "CapPrm", "CapBnd", "CapAmb") if int(status[key], 16)]
    wrong += [key for key, wanted in (("NoNewPrivs", "1"), ("Seccomp", "2")) if status[key].strip() != wanted]
    if wrong or status["Uid"].split()[0] == "0":
        raise Trouble(f"{name}: {unit}: has more rights than it should: {', '.join(wrong) or 'root'}")


def writes_only(name: str, unit: str, allowed: str) -> None:
    """Its own view of the files lets it write to nothing but its folders (`allowed`: one of them)."""
    pid = property_of(name, unit, "MainPID")
    user = property_of(name, unit, "User")
    others = "/ /etc /usr /var/lib /home /root /var/log /opt/ayni"
    probe = f'for d in {others}; do [ ! -w "$d" ] || echo "$d"; done; [ -w "$1" ] || echo "not $1"'
    view = [
        "nsenter",
        "-t",
        pid,
        "-m",
        "--",
        "setpriv",
        f"--reuid={user}",
        f"--regid={user}",
        "--clear-groups",
    ]
    found = machine.told(name, *view, "sh", "-c", probe, "sh", allowed).split("\n")
    if any(found):
        raise Trouble(f"{name}: {unit}: may write to {' '.join(found)}")


def survives(name: str, unit: str, file: str, how: Callable[[str], None]) -> float:
    """State is there again after `how` (`machine.powercut`, `poweroff`), and the unit comes by itself."""
    before = machine.told(name, "stat", "-c", "%i", file).strip()
    how(name)
    machine.up(name)
    took_s = active(name, unit, 90.0)
    after = machine.told(name, "stat", "-c", "%i", file).strip()
    if not before or before != after:
        raise Trouble(f"{name}: {file}: is not what it was")
    return took_s


def reboot(name: str, unit: str) -> float:
    """The machine restarts in order, and the unit comes by itself."""
    boot = machine.told(name, "cat", "/proc/sys/kernel/random/boot_id")
    machine.told(name, "systemctl", "--no-block", "reboot", may_fail=True)

    def again() -> bool:
        now = machine.told(name, "cat", "/proc/sys/kernel/random/boot_id", may_fail=True) if up() else ""
        return bool(now) and now != boot

    def up() -> bool:
        try:
            machine.words(name, ["true"])
        except Trouble:
            return False
        return True

    wait(f"{name}: rebooted", again, 60.0)
    return active(name, unit, 90.0)


def goes_dark(name: str, within_s: float) -> float:
    """The machine switches itself off in order; how long that took."""
    began_s = time.monotonic()
    machine.wait_off(name, within_s)
    return time.monotonic() - began_s


def full_disk(name: str, unit: str, path: str) -> None:
    """With no room left in its state the service goes on, and says so; afterwards it writes again."""
    faults.fill(name, path)
    try:
        pid = property_of(name, unit, "MainPID")
        time.sleep(8)
        if property_of(name, unit, "MainPID") != pid:
            raise Trouble(f"{name}: {unit}: a full disk ended it\n{log(name, unit)}")
    finally:
        faults.fill(name, path, empty=True)
