"""English texts of what people are told: notifications, digests, and the talk with the bot.

The first line of a notification must fit an SMS with all its parts: keep the words short.
"""

from __future__ import annotations

PEOPLE_TEXTS: dict[str, str] = {}


def _text(context: str, english: str) -> None:
    PEOPLE_TEXTS[context] = english


# The first line of a notification, and the parts that follow while there is room
_text("tell.critical", "ALARM: {what}, since {time}")
_text("tell.warn", "Warning: {what}, since {time}")
_text("tell.worse", "WORSE: {what}, since {time}")
_text("tell.nobody", "NOBODY HAS THIS YET: {what}, since {time}")
_text("tell.over", "Over ({start} to {end}): {what}")
_text("tell.taken", "{who} takes this on: {what}")
_text("tell.probably", "Probably: {cause}")
_text("tell.homes", "Homes without a way out: {n}")
_text("tell.homes_short", "Homes: {n}")
_text("tell.sites", "Sites behind it: {n}")
_text("tell.alerts", "Alarms explained by it: {n}")
_text("tell.first", "First: {step}")
_text("tell.answer", "To take it on, answer: {word} {n}")
_text("tell.command", "To take it on: ayni ack {alert}")
_text("tell.again", "(Perhaps you have this already.)")

# What to do first, by the probable cause
_text("first.no_power", "Call the site: is there light? Are the neighbours dark too?")
_text("first.device", "Ask: was anything changed, moved or unplugged? Is there power?")
_text("first.antenna_moved", "Ask at both ends: did anyone touch the mast? Was there a storm?")
_text("first.side_lobe", "Look: are both ends about 20 dB below the plan, ever since it was put up?")
_text("first.connector", "Look: is H or V lower at both ends, worst after rain, better in the sun?")
_text("first.interference", "Ask: is there a new antenna or provider nearby?")
_text("first.cable", "Ask: was it after rain, or after somebody moved things?")
_text("first.provider", "Look: do your own links work? Then it is not your network.")
_text("first.monitor_silent", "Look: does the far end still see the link? Then only the monitor is silent.")
_text("first.behind", "Repair the link before it first: this one hangs behind it.")
_text("first.battery", "Look: is the panel clean and in the sun? Measure the battery's voltage.")
_text("first.supply", "Swap the power supply and its cable first. Nobody climbs for this.")
_text("first.mains", "Call the site: is there light? Are the neighbours dark too?")
_text("first.heat", "Look: is the box in the shade, the vent free, the fan turning?")
_text("first.busy", "Look: who uses so much, and since when?")
_text("first.path", "Look at each link on the way: which one loses?")
_text("first.worn", "Get a spare one, and copy what is kept on it.")
_text("first.full", "Look: what fills it? Keep what is needed, clear the rest.")
_text("first.clock", "Look: does it reach a machine that knows the time?")
_text("first.plan", "Ask: how much is left of the data plan, and until when?")
_text("first.backup", "Health says why: is the stick there, is the other machine on?")
_text("first.certificate", "Ask: who has the laptop with the network's authority (the folder pki)?")
_text("first.unknown", "Ask: one home, one site or everyone? Since when? What changed?")

# Days, as they stand before a time
_text("tell.mon", "Mon {time}")
_text("tell.tue", "Tue {time}")
_text("tell.wed", "Wed {time}")
_text("tell.thu", "Thu {time}")
_text("tell.fri", "Fri {time}")
_text("tell.sat", "Sat {time}")
_text("tell.sun", "Sun {time}")

# Of the central itself
_text(
    "tell.store_down",
    "The central cannot write its memory, since {time}. Nothing is lost while monitors wait",
)
_text("tell.clock_wrong", "The clock of the central is wrong: it takes nothing in until somebody sets it")
_text("tell.hub_ready", "The central works again ({start} to {end})")

# Many at once
_text("tell.summary", "{n} messages since {time}. Open now: {open}")
_text("tell.more", "and {n} more")
_text("tell.open_none", "Nothing is open.")

# Digests
_text("tell.daily", "{network}: the last day. Open now: {open}, alarms: {alarms}, over: {over}")
_text("tell.weekly", "{network}: the last week. Open now: {open}, alarms: {alarms}, over: {over}")
_text("tell.open", "Open:")
_text("tell.happened", "What happened:")
_text("tell.has_it", "{who} has it")
_text("tell.available", "{what}: {percent} % of the time")
_text("tell.availability", "Worked:")

# A test
_text("tell.test", "{network}: a test. If you read this, {person} can be reached by {target}.")

# The bot: words of commands, and what it answers
_text("bot.status", "status")
_text("bot.ack", "ack")
_text("bot.note", "note")
_text("bot.help", "help")
_text("bot.all_well", "{network}: nothing is open.")
_text("bot.open", "{network}: {n} open")
_text("bot.line", "{n}: {what}, since {time}")
_text("bot.you_have_it", "You have it: {what}")
_text("bot.noted", "Written down.")
_text("bot.which", "Which one? Answer {word} and its number, as in {word} {n}")
_text("bot.no_such", "There is no open alarm {n}")
_text("bot.too_fast", "Too many at once. Wait a minute")
_text(
    "bot.usage",
    "{status}: what is open\n{ack} N: you take on number N\n{note} N TEXT: write to number N\n"
    "{note} TEXT: write to the network\n{help}: this",
)

# Events
_text("event.not_told", "{person} could not be told by {target}: {reason}")
_text("event.target_failing", "Messages to {person} by {target} do not arrive: {reason}")
_text("event.target_works", "Messages to {person} by {target} arrive again")
_text("event.heartbeat_failing", "The heartbeat does not reach its address outside: {reason}")
_text("event.heartbeat_works", "The heartbeat reaches its address outside again")
_text("event.nobody_to_tell", "An alarm was told to nobody: no person of network.yaml wants it")
