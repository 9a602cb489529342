"""The English text of every `Message` context. Translators work on these; keys are never translated.

`_text` marks a pair for the extractor: gettext sees the key as msgctxt and the text as msgid.
"""

from __future__ import annotations

from ayni_core.texts_lab import LAB_TEXTS

TEXTS: dict[str, str] = {}


def _text(context: str, english: str) -> None:
    TEXTS[context] = english


TEXTS.update(LAB_TEXTS)


# What is wrong (alerts): a headline of at most 60 characters
_text("rule.device_silent", "{device} does not answer")
_text("rule.link_down", "{link} is down")
_text("rule.signal_low", "{link}: {end} hears {signal} dBm, normal is {normal}")
_text("rule.port_slow", "{device} {port} runs at {speed} Mb/s, was {best}")
_text("rule.quality_low", "{link}: quality at {end} is {value} %")
_text("rule.cable_out", "{device} {port}: the cable is out or dead")
_text("rule.upstream_down", "{upstream} does not reach the Internet")
_text("rule.agent_offline", "Monitor {node} is silent")

# Why, probably (short enough for a column of Home)
_text("cause.no_power", "no power")
_text("cause.device", "device or its cable")
_text("cause.antenna_moved", "antenna moved")
_text("cause.interference", "interference")
_text("cause.cable", "cable or plug")
_text("cause.provider", "provider")
_text("cause.monitor_silent", "monitor silent")
_text("cause.behind", "behind {link}")
_text("cause.unknown", "not known yet")

# Why, probably (one plain sentence)
_text("headline.no_power", "{site} has probably lost power.")
_text("headline.device", "{device} or its cable has probably failed.")
_text("headline.antenna_moved", "An antenna has probably moved.")
_text("headline.interference", "Somebody else probably uses this channel near {site}.")
_text("headline.cable", "A cable or plug at {device} is probably bad.")
_text("headline.provider", "The provider is probably down.")
_text("headline.monitor_silent", "The monitor is silent; the link may well work.")
_text("headline.behind", "The way there is cut at {link}.")
_text("headline.unknown", "Not enough is known yet.")

# Answers of the hub that are not data
_text("answer.unknown_question", "the central does not know this question: {question}")
_text("answer.bad_question", "the central did not understand the question: {problem}")
_text("answer.not_found", "nothing is known of {name}")
_text("answer.not_allowed", "{user} may not do this")
_text("answer.store_down", "the central cannot read its memory right now")

# Events
_text("event.note", "{author}: {text}")
_text("event.hub_started", "The central started")
_text("event.node_up", "Monitor {node} reports")
_text("event.node_down", "Monitor {node} left")
_text("event.cloned_node", "Two machines call themselves {node}")
_text("event.frames_refused", "The central refused {count} reports of {node}: {reason}")
