"""What the console knows of the network; the same for every onlooker."""

from __future__ import annotations

from ayni_core.onlooking.model import (
    HOLDING,
    NO_CONTACT,
    QUIET_S,
    Model,
)

__all__ = [
    "HOLDING",
    "NO_CONTACT",
    "QUIET_S",
    "Model",
]
