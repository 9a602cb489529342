"""The phone page beside a hub: which page a path is, in which language, and the server that gives it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import tzinfo
from functools import partial
from urllib.parse import unquote

from ayni_core.onlooking.model import Model
from ayni_core.wire.questions import Reading
from ayni_hub.phone import device, home, link, sheet, site
from ayni_hub.phone.config import PhoneConfig
from ayni_hub.phone.html import Html, el, join
from ayni_hub.phone.look import Look
from ayni_hub.phone.watching import Watching
from ayni_io import clock, i18n
from ayni_io.http_server import HttpServer, Page, Reply, Request
from ayni_io.http_standing import stand
from ayni_io.i18n import _
from ayni_io.liked_language import liked

_MOST_DIGITS = 6


class Phone:
    """Serves until cancelled."""

    def __init__(self, config: PhoneConfig, watching: Watching, zone: tzinfo) -> None:
        """Raises `ConfigError` where the password cannot be had."""
        self._watching = watching
        self.server = HttpServer(
            config.listen,
            pages(watching.model, zone, names=config.names_people, readings=watching.readings),
            "phone",
        )

    async def run(self) -> None:
        """Listen as soon as that is possible, until cancelled."""
        self._watching.snapshot.begin()
        await stand(self.server, "phone page is")


def pages(
    model: Callable[[], Model],
    zone: tzinfo | None,
    *,
    names: bool = True,
    readings: Callable[[str], Sequence[Reading]] = lambda _device: (),
    now: Callable[[], float] = clock.wall_s,
) -> Mapping[str, Page]:
    """The pages by their paths. `readings` gives what a device said last."""

    def made(write: Callable[[Look, str], Html | None], root: str = "") -> Page:
        def page(request: Request) -> Reply:
            known = model()
            language = language_for(request, known.community.language)
            look = Look(
                model=known, now=now(), zone=zone, root=root, names=names, start=_start(request),
                asked=language if request.query.get("lang") == language else "",
            )  # fmt: skip
            with i18n.speaking(language):
                name = unquote(request.path.rpartition("/")[2])
                written = write(look, name)
                body = _missing(look) if written is None else written
            return Reply(
                kind="text/html; charset=utf-8", status=404 if written is None else 200,
                body=body.encode(), headers={**sheet.SAFE, "Content-Language": language},
            )  # fmt: skip

        return page

    return {
        "/": made(lambda look, _name: home.home(look)),
        "/sites": made(lambda look, _name: home.sites(look)),
        "/link/": made(_link, "../"),
        "/site/": made(_site, "../"),
        "/device/": made(partial(_device, readings), "../"),
    }


def _link(look: Look, name: str) -> Html | None:
    found = look.model.links.get(name)
    return None if found is None else link.link(look, found)


def _site(look: Look, name: str) -> Html | None:
    found = look.model.sites.get(name)
    return None if found is None else site.site(look, found)


def _device(readings: Callable[[str], Sequence[Reading]], look: Look, name: str) -> Html | None:
    found = look.model.devices.get(name)
    return None if found is None else device.device(look, found, readings(name))


def _missing(look: Look) -> Html:
    title = _("Nothing has this name here.")
    return sheet.page(look, title, join(el("h1", title)), here="")


def language_for(request: Request, otherwise: str) -> str:
    """The language that was chosen on a page, or that the browser likes best of ours (RFC 9110, 12.5.4), or
    that of the network."""
    asked = request.query.get("lang", "")
    if asked in i18n.LANGUAGES:
        return asked
    best = liked(request.headers.get("accept-language", ""))
    if best:
        return best
    return otherwise if otherwise in i18n.LANGUAGES else "en"


def _start(request: Request) -> int:
    given = request.query.get("from", "")
    return int(given) if given.isascii() and given.isdecimal() and len(given) <= _MOST_DIGITS else 0
