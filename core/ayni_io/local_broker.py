"""The broker of a network that lives on one machine: accounts, configuration, the right port, started."""

from __future__ import annotations

import asyncio
import importlib.util
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ayni_core.wire.topics import Rights
from ayni_io import accounts, broker, files
from ayni_io.broker import Mosquitto
from ayni_io.i18n import _
from ayni_io.mqtt import BrokerConfig
from ayni_io.secret import Secret
from ayni_io.stack import Part, Stack, StackError, ayni

NAME = "broker"
KINDS = ("mosquitto", "embedded")
_ACCOUNTS = "accounts.json"
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalBroker:
    """A broker that runs: what and where it is, which MQTT it speaks, and where its passwords are."""

    kind: str
    port: int
    protocol: str
    secrets: Path

    def config(self, account: str) -> BrokerConfig:
        """How to connect as one of its accounts."""
        password = Secret((self.secrets / account).read_text(encoding="utf-8").strip())
        return BrokerConfig(port=self.port, username=account, password=password, protocol=self.protocol)


def write_accounts(folder: Path, roles: Mapping[str, str], extra: Mapping[str, Rights] | None = None) -> bool:
    """Passwords in `secrets/` and the accounts file of a folder; hashes that fit stay as they are.

    `roles` has every account with its role, `extra` the rights of unusual ones. False: nothing changed."""
    passwords = accounts.prepare({**roles, **(extra or {})}, folder / "secrets")
    path = folder / _ACCOUNTS
    document = accounts.dynamic_security(passwords, roles, extra=extra, known=accounts.read(path))
    return accounts.write(path, document)


def mosquitto_part(folder: Path, program: Mosquitto, port: int, account: str) -> Part:
    """Mosquitto on a port, its configuration written; ready when it takes `account`."""
    data_dir = folder / "broker"
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    config = data_dir / "mosquitto.conf"
    text = broker.configuration(program, port=port, accounts=folder / _ACCOUNTS, data_dir=data_dir)
    files.write_text(config, text, mode=0o600)
    return _part(folder, (str(program.program), "-c", str(config)), port, account)


def embedded_part(folder: Path, port: int, account: str) -> Part:
    """The lab's broker in pure Python on a port; it takes the same accounts file."""
    argv = ayni("lab", "broker", "--port", str(port), "--accounts", str(folder / _ACCOUNTS))
    return _part(folder, argv, port, account)


async def start(
    stack: Stack, account: str, *, wanted: str = "auto", preferred: int | None = None
) -> LocalBroker:
    """Start a broker for the accounts in the stack's folder, on `preferred` or whichever port is free.

    `wanted` is one of KINDS or `auto`: Mosquitto where it is installed. Raises `StackError`. A port may be
    taken between the choice and the start: then the next one is tried.
    """
    mosquitto = broker.find_mosquitto() if wanted != "embedded" else None
    if mosquitto is None and wanted == "mosquitto":
        raise StackError(_("Mosquitto is not installed: sudo apt install mosquitto"))
    if mosquitto is None and importlib.util.find_spec("amqtt") is None:
        raise StackError(
            _('no broker: install Mosquitto (sudo apt install mosquitto) or pip install "ayni[lab]"')
        )
    for attempt in range(_ATTEMPTS):
        port = preferred if preferred and attempt == 0 and _is_free(preferred) else broker.free_port()
        if mosquitto is not None:
            part = mosquitto_part(stack.folder, mosquitto, port, account)
        else:
            part = embedded_part(stack.folder, port, account)
        try:
            await stack.start(part)
        except StackError:
            await stack.end(NAME)
            if attempt == _ATTEMPTS - 1 or _is_free(port):
                raise  # the port was not what kept it from starting
        else:
            kind, protocol = ("mosquitto", "5") if mosquitto is not None else ("embedded", "3.1.1")
            return LocalBroker(kind=kind, port=port, protocol=protocol, secrets=stack.folder / "secrets")
    raise AssertionError("unreachable")


def _part(folder: Path, argv: tuple[str, ...], port: int, account: str) -> Part:
    password = (folder / "secrets" / account).read_text(encoding="utf-8").strip()

    async def ready() -> bool:
        return await asyncio.to_thread(broker.accepts, "127.0.0.1", port, account, password)

    return Part(name=NAME, argv=argv, rank=0, ready=ready, ready_within_s=15.0)


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
