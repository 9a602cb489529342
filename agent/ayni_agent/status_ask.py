"""Asking the agent on this machine how it is. Kept light: on a small Pi every import is felt."""

from __future__ import annotations

import json
import socket
from pathlib import Path

from ayni_agent.status import Status
from ayni_core.wire.errors import WireError
from ayni_core.wire.shape import MAX_BYTES, from_json

ANSWER_S = 10.0
"""How long an agent may take for its answer."""


class StatusError(Exception):
    """No status was to be had. `kind` says why: `absent` (no socket there), `dead` (nobody listens to it),
    `denied` (not permitted), `hangs` (no answer in time) or `strange` (no answer of ours), with `detail`."""

    def __init__(self, kind: str, detail: str = "") -> None:
        super().__init__(f"{kind}: {detail}" if detail else kind)
        self.kind = kind
        self.detail = detail


def ask(path: Path, within_s: float = ANSWER_S + 1) -> Status:
    """The status of the agent behind a socket. Raises `StatusError`."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(within_s)
            connection.connect(str(path))
            connection.sendall(b'{"do":"status"}\n')
            answer = bytearray()
            while not answer.endswith(b"\n"):
                piece = connection.recv(65536)
                if not piece:
                    raise StatusError("hangs", "it closed the connection without an answer")
                answer += piece
                if len(answer) > MAX_BYTES:
                    raise StatusError("strange", "its answer is too long")
    except FileNotFoundError:
        raise StatusError("absent") from None
    except ConnectionRefusedError:
        raise StatusError("dead") from None
    except PermissionError:
        raise StatusError("denied") from None
    except TimeoutError:
        raise StatusError("hangs") from None
    except OSError as error:
        raise StatusError("strange", error.strerror or str(error)) from None
    return _status_in(bytes(answer))


def _status_in(answer: bytes) -> Status:
    try:
        value = json.loads(answer)
        if isinstance(value, dict) and "status" in value:
            return from_json(Status, value["status"])
        detail = value.get("error") if isinstance(value, dict) else None
    except (ValueError, RecursionError, WireError) as error:
        raise StatusError("strange", str(error)) from None
    raise StatusError("strange", str(detail or "no status in its answer"))
