"""Short names out of what people write: `Clínica San José` -> `clinica-san-jose`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container


def slug(title: str, fallback: str, taken: Container[str] = (), *, longest: int = 32) -> str:
    """A name of a-z, 0-9 and hyphens that is not in `taken`; `fallback` where nothing is left."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode("ascii").lower()
    base = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:longest].strip("-") or fallback
    name, number = base, 2
    while name in taken:
        ending = f"-{number}"
        name, number = base[: longest - len(ending)].rstrip("-") + ending, number + 1
    return name
