"""The English text of every `Message` context. Translators work on these; keys are never translated.

`_text` marks a pair for the extractor: gettext sees the key as msgctxt and the text as msgid.
"""

from __future__ import annotations

from ayni_core.message import DEEPEST, Phrase
from ayni_core.texts_alerts import ALERT_TEXTS
from ayni_core.texts_commands import COMMAND_TEXTS
from ayni_core.texts_discovery import DISCOVERY_TEXTS
from ayni_core.texts_faults import FAULT_TEXTS
from ayni_core.texts_keeping import KEEPING_TEXTS
from ayni_core.texts_keys import KEY_TEXTS
from ayni_core.texts_lab import LAB_TEXTS
from ayni_core.texts_numbers import NUMBER_TEXTS
from ayni_core.texts_parts import PART_TEXTS
from ayni_core.texts_people import PEOPLE_TEXTS
from ayni_core.texts_pin import PIN_TEXTS
from ayni_core.texts_rules import RULE_TEXTS
from ayni_core.texts_signs import SIGN_TEXTS
from ayni_core.texts_traps import TRAP_TEXTS
from ayni_core.texts_words import WORD_TEXTS

TEXTS: dict[str, str] = {}


def _text(context: str, english: str) -> None:
    TEXTS[context] = english


TEXTS.update(LAB_TEXTS)
TEXTS.update(COMMAND_TEXTS)
TEXTS.update(ALERT_TEXTS)
TEXTS.update(TRAP_TEXTS)
TEXTS.update(RULE_TEXTS)
TEXTS.update(PART_TEXTS)
TEXTS.update(DISCOVERY_TEXTS)
TEXTS.update(PEOPLE_TEXTS)
TEXTS.update(PIN_TEXTS)
TEXTS.update(KEY_TEXTS)
TEXTS.update(NUMBER_TEXTS)
TEXTS.update(SIGN_TEXTS)
TEXTS.update(KEEPING_TEXTS)
TEXTS.update(FAULT_TEXTS)
TEXTS.update(WORD_TEXTS)


def in_english(phrase: Phrase, deep: int = 0) -> str:
    """A phrase for logs and programs; its bare context where nobody declared it."""
    text = TEXTS.get(phrase.context)
    if text is None or deep > DEEPEST:
        return phrase.context
    said = {
        name: in_english(each, deep + 1) if isinstance(each, Phrase) else each
        for name, each in phrase.values.items()
    }
    try:
        return text.format(**said) if said else text
    except (KeyError, IndexError, ValueError):  # a value is missing; that must not end a program
        return text


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
_text("answer.bad_question", "the central did not understand the question: {problem}")
_text("answer.not_found", "nothing is known of {name}")
_text("answer.not_allowed", "{user} may not do this")
_text("answer.past_over", "the look at the past has ended; begin it again")
_text("answer.past_busy", "{most} people look at the past already; try again in two minutes")
_text("answer.store_down", "the central cannot read its memory right now")
_text("answer.too_many", "too many questions at once: at most {most} of one person wait at a time")
_text("answer.too_many_notes", "too many notes: at most {most} in {minutes} minutes")
_text("answer.empty_note", "an empty note is not kept")

# What a monitor has to tell of itself
_text("note.saving_off", "The monitor's use of data is no longer limited: {used} MB this month")
_text("note.saving_month", "A new month begins: the monitor no longer saves data")
_text(
    "note.saving_0",
    "The monitor no longer saves data: {used} of {cap} MB are used, {forecast} MB are expected this month",
)
_text(
    "note.saving_1",
    "To save data the monitor reports half as often and shows nothing live; alarms come at once."
    " {used} of {cap} MB are used, {forecast} MB would be this month",
)
_text(
    "note.saving_2",
    "To save data the monitor reports four times less often, slow readings even less, nothing live; alarms"
    " come at once."
    " {used} of {cap} MB are used, {forecast} MB would be this month",
)
_text(
    "note.saving_3",
    "Until next month the monitor saves all it can: a report an hour, nothing live, no history; alarms come"
    " at once."
    " {used} of {cap} MB are used, {forecast} MB would be this month",
)
_text("note.budget_lost", "The monitor lost its account of used data and counts anew")
_text(
    "note.lights_out",
    "{device}: the battery is down to {value} {unit}; the monitor switches itself off until there is power",
)
_text("note.clock_set", "The clock of the monitor was set from {before} to {after} UTC")

# What alarms at a monitor that judges for itself
_text("alarm.alone", "{device} hears no other radio any more")
_text("alarm.peer_lost", "{device} no longer hears {peer}")

# What happened at a monitor while it had no contact
_text(
    "note.power_cut",
    "The monitor lost its power: what it had polled since its last report, at {since} UTC, is lost",
)
_text("note.killed", "The monitor ended without a word and was started again; nothing is lost")
_text("note.outage", "No contact with the central for {span}")
_text("note.outage_more", "{n} more things changed meanwhile")
_text("note.outage_dropped", "{n} reports were dropped meanwhile: there was no room")
_text("note.meanwhile", "{device}: something was wrong for {span}")
_text("note.meanwhile_silent", "{device} did not answer for {span}")
_text("note.meanwhile_signal", "{link}: {end} heard a weak signal for {span}")
_text("note.meanwhile_quality", "{link}: quality at {end} was low for {span}")
_text("note.meanwhile_port", "{device} {port} was slow for {span}")
_text("note.meanwhile_cable", "{device} {port}: the cable was out or dead for {span}")
_text("note.meanwhile_peer", "{device} did not hear {peer} for {span}")

# What a monitor judged by itself; the central has its own verdict of what reaches it in time
_text("note.verdict", "Seen by the monitor alone: something is wrong with {device}")
_text("note.verdict_silent", "Seen by the monitor alone: {device} does not answer")
_text("note.verdict_signal", "Seen by the monitor alone: {end} hears {signal} dBm, normal is {normal}")
_text("note.verdict_quality", "Seen by the monitor alone: quality at {end} is {value} %")
_text("note.verdict_port", "Seen by the monitor alone: {device} {port} runs at {speed} Mb/s, was {best}")
_text("note.verdict_cable", "Seen by the monitor alone: {device} {port}: the cable is out or dead")
_text("note.verdict_peer", "Seen by the monitor alone: {device} no longer hears {peer}")

# Events
_text("event.note", "{author}: {text}")
_text("event.hub_started", "The central started")
_text("event.node_up", "Monitor {node} reports")
_text("event.radio_swapped", "{link}: another radio than before stands at {end}")
_text(
    "event.link_not_found",
    "{link} was not found for {hours} hours: is it still there, as it is written down?",
)
_text("event.node_down", "Monitor {node} left")
_text("event.cloned_node", "Two machines call themselves {node}")
_text("event.clock_arrival", "{node} does not know the time: its readings are dated by when they arrive")
_text("event.clock_own", "{node} was not sure of the time: older readings are dated by its own clock")
_text("event.clock_order", "{node} did not know the time: older readings stand right before its next start")
_text("event.frames_refused", "The central refused {count} reports of {node}: {reason}")
_text("event.names_refused", "{device} brings too many names: {count} above {most} were not kept")
_text(
    "event.names_refused_node",
    "The devices of monitor {node} bring too many names: {count} above {most} were not kept",
)
_text("event.notes_refused", "Monitor {node} sends too many notes: {count} were not kept")
