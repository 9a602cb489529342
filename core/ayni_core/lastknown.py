"""The newest value of everything: what the judge looks at. It advances only for newer times."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ayni_core.readings import NEIGHBOURS, Series, Value
from ayni_core.wire.frame import ANSWERED


@dataclass(slots=True)
class DeviceKnown:
    """One device: `values[series]` is (time, value); `full_at` is its last poll that brought more than an
    answer; `answered_at` its last answer; `failed_since` the first of the polls failing now."""

    values: dict[Series, tuple[float, Value]] = field(default_factory=dict)
    full_at: float = 0.0
    answered_at: float = 0.0
    failed_since: float | None = None

    def number(self, series: Series, not_before: float = 0.0) -> float | None:
        """The newest number of a series, if it was measured at or after `not_before`."""
        found = self.values.get(series)
        if found is None or found[0] < not_before or isinstance(found[1], str) or found[1] is None:
            return None
        return found[1]

    def text(self, series: Series) -> str | None:
        """The newest text of a series."""
        found = self.values.get(series)
        return found[1] if found and isinstance(found[1], str) else None

    def items(self, group: str, metric: str, not_before: float = 0.0) -> Iterator[tuple[str, Value]]:
        """(item, value) of every series of a group and metric."""
        for series, (at, value) in self.values.items():
            if series.group == group and series.metric == metric and at >= not_before:
                yield series.item, value

    def forget_neighbours(self, before: float) -> None:
        """Neighbours were read: those that are not among them are none any more."""
        for series in [
            series
            for series, (at, _value) in self.values.items()
            if series.group == NEIGHBOURS.group and at < before
        ]:
            del self.values[series]


@dataclass(slots=True)
class LastKnown:
    """Every device of the network."""

    devices: dict[str, DeviceKnown] = field(default_factory=dict)

    def of(self, device: str) -> DeviceKnown:
        """What is known of a device; empty for one that never spoke."""
        return self.devices.setdefault(device, DeviceKnown())

    def learn(self, device: str, series: Series, at: float, value: Value) -> bool:
        """Take one sample; False if something newer is known."""
        known = self.of(device)
        before = known.values.get(series)
        if before is not None and before[0] >= at:
            return False
        known.values[series] = (at, value)
        if series == ANSWERED:
            if value:
                known.answered_at, known.failed_since = at, None
            elif known.failed_since is None:
                known.failed_since = at
        elif at > known.full_at:
            known.full_at = at
        if series == NEIGHBOURS:
            known.forget_neighbours(at)
        return True

    def forget_before(self, time: float) -> None:
        """Let go of what nobody has measured since: a telephone that passed by has a name for ever."""
        for known in self.devices.values():
            stale = [series for series, (at, _value) in known.values.items() if at < time]
            for series in stale:
                del known.values[series]
