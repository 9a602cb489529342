"""What is wrong with devices and their cables. Faults 19 to 22 of the field."""

from __future__ import annotations

from ayni_console.advice.step import Step, climb, first, indoors, verify
from ayni_io.i18n import _


def steps(cause: str) -> tuple[Step, ...]:
    """The steps against a cause of this kind; none for another."""
    match cause:
        case "device":
            return (
                first("device", "ask"),
                Step(
                    "look",
                    _("Look at the lamps of the device and of its injector."),
                    _("No lamp at the injector: power. Lamp at the injector only: cable."),
                ),
                indoors(),
                Step(
                    "act",
                    _("Power it off for 10 s and on, once. Wait 3 minutes."),
                    _("Again and again helps nothing: a dead port stays dead."),
                ),
                climb(),
                verify(),
            )
        case "cable":
            return (
                first("cable", "ask"),
                Step("look", _("Look at plugs and cable: green contacts, kinks, no drip loop?")),
                indoors(),
                Step(
                    "act",
                    _("Re-crimp the plug, or lay an outdoor cable with a drip loop."),
                    _("All eight wires: 10 Mb/s or 100 Mb/s often means that a pair is broken."),
                ),
                climb(),
                verify(),
            )
        case "lightning":
            return (
                Step("ask", _("Ask: was there a thunderstorm? What else died there?")),
                Step("look", _("Look: the port never comes back, with any cable, after any restart?")),
                climb(),
                Step("act", _("Replace the device or use another port of it. Test all that hangs on it.")),
                Step("act", _("Earth the mast and put a surge protector into the cable, or it comes again.")),
                verify(),
            )
        case "worn":
            return (
                first("worn", "act"),
                Step("look", _("Look which part says so: a card, a disk, a fan, a supply.")),
                Step("act", _("Replace the part. For a monitor: a new card of a good make, then its setup.")),
                verify(),
            )
    return ()
