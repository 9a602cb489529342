"""The password in front of the console in a browser: a salted hash of it is kept, and nothing else."""

from __future__ import annotations

import hmac
import secrets
import unicodedata
from pathlib import Path

from ayni_core import scrypt
from ayni_core.fault import ConfigError
from ayni_core.fault import fault as fault_at
from ayni_core.message import Phrase
from ayni_io import files
from ayni_io.i18n import _
from ayni_io.os_errors import os_cause

LEAST = 10
"""Characters."""
_MOST = 200
_TURNS, _MOST_TURNS = 5, 16
"""Of scrypt: a fifth of a second of a PC's core, some seconds of a small Pi's."""
_NAME = "scrypt"


def hashed(password: str, salt: bytes | None = None) -> str:
    """One line for the file: how it was made, the salt, the hash."""
    salt = salt or secrets.token_bytes(16)
    made = scrypt.digest(_octets(password), salt, scrypt.COST, scrypt.BLOCK, _TURNS)
    return f"{_NAME}:{scrypt.COST}:{scrypt.BLOCK}:{_TURNS}:{salt.hex()}:{made.hex()}"


def fits(password: str, kept: str) -> bool:
    """Whether a password is the one that was kept. Takes as long for a wrong one."""
    name, *numbers = kept.split(":")
    if name != _NAME or len(password) > _MOST:
        return False
    cost, block, turns, salt, made = numbers
    digest = scrypt.digest(_octets(password), bytes.fromhex(salt), int(cost), int(block), int(turns))
    return hmac.compare_digest(digest, bytes.fromhex(made))


def _octets(password: str) -> bytes:
    return unicodedata.normalize("NFC", password).encode("utf-8", "replace")


def fault(password: str) -> str:
    """Why a password cannot be taken; empty where it can."""
    if len(password) < LEAST:
        return _("expected at least {least} characters", least=LEAST)
    return _("expected one line") if len(password) > _MOST or not password.isprintable() else ""


def write(path: Path, password: str) -> None:
    """Keep it, readable for its owner alone. Raises `ConfigError`."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        files.write_secret(path, hashed(password))
    except OSError as error:
        raise ConfigError([fault_at(f"{path}", "fault.unwritable", cause=os_cause(error))]) from None


def read(path: Path) -> str:
    """What was kept; empty where nothing was. Raises `ConfigError` where it is no hash, or open to others."""
    try:
        mode, text = path.stat().st_mode, path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise ConfigError([fault_at(f"{path}", "fault.unreadable", cause=os_cause(error))]) from None
    except UnicodeDecodeError:
        raise ConfigError([fault_at(f"{path}", "fault.unreadable", cause=Phrase("fault.utf8"))]) from None
    if mode & 0o077:
        raise ConfigError([fault_at(f"{path}", "fault.open_to_others", command=f"chmod 600 {path}")])
    try:
        name, *numbers, salt, made = text.split(":")
        cost, block, turns = map(int, numbers)
        octets = bytes.fromhex(salt), bytes.fromhex(made)
        sound = name == _NAME and scrypt.is_sound(cost, block, turns, *octets, most_turns=_MOST_TURNS)
    except ValueError:
        sound = False
    if not sound:
        raise ConfigError([fault_at(f"{path}", "fault.no_password", option="--set-password")])
    return text
