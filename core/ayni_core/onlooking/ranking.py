"""The order of the links in a table, kept from one look to the next: only who changed finds a new place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ayni_core.onlooking.model import Model
from ayni_core.onlooking.standing import replaced
from ayni_core.wire.views import LINK_STATES, LinkView

Place = tuple[float, float, str]


def place(link: LinkView, state: str, sort: str) -> Place:
    """What a link is sorted by: `name`, `signal`, `repeats`, or else the worst first."""
    title = link.title.casefold()
    match sort:
        case "name":
            return 0.0, 0.0, title
        case "signal":
            heard = [end.signal_dbm for end in (link.a, link.b) if end.signal_dbm is not None]
            return min(heard, default=0.0), 0.0, title
        case "repeats":
            shares = [end.retry_pct for end in (link.a, link.b) if end.retry_pct is not None]
            return -max(shares, default=-1.0), 0.0, title
    rank = LINK_STATES.index(state) if state in LINK_STATES else len(LINK_STATES)
    return float(rank), float(-link.homes if state != "ok" else 0), title


class Ranking:
    """The names of a model's links in order. Any model may be asked about next, and any order."""

    def __init__(self) -> None:
        self._sort = ""
        self._seen: tuple[Model, int] | None = None
        self._links: Mapping[str, LinkView] = {}
        self._states: Mapping[str, str] = {}
        self._places: dict[str, Place] = {}
        self._names: Sequence[str] = ()

    def names(self, model: Model, now: float, sort: str) -> Sequence[str]:
        """All links in order; the same sequence as before, as long as none has moved."""
        states, before = model.link_states(now), self._states
        known = self._links if sort == self._sort else {}
        if states is before and self._seen == (model, model.version) and len(known) == len(model.links):
            return self._names
        if states is before:
            changed = replaced(known, model.links)
        else:
            changed = [
                name for name, link in model.links.items()
                if known.get(name) is not link or states[name] != before.get(name)
            ]  # fmt: skip
        if changed or len(known) != len(model.links):
            self._sort, self._links = sort, dict(model.links)
            self._put({name: place(self._links[name], states[name], sort) for name in changed})
        self._states, self._seen = states, (model, model.version)
        return self._names

    def _put(self, moved: Mapping[str, Place]) -> None:
        stayed = len(self._places) == len(self._links) and all(
            self._places.get(name) == there for name, there in moved.items()
        )
        if not stayed:
            self._places = {name: moved.get(name) or self._places[name] for name in self._links}
            self._names = sorted(self._links, key=self._places.__getitem__)
