"""Is it mended? Watches things after a repair until they stayed well long enough, or did not."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from ayni_core.onlooking import attention
from ayni_core.onlooking.model import NO_CONTACT, Model

Thing = tuple[str, str]
_EVERYTHING: Thing = ("", "")
LIFE_S, LESSON_S = 600.0, 30.0
"""How long a thing must stay well: ten minutes in life, half a minute where networks are pretended."""


@dataclass(slots=True)
class Verify:
    """Watches `things` (none: everything) from `started`; `verdict` is `watching`, `fixed` or `not_fixed`."""

    things: frozenset[Thing]
    started: float
    hold_s: float
    verdict: str = "watching"
    well_since: dict[Thing, float] = field(default_factory=dict)

    @property
    def patience_s(self) -> float:
        """How long it may take until things begin to be well."""
        return max(2 * self.hold_s, 90.0)

    @property
    def ok_since(self) -> float | None:
        """Since when it is well; None while it is not."""
        if len(self.well_since) < max(len(self.things), 1):
            return None
        return max(self.well_since.values())

    def update(self, troubled: Collection[Thing], now: float) -> str:
        """Look once more; the verdict."""
        if self.verdict != "watching":
            return self.verdict
        bad = set(troubled) if self.things else {_EVERYTHING} if troubled else set()
        for thing in self.things or (_EVERYTHING,):
            if thing in bad:
                self.well_since.pop(thing, None)
            else:
                self.well_since.setdefault(thing, now)
        since = self.ok_since
        if since is None and now - self.started > self.patience_s:
            self.verdict = "not_fixed"
        elif since is not None and now - since >= self.hold_s:
            self.verdict = "fixed"
        return self.verdict

    def left_s(self, now: float) -> float:
        """Seconds of good news still needed."""
        since = self.ok_since
        return self.hold_s if since is None else max(self.hold_s - (now - since), 0.0)


def troubled(model: Model, now: float) -> set[Thing]:
    """Everything that is not well now; with contact lost, everything there is."""
    found = {(item.kind, item.name) for item in attention.items(model, now)}
    found |= {("link", name) for name, state in model.link_states(now).items() if state != "ok"}
    if model.contact(now) in NO_CONTACT:
        found |= {("link", name) for name in model.links} | {("device", name) for name in model.devices}
        found |= {("node", name) for name in model.nodes} | {("upstream", name) for name in model.upstreams}
    return found


def begin(model: Model, now: float, things: Collection[Thing] = ()) -> Verify:
    """Start watching `things`."""
    return Verify(frozenset(things), now, LESSON_S if model.training else LIFE_S)
