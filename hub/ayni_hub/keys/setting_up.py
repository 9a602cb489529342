"""A hub's machine put in order by hand: network, secrets, certificate, accounts and the broker.

Everything below one root, so that an image can be made, too. What is there already stays, and a second run
changes nothing: only a network that is given again and the broker's static configuration replace what stood
there.
"""

from __future__ import annotations

import os
import ssl
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ayni_core import installed, inventory
from ayni_core.fault import fault
from ayni_core.inventory import Network
from ayni_core.machines import Shell
from ayni_core.message import Phrase
from ayni_core.schema import NAME, ConfigError, Faults, Fields
from ayni_core.wire.topics import rights
from ayni_io import accounts, files, yamlwrite
from ayni_io.i18n import _, fault_line

ACCOUNTS = (f"h-{installed.HUB}", installed.KEEPER)
_ABOUT = "Written by `ayni hub setup`."
_HERE = Path(__file__).resolve().parents[3]
_BROKER_FILES = (
    Path(sys.prefix) / "share/mosquitto.conf",
    Path("/opt/ayni/current/share/mosquitto.conf"),
    _HERE / "deploy/mosquitto/ayni.conf",
)


class SetupError(Exception):
    """What could not be done, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Basics:
    """What a first network.yaml needs: a name, where others find the hub, and names of its monitors."""

    title: str
    addresses: tuple[str, ...]
    nodes: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """A network.yaml with a site per monitor."""
        first, *also = self.addresses
        return {
            "network": {"title": self.title},
            "hub": {"address": first, **({"also": also} if also else {})},
            "sites": {node.removesuffix("-pi"): {} for node in self.nodes},
            "nodes": {node: {"site": node.removesuffix("-pi")} for node in self.nodes},
        }


@dataclass(slots=True)
class Place:
    """The machine below `root`, and the files that were written there."""

    root: Path
    written: list[Path] = field(default_factory=list)

    @property
    def etc(self) -> Path:
        """Ayni's configuration."""
        return self.root / "etc/ayni"

    @property
    def broker(self) -> Path:
        """The broker's certificate and key."""
        return self.root / "etc/mosquitto/ayni"

    def folder(self, path: Path, mode: int, owner: str = "root", group: str = "root") -> None:
        """One that is there, for whom it is."""
        if not path.is_dir():
            path.mkdir(parents=True, mode=mode)
            path.chmod(mode)
            self._give(path, owner, group)

    def write(self, path: Path, text: str, mode: int, owner: str = "root", group: str = "root") -> None:
        """A file that says this; written only where it did not."""
        if path.is_file() and path.read_bytes() == text.encode("utf-8"):
            return
        files.write_durably(path, text, mode=mode)
        self._give(path, owner, group)
        self.written.append(path)

    def _give(self, path: Path, owner: str, group: str) -> None:
        """As far as we may, and the users are there: in an image they are those of the image."""
        uid, gid = self._id("passwd", owner), self._id("group", group)
        if uid is not None and gid is not None and os.geteuid() == 0:
            os.chown(path, uid, gid)

    def _id(self, table: str, name: str) -> int | None:
        try:
            lines = (self.root / "etc" / table).read_text(encoding="utf-8").splitlines()
        except OSError:
            return None
        rows = [row for line in lines if len(row := line.split(":")) > 2 and row[0] == name]
        return next((int(row[2]) for row in rows if row[2].isdecimal()), None)


# ---- the network


def read(raw: Mapping[str, Any], source: str) -> Network:
    """What a document says. Raises `ConfigError`."""
    faults = Faults(source)
    network = inventory.parse(Fields(raw, "", faults))
    faults.stop()
    return network


def check(basics: Basics) -> None:
    """Raises `SetupError` where an answer is none."""
    for node in basics.nodes:
        if not NAME.fullmatch(node):
            raise SetupError(_('"{name}": expected 1 to 48 of a-z, 0-9, hyphen and underscore', name=node))
    try:
        read(basics.document(), "network.yaml")
    except ConfigError as error:
        raise SetupError(fault_line(error.noted[0])) from None


def configure(place: Place, raw: dict[str, Any], source: str) -> tuple[Network, tuple[str, ...]]:
    """network.yaml, hub.yaml and the hub's own secrets; the names of secrets that are still wanted. Raises
    `ConfigError`."""
    network = read(raw, source)
    if network.hub.address is None:
        where = Phrase("word.where_monitors")
        raise ConfigError([fault(f"{source}: hub.address", "fault.missing", wanted=where)])
    machine = installed.Machine(
        name=installed.HUB, title=network.title, site=None, shell=Shell(host=installed.HUB), hub=True
    )
    given = installed.files(network, raw, machine)
    place.folder(place.etc, 0o750, group="ayni")
    place.folder(place.etc / "secrets", 0o700)
    for name in ("network.yaml", "hub.yaml"):
        if name == "hub.yaml" and (place.etc / name).is_file():
            continue  # whoever lives there may have added to it
        text = yamlwrite.dump(given.documents[name], comment=_ABOUT)
        place.write(place.etc / name, text, 0o640, group="ayni")
    for account in ACCOUNTS:
        path = place.etc / "secrets" / account
        if not path.is_file():
            files.keep_secret(path)
            place.written.append(path)
    wanted = (name for name in given.credentials if not (place.etc / "secrets" / name).is_file())
    return network, tuple(wanted)


# ---- the broker


def has_certificate(place: Place) -> bool:
    """Whether the broker has one, and its key."""
    return (place.broker / "server.crt").is_file() and (place.broker / "server.key").is_file()


def install_certificate(place: Place, certificate: str, key: str, ca: str) -> None:
    """The broker's certificate and key, and what vouches for it. Raises `SetupError` where they do not belong
    together."""
    place.folder(place.broker, 0o750, group="mosquitto")
    place.write(place.broker / "server.key", key, 0o640, group="mosquitto")
    place.write(place.broker / "server.crt", certificate, 0o644, group="mosquitto")
    place.write(place.etc / "ca.crt", ca, 0o644, group="ayni")
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(place.broker / "server.crt", place.broker / "server.key")
    except (ssl.SSLError, OSError) as error:
        for name in ("server.crt", "server.key"):
            (place.broker / name).unlink(missing_ok=True)
        raise SetupError(_("certificate and key do not belong together: {problem}", problem=error)) from None


def install_broker(place: Place) -> None:
    """The broker's configuration, and the accounts that it starts with. Raises `SetupError`."""
    source = next((path for path in _BROKER_FILES if path.is_file()), None)
    if source is None:
        raise SetupError(_("{path}: is missing; install Ayni again", path=_BROKER_FILES[0]))
    folder = place.root / "etc/mosquitto/conf.d"
    place.folder(folder, 0o755)
    place.write(folder / "ayni.conf", source.read_text(encoding="utf-8"), 0o644)
    state = place.root / "var/lib/mosquitto"
    place.folder(state, 0o700, "mosquitto", "mosquitto")
    path = state / "ayni-accounts.json"
    if path.is_file():
        return
    secrets = place.etc / "secrets"
    passwords = {name: (secrets / name).read_text(encoding="utf-8").strip() for name in ACCOUNTS}
    extra = {name: rights(name) for name in ACCOUNTS}
    document = accounts.dynamic_security(passwords, {}, extra=extra)
    place.write(path, accounts.as_text(document), 0o600, "mosquitto", "mosquitto")


Ask = Callable[[str], str]
