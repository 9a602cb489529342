"""A machine that was invited is made a node: it is given its configuration, the authority and a password.

The invitation's secret is the password of an account `e-NODE` that can do nothing but ask for this node. It
ends when the machine says that it has kept what it was given, or when its time is over.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable
from pathlib import Path

from ayni_core import account_plan, installed
from ayni_core.inventory import Network
from ayni_core.machines import Shell
from ayni_core.message import Message
from ayni_core.schema import ConfigError
from ayni_core.wire import topics
from ayni_core.wire.keys import Enrol, Welcome
from ayni_core.wire.shape import unpack
from ayni_hub.keys.record import Record, RecordError
from ayni_io import clock, yamlfile, yamlwrite
from ayni_io.control import Control, ControlError
from ayni_io.rulebook import load_rules, read_network
from ayni_io.secret import Secret

log = logging.getLogger("keeper")
_ABOUT = "Written by `ayni agent enrol` from the central's network.yaml."


class Enrolling:
    """`network` is the inventory's file, read anew for each machine; `ca` that of the authority."""

    def __init__(
        self,
        control: Control,
        record: Record,
        *,
        hub: str,
        network: Path,
        ca: Path,
        now: Callable[[], float] = clock.wall_s,
    ) -> None:
        self._control = control
        self._record = record
        self._hub, self._network, self._ca = hub, network, ca
        self._now = now

    async def answer(self, node: str, payload: bytes) -> Welcome:
        """What to say to `enrol/NODE`. Raises `WireError`."""
        ask = unpack(Enrol, payload)
        try:
            return await self._answer(node, ask)
        except (ControlError, RecordError) as error:
            log.error("enrolling failed node=%s cause=%s", node, error)
            return _no(ask, "enrol.failed", cause=str(error)[:200])

    async def _answer(self, node: str, ask: Enrol) -> Welcome:
        invitation = (await asyncio.to_thread(self._record.read)).invited.get(node)
        if invitation is None:
            return _no(ask, "enrol.not_invited", node=node)
        if self._now() > invitation.until:
            return _no(ask, "enrol.too_late", node=node)
        if ask.done:
            return Welcome(id=ask.id, hub=self._hub, done=True)
        try:
            agent, ca = await asyncio.to_thread(self._prepare, node)
        except KeyError:
            return _no(ask, "enrol.unknown_node", node=node)
        except ConfigError as error:
            return _no(ask, "enrol.failed", cause=error.faults[0][:200])
        except OSError as error:
            return _no(ask, "enrol.failed", cause=f"{self._ca}: {error.strerror}")
        password = secrets.token_urlsafe(24)
        await self._give(f"n-{node}", Secret(password))
        await asyncio.to_thread(self._record.finish, node, self._now())
        log.info("enrolling node=%s", node)
        return Welcome(id=ask.id, password=password, agent=agent, ca=ca, hub=self._hub)

    async def _give(self, account: str, password: Secret) -> None:
        """The node's account with this password, whether it was there or not."""
        broker = await self._control.look()
        if account in broker.accounts:
            await self._control.set_password(account, password)
            return
        step = account_plan.creation(account, topics.rights(account), known=account in broker.roles)
        await self._control.ask(*step.with_password(password.reveal()))

    def _prepare(self, node: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        network: Network = read_network(self._network, load_rules())
        raw = yamlfile.document(self._network)
        found = network.nodes[node]
        machine = installed.Machine(
            name=node, title=found.title, site=found.site, shell=Shell(host=node), node=node
        )
        document = installed.files(network, raw, machine).documents["agent.yaml"]
        agent = yamlwrite.dump(document, comment=_ABOUT)
        return tuple(agent.splitlines()), tuple(self._ca.read_text(encoding="ascii").splitlines())

    async def end(self, node: str) -> bool:
        """Nobody may become this node any more; whether somebody could."""
        was = await asyncio.to_thread(self._record.uninvite, node)
        await self.sweep()
        return was

    async def sweep(self) -> None:
        """Take away every account of an invitation that is over."""
        broker = await self._control.look()
        invited = (await asyncio.to_thread(self._record.read)).invited  # noted before the account is made
        names = {name for name in (*broker.accounts, *broker.roles) if name.startswith("e-")}
        left = sorted(name for name in names if account_plan.OURS.fullmatch(name) and name[2:] not in invited)
        for name in left:
            await self._control.ask(*account_plan.removal(name, broker))


def _no(ask: Enrol, context: str, **values: str) -> Welcome:
    return Welcome(id=ask.id, error=Message(context, values))
