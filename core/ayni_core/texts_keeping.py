"""English texts of backups, of a central that came back, and of monitors that send too much."""

from __future__ import annotations

KEEPING_TEXTS: dict[str, str] = {}


def _text(context: str, english: str) -> None:
    KEEPING_TEXTS[context] = english


_text(
    "event.hub_restored",
    "The central was put back from a backup that was {hours} h old; monitors send again what came since",
)
_text("event.many_events", "Monitor {node}: {count} events were left out, there are far too many")
_text("event.backup_failed", "The backup of this night failed: {reason}")
_text(
    "event.monitor_floods",
    "Monitor {node} sends far too much: {count} reports were not looked at; it is broken, or in wrong hands",
)
