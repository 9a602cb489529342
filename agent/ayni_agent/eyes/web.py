"""Devices that speak over HTTP: a page of metrics, pages of JSON, or ubus; maps make readings of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin

from ayni_agent.eyes import EyeError, Sight
from ayni_core.fault import fault
from ayni_core.readings import Series, Value
from ayni_core.schema import ConfigError
from ayni_core.sources.web import Json, OpenMetrics, WebSource
from ayni_core.webmap import Map, Request, document, openmetrics, ubus
from ayni_core.webmap.apply import Counts, apply, names
from ayni_core.webmap.openmetrics import PageError
from ayni_core.webmap.ubus import DeniedError
from ayni_io import web, web_maps
from ayni_io.i18n import _
from ayni_io.secret import Secret
from ayni_io.web import Ask, Web, WebError

MOST_PAGE = 512 * 1024


class WebEye:
    """Asks what the map wants, one question after the other; a session of ubus is kept between reads."""

    def __init__(self, source: WebSource, source_map: Map, password: Secret | None) -> None:
        self._source = source
        self._map = source_map
        self._password = password
        self._web = Web(source.KIND)
        self._session = ""
        self._counts: Counts = {}

    async def read(self) -> Mapping[Series, Value]:
        """See `Eye.read`."""
        pages: dict[str, Any] = {}
        if isinstance(self._source, OpenMetrics):
            page = await self._get(self._source.url)
            try:
                pages[""] = openmetrics.parse(page, names(self._map))
            except PageError as error:
                raise self._trouble(self._source.url, error) from None
        else:
            await self._requests(pages)
        found, self._counts = apply(self._map, pages, self._counts)
        if not found:
            raise EyeError(
                _('{url}: nothing on it fits the map "{map}"', url=self._source.where, map=self._map.name)
            )
        return found

    def close(self) -> None:
        """Nothing is held but a session, which ends by itself."""

    async def _requests(self, pages: dict[str, Any]) -> None:
        refused: EyeError | None = None
        for name, request in self._map.requests.items():
            try:
                pages[name] = await self._request(request)
            except EyeError as error:
                if not request.optional:
                    raise
                refused = error
        if not pages and refused is not None:
            raise refused

    async def _request(self, request: Request) -> Any:
        if isinstance(self._source, Json) and self._source.by_ubus:
            found, what = await self._call(request), " ".join(request.ubus or ())
        else:
            what = request.path or ""
            page = await self._get(_below(self._source.url, what))
            try:
                found = document.parse(page)
            except PageError as error:
                raise self._trouble(what or self._source.where, error) from None
        if not request.inside:
            return found
        text = found.get(request.inside) if isinstance(found, dict) else None
        try:
            return document.parse(text if isinstance(text, str) else "")
        except PageError as error:
            raise self._trouble(f"{what} {request.inside}", error) from None

    async def _call(self, request: Request) -> Any:
        assert request.ubus is not None  # noqa: S101  `open_eye` has looked
        service, method = request.ubus
        for again in (True, False):
            if not self._session:
                self._session = await self._login()
            page = await self._post(ubus.call(self._session, service, method, request.arguments or {}))
            try:
                return ubus.answer(page)
            except DeniedError as error:  # the session may have ended: once anew
                self._session = ""
                if not again or self._password is None:
                    raise self._trouble(f"{service} {method}", error) from None
            except PageError as error:
                raise self._trouble(f"{service} {method}", error) from None
        return None

    async def _login(self) -> str:
        if self._password is None:
            return ubus.NOBODY
        page = await self._post(ubus.login(self._source.user, self._password.reveal()))
        try:
            return ubus.session_of(page)
        except DeniedError:
            raise EyeError(
                _(
                    "{url} refuses the user {user} or the password",
                    url=self._source.where,
                    user=self._source.user,
                )
            ) from None
        except PageError as error:
            raise self._trouble("session login", error) from None

    async def _get(self, url: str) -> bytes:
        headers = web.basic(self._source.user, self._password.reveal()) if self._password else {}
        return await self._ask(self._asked(url, headers, None))

    async def _post(self, body: bytes) -> bytes:
        return await self._ask(self._asked(self._source.url, {"Content-Type": "application/json"}, body))

    def _asked(self, url: str, headers: Mapping[str, str], body: bytes | None) -> Ask:
        return Ask(
            url=url, within_s=self._source.timeout_s, most=MOST_PAGE, headers=headers, body=body,
            verify=self._source.verify,
        )  # fmt: skip

    async def _ask(self, ask: Ask) -> bytes:
        where = ask.url.partition("?")[0]
        try:
            answer = await self._web.ask(ask)
        except WebError as error:
            raise EyeError(_("{url}: {cause}", url=where, cause=error)) from None
        if answer.status in (401, 403):
            raise EyeError(_("{url}: who asks is refused (status {status})", url=where, status=answer.status))
        if answer.status != 200:
            raise EyeError(_("{url}: status {status}; expected 200", url=where, status=answer.status))
        if not answer.whole:
            raise EyeError(_("{url}: the page is larger than {most} kB", url=where, most=MOST_PAGE // 1024))
        return answer.body

    def _trouble(self, what: str, error: PageError) -> EyeError:
        url = self._source.where
        return EyeError(_("{url}: {what}: {cause}", url=url, what=what.partition("?")[0], cause=error))


def check(source: WebSource, where: str) -> Map:
    """The map that a source names. Raises `ConfigError`, also where it wants what the address is not."""
    found = web_maps.load(source.KIND, source.map, f"{where}.map")
    if isinstance(source, Json):
        wants = ", ".join(name for name, request in found.requests.items() if _unfit(request, source))
        if wants and source.by_ubus:
            raise ConfigError([fault(f"{where}.map", "fault.map_of_pages", wants=wants, url=source.where)])
        if wants:
            raise ConfigError([fault(f"{where}.map", "fault.map_of_ubus", wants=wants)])
    return found


def open_eye(sight: Sight) -> WebEye:
    """See `ayni_agent.eyes`."""
    source = sight.source
    assert isinstance(source, WebSource)  # noqa: S101  the registry says so
    return WebEye(source, check(source, source.KIND), sight.secrets.get("password"))


def _unfit(request: Request, source: Json) -> bool:
    return request.ubus is None if source.by_ubus else request.path is None


def _below(url: str, path: str) -> str:
    """The page `path` of a device: below the address itself, whether or not that ends in a slash."""
    if not path:
        return url
    return urljoin(url if url.endswith("/") else url + "/", path.lstrip("/"))
