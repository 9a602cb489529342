"""The one error of the wire, and strict JSON."""

from __future__ import annotations

import json
import math
import re
from typing import Any

_MOST_DIGITS = 24
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
"""An escape that may be half a character: JSON can spell what UTF-8 cannot carry."""


class WireError(ValueError):
    """Bytes that are not what the protocol promises; the sender is at fault."""


def _constant(name: str) -> float:
    raise WireError(f"{name} is not a value")


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise WireError(f"{text[:20]} is out of range")
    return value


def _int(text: str) -> int:
    if len(text) > _MOST_DIGITS:
        raise WireError("a number with too many digits")
    return int(text)


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise WireError("a key stands twice")
    return result


_decoder = json.JSONDecoder(
    parse_constant=_constant, parse_float=_float, parse_int=_int, object_pairs_hook=_pairs
)


def load_json(data: bytes | str) -> Any:
    """Strict JSON: no NaN, no infinities, no duplicate keys, no half characters; anything wrong is a
    `WireError`. What it gives can always be written again."""
    try:
        text = data.decode("utf-8") if isinstance(data, bytes) else data
        value = _decoder.decode(text)
        if _SURROGATE.search(text):
            dump_json(value)
        return value
    except WireError:
        raise
    except (ValueError, RecursionError) as error:  # UnicodeError is a ValueError
        raise WireError(f"not JSON: {str(error)[:80]}") from None


def dump_json(value: Any) -> bytes:
    """Compact JSON; refuses NaN and infinities on the way out too."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode("utf-8")
