"""OpenWrt's ubus by JSON-RPC (uhttpd-mod-ubus): questions as octets, answers as values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ayni_core.webmap import document
from ayni_core.webmap.openmetrics import PageError

NOBODY = "0" * 32
"""The session of whoever has not logged in; some objects are open to it."""
_DENIED = -32002
_STATUS = {
    1: "no such command",
    2: "an argument is wrong",
    3: "no such method",
    4: "no such object",
    5: "no data",
    6: "permission denied",
    7: "it took too long",
    8: "not supported",
    9: "unknown error",
    10: "no connection",
}
_SESSION_S = 300


class DeniedError(PageError):
    """The session has no right to this, or has ended."""


def call(session: str, service: str, method: str, arguments: Mapping[str, object]) -> bytes:
    """One question."""
    params = [session, service, method, dict(arguments)]
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": "call", "params": params}).encode("utf-8")


def login(user: str, password: str) -> bytes:
    """The question whose answer holds `ubus_rpc_session`."""
    return call(NOBODY, "session", "login", {"username": user, "password": password, "timeout": _SESSION_S})


def answer(page: bytes) -> Any:
    """What was answered. Raises `DeniedError`, `PageError`."""
    found = document.parse(page)
    if not isinstance(found, dict):
        raise PageError("it is no answer of ubus")
    error = found.get("error")
    if isinstance(error, dict):
        text = f"ubus says: {str(error.get('message'))[:80]}"
        raise DeniedError(text) if error.get("code") == _DENIED else PageError(text)
    result = found.get("result")
    if not isinstance(result, list) or not result or not isinstance(result[0], int):
        raise PageError("it is no answer of ubus")
    status = result[0]
    if status:
        text = f"ubus says: {_STATUS.get(status, f'status {status}')}"
        raise DeniedError(text) if status == 6 else PageError(text)
    return result[1] if len(result) > 1 else {}


def session_of(page: bytes) -> str:
    """The session that a login gave. Raises `DeniedError`, `PageError`."""
    found = answer(page)
    session = found.get("ubus_rpc_session") if isinstance(found, dict) else None
    if not isinstance(session, str) or not session.isalnum() or len(session) > 64:
        raise PageError("the answer holds no session")
    return session
