"""An invitation for a machine to become a node, as one line to copy: where the hub is, by which certificate
it is known, and a secret that is good once.

    ayni1.BASE64   of: CRC-32 of the rest, SHA-256 of the broker's certificate, secret, node and addresses

The CRC tells of a slip in copying; nothing is proved by it.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from dataclasses import dataclass, field

from ayni_core.address import split_address
from ayni_core.fault import UnfitError
from ayni_core.message import Phrase
from ayni_core.schema import NAME

SECRET = 18
"""Octets: as many random ones as a password of an account has."""
_MARK = "ayni1."
_PRINT = 32
_MOST_ADDRESSES = 8
LONGEST = 1200


class InvitationError(UnfitError):
    """What stands there is no invitation: why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """`fingerprint` is written as certificates' are elsewhere, in pairs with colons; `addresses` are
    `HOST:PORT`, the first one preferred."""

    node: str
    addresses: tuple[str, ...]
    fingerprint: str
    secret: bytes = field(repr=False)

    @property
    def account(self) -> str:
        """The account that it is for."""
        return f"e-{self.node}"

    @property
    def password(self) -> str:
        """The account's password."""
        return base64.urlsafe_b64encode(self.secret).decode("ascii")


def write(invitation: Invitation) -> str:
    """The line."""
    octets = bytes.fromhex(invitation.fingerprint.replace(":", "")) + invitation.secret
    octets += "\n".join((invitation.node, *invitation.addresses)).encode("utf-8")
    octets = zlib.crc32(octets).to_bytes(4, "big") + octets
    return _MARK + base64.urlsafe_b64encode(octets).decode("ascii").rstrip("=")


def read(text: str) -> Invitation:
    """What a line says; blanks and line ends within it, as terminals make them, do not count. Raises
    `InvitationError`."""
    line = "".join(text.split())
    if not line.startswith(_MARK) or len(line) > LONGEST:
        raise InvitationError("fault.expected", wanted=Phrase("word.invitation", {"begins": _MARK}))
    try:
        octets = base64.b64decode(line.removeprefix(_MARK) + "===", altchars=b"-_", validate=False)
        words = octets[4 + _PRINT + SECRET :].decode("utf-8").split("\n")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        octets, words = b"", []
    if len(words) < 2 or zlib.crc32(octets[4:]) != int.from_bytes(octets[:4], "big"):
        raise InvitationError("fault.invitation_broken")
    node, *addresses = words
    try:
        for address in addresses[:_MOST_ADDRESSES]:
            split_address(address)
    except UnfitError as error:
        raise InvitationError(error.what) from None
    if not NAME.fullmatch(node):
        raise InvitationError("fault.name", given=node)
    return Invitation(
        node=node,
        addresses=tuple(addresses[:_MOST_ADDRESSES]),
        fingerprint=":".join(f"{octet:02X}" for octet in octets[4 : 4 + _PRINT]),
        secret=octets[4 + _PRINT : 4 + _PRINT + SECRET],
    )
