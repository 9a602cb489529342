"""Finds and reads the maps of pages in `configs/sources/`, KIND-NAME.yaml: own ones hide shipped ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from ayni_core.fault import Fault, fault
from ayni_core.message import Phrase
from ayni_core.schema import ConfigError, Fields, did_you_mean
from ayni_core.webmap import Map
from ayni_core.webmap.reader import read_json_map, read_metrics_map
from ayni_io import configs, yamlfile

_FOLDER = "sources"
_READERS: Mapping[str, Callable[[str, Fields], Map]] = {
    "openmetrics": read_metrics_map,
    "json": read_json_map,
}


def names(kind: str) -> list[str]:
    """All maps for a kind of source."""
    stems = (path.stem for path in configs.each(_FOLDER))
    return sorted(stem.removeprefix(f"{kind}-") for stem in stems if stem.startswith(f"{kind}-"))


def load(kind: str, name: str, where: str) -> Map:
    """One map with what it includes. Raises `ConfigError` with all that is wrong; `where` names it."""
    known = names(kind)
    if name not in known:
        raise ConfigError([_unknown(where, name, known)])
    found = _read(kind, name)
    for other in found.include:
        if other not in known or other == name:
            raise ConfigError([_unknown(f"{kind}-{name}.yaml: include", other, known)])
        below = _read(kind, other)
        found = replace(
            found,
            tables=(*found.tables, *below.tables),
            derived=(*found.derived, *below.derived),
            shares=(*found.shares, *below.shares),
        )
    return found


def _unknown(where: str, name: str, known: list[str]) -> Fault:
    hint = did_you_mean(name, known)
    return fault(where, "fault.unknown", what=Phrase("word.map"), name=name, hint=hint)


def _read(kind: str, name: str) -> Map:
    path = configs.find(f"{_FOLDER}/{kind}-{name}.yaml")
    read = _READERS[kind]
    return yamlfile.read(path, lambda fields: read(name, fields), f"{_FOLDER}/{path.name}")
