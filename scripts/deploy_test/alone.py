"""Without Ansible: what docs/deploying.md says, typed as it stands there."""

from __future__ import annotations

import shutil
from pathlib import Path

import bundling
import by_hand
import machine
from checks import check, expect, until
from lab import Lab

AGENT = "ayni-agent.service"


@check("by hand, as the page says: one central, one monitor")
def by_the_page(lab: Lab) -> str:
    """On two machines of their own, which the next check takes away."""
    return by_hand.run(_bundle(lab))


@check("by hand, `install` goes back from a version that does not come up, and `uninstall` leaves nothing")
def back_and_away(lab: Lab) -> str:
    """On the monitor of the page."""
    name = by_hand.MONITOR[0]
    expect(machine.state(name) == "running", "there is no monitor that was installed by hand")
    try:
        before = lab.version(name)
        shutil.copy(
            bundling.relabel(_bundle(lab), "0.1.0-bad", broken=True), machine.root(name) / "root/bad.tar"
        )
        unpack = "cd /root && tar -xf bad.tar && rm bad.tar"
        told = lab.on(name, "sh", "-c", f"{unpack} && ayni-0.1.0-bad-*/install agent 2>&1; echo status $?")
        expect(told.rstrip().endswith("status 3"), f"install said: {told.strip()[-300:]}")
        expect(lab.version(name) == before, f"{lab.version(name)} is in use, expected {before}")
        took = until(
            lambda: lab.on(name, "systemctl", "is-active", AGENT, may_fail=True).strip() == "active",
            60, "the version before does not run",
        )  # fmt: skip
        lab.on(name, "/opt/ayni/current/deploy/uninstall", "--purge")
        ours = "/etc/ayni /var/lib/ayni /opt/ayni /usr/local/bin/ayni /etc/systemd/system/ayni*"
        left = lab.on(name, "sh", "-c", f"ls -d {ours} 2>/dev/null; getent passwd ayni | cut -d: -f1; true")
        expect(not left.split(), f"left: {left.split()[:5]}")
    finally:
        for each in (by_hand.CENTRAL[0], name):
            machine.down(each)
    return f"{before} again after {took:.0f} s"


def _bundle(lab: Lab) -> Path:
    (found,) = (lab.valley / "bundles").glob("ayni-0.1.0-x86_64-*.tar")
    return found
