"""The causes: what they are called, what is true when they are mended, and what is taken for them."""

from __future__ import annotations

from ayni_io.i18n import _, _c

LOOK_ALIKES = {
    "antenna_moved": ("side_lobe", "tree", "interference", "connector", "radio"),
    "side_lobe": ("antenna_moved", "tree", "radio", "connector"),
    "tree": ("antenna_moved", "side_lobe", "rain", "connector"),
    "connector": ("rain", "radio", "antenna_moved", "cable"),
    "radio": ("connector", "settings", "antenna_moved", "lightning"),
    "rain": ("connector", "tree", "antenna_moved"),
    "interference": ("settings", "radar", "client", "antenna_moved", "device"),
    "settings": ("interference", "radio", "client", "monitor_silent"),
    "radar": ("interference", "no_power", "settings"),
    "client": ("interference", "busy", "settings"),
    "no_power": ("mains", "battery", "supply", "device", "cable", "monitor_silent"),
    "mains": ("no_power", "battery", "supply"),
    "battery": ("mains", "supply", "heat", "no_power"),
    "supply": ("battery", "cable", "mains", "device"),
    "heat": ("supply", "busy", "worn"),
    "device": ("no_power", "cable", "lightning", "supply", "monitor_silent"),
    "cable": ("supply", "lightning", "device", "no_power"),
    "lightning": ("cable", "device", "supply"),
    "provider": ("plan", "busy", "path", "device", "no_power"),
    "plan": ("busy", "provider"),
    "busy": ("provider", "client", "interference", "plan"),
    "path": ("tree", "interference", "cable", "busy", "provider"),
    "dhcp": ("provider", "busy", "settings"),
    "monitor_silent": ("no_power", "cable", "settings", "full"),
    "clock": ("monitor_silent", "battery"),
    "full": ("worn", "busy"),
    "worn": ("full", "supply", "heat"),
    "certificate": ("clock", "settings"),
    "backup": ("full", "worn"),
    "behind": ("no_power", "device"),
    "unknown": (
        "no_power", "cable", "antenna_moved", "device", "interference", "path", "busy", "dhcp",
        "monitor_silent",
    ),
}  # fmt: skip
"""What else it may be, likeliest first: the faults that are taken for each other."""


def cause_of(context: str | None) -> str:
    """The cause behind a message such as `cause.no_power`."""
    name = (context or "").partition(".")[2]
    return name if name in LOOK_ALIKES else "unknown"


def name_of(cause: str) -> str:
    """A cause in a few words."""
    names = {
        "antenna_moved": _c("advice", "antenna moved"),
        "side_lobe": _c("advice", "aimed at a side lobe"),
        "tree": _c("advice", "tree or wall in the path"),
        "connector": _c("advice", "wet connector"),
        "radio": _c("advice", "deaf or weak radio"),
        "rain": _c("advice", "heavy rain"),
        "interference": _c("advice", "interference"),
        "settings": _c("advice", "wrong setting"),
        "radar": _c("advice", "radar on the channel"),
        "client": _c("advice", "one weak client"),
        "no_power": _c("advice", "no power"),
        "mains": _c("advice", "no mains"),
        "battery": _c("advice", "battery or panel"),
        "supply": _c("advice", "power supply"),
        "heat": _c("advice", "too hot"),
        "device": _c("advice", "the device itself"),
        "cable": _c("advice", "cable or plug"),
        "lightning": _c("advice", "struck by lightning"),
        "provider": _c("advice", "the provider"),
        "plan": _c("advice", "data plan used up"),
        "busy": _c("advice", "too much traffic"),
        "path": _c("advice", "a link on the way there"),
        "dhcp": _c("advice", "wrong addresses at homes"),
        "monitor_silent": _c("advice", "the monitor"),
        "clock": _c("advice", "nobody to ask for the time"),
        "full": _c("advice", "no room left"),
        "worn": _c("advice", "worn part"),
        "certificate": _c("advice", "certificate ends"),
        "backup": _c("advice", "no good backup"),
        "behind": _c("advice", "another link before it"),
    }
    return names.get(cause, _c("advice", "not known yet"))


def goal(cause: str) -> str:
    """What is true when the repair is done."""
    match cause:
        case "antenna_moved" | "side_lobe" | "tree":
            return _("Both ends hear their normal signal again (±3 dB).")
        case "connector" | "radio" | "rain":
            return _("Signal and H/V are normal again at both ends.")
        case "no_power" | "mains":
            return _("The site has power and answers again.")
        case "battery":
            return _("The battery is full in the evening and lasts the night.")
        case "supply":
            return _("The voltage is right under load; nothing starts anew.")
        case "heat":
            return _("It stays below its limit at noon.")
        case "interference" | "settings" | "radar" | "client":
            return _("Few repeats, and noise back to normal.")
        case "cable":
            return _("The port runs at full speed without damage.")
        case "provider":
            return _("The Internet answers again.")
        case "plan":
            return _("The plan lasts until the month ends.")
        case "busy":
            return _("Answers are quick again in the evening.")
        case "path":
            return _("Nothing gets lost on the way there.")
        case "dhcp":
            return _("Every home gets its address from our own router.")
        case "monitor_silent":
            return _("The monitor reports again.")
        case "clock":
            return _("It knows the time.")
        case "certificate":
            return _("The certificate is good for years again.")
        case "backup":
            return _("There is a backup of last night again.")
        case "full":
            return _("A third of the memory is free again.")
    return _("It answers again and stays well.")
