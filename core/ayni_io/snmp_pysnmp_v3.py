"""pysnmp's own SNMPv3, for the second engine; with DES, which the fast path leaves out.

Theory of operation. pysnmp's engine makes messages, discovers, keeps time and checks what comes. It is given
neither a socket nor a clock: its dispatcher here hands the octets over and is told the time of the event
loop. A peer has one and the same address in it, whatever the real one is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pysnmp.carrier.asyncio.dgram import udp
from pysnmp.carrier.base import AbstractTransportDispatcher
from pysnmp.entity import config
from pysnmp.entity.engine import SnmpEngine
from pysnmp.entity.rfc3413.cmdgen import CommandGenerator
from pysnmp.proto import errind

from ayni_core.snmp import Denial, Refusal, SnmpDecodeError
from ayni_core.usm_keys import AUTH, AUTH_PRIV, NO_AUTH, UsmUser

_ADDRESS = ("127.0.0.1", 161)
AUTH_PROTOCOLS = {
    None: config.USM_AUTH_NONE,
    "MD5": config.USM_AUTH_HMAC96_MD5,
    "SHA": config.USM_AUTH_HMAC96_SHA,
    "SHA-224": config.USM_AUTH_HMAC128_SHA224,
    "SHA-256": config.USM_AUTH_HMAC192_SHA256,
    "SHA-384": config.USM_AUTH_HMAC256_SHA384,
    "SHA-512": config.USM_AUTH_HMAC384_SHA512,
}
PRIV_PROTOCOLS = {
    None: config.USM_PRIV_NONE,
    "DES": config.USM_PRIV_CBC56_DES,
    "AES": config.USM_PRIV_CFB128_AES,
    "AES-192": config.USM_PRIV_CFB192_AES_BLUMENTHAL,
    "AES-256": config.USM_PRIV_CFB256_AES_BLUMENTHAL,
    "AES-192-C": config.USM_PRIV_CFB192_AES,
    "AES-256-C": config.USM_PRIV_CFB256_AES,
}
_LEVELS = {NO_AUTH: "noAuthNoPriv", AUTH: "authNoPriv", AUTH_PRIV: "authPriv"}
_REFUSALS = (
    (errind.UnknownUserName, Refusal.USER, "the agent does not know the user"),
    (errind.WrongDigest, Refusal.AUTH, "wrong authentication password or protocol"),
    (errind.AuthenticationFailure, Refusal.AUTH, "wrong authentication password or protocol"),
    (errind.DecryptionError, Refusal.PRIV, "wrong privacy password or protocol"),
    (errind.UnsupportedSecurityLevel, Refusal.LEVEL, "the agent does not offer this level to the user"),
)

Answered = Callable[[Any], None]
"""Takes pysnmp's Response-PDU, or the SnmpDecodeError (a Denial often) that came instead."""


class Wire(AbstractTransportDispatcher):  # type: ignore[misc]
    """A dispatcher without transports: it hands over what is to be sent."""

    def __init__(self, send: Callable[[bytes], None]) -> None:
        super().__init__()
        self._send = send

    def get_transport(self, domain: object) -> object:
        """What knows the type of an address."""
        return udp.UdpTransport

    def send_message(self, message: Any, domain: object, address: object) -> None:
        """What the engine wants to go out."""
        self._send(bytes(message))


class PysnmpUser:
    """One user at one address. `send` takes each datagram that pysnmp wants to go out."""

    def __init__(self, user: UsmUser, send: Callable[[bytes], None], *, timeout_s: float) -> None:
        self._engine = SnmpEngine()
        self._wire = Wire(send)
        self._engine.register_transport_dispatcher(self._wire)
        self._generator = CommandGenerator()
        name = user.name.decode("utf-8")
        config.add_v3_user(
            self._engine,
            name,
            AUTH_PROTOCOLS[user.auth],
            user.auth_password.decode("utf-8") or None,
            PRIV_PROTOCOLS[user.priv],
            user.priv_password.decode("utf-8") or None,
        )
        config.add_target_parameters(self._engine, "user", name, _LEVELS[user.level])
        config.add_target_address(
            self._engine, "device", udp.DOMAIN_NAME, _ADDRESS, "user", timeout=timeout_s * 100, retryCount=0
        )

    def request(self, pdu: object, answered: Answered, now_s: float) -> None:
        """Send a PDU of pysnmp's; `answered` is called at most once, from `receive`, or here on failure."""
        self._wire.handle_timer_tick(now_s)

        def done(_engine: object, _handle: object, indication: object, response: object, _: object) -> None:
            if indication is None:
                answered(response)
            elif not isinstance(indication, errind.RequestTimedOut):
                answered(_refusal(indication))

        try:
            self._generator.send_pdu(self._engine, "device", None, "", pdu, done, None)
        except Exception as error:  # whatever it trips over, a device must not end the agent
            answered(SnmpDecodeError(f"pysnmp gives up with {type(error).__name__}"))

    def receive(self, datagram: bytes, now_s: float) -> None:
        """What came; SnmpDecodeError if pysnmp fails over it. What it does not believe, it drops."""
        self._wire.handle_timer_tick(now_s)
        try:
            self._engine.message_dispatcher.receive_message(self._engine, udp.DOMAIN_NAME, _ADDRESS, datagram)
        except Exception as error:  # as with `snmp_pysnmp`: hostile octets fail in many ways
            raise SnmpDecodeError(f"pysnmp gives up with {type(error).__name__}") from None


def _refusal(indication: object) -> SnmpDecodeError:
    for kind, why, text in _REFUSALS:
        if isinstance(indication, kind):
            return Denial(why, text)
    return Denial(Refusal.OTHER, f"pysnmp gives up with {type(indication).__name__}")
