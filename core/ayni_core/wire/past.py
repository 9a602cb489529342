"""The question for a picture of the past, and its answer.

Who looks at the past asks for one moment after the other; the hub judges what it has stored once more and
tells what changed. One such run has a name, chosen by who asks; it goes forward only. To go back is to begin
anew.
"""

from __future__ import annotations

from dataclasses import dataclass

from ayni_core.message import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class AskPast:
    """`past`: the picture at a time `at`. Answered by `Past`.

    `begin` starts the run `id`, and ends another one of the same person; without it the run goes on, to a
    time that is not earlier than before. With `whole` the whole picture is told once more.
    """

    ask: str = "past"
    id: str
    at: float
    begin: bool = False
    whole: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """The answer to `past`: how far the run is, and whether that is where it was asked to (`done`).

    `news` has pairs of a retained topic and what it said then, as far as that changed since the last answer;
    nothing where it ended. With `more` there is more to be told: the same question brings it.
    """

    at: float = 0.0
    done: bool = False
    more: bool = False
    news: tuple[tuple[str, ...], ...] = ()
    error: Message | None = None
