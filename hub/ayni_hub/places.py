"""Where a central keeps its things, and its store opened to be read, for commands that run beside it."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ayni_hub import config as hub_config
from ayni_hub.config import HubConfig
from ayni_hub.embedded import EmbeddedStore
from ayni_hub.home import HUB, Home, default_folder
from ayni_hub.remote.opening import open_remote
from ayni_hub.remote.store import RemoteStore
from ayni_hub.store import StoreError
from ayni_io.i18n import _

STORE, LEDGER = "store.db", "ledger.db"
_GAP_S = 900.0


@dataclass(frozen=True, slots=True)
class Places:
    """The folder that a central keeps its files in, the inventory, and its configuration where it has one."""

    data_dir: Path
    network: Path
    config: HubConfig | None = None

    @property
    def far(self) -> bool:
        """Whether its samples are kept by a server."""
        return self.config is not None and self.config.store.kind != "embedded"


def add(parser: argparse.ArgumentParser) -> None:
    """The options that say which central is meant."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--config", type=Path, metavar="FILE", help=_("the hub.yaml"))
    where.add_argument(
        "--dir", dest="folder", type=Path, default=default_folder(), metavar="DIR",
        help=_("where `ayni start` keeps the network (default: {folder})", folder=default_folder()),
    )  # fmt: skip


def of(options: argparse.Namespace) -> Places:
    """What these options say. Raises `ConfigError`."""
    if options.config is not None:
        return at(options.config)
    home = Home(options.folder)
    return Places(home.folder / HUB, home.network_path)


def at(path: Path) -> Places:
    """Those of a hub.yaml. Raises `ConfigError`."""
    config = hub_config.load(path)
    return Places(config.data_dir, config.network, config)


def open_store(places: Places, gap_s: float = _GAP_S) -> EmbeddedStore | RemoteStore:
    """The samples, to be read. Raises `StoreError`, `ConfigError`."""
    config = places.config
    if config is not None and places.far:
        return open_remote(
            config.store, config.data_dir, gap_s=gap_s, oldest_s=config.retain.samples_s, writes=False
        )
    return open_embedded(places, gap_s)


def open_embedded(places: Places, gap_s: float = _GAP_S) -> EmbeddedStore:
    """The samples that are kept in a file. Raises `StoreError`."""
    path = places.data_dir / STORE
    if not path.is_file():
        raise StoreError(_("{path}: there is no such store", path=path))
    return EmbeddedStore(path, gap_s=gap_s)


def moment(text: str) -> float:
    """A date or a date and time, UTC, on a command line. `ValueError` is for argparse to tell."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
