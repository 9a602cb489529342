"""A page of JSON, and the rows in it. Bounded before anything is built: it comes from the network."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ayni_core.webmap import Path
from ayni_core.webmap.openmetrics import PageError

MOST_VALUES, MOST_ROWS, DEEPEST = 60_000, 5_000, 32
_BRACKET = re.compile(r"[\[\]{}]")


@dataclass(frozen=True, slots=True)
class Row:
    """A place in a document, and what the `*` on the way to it were."""

    node: Any
    keys: tuple[str, ...]


def parse(page: bytes | str) -> Any:
    """A document. Raises `PageError`."""
    text = page if isinstance(page, str) else page.decode("utf-8", "replace")
    if text.count(",") + text.count("[") + text.count("{") > MOST_VALUES:
        raise PageError(f"more than {MOST_VALUES} values")
    depth = deepest = 0
    for sign in _BRACKET.findall(text):
        if sign in "[{":
            depth += 1
            deepest = max(deepest, depth)
        else:
            depth -= 1
    if deepest > DEEPEST:  # brackets within texts count too: no honest page is near the limit
        raise PageError(f"nested more than {DEEPEST} deep")
    try:
        return json.loads(text, parse_constant=lambda _name: None)
    except (ValueError, RecursionError) as error:
        where = f" at character {error.pos}" if isinstance(error, json.JSONDecodeError) else ""
        raise PageError(f"it is not JSON{where}: {text.strip()[:40]!r}") from None


def rows(document: Any, path: Path) -> Iterator[Row]:
    """The rows at a path, at most MOST_ROWS."""
    found = [Row(document, ())]
    for step in path:
        below: list[Row] = []
        for row in found:
            if len(below) > MOST_ROWS:
                break
            below += [
                Row(node, (*row.keys, key) if step == "*" else row.keys)
                for key, node in _step(row.node, step)
            ]
        found = below
    yield from found[:MOST_ROWS]


def get(node: Any, path: Path) -> Any:
    """What stands at a path without `*`; None where nothing does."""
    for step in path:
        found = list(_step(node, step))
        if not found:
            return None
        node = found[0][1]
    return node


def _step(node: Any, step: str) -> list[tuple[str, Any]]:
    if isinstance(node, dict):
        if step == "*":
            return [(str(key), value) for key, value in node.items()]
        return [(step, node[step])] if step in node else []
    if isinstance(node, list):
        if step == "*":
            return [(str(index), value) for index, value in enumerate(node)]
        if step.isdecimal() and len(step) < 6 and int(step) < len(node):
            return [(step, node[int(step)])]
    return []
