"""`ayni hub run --config FILE`: take in, remember, judge and answer, or the part of it that is this hub's
role."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from ayni_core import __version__
from ayni_core.inventory import Network
from ayni_core.rules import Rule
from ayni_core.wire import topics
from ayni_core.wire.messages import PartState
from ayni_core.wire.shape import pack
from ayni_hub import baselines, certificates_met, clock_wait, lock, places, roles
from ayni_hub import config as hub_config
from ayni_hub.backups import mark
from ayni_hub.backups.watch import BackupWatch
from ayni_hub.certificates_met import CertificatesMet
from ayni_hub.config import HubConfig
from ayni_hub.embedded import EmbeddedStore
from ayni_hub.embedded.upgrade import take_over
from ayni_hub.feeding import Feeder, FeedError
from ayni_hub.feeding.box import FeedBox
from ayni_hub.health import Premises
from ayni_hub.hub import Hub
from ayni_hub.judge_store import Folders, JudgeStore
from ayni_hub.keys.keeper import Keeper
from ayni_hub.ledger import Ledger, LedgerError
from ayni_hub.lock import HeldError
from ayni_hub.numbers import companions
from ayni_hub.people.assembly import Staff
from ayni_hub.people.memory import PeopleError
from ayni_hub.pin_tries import FILE as PIN_TRIES
from ayni_hub.pin_tries import PinTries
from ayni_hub.pins import FILE as PINS
from ayni_hub.pins import Pins
from ayni_hub.remote.opening import open_remote
from ayni_hub.remote.store import RemoteStore
from ayni_hub.rerun.players import Players
from ayni_hub.store import Store, StoreError
from ayni_hub.worker import Worker
from ayni_io.i18n import _
from ayni_io.mqtt import BrokerConfig
from ayni_io.process import run_until_stopped, set_up_logging
from ayni_io.rulebook import load_rules, read_network
from ayni_io.service import Service
from ayni_io.usage import Parser


def parser() -> argparse.ArgumentParser:
    """The options of `ayni hub run`."""
    result = Parser(
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
    rules = load_rules()
    network = read_network(config.network, rules)
    broker = config.broker.resolve(str(arguments.config))
    server = config.feed.broker.resolve(f"{arguments.config}: feed") if config.feed else None
    try:
        return run_until_stopped(_run(arguments.config, config, network, rules, broker, server))
    except (StoreError, LedgerError, PeopleError, FeedError, HeldError, OSError) as error:
        print(f"ayni hub run: {error}", file=sys.stderr)
        return 1


async def _run(
    path: Path,
    config: HubConfig,
    network: Network,
    rules: tuple[Rule, ...],
    broker: BrokerConfig,
    server: BrokerConfig | None,
) -> int:
    service = Service()
    with ExitStack() as stack:
        config.data_dir.mkdir(parents=True, exist_ok=True)
        stack.enter_context(lock.held(config.data_dir))
        await _wait_for_clock(config, broker, service)
        ledger = stack.enter_context(closing(Ledger(config.data_dir / places.LEDGER)))
        store = _open_store(config, network, stack)
        if config.role == "worker":
            worker = Worker(config.name, config.buckets, network, broker, ledger, store, config.retain)
            worker.service = service
            return await worker.run()
        feeder = None
        if config.feed is not None and server is not None:
            box = stack.enter_context(
                closing(FeedBox(config.data_dir / "feed.db", config.feed.keep_mb, config.feed.keep_days))
            )
            feeder = Feeder(_village(config, server), config.feed, server, box, ledger)
        role = roles.ROLES[config.role]
        pins, tries = Pins(config.data_dir / PINS), PinTries(config.data_dir / PIN_TRIES)
        hub = Hub(
            config.name, network, rules, broker, ledger, store, config.retain, role, feeder, pins, tries
        )
        hub.service = service
        hub.health.premises = Premises(
            name=config.name, role=config.role, store=config.store.kind, folder=config.data_dir
        )
        hub.companions += companions.of(config, hub.inside, broker)
        met = certificates_met.places(config, network, broker, server)
        judge = hub.inside.judge if role.judges else None
        hub.companions.append(CertificatesMet(met, hub.health, judge).run)
        hub.restored = mark.read(config.data_dir)
        if config.backup is not None:
            since = path.stat().st_mtime
            hub.companions.append(BackupWatch(config.data_dir, since, hub.health, judge, hub.tell).run)
        if config.accounts is not None:
            keeping = config.accounts.broker(broker, str(path))
            hub.companions.append(Keeper(config, keeping, hub.present, hub.tell).run)
        if role.judges:
            hub.look_back(Players(path))
            hub.companions.append(baselines.companion(hub.inside, store, ledger))
            if Staff.wanted(network):
                hub.employ(Staff(network, str(config.network), config.data_dir, ledger, hub.do))
        return await hub.run()


def _village(config: HubConfig, server: BrokerConfig) -> str:
    """Our name on the server: that of the account which it gave us."""
    kind, _dash, name = (server.username or "").partition("-")
    return name if kind == "b" and name else config.name


def _open_store(config: HubConfig, network: Network, stack: ExitStack) -> Store:
    """The store that the role works on; closed with the stack."""
    longest = max(3 * network.poll_s, 2 * network.flush_s)
    far: RemoteStore | None = None
    if config.store.kind != "embedded":
        judges = config.role == "judge"
        oldest_s = config.retain.samples_s
        far = open_remote(config.store, config.data_dir, gap_s=longest, oldest_s=oldest_s, writes=not judges)
        stack.enter_context(closing(far))
        if not judges:
            return far
    store = stack.enter_context(
        closing(EmbeddedStore(config.data_dir / places.STORE, gap_s=longest, retain=config.retain))
    )
    take_over(config.data_dir / "samples.db", store)
    if far is not None:
        return JudgeStore(store, far)
    return JudgeStore(store, Folders(config.workers, longest)) if config.workers else store


async def _wait_for_clock(config: HubConfig, broker: BrokerConfig, service: Service) -> None:
    if config.role != "worker":
        await clock_wait.until_right(f"h-{config.name}", broker, service=service)
        return

    def says(state: str) -> bytes:
        return pack(PartState(role="worker", state=state, version=__version__, buckets=config.buckets))

    await clock_wait.until_right(
        f"w-{config.name}", broker, topic=topics.part(config.name), says=says, service=service
    )
