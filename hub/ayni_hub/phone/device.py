"""A device on a phone: how it is, and every number that it gives, each with its age.

What tells where something is or who somebody is stays away, as on every page: addresses, versions, serial
numbers, places. So of texts only the model is shown, other sides have numbers in place of their hardware
addresses, and neighbours are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from ayni_core.metrics import METRICS
from ayni_core.wire.messages import DeviceView
from ayni_core.wire.questions import Reading
from ayni_hub.phone.html import Html, el, join, size, spaced, text
from ayni_hub.phone.look import Look, ago, path_of, short, site_way, span, state_mark
from ayni_hub.phone.sheet import Entry, listed, page
from ayni_io import readings as words_of
from ayni_io import values, words
from ayni_io.i18n import _

_SHOWN = ("station", "radio", "interface", "power", "poe", "sensor", "ping", "system")
_TEXTS = ("model",)


def device(look: Look, shown: DeviceView, readings: Sequence[Reading]) -> Html:
    """The page at `/device/NAME`."""
    state = look.model.device_state(shown, look.now)
    here = path_of("device", shown.id)
    top = join(
        el("h1", short(shown.title)),
        el("p", spaced(state_mark(state), span(look, shown.since))),
        el("p", spaced(site_way(look, shown.site), short(shown.model or ""))),
        el("p", _("heard {age}", age=ago(look, shown.as_of))),
    )
    entries = list(_entries(look, readings))
    body = listed(look, entries, size(top), here) if entries else el("p", _("Nothing is known yet."))
    return page(look, f"{short(shown.title)}: {words.word(state)}", top, body, here=here)


def _entries(look: Look, readings: Sequence[Reading]) -> Iterator[Entry]:
    told = [each for each in readings if each.group in _SHOWN and not _hidden(each)]
    others: list[str] = []
    for (group, item), found in words_of.parts(told).items():
        name = item
        if group == "station":
            others.append(item)
            name = f"{len(others)}"
        heading = words_of.together(group) or words_of.group_name(group, short(name))
        of = short(name) if words_of.together(group) and name else ""
        for reading in found:
            yield Entry(heading, partial(_line, look, reading, of))


def _hidden(reading: Reading) -> bool:
    entry = METRICS.get(reading.metric)
    is_text = isinstance(reading.value, str) or (entry is not None and entry.kind == "text")
    return is_text and reading.metric not in _TEXTS


def _line(look: Look, reading: Reading, of: str) -> Html:
    """`hears -57 dBm`, and below it its age."""
    label = values.label(reading.metric)
    said = f"{of}: {label}" if of else label
    return spaced(text(said), el("b", short(words_of.shown(reading))), el("small", ago(look, reading.at)))
