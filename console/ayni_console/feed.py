"""What the screens need of the outside: a small port. `client` is the real one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Protocol, TypeVar

from ayni_core.message import Message
from ayni_core.onlooking.model import Model

if TYPE_CHECKING:  # fifty classes, which the first screen can do without
    from ayni_core.wire.messages import LabDo
    from ayni_core.wire.questions import AskCommand, CommandNews, Question


class Told(Protocol):
    """What every answer has: why there is none, where there is none."""

    @property
    def error(self) -> Message | None:
        """A sentence of the central."""
        ...


Answer = TypeVar("Answer", bound=Told)


class NoAnswer(Exception):  # noqa: N818 - it is an answer that is missing, not a fault of ours
    """A question that got no answer, or an answer that says why not; the text is for the person. `context` is
    that of the central's sentence, where it is one."""

    def __init__(self, text: str, context: str = "") -> None:
        super().__init__(text)
        self.context = context


class Feed(Protocol):
    """Where the picture comes from, and where questions and lessons go."""

    model: Model

    async def ask(self, question: Question, answer: type[Answer]) -> Answer:
        """The hub's answer. Raises `NoAnswer`."""
        ...

    def follow(self, asked: AskCommand, *, silent_s: float) -> AsyncIterator[CommandNews]:
        """All that the hub says about a command, until it has ended. Raises `NoAnswer`."""
        ...

    async def lab_do(self, what: LabDo) -> None:
        """Break or repair in the lab. Raises `NoAnswer`."""
        ...

    def look_at(self, sites: tuple[str, ...]) -> None:
        """These sites are on the screen now: ask for copies of their polls. None: no longer."""
        ...
