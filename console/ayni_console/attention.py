"""What needs the operator; the same for every onlooker."""

from __future__ import annotations

from ayni_core.onlooking.attention import (
    Counts,
    Item,
    alert_state,
    counts,
    find,
    items,
    of_alert,
)

__all__ = [
    "Counts",
    "Item",
    "alert_state",
    "counts",
    "find",
    "items",
    "of_alert",
]
