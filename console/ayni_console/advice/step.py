"""One step of advice, how far somebody is with them, and the steps that many causes share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ayni_core.message import Message
from ayni_io.i18n import _, say


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do. `kind` is ask, look, safe, act or verify; `more` is shown while it is current."""

    kind: str
    text: str
    more: str = ""


@dataclass(slots=True)
class Progress:
    """How far somebody is with the advice on one thing: marks by step are `done` or `could_not`, and when."""

    cause: str
    marks: dict[int, tuple[str, float]] = field(default_factory=dict)
    best_dbm: float | None = None
    """The best that the weaker end of the link heard meanwhile."""

    def take(self, signals_dbm: Sequence[float | None]) -> None:
        """What both ends hear now; a link is as good as its weaker end."""
        heard = [each for each in signals_dbm if each is not None]
        if len(heard) == len(signals_dbm) and (self.best_dbm is None or min(heard) > self.best_dbm):
            self.best_dbm = min(heard)

    def current(self, count: int) -> int:
        """The first step without a mark; `count` when all have one."""
        return next((step for step in range(count) if step not in self.marks), count)


def first(cause: str, kind: str, more: str = "") -> Step:
    """The first step against a cause that the central can name: what people are told with the alarm, too."""
    return Step(kind, say(Message(f"first.{cause}")), more)


def climb() -> Step:
    """Before anybody goes up."""
    return Step(
        "safe",
        _("Safe to climb?"),
        _("STOP if wind > 30 km/h, lightning, wet mast, or you are alone. Wear the harness."),
    )


def electricity() -> Step:
    """Before anybody touches wires."""
    return Step(
        "safe",
        _("Before touching: dry hands, switch off, no open mains wires."),
        _("Mains wiring is for an electrician. A battery can burn: no rings, no bare tools."),
    )


def settings() -> Step:
    """Before anybody changes how a radio is set."""
    return Step(
        "safe",
        _("A change may cut the link: first the far end, then the near one."),
        _("Write down how it was. Have a way back, such as someone at the far end."),
    )


def indoors() -> Step:
    """What costs least."""
    return Step("act", _("Swap the patch lead and the injector indoors first."))


def verify() -> Step:
    """The last step of all advice."""
    return Step("verify", _("Verify: stay here until the screen says FIXED or NOT FIXED."))
