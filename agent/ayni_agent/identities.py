"""What the devices of this node were found to be, as the agent remembers it across restarts.

A device is asked again what it is when it says something else of itself (see `Poller`), and all are when this
is another version of Ayni, which may know more families. What was not recognised is never remembered.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from ayni_core import __version__
from ayni_core.convert import Raw
from ayni_core.identify import GENERIC, Identity


def pack(identities: Mapping[str, Identity]) -> bytes:
    """As bytes to keep; the same for the same identities."""
    kept = {
        name: [identity.family, _packed(identity.object_id), _packed(identity.description)]
        for name, identity in sorted(identities.items())
        if identity.family != GENERIC
    }
    return json.dumps([__version__, kept]).encode()


def unpack(data: bytes | None) -> dict[str, Identity]:
    """Identities by device; none if there is nothing, or nothing that can be used."""
    try:
        version, kept = json.loads(data or b"null")
        if version != __version__:
            return {}
        return {name: Identity(family, _raw(one), _raw(two)) for name, (family, one, two) in kept.items()}
    except (ValueError, TypeError, AttributeError):
        return {}


def _packed(raw: Raw) -> list[object]:
    tag, value = raw
    return [tag, value.hex() if isinstance(value, bytes) else value]


def _raw(packed: list[object]) -> Raw:
    tag, value = packed
    if not isinstance(tag, int) or not isinstance(value, int | str | None):
        raise TypeError("no value of SNMP")
    return tag, bytes.fromhex(value) if isinstance(value, str) else value
