"""One command of this console from the first look to its end: what is known of it, step by step.

Pure: news and times go in. Sentences stay messages, so they speak the language of whoever reads them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ayni_core import commands
from ayni_core.commands import FINAL, Order
from ayni_core.message import Message
from ayni_core.wire.messages import CommandState
from ayni_core.wire.questions import AskCommand, CommandNews, CommandPlan

FORCEABLE = ("refused.on_path", "refused.far")
"""Refusals that `force` overrules: somebody may be locked out."""
ASKED_AGAIN = ("failed.no_word",)
"""Ends that say only that nothing more was heard: asked again, the central says how it is."""
MOST_LINES = 1000
_SLACK_S = 180.0


@dataclass(frozen=True, slots=True)
class Step:
    """Something that was said of a command. `until` is when it undoes itself, unless it is confirmed."""

    at: float
    text: Message
    progress: float = 0.0
    until: float | None = None


@dataclass(slots=True)
class Job:
    """`stage` is `looking` (what would happen?), `plan` (that is known; nothing was done), `given` (it is on
    its way), `ended`, `refused`, or `lost` (no word any more; `problem` says why)."""

    asked: AskCommand
    kind: str
    """`device` or `node`: what `asked.where` is the name of."""
    began: float
    order: Order = field(init=False)
    stage: str = "looking"
    plan: CommandPlan | None = None
    steps: list[Step] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    last: CommandState | None = None
    problem: str = ""

    def __post_init__(self) -> None:
        """Raises `OrderError` where the central would refuse the words themselves."""
        self.order = commands.check(self.asked)
        if not self.order.doing.changes:
            self.stage = "given"

    @property
    def looks(self) -> AskCommand:
        """The question that only asks what would happen."""
        return replace(self.asked, look_first=True)

    @property
    def over(self) -> bool:
        """Whether nothing more is to come."""
        return self.stage in ("ended", "refused")

    @property
    def done(self) -> bool:
        """Whether it was done."""
        return self.last is not None and self.last.state == "done"

    @property
    def why(self) -> str:
        """The context of the last sentence."""
        return self.last.text.context if self.last is not None and self.last.text is not None else ""

    def silent_s(self) -> float:
        """After so long without a word nothing more is to be expected."""
        return self.order.doing.limit_s + self.order.for_s + _SLACK_S

    def give(self, now: float) -> None:
        """The person agreed."""
        self.stage, self.problem, self.last = "given", "", None
        self.began = now

    def again(self, now: float) -> None:
        """Ask once more how it is: the same id does nothing twice."""
        self.stage, self.problem = "given", ""
        self.began = min(self.began, now)

    def lose(self, problem: str) -> None:
        """No more news, and why."""
        self.problem = problem
        if self.stage != "looking" and not self.over:
            self.stage = "lost"

    def take(self, news: CommandNews, now: float) -> None:
        """News of it."""
        if news.plan is not None:
            self.plan, self.stage = news.plan, "plan"
            return
        state = news.state
        if state is None or self.over:
            return
        self.last = state
        final = state.state in FINAL
        if final:
            self.stage = "refused" if state.state == "refused" else "ended"
            self.lines = list(state.lines)[:MOST_LINES] or self.lines
        else:
            self.stage = "given"
            self.lines = [*self.lines, *state.lines][-MOST_LINES:]
        text = Message("running.taken") if state.state == "accepted" else state.text
        if text is not None and (final or not self.steps or text != self.steps[-1].text):
            self.steps.append(Step(now, text, state.progress, self._undone_at(state, text, now)))

    def _undone_at(self, state: CommandState, text: Message, now: float) -> float | None:
        seconds = text.values.get("seconds")
        if state.state != "probation" or not isinstance(seconds, int | float):
            return None
        return now + float(seconds)

    def ends_itself_at(self) -> float | None:
        """When what was done ends by itself: another plan, more news."""
        if not self.done or self.order.doing.name not in ("plan", "watch") or not self.steps:
            return None
        if self.order.value == commands.OWN_PLAN:
            return None
        return self.steps[-1].at + self.order.for_s

    def undo(self) -> AskCommand | None:
        """What puts it back as it was, where a command does; without id, which every command has anew."""
        if not self.done or self.why == "done.port_already":
            return None
        match self.order.doing.name, self.order.value:
            case "port", value:
                return replace(self.asked, value="down" if value == "up" else "up", force=False)
            case "plan", value if value != commands.OWN_PLAN:
                return replace(self.asked, value=commands.OWN_PLAN, for_s=0.0)
        return None
