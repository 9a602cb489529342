"""What happens to machines in the field: hangs, reboots, power cuts, bad lines, wrong clocks, full disks."""

from __future__ import annotations

import faults
import machine
import unit_checks
from checks import check, expect, until
from lab import CERRO, HUB, TORRE, Lab, pause

AGENT = "ayni-agent.service"
_YEARS_S = 365.25 * 86400


@check("a monitor that hangs is started again by the watchdog", short=True)
def hangs(lab: Lab) -> str:
    """SIGSTOP."""
    took = unit_checks.watchdog(TORRE, AGENT)
    return f"after {took:.0f} s; the central again after {lab.wait_for_central(TORRE, 90):.0f} s more"


@check("services have their secrets, no rights, and write only into their folders", short=True)
def confined(lab: Lab) -> None:
    """As the units promise, on what was deployed."""
    for name, unit, folder in (
        (TORRE, AGENT, "/var/lib/ayni/agent"),
        (HUB, "ayni-hub.service", "/var/lib/ayni/hub"),
    ):
        unit_checks.credentials(name, unit)
        unit_checks.sandbox(name, unit)
        unit_checks.writes_only(name, unit, folder)


@check("a node comes back from a reboot by itself")
def reboot(lab: Lab) -> str:
    """An orderly one."""
    unit_checks.reboot(TORRE, AGENT)
    return f"the central again {lab.wait_for_central(TORRE, 120):.0f} s after the monitor"


@check(
    "a node and the central come back from a power cut, and nothing that was delivered is lost", short=True
)
def power_cut(lab: Lab) -> str:
    """Both at once."""
    before = len(lab.latest("torre-radio"))
    for name in (TORRE, HUB):
        machine.powercut(name)
    for name in (HUB, TORRE):
        machine.up(name)
    took = lab.wait_for_central(TORRE, 120)
    until(lambda: len(lab.latest("torre-radio")) >= before, 30, "the central has less than before")
    return f"{took:.0f} s"


@check("over a bad line, and in the dark, nothing is lost", short=False)
def bad_line(lab: Lab) -> str:
    """600 ms, 15 % loss, 64 kbit/s; then nothing at all for 40 s; then good again."""
    try:
        faults.spoil(CERRO, faults.Line(delay_ms=300, jitter_ms=100, loss_percent=15, rate_kbit=64))
        pause(25)
        faults.mend(CERRO)
        # The radio is beyond the same line: what is counted here is what the monitor knows without it.
        faults.spoil(CERRO, faults.Line(dark=True))
        pause(40)
        waiting = lab.status(CERRO)["outbox"]["frames"]
    finally:
        faults.mend(CERRO)
    took = lab.wait_for_central(CERRO, 180)
    until(lambda: lab.delivered(CERRO), 60, "reports still wait")
    expect(lab.status(CERRO)["outbox"]["dropped"] == 0, "reports were dropped")
    return f"{waiting} reports waited; contact {took:.0f} s after the line was good, all delivered"


@check("a node whose clock is in 1970, or two years off, still connects")
def wrong_clock(lab: Lab) -> str:
    """Not synchronised: the authority and the name count, dates do not."""
    told = []
    for seconds, says in ((-56 * _YEARS_S, "1970"), (2 * _YEARS_S, "two years ahead")):
        faults.shift_clock(TORRE, seconds, synchronised=False)
        lab.on(TORRE, "systemctl", "restart", AGENT)
        told.append(f"{says} {lab.wait_for_central(TORRE, 90):.0f} s")
    faults.shift_clock(TORRE, 0)
    lab.on(TORRE, "systemctl", "restart", AGENT)
    lab.wait_for_central(TORRE, 90)
    return ", ".join(told)


@check("a clock that jumps while it runs costs nothing")
def clock_jump(lab: Lab) -> str:
    """An hour ahead, and back."""
    pid = lab.pid(TORRE, AGENT)
    for seconds in (3600.0, 0.0):
        faults.shift_clock(TORRE, seconds)
        pause(6)
    expect(lab.pid(TORRE, AGENT) == pid, "the monitor was restarted")
    return f"the central after {lab.wait_for_central(TORRE, 60):.0f} s"


@check("with a full disk a monitor goes on, and writes again when there is room", short=True)
def full_disk(lab: Lab) -> None:
    """/var/lib/ayni has a size of its own."""
    unit_checks.full_disk(TORRE, AGENT, "/var/lib/ayni")
    lab.wait_for_central(TORRE, 60)
    until(lambda: lab.delivered(TORRE), 60, "reports still wait")
