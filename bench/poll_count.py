"""Whether every poll that was read is stored, once and in order: the law of `bench/campaign.py`.

What was read is not taken from the agent but from the devices (`counted_site`), which wrote down each request
with the serial number of its poll. A poll is held to have been *read*

- if the same start of the agent began the next poll of that device: a failed poll would have been followed by
  a check, a GET of sysUpTime alone; so its answer was in the agent's hands a poll before the agent's end;
- if it was the last one, and the agent lived IN_THE_AIR_S longer without asking anything: longer than an
  agent waits for answers at this pace, and it is not quiet while a poll is under way.

A poll that was followed by a check failed: it is not expected. What remains, at most one poll of each device
and start of the agent, was *in the air* when the agent ended; it may be stored or not.

*lost*: read, but not stored. *doubled*: stored at two different times. *disordered*: stored at an earlier
time than a poll before it. *torn*: stored with values that do not belong together. *alien*: stored though no
device served it. None of them may ever happen. `off_s` is the most that a stored time differs from when the
device was asked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import counted_site
from counted_site import OTHER, POLL, Asked

from ayni_hub.store import Store

IN_THE_AIR_S = 0.7
_ALWAYS = 0.0, 1e11
Name = tuple[str, int]
"""(device, serial number)"""


@dataclass(slots=True, kw_only=True)
class Count:
    """What came of the polls that were served."""

    served: int
    read: int
    failed: int
    in_the_air: int
    stored: int
    lost: list[Name]
    doubled: list[Name] = field(default_factory=list)
    disordered: list[Name] = field(default_factory=list)
    torn: list[Name] = field(default_factory=list)
    alien: list[Name] = field(default_factory=list)
    off_s: float = 0.0


def fates(asked: Iterable[Asked], ended: Mapping[int, float]) -> dict[Name, str]:
    """For each poll that was served: `read`, `failed` or `air`. `ended` says when each start of the agent
    came to its end; one that is not in it lives."""
    found: dict[Name, str] = {}
    open_poll: dict[tuple[int, str], Name] = {}
    heard: dict[tuple[int, str], float] = {}
    for each in asked:
        who = each.start, each.device
        heard[who] = each.at
        if each.kind == OTHER and not each.muted:
            continue
        before = open_poll.pop(who, None)
        if before is not None:
            found[before] = "read" if each.kind == POLL else "failed"
        if each.kind == POLL and not each.muted:
            found[each.device, each.serial] = "air"
            open_poll[who] = each.device, each.serial
    for who, poll in open_poll.items():
        if ended.get(who[0], float("inf")) - heard[who] >= IN_THE_AIR_S:
            found[poll] = "read"
    return found


def count(asked: Iterable[Asked], ended: Mapping[int, float], store: Store) -> Count:
    """Hold what the devices wrote down against what the hub has stored."""
    asked = list(asked)
    fate = fates(asked, ended)
    served_at = {(a.device, a.serial): a.at for a in asked if a.kind == POLL and not a.muted}
    tally = Counter(fate.values())
    result = Count(
        served=len(fate),
        read=tally["read"],
        failed=tally["failed"],
        in_the_air=tally["air"],
        stored=0,
        lost=[],
    )
    stored: set[Name] = set()
    for device in sorted({device for device, _serial in fate}):
        highest = 0
        rows = [
            dict(store.raw(device, counted_site.octets_series(row), *_ALWAYS))
            for row in range(1, counted_site.INTERFACES + 1)
        ]
        for at, uptime_s in store.raw(device, counted_site.UPTIME, *_ALWAYS):
            name = device, counted_site.serial_of(uptime_s)
            if name not in fate:
                result.alien.append(name)
                continue
            if name in stored:
                result.doubled.append(name)
            elif name[1] < highest:
                result.disordered.append(name)
            stored.add(name)
            highest = max(highest, name[1])
            if any(found.get(at) != counted_site.octets(row, name[1]) for row, found in enumerate(rows, 1)):
                result.torn.append(name)
            result.off_s = max(result.off_s, abs(at - served_at[name]))
    result.stored = len(stored)
    result.lost = sorted(name for name, what in fate.items() if what == "read" and name not in stored)
    return result
