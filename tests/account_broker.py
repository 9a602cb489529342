"""A real Mosquitto whose accounts are changed while it runs: on loopback, and over TLS."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import parts
import pytest

from ayni_io import accounts, broker, files
from ayni_io.mqtt import BrokerConfig, MqttClient
from ayni_io.secret import Secret


class AccountBroker:
    """Mosquitto with the accounts of a document; it may be stopped and started again."""

    def __init__(
        self,
        folder: Path,
        roles: dict[str, str],
        *,
        tls: bool = False,
        later_s: float = 0.0,
        extra: Any = None,
    ) -> None:
        """`later_s`: the certificate was made so much later than it is now, for who has a wrong clock."""
        parts.need("mosquitto")
        program = broker.find_mosquitto()
        assert program is not None, "Mosquitto is there, but not its dynamic-security plugin"
        folder.mkdir(mode=0o700, exist_ok=True)
        self.folder = folder
        self.port, self.tls_port = broker.free_port(), broker.free_port()
        self.ca = folder / "ca.crt"
        self.passwords = accounts.prepare({**roles, **(extra or {})}, folder / "secrets")
        self.document = folder / "accounts.json"
        accounts.write(self.document, accounts.dynamic_security(self.passwords, roles, extra=extra))
        text = broker.configuration(program, port=self.port, accounts=self.document, data_dir=folder)
        if tls:
            text += self._tls(time.time() + later_s)
        self.config_file = folder / "mosquitto.conf"
        files.write_text(self.config_file, text, mode=0o600)
        self._command = [str(program.program), "-c", str(self.config_file)]
        self._running = contextlib.ExitStack()

    def _tls(self, now: float) -> str:
        pytest.importorskip("cryptography")
        from ayni_hub.pki import authority

        made = authority.make("Test", now, "t1")
        certificate, key = authority.issue(made, ["localhost", "127.0.0.1"], now)
        files.write_text(self.ca, authority.to_pem(made.certificate))
        files.write_text(self.folder / "server.crt", authority.to_pem(certificate))
        files.write_text(self.folder / "server.key", authority.key_to_pem(key), mode=0o600)
        return (
            f"listener {self.tls_port} 127.0.0.1\nsocket_domain ipv4\n"
            f"certfile {self.folder}/server.crt\nkeyfile {self.folder}/server.key\n"
        )

    def start(self) -> None:
        """Start it, and wait until it listens."""
        self._running.enter_context(parts.running(self._command, self.folder / "broker.log"))
        parts.wait_until(lambda: self._listens(), "broker up")

    def stop(self) -> None:
        """End it; what it saved stays."""
        self._running.close()

    def _listens(self) -> bool:
        with contextlib.suppress(OSError):
            import socket

            with socket.create_connection(("127.0.0.1", self.port), 1):
                return True
        return False

    def config(self, account: str, password: str | None = None, *, tls: bool = False) -> BrokerConfig:
        """How to connect as an account."""
        secret = Secret(password if password is not None else self.passwords[account])
        if tls:
            return BrokerConfig(
                host="localhost", port=self.tls_port, ca=self.ca, username=account, password=secret
            )
        return BrokerConfig(port=self.port, username=account, password=secret)

    def takes(self, account: str, password: str) -> bool:
        """Whether the broker takes this password now."""
        return broker.accepts("127.0.0.1", self.port, account, password)

    def kept(self) -> dict[str, Any]:
        """What the broker wrote down; it may be writing just now, and does that in place."""
        for _ in range(100):
            with contextlib.suppress(ValueError):
                found: dict[str, Any] = json.loads(self.document.read_text())
                return found
            time.sleep(0.02)
        pytest.fail(f"{self.document}: no JSON")


@contextlib.contextmanager
def running(folder: Path, roles: dict[str, str], **options: Any) -> Iterator[AccountBroker]:
    """One that runs, and is ended on leaving."""
    it = AccountBroker(folder, roles, **options)
    it.start()
    try:
        yield it
    finally:
        it.stop()


class Ear(MqttClient):
    """A client that keeps what it hears, and how often it came and went."""

    def __init__(self, config: BrokerConfig, *filters: str, name: str = "") -> None:
        super().__init__(config, name or f"ear-{config.username}", clock_is_right=lambda: True)
        self.heard: list[tuple[str, bytes, bool]] = []
        self.ups, self.downs = 0, list[str]()
        self.on_connect = self._up
        self.on_disconnect = self.downs.append
        self.on_message = lambda *message: self.heard.append(message)
        self.subscribe(*filters)

    def _up(self) -> None:
        self.ups += 1


@contextlib.asynccontextmanager
async def listening(config: BrokerConfig, *filters: str, name: str = "") -> AsyncIterator[Ear]:
    """An ear that is connected."""
    ear = Ear(config, *filters, name=name)
    task = asyncio.create_task(ear.run())
    try:
        await until(lambda: ear.connected, "connected")
        yield ear
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(ready: Any, what: str, within_s: float = 30.0) -> None:
    """Wait in the loop; fails the test after `within_s`."""
    end = time.monotonic() + within_s
    while not ready():
        if time.monotonic() > end:
            pytest.fail(f"{what}: not within {within_s:g} s")
        await asyncio.sleep(0.01)
