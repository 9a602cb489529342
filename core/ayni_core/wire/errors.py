"""The one error of the wire, and strict JSON."""

from __future__ import annotations

import json
import math
import re
from typing import Any

KINDS = ("shape", "json", "damaged", "size", "dictionary", "topic", "foreign")
"""Not the promised shape; not strict JSON; damaged in transit; too much of something; an unknown dictionary;
not a topic of ours; about what the sender has no business with."""
_MOST_DIGITS = 24
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
"""An escape that may be half a character: JSON can spell what UTF-8 cannot carry."""


class WireError(ValueError):
    """Bytes that are not what the protocol promises; the sender is at fault.

    `kind` is one of KINDS: what was wrong in one word, so that a thousand refusals can be counted in a line.
    """

    def __init__(self, text: str, *, kind: str = "shape") -> None:
        super().__init__(text)
        self.kind = kind


def _constant(name: str) -> float:
    raise WireError(f"{name} is not a value", kind="json")


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise WireError(f"{text[:20]} is out of range", kind="json")
    return value


def _int(text: str) -> int:
    if len(text) > _MOST_DIGITS:
        raise WireError("a number with too many digits", kind="json")
    return int(text)


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise WireError("a key stands twice", kind="json")
    return result


_decoder = json.JSONDecoder(
    parse_constant=_constant, parse_float=_float, parse_int=_int, object_pairs_hook=_pairs
)
_frame_decoder = json.JSONDecoder(
    parse_constant=_constant, parse_float=_float, object_pairs_hook=_pairs
)  # `int` itself is quicker by a third, and refuses more than 4,300 digits


def load_json(data: bytes | str, *, checked: bool = False) -> Any:
    """Strict JSON: no NaN, no infinities, no duplicate keys, no half characters; anything wrong is a
    `WireError`. What it gives can always be written again. With `checked` the caller promises to look at the
    size of every whole number himself."""
    try:
        text = data.decode("utf-8") if isinstance(data, bytes) else data
        value = (_frame_decoder if checked else _decoder).decode(text)
        if _SURROGATE.search(text):
            dump_json(value)
        return value
    except WireError:
        raise
    except (ValueError, RecursionError) as error:  # UnicodeError is a ValueError
        raise WireError(f"not JSON: {str(error)[:80]}", kind="json") from None


def dump_json(value: Any) -> bytes:
    """Compact JSON; NaN, infinities and half characters are a `WireError` on the way out too."""
    try:
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode("utf-8")
    except ValueError as error:  # UnicodeError is one too
        raise WireError(f"no JSON can say this: {str(error)[:80]}", kind="json") from None
