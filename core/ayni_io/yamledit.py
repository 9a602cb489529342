"""Adding an entry to a YAML file that people edit too: their comments and order stay.

The entry goes to the end of its section as text. Whether that was right is checked by reading the result;
where it was not (a section written in one line, an unusual layout), the file is written anew, its comments
on top kept.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from typing import Any

from ayni_core.schema import ConfigError
from ayni_io import yamlfile, yamlwrite


def insert(text: str, section: str, name: str, entry: Any) -> str:
    """The text with `name: entry` in a top-level section. Raises `ConfigError` if it is no YAML mapping."""
    return insert_all(text, section, {name: entry})


def insert_all(text: str, section: str, entries: Mapping[str, Any]) -> str:
    """The text with all these entries at the end of a top-level section. Raises `ConfigError`."""
    value, _lines = yamlfile.load(text, "network")
    wanted = copy.deepcopy(value) if isinstance(value, dict) else {}
    if not isinstance(wanted.get(section), dict):
        wanted[section] = {}
    wanted[section] |= entries
    edited = _insert_text(text, section, entries)
    try:
        if yamlfile.load(edited, "network")[0] == wanted:
            return edited
    except ConfigError:
        pass
    return _comments_on_top(text) + yamlwrite.dump(wanted)


def _insert_text(text: str, section: str, entries: Mapping[str, Any]) -> str:
    lines = text.splitlines()
    head = re.compile(rf"{re.escape(section)}:\s*(\{{\s*\}})?\s*(#.*)?$")
    start = next((n for n, line in enumerate(lines) if head.fullmatch(line)), None)
    if start is None:
        lines += ["", f"{section}:"]
        start = len(lines) - 1
    lines[start] = re.sub(r"\{\s*\}", "", lines[start]).rstrip()
    end = start + 1
    while end < len(lines) and not re.match(r"[^\s#]", lines[end]):
        end += 1
    while end > start + 1 and not re.match(r"\s+[^\s#]", lines[end - 1]):
        end -= 1  # what stands between two sections belongs to the next one
    inside = (line for line in lines[start + 1 : end] if re.match(r"\s+[^\s#]", line))
    indent = re.match(r"\s*", next(inside, "  "))
    margin = indent.group() if indent and indent.group() else "  "
    block = [margin + line for line in yamlwrite.dump(dict(entries)).splitlines()]
    return "\n".join([*lines[:end], *block, *lines[end:]]) + "\n"


def _comments_on_top(text: str) -> str:
    kept = []
    for line in text.splitlines(keepends=True):
        if line.strip() and not line.startswith("#"):
            break
        kept.append(line)
    return "".join(kept)
