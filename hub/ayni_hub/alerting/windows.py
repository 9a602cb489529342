"""Windows of maintenance: which are open now, what lies in them, and when that changes next."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import tzinfo

from ayni_core import maintenance
from ayni_core.inventory import Network
from ayni_core.maintenance import Window

MOST = 200
"""Windows that people may have made at a time."""
_LOOK_S = 60.0


class Windows:
    """Those of `network.yaml`, and those that people made. The clock of the network counts."""

    def __init__(self, network: Network, zone: tzinfo, made: Iterable[Window]) -> None:
        self._network = network
        self.zone = zone
        self.written = {window.id: window for window in network.maintenance.values()}
        self.made = {
            window.id: window
            for window in made
            if maintenance.problem(window, zone) is None
            and maintenance.exists(window.kind, window.name, network)
        }
        self._open: tuple[Window, ...] = ()
        self._of: dict[tuple[str, str], str | None] = {}
        self._looked = 0.0
        self._due = 0.0

    def look(self, now: float) -> bool:
        """See which are open; whether that changed. Cheap between two changes."""
        if self._looked <= now < self._due:
            return False
        self._looked, self._due = now, now + _LOOK_S
        found = []
        for window in (*self.made.values(), *self.written.values()):
            times = maintenance.occurrence(window, now, self.zone)
            if times is not None:
                self._due = min(self._due, times[1] if times[0] <= now else times[0])
                if times[0] <= now:
                    found.append(window)
        if tuple(found) == self._open:
            return False
        self._open = tuple(found)
        self._of = {}
        return True

    def look_again(self) -> None:
        """A window was added or ended."""
        self._due = 0.0

    @property
    def asked(self) -> Callable[[str, str], str | None] | None:
        """Names the open window that a thing lies in; None while none is open."""
        return self._window_of if self._open else None

    def _window_of(self, kind: str, name: str) -> str | None:
        key = (kind, name)
        if key not in self._of:
            self._of[key] = next(
                (each.id for each in self._open if maintenance.covers(each, kind, name, self._network)), None
            )
        return self._of[key]

    def over(self, now: float) -> list[str]:
        """Windows that people made and that will never be open again."""
        return [
            each for each, window in self.made.items()
            if maintenance.occurrence(window, now, self.zone) is None
        ]  # fmt: skip
