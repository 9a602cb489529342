"""The roots that machines are made of: a small Debian with systemd, as a fresh card has it. Built once, kept.

A root is named after its release and what was added: `bookworm`, `bookworm+chrony+mosquitto`. Machines never
write into it; theirs is a layer above. It has what Raspberry Pi OS has on a fresh card and Ansible needs
(python3, sudo, sshd), with nothing of Ayni and nothing for Python to build with.
"""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Sequence
from pathlib import Path

from places import BASES, Trouble, call, say

RELEASES = ("bookworm", "trixie")
PACKAGES = (
    "systemd", "systemd-sysv", "dbus", "libpam-systemd", "openssh-server", "python3", "python3-apt",
    "iproute2", "iputils-ping", "ca-certificates", "sudo", "procps",
)  # fmt: skip
ADMIN = "pi"
"""Who may become root without a password, as on Raspberry Pi OS."""


def built(release: str, more: Sequence[str] = ()) -> Path:
    """The root with these packages; made first where it is not there yet (half a minute)."""
    if release not in RELEASES:
        raise Trouble(f"{release}: expected {' or '.join(RELEASES)}")
    root = BASES / "+".join([release, *sorted(set(more))])
    BASES.mkdir(parents=True, exist_ok=True)
    with (BASES / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not root.is_dir():
            _build(root, release, [*PACKAGES, *sorted(set(more))])
    return root


def named(name: str) -> Path:
    """A root by its name."""
    release, *more = name.split("+")
    return built(release, more)


def _build(root: Path, release: str, packages: Sequence[str]) -> None:
    say(f"building {root.name}; this takes a minute")
    half = root.with_name(f".{root.name}.half")
    shutil.rmtree(half, ignore_errors=True)
    call(
        "mmdebstrap", "--variant=minbase", "--quiet", f"--include={','.join(packages)}",
        "--aptopt=APT::Install-Recommends false", "--dpkgopt=path-exclude=/usr/share/doc/*",
        "--dpkgopt=path-exclude=/usr/share/man/*", release, half,
        said=True, env={"SOURCE_DATE_EPOCH": "1700000000"},
    )  # fmt: skip
    _settle(half)
    half.rename(root)


def _settle(root: Path) -> None:
    """What a first boot finds: no identity yet, no keys, nothing that waits for hardware."""
    call("chroot", root, "useradd", "--create-home", "--shell", "/bin/bash", "--groups", "sudo", ADMIN)
    (root / "etc/sudoers.d/010_pi-nopasswd").write_text(f"{ADMIN} ALL=(ALL) NOPASSWD: ALL\n")
    (root / "etc/sudoers.d/010_pi-nopasswd").chmod(0o440)
    for key in (root / "etc/ssh").glob("ssh_host_*"):
        key.unlink()
    (root / "etc/machine-id").write_text("")
    (root / "etc/resolv.conf").unlink(missing_ok=True)
    (root / "etc/resolv.conf").write_text("")
    # There is no way to a package archive from inside, so its timers would only fail.
    for unit in ("apt-daily.timer", "apt-daily-upgrade.timer", "systemd-networkd-wait-online.service"):
        call("chroot", root, "systemctl", "mask", unit, may_fail=True)
