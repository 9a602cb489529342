"""Stored samples as the reports that they once came in: a round of polls at a time.

Monitors count as reporting while any of their devices has samples: what a report was late for is not stored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from ayni_core.inventory import Network
from ayni_core.readings import Series, Value
from ayni_core.wire.frame import DevicePolls
from ayni_core.wire.messages import NodeState
from ayni_hub.judge import Judge
from ayni_hub.store import Store

Reports = dict[str, dict[str, DevicePolls]]
"""By monitor and device; times are seconds since 1970."""
Rows = list[tuple[float, dict[Series, Value]]]


class Rounds:
    """Of one network, with the series that are `wanted`."""

    def __init__(self, network: Network, store: Store, wanted: Callable[[Series], bool]) -> None:
        self._network = network
        self._store = store
        self._wanted = wanted

    def read(self, begin: float, until: float) -> Iterator[tuple[float, Reports]]:
        """(moment, what came since the one before it), a poll apart and at last `until`. All of it is read
        first. Raises `StoreError`."""
        polls = {device: self._rows(device, begin, until) for device in self._network.devices}
        places = dict.fromkeys(polls, 0)
        for at in _moments(begin, until, max(self._network.poll_s, 1.0)):
            reports: Reports = {}
            for device, rows in polls.items():
                place = places[device]
                if place >= len(rows) or rows[place][0] >= at:
                    continue
                taken = DevicePolls()
                while place < len(rows) and rows[place][0] < at:
                    taken.add(rows[place][0], rows[place][1])
                    place += 1
                places[device] = place
                reports.setdefault(self._network.devices[device].node, {})[device] = taken
            yield at, reports

    def _rows(self, device: str, begin: float, until: float) -> Rows:
        """The polls of a device in time order."""
        rows: dict[float, dict[Series, Value]] = {}
        for series in self._store.names(device):
            if self._wanted(series):
                for at, value in self._store.values(device, series, begin, until):
                    rows.setdefault(at, {})[series] = value
        return sorted(rows.items(), key=lambda row: row[0])


def tell(judge: Judge, reports: Mapping[str, Mapping[str, DevicePolls]], at: float) -> None:
    """Let a judge hear a round, as if each monitor reported after every poll."""
    for node, devices in reports.items():
        if judge.nodes[node].state is None:  # before its first sample nobody missed it
            judge.node_state(node, NodeState(up=True, flush_s=judge.network.flush_s), at)
        judge.take(node, devices, 0.0, at + judge.network.flush_s)
    judge.tick(at)


def _moments(begin: float, until: float, step_s: float) -> Iterator[float]:
    count = 1
    while begin + count * step_s < until:
        yield begin + count * step_s
        count += 1
    yield until
