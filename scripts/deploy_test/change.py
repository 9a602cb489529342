"""What a coordinator does later: upgrade, undo, replace a machine, take one away."""

from __future__ import annotations

import json
from pathlib import Path

import bundling
import machine
from checks import check, expect
from lab import ACCOUNTS, CERRO, HUB, TORRE, Lab

GOOD, BAD = "0.1.0-good", "0.1.0-broken"


@check("a version that is broken is taken back on each monitor, and the play names it")
def broken_version(lab: Lab) -> str:
    """Only the monitor's part is broken, so the central stays upgraded and nobody is without one."""
    before = {name: lab.version(name) for name in (TORRE, CERRO)}
    bundling.relabel(_bundle(lab), BAD, broken=True)
    play = lab.play("-l", f"{TORRE},{CERRO}", "-e", f"ayni_version={BAD}", "-e", "ayni_contact_s=15")
    expect(play.failed.get(TORRE) and play.failed.get(CERRO), f"the play did not fail: {play.failed}")
    expect("went back to the version before" in play.text, "the play does not say that it went back")
    for name, version in before.items():
        expect(lab.version(name) == version, f"{name} has {lab.version(name)}, expected {version}")
        lab.wait_for_central(name, 60)
    return f"both have {before[TORRE]} again"


@check("an upgrade goes from machine to machine, and the version before is kept")
def upgrade(lab: Lab) -> str:
    """The same program under another name, central first."""
    bundling.relabel(_bundle(lab), GOOD)
    lab.play("-e", f"ayni_version={GOOD}").must_work()
    lab.label = GOOD
    for name in (HUB, TORRE, CERRO):
        expect(lab.version(name).startswith(GOOD), f"{name} has {lab.version(name)}")
        kept = lab.on(name, "ls", "/opt/ayni").split()
        expect(
            any(each.startswith("0.1.0") and not each.startswith(GOOD) for each in kept), f"{name}: {kept}"
        )
    play = lab.play("-e", f"ayni_version={GOOD}").must_work()
    expect(not any(play.changed.values()), f"the second run changed {play.changed}")
    for name in (TORRE, CERRO):
        lab.wait_for_central(name, 60)
    return f"all have {GOOD}"


@check("a Pi that was replaced is back with one command, whatever password its account had")
def replaced(lab: Lab) -> str:
    """A new card; the account's password had been renewed, so that of the vault does not fit any more."""
    other = json.dumps({f"n-{CERRO}": "a-password-that-was-renewed"})
    words = " ".join([*ACCOUNTS, "--apply", "--reset", f"n-{CERRO}", "--passwords", "-"])
    lab.on(HUB, "sh", "-c", f"echo '{other}' | {words}")
    machine.down(CERRO)
    lab.fresh(CERRO)
    lab.play("-l", "cerro", "-e", f"ayni_version={lab.label}").must_work()
    return f"the central after {lab.wait_for_central(CERRO, 60):.0f} s"


@check("a machine is rid of Ayni, with what was measured kept, or erased")
def uninstall(lab: Lab) -> None:
    """First without, then with `erase`."""
    lab.play("-l", CERRO, book="uninstall.yml").must_work()
    left = lab.on(
        CERRO,
        "sh",
        "-c",
        "ls /opt/ayni /etc/systemd/system/ayni-agent.service /usr/local/bin/ayni 2>/dev/null; true",
    )
    expect(not left.split(), f"left: {left.split()[:4]}")
    kept = lab.on(CERRO, "sh", "-c", "ls /var/lib/ayni/agent /etc/ayni").split()
    expect("agent.yaml" in kept, f"kept: {kept}")
    lab.play("-l", CERRO, "-e", "erase=yes", book="uninstall.yml").must_work()
    left = lab.on(CERRO, "sh", "-c", "ls -d /etc/ayni /var/lib/ayni/* /opt/ayni 2>/dev/null; true")
    expect(not left.split(), f"left after erase: {left.split()[:4]}")
    play = lab.play("-l", CERRO, "-e", "erase=yes", book="uninstall.yml").must_work()
    expect(not any(play.changed.values()), f"the second run changed {play.changed}")


def _bundle(lab: Lab) -> Path:
    (found,) = (lab.valley / "bundles").glob("ayni-0.1.0-x86_64-*.tar")
    return found
