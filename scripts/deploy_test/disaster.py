"""The central's machine is lost: a backup, a new machine, and everybody finds it again."""

from __future__ import annotations

import json

import machine
from checks import check, expect, until
from lab import ADDRESSES, AYNI, DEBIAN, HUB, TORRE, Lab, pause


@check("a central that is lost is restored elsewhere from its backup, and nothing is lost or doubled")
def restore_drill(lab: Lab) -> str:
    """What monitors sent after the backup is sent again by them."""
    lab.wait_for_central(TORRE, 60)
    key = lab.on(HUB, "age-keygen")
    recipient = next(line.rpartition(" ")[2] for line in key.splitlines() if "public key" in line)
    lab.on(HUB, "/usr/local/bin/ayni", "hub", "backup", "/root/backup.age", "--recipient", recipient,
           "--config", "/etc/ayni/hub.yaml")  # fmt: skip
    copy = (machine.root(HUB) / "root/backup.age").read_bytes()
    pause(20)  # what is measured now is not in the backup
    machine.down(HUB)
    pause(10)
    machine.up(HUB, ADDRESSES[HUB], base=DEBIAN)
    lab.play("-l", HUB, "--tags", "bundle", "-e", f"ayni_version={lab.label}").must_work()
    (machine.root(HUB) / "root/backup.age").write_bytes(copy)
    (machine.root(HUB) / "root/key.txt").write_text(key)
    lab.on(
        HUB,
        "/usr/local/bin/ayni",
        "hub",
        "restore",
        "/root/backup.age",
        "--identity",
        "/root/key.txt",
        "--root",
        "/",
    )
    lab.play("-l", HUB, "-e", f"ayni_version={lab.label}").must_work()
    took = lab.wait_for_central(TORRE, 180)
    until(lambda: lab.delivered(TORRE), 120, "reports still wait")
    pause(10)
    told = lab.on(HUB, *AYNI, "hub", "query", "gaps", "torre-radio", "--last", "1d", "--longer-than", "1min",
                  "--json", "--config", "/etc/ayni/hub.yaml")  # fmt: skip
    before, *gaps = json.loads(told)
    expect(before["until"] <= lab.read_since, f"the time before the first reading is no gap: {before}")
    expect(not gaps, f"readings are missing: {gaps[:3]}")
    return f"{TORRE} has it again after {took:.0f} s, {len(copy) / 1000:.0f} kB of backup"
