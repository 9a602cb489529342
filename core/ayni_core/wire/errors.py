"""The one error of the wire, and strict JSON."""

from __future__ import annotations

import json
from typing import Any


class WireError(ValueError):
    """Bytes that are not what the protocol promises; the sender is at fault."""


def _constant(name: str) -> float:
    raise WireError(f"{name} is not a value")


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise WireError("a key stands twice")
    return result


_decoder = json.JSONDecoder(parse_constant=_constant, object_pairs_hook=_pairs)


def load_json(data: bytes | str) -> Any:
    """Strict JSON: no NaN, no infinities, no duplicate keys; anything wrong is a `WireError`."""
    try:
        return _decoder.decode(data.decode("utf-8") if isinstance(data, bytes) else data)
    except WireError:
        raise
    except (ValueError, RecursionError) as error:
        raise WireError(f"not JSON: {str(error)[:80]}") from None


def dump_json(value: Any) -> bytes:
    """Compact JSON; refuses NaN and infinities on the way out too."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode("utf-8")
