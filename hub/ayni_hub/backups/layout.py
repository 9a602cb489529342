"""Where everything lies that a central is made of, on its machine and in a backup.

Names in a backup say what a file is, not where it lay: `hub/ledger.db`, `etc/hub.yaml`,
`broker/accounts.json`. So it can be put back where another machine has its folders. The key of the network's
own authority is not among them: it never is on a central."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ayni_hub.backups.snapshot import LOG
from ayni_hub.home import HUB, Home
from ayni_hub.pins import FILE as PINS

DATABASES = ("ledger.db", "people.db", "store.db", "spool.db", "feed.db")
"""The ledger first: what it calls safe must be in the copy of the store, never the other way round."""
NETWORK = "network.yaml"
MARK = "restored.json"
_CONFIG = ("hub.yaml", "agent.yaml", "start.yaml", "ca.crt")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_MOST_SECRETS = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Owned:
    """A place for a file, and whose it is there when root puts it back."""

    path: Path
    mode: int = 0o640
    user: str = "root"
    group: str = "ayni"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The folders of a central. `kind` is `machine` (docs/deploying.md), `home` (`ayni start`), or `own`: a
    hub.yaml somewhere; of that one nothing but what the central remembers is known."""

    kind: str
    data_dir: Path
    network: Path
    config_dir: Path | None = None
    accounts: Path | None = None
    certificates: Path | None = None
    broker_config: Path | None = None

    def databases(self) -> dict[str, Path]:
        """Those that are there, by their names in a backup."""
        found = {f"hub/{name}": self.data_dir / name for name in DATABASES}
        return {name: path for name, path in found.items() if path.is_file()}

    def files(self, *, secrets: bool) -> dict[str, Path]:
        """All else that is there. `secrets`: also what a backup that is not encrypted must not have."""
        found = {NETWORK: self.network}
        if secrets:
            found[f"hub/{PINS}"] = self.data_dir / PINS
            found |= _folder("hub/secrets", self.data_dir / "secrets")
            if self.config_dir is not None:
                found |= {f"etc/{name}": self.config_dir / name for name in _CONFIG}
                found |= _folder("etc/secrets", self.config_dir / "secrets")
            found |= dict(self._broker())
        return {name: path for name, path in found.items() if path.is_file()}

    def _broker(self) -> Iterator[tuple[str, Path]]:
        if self.accounts is not None:
            yield "broker/accounts.json", self.accounts
        if self.certificates is not None:
            yield "broker/server.crt", self.certificates / "server.crt"
            yield "broker/server.key", self.certificates / "server.key"
        if self.broker_config is not None:
            yield "broker/ayni.conf", self.broker_config

    def place(self, name: str) -> Owned | None:
        """Where a file of a backup belongs; None: nowhere here. Raises `ValueError` for a name that no backup
        of ours has."""
        folder, _slash, last = name.rpartition("/")
        if not _NAME.fullmatch(last):
            raise ValueError(name)
        if name == NETWORK:
            return Owned(path=self.network)
        match folder:
            case "hub" if last in (*DATABASES, *(each + LOG for each in DATABASES), PINS):
                return Owned(path=self.data_dir / last, mode=0o600, user="ayni")
            case "hub/secrets":
                return Owned(path=self.data_dir / "secrets" / last, mode=0o600, user="ayni")
            case "etc" if last in _CONFIG:
                return None if self.config_dir is None else Owned(path=self.config_dir / last)
            case "etc/secrets":
                if self.config_dir is None:
                    return None
                return Owned(path=self.config_dir / "secrets" / last, mode=0o600, group="root")
            case "broker" if last in ("accounts.json", "server.crt", "server.key", "ayni.conf"):
                return self._broker_place(name)
        raise ValueError(name)

    def _broker_place(self, name: str) -> Owned | None:
        path = dict(self._broker()).get(name)
        if path is None:
            return None
        if name == "broker/accounts.json":  # Mosquitto writes it itself
            return Owned(path=path, mode=0o600, user="mosquitto", group="mosquitto")
        return Owned(path=path, mode=0o644 if name.endswith(".conf") else 0o640, group="mosquitto")


def of_machine(root: Path = Path("/")) -> Layout:
    """That of a deployed machine, below `root`."""
    return Layout(
        kind="machine",
        data_dir=root / "var/lib/ayni/hub",
        network=root / "etc/ayni/network.yaml",
        config_dir=root / "etc/ayni",
        accounts=root / "var/lib/mosquitto/ayni-accounts.json",
        certificates=root / "etc/mosquitto/ayni",
        broker_config=root / "etc/mosquitto/conf.d/ayni.conf",
    )


def of_home(folder: Path) -> Layout:
    """That of `ayni start`."""
    home = Home(folder)
    return Layout(
        kind="home",
        data_dir=home.folder / HUB,
        network=home.network_path,
        config_dir=home.folder,
        accounts=home.folder / "accounts.json",
    )


def _folder(name: str, folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        return {}
    found = sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name))[:_MOST_SECRETS]
    return {f"{name}/{path.name}": path for path in found}
