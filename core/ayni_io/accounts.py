"""Accounts on the broker: a password each, and rights written out per account.

The file is the one of Mosquitto's dynamic-security plugin; everything that no right names is refused. A
person who publishes or subscribes elsewhere gets nothing, whatever the broker answers to SUBSCRIBE.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ayni_core.account_plan import DEFAULTS, acls
from ayni_core.wire.topics import Rights, rights
from ayni_io import files

_ITERATIONS = 20_000
"""A random password of 24 octets needs no slow hash; this many still cost a Pi Zero only 0.1 s a login."""


def prepare(accounts: Iterable[str], secrets_dir: Path) -> dict[str, str]:
    """The password of each account, one file each in `secrets_dir`; missing ones are made."""
    secrets_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    return {account: files.keep_secret(secrets_dir / account) for account in accounts}


def dynamic_security(
    passwords: Mapping[str, str],
    roles: Mapping[str, str],
    *,
    extra: Mapping[str, Rights] | None = None,
    known: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The plugin's document. `roles` gives the role of a person; `extra` the rights of unusual accounts;
    `known` an earlier document, whose hashes stay as long as they fit (so that nothing changes for nothing).
    """
    before = {client["username"]: client for client in (known or {}).get("clients", [])}
    clients, role_list = [], []
    for account, password in passwords.items():
        allowed = (extra or {}).get(account) or rights(account, roles.get(account, ""))
        client = before.get(account)
        if client is None or not fits(client, password):
            client = {"username": account, "roles": [{"rolename": account}], **_hash(password)}
        clients.append(client)
        role_list.append({"rolename": account, "acls": acls(allowed)})
    return {
        "defaultACLAccess": dict(DEFAULTS),
        "clients": clients,
        "groups": [],
        "roles": role_list,
    }


def write(path: Path, document: Mapping[str, Any]) -> bool:
    """Write the document, readable by its owner only; False when it stood there already."""
    text = as_text(document)
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return False
    files.write_text(path, text, mode=0o600)
    return True


def as_text(document: Mapping[str, Any]) -> str:
    """The document as a file has it."""
    return json.dumps(document, indent=1) + "\n"


def read(path: Path) -> dict[str, Any]:
    """An earlier document; empty when there is none that can be read."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def fits(client: Mapping[str, Any], password: str) -> bool:
    """Whether a password is the one of a client of the document."""
    try:
        salt = base64.b64decode(client["salt"])
        expected = base64.b64decode(client["password"])
        found = _pbkdf2(password, salt, int(client["iterations"]))
    except (KeyError, ValueError, TypeError):
        return False
    return hmac.compare_digest(found, expected)


def _hash(password: str) -> dict[str, Any]:
    salt = secrets.token_bytes(12)
    return {
        "password": base64.b64encode(_pbkdf2(password, salt, _ITERATIONS)).decode("ascii"),
        "salt": base64.b64encode(salt).decode("ascii"),
        "iterations": _ITERATIONS,
    }


def _pbkdf2(password: str, salt: bytes, iterations: int) -> bytes:
    return hashlib.pbkdf2_hmac("sha512", password.encode("utf-8"), salt, iterations)
