"""The commands that people may give: a closed list, what each may carry, who may give it, how long it takes.

Console, hub and agent check against this one list, each for itself. A command that is not on it, or carries
what it does not take, is refused before anything is done.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from ayni_core.ber import BerError, decode_oid, encode_oid
from ayni_core.message import Message

FINAL = ("done", "failed", "refused", "expired", "undone")
STATES = ("accepted", "running", "probation", *FINAL)
"""What may become of a command, in this order; nothing follows a final one."""

VALID_S = 30.0
"""How long a command may be on its way."""
MOST_VALID_S = 600.0
"""A command that claims to be good for longer is not believed."""

_RANKS = {"viewer": 0, "operator": 1, "trainer": 2}
_ROOTS = ((1, 3, 6, 1, 2, 1), (1, 3, 6, 1, 4, 1), (1, 0, 8802, 1, 1, 2))
"""Below these a walk may begin, at least one arc further: MIB-2, what makers define, LLDP."""
_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_PLAN = re.compile(r"(?:poll_s=(\d{1,5}))?,?(?:flush_s=(\d{1,5}))?", re.ASCII)
OWN_PLAN = "own"
"""Instead of another plan: back to the one that the monitor has by itself, before the time is over."""
PLAN_POLL_S, PLAN_FLUSH_S = (5, 3600), (10, 86_400)


class OrderError(ValueError):
    """What was asked is not on the list, or carries what it may not; `text` is for the person."""

    def __init__(self, context: str, **values: str | float) -> None:
        super().__init__(f"{context} {values}")
        self.text = Message(context, values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """An argument that is a text; `field` is its name in the messages."""

    field: str
    pattern: str
    required: bool = False
    default: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """An argument that is a number; 0 stands for the default."""

    field: str
    least: float
    most: float
    default: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Doing:
    """One kind of command.

    `where`: what it is given to. `role`: the least that a person must be. `limit_s`: what the doing itself
    may take. `changes`: people are told what will happen and asked first. `undo`: `""` there is nothing to
    undo, `guard` it is undone unless confirmed, `itself` undoing is its second half, `none` it cannot be
    undone.
    """

    name: str
    where: Literal["device", "node", "either"]
    limit_s: float
    arguments: tuple[Word | Number, ...] = ()
    role: str = "operator"
    changes: bool = False
    undo: Literal["", "guard", "itself", "none"] = ""


_HOST = r"[A-Za-z0-9][A-Za-z0-9.:-]{0,252}"
_PORT = r"[\x21-\x7e](?:[\x20-\x7e]{0,62}[\x21-\x7e])?"

COMMANDS: Mapping[str, Doing] = {
    doing.name: doing
    for doing in (
        Doing(name="poll", where="either", limit_s=180),
        Doing(
            name="ping",
            where="either",
            limit_s=60,
            arguments=(
                Word(field="target", pattern=_HOST),
                Number(field="count", least=1, most=20, default=5),
                Word(field="value", pattern=r"\d{1,3}|1[0-3]\d\d|1400", default="56"),
            ),
        ),
        Doing(
            name="traceroute",
            where="either",
            limit_s=120,
            arguments=(
                Word(field="target", pattern=_HOST),
                Number(field="count", least=1, most=30, default=20),
            ),
        ),
        Doing(
            name="walk",
            where="device",
            limit_s=60,
            arguments=(
                Word(field="target", pattern=r"\d+(?:\.\d+){3,40}", required=True),
                Number(field="count", least=1, most=500, default=100),
            ),
        ),
        Doing(
            name="watch",
            where="either",
            limit_s=30,
            arguments=(Number(field="for_s", least=10, most=600, default=60),),
        ),
        Doing(name="identify", where="either", limit_s=60),
        Doing(
            name="port",
            where="device",
            limit_s=60,
            arguments=(
                Word(field="item", pattern=_PORT, required=True),
                Word(field="value", pattern="up|down", required=True),
                Number(field="for_s", least=10, most=600, default=60),
            ),
            changes=True,
            undo="guard",
        ),
        Doing(
            name="poe",
            where="device",
            limit_s=150,
            arguments=(
                Word(field="item", pattern=_PORT, required=True),
                Number(field="for_s", least=2, most=60, default=10),
            ),
            changes=True,
            undo="itself",
        ),
        Doing(name="reboot", where="device", limit_s=420, changes=True, undo="none"),
        Doing(name="restart", where="node", limit_s=120, changes=True),
        Doing(
            name="plan",
            where="node",
            limit_s=30,
            arguments=(
                Word(field="value", pattern=f"{OWN_PLAN}|{_PLAN.pattern}", required=True),
                Number(field="for_s", least=60, most=86_400, default=3600),
            ),
            changes=True,
            undo="itself",
        ),
    )
}


class Asked(Protocol):
    """What the messages have in common that carry a command."""

    @property
    def do(self) -> str: ...  # noqa: D102
    @property
    def item(self) -> str: ...  # noqa: D102
    @property
    def target(self) -> str: ...  # noqa: D102
    @property
    def value(self) -> str: ...  # noqa: D102
    @property
    def count(self) -> int: ...  # noqa: D102
    @property
    def for_s(self) -> float: ...  # noqa: D102


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A command that was checked: every argument is within its limits, defaults are filled in."""

    doing: Doing
    item: str = ""
    target: str = ""
    value: str = ""
    count: int = 0
    for_s: float = 0.0


def check(asked: Asked) -> Order:
    """What is asked, checked. Raises `OrderError`."""
    doing = COMMANDS.get(asked.do)
    if doing is None:
        raise OrderError("refused.unknown", do=asked.do[:30])
    taken = {argument.field: argument for argument in doing.arguments}
    values: dict[str, str | float] = {}
    for field in ("item", "target", "value", "count", "for_s"):
        given = getattr(asked, field)
        argument = taken.get(field)
        if argument is None:
            if given:
                raise OrderError("refused.surplus", do=doing.name, name=field)
        elif isinstance(argument, Word):
            values[field] = _word(doing, argument, given)
        else:
            values[field] = _number(argument, given)
    order = Order(
        doing=doing,
        item=str(values.get("item", "")),
        target=str(values.get("target", "")),
        value=str(values.get("value", "")),
        count=int(values.get("count", 0)),
        for_s=float(values.get("for_s", 0)),
    )
    if doing.name == "walk":
        walk_root(order.target)
    if doing.name == "plan":
        poll_plan(order.value)
    return order


def _word(doing: Doing, argument: Word, given: str) -> str:
    text = given or argument.default
    if not text:
        if argument.required:
            raise OrderError("refused.missing", do=doing.name, name=argument.field)
        return ""
    if not re.fullmatch(argument.pattern, text, re.ASCII):
        raise OrderError("refused.word", name=argument.field, given=text[:60])
    return text


def _number(argument: Number, given: float) -> float:
    number = given or argument.default
    if not argument.least <= number <= argument.most:
        raise OrderError(
            "refused.number", name=argument.field, given=number, least=argument.least, most=argument.most
        )
    return number


def walk_root(text: str) -> bytes:
    """The OID body below which a walk goes. Raises `OrderError`: nobody walks a whole device from afar."""
    try:
        body = encode_oid(text)
        arcs = decode_oid(body)
    except BerError:
        raise OrderError("refused.word", name="target", given=text[:60]) from None
    if not any(len(arcs) > len(root) and arcs[: len(root)] == root for root in _ROOTS):
        raise OrderError("refused.root", given=text[:60])
    return body


def poll_plan(text: str) -> tuple[float, float]:
    """`poll_s=30,flush_s=120` -> (30, 120); 0 for what stays as it is, as all does with `own`. Raises
    `OrderError`."""
    if text == OWN_PLAN:
        return 0.0, 0.0
    match = _PLAN.fullmatch(text)
    if match is None or not (match[1] or match[2]):
        raise OrderError("refused.word", name="value", given=text[:60])
    found = []
    for name, digits, (least, most) in (
        ("poll_s", match[1], PLAN_POLL_S),
        ("flush_s", match[2], PLAN_FLUSH_S),
    ):
        if digits and not least <= int(digits) <= most:
            raise OrderError("refused.number", name=name, given=int(digits), least=least, most=most)
        found.append(float(digits or 0))
    return found[0], found[1]


def may(role: str, doing: Doing) -> bool:
    """Whether somebody of this role may give the command."""
    return at_least(role, doing.role)


def at_least(role: str, wanted: str) -> bool:
    """Whether a role may do what takes another one; what is no role of people may nothing."""
    return _RANKS.get(role, -1) >= _RANKS[wanted]


def lesser(one: str, other: str) -> str:
    """Of two roles the one that may less."""
    return min(one, other, key=lambda role: _RANKS.get(role, -1))


def is_identifier(text: str) -> bool:
    """Whether a command can be called so: names travel in topics and file names."""
    return _IDENTIFIER.fullmatch(text) is not None
