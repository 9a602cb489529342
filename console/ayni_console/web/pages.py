"""What the browser gets besides the console itself: two small pages, a style, a script, xterm.js.

Everything is read once, packed once, and comes from here: the Content-Security-Policy lets nothing else in.
"""

from __future__ import annotations

import gzip
import html
import importlib.resources
from dataclasses import dataclass
from string import Template

from ayni_io import i18n
from ayni_io.i18n import _, _n

_OURS, _THEIRS = "ayni_console.web", "textual_serve"
_FILES = {
    "page.css": (_OURS, "page/page.css", "text/css; charset=utf-8"),
    "page.js": (_OURS, "page/page.js", "text/javascript; charset=utf-8"),
    "xterm.css": (_THEIRS, "static/css/xterm.css", "text/css; charset=utf-8"),
    "textual.js": (_THEIRS, "static/js/textual.js", "text/javascript; charset=utf-8"),
}


@dataclass(frozen=True, slots=True)
class File:
    """A file as it is sent: its media type, its bytes packed and as they are."""

    kind: str
    packed: bytes
    plain: bytes


def files() -> dict[str, File]:
    """Every file that a page asks for, by its name."""
    found = {}
    for name, (package, path, kind) in _FILES.items():
        plain = importlib.resources.files(package).joinpath(path).read_bytes()
        found[name] = File(kind, gzip.compress(plain, 9, mtime=0), plain)
    return found


def policy(socket: str) -> dict[str, str]:
    """The headers of every answer. xterm.js writes its styles itself, hence the one exception."""
    allowed = (
        "default-src 'none'", "script-src 'self'", "style-src 'self' 'unsafe-inline'", "img-src 'self' data:",
        f"connect-src 'self' {socket}", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'",
    )  # fmt: skip
    return {
        "Content-Security-Policy": "; ".join(allowed),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",  # with none at all, browsers name no origin of a form either
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Server": "ayni",
    }


def console(socket: str) -> str:
    """The page that shows the console; `socket` is where its bytes come from."""
    return _filled(
        "console.html",
        title=_("Ayni console"),
        opening=_("The console opens …"),
        ended=_("This console has ended."),
        again=_("Open it again"),
        leave=_("Leave: ask for the password again"),
        script=_("The console in a browser needs JavaScript."),
        socket=socket,
    )


def asks_password(said: str = "") -> str:
    """The page in front of it."""
    label, opens = html.escape(_("Password")), html.escape(_("Open the console"))
    form = (
        '<form method="post" action="enter">'
        '<input type="text" name="who" value="ayni" autocomplete="username" hidden>'
        f"<label>{label} "
        '<input type="password" name="password" autocomplete="current-password" required autofocus></label>'
        f"<button>{opens}</button></form>"
    )
    return _filled("door.html", form, title=_("Ayni console"), said=said)


def tells(said: str) -> str:
    """A page with one sentence."""
    return _filled("door.html", title=_("Ayni console"), said=said)


def too_soon(wait_s: float) -> str:
    """Somebody has to wait."""
    seconds = int(wait_s) + 1
    return _n("Not so fast: try again in {n} second.", "Not so fast: try again in {n} seconds.", seconds)


def too_many(most: int) -> str:
    """All consoles are taken."""
    return _n(
        "{n} console is open in a browser already, and no more may be. Close it, or try later.",
        "{n} consoles are open in browsers already, and no more may be. Close one, or try later.",
        most,
    )


def _filled(name: str, form: str = "", **texts: str) -> str:
    page = importlib.resources.files(_OURS).joinpath(f"page/{name}").read_text(encoding="utf-8")
    said = {key: html.escape(text) for key, text in texts.items()}
    return Template(page).substitute(said, form=form, language=i18n.language())
