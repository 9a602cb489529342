"""What the homes of a pretend community download over a day."""

from __future__ import annotations

import math

_PER_HOME_BPS = 180_000.0
_NIGHT = 0.12


def day_curve(hour: float) -> float:
    """Share of the evening's peak at an hour (0 to 24): quiet at night, a hump at noon, the peak at 20."""
    noon = 0.45 * math.exp(-(((hour - 12.5) / 3.5) ** 2))
    distance = min(abs(hour - 20.0), 24 - abs(hour - 20.0))
    evening = math.exp(-((distance / 2.6) ** 2))
    return min(1.0, _NIGHT + noon + 0.9 * evening)


def demand_bps(homes: int, hour: float) -> float:
    """What this many homes download at an hour."""
    return homes * _PER_HOME_BPS * day_curve(hour)


def sunshine(hour: float) -> float:
    """How much of the full sun a panel sees at an hour, 0 to 1."""
    return max(0.0, math.sin(math.pi * (hour - 6.0) / 12.0)) if 6 <= hour <= 18 else 0.0


def battery_v(nominal_v: float, hour: float) -> float:
    """A healthy lead-acid battery of a solar site: charged by noon, resting in the evening, 80 % at dawn."""
    since_dusk = (hour - 18.0) % 24
    resting = 1.065 - 0.022 * min(since_dusk, 12.0) / 12.0
    return nominal_v * max(resting, 1.06 + 0.08 * sunshine(hour))
