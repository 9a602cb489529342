"""Contact with the central as it stands now: what the courier hears, kept for whoever asks."""

from __future__ import annotations

from collections.abc import Callable

from ayni_agent.status import HubStatus, age

_MOST_CAUSE = 200
_STATES = ("ready", "store-down", "clock-wrong", "gone")


class Contact:
    """Told by the courier of each change. All times are monotonic seconds. `on_away` is called when the
    central was there and is no more."""

    def __init__(self, broker: str, now_s: float) -> None:
        self.on_away: Callable[[], None] = lambda: None
        self._broker = broker
        self._connected = False
        self._since_s = now_s
        self._state = "unknown"
        self._ack_s: float | None = None
        self._problem = self._cause = ""
        self._certificate_ends: float | None = None

    @property
    def there(self) -> bool:
        """Whether the central takes what we send."""
        return self._connected and self._state == "ready"

    def connected(self, broker: str, now_s: float, certificate_ends: float | None = None) -> None:
        """The broker took us. What the central said before is no news any more."""
        self._change(True, "unknown")
        self._certificate_ends = certificate_ends
        self._broker, self._since_s = broker, now_s
        self._problem = self._cause = ""

    def lost(self, problem: str, cause: str, now_s: float) -> None:
        """There is no connection, or again none; `problem` and `cause` as in `HubStatus`."""
        if self._connected:
            self._since_s = now_s
        self._change(False, "unknown")
        self._problem, self._cause = problem, cause[:_MOST_CAUSE]

    def denied(self, cause: str) -> None:
        """The broker took us, but not what we sent."""
        self._problem, self._cause = "denied", cause[:_MOST_CAUSE]

    def hub(self, state: str) -> str:
        """What the central says of itself; what it said before."""
        before = self._state
        self._change(self._connected, state if state in _STATES else "unknown")
        return before

    def acknowledged(self, now_s: float) -> None:
        """The central has something of ours."""
        self._ack_s = now_s
        if self._problem == "denied":
            self._problem = self._cause = ""

    def status(self, now_s: float, away_s: float | None = None) -> HubStatus:
        """As it stands now; `away_s` is since when the central is away, where an earlier run knew it."""
        since_s = self._since_s if self._connected or away_s is None else min(away_s, self._since_s)
        return HubStatus(
            broker=self._broker,
            connected=self._connected,
            age_s=age(now_s, since_s),
            state=self._state,
            ack_age_s=None if self._ack_s is None else age(now_s, self._ack_s),
            problem=self._problem,
            cause=self._cause,
            certificate_ends=self._certificate_ends,
        )

    def _change(self, connected: bool, state: str) -> None:
        before = self.there
        self._connected, self._state = connected, state
        if before and not self.there:
            self.on_away()
