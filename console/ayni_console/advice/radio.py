"""What is wrong in the air: aim, path, connectors, radios, channels. Faults 1 to 14 of the field."""

from __future__ import annotations

from ayni_console.advice.step import Step, climb, first, settings, verify
from ayni_io.i18n import _


def steps(cause: str) -> tuple[Step, ...]:
    """The steps against a cause of this kind; none for another."""
    match cause:
        case "antenna_moved":
            return (
                first("antenna_moved", "ask"),
                Step(
                    "look",
                    _("Look from the ground, with binoculars: which antenna is tilted?"),
                    _("Both stand straight? Then press w: a tree or a new wall may be in the path."),
                ),
                climb(),
                Step(
                    "act",
                    _("Loosen it. Turn one finger, wait 5 s, read the number."),
                    _("Do not raise the power: that hides the fault. Turn through the best value and back."),
                ),
                Step("act", _("Best number? Tighten. Check that it did not change.")),
                verify(),
            )
        case "side_lobe":
            return (
                first(
                    "side_lobe",
                    "look",
                    _("An antenna has weak side lobes beside its beam: one of them was taken for the beam."),
                ),
                climb(),
                Step(
                    "act",
                    _("Sweep wide: 30 degrees to each side, slowly, wait 5 s at each stop."),
                    _("Two or three maxima come by. Only the largest is the beam; then up and down as well."),
                ),
                Step("act", _("The same at the other end. Tighten. Check that it did not change.")),
                verify(),
            )
        case "tree":
            return (
                Step(
                    "look",
                    _("Look at the month: did both ends sink together, slowly, worse when wet or windy?"),
                    _("All at once, in working hours: a new wall, roof or crane."),
                ),
                Step(
                    "look", _("Stand at one antenna and look at the other: is the way free, and around it?")
                ),
                Step("ask", _("Ask the owner: may branches be cut? Is something being built?")),
                climb(),
                Step(
                    "act",
                    _("Trim, or put the antenna higher or to another place. Do not re-aim."),
                    _("The line needs free room around it: some metres in the middle of a long link."),
                ),
                verify(),
            )
        case "connector":
            return (
                first("connector", "look"),
                climb(),
                Step("look", _("Open the connectors of that half: water, green metal, a cracked seal?")),
                Step(
                    "act",
                    _("Replace the plug or pigtail. Seal it: tape, rubber, tape. Leave a drip loop."),
                    _("Drying alone helps for a week."),
                ),
                verify(),
            )
        case "radio":
            return (
                Step(
                    "look",
                    _("Look: does only one end hear badly? Then that radio is deaf, or the other one weak."),
                    _("Since a storm: deaf. Since somebody set something: compare the power of both radios."),
                ),
                settings(),
                Step(
                    "act", _("Set the power as it was planned. Too loud (above -35) is as bad as too weak.")
                ),
                climb(),
                Step("act", _("Still so: swap that radio. Earth it, with a surge protector.")),
                verify(),
            )
        case "rain":
            return (
                Step("look", _("Look: does the signal follow the rain, at both ends, and come back wholly?")),
                Step("ask", _("Ask: does it rain hard between the two sites just now?")),
                Step("act", _("Wait. Above 10 GHz this is normal. Stay on the ground.")),
                Step("act", _("Often? Plan a second way, or a lower frequency for bad hours.")),
                verify(),
            )
        case "interference":
            return (
                first("interference", "ask"),
                Step(
                    "look",
                    _("Look at noise and repeats at both ends: at which end is it worse?"),
                    _("Signal steady but repeats up: interference. Signal down too: antenna or path."),
                ),
                Step(
                    "look",
                    _("Does it follow our own neighbour's traffic? Then it is ourselves: plan channels."),
                ),
                settings(),
                Step("act", _("Change to the channel with the least noise. Do not re-aim.")),
                verify(),
            )
        case "settings":
            return (
                Step("ask", _("Ask: who changed something, and what, right before it began?")),
                Step(
                    "look",
                    _("Look: signal good, yet slow and many repeats? Compare distance, power and width."),
                    _("The distance set in both radios must be at least the real one."),
                ),
                settings(),
                Step("act", _("Set it back as it was. One thing at a time, and watch the numbers.")),
                verify(),
            )
        case "radar":
            return (
                Step("look", _("Look: a gap of a minute or more, then another frequency, and no restart?")),
                settings(),
                Step(
                    "act",
                    _("Choose a channel without radar, or one that was quiet for weeks."),
                    _("A radio must leave when it hears radar: that is the law, not a fault."),
                ),
                verify(),
            )
        case "client":
            return (
                Step("look", _("Look at the sector's clients: which one has a low rate and a weak signal?")),
                Step("ask", _("Ask that home: was the antenna moved? Is there something new before it?")),
                climb(),
                Step("act", _("Mend that client: aim, mast, cable. Do not swap the sector.")),
                verify(),
            )
    return ()
