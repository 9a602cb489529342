"""Where the machines are kept, what they are called, and the one way in which other programs are called.

A *lab* is a set of machines with a network of their own. Several labs live side by side under different names
(`$AYNI_LAB`); only the roots that machines are made of are shared.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from user_cache import cache

CACHE = cache("machines")
BASES = CACHE / "bases"
LAB = os.environ.get("AYNI_LAB", "ayni")
LIVING = CACHE / "labs" / LAB
"""All that this lab has: keys, and a folder for each machine."""
KEY, KNOWN_HOSTS, SSH_CONFIG = LIVING / "ssh_key", LIVING / "known_hosts", LIVING / "ssh_config"
SWITCH, DESK = "switch", "desk"
"""The network that all machines hang on, and the place of the person at the laptop in it."""
_NAME = re.compile(r"[a-z][a-z0-9-]{0,10}")
"""Short enough for a network interface (15 characters) with two more before it."""


class Trouble(Exception):  # noqa: N818  what a person reads, not a bug
    """What went wrong, in a sentence."""


def check_name(name: str) -> str:
    """A machine's name, if it can be one."""
    if not _NAME.fullmatch(name) or name in (SWITCH, DESK):
        raise Trouble(f"{name}: a machine's name is 1 to 11 of a-z, 0-9 and -, beginning with a letter")
    return name


def check_lab() -> None:
    """Refuse what would not stay inside: a strange name, another user than root, a missing program."""
    if not re.fullmatch(r"[a-z][a-z0-9]{0,9}", LAB):
        raise Trouble(f"AYNI_LAB={LAB}: expected 1 to 10 of a-z and 0-9, beginning with a letter")
    if os.geteuid() != 0:
        raise Trouble("machines need root: namespaces, mounts and systemd-nspawn")


def namespace(name: str) -> str:
    """What a machine's network namespace is called."""
    return f"{LAB}-{name}"


def folder(name: str) -> Path:
    """Where a machine is kept."""
    return LIVING / "machines" / name


def machines() -> list[str]:
    """All machines of this lab, running or not."""
    home = LIVING / "machines"
    return sorted(each.name for each in home.iterdir()) if home.is_dir() else []


def call(
    *command: str | Path, said: bool = False, may_fail: bool = False, env: Mapping[str, str] | None = None
) -> str:
    """Run a program; what it printed. `said`: it talks to the terminal. Raises `Trouble` when it fails."""
    arguments = [str(each) for each in command]
    try:
        done = subprocess.run(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr if said else subprocess.PIPE,
            stderr=None if said else subprocess.PIPE,
            text=True,
            check=False,
            env=None if env is None else {**os.environ, **env},
        )
    except OSError as error:
        if may_fail:
            return ""
        raise Trouble(f"{arguments[0]}: {error.strerror}") from None
    if done.returncode and not may_fail:
        last = (done.stderr or "").strip().splitlines()[-3:]
        raise Trouble(f"{' '.join(arguments)[:200]}: exit status {done.returncode} {' / '.join(last)}")
    return done.stdout or ""


def inside(name: str) -> list[str]:
    """The words before a command that runs in a network namespace of this lab."""
    return ["ip", "netns", "exec", namespace(name)]


def has_namespace(name: str) -> bool:
    """Whether the namespace is there."""
    return (Path("/run/netns") / namespace(name)).exists()


def say(text: str) -> None:
    """One line for whoever waits."""
    print(f"machines: {text}", file=sys.stderr, flush=True)
