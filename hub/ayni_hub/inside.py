"""What companions of the hub may look at: tasks beside its loop that show what it knows to other programs.

Only on the hub's loop, never changing anything, and never raising: the hub ends with its companions.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from ayni_core.inventory import Network
from ayni_hub.intake import Intake
from ayni_hub.judge import Judge
from ayni_hub.picture import Picture
from ayni_hub.voice import Voice

Companion = Callable[[], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """The parts of a running hub."""

    network: Network
    judge: Judge
    picture: Picture
    intake: Intake
    voice: Voice
