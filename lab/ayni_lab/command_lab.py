"""`ayni lab …`: the parts of a pretend network, which `ayni demo` starts by itself."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from ayni_io.i18n import _
from ayni_io.process import run_until_stopped, set_up_logging
from ayni_io.usage import Parser


def parser() -> argparse.ArgumentParser:
    """The options of `ayni lab`."""
    result = Parser(prog="ayni lab", description=_("Simulated devices and an embedded broker, to learn on."))
    below = result.add_subparsers(dest="what", required=True, metavar="WHAT")
    simulate = below.add_parser(
        "simulate",
        help=_("answer SNMP for every device of a network, and break things on demand"),
        description=_("Answer SNMP for every device of a network, and break things on demand."),
    )
    simulate.add_argument(
        "--config", type=Path, required=True, metavar="FILE", help=_("the lab's config file")
    )
    broker = below.add_parser(
        "broker",
        help=_("a small MQTT broker for this machine alone, where Mosquitto is missing"),
        description=_("A small MQTT 3.1.1 broker for this machine alone, where Mosquitto is missing."),
    )
    broker.add_argument("--port", type=int, required=True, metavar="N", help=_("TCP port on 127.0.0.1"))
    broker.add_argument(
        "--accounts",
        type=Path,
        required=True,
        metavar="FILE",
        help=_("accounts as Mosquitto's plugin has them"),
    )
    return result


def main(argv: Sequence[str]) -> int:
    """Run one of them until SIGTERM or Ctrl+C."""
    arguments = parser().parse_args(argv)
    set_up_logging()
    if arguments.what == "simulate":
        from ayni_lab import simulation

        config, network, scenario = simulation.load(arguments.config)
        return run_until_stopped(simulation.run(config, network, scenario, str(arguments.config)))
    from ayni_lab import embedded_broker

    return run_until_stopped(embedded_broker.run(arguments.port, arguments.accounts))
