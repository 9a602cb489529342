"""From empty machines to the first reading, as a coordinator does it; doing it again changes nothing."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

import bundling
from checks import Failure, check, expect, until
from lab import BIN, CERRO, HUB, ROOT, TORRE, Lab

MOST_COMMANDS = 6


@check("from empty machines to the first reading on the console", short=True, basic=True)
def first_reading(lab: Lab) -> str:
    """The whole way of docs/deploying.md; the bundle is there already, and counted as one command."""
    began = time.monotonic()
    lab.types(BIN / "ayni", "pki", "init", "--no-passphrase")
    lab.types(BIN / "ayni", "pki", "issue")
    lab.types(ROOT / "deploy/ansible/secrets")
    lab.commands.append("scripts/bundle --for all -o bundles/…")
    bundling.renew(lab.bundle, lab.valley / "bundles")
    play = lab.play(typed=True).must_work()
    lab.commands.append("ssh pi@hub ayni status")

    def seen() -> bool:
        return bool(lab.latest("torre-radio")) and bool(lab.latest("cerro-radio"))

    until(seen, 60, "no reading of the radios came to the central")
    lab.read_since = time.time()
    told = lab.desk("ssh", "-F", _ssh(), f"pi@{HUB}", "ayni", "status", may_fail=True)
    expect("Valle de prueba" in told, f"ayni status on the hub says: {told.strip()[:300]}")
    minutes = (time.monotonic() - began) / 60
    expect(len(lab.commands) <= MOST_COMMANDS, f"it takes {len(lab.commands)} commands: {lab.commands}")
    changed = ", ".join(f"{name} {count}" for name, count in sorted(play.changed.items()))
    return f"{len(lab.commands)} commands, {minutes:.1f} minutes; changed: {changed}"


@check("a second run changes nothing", short=True)
def again(lab: Lab) -> None:
    """Idempotence, with everything that is on by default."""
    play = lab.play().must_work()
    if any(play.changed.values()):
        at = play.text.splitlines()
        tasks = [task for task, line in pairwise(at) if line.startswith("changed:")]
        raise Failure(f"changed: {play.changed}: {tasks[:6]}")


@check("a dry run with --diff says what would change, and shows no secret")
def dry_run(lab: Lab) -> None:
    """A longer interval in network.yaml is shown; nothing is done; no secret is in what is printed."""
    path = lab.valley / "network.yaml"
    text = path.read_text()
    path.write_text(text.replace("flush_s: 10", "flush_s: 15"))
    (lab.valley / "secrets/snmp").rename(lab.folder / "snmp.kept")
    (lab.valley / "secrets/snmp").write_text("another-community\n")
    try:
        play = lab.play("--check", "--diff").must_work()
        expect("+flush_s: 15" in play.text, "the new interval is not in the diff")
        expect("another-community" not in play.text, "a secret is in the diff")
        for name in (f"n-{TORRE}", "h-hub", "p-ana"):
            expect(lab.secret(name) not in play.text, f"the password of {name} is in what is printed")
    finally:
        path.write_text(text)
        (lab.folder / "snmp.kept").rename(lab.valley / "secrets/snmp")
    told = lab.on(TORRE, "cat", "/etc/ayni/agent.yaml")
    expect("flush_s: 10" in told, "the dry run changed a machine")


@check("an agent's node takes at most 60 MB besides Python", short=True)
def weight(lab: Lab) -> str:
    """The program, and the Debian packages that it brought."""
    kb = int(lab.on(CERRO, "du", "-sk", "/opt/ayni").split()[0])
    expect(kb <= 60_000, f"/opt/ayni has {kb / 1000:.0f} MB")
    return f"/opt/ayni {kb / 1000:.1f} MB"


@check("no secret is readable by others, in a command line, or in the journal", short=True)
def secrets_hidden(lab: Lab) -> None:
    """On every machine: modes of files, /proc/*/cmdline and environ, and what services said."""
    for name in (HUB, TORRE, CERRO):
        places = ["/etc/ayni", "/var/lib/ayni", "/etc/mosquitto/ayni/server.key"]
        loose = lab.on(name, "find", *places, "-perm", "/o+r", "-type", "f", may_fail=True).split()
        expect(not loose, f"{name}: everybody can read {loose[:3]}")
    for account, where in ((f"n-{TORRE}", TORRE), ("h-hub", HUB), ("k-hub", HUB)):
        secret = lab.secret(account)
        script = "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null; journalctl --no-pager -o cat"
        expect(
            secret not in lab.on(where, "sh", "-c", script, may_fail=True),
            f"{where}: the password of {account} shows",
        )


def _ssh() -> Path:
    from places import SSH_CONFIG

    return SSH_CONFIG
