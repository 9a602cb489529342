"""What is normal for a series: as the inventory says, or as was worked out of what the store remembers."""

from __future__ import annotations

from typing import NamedTuple

from ayni_core.inventory import Network
from ayni_core.readings import Series
from ayni_core.rules.bench import Mouth

LEARNED = ("reference", "last_week", "own")


class Wanted(NamedTuple):
    """A baseline that some rule asked for: of which series, and which one."""

    device: str
    series: Series
    baseline: str


class Normals:
    """Answers rules; notes what they asked for in vain, so that somebody can work it out."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._learned: dict[Wanted, float] = {}
        self.wanted: dict[Wanted, None] = {}

    def of(self, baseline: str, device: str, series: Series, end: Mouth | None) -> float | None:
        """What is normal; None where nobody knows (yet)."""
        if end is not None and series.metric == "signal_dbm":
            about = self._network.links[end.link]
            heard = about.a if end.side == "a" else about.b
            if baseline == "budget":
                return heard.expected_dbm
            if baseline == "reference" and heard.measured:
                return None  # it is written down: then that is what `budget` gives
        if baseline not in LEARNED:
            return None
        key = Wanted(device, series, baseline)
        self.wanted[key] = None
        return self._learned.get(key)

    def knows(self, wanted: Wanted) -> bool:
        """Whether it was worked out already."""
        return wanted in self._learned

    def learned(self, wanted: Wanted) -> float | None:
        """What was worked out, for those who only look; None while it was not."""
        return self._learned.get(wanted)

    def learn(self, wanted: Wanted, value: float) -> bool:
        """Whether it is another value than before."""
        before, self._learned[wanted] = self._learned.get(wanted), value
        return before != value
