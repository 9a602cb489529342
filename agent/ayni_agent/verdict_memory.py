"""What the local verdict remembers, over a restart: so that nothing is announced twice.

Kept are levels that hold, the best that was ever seen, and verdicts in the making; not the values, so that
the bytes change only when something changed: they are written to the card with a frame. Times are monotonic
seconds of a boot; after another boot they are moved by what the wall clock says has passed.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Container
from typing import Any

from ayni_agent.outbox_file import Book
from ayni_agent.verdict import MISSED_POLLS, Verdicts
from ayni_core.clockwatch import Moment
from ayni_core.readings import Series
from ayni_core.rules import LEVELS, Track

_VERSION = 1
_LARGEST = 4 * 1024 * 1024
_LEVELS = (None, *LEVELS)
_MOST_COUNTED = 30  # no rule counts further, and so the bytes come to rest


def pack(verdicts: Verdicts, boot: str) -> bytes:
    """As bytes to keep; the same for the same verdicts."""
    tracks = [
        [
            device, rule, list(series),
            [_LEVELS.index(track.level), _at(track.since) if track.level else 0, track.best,
             _LEVELS.index(track.pending) if track.count else 0, min(track.count, _MOST_COUNTED),
             _at(track.pending_since) if track.count else 0, *_further(track)],
        ]
        for (device, rule, series), track in sorted(verdicts.tracks.items())
        if track.level is not None or track.best is not None or track.count or track.marks
    ]  # fmt: skip
    missed = {
        device: {peer: min(count, MISSED_POLLS) for peer, count in sorted(peers.items())}
        for device, peers in sorted(verdicts.missed.items())
        if peers
    }
    text = json.dumps([_VERSION, boot, tracks, missed], separators=(",", ":"))
    return zlib.compress(text.encode(), 6)


def _further(track: Track) -> list[Any]:
    """What only rules have that count, or know of two levels at once."""
    if not (track.more or track.marks):
        return []
    marks = [[_at(at), rank] for at, rank in track.marks]
    return [min(track.more, _MOST_COUNTED), _at(track.more_since) if track.more else 0, marks]


def _at(seconds: float) -> float:
    return round(seconds, 1)


def unpack(
    data: bytes | None, verdicts: Verdicts, boot: str, now: Moment, past: Book | None, names: Container[str]
) -> None:
    """Let `verdicts` remember it; nothing if there is nothing, or nothing that can be used.

    `past` says where the earlier run ended; `names` are the devices that there are still.
    """
    rules = {rule.name for each in verdicts.rules.values() for rule in each}
    try:
        tracks, missed = _read(data, boot, now, past)
    except (ValueError, TypeError, LookupError, zlib.error, RecursionError):
        return
    verdicts.tracks |= {key: track for key, track in tracks.items() if key[0] in names and key[1] in rules}
    verdicts.missed |= {device: peers for device, peers in missed.items() if device in names}


_Tracks = dict[tuple[str, str, Series], Track]


def _read(
    data: bytes | None, boot: str, now: Moment, past: Book | None
) -> tuple[_Tracks, dict[str, dict[str, int]]]:
    """Raises one of many things for bytes that `pack` did not make."""
    inflater = zlib.decompressobj()
    text = inflater.decompress(data or b"", _LARGEST)
    if not inflater.eof:
        raise ValueError("cut off, or far too long")
    version, made, tracks, missed = json.loads(text)
    if version != _VERSION or not isinstance(made, str):
        raise ValueError(version)
    later_s = moved_s(made, boot, now, past)
    found: _Tracks = {}
    for device, rule, series, numbers in tracks:
        if not all(isinstance(each, str) for each in (device, rule, *series)):
            raise TypeError(series)
        found[device, rule, Series(*series)] = _track(numbers, later_s, now.mono_s)
    peers = {
        str(device): {str(peer): int(count) for peer, count in dict(each).items()}
        for device, each in dict(missed).items()
    }
    return found, peers


def _track(numbers: Any, later_s: float, now_s: float) -> Track:
    level, since_s, best, pending, count, pending_since_s, *rest = numbers
    more, more_since_s, marks = rest or (0, 0, [])
    plain = (since_s, count, pending_since_s, best or 0, more, more_since_s)
    if not all(type(each) in (int, float) for each in (*plain, *(each for mark in marks for each in mark))):
        raise TypeError(numbers)
    return Track(
        level=_LEVELS[level],
        since=min(since_s + later_s, now_s) if level else 0.0,
        pending=_LEVELS[pending if count else level],
        count=count,
        pending_since=min(pending_since_s + later_s, now_s) if count else 0.0,
        best=best,
        more=more,
        more_since=min(more_since_s + later_s, now_s) if more else 0.0,
        marks=tuple((min(at + later_s, now_s), int(rank)) for at, rank in marks),
    )


def moved_s(made: str, boot: str, now: Moment, past: Book | None) -> float:
    """What to add to a time of the boot `made`, so that it is one of the boot of now; infinite for "now".

    Where the wall clocks cannot say how long the machine was off, it counts as no time at all.
    """
    if made == boot:
        return 0.0
    if past is None or past.boot != made:
        return math.inf  # nothing is known of that boot: as if it were now
    off_s = now.wall_s - past.wall_s
    return now.mono_s - past.mono_s - (off_s if 0 < off_s < 10 * 365 * 86400 and now.dated() else 0.0)
