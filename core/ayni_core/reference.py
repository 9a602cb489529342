"""Where a secret is kept, as configuration says it: `file:PATH`, `env:NAME` or `credential:NAME` (systemd).

A text that is no such place may be the secret: it is never repeated.
"""

from __future__ import annotations

from typing import Any

from ayni_core.schema import Fields


def is_reference(text: str) -> bool:
    """Whether a text says where a secret is kept."""
    return text.partition(":")[0] in ("file", "env", "credential")


def read_reference(fields: Fields, key: str, *default: str | None) -> Any:
    """One that stands in configuration."""
    value = fields.text(key, *default)
    if value:
        _check(fields, key, value)
    return value


def read_references(fields: Fields, key: str) -> tuple[str, ...]:
    """A list of them, empty where there is none."""
    found = fields.texts(key)
    for each in found:
        _check(fields, key, each)
    return found


def _check(fields: Fields, key: str, text: str) -> None:
    if not is_reference(text):
        fields.fault(key, "fault.secret")


def credential(reference: str) -> str:
    """What the secret is called on a machine that is given it as a credential: a file's own name."""
    kind, _colon, where = reference.partition(":")
    return where.rpartition("/")[2] if kind == "file" else where
