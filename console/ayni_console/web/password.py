"""The password in front of the console in a browser: a salted hash of it is kept, and nothing else."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import unicodedata
from pathlib import Path

from ayni_core.schema import ConfigError
from ayni_io import files

LEAST = 10
"""Characters."""
_MOST = 200
_COST, _BLOCK, _TIMES = 2**14, 8, 5
"""Of scrypt (RFC 7914): 16 MB and a fifth of a second of a PC's core, some seconds of a small Pi's."""
_NAME = "scrypt"


def hashed(password: str, salt: bytes | None = None) -> str:
    """One line for the file: how it was made, the salt, the hash."""
    salt = salt or secrets.token_bytes(16)
    made = _digest(password, salt, _COST, _BLOCK, _TIMES)
    return f"{_NAME}:{_COST}:{_BLOCK}:{_TIMES}:{salt.hex()}:{made.hex()}"


def fits(password: str, kept: str) -> bool:
    """Whether a password is the one that was kept. Takes as long for a wrong one."""
    name, *numbers = kept.split(":")
    if name != _NAME or len(password) > _MOST:
        return False
    cost, block, times, salt, made = numbers
    digest = _digest(password, bytes.fromhex(salt), int(cost), int(block), int(times))
    return hmac.compare_digest(digest, bytes.fromhex(made))


def _digest(password: str, salt: bytes, cost: int, block: int, times: int) -> bytes:
    said = unicodedata.normalize("NFC", password).encode("utf-8", "replace")
    return hashlib.scrypt(said, salt=salt, n=cost, r=block, p=times, dklen=32, maxmem=64 * 1024 * 1024)


def fault(password: str) -> str:
    """Why a password cannot be taken; empty where it can."""
    if len(password) < LEAST:
        return f"expected at least {LEAST} characters"
    return "expected one line" if len(password) > _MOST or not password.isprintable() else ""


def write(path: Path, password: str) -> None:
    """Keep it, readable for its owner alone. Raises `ConfigError`."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        files.write_secret(path, hashed(password))
    except OSError as error:
        raise ConfigError([f"{path}: cannot be written: {error.strerror}"]) from None


def read(path: Path) -> str:
    """What was kept; empty where nothing was. Raises `ConfigError` where it is no hash, or open to others."""
    try:
        mode, text = path.stat().st_mode, path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError):
        raise ConfigError([f"{path}: cannot be read"]) from None
    if mode & 0o077:
        raise ConfigError([f"{path}: others can read it too: chmod 600 {path}"])
    try:
        name, *numbers, salt, made = text.split(":")
        cost, block, times = map(int, numbers)
        sound = name == _NAME and len(bytes.fromhex(salt)) >= 8 and len(bytes.fromhex(made)) == 32
        sound = sound and cost <= 2**15 and block <= 8 and times <= 16
    except ValueError:
        sound = False
    if not sound:
        raise ConfigError([f"{path}: is no password as --set-password writes it"])
    return text
