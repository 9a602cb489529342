"""Finds and reads the maps of sources in `configs/sources/`: a user's own file hides a shipped one."""

from __future__ import annotations

from ayni_core.fault import fault
from ayni_core.message import Phrase
from ayni_core.power.registers import RegisterMap, read_map
from ayni_core.schema import ConfigError, did_you_mean
from ayni_io import configs, yamlfile

FOLDER = "sources"
_MODBUS = "modbus-"


def modbus_maps() -> list[str]:
    """The names of all register maps."""
    names = (path.stem for path in configs.each(FOLDER) if path.stem.startswith(_MODBUS))
    return sorted(name.removeprefix(_MODBUS) for name in names)


def modbus_map(name: str, where: str) -> RegisterMap:
    """One register map. Raises `ConfigError` with all that is wrong with it, or if `where` names none."""
    known = modbus_maps()
    if name not in known:
        what, hint = Phrase("word.map"), did_you_mean(name, known)
        raise ConfigError([fault(where, "fault.unknown", what=what, name=name, hint=hint)])
    path = configs.find(f"{FOLDER}/{_MODBUS}{name}.yaml")
    return yamlfile.read(path, lambda fields: read_map(name, fields), f"{FOLDER}/{path.name}")
