"""What makers' own numbers for states mean, as the device's profile has them: `delivering`, not 3.

Numbers travel, for names would cost more; the profiles that name them are here, too. Where one is only at the
monitor, or two of its tables name the same number otherwise, the number stands.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ayni_core.metrics import METRICS
from ayni_core.profile import Reading as Read
from ayni_core.schema import ConfigError
from ayni_core.wire.questions import Reading
from ayni_io.profiles import Profiles

Names = Mapping[tuple[str, str, str], Mapping[int, str]]
"""By (group, metric, how the item begins); the last is empty where the profile does not say."""


@functools.lru_cache(maxsize=64)
def of_profile(name: str) -> Names:
    """The names that a profile has; reading it takes some 50 ms, so not in the loop that draws."""
    try:
        profile = Profiles().load(name)
    except (ConfigError, OSError):
        return {}
    found: dict[tuple[str, str, str], dict[int, set[str]]] = {}
    for part in profile.parts:
        for read in (*part.scalars, *(each for table in part.tables for each in table.readings)):
            names = found.setdefault((read.group, read.metric, _begins(read)), {})
            for number, state in read.states.items():
                names.setdefault(number, set()).add(state)
    return {
        key: {number: min(states) for number, states in names.items() if len(states) == 1}
        for key, names in found.items()
        if names
    }


def _begins(read: Read) -> str:
    """How items of a reading begin: all of a text, or what stands before a number."""
    first = read.items[0] if len(read.items) == 1 else None
    if first is None:
        return ""
    return first.text or (f"{first.prefix} " if first.prefix else "")


def named(readings: Sequence[Reading], names: Names) -> tuple[Reading, ...]:
    """The readings, states by their names where these are known."""
    return tuple(_named(reading, names) for reading in readings)


def _named(reading: Reading, names: Names) -> Reading:
    entry = METRICS.get(reading.metric)
    if entry is None or entry.kind != "state" or entry.states or not isinstance(reading.value, int):
        return reading
    fitting = [
        begins
        for group, metric, begins in names
        if (group, metric) == (reading.group, reading.metric) and reading.item.startswith(begins)
    ]
    if not fitting:
        return reading
    closest = max(fitting, key=len)
    name = names[reading.group, reading.metric, closest].get(reading.value)
    return reading if name is None else replace(reading, value=name)
