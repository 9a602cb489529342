"""How each device was seen last: what `ayni agent status` shows of it. Costs a poll next to nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ayni_agent.flight import is_slow
from ayni_agent.schedule import SILENT_AFTER
from ayni_agent.status import DeviceStatus, ValueStatus, age
from ayni_core.readings import Poll, Series, Value

MOST_VALUES = 3
_PROFILE = Series("system", "", "profile")
_RANKED = (
    "signal_dbm",
    "rsrp_dbm",
    "rssi_dbm",
    "voltage_v",
    "charge_pct",
    "ccq_pct",
    "quality_pct",
    "tx_rate_bps",
    "power_w",
    "temperature_c",
    "cpu_pct",
    "uptime_s",
)
"""What matters most to somebody at the site stands first."""
_WORTH = {metric: rank for rank, metric in enumerate(_RANKED)}
_TELL_0 = ("voltage_v", "charge_pct", "power_w", "temperature_c")
"""Of the others 0 says that there is nothing to tell, such as the quality of a radio that nobody talks to."""
_MOST_ERROR = 160


@dataclass(slots=True)
class _Seen:
    state: str = "new"
    since_s: float | None = None
    answered_s: float | None = None
    failures: int = 0
    slow: bool = False
    error: str = ""
    full: Poll | None = None


class Sightings:
    """The last poll of every device. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}

    def take(self, poll: Poll, now_s: float, patience_s: float) -> None:
        """A poll that just ended."""
        seen = self._seen.get(poll.device)
        if seen is None:
            seen = self._seen[poll.device] = _Seen()
        if poll.error is None:
            seen.answered_s, seen.failures, seen.error = now_s, 0, ""
            if poll.values:
                seen.full = poll
                seen.slow = is_slow(seen.slow, now_s - poll.at_s, patience_s)
            state = "slow" if seen.slow else "ok"
        else:
            seen.failures += 1
            seen.error = poll.error
            state = "silent" if seen.failures >= SILENT_AFTER else "failing"
        if state != seen.state:
            seen.state, seen.since_s = state, now_s

    def silent(self) -> int:
        """How many devices are silent."""
        return sum(seen.state == "silent" for seen in self._seen.values())

    def keep(self, names: Mapping[str, object]) -> None:
        """Forget the devices that are not among these."""
        for name in self._seen.keys() - names.keys():
            del self._seen[name]

    def status(self, name: str, address: str, now_s: float) -> DeviceStatus:
        """How a device is."""
        seen = self._seen.get(name, _Seen())
        values: Mapping[Series, Value] = seen.full.values if seen.full is not None else {}
        return DeviceStatus(
            name=name,
            state=seen.state,
            state_age_s=None if seen.since_s is None else age(now_s, seen.since_s),
            address=address,
            family=str(values.get(_PROFILE) or ""),
            answered_age_s=None if seen.answered_s is None else age(now_s, seen.answered_s),
            error=seen.error[:_MOST_ERROR],
            values=() if seen.state == "silent" else key_values(values),
        )


def key_values(values: Mapping[Series, Value]) -> tuple[ValueStatus, ...]:
    """The few values of a poll that matter; of several alike the lowest: the weakest radio, the emptiest
    battery."""
    lowest: dict[str, ValueStatus] = {}
    for series, value in values.items():
        if series.metric in _WORTH and isinstance(value, int | float) and (value or series.metric in _TELL_0):
            known = lowest.get(series.metric)
            if known is None or value < known.value:
                lowest[series.metric] = ValueStatus(
                    group=series.group, item=series.item, metric=series.metric, value=float(value)
                )
    best = sorted(lowest.values(), key=lambda each: _WORTH[each.metric])
    return tuple(best[:MOST_VALUES])
