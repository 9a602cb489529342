"""What to do now: for each probable cause a goal and steps: ask, look, prepare, act, verify.

The cheapest check comes first, the climb last. Every cause that the central can name is here (`causes`), and
what is taken for it; the steps stand with those of their kind: `radio`, `power`, `wires`, `network`.
"""

from __future__ import annotations

from ayni_console.advice import network, power, radio, wires
from ayni_console.advice.causes import LOOK_ALIKES as LOOK_ALIKES
from ayni_console.advice.causes import cause_of as cause_of
from ayni_console.advice.causes import goal as goal
from ayni_console.advice.causes import name_of as name_of
from ayni_console.advice.step import Progress as Progress
from ayni_console.advice.step import Step as Step
from ayni_console.advice.step import climb, first, verify
from ayni_io.i18n import _


def steps(cause: str) -> tuple[Step, ...]:
    """The steps against a cause."""
    for steps_of in (radio.steps, power.steps, wires.steps, network.steps):
        found = steps_of(cause)
        if found:
            return found
    return (
        first("unknown", "ask"),
        Step("look", _("Look at power first: lamps, plugs, fuse, battery.")),
        Step("look", _("Look at both ends of the link: which number is not normal?")),
        Step("act", _("Swap the cheap things indoors first: patch lead, injector.")),
        climb(),
        verify(),
    )
