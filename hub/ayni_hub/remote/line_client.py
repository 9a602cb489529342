"""HTTP to a time-series server through influxdb-client: the only file that knows it.

Line protocol goes out as whole strings; queries use the same connections and the same credentials. Every
failure becomes one `StoreError` that names the server and never a secret.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import urllib3
from influxdb_client import Dialect, InfluxDBClient
from influxdb_client.client.exceptions import InfluxDBError
from influxdb_client.client.write_api import SYNCHRONOUS

from ayni_hub.remote.server import RefusedError
from ayni_hub.store import StoreError
from ayni_io.secret import Secret

_LARGEST = 256 * 1024 * 1024
_PLAIN = Dialect(header=True, annotations=[], delimiter=",", comment_prefix="#", date_time_format="RFC3339")
_TROUBLES = (InfluxDBError, urllib3.exceptions.HTTPError, OSError, AttributeError, UnicodeDecodeError)
_HERE = ("127.0.0.1", "[::1]", "localhost")


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Where a server is and who we are there."""

    kind: str
    url: str
    bucket: str = "ayni"
    org: str = "ayni"
    token: Secret | None = None
    username: str | None = None
    password: Secret | None = None
    ca: Path | None = None
    connect_s: float = 5.0
    answer_s: float = 20.0


class LineClient:
    """May be used by several threads."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._named = f"{access.kind} at {access.url}"
        here = any(f"//{host}" in access.url for host in _HERE)
        try:
            self._client = InfluxDBClient(
                url=access.url,
                token=access.token.reveal() if access.token else "",
                org=access.org,
                timeout=(int(access.connect_s * 1000), int(access.answer_s * 1000)),
                enable_gzip=not here,
                ssl_ca_cert=str(access.ca) if access.ca else None,
            )
        except (OSError, ValueError) as error:  # a certificate that cannot be read
            raise StoreError(f"{self._named}: {error}") from error
        api = self._client.api_client
        if access.username and access.password:
            pair = f"{access.username}:{access.password.reveal()}".encode()
            api.set_default_header("Authorization", f"Basic {base64.b64encode(pair).decode()}")
        elif access.token and access.kind == "victoriametrics":  # vmauth wants it so
            api.set_default_header("Authorization", f"Bearer {access.token.reveal()}")
        self._write = self._client.write_api(write_options=SYNCHRONOUS)
        self._query = self._client.query_api()

    def write(self, lines: Sequence[str]) -> None:
        """Write line protocol with milliseconds."""
        body = "\n".join(lines).encode("utf-8")
        try:
            self._write.write(self._access.bucket, record=body, write_precision="ms")
        except _TROUBLES as error:
            raise self._failed("writing", error) from error

    def ask(self, path: str, fields: Sequence[tuple[str, str]]) -> bytes:
        """POST a form; what comes back."""
        api = self._client.api_client
        headers = {**api.default_headers, "Content-Type": "application/x-www-form-urlencoded"}
        try:
            answer = api.request(
                "POST", f"{self._access.url}{path}", headers=headers, post_params=list(fields),
                _preload_content=False,
            )  # fmt: skip
            return self._body(answer)
        except _TROUBLES as error:
            raise self._failed("reading", error) from error

    def flux(self, query: str) -> bytes:
        """The answer to a Flux query, as CSV without annotations."""
        try:
            return self._body(self._query.query_raw(query, dialect=_PLAIN))
        except _TROUBLES as error:
            raise self._failed("reading", error) from error

    def close(self) -> None:
        """Let the connections go."""
        self._client.close()

    def _body(self, answer: urllib3.BaseHTTPResponse) -> bytes:
        try:
            body = answer.read(_LARGEST + 1)
        finally:
            answer.release_conn()
        if len(body) > _LARGEST:
            raise StoreError(f"reading from {self._named}: more than {_LARGEST >> 20} MB came back")
        return body

    def _failed(self, attempt: str, error: Exception) -> StoreError:
        """The sentence for whatever went wrong."""
        begin = f"{attempt} {'to' if attempt == 'writing' else 'from'} {self._named}: "
        match error:
            case InfluxDBError():
                return self._refused(begin, error)
            case urllib3.exceptions.ReadTimeoutError():
                return StoreError(f"{begin}no answer within {self._access.answer_s:g} s")
            case urllib3.exceptions.NewConnectionError():  # urllib3 takes it for a kind of time-out
                return StoreError(f"{begin}cannot be reached: {_reason(error)}")
            case urllib3.exceptions.TimeoutError():
                return StoreError(f"{begin}no connection within {self._access.connect_s:g} s")
            case AttributeError():  # influxdb-client trips over an error without a body
                return StoreError(f"{begin}answers with an error and does not say which")
        return StoreError(f"{begin}cannot be reached: {_reason(error)}")

    def _refused(self, begin: str, error: InfluxDBError) -> StoreError:
        status = int(getattr(error, "status", 0) or 0)
        said = _short(error.message)
        if not status:  # it did not come to an answer, for instance for want of trust in a certificate
            return StoreError(f"{begin}cannot be reached: {_short(getattr(error, 'reason', '') or error)}")
        match status:
            case 401 | 403:
                text = f"refuses our token or password (HTTP {status})"
            case 404:
                text = f"nothing is there (HTTP 404): is the address right, and the bucket? {said}".rstrip()
            case 413:
                text = "finds what we send too large (HTTP 413)"
            case 429 | 503:
                text = f"takes nothing now (HTTP {status}): {said}"
            case _:
                text = f"answers HTTP {status}: {said}"
        return RefusedError(begin + text, status, said)


def _reason(error: Exception) -> str:
    """What is at the bottom of it: urllib3 wraps what the system said."""
    inner = getattr(error, "reason", None)
    return _short(inner if isinstance(inner, Exception) else error).rpartition(": ")[2]


def _short(text: object) -> str:
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    return " ".join(str(text).split())[:200]
