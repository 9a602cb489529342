"""What to do now: for each probable cause a goal and steps: ask, look, prepare, act, verify."""

from __future__ import annotations

from dataclasses import dataclass, field

from ayni_io.i18n import _, _c

LOOK_ALIKES = {
    "antenna_moved": ("interference", "cable", "device"),
    "no_power": ("device", "cable", "monitor_silent"),
    "device": ("no_power", "cable", "monitor_silent"),
    "interference": ("antenna_moved", "device"),
    "cable": ("device", "no_power"),
    "provider": ("device", "no_power"),
    "monitor_silent": ("no_power", "cable"),
    "behind": ("no_power", "device"),
    "unknown": ("no_power", "cable", "antenna_moved", "device", "interference", "monitor_silent"),
}
"""What else it may be, likeliest first: the faults that are taken for each other."""


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

    def current(self, count: int) -> int:
        """The first step without a mark; `count` when all have one."""
        return next((step for step in range(count) if step not in self.marks), count)


def cause_of(context: str | None) -> str:
    """The cause behind a message such as `cause.no_power`."""
    name = (context or "").partition(".")[2]
    return name if name in LOOK_ALIKES else "unknown"


def name_of(cause: str) -> str:
    """A cause in a few words."""
    names = {
        "antenna_moved": _c("advice", "antenna moved"),
        "no_power": _c("advice", "no power"),
        "device": _c("advice", "the device itself"),
        "interference": _c("advice", "interference"),
        "cable": _c("advice", "cable or plug"),
        "provider": _c("advice", "the provider"),
        "monitor_silent": _c("advice", "the monitor"),
        "behind": _c("advice", "another link before it"),
    }
    return names.get(cause, _c("advice", "not known yet"))


def goal(cause: str) -> str:
    """What is true when the repair is done."""
    match cause:
        case "antenna_moved":
            return _("Both ends hear their normal signal again (±3 dB).")
        case "no_power":
            return _("The site has power and answers again.")
        case "interference":
            return _("Few repeats, and noise back to normal.")
        case "cable":
            return _("The port runs at full speed without damage.")
        case "provider":
            return _("The Internet answers again.")
        case "monitor_silent":
            return _("The monitor reports again.")
    return _("It answers again and stays well.")


def _climb() -> Step:
    return Step(
        "safe",
        _("Safe to climb?"),
        _("STOP if wind > 30 km/h, lightning, wet mast, or you are alone. Wear the harness."),
    )


def _verify() -> Step:
    return Step("verify", _("Verify: stay here until the screen says FIXED or NOT FIXED."))


def steps(cause: str) -> tuple[Step, ...]:
    """The steps against a cause."""
    match cause:
        case "antenna_moved":
            return (
                Step("ask", _("Ask at both ends: did anyone touch the mast? Was there a storm?")),
                Step(
                    "look",
                    _("Look from the ground, with binoculars: which antenna is tilted?"),
                    _("Both stand straight? Then press w: a tree or a new wall may be in the path."),
                ),
                _climb(),
                Step(
                    "act",
                    _("Loosen it. Turn one finger, wait 5 s, read the number."),
                    _("Do not raise the power: that hides the fault. Turn through the best value and back."),
                ),
                Step("act", _("Best number? Tighten. Check that it did not change.")),
                _verify(),
            )
        case "no_power":
            return (
                Step("ask", _("Call the site: is there light? Are the neighbours dark too?")),
                Step(
                    "look",
                    _("Ask them to look: plug, fuse, switch, meter. A lamp on the device?"),
                    _("Solar: is the battery above 12.1 V? Is the panel clean and in the sun?"),
                ),
                Step(
                    "safe",
                    _("Before touching: dry hands, switch off, no open mains wires."),
                    _("Mains wiring is for an electrician. A battery can burn: no rings, no bare tools."),
                ),
                Step("act", _("Restore power: plug, fuse, injector; then the solar controller.")),
                _verify(),
            )
        case "device":
            return (
                Step("ask", _("Ask: was anything changed, moved or unplugged? Is there power?")),
                Step(
                    "look",
                    _("Look at the lamps of the device and of its injector."),
                    _("No lamp at the injector: power. Lamp at the injector only: cable."),
                ),
                Step("act", _("Swap the patch lead and the injector indoors first.")),
                Step(
                    "act",
                    _("Power it off for 10 s and on, once. Wait 3 minutes."),
                    _("Again and again helps nothing: a dead port stays dead."),
                ),
                _climb(),
                _verify(),
            )
        case "interference":
            return (
                Step("ask", _("Ask: is there a new antenna or provider nearby?")),
                Step(
                    "look",
                    _("Look at noise and repeats at both ends: at which end is it worse?"),
                    _("Signal steady but repeats up: interference. Signal down too: antenna or path."),
                ),
                Step(
                    "safe",
                    _("Changing the channel cuts the link: first the far end, then the near one."),
                    _("Write down the old channel. Have a way back, such as someone at the far end."),
                ),
                Step("act", _("Change to the channel with the least noise. Do not re-aim.")),
                _verify(),
            )
        case "cable":
            return (
                Step("ask", _("Ask: was it after rain, or after somebody moved things?")),
                Step("look", _("Look at plugs and cable: green contacts, kinks, no drip loop?")),
                Step("act", _("Swap the patch lead and the injector indoors first.")),
                Step(
                    "act",
                    _("Re-crimp the plug, or lay an outdoor cable with a drip loop."),
                    _("All eight wires: 10 Mb/s or 100 Mb/s often means that a pair is broken."),
                ),
                _climb(),
                _verify(),
            )
        case "provider":
            return (
                Step("look", _("Look: do your own links work? Then it is not your network.")),
                Step("ask", _("Ask: is the bill paid? Is the data plan used up?")),
                Step("ask", _("Call the provider. Say since when, and write down the ticket number.")),
                Step("act", _("Restart the provider's modem once. Do not touch your sites.")),
                _verify(),
            )
        case "monitor_silent":
            return (
                Step(
                    "look", _("Look: does the far end still see the link? Then only the monitor is silent.")
                ),
                Step("ask", _("Call the site: is there power? Is the monitor's lamp on?")),
                Step("act", _("Unplug the monitor for 10 s, plug it in. Wait 3 minutes.")),
                Step(
                    "act",
                    _("Still silent: try another supply and cable, then another card."),
                    _("Nobody climbs for this: the link itself may well work."),
                ),
                _verify(),
            )
        case "behind":
            return (
                Step("look", _("Repair the link before it first: this one hangs behind it.")),
                Step("ask", _("Tell the homes behind it that you know.")),
                _verify(),
            )
    return (
        Step("ask", _("Ask: one home, one site or everyone? Since when? What changed?")),
        Step("look", _("Look at power first: lamps, plugs, fuse, battery.")),
        Step("look", _("Look at both ends of the link: which number is not normal?")),
        Step("act", _("Swap the cheap things indoors first: patch lead, injector.")),
        _climb(),
        _verify(),
    )
