"""A new machine before it boots: a layer in memory above a root, and what tells it from the others."""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from pathlib import Path

import bases
import wires
from places import KEY, KNOWN_HOSTS, LAB, SSH_CONFIG, Trouble, call, folder, has_namespace


def make(name: str, address: str, base: Path, card: str, small: Mapping[str, str]) -> None:
    """A new machine that never booted. What was begun when it raises `Trouble`
    is for `machine.down`."""
    wires.lay()
    if has_namespace(name):
        wires.pull(name)
    home = folder(name)
    for sub in ("card", "root", "small"):
        (home / sub).mkdir(parents=True, exist_ok=True)
    wires.leg(name, address)
    _mount_tmpfs(home / "card", card)
    for sub in ("upper", "work"):
        (home / "card" / sub).mkdir()
    layers = f"lowerdir={base},upperdir={home / 'card/upper'},workdir={home / 'card/work'}"
    call("mount", "-t", "overlay", "-o", layers, f"{LAB}-{name}", home / "root")
    for path, size in small.items():
        if not path.startswith("/") or ":" in path:
            raise Trouble(f"{path}: expected a whole path inside the machine")
        place = home / "small" / flat(path)
        place.mkdir()
        _mount_tmpfs(place, size)
        (home / "root" / path.lstrip("/")).mkdir(parents=True, exist_ok=True)
    (home / "smalls").write_text("".join(f"{path}\n" for path in small))
    _introduce(name, address)


def _introduce(name: str, address: str) -> None:
    """What tells this machine from the others, and lets the desk in."""
    files = folder(name) / "root"
    (files / "etc/machine-id").write_text(uuid.uuid4().hex + "\n")
    (files / "etc/hostname").write_text(f"{name}\n")
    with (files / "etc/hosts").open("a") as hosts:
        hosts.write(f"127.0.0.1 localhost\n{address} {name}\n")
    host_key = files / "etc/ssh/ssh_host_ed25519_key"
    call("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", host_key)
    public = host_key.with_suffix(".pub").read_text().split()[:2]
    known = [line for line in KNOWN_HOSTS.read_text().splitlines() if not line.startswith(f"{address},")]
    KNOWN_HOSTS.write_text("\n".join([*known, f"{address},{name} {' '.join(public)}"]) + "\n")
    with SSH_CONFIG.open("a") as config:
        config.write(f"Host {name}\n  HostName {address}\n  HostKeyAlias {name}\n")
    for home in (files / "root", files / "home" / bases.ADMIN):
        keys = home / ".ssh"
        keys.mkdir(mode=0o700, exist_ok=True)
        (keys / "authorized_keys").write_text(KEY.with_suffix(".pub").read_text())
        owner = home.stat()
        for each in (keys, keys / "authorized_keys"):
            os.chown(each, owner.st_uid, owner.st_gid)


def _mount_tmpfs(place: Path, size: str) -> None:
    call("mount", "-t", "tmpfs", "-o", f"size={size},mode=0755", f"{LAB}-card", place)


def flat(path: str) -> str:
    """What such a folder is called among the others."""
    return path.strip("/").replace("/", "_")


def smalls(name: str) -> list[str]:
    """The folders of a machine that have a size of their own."""
    file = folder(name) / "smalls"
    return file.read_text().split() if file.exists() else []
