"""Which family a device belongs to, asked anew."""

from __future__ import annotations

from typing import Protocol

from ayni_core.identify import GENERIC, Answers, decide
from ayni_core.profile import Profile, Rule
from ayni_io.snmp import SnmpReader

_SAMPLE_ROWS = 8
_MOST_ROUNDS = 4


class Families(Protocol):
    """Where profiles come from; `ayni_io.profiles.Profiles` is one."""

    def rules(self) -> list[Rule]:
        """How to know each family."""
        ...

    def load(self, name: str) -> Profile:
        """One family."""
        ...


async def ask_family(reader: SnmpReader, families: Families) -> tuple[str, Answers]:
    """The family and what the device said. Raises `SnmpError`, `ConfigError`."""
    answers = Answers()
    for _ in range(_MOST_ROUNDS):
        step = decide(families.rules(), answers)
        if isinstance(step, str):
            return step, answers
        if step.scalars:
            found = await reader.get(step.scalars)
            answers.scalars.update({oid: (tag, value) for oid, tag, value in found})
        for column in step.columns:
            rows = await reader.columns((column,), None, _SAMPLE_ROWS)
            answers.columns[column] = tuple((tag, value) for _, tag, value in rows)
    return GENERIC, answers
