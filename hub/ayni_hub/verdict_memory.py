"""What the judge has to remember, on its way into the ledger; what failed is written with the next."""

from __future__ import annotations

from ayni_hub.judge import Changes
from ayni_hub.ledger import Ledger
from ayni_hub.picture import Picture

_MOST_UNWRITTEN = 1000


class VerdictMemory:
    """Keeps what is not written yet; of events the newest."""

    def __init__(self, ledger: Ledger, picture: Picture) -> None:
        self._ledger = ledger
        self._picture = picture
        self._unwritten = Changes()

    def write(self, changes: Changes) -> None:
        """Write it down. Raises `LedgerError`; then it is still here."""
        kept = self._unwritten
        kept.tracks |= changes.tracks
        kept.alerts |= changes.alerts
        kept.events = (kept.events + changes.events)[-_MOST_UNWRITTEN:]
        hours = self._picture.new_hours
        if not (kept.tracks or kept.alerts or kept.events or hours):
            return
        self._ledger.remember(kept.tracks, kept.alerts, kept.events, hours)
        self._unwritten = Changes()
        self._picture.new_hours = {}
