"""What a device said: values under (group, item, metric), as one poll brings them.

A poll makes hundreds of readings, so they are kept as a dict from `Series` to value, not as an object
each: the `Series` is made once and shared by every poll, frame and query that follows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

Value = int | float | str | None
"""A reading's value; None means that the device gives none. None is never written as 0."""

GROUPS = ("system", "interface", "radio", "station", "power", "poe", "sensor", "ping", "node")


class Series(NamedTuple):
    """The name of one sequence of readings of a device.

    `group` is one of GROUPS; `item` says which one ("" where there is only one, otherwise an interface's
    name, a radio's, a peer's MAC as 12 lower-case hex digits); `metric` is a key of `metrics.METRICS`.
    """

    group: str
    item: str
    metric: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """One poll of one device.

    `at_s` is monotonic seconds. `values` is empty when `error` says why the device did not answer.
    """

    device: str
    at_s: float
    values: Mapping[Series, Value]
    error: str | None = None
