"""The frame that every page has: head, style, the way home, languages; and lists that are never too long.

A page has no script and asks for nothing else, and its Content-Security-Policy says so. Colours have a
contrast of at least 7:1 in the light and in the dark; a state has a symbol and a word besides.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ayni_hub.phone.html import NOTHING, Html, el, join, size, spaced, text
from ayni_hub.phone.look import Look
from ayni_io import i18n, phrases, words
from ayni_io.i18n import _, _n

MOST_BYTES = 30_000
"""Of a page, as it is sent."""
AGAIN_S = 60
_FOOT_BYTES = 450 + 110 * len(i18n.LANGUAGES)
_SIGNS = {"ok": "●", "weak": "▲", "down": "■", "nonews": "?"}
LIGHT = {"fg": "#111", "bg": "#fff", "dim": "#444", "a": "#00408a", "ok": "#0b5523", "weak": "#6b3d00",
         "down": "#990012", "nonews": "#4a2f7a"}  # fmt: skip
DARK = {"fg": "#eee", "bg": "#121212", "dim": "#bbb", "a": "#9cc4ff", "ok": "#7ddc92", "weak": "#ffc25c",
        "down": "#ff9d9d", "nonews": "#cbb3ff"}  # fmt: skip


def _style() -> str:
    def colours(given: dict[str, str]) -> str:
        return ":root{" + ";".join(f"--{name}:{colour}" for name, colour in given.items()) + "}"

    states = "".join(
        f'.{name}{{color:var(--{name})}}.{name}::before{{content:"{sign} ";content:"{sign} "/""}}'
        for name, sign in _SIGNS.items()
    )
    return (
        ":root{color-scheme:light dark}"
        + colours(LIGHT)
        + "@media(prefers-color-scheme:dark){" + colours(DARK) + "}"
        "body{font:1rem/1.5 system-ui,sans-serif;color:var(--fg);background:var(--bg);max-width:44rem;"
        "margin:0 auto;padding:.5rem .8rem 2rem;overflow-wrap:anywhere}"
        "h1{font-size:1.35rem;margin:.6rem 0}h2{font-size:1.05rem;margin:1.2rem 0 .3rem}p{margin:.4rem 0}"
        "ul,ol{margin:0;padding:0;list-style:none}li{padding:.45rem 0;border-bottom:1px solid #8886}"
        "small,footer{color:var(--dim);font-size:.9rem}li small{display:block}"
        "a{color:var(--a)}nav a,footer a{display:inline-block;padding:.4rem .6rem .4rem 0}"
        "table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;"
        "padding:.3rem .4rem .3rem 0;border-bottom:1px solid #8886}th{font-weight:600}td small{display:block}"
        ".training{background:var(--weak);color:var(--bg);margin:0;padding:.3rem .6rem}"
        ".day{font:1rem/1 monospace;overflow-wrap:normal}"
        + states
    )  # fmt: skip


STYLE = _style()
_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
SAFE = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "Vary": "Accept-Language",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a long list, below its heading; it is written only when it is shown."""

    heading: str
    write: Callable[[], Html]


def page(look: Look, title: str, *body: Html, here: str = "") -> Html:
    """A whole page; `here` is its own address from Home."""
    model, home = look.model, _("Home")
    community = model.community.title or _("Ayni")
    lost = trouble(look)
    at_home = not look.root and not here
    head = join(
        el("meta", charset="utf-8"),
        el("meta", name="viewport", content="width=device-width,initial-scale=1"),
        el("meta", http_equiv="refresh", content=str(AGAIN_S)),
        el("title", title if at_home else f"{title} · {community}"),
        el("style", Html(STYLE)),
    )
    nav = NOTHING if at_home else el("nav", el("a", f"{home} – {community}", href=look.url("")))
    when = f"{words.weekday(look.now, look.zone)} {words.clock(look.now, look.zone)}"
    foot = el(
        "footer",
        el("p", _("As of {time}. This page looks again every minute.", time=when)),
        el("p", *(_language(look, here, short) for short in i18n.LANGUAGES)),
    )
    said = el("p", el("b", lost, class_="down")) if lost else NOTHING
    pretend = el("p", el("b", _("TRAINING")), " ", _("This network is a pretend one."), class_="training")
    whole = join(pretend if model.training else NOTHING, nav, el("main", said, *body), foot)
    document = el("html", el("head", head), el("body", whole), lang=i18n.language())
    return Html(f"<!DOCTYPE html>{document}")


def _language(look: Look, here: str, short: str) -> Html:
    if short == i18n.language():
        return join(el("b", i18n.LANGUAGES[short]), " ")
    address = (look.root + here or "./") + f"?lang={short}"
    return join(el("a", i18n.LANGUAGES[short], href=address, lang=short, hreflang=short), " ")


def trouble(look: Look) -> str:
    """Why what is shown may be old; mostly empty. This page is made by the central itself."""
    if look.model.contact(look.now) == "broker":
        return _("The central hears nobody: its broker is gone. Values stay as they were.")
    return phrases.trouble(look.model, look.now)


def listed(look: Look, entries: Sequence[Entry], taken: int, here: str) -> Html:
    """As many lines as a page has room for beside the `taken` bytes of other things, and ways to the rest."""
    room = MOST_BYTES - taken - len(STYLE.encode()) - _FOOT_BYTES
    start = look.start if look.start < len(entries) else 0
    made: list[Html] = []
    heading, lines, shown = "", list[Html](), 0
    for entry in entries[start:]:
        line = el("li", entry.write())
        room -= size(line) + (size(text(entry.heading)) + 30 if entry.heading != heading else 0)
        if room < 0 and shown:
            break
        if entry.heading != heading:
            made += [_section(heading, lines)]
            heading, lines = entry.heading, []
        lines.append(line)
        shown += 1
    made.append(_section(heading, lines))
    left = len(entries) - start - shown
    before = el("a", _("from the beginning"), href=look.url(here)) if start else NOTHING
    more = _n("{n} more", "{n} more", left)
    after = el("a", more, href=look.url(here, **{"from": str(start + shown)})) if left > 0 else NOTHING
    return join(*made, el("p", spaced(before, after)) if before or after else NOTHING)


def _section(heading: str, lines: Sequence[Html]) -> Html:
    return join(el("h2", heading), el("ul", *lines)) if lines else NOTHING
