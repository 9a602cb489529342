"""The other parts of a hub that stands on several machines, as the judge or the mirror sees them.

Each part retains how it is, and its last will. A bucket that nobody takes in is closed: its nodes keep what
they have until somebody does. What is wrong with the division is told once, and again when it is mended.
"""

from __future__ import annotations

from collections.abc import Iterable

from ayni_core.inventory import Network
from ayni_core.message import Message
from ayni_core.wire.messages import Event, PartState
from ayni_core.wire.topics import bucket

_SETTLE_S, _LINE_S = 15.0, 300.0
"""Parts that start together, or start anew, must not be told of as away; the line to a village may be bad."""
_GONE = "gone"
_MOST_SHOWN = 12


class Crew:
    """`shares`: workers store for us, so it matters whose buckets are whose."""

    def __init__(self, network: Network, *, shares: bool) -> None:
        self.shares = shares
        self._parts: dict[str, PartState] = {}
        self._nodes: dict[int, list[str]] = {}
        for node in network.nodes:
            self._nodes.setdefault(bucket(node), []).append(node)
        self._closed: tuple[int, ...] = ()
        self._told: dict[str, str] = {}
        self._seen: dict[str, tuple[str, float]] = {}

    def hear(self, name: str, state: PartState | None) -> None:
        """A part says how it is; None: it was taken away for good."""
        if state is None:
            self._parts.pop(name, None)
        else:
            self._parts[name] = state

    def turned(self) -> bool:
        """Whether other buckets are closed than at the last call."""
        before, self._closed = self._closed, self._look()
        return before != self._closed

    def closed(self) -> tuple[int, ...]:
        """Buckets with nodes that nobody takes in, as of the last `turned`."""
        return self._closed

    def none_is_ready(self) -> bool:
        """Whether nobody takes in anything."""
        return bool(self._closed) and len(self._closed) == len(self._nodes)

    def waiting(self) -> set[str]:
        """The nodes of closed buckets."""
        return {node for number in self._closed for node in self._nodes[number]}

    def _look(self) -> tuple[int, ...]:
        if not self.shares:
            return ()
        open_ = {number for part in self._workers() if part.state == "ready" for number in part.buckets}
        return tuple(sorted(self._nodes.keys() - open_))

    def _workers(self) -> list[PartState]:
        return [part for part in self._parts.values() if part.role == "worker"]

    # ---- what people are told

    def events(self, now: float) -> list[Event]:
        """What has been wrong for a moment and was not told yet, and what is mended."""
        wrong = {f"part {name}": part for name, part in self._troubles()}
        if self.shares:
            wrong |= self._division()
        found = []
        for key in wrong.keys() | self._seen.keys() | self._told.keys():
            text = wrong.get(key)
            shown = repr(text)
            if text is None:
                self._seen.pop(key, None)
                if self._told.pop(key, None) is not None:
                    found.append(Event(at=now, text=_over(key), level="clear"))
                continue
            if self._seen.get(key, ("", 0.0))[0] != shown:
                self._seen[key] = (shown, now)
            patience_s = _LINE_S if text.context == "event.village_gone" else _SETTLE_S
            if now - self._seen[key][1] >= patience_s and self._told.get(key) != shown:
                self._told[key] = shown
                found.append(Event(at=now, text=text, level="warn"))
        return found

    def _troubles(self) -> Iterable[tuple[str, Message]]:
        for name, part in self._parts.items():
            if part.state == "ready":
                continue
            if part.role == "village":
                if part.state == _GONE:
                    yield name, Message("event.village_gone", {"name": name})
                continue
            count = sum(len(self._nodes.get(number, ())) for number in part.buckets)
            context = "event.worker_gone" if part.state == _GONE else "event.worker_down"
            yield name, Message(context, {"name": name, "count": count})

    def _division(self) -> dict[str, Message]:
        owners: dict[int, list[str]] = {}
        for name, part in self._parts.items():
            for number in part.buckets if part.role == "worker" and part.state != _GONE else ():
                owners.setdefault(number, []).append(name)
        claimed = {number for part in self._workers() for number in part.buckets}
        wrong: dict[str, Message] = {}
        twice = sorted(number for number, names in owners.items() if len(names) > 1)
        if twice:
            names = ", ".join(sorted({name for number in twice for name in owners[number]}))
            wrong["twice"] = Message("event.buckets_twice", {"names": names, "buckets": in_words(twice)})
        missing = sorted(self._nodes.keys() - claimed)
        if missing:
            count = sum(len(self._nodes[number]) for number in missing)
            wrong["missing"] = Message(
                "event.buckets_missing", {"buckets": in_words(missing), "count": count}
            )
        return wrong


def _over(key: str) -> Message:
    kind, _space, name = key.partition(" ")
    return Message("event.part_back", {"name": name}) if kind == "part" else Message("event.buckets_well")


def in_words(numbers: Iterable[int]) -> str:
    """Buckets as a config file writes them: 0-31, 40."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    shown = [f"{first}-{last}" if last > first else f"{first}" for first, last in runs]
    return ", ".join(shown[:_MOST_SHOWN]) + (" …" if len(shown) > _MOST_SHOWN else "")
