"""The alarm rules in force: every file of `configs/rules/`; a user's file hides a shipped namesake, and a
user's rule the shipped rule of its name."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ayni_core import inventory
from ayni_core.fault import Fault, fault
from ayni_core.inventory import Network
from ayni_core.rules import Rule, parse
from ayni_core.schema import ConfigError
from ayni_io import configs, yamlfile


def load_rules() -> tuple[Rule, ...]:
    """All rules; a rule defined in two files of one folder is a fault."""
    return tuple(rule for rule, _path in read_rules(configs.each("rules")))


def read_rules(paths: Iterable[Path]) -> list[tuple[Rule, Path]]:
    """The rules of some files, each with the file that it is from. Of two with one name that of the earlier
    folder holds. Raises `ConfigError` with the faults of all files."""
    found: dict[str, tuple[Rule, Path]] = {}
    faults: list[Fault] = []
    for path in paths:
        try:
            rules = yamlfile.read(path, parse)
        except ConfigError as error:
            faults += error.noted
            continue
        for rule in rules:
            first = found.setdefault(rule.name, (rule, path))[1]
            if first != path and first.parent == path.parent:
                faults.append(fault(f"{path}: rules.{rule.name}", "fault.stands_in", other=first.name))
    if faults:
        raise ConfigError(faults)
    return list(found.values())


def read_network(path: Path, rules: Iterable[Rule]) -> Network:
    """The inventory, its `rules` sections held against the rules that there are. Raises `ConfigError`."""
    known = [rule.name for rule in rules]
    return yamlfile.read(path, lambda fields: inventory.parse(fields, known))
