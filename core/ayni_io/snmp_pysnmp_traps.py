"""Traps and informs through pysnmp: octets in, what can be believed out. No socket, no clock of its own.

Theory of operation. A trap of SNMPv3 is protected with keys of the *sender's* engine, which nobody tells
beforehand: a user is set up for an engine when the first message names both, for addresses of our own devices
only, and for few engines of each. An inform is protected with keys of *our* engine; pysnmp answers the
sender's question for it, and acknowledges. What is weaker protected than its user is set up for is refused.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pysnmp.carrier.asyncio.dgram import udp
from pysnmp.entity import config
from pysnmp.entity.engine import SnmpEngine
from pysnmp.entity.rfc3413 import ntfrcv
from pysnmp.proto.rfc1902 import OctetString

from ayni_core.ber import oid_text
from ayni_core.convert import as_text
from ayni_core.snmp import SnmpDecodeError
from ayni_core.traps import Trap
from ayni_core.usm_keys import AUTH, AUTH_PRIV, NO_AUTH, UsmUser
from ayni_core.usm_message import parse_message
from ayni_io.snmp_pysnmp import varbind
from ayni_io.snmp_pysnmp_v3 import AUTH_PROTOCOLS, PRIV_PROTOCOLS, Wire

logging.getLogger("pysnmp").setLevel(logging.CRITICAL + 1)
_TRAP_OID = "1.3.6.1.6.3.1.1.4.1.0"
_UPTIME = "1.3.6.1.2.1.1.3.0"
_MOST_ENGINES = 4
"""Of one address: a device has one, and another after its reset."""
_MOST_BINDS = 64
_V3 = 3
_LEVEL = {1: NO_AUTH, 2: AUTH, 3: AUTH_PRIV}
"""pysnmp's numbers of the security levels, and ours."""

Send = Callable[[bytes, Any], None]


@dataclass(slots=True)
class _Sender:
    engines: set[tuple[bytes, bytes]] = field(default_factory=set)


class TrapEngine:
    """`send` takes what is to go back to an address. `communities` are those of all; users by their names."""

    def __init__(self, send: Send, communities: Sequence[bytes], users: Sequence[UsmUser]) -> None:
        self._engine = SnmpEngine()
        self._send = send
        self._engine.register_transport_dispatcher(_Answers(self._answer))
        self._users: dict[bytes, UsmUser] = {}
        self._senders: dict[str, _Sender] = {}
        self._found: Trap | None = None
        self._own: UsmUser | None = None
        self.answered = False
        """Whether the last datagram was answered: a question that comes before an inform."""
        for number, community in enumerate(dict.fromkeys(communities)):
            config.add_v1_system(self._engine, f"community-{number}", OctetString(community))
        for user in users:
            if user.name not in self._users:
                self._users[user.name] = user
                self._add(user, None)
        ntfrcv.NotificationReceiver(self._engine, self._receive)

    def take(
        self, datagram: bytes, address: tuple[str, int], now_s: float, own: UsmUser | None = None
    ) -> Trap | None:
        """The trap in a datagram; None for all that cannot be believed. `own`: the user of that device."""
        self._found, self.answered, self._own = None, False, own
        try:
            self._learn(datagram, address[0], own)
            self._engine.transport_dispatcher.handle_timer_tick(now_s)
            self._engine.message_dispatcher.receive_message(
                self._engine, udp.DOMAIN_NAME, udp.UdpTransportAddress(address), datagram
            )
        except Exception:  # on hostile octets pysnmp fails in many ways, and none of them is news
            return None
        found, self._found = self._found, None
        return found

    def _answer(self, octets: bytes, address: Any) -> None:
        self.answered = True
        self._send(octets, address)

    def _learn(self, datagram: bytes, host: str, own: UsmUser | None) -> None:
        """Set a user up for the engine that a message of SNMPv3 names."""
        try:
            message = parse_message(datagram)
        except SnmpDecodeError:
            return
        user = own if own is not None and own.name == message.user else self._users.get(message.user)
        sender = self._senders.setdefault(host, _Sender())
        key = (message.engine, message.user)
        if user is None or not 5 <= len(message.engine) <= 32 or key in sender.engines:
            return
        if message.engine == bytes(self._engine.snmpEngineID) or len(sender.engines) >= _MOST_ENGINES:
            return
        sender.engines.add(key)
        self._add(user, message.engine)

    def _add(self, user: UsmUser, engine: bytes | None) -> None:
        config.add_v3_user(
            self._engine,
            user.name.decode("utf-8"),
            AUTH_PROTOCOLS[user.auth],
            user.auth_password.decode("utf-8") or None,
            PRIV_PROTOCOLS[user.priv],
            user.priv_password.decode("utf-8") or None,
            securityEngineId=None if engine is None else OctetString(engine),
        )

    def _receive(
        self, engine: Any, _reference: Any, _engine_id: Any, _context: Any, binds: Any, _more: Any
    ) -> None:
        about = engine.observer.get_execution_context("rfc3412.receiveMessage:request")
        if int(about["securityModel"]) == _V3:
            name = str(about["securityName"]).encode("utf-8")
            user = self._own if self._own is not None and self._own.name == name else self._users.get(name)
            if user is not None and _LEVEL.get(int(about["securityLevel"]), NO_AUTH) < user.level:
                return
        plain: list[tuple[str, str]] = []
        trap_oid = ""
        for name, value in list(binds)[:_MOST_BINDS]:
            oid, tag, raw = varbind(name, value)
            text = as_text(tag, raw)
            if (key := oid_text(oid)) == _TRAP_OID:
                trap_oid = text
            elif key != _UPTIME:
                plain.append((key, text[:255]))
        if trap_oid:
            self._found = Trap(oid=trap_oid, binds=tuple(plain))


class _Answers(Wire):
    """Reports and acknowledgements go back to where the message came from."""

    def __init__(self, send: Send) -> None:
        super().__init__(lambda _octets: None)
        self._answer = send

    def send_message(self, message: Any, domain: object, address: Any) -> None:
        """What the engine wants to go out."""
        self._answer(bytes(message), address)
