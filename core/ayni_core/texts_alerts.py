"""English texts of what becomes of alerts: taken on, flapping, maintenance, and when nobody looked."""

from __future__ import annotations

ALERT_TEXTS: dict[str, str] = {}


def _text(context: str, english: str) -> None:
    ALERT_TEXTS[context] = english


_text("event.taken_on", "{author} takes it on")
_text("event.taken_on_note", "{author} takes it on: {note}")
_text("event.given_back", "{author} no longer sees to it")
_text("event.flapping", "{name} comes and goes: no more is told until it was calm for {minutes} minutes")
_text("event.maintenance_added", "{author}: maintenance from {start} to {end}")
_text("event.maintenance_added_note", "{author}: maintenance from {start} to {end}: {note}")
_text("event.maintenance_ended", "{author} ended the maintenance")

# When the central saw nothing: what happened then it learns later, or never
_text("event.blind_stopped", "The central was blind from {start} to {end}: it did not run")
_text("event.blind_broker", "The central was blind from {start} to {end}: it could not reach its broker")
_text("event.blind_store", "The central was blind from {start} to {end}: it could not write its memory")
_text("event.blind_clock", "The central was blind from {start} to {end}: its clock was wrong")
_text("event.blind_asleep", "The central was blind from {start} to {end}: its machine slept or stood still")

_text("answer.no_such_alert", "there is no such alert any more: {alert}")
_text("answer.not_taken_on", "nobody has taken that on")
_text("answer.bad_maintenance", "this is no time for maintenance: {problem}")
_text("answer.too_many_windows", "too many times of maintenance: there are {most}; end one first")
_text("answer.no_such_window", "there is no maintenance {id}")
_text("answer.window_in_file", "maintenance {id} stands in network.yaml; change it there")
