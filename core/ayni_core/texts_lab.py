"""The English text of the lab's `Message` contexts: what can be broken, what can be tried, what it brought.

`_text` marks a pair for the extractor, as in `texts`, which takes these in.
"""

from __future__ import annotations

LAB_TEXTS: dict[str, str] = {}


def _text(context: str, english: str) -> None:
    LAB_TEXTS[context] = english


# What can be broken
_text("lab.fault.power", "Cut the power at {site}")
_text("lab.fault.antenna", "Move the antenna at {site} ({link})")
_text("lab.fault.interference", "Let a stranger use the channel near {site} ({link})")
_text("lab.fault.unplugged", "Pull the cable out of {port} of {device}")
_text("lab.fault.slow_cable", "Let water into the cable at {port} of {device}")
_text("lab.fault.dead_device", "Kill {device} with lightning")
_text("lab.fault.upstream", "Cut the provider's line ({upstream})")

# It is broken now
_text("lab.done.power", "The power at {site} is cut.")
_text("lab.done.antenna", "The antenna at {site} has moved.")
_text("lab.done.interference", "A stranger uses the channel near {site}.")
_text("lab.done.unplugged", "The cable is out of {port} of {device}.")
_text("lab.done.slow_cable", "The cable at {port} of {device} is wet.")
_text("lab.done.dead_device", "{device} is dead.")
_text("lab.done.upstream", "The provider's line is cut ({upstream}).")

# What can be tried
_text("lab.repair.restore", "Restore the power at {site}")
_text("lab.repair.aim", "Re-aim the antenna at {site} and tighten it")
_text("lab.repair.louder", "Raise the transmit power of {link}")
_text("lab.repair.channel", "Change the channel of {link}")
_text("lab.repair.replug", "Put a new plug on the cable at {port} of {device}")
_text("lab.repair.cable", "Lay a new cable to {port} of {device}")
_text("lab.repair.swap", "Replace {device}")
_text("lab.repair.reboot", "Restart {device}")
_text("lab.repair.call", "Call the provider ({upstream})")

# What it brought
_text("lab.said.welcome", "This network is pretend: you cannot break anything real.")
_text("lab.said.already", "That is broken already; nothing changed.")
_text("lab.said.reset", "Everything works again.")
_text("lab.said.unknown", "The lab does not know {what}")
_text("lab.said.restored", "The power at {site} is back; its devices are starting.")
_text("lab.said.power_was_fine", "The power at {site} was on all the time: nothing changed.")
_text("lab.said.aimed", "The antenna at {site} points where it should and is tight again.")
_text("lab.said.aim_was_fine", "The antenna at {site} was well aimed already: nothing changed.")
_text(
    "lab.said.louder",
    "{link} is {gain} dB louder now. That hides a fault and disturbs others; it mends nothing.",
)
_text("lab.said.louder_already", "{link} transmits with all it has: nothing changed.")
_text("lab.said.channel", "{link} has a quiet channel again.")
_text("lab.said.channel_was_fine", "The channel of {link} was quiet already: nothing changed.")
_text("lab.said.replugged", "{port} of {device} has its connection again.")
_text("lab.said.new_cable", "{port} of {device} runs at full speed again.")
_text("lab.said.cable_was_fine", "The cable at {port} of {device} was sound: nothing changed.")
_text("lab.said.swapped", "The new radio took over: {device} answers again.")
_text("lab.said.swap_was_fine", "{device} was sound: the new one does what the old one did.")
_text("lab.said.rebooted", "{device} is starting again. Whatever was wrong still is.")
_text("lab.said.no_reaction", "{device} does not react: nothing changed.")
_text("lab.said.provider_mended", "The provider has mended the line ({upstream}).")
_text("lab.said.provider_sees_nothing", "The provider sees no fault on the line ({upstream}).")
