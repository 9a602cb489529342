"""What the keeper of accounts has to remember: passwords under way, when each was last renewed, invitations.

One file of the hub's, mode 0600. The central and a command on its machine may both work on it: each change is
read, made and written under a lock, and whoever finds a renewal under way goes on with the same password, so
that there are never two of them.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from ayni_io import files

FOLDER = "keys"
_FILE = "keys.json"
_LARGEST = 8 << 20


class RecordError(Exception):
    """The file cannot be read or written: which, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Underway:
    """A password on its way to a node; `set_at` is when the broker was given it, `told` whether people know
    that the node has not come back since."""

    id: str
    password: str = field(repr=False)
    since: float
    set_at: float | None = None
    told: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """A machine may become this node, `until` then. Its secret is nowhere but at the broker, as a hash."""

    since: float
    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """All of it, by node."""

    underway: dict[str, Underway] = field(default_factory=dict)
    renewed: dict[str, float] = field(default_factory=dict)
    invited: dict[str, Invitation] = field(default_factory=dict)


class Record:
    """The file in a hub's folder. Raises `RecordError`."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir, self._folder = data_dir, data_dir / FOLDER
        self._path = self._folder / _FILE

    def read(self) -> Kept:
        """What is kept now."""
        try:
            data = json.loads(self._path.read_bytes()[:_LARGEST])
            return Kept(
                underway={node: Underway(**each) for node, each in data["underway"].items()},
                renewed={node: float(at) for node, at in data["renewed"].items()},
                invited={node: Invitation(**each) for node, each in data["invited"].items()},
            )
        except FileNotFoundError:
            return Kept()
        except OSError as error:
            raise RecordError(f"{self._path}: cannot be read: {error.strerror}") from None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise RecordError(f"{self._path}: is damaged; remove it, then renew or invite again") from None

    # ---- passwords under way

    def begin(self, node: str, fresh: Underway) -> Underway:
        """A renewal of a node: the one that is under way, else `fresh`, on the disk from now on."""
        with self._changing() as kept:
            return kept.underway.setdefault(node, fresh)

    def change(self, node: str, underway: Underway) -> None:
        """It is a step further, if it is still under way."""
        with self._changing() as kept:
            if node in kept.underway and kept.underway[node].id == underway.id:
                kept.underway[node] = underway

    def given(self, node: str, underway: Underway, now: float) -> Underway:
        """The broker has it from now on."""
        later = replace(underway, set_at=now)
        self.change(node, later)
        return later

    def finish(self, node: str, now: float | None) -> None:
        """It is over; `now`: because the node has used it."""
        with self._changing() as kept:
            kept.underway.pop(node, None)
            if now is not None:
                kept.renewed[node] = now

    def note(self, nodes: dict[str, float]) -> None:
        """Since when passwords of nodes are known to be in use."""
        with self._changing() as kept:
            for node, at in nodes.items():
                kept.renewed.setdefault(node, at)

    # ---- invitations

    def invite(self, node: str, invitation: Invitation) -> None:
        """Somebody may become this node."""
        with self._changing() as kept:
            kept.invited[node] = invitation

    def uninvite(self, node: str) -> bool:
        """Nobody may, any more; whether somebody could."""
        with self._changing() as kept:
            return kept.invited.pop(node, None) is not None

    @contextlib.contextmanager
    def _changing(self) -> Iterator[Kept]:
        """What is kept, to be changed: written when the block ends, if it is different then."""
        try:
            if not self._folder.is_dir():
                self._folder.mkdir(mode=0o700)
                files.give(self._folder, self._data_dir)
            with (self._folder / "lock").open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                files.give(self._folder / "lock", self._data_dir)
                kept = self.read()
                before = _packed(kept)
                yield kept
                if (after := _packed(kept)) != before:
                    files.write_durably(self._path, after, mode=0o600)
                    files.give(self._path, self._data_dir)
        except OSError as error:
            raise RecordError(f"{self._path}: cannot be written: {error.strerror}") from None


def _packed(kept: Kept) -> str:
    data: dict[str, Any] = asdict(kept)
    return json.dumps(data, indent=1, sort_keys=True) + "\n"
