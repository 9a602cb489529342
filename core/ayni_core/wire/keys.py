"""What the keeper of accounts and nodes tell each other: the next password, and what a new node needs.

Passwords are in two of these messages and nowhere else; none is in what they show of themselves.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ayni_core.message import Message

STATES = ("stored", "used", "refused")
LONGEST_PASSWORD = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
    """`renew/NODE`: the next password of the node's account. The same one may come several times."""

    id: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewed:
    """`renewed/NODE`: `stored`: it is on the node's disk; `used`: the broker has taken it; `refused`."""

    id: str
    state: str
    text: Message | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrol:
    """`enrol/NODE`: somebody with an invitation asks for what the node needs; with `done` it has kept it."""

    id: str
    done: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcome:
    """`welcome/NODE`: the answer. `agent` are the lines of its agent.yaml, `ca` those of the certificates of
    the authority; `done` says that the invitation is used up."""

    id: str
    password: str = field(default="", repr=False)
    agent: tuple[str, ...] = ()
    ca: tuple[str, ...] = ()
    hub: str = ""
    done: bool = False
    error: Message | None = None
