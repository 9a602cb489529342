"""How the hub tells that it is there: retained for all when that changes, a sign of life for people.

Nodes hear the retained word only: a sign of life every half minute would cost a metered link more than all
readings do.
"""

from __future__ import annotations

from collections.abc import Callable

from ayni_core.wire import topics
from ayni_core.wire.messages import HubState
from ayni_core.wire.shape import pack
from ayni_hub.voice import Voice
from ayni_io import clock

_BEAT_S, _SAY_AGAIN_S = 30.0, 3600.0


class Presence:
    """`state` says how the hub is now."""

    def __init__(self, voice: Voice, state: Callable[[], HubState]) -> None:
        self._voice = voice
        self._state = state
        self._last_beat = self._last_said = 0.0

    async def say(self) -> None:
        """To all, retained."""
        self._last_beat = self._last_said = clock.monotonic_s()
        await self._voice.keep(topics.HUB, pack(self._state()))

    async def beat(self) -> None:
        """When it is time, show people that we live; now and then also what is retained for nodes."""
        now_s = clock.monotonic_s()
        if now_s - self._last_beat < _BEAT_S or not self._voice.connected:
            return
        if self._last_beat - self._last_said >= _SAY_AGAIN_S:
            await self.say()
        self._last_beat = now_s
        await self._voice.say(topics.BEAT, pack(self._state()), qos=0)
