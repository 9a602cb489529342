"""`ayni hub run --config FILE`: take in, remember, judge and answer."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ayni_core import inventory
from ayni_hub import clock_wait
from ayni_hub import config as hub_config
from ayni_hub.embedded import EmbeddedStore
from ayni_hub.embedded.upgrade import take_over
from ayni_hub.hub import Hub
from ayni_hub.ledger import Ledger, LedgerError
from ayni_hub.store import StoreError
from ayni_io import yamlfile
from ayni_io.i18n import _
from ayni_io.process import run_until_stopped, set_up_logging
from ayni_io.rulebook import load_rules


def parser() -> argparse.ArgumentParser:
    """The options of `ayni hub run`."""
    result = argparse.ArgumentParser(
        prog="ayni hub run", description=_("Take in what the monitors report, remember, judge and answer.")
    )
    result.add_argument("--config", type=Path, required=True, metavar="FILE", help=_("the hub.yaml"))
    result.add_argument("--verbose", action="store_true", help=_("tell more in the log"))
    return result


def main(argv: Sequence[str]) -> int:
    """Run until SIGTERM or Ctrl+C."""
    arguments = parser().parse_args(argv)
    set_up_logging(arguments.verbose)
    config = hub_config.load(arguments.config)
    network = yamlfile.read(config.network, inventory.parse)
    broker = config.broker.resolve(str(arguments.config))
    rules = load_rules()

    async def run() -> int:
        config.data_dir.mkdir(parents=True, exist_ok=True)
        await clock_wait.until_right(config.name, broker)
        ledger = Ledger(config.data_dir / "ledger.db")
        longest = max(3 * network.poll_s, 2 * network.flush_s)
        store = EmbeddedStore(config.data_dir / "store.db", gap_s=longest)
        try:
            take_over(config.data_dir / "samples.db", store)
            return await Hub(config.name, network, rules, broker, ledger, store, config.retain_days).run()
        finally:
            store.close()
            ledger.close()

    try:
        return run_until_stopped(run())
    except (StoreError, LedgerError, OSError) as error:
        print(f"ayni hub run: {error}", file=sys.stderr)
        return 1
