"""Links that were found, beside those that are written down."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ayni_core.inventory import Link
from ayni_core.neighbours import FoundLink


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What is written down beside what is found. `seen` has the found link by the name of the declared one;
    of `untold` an end says nothing at all, so nobody can know; `new` are links that are not written down."""

    seen: Mapping[str, FoundLink]
    missing: tuple[str, ...]
    untold: tuple[str, ...]
    new: tuple[FoundLink, ...]


def compare(declared: Iterable[Link], found: Sequence[FoundLink], telling: Collection[str]) -> Comparison:
    """Which declared links are found; `telling` are the devices that say anything about themselves.

    Between two devices with several links, those whose radios fit are taken first; what is on the air goes
    before a cable, because that is what people write down.
    """
    links = list(declared)
    left = list(found)
    seen: dict[str, FoundLink] = {}
    for strict in (True, False):
        for link in links:
            fitting = [each for each in left if link.name not in seen and _fits(link, each, strict=strict)]
            best = min(fitting, key=lambda each: (each.kind == "cable", -each.sure), default=None)
            if best is not None:
                seen[link.name] = best
                left.remove(best)
    gone = [link for link in links if link.name not in seen]
    told = {link.name for link in gone if link.a.device in telling and link.b.device in telling}
    return Comparison(
        seen=seen,
        missing=tuple(link.name for link in gone if link.name in told),
        untold=tuple(link.name for link in gone if link.name not in told),
        new=tuple(left),
    )


def _fits(link: Link, found: FoundLink, *, strict: bool) -> bool:
    ends = {found.a.device: found.a, found.b.device: found.b}
    if ends.keys() != {link.a.device, link.b.device}:
        return False
    return not strict or all(
        end.radio is not None and end.radio == ends[end.device].port for end in (link.a, link.b)
    )
