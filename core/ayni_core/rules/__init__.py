"""Rules: when a number is an alarm, with persistence and hysteresis. Shared by the hub and the agent.

A `Rule` is data. A `Track` is what a rule remembers of one subject (one device, one end of a link …). `step`
takes the next number and gives the next track: no clock, no state elsewhere, so the same history always tells
the same story, at the site and at the hub. A `Law` is which rules hold where; a `Bench` runs them over polls.
"""

from __future__ import annotations

from ayni_core.rules.reading import by_metric, parse
from ayni_core.rules.rule import BASELINES, LEVELS, SCOPES, TESTS, Rule
from ayni_core.rules.track import EMPTY, Track, step

__all__ = ["BASELINES", "EMPTY", "LEVELS", "SCOPES", "TESTS", "Rule", "Track", "by_metric", "parse", "step"]
