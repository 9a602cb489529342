"""`ayni tap`: read along on the broker, decoded. Exit status: 0 it was shown; 1 no way to the broker."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import secrets
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from ayni_core.fault import UnfitError, fault
from ayni_core.schema import ConfigError
from ayni_core.wire import topics
from ayni_hub import config as hub_config
from ayni_hub import home, tap_view
from ayni_io import secret
from ayni_io.i18n import _
from ayni_io.mqtt import DEFAULT_PORT, DEFAULT_TLS_PORT, PROTOCOLS, BrokerConfig, MqttClient, broker_address
from ayni_io.process import run_until_stopped
from ayni_io.secret import Secret
from ayni_io.usage import Parser

_CONNECTS_WITHIN_S = 15.0


def parser() -> argparse.ArgumentParser:
    """The options of `ayni tap`."""
    made = Parser(
        prog="ayni tap",
        description=_("Show what travels between the parts, one block a message."),
        epilog=_("A hub's account hears everything; a person's what people may hear."),
    )
    made.add_argument(
        "topics", metavar="TOPIC", nargs="*", help=_("such as 'in/#' or 'state/+'; without one: all of them")
    )
    made.add_argument("--config", type=Path, metavar="FILE", help=_("a hub.yaml: read along as this hub"))
    made.add_argument("--broker", metavar="HOST[:PORT]", help=_("where the broker is"))
    made.add_argument("--user", metavar="NAME", help=_("your name in network.yaml"))
    made.add_argument(
        "--password-file",
        metavar="FILE",
        type=Path,
        help=_("file with your password; else AYNI_PASSWORD is read"),
    )
    made.add_argument(
        "--ca", metavar="FILE", type=Path, help=_("certificate of the network's own authority: use TLS")
    )
    made.add_argument("--mqtt", choices=sorted(PROTOCOLS), default="5", help=_("version of MQTT"))
    form = made.add_mutually_exclusive_group()
    form.add_argument("--raw", action="store_true", help=_("topic and bytes, not decoded"))
    form.add_argument("--json", action="store_true", help=_("one JSON object a message"))
    form.add_argument("--verbose", action="store_true", help=_("every reading of a frame, every field"))
    made.add_argument("--count", type=int, metavar="N", help=_("end after so many messages"))
    made.add_argument("--for", dest="for_s", type=float, metavar="S", help=_("end after so many seconds"))
    return made


def main(argv: Sequence[str]) -> int:
    """Show messages until there were enough, or until Ctrl+C."""
    command = parser()
    arguments = command.parse_args(argv)
    if arguments.count is not None and arguments.count < 1:
        command.error(_("--count: at least 1"))
    broker = broker_of(arguments)
    filters: list[str] = []
    for wanted in arguments.topics or ["#"]:
        found = audible(_full(wanted), _allowed(broker.username))
        filters += found
        if not found:
            account = broker.username
            print(_("{topic}: the account {account} does not hear this", topic=wanted, account=account),
                  file=sys.stderr)  # fmt: skip
    return run_until_stopped(_Tap(broker, filters, arguments).run()) if filters else 2


def audible(wanted: str, rights: Sequence[str]) -> list[str]:
    """What an account may ask for of what is wanted: a broker serves no filter that is wider than a right."""
    if not rights or any(covers(right, wanted) for right in rights):
        return [wanted]
    return [right for right in rights if covers(wanted, right)]


def covers(right: str, wanted: str) -> bool:
    """Whether a topic filter hears everything that another one does."""
    own, other = right.split("/"), wanted.split("/")
    for i, word in enumerate(own):
        if word == "#":
            return True
        if i >= len(other) or other[i] == "#" or (word != "+" and word != other[i]):
            return False
    return len(own) == len(other)


def _full(topic: str) -> str:
    if topic.split("/")[:2] == topics.PREFIX.split("/"):
        return topic
    return f"{topics.PREFIX}/{topic.strip('/')}"


def _allowed(account: str | None) -> tuple[str, ...]:
    if account is None:
        return ()
    try:
        return topics.rights(account, "trainer").subscribe
    except ValueError:
        return ()


def broker_of(arguments: argparse.Namespace) -> BrokerConfig:
    """As the hub of a hub.yaml; else as a person; else as the hub that `ayni start` runs on this machine.
    Raises `ConfigError`."""
    config = arguments.config
    own = home.default_folder() / "hub.yaml"
    if config is None and arguments.broker is None and arguments.user is None and own.is_file():
        config = own
    if config is not None:
        return hub_config.load(config).broker.resolve(str(config))
    try:
        host, port = broker_address(
            arguments.broker or "127.0.0.1", DEFAULT_TLS_PORT if arguments.ca else DEFAULT_PORT
        )
    except UnfitError as error:
        raise ConfigError([fault("--broker", error.what)]) from None
    password: Secret | None = None
    if arguments.password_file:
        password = secret.from_file(arguments.password_file, "--password-file")
    elif os.environ.get("AYNI_PASSWORD"):
        password = Secret(os.environ["AYNI_PASSWORD"])
    if arguments.ca and not arguments.ca.is_file():
        raise ConfigError([fault(f"--ca: {arguments.ca}", "fault.no_file")])
    user = arguments.user and f"p-{str(arguments.user).removeprefix('p-')}"
    return BrokerConfig(
        host=host, port=port, username=user, password=password, ca=arguments.ca, protocol=arguments.mqtt
    )


class _Tap:
    """One connection that prints what it hears."""

    def __init__(self, broker: BrokerConfig, filters: Sequence[str], arguments: argparse.Namespace) -> None:
        self._arguments = arguments
        self._left = arguments.count
        self._up = False
        self._tried = asyncio.Event()
        self._enough = asyncio.Event()
        self._client = MqttClient(broker, f"tap-{secrets.token_hex(4)}")
        self._client.on_connect = self._connected
        self._client.on_disconnect = self._down
        self._client.on_message = self._hear
        self._client.subscribe(*filters)

    async def run(self) -> int:
        """The exit status."""
        running = asyncio.create_task(self._client.run())
        try:
            async with asyncio.timeout(_CONNECTS_WITHIN_S):
                await self._tried.wait()
            if self._up:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._arguments.for_s):
                        await self._enough.wait()
        except TimeoutError:
            self._down(_("the broker does not answer"))
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
        return 0 if self._up else 1

    def _connected(self) -> None:
        self._up = True
        self._tried.set()

    def _down(self, reason: str) -> None:
        print(f"ayni tap: {reason}", file=sys.stderr)
        self._tried.set()

    def _hear(self, topic: str, payload: bytes, retained: bool) -> None:
        if self._enough.is_set():
            return
        heard = tap_view.hear(topic, payload, time.time(), retained)
        try:
            try:
                self._show(heard)
            except RecursionError:  # JSON that is nested as deep as can be
                print(tap_view.raw(heard), flush=True)
        except BrokenPipeError:  # the reader went away, as `ayni tap | head` does
            self._enough.set()
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return
        if self._left is not None:
            self._left -= 1
            if self._left <= 0:
                self._enough.set()

    def _show(self, heard: tap_view.Heard) -> None:
        if self._arguments.raw:
            print(tap_view.raw(heard), flush=True)
        elif self._arguments.json:
            print(json.dumps(tap_view.as_json(heard), ensure_ascii=True), flush=True)
        else:
            shown = tap_view.lines(heard, verbose=self._arguments.verbose)
            print("\n".join(shown), end="\n\n", flush=True)
