"""The English text of the commands' `Message` contexts: what each does, why not, how far it is, what came of
it.

`_text` marks a pair for the extractor, as in `texts`, which takes these in.
"""

from __future__ import annotations

COMMAND_TEXTS: dict[str, str] = {}


def _text(context: str, english: str) -> None:
    COMMAND_TEXTS[context] = english


# What each command does
_text("command.poll", "ask a device now, without waiting for its turn")
_text("command.ping", "send echo requests from the monitor")
_text("command.traceroute", "find the way from the monitor, hop by hop")
_text("command.walk", "read a part of what a device has")
_text("command.watch", "send every poll at once for a while")
_text("command.identify", "say what a device or a monitor is")
_text("command.port", "set a port up or down")
_text("command.poe", "switch the power of a port off and on again")
_text("command.reboot", "restart a device")
_text("command.restart", "restart a monitor")
_text("command.plan", "poll by another plan for a while")

# What is about to happen
_text("plan.port_down", "Port {item} of {device} is about to go down.")
_text("plan.port_up", "Port {item} of {device} is about to go up.")
_text("plan.poe", "The power of port {item} of {device} is about to go off for {seconds} s.")
_text("plan.reboot", "{device} is about to restart.")
_text("plan.restart", "The monitor {node} is about to restart. Nothing is polled meanwhile.")
_text("plan.plan", "{node} is about to poll by another plan for {minutes} min: {plan}.")
_text("plan.plan_own", "{node} is about to go back to its own plan.")
_text("plan.harmless", "Nothing changes by this.")
_text("plan.homes", "Homes that may be cut off: {homes}.")
_text("plan.sites", "Sites that may be cut off: {sites}.")
_text("plan.sites_more", "Sites that may be cut off: {sites}, and {more} more.")
_text("plan.guard", "Unless the central still hears the monitor afterwards, it is undone after {seconds} s.")
_text(
    "plan.poe_back",
    "The monitor switches it on again by itself. If this port feeds the monitor, nobody will.",
)
_text("plan.plan_back", "Then the monitor goes back to its own plan by itself.")
_text("plan.none", "This cannot be undone.")
_text("plan.on_path", "{device} is on the only way between {node} and the central.")
_text("plan.far", "{device} is far from {node}: if this cuts the way to it, somebody must go there.")

# Why it is not done
_text("refused.unknown", "there is no command {do}")
_text("refused.surplus", "{do} takes no {name}")
_text("refused.missing", "{do} needs {name}")
_text("refused.word", "{name}: “{given}” is not possible")
_text("refused.number", "{name}: must be from {least} to {most}, got {given}")
_text("refused.root", "{given}: a walk begins at a table below 1.3.6.1.2.1, 1.3.6.1.4.1 or 1.0.8802.1.1.2")
_text("refused.role", "{user} may not do this: it takes the role {role}")
_text("refused.place", "nothing here is called {name}")
_text("refused.wants_device", "{do} is for a device, and {name} is a monitor")
_text("refused.wants_node", "{do} is for a monitor, and {name} is a device")
_text("refused.bad_id", "a command is called by 1 to {n} letters, digits, dots and dashes")
_text("refused.other_id", "the id {id} was used for another command")
_text("refused.node_down", "the monitor {node} is not there")
_text("refused.many", "too many commands at once; wait until one has ended")
_text("refused.busy", "{name} is busy: {do}, asked for by {by}")
_text("refused.saving", "{node} is near its data cap and shows nothing live until it need not save any more")
_text("refused.not_mine", "{node} does not poll {device}")
_text(
    "refused.on_path", "{device} is on the only way to {node}, and this has no undo. If it must be: --force"
)
_text(
    "refused.far", "{device} is far from {node}: what this cuts off nobody can undo. If it must be: --force"
)
_text("refused.own_port", "port {item} of {device} leads to this monitor itself: nobody could undo it")
_text("refused.poe_off", "the power of port {item} of {device} is off already, and stays so")
_text("refused.not_snmp", "{device} is not asked over SNMP, so there is nothing to do it with")
_text("refused.no_write", "nobody may write to {device}: its configuration has no section write")
_text("refused.no_pysnmp", "writing needs pysnmp on the monitor {node}, which is not installed there")
_text("refused.no_action", "the profile {profile} does not say how to do this at {device}")
_text("refused.no_port", "{device} has no port {item}; it has {known}")
_text(
    "refused.no_folder", "{node} keeps nothing on disk (state_dir), and does nothing that it may have to undo"
)
_text("refused.not_kept", "the way back could not be written down, so nothing was done: {cause}")
_text("refused.not_noted", "the monitor could not write down the command, so nothing was done: {cause}")
_text("refused.flush", "flush_s must be from poll_s ({least} s) to {most} s")
_text("refused.wants_target", "{do} needs an address")
_text("refused.no_tool", "{node} may not send echo requests, and has no ping: {cause}")

# How far it is
_text("running.taken", "the monitor has taken it on")
_text("running.polling", "asking {device}")
_text("running.walking", "{objects} objects")
_text("running.waiting_off", "off; on again in {seconds} s")
_text("running.waiting_back", "{device} restarts; waiting until it answers again")
_text("running.leaving", "the monitor restarts")
_text("running.undoing", "undoing it")
_text("running.undo_failed", "undoing it; try {n} failed: {cause}")
_text("probation.waiting", "It is so. Undone in {seconds} s unless the central confirms.")

# What came of it
_text("done.poll", "{device} answered: {n} values")
_text("done.polls", "{n} of {total} devices answered")
_text("done.ping", "{received} of {sent} came back: best {best} ms, mean {mean} ms, worst {worst} ms")
_text("done.traceroute", "{target} reached in {hops} hops")
_text("done.walk", "{objects} objects")
_text("done.walk_cut", "the first {objects} objects; there is more")
_text("done.watch", "every poll is sent at once for {seconds} s")
_text("done.identify", "{device}: profile {profile}")
_text("done.identify_node", "{node}: Ayni {version}")
_text("done.port", "port {item} of {device} is {value}")
_text("done.port_already", "port {item} of {device} was {value} already")
_text("done.poe", "the power of port {item} of {device} was off for {seconds} s and is on again")
_text("done.reboot", "{device} answers again after {seconds} s")
_text("done.restart", "the monitor {node} is back")
_text("done.plan_own", "its own plan again: a poll every {poll} s, a report every {flush} s")
_text("done.plan", "for {minutes} min: a poll every {poll} s, a report every {flush} s")
_text("failed.device", "{cause}")
_text("failed.late", "not finished within {seconds} s")
_text("failed.inside", "the monitor tripped over it: {cause}")
_text("failed.no_echo", "none of {sent} echo requests came back from {target}")
_text("failed.no_way", "{target} was not reached in {hops} hops")
_text("failed.name", "{target}: no such address")
_text("failed.not_taken", "{device} took it and did not do it")
_text("failed.no_restart", "{device} did not restart within {seconds} s")
_text("failed.not_back", "{device} went away and did not come back within {seconds} s")
_text("failed.cut_short", "the monitor restarted meanwhile; how far it came is not known")
_text("failed.no_monitor", "the monitor {node} did not answer; nothing was done")
_text("failed.no_word", "no word from {node} any more; ask again with --id {id}")
_text("failed.not_undone", "it could not be undone for {hours} h: somebody must go to {device}")
_text("expired.late", "it came too late and was not done")
_text("expired.start", "it was meant for an earlier start of the monitor and was not done")
_text("undone.no_word", "no confirmation came: port {item} of {device} is as it was before")
_text("undone.failed", "it went wrong ({cause}): port {item} of {device} is as it was before")
_text("undone.restart", "the monitor restarted in between: port {item} of {device} is as it was before")

# Events of the central
_text("event.command", "{who}: {do} {detail}")
_text("event.command_refused", "{who}: {do} {detail} was refused")
_text("event.command_done", "{who}: {do} {detail} is done")
_text("event.command_failed", "{who}: {do} {detail} failed")
_text("event.command_expired", "{who}: {do} {detail} came too late")
_text("event.command_undone", "{who}: {do} {detail} was undone")
