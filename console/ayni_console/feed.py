"""What the screens need of the outside: a small port. `client` is the real one."""

from __future__ import annotations

from typing import Protocol, TypeVar

from ayni_core.onlooking.model import Model
from ayni_core.wire.messages import LabDo
from ayni_core.wire.questions import Deliveries, Done, Events, History, Maintenance, Question, Readings

Answer = TypeVar("Answer", Readings, History, Events, Maintenance, Deliveries, Done)


class NoAnswer(Exception):  # noqa: N818 - it is an answer that is missing, not a fault of ours
    """A question that got no answer, or an answer that says why not; the text is for the person."""


class Feed(Protocol):
    """Where the picture comes from, and where questions and lessons go."""

    model: Model

    async def ask(self, question: Question, answer: type[Answer]) -> Answer:
        """The hub's answer. Raises `NoAnswer`."""
        ...

    async def lab_do(self, what: LabDo) -> None:
        """Break or repair in the lab. Raises `NoAnswer`."""
        ...

    def look_at(self, sites: tuple[str, ...]) -> None:
        """These sites are on the screen now: ask for copies of their polls. None: no longer."""
        ...
