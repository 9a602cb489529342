"""What the phone page shows, gathered from the running hub: the picture as it was last told, the alarms.

Pages are asked for from threads of their own. What was gathered is kept for a moment and only read, so that
many telephones at once cost the hub's loop no more than one.
"""

from __future__ import annotations

import threading

from ayni_core.onlooking.model import Model
from ayni_core.wire.messages import (
    Community,
    DeviceView,
    HubState,
    LinkView,
    NodeView,
    SiteView,
    UpstreamView,
)
from ayni_core.wire.questions import Reading
from ayni_hub import readings_now
from ayni_hub.inside import Inside
from ayni_hub.numbers.snapshot import Snapshot
from ayni_hub.numbers.states import View
from ayni_io import clock

_KEPT_S = 2.0


class Watching:
    """Gives a `Model` of the network as it is now."""

    def __init__(self, inside: Inside, snapshot: Snapshot) -> None:
        self._inside, self.snapshot = inside, snapshot
        self._gathering = threading.Lock()
        self._model, self._at = Model(), -_KEPT_S

    def model(self) -> Model:
        """Not to be changed. Raises `BusyError` when the hub has no moment."""
        with self._gathering:
            if clock.monotonic_s() - self._at >= _KEPT_S:
                self._model, self._at = self._gather(), clock.monotonic_s()
            return self._model

    def readings(self, device: str) -> tuple[Reading, ...]:
        """What a device said last; nothing of one that is not known. Raises `BusyError`."""
        if device not in self._inside.network.devices:
            return ()
        known = self._inside.judge.known
        return self.snapshot.on_loop(lambda: readings_now.readings(known.of(device)))

    def _gather(self) -> Model:
        inside, network = self._inside, self._inside.network
        model = Model()
        model.community = Community(
            title=network.title, language=network.language, poll_s=network.poll_s, training=network.training
        )
        for view in self.snapshot.views():
            _put(model, view)
        state, connected, alerts = self.snapshot.on_loop(
            lambda: (inside.intake.state, inside.voice.connected, dict(inside.judge.alerts))
        )
        model.alerts.update(alerts)
        now = clock.wall_s()
        model.hub = HubState(state=state, at=now)
        model.linked(connected)
        model.heard(now)
        return model


def _put(model: Model, view: View) -> None:
    match view:
        case LinkView():
            model.links[view.id] = view
        case SiteView():
            model.sites[view.id] = view
        case DeviceView():
            model.devices[view.id] = view
        case NodeView():
            model.nodes[view.id] = view
        case UpstreamView():
            model.upstreams[view.id] = view
