"""English texts of what devices report by themselves (SNMP traps)."""

from __future__ import annotations

TRAP_TEXTS: dict[str, str] = {}


def _text(context: str, english: str) -> None:
    TRAP_TEXTS[context] = english


_text("note.trap_cold_start", "{device} started anew: it had no power, or was reset")
_text("note.trap_warm_start", "{device} started anew")
_text("note.trap_link_down", "{device} {port}: the link went down")
_text("note.trap_link_up", "{device} {port}: the link came up")
_text("note.trap_auth", "{device} was asked with a wrong community or password")
_text("note.trap_on_battery", "{device} runs on battery: the mains went away")
_text("note.trap_on_mains", "{device} is on mains again")
_text("note.trap_battery_low", "{device}: the battery is nearly empty")
_text("note.trap_battery_bad", "{device}: the battery must be replaced")
_text("note.trap_overload", "{device}: more power is drawn than it can give")
_text("note.trap_power_fault", "{device} reports a fault of a power supply")
_text("note.trap_power_good", "{device}: the power supply is in order again")
_text("note.trap_stopped", "{device} is being switched off or restarted")
_text("note.trap_hot", "{device} is too hot")
_text("note.trap_fan", "{device}: a fan has failed")
_text("note.trap_alarm", "{device} reports an alarm: {what}")
_text("note.trap_alarm_over", "{device}: an alarm is over: {what}")
_text("note.trap_unknown", "{device} sent a trap that is not known here: {oid}")
_text("note.trap_more", "{device} sent {n} more traps")
_text("note.trap_strangers", "{n} traps came from elsewhere than the devices of this monitor: {addresses}")
_text("note.trap_refused", "{device} sent {n} traps with an unknown community or user")
