"""What can go wrong with a device over SNMP, one class a cause, and the sentence for each."""

from __future__ import annotations

from collections.abc import Sequence

from ayni_core.ber import oid_text
from ayni_core.snmp import Denial, Refusal
from ayni_core.snmpread import BadAnswer


class SnmpError(Exception):
    """A device could not be read."""


class SnmpTimeout(SnmpError):  # noqa: N818
    """No answer: the device is dead or cut off, or the community is wrong (an agent is silent then)."""


class SnmpUnreachable(SnmpError):  # noqa: N818
    """The network of this machine says that nothing can be sent there, or the name has no address."""


class SnmpRefused(SnmpUnreachable):
    """The device is alive, but nothing listens on that port (ICMP port unreachable)."""


class SnmpProtocolError(SnmpError):
    """The agent answers, but not as the protocol has it."""


class SnmpDenied(SnmpError):  # noqa: N818
    """The agent is there and speaks SNMPv3, but not with this user."""


class SnmpUnknownUser(SnmpDenied):
    """It has no user of that name."""


class SnmpWrongAuth(SnmpDenied):
    """The authentication password, or its protocol, is another one there."""


class SnmpWrongPriv(SnmpDenied):
    """The privacy password, or its protocol, is another one there."""


class SnmpLevelRefused(SnmpDenied):
    """It does not offer the user this security level."""


_DENIED = {
    Refusal.USER: SnmpUnknownUser,
    Refusal.AUTH: SnmpWrongAuth,
    Refusal.PRIV: SnmpWrongPriv,
    Refusal.LEVEL: SnmpLevelRefused,
    Refusal.OTHER: SnmpDenied,
}


def address_text(host: str, port: int) -> str:
    """Host and port as messages give them."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def get_text(oids: Sequence[bytes]) -> str:
    """What a `get` attempts, as messages give it."""
    return "reading 1 object from" if len(oids) == 1 else f"reading {len(oids)} objects from"


def columns_text(columns: Sequence[bytes]) -> str:
    """What a reading of columns attempts."""
    return "walking 1 column of" if len(columns) == 1 else f"walking {len(columns)} columns of"


def walk_text(root: bytes) -> str:
    """What a `walk` attempts."""
    return f"walking {oid_text(root)} of"


def silence(attempt: str, tries: int, timeout_s: float) -> SnmpTimeout:
    """The error for an attempt that nobody answered."""
    counted = "1 try" if tries == 1 else f"{tries} tries"
    return SnmpTimeout(f"{attempt}: no answer after {counted} of {timeout_s:g} s")


def denied(attempt: str, denial: Denial) -> SnmpDenied:
    """The error for an attempt that the agent does not grant to this user."""
    return _DENIED[denial.why](f"{attempt}: {denial}")


def failure(attempt: str, error: BadAnswer | OSError) -> SnmpError:
    """The error for an attempt that the agent or the network failed."""
    if isinstance(error, BadAnswer):
        return SnmpProtocolError(f"{attempt}: {error}")
    if isinstance(error, ConnectionRefusedError):
        return SnmpRefused(f"{attempt}: nothing listens on that port")
    return SnmpUnreachable(f"{attempt}: {error.strerror or error}")
