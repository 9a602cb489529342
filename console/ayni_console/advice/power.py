"""What is wrong with power and heat: mains, batteries, panels, supplies. Faults 16 to 18 of the field."""

from __future__ import annotations

from ayni_console.advice.step import Step, electricity, first, verify
from ayni_io.i18n import _


def steps(cause: str) -> tuple[Step, ...]:
    """The steps against a cause of this kind; none for another."""
    match cause:
        case "no_power":
            return (
                first("no_power", "ask"),
                Step(
                    "look",
                    _("Ask them to look: plug, fuse, switch, meter. A lamp on the device?"),
                    _("Solar: is the battery above 12.1 V? Is the panel clean and in the sun?"),
                ),
                electricity(),
                Step("act", _("Restore power: plug, fuse, injector; then the solar controller.")),
                verify(),
            )
        case "mains":
            return (
                first("mains", "ask"),
                Step("ask", _("All dark: ask the power company how long. Has the meter been paid?")),
                Step(
                    "look",
                    _("Look how long the battery lasts, and tell the homes behind it."),
                    _("Switch off what is not needed there, if it can be done from here."),
                ),
                electricity(),
                Step("act", _("Only this site dark: fuse, switch, plug. Else wait for the mains.")),
                verify(),
            )
        case "battery":
            return (
                first("battery", "look"),
                Step(
                    "look",
                    _("Look at the week: does it sag each night and come back in the morning?"),
                    _("12.1 V under load is low for lead, 11.6 V nearly empty. Lithium: look at the charge."),
                ),
                electricity(),
                Step("act", _("Clean the panel, cut the shade, tighten the clamps, change the fuse.")),
                Step(
                    "act",
                    _("Full in the evening, empty by dawn: the battery is old. Replace it."),
                    _("Never full in the evening: too little sun for the load. Less load, or more panel."),
                ),
                verify(),
            )
        case "supply":
            return (
                first("supply", "act"),
                Step(
                    "look",
                    _("Look: does it start anew when much is going on? Was something added to it?"),
                    _("24 V at the injector and less than 16 V on the mast: the cable is too long or thin."),
                ),
                electricity(),
                Step("act", _("Swap the injector or power pack for a stronger one of the same voltage.")),
                Step("act", _("Still so: thicker cable, or less on it.")),
                verify(),
            )
        case "heat":
            return (
                first("heat", "look"),
                Step("look", _("Look at the day: is it hottest at noon, or all the time?")),
                electricity(),
                Step("act", _("Shade and air: a roof over it, open vents, away from the charger.")),
                verify(),
            )
    return ()
