"""Which thing somebody means by a name typed at a shell: its name, its title, or a beginning of either."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection

from ayni_console.lines import clean
from ayni_core.onlooking.model import Model
from ayni_core.schema import did_you_mean
from ayni_io.i18n import _, spoken

Thing = tuple[str, str]
"""(kind, name), as in alerts and events."""
KINDS = ("link", "site", "device", "node", "upstream")
_ALSO = {"monitor": "node", "internet": "upstream"}
"""Words of the screens for kinds that are called otherwise on the wire."""
_MOST_SAID = 8


class NoSuchName(Exception):  # noqa: N818 - a slip of a person, not a fault of ours
    """A name that means nothing, or more than one thing; the text says which and what to write."""


def find(model: Model, wanted: str, kinds: Collection[str] = KINDS) -> Thing:
    """The one thing that is meant. `KIND/NAME` says of which kind it is. Raises `NoSuchName`."""
    before, slash, after = wanted.partition("/")
    kind = _ALSO.get(before, before)
    if slash and kind in kinds:
        kinds, wanted = (kind,), after
    known = [(each, name) for each in KINDS if each in kinds for name in _named(model, each)]
    for found in _tries(model, known, fold(wanted)):
        if len(found) == 1:
            return found[0]
        if found:
            raise NoSuchName(_several(model, wanted, found))
    if not known:
        raise NoSuchName(_("The central has not told of any yet."))
    hint = did_you_mean(wanted, {name for _kind, name in known})
    raise NoSuchName(_("nothing is called “{name}”", name=clean(wanted)) + spoken(hint))


def _named(model: Model, kind: str) -> Collection[str]:
    tables: dict[str, Collection[str]] = {
        "link": model.links,
        "site": model.sites,
        "device": model.devices,
        "node": model.nodes,
        "upstream": model.upstreams,
    }
    return tables[kind]


def fold(text: str) -> str:
    """The text as people type it: without accents and capitals."""
    apart = unicodedata.normalize("NFKD", text.strip()).casefold()
    return "".join(char for char in apart if not unicodedata.combining(char))


def _tries(model: Model, known: Collection[Thing], wanted: str) -> list[list[Thing]]:
    """What fits, the surest sense first."""
    if not wanted:
        return []
    return [
        [each for each in known if fold(each[1]) == wanted],
        [each for each in known if fold(model.title(*each)) == wanted],
        [each for each in known if fold(each[1]).startswith(wanted) or _begins(model, each, wanted)],
    ]


def _begins(model: Model, thing: Thing, wanted: str) -> bool:
    return fold(model.title(*thing)).startswith(wanted)


def _several(model: Model, wanted: str, found: Collection[Thing]) -> str:
    kinds = {kind for kind, _name in found}
    said = sorted(name if len(kinds) == 1 else f"{kind}/{name}" for kind, name in found)
    more = ", …" if len(said) > _MOST_SAID else ""
    listed = ", ".join(said[:_MOST_SAID]) + more
    return _("“{name}” may be any of these: {names}", name=clean(wanted), names=listed)
