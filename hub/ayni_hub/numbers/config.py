"""The sections `numbers` and `home_assistant` of hub.yaml: what other programs may see, and where."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ayni_core.home_assistant import Wanted
from ayni_core.schema import Fields
from ayni_io.http_listen import Listen, read_listen

LISTEN = "127.0.0.1:9464"
PREFIX = re.compile(r"[A-Za-z0-9_-]{1,40}(?:/[A-Za-z0-9_-]{1,40}){0,3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class NumbersConfig:
    """`readings`: also all that devices said last, besides how the hub and the network are. `places`: the
    graph tells where sites are."""

    listen: Listen
    readings: bool = True
    places: bool = False


def read_home_assistant(fields: Fields) -> Wanted | None:
    """The section `home_assistant`, if it is there. Faults are noted."""
    if fields.raw("home_assistant") is None:
        return None
    below = fields.child("home_assistant")
    prefix = below.text("prefix", Wanted().prefix)
    if not PREFIX.fullmatch(prefix):
        below.fault("prefix", "fault.prefix", given=prefix[:80])
        prefix = Wanted().prefix
    if f"{prefix}/".startswith("ayni/"):
        below.fault("prefix", "fault.own_prefix")
    wanted = Wanted(prefix=prefix, sites=below.texts("sites"))
    below.done()
    return wanted


def read(fields: Fields) -> NumbersConfig | None:
    """The section, if it is there: without it nothing listens. Faults are noted."""
    if fields.raw("numbers") is None:
        return None
    below = fields.child("numbers")
    config = NumbersConfig(
        listen=read_listen(below, LISTEN),
        readings=below.boolean("readings", True),
        places=below.boolean("places", False),
    )
    below.done()
    return config
