"""Where configuration is found: the user's own folder first, then what Ayni ships.

In a wheel the shipped files are `ayni_io/_configs`; in a checkout (editable install) they are `configs/`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from ayni_core.fault import fault
from ayni_core.schema import ConfigError

_HERE = Path(__file__).resolve().parent


def shipped() -> Path:
    """The folder of the shipped configuration, in either form of installation."""
    for folder in (_HERE / "_configs", _HERE.parent.parent / "configs"):
        if (folder / "profiles").is_dir():
            return folder
    raise ConfigError([fault(f"{_HERE}", "fault.not_shipped")])


def folders() -> tuple[Path, ...]:
    """The folders searched, in order: AYNI_CONFIGS, the user's own, the system's, the shipped one."""
    own = os.environ.get("AYNI_CONFIGS")
    home = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    candidates = [Path(own)] if own else []
    candidates += [Path(home) / "ayni", Path("/etc/ayni")]
    return (*(folder for folder in candidates if folder.is_dir()), shipped())


def find(relative: str) -> Path:
    """The first file of that relative name, or `ConfigError` naming where it was looked for."""
    found = look(relative)
    if found is None:
        places = ", ".join(str(folder) for folder in folders())
        raise ConfigError([fault(relative, "fault.not_found", places=places)])
    return found


def look(relative: str) -> Path | None:
    """The first file of that relative name; None where there is none."""
    return next((path for folder in folders() if (path := folder / relative).is_file()), None)


def each(kind: str) -> Iterator[Path]:
    """Every YAML file of a kind (`profiles`, `rules` …); a user's file hides a shipped one of its name."""
    seen: set[str] = set()
    for folder in folders():
        for path in sorted((folder / kind).glob("*.yaml")):
            if path.name not in seen:
                seen.add(path.name)
                yield path
