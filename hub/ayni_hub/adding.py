"""Adding a device to network.yaml: its entry, who asks it, and the secrets that the entry refers to."""

from __future__ import annotations

import contextlib
import getpass
import sys
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ayni_core.ber import encode_oid
from ayni_core.fault import UnfitError, fault
from ayni_core.inventory import split_address
from ayni_core.schema import ConfigError
from ayni_core.slug import slug
from ayni_core.snmpaccess import VERSIONS
from ayni_hub.grow import Growing
from ayni_io import files, secret, snmp_options
from ayni_io.i18n import _
from ayni_io.secret import Secret
from ayni_io.snmp import load_engine, open_session
from ayni_io.snmp_access import Access, of_user

_SYS_UPTIME = encode_oid("1.3.6.1.2.1.1.3.0")
_ENDINGS = {"community": "", "auth": "-auth", "priv": "-priv"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Who asks. `secrets`: by key of a device's entry, the protocol ("" for a community) and the value."""

    access: Access
    user: str = ""
    secrets: Mapping[str, tuple[str, Secret]] = field(default_factory=dict)

    @staticmethod
    def community(version: str, value: str) -> Credentials:
        """Of version "1" or "2c"."""
        access = Access(version=version, community=value.encode("utf-8"))
        return Credentials(access=access, secrets={"community": ("", Secret(value))})

    @staticmethod
    def of_user(user: str, auth: tuple[str, Secret] | None, priv: tuple[str, Secret] | None) -> Credentials:
        """Of version 3. `ModuleNotFoundError` where what encrypts is not installed."""
        load_engine("fast", encrypted=priv is not None)
        secrets = {key: found for key, found in (("auth", auth), ("priv", priv)) if found is not None}
        return Credentials(access=of_user(user, auth, priv), user=user, secrets=secrets)

    def _path(self, folder: Path, name: str, key: str) -> Path:
        return folder / "secrets" / f"snmp-{name}{_ENDINGS[key]}"

    def entry(self, folder: Path, name: str) -> dict[str, Any]:
        """What a device's entry says of it: references only."""
        result: dict[str, Any] = {}
        if self.access.version != VERSIONS[0]:
            result["version"] = self.access.version
        if self.user:
            result["user"] = self.user
        for key, (protocol, _value) in self.secrets.items():
            reference = f"file:{self._path(folder, name, key)}"
            result[key] = {"protocol": protocol, "password": reference} if protocol else reference
        return result

    def keep(self, folder: Path, name: str) -> None:
        """Write the secrets down where the entry refers to, for the owner only."""
        (folder / "secrets").mkdir(exist_ok=True, mode=0o700)
        for key, (_protocol, value) in self.secrets.items():
            files.write_secret(self._path(folder, name, key), value.reveal())


def from_options(options: Namespace, *, ask: bool) -> Credentials:
    """Who asks, by the options of a command; a missing community is asked for where `ask`, else it is
    "public". Raises `ConfigError`.
    """
    user, auth, priv = snmp_options.read(options, pysnmp=False, plain=False)
    if options.version != "3":
        return Credentials.community(options.version, _community(options.community, ask=ask))
    if options.community is not None:
        raise ConfigError([_("--community: belongs to versions 1 and 2c; version 3 has --user")])
    return Credentials.of_user(user, auth, priv)


def add_device(
    change: Growing,
    folder: Path,
    credentials: Credentials,
    *,
    address: str,
    title: str | None = None,
    name: str | None = None,
    site: str | None = None,
    node: str | None = None,
    profile: str | None = None,
) -> str:
    """Add one device to a network under change, and keep its secrets; its name. Raises `ConfigError`.

    Secrets are written before the file that refers to them is: the caller saves the change.
    """
    host, _port = read_address(address)
    if (other := known_at(change, address)) is not None:
        raise ConfigError([_("{address} is there already: {name}", address=address, name=other)])
    fallback = "device-" + slug(host, "1")
    name = name or slug(title or fallback, fallback, change.network.devices)
    if name in change.network.devices:
        raise ConfigError([_('the name "{name}" is taken', name=name)])
    entry: dict[str, Any] = {
        "title": title or host,
        "site": change.site(site),
        "node": change.node(node),
        "address": address.strip(),
        **credentials.entry(folder, name),
    }
    if profile is not None:
        entry["profile"] = profile
    change.add("devices", name, entry)
    credentials.keep(folder, name)
    return name


def read_address(address: str) -> tuple[str, int]:
    """Host and port. Raises `ConfigError`."""
    try:
        return split_address(address)
    except UnfitError as error:
        raise ConfigError([fault("", error.what)]) from None


def known_at(change: Growing, address: str) -> str | None:
    """The name of the device that stands at an address already."""
    place = read_address(address)
    for other in change.network.devices.values():
        if (other.host, other.port) == place:
            return other.name
    return None


async def ask(host: str, port: int, access: Access, *, timeout_s: float = 2.0) -> None:
    """Read sysUpTime once. Raises `SnmpError`."""
    session = open_session(
        host,
        port,
        version=access.version,
        community=access.community,
        user=access.user,
        tries=1,
        timeout_s=timeout_s,
    )
    with contextlib.closing(session):
        await session.get([_SYS_UPTIME])


def _community(given: str | None, *, ask: bool) -> str:
    if given is None:
        if not ask:
            return "public"
        if not sys.stdin.isatty():
            raise ConfigError([_("--community: expected @FILE, or a terminal to ask for it")])
        return getpass.getpass(_("SNMP community (empty: public): ")).strip() or "public"
    if not given.startswith("@"):
        raise ConfigError(
            [_("--community: expected @FILE: on the command line every user of this machine could read it")]
        )
    return secret.from_file(Path(given[1:]), "--community").reveal()
