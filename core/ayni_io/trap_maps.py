"""Finds and reads what traps mean, `configs/traps/`: a user's own file hides a shipped one of its name."""

from __future__ import annotations

from ayni_core.fault import Fault
from ayni_core.schema import ConfigError
from ayni_core.traps import Meaning, read_meanings
from ayni_io import configs, yamlfile

FOLDER = "traps"


def load() -> dict[str, list[Meaning]]:
    """All of them by OID. Raises `ConfigError` with every fault of every file."""
    found: dict[str, list[Meaning]] = {}
    faults: list[Fault] = []
    for path in configs.each(FOLDER):
        try:
            found |= yamlfile.read(path, read_meanings, f"{FOLDER}/{path.name}")
        except ConfigError as error:
            faults += error.noted
    if faults:
        raise ConfigError(faults)
    return found
