"""Becoming a node: find the broker of an invitation, ask there for what a node needs, keep it.

Written in this order, each file whole or not at all: the password, the authority, agent.yaml. Until the last
is there this machine is no node; whoever is cut off before asks again with the same invitation.
"""

from __future__ import annotations

import asyncio
import contextlib
import grp
import os
import re
import secrets
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ayni_agent import config as agent_config
from ayni_core.address import split_address
from ayni_core.invitation import Invitation
from ayni_core.machines import TLS_PORT
from ayni_core.schema import ConfigError
from ayni_core.wire import WireError, topics
from ayni_core.wire.keys import LONGEST_PASSWORD, Enrol, Welcome
from ayni_core.wire.shape import pack, unpack
from ayni_io import broker_look, files, yamlfile
from ayni_io.broker_look import LookError
from ayni_io.control import ControlError, connected
from ayni_io.i18n import _, fault_line, say
from ayni_io.mqtt import BrokerConfig, MqttClient, MqttError
from ayni_io.secret import Secret

AGENT, AUTHORITY, SECRETS = "agent.yaml", "ca.crt", "secrets"
_ANSWERS_WITHIN_S = 30.0
_GROUP = "ayni"
_CREDENTIAL = re.compile(r"\bcredential:([A-Za-z0-9_.@-]+)")


class EnrolError(Exception):
    """Why this machine did not become a node, in a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The files that were written, and the names of secrets that agent.yaml refers to and nobody gave."""

    written: tuple[Path, ...]
    wanted: tuple[str, ...]


def check_free(folder: Path, node: str, *, replace: bool) -> None:
    """That files may be written there. Raises `EnrolError`; nothing is asked of anybody before."""
    try:
        there = (folder / AGENT).exists()
        if not there:
            _make_folders(folder)
        if not os.access(folder / SECRETS if not there else folder, os.W_OK):
            raise PermissionError(13, "Permission denied")
    except OSError as error:
        why = error.strerror or "?"
        raise EnrolError(
            _("{path}: cannot be written: {problem}; try with sudo", path=folder, problem=why)
        ) from None
    if there and not replace:
        path = folder / AGENT
        raise EnrolError(
            _("{path} is there already; with --replace this machine becomes {node}", path=path, node=node)
        )


def find(wanted: Invitation) -> tuple[str, str]:
    """The first address where the broker of the invitation answers, and its certificate. Raises
    `EnrolError`."""
    problem = ""
    for address in wanted.addresses:
        host, port = split_address(address, usual=TLS_PORT)
        try:
            seen = broker_look.certificate(host, port)
        except LookError as error:
            problem = problem or str(error)
            continue
        if seen.fingerprint == wanted.fingerprint:
            return address, seen.pem
        problem = _(
            "who answers at {address} is not the broker that invited, or has another certificate since: it "
            "shows {fingerprint}; make another invitation if that is right",
            address=address, fingerprint=seen.fingerprint,
        )  # fmt: skip
    raise EnrolError(problem)


async def enrol(wanted: Invitation, where: str, pem: str, keep: Callable[[Welcome], Kept]) -> Kept:
    """Ask at an address, keep what is given, and say so. Raises `EnrolError`."""
    host, port = split_address(where, usual=TLS_PORT)
    with tempfile.NamedTemporaryFile("w", suffix=".pem", encoding="ascii") as file:
        file.write(pem)
        file.flush()
        broker = BrokerConfig(
            host=host, port=port, ca=Path(file.name), exact=True,
            username=wanted.account, password=Secret(wanted.password),
        )  # fmt: skip
        # the certificate itself was compared; this machine's clock may say anything
        client = MqttClient(broker, wanted.account, clock_is_right=lambda: False)
        answers: asyncio.Queue[bytes] = asyncio.Queue(10)
        client.on_message = lambda _topic, payload, _kept: _put(answers, payload)
        client.subscribe(topics.welcome(wanted.node))
        try:
            async with connected(client):
                welcome = await _ask(client, wanted.node, answers)
                _check(welcome, wanted.node)
                await asyncio.to_thread(_proves, host, port, welcome)
                kept = await asyncio.to_thread(keep, welcome)
                with contextlib.suppress(EnrolError):  # it is ours either way; the invitation ends by itself
                    await _ask(client, wanted.node, answers, done=True)
                return kept
        except ControlError as error:
            if client.trouble is not None and client.trouble.why == "password":
                raise EnrolError(
                    _("the central does not know this invitation: it was used, has expired, or was ended; "
                      "make another one there: ayni hub invite {node}", node=wanted.node)
                ) from None  # fmt: skip
            raise EnrolError(str(error)) from None


def _put(answers: asyncio.Queue[bytes], payload: bytes) -> None:
    with contextlib.suppress(asyncio.QueueFull):
        answers.put_nowait(payload)


async def _ask(
    client: MqttClient, node: str, answers: asyncio.Queue[bytes], *, done: bool = False
) -> Welcome:
    """The central's answer. Raises `EnrolError`."""
    ask = Enrol(id=secrets.token_hex(8), done=done)
    try:
        if not await client.publish(topics.enrol(node), pack(ask)):
            raise EnrolError(
                _("the broker is there, but no central that takes new monitors: is it running, and has its "
                  "hub.yaml a section accounts?")
            )  # fmt: skip
        async with asyncio.timeout(_ANSWERS_WITHIN_S):
            while True:
                welcome = unpack(Welcome, await answers.get())
                if welcome.id == ask.id:
                    break
    except TimeoutError:
        raise EnrolError(_("the central does not answer; try again with the same invitation")) from None
    except MqttError as error:
        raise EnrolError(str(error)) from None
    except WireError as error:
        raise EnrolError(_("the central's answer makes no sense: {problem}", problem=error)) from None
    if welcome.error is not None:
        raise EnrolError(say(welcome.error))
    return welcome


def _check(welcome: Welcome, node: str) -> None:
    """What the central sent is what this node needs. Raises `EnrolError`."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / AGENT
            path.write_text(_text(welcome.agent), encoding="utf-8")
            config = yamlfile.read(path, agent_config.parse)
    except ConfigError as error:
        why = fault_line(error.noted[0])
        raise EnrolError(_("the central's answer makes no sense: {problem}", problem=why)) from None
    if config.node != node or not 0 < len(welcome.password) <= LONGEST_PASSWORD:
        raise EnrolError(_("the central's answer is for another monitor"))


def _proves(host: str, port: int, welcome: Welcome) -> None:
    """With the authority that was sent this node will trust the broker it is talking to. Raises
    `EnrolError`."""
    with tempfile.NamedTemporaryFile("w", suffix=".pem", encoding="ascii") as file:
        file.write(_text(welcome.ca))
        file.flush()
        try:
            broker_look.proves(host, port, Path(file.name), check_time=False)
        except (LookError, ValueError) as error:
            raise EnrolError(
                _(
                    "the authority that the central sent does not vouch for its broker: {problem}",
                    problem=error,
                )
            ) from None


def keep(folder: Path, node: str, welcome: Welcome) -> Kept:
    """Write what was given. Raises `EnrolError`."""
    places = (
        (folder / SECRETS / f"n-{node}", f"{welcome.password}\n", 0o600),
        (folder / AUTHORITY, _text(welcome.ca), 0o640),
        (folder / AGENT, _text(welcome.agent), 0o640),
    )
    try:
        _make_folders(folder)
        for path, text, mode in places:
            files.write_durably(path, text, mode=mode)
            if mode != 0o600:
                _for_the_service(path)
    except OSError as error:
        raise EnrolError(f"{folder}: {error.strerror}") from None
    named = sorted({name for line in welcome.agent for name in _CREDENTIAL.findall(line)})
    wanted = tuple(name for name in named if not (folder / SECRETS / name).is_file())
    return Kept(written=tuple(path for path, _text, _mode in places), wanted=wanted)


def _make_folders(folder: Path) -> None:
    for path, mode in ((folder, 0o750), (folder / SECRETS, 0o700)):
        if not path.is_dir():
            path.mkdir(parents=True, mode=mode)
            path.chmod(mode)
            if mode == 0o750:
                _for_the_service(path)


def _for_the_service(path: Path) -> None:
    """Root's, and the service may read it, where there is one."""
    if os.geteuid() == 0:
        with contextlib.suppress(KeyError):
            os.chown(path, 0, grp.getgrnam(_GROUP).gr_gid)


def _text(lines: tuple[str, ...]) -> str:
    return "".join(f"{line}\n" for line in lines)
