"""English texts of a hub that stands on several machines: workers, villages, servers."""

from __future__ import annotations

PART_TEXTS: dict[str, str] = {}


def _text(context: str, english: str) -> None:
    PART_TEXTS[context] = english


_text("answer.elsewhere", "this is done in the village itself, at its own central")
_text("event.worker_gone", "Worker {name} is away: the reports of {count} monitors wait until it is back")
_text("event.worker_down", "Worker {name} cannot store anything: the reports of {count} monitors wait")
_text("event.village_gone", "The central of {name} is away: what is shown of it may be old")
_text(
    "event.fed_unknown",
    "{count} reports from {name} wait there ({reason}): bring its network.yaml here, and restart the central",
)
_text("event.fed_ahead", "The clock of {name} is {minutes} minutes ahead of the server's")
_text("event.part_back", "{name} is back")
_text("event.buckets_twice", "Workers {names} share the buckets {buckets}: each bucket needs one worker")
_text("event.buckets_missing", "No worker has the buckets {buckets}: the reports of {count} monitors wait")
_text("event.buckets_well", "The buckets are divided well again")
_text("event.feed_dropped", "{count} reports will never reach the server: there was no room for them")
_text("event.feed_refused", "The server refused {count} reports: {reason}")
_text("event.server_away", "The server does not answer; what it misses is kept for it")
_text("event.server_back", "The server is back; {count} reports wait for it")
