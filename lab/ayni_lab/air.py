"""How a pretend radio link behaves: fading, noise, and the rates and repeats that follow from them.

No physics: a link hears what it should, give or take slow fading that both ends share (an
Ornstein-Uhlenbeck walk) and a little noise of measurement. It stays within 2.5 dB, well inside what
alarms take for normal.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

QUIET_NOISE_DBM = -95.0
_FADING_DB, _FADING_S, _MOST_FADING_DB = 0.9, 180.0, 2.0
_MEASUREMENT_DB = 0.25

_RATES = (
    (35, 130), (33, 117), (31, 104), (28, 78), (25, 52), (18, 39), (14, 26), (10, 13)
)  # fmt: skip
"""(SNR in dB, Mbit/s): 802.11n, 20 MHz, two streams, with the margin that radios keep in the field."""


@dataclass(slots=True)
class Fading:
    """The slow wandering of one link, in dB."""

    now_db: float = 0.0

    def step(self, seconds: float, rng: Random) -> float:
        """Wander on for some seconds."""
        keep = math.exp(-max(seconds, 0.0) / _FADING_S)
        spread = _FADING_DB * math.sqrt(1 - keep * keep)
        self.now_db = max(
            -_MOST_FADING_DB, min(_MOST_FADING_DB, self.now_db * keep + rng.gauss(0, 1) * spread)
        )
        return self.now_db


def measured(dbm: float, rng: Random) -> float:
    """A level as a radio reports it."""
    wobble = max(-2 * _MEASUREMENT_DB, min(2 * _MEASUREMENT_DB, rng.gauss(0, _MEASUREMENT_DB)))
    return dbm + wobble


def rate_bps(snr_db: float) -> int:
    """The modulation rate that a radio chooses at this signal over noise."""
    for needed, megabits in _RATES:
        if snr_db >= needed:
            return megabits * 1_000_000
    return 6_500_000


def ccq_pct(snr_db: float, noise_rise_db: float) -> float:
    """The share of frames that get through at first try. A stranger on the channel costs more than the
    loss of signal over noise alone: he talks at the same time."""
    quality = 97.0 - 1.1 * max(0.0, 34.0 - snr_db) - 1.8 * noise_rise_db
    return max(12.0, min(99.0, quality))
