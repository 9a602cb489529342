"""Secrets are references in configuration; this type keeps the value out of logs, reprs and tracebacks."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from ayni_core.fault import ConfigError, fault
from ayni_core.reference import read_reference
from ayni_core.schema import Fields
from ayni_io.os_errors import os_cause

SEEDS = Path("/etc/ayni/secrets")
"""Where systemd takes credentials from on a deployed machine; what root calls by hand reads them there."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret value. Printing it shows nothing; `reveal()` is for the one place that needs it."""

    _value: str = field(repr=False)

    def reveal(self) -> str:
        """The value itself."""
        return self._value

    def __str__(self) -> str:
        return "(secret)"


def resolve(reference: str, where: str) -> Secret:
    """A secret from `file:PATH`, `env:NAME` or `credential:NAME` (systemd). Raises `ConfigError`."""
    kind, _, rest = reference.partition(":")
    match kind:
        case "file":
            return from_file(Path(rest), where)
        case "env":
            value = os.environ.get(rest)
            if not value:
                raise ConfigError([fault(where, "fault.variable", name=rest)])
            return Secret(value)
        case "credential":
            return from_file(credential(rest, where), where)
    raise ConfigError([fault(where, "fault.secret")])


def from_file(path: Path, where: str) -> Secret:
    """The first line of a file. Raises `ConfigError` in one line."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ConfigError([fault(f"{where}: {path}", "fault.unreadable", cause=os_cause(error))]) from None
    except UnicodeDecodeError:
        raise ConfigError([fault(f"{where}: {path}", "fault.utf8")]) from None
    if not lines or not lines[0].strip():
        raise ConfigError([fault(f"{where}: {path}", "fault.empty_secret")])
    return Secret(lines[0].strip())


def credential(name: str, where: str) -> Path:
    """Where systemd put it: as it is named, or out of the folder that our units load, which it calls `ayni`
    (systemd.exec(5), LoadCredential=). What root calls by hand reads the seed itself. Raises
    `ConfigError`."""
    given = os.environ.get("CREDENTIALS_DIRECTORY")
    places = [Path(given) / name, Path(given) / f"ayni_{name}"] if given else [SEEDS / name]
    found = next((path for path in places if _there(path)), None)
    if found is not None:
        return found
    if given:
        return places[0]  # its absence is told as that of any file
    raise ConfigError([fault(where, "fault.no_credentials", name=name)])


def _there(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a folder of root's
        return False


def check_reference(fields: Fields, key: str, default: str | None = None) -> str:
    """Read a secret reference of a config file without resolving it."""
    value: str = read_reference(fields, key, *(() if default is None else (default,)))
    return value
