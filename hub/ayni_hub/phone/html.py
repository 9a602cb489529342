"""HTML out of values: whatever is no `Html` yet is escaped, so that a name can never become markup."""

from __future__ import annotations

import html

from ayni_io.words import clean

_VOID = ("meta", "br")
_NAMES = {"class_": "class", "http_equiv": "http-equiv", "aria_hidden": "aria-hidden"}


class Html(str):
    """Markup that is ready to be sent."""

    __slots__ = ()


Part = Html | str | None
NOTHING = Html("")


def text(part: Part) -> Html:
    """A text, escaped; markup stays as it is; None is nothing."""
    if part is None:
        return NOTHING
    return part if isinstance(part, Html) else Html(html.escape(clean(part)))


def join(*parts: Part) -> Html:
    """One after the other."""
    return Html("".join(text(part) for part in parts))


def el(tag: str, *parts: Part, **attributes: str) -> Html:
    """An element: `el("a", title, href=address)`; `class_` stands for `class`."""
    given = "".join(f' {_NAMES.get(name, name)}="{text(value)}"' for name, value in attributes.items())
    return Html(f"<{tag}{given}>" if tag in _VOID else f"<{tag}{given}>{join(*parts)}</{tag}>")


def spaced(*parts: Part) -> Html:
    """Those that are not empty, with spaces between them."""
    return Html(" ".join(filter(None, (text(part) for part in parts))))


def size(markup: Html) -> int:
    """The bytes that it takes."""
    return len(markup.encode())
