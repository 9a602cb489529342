"""Adding an entry to a YAML file that people edit too: their comments and order stay.

The entry goes to the end of its section as text. Whether that was right is checked by reading the result;
where it was not (a section written in one line, an unusual layout), the file is written anew, its comments
on top kept.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ayni_core.fault import fault
from ayni_core.schema import A_MAPPING, ConfigError
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


def put(text: str, path: Sequence[str], key: str, value: Any) -> str:
    """The text with `key: value` in the mapping at a path such as `("people", "ana")`, which must be there;
    what stood under that key goes. Raises `ConfigError`."""
    whole, _lines = yamlfile.load(text, "network")
    wanted = copy.deepcopy(whole)
    here = wanted
    for name in path:
        here = here.get(name) if isinstance(here, dict) else None
    if not isinstance(here, dict):
        raise ConfigError([fault(f"network: {'.'.join(path)}", "fault.expected", wanted=A_MAPPING)])
    fresh = key not in here
    here[key] = value
    try:
        edited = _put_text(text, path, key, value) if fresh else ""
        if yamlfile.load(edited, "network")[0] == wanted:
            return edited
    except ConfigError:
        pass
    return _comments_on_top(text) + yamlwrite.dump(wanted)


def _put_text(text: str, path: Sequence[str], key: str, value: Any) -> str:
    """The same as text, as far as the layout is the usual one."""
    lines = text.splitlines()
    start, end, margin = -1, len(lines), ""
    for name in path:
        head = re.compile(rf"{margin}{re.escape(name)}:\s*(#.*)?$")
        start = next((n for n in range(start + 1, end) if head.fullmatch(lines[n])), end)
        inside = next((line for line in lines[start + 1 : end] if re.match(r"\s*[^\s#]", line)), "")
        deeper = inside[: len(inside) - len(inside.lstrip())]
        if len(deeper) <= len(margin):
            return text  # its mapping is empty, or in one line
        margin = deeper
        stop = start + 1
        while stop < end and (not lines[stop].strip() or lines[stop].startswith(margin)):
            stop += 1
        end = stop
    while end > start + 1 and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#")):
        end -= 1
    block = [margin + line for line in yamlwrite.dump({key: value}).splitlines()]
    return "\n".join([*lines[:end], *block, *lines[end:]]) + "\n"


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
