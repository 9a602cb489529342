"""`ayni hub migrate --from embedded --to victoriametrics --config hub.yaml`: samples go to another store."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path

from ayni_core.schema import ConfigError
from ayni_hub import config as hub_config
from ayni_hub import lock, migrating
from ayni_hub.config import HubConfig
from ayni_hub.embedded import EmbeddedStore
from ayni_hub.lock import HeldError
from ayni_hub.remote import RemoteStore
from ayni_hub.remote.opening import SPOOL, open_server
from ayni_hub.store import StoreError
from ayni_hub.store_config import KINDS
from ayni_io.i18n import _, _n
from ayni_io.progress import Progress
from ayni_io.usage import Parser

_FILE = "store.db"
_PROGRESS = "migrate.json"


def parser() -> argparse.ArgumentParser:
    """The options of `ayni hub migrate`."""
    result = Parser(
        prog="ayni hub migrate",
        description=_(
            "Bring what is stored into another store; the central must be stopped. May be interrupted: to"
            " begin again goes on."
        ),
    )
    result.add_argument("--from", dest="source", choices=KINDS, required=True, help=_("where samples are"))
    result.add_argument("--to", dest="target", choices=KINDS, required=True, help=_("where they shall be"))
    result.add_argument(
        "--config",
        type=Path,
        required=True,
        metavar="FILE",
        help=_("the hub.yaml whose `store:` is a server"),
    )
    return result


def main(argv: Sequence[str]) -> int:
    """Migrate; 0 when both sides have the same count."""
    options = parser().parse_args(argv)
    config = hub_config.load(options.config)
    _check(options, config)
    try:
        with contextlib.ExitStack() as stack:
            stack.enter_context(lock.held(config.data_dir))
            embedded = _embedded(config, there=options.source == "embedded")
            stack.enter_context(contextlib.closing(embedded))
            oldest_s = config.retain.samples_s
            remote = RemoteStore(config.data_dir / SPOOL, open_server(config.store), oldest_s=oldest_s)
            stack.enter_context(contextlib.closing(remote))
            remote.drain.check()
            about = f"{options.source} {options.target} {config.store.url} {config.store.bucket}"
            progress = migrating.Progress.read(config.data_dir / _PROGRESS, about)
            out = options.source == "embedded"
            source: migrating.AnyStore = embedded if out else remote
            target: migrating.AnyStore = remote if out else embedded
            with Progress(_("Migrating")) as shown:
                outcome = migrating.Migration(source, target, progress, shown).run()
    except (StoreError, HeldError, OSError) as error:
        print(f"ayni hub migrate: {error}", file=sys.stderr)
        return 1
    for device, (here, there) in sorted(outcome.there.items()):
        print(_("{device}: {here} read, {there} there", device=device, here=here, there=there))
    for device in outcome.missing:
        print(_("{device}: some are missing; run this again", device=device))
    print(_n("{n} sample brought over", "{n} samples brought over", outcome.brought))
    if outcome.missing:
        return 1
    if options.target == "embedded":
        print(
            _("Now write `store: {{kind: embedded}}` into {file} and start the central.", file=options.config)
        )
    else:
        print(
            _("Now start the central. What was stored before stays in {file}.", file=config.data_dir / _FILE)
        )
    return 0


def _check(options: argparse.Namespace, config: HubConfig) -> None:
    """One side is this machine, the other the server of hub.yaml. Raises `ConfigError`."""
    kinds = {options.source, options.target}
    if len(kinds) != 2 or "embedded" not in kinds:
        raise ConfigError(
            [_("--from and --to: one of them must be embedded; from one server to another go by way of it")]
        )
    (wanted,) = kinds - {"embedded"}
    if config.store.kind != wanted:
        raise ConfigError(
            [
                _(
                    "{file}: store.kind: expected {wanted}, got {kind}: the section says where the server is",
                    file=options.config,
                    wanted=wanted,
                    kind=config.store.kind,
                )
            ]
        )


def _embedded(config: HubConfig, *, there: bool) -> EmbeddedStore:
    path = config.data_dir / _FILE
    if there and not path.is_file():
        raise StoreError(_("{path}: there is no such store", path=path))
    return EmbeddedStore(path)
