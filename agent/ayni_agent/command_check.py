"""`ayni agent check FILE`: everything that is wrong with an agent.yaml, at once."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from ayni_agent import config as agent_config
from ayni_agent.command_run import prepare
from ayni_core.schema import ConfigError
from ayni_io.i18n import _, _n
from ayni_io.profiles import Profiles
from ayni_io.rulebook import load_rules
from ayni_io.usage import Parser


def parser() -> argparse.ArgumentParser:
    """The options of `ayni agent check`."""
    result = Parser(prog="ayni agent check", description=_("Check an agent.yaml."))
    result.add_argument("file", type=Path)
    return result


def main(argv: Sequence[str]) -> int:
    """0 when an agent could run with it; otherwise the faults are told by the caller and the status is 2."""
    arguments = parser().parse_args(argv)
    config = agent_config.load(arguments.file)
    profiles = Profiles()
    prepare(config, profiles, str(arguments.file))
    if broken := profiles.faults():
        raise ConfigError(broken)
    config.broker.resolve(str(arguments.file))
    rules = [rule.name for rule in load_rules()]
    if unknown := agent_config.unknown_rules(config, rules, str(arguments.file)):
        raise ConfigError(unknown)
    count = len(config.devices)
    print(
        _n(
            "{file}: good; node {node} polls one device every {poll_s:g} s",
            "{file}: good; node {node} polls {n} devices every {poll_s:g} s",
            count, file=arguments.file, node=config.node, poll_s=config.poll_s,
        )
    )  # fmt: skip
    return 0
