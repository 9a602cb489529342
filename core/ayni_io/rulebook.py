"""The alarm rules in force: every file of `configs/rules/`; a user's file hides a shipped namesake."""

from __future__ import annotations

from ayni_core.rules import Rule, parse
from ayni_core.schema import ConfigError
from ayni_io import configs, yamlfile


def load_rules() -> tuple[Rule, ...]:
    """All rules; a rule defined in two files is a fault."""
    rules: dict[str, Rule] = {}
    for path in configs.each("rules"):
        for rule in yamlfile.read(path, parse):
            if rule.name in rules:
                raise ConfigError([f"{path}: rules.{rule.name}: is defined in another file too"])
            rules[rule.name] = rule
    return tuple(rules.values())
