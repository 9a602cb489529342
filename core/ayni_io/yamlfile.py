"""One strict YAML loader: no surprises of YAML 1.1, no duplicate keys, no aliases, lines kept for faults.

Only `true`/`false`, whole numbers and decimal fractions are anything but text: `no` stays "no" and
`12:34:56` stays "12:34:56".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import yaml

from ayni_core.fault import ConfigError, Fault, fault
from ayni_core.message import Phrase
from ayni_core.schema import Faults, Fields
from ayni_io.os_errors import os_cause

T = TypeVar("T")
_DEEPEST = 40
_LARGEST = 64 * 1024 * 1024
_PROBLEMS = {
    "mapping values are not allowed": "yaml.mapping_value",
    "cannot start any token": "yaml.character",
    "tab character": "yaml.tab",
    "expected ':'": "yaml.no_colon",
    "expected key": "yaml.no_key",
    "expected <block end>": "yaml.no_key",
    "expected ',' or": "yaml.no_bracket",
    "expected '-'": "yaml.no_dash",
    "node content": "yaml.no_value",
    "unexpected end of stream": "yaml.no_quote",
    "sequence entries are not allowed": "yaml.list_entry",
    "characters are not allowed": "yaml.control",
    "unknown escape character": "yaml.escape",
    "another document": "yaml.two_documents",
    "undefined alias": "fault.alias",
}
"""What libyaml and PyYAML's own parser say of what people do wrong most, by words that both use."""
_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc]
    """A loader whose plain scalars follow YAML 1.2's core, less octal and hexadecimal."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012


_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:null|~|)$"), ["n", "~", ""])
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"^[-+]?(?:0|[1-9][0-9]*)$"), list("-+0123456789")
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$"),
    list("-+0123456789"),
)


def load(text: str, source: str) -> tuple[Any, dict[str, int]]:
    """Parse one document: (value, line number of each path). Raises `ConfigError`."""
    lines: dict[str, int] = {}
    faults: list[Fault] = []
    try:
        _check_events(text, source)
        node = yaml.compose(text, Loader=_Loader)
        value = None if node is None else _build(node, "", source, lines, faults)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{source}:{mark.line + 1}" if mark else source
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise ConfigError([fault(where, "fault.yaml", cause=_problem(problem))]) from None
    if faults:
        raise ConfigError(faults)
    return value, lines


def _problem(said: str) -> Phrase | str:
    known = next((context for words, context in _PROBLEMS.items() if words in said), None)
    return Phrase(known) if known else said


def _check_events(text: str, source: str) -> None:
    """Refuse aliases, and nesting so deep that composing it would overflow the C stack."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.AliasEvent):
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise ConfigError([fault(f"{source}:{line}", "fault.alias")])
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _DEEPEST:
                raise ConfigError([fault(source, "fault.nested", most=_DEEPEST)])
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _build(node: yaml.Node, path: str, source: str, lines: dict[str, int], faults: list[Fault]) -> Any:
    lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                faults.append(fault(f"{source}:{line}", "fault.plain_key"))
                continue
            key = str(key_node.value)
            if key in result:
                faults.append(fault(f"{source}:{line}", "fault.key_twice", key=key))
            below = f"{path}.{key}" if path else key
            result[key] = _build(value_node, below, source, lines, faults)
            lines[below] = line
        return result
    if isinstance(node, yaml.SequenceNode):
        return [_build(each, f"{path}[{i}]", source, lines, faults) for i, each in enumerate(node.value)]
    kind = node.tag.rpartition(":")[2]
    match kind:
        case "bool":
            return node.value == "true"
        case "null":
            return None
        case "int":
            return int(node.value)
        case "float":
            return float(node.value)
        case "str":
            return node.value
    faults.append(fault(f"{source}:{lines[path]}", "fault.tag", tag=node.tag))
    return None


def read_text(path: Path, source: str | None = None) -> str:
    """The text of a configuration file, or `ConfigError` in one line."""
    name = source or str(path)
    try:
        if path.stat().st_size > _LARGEST:
            raise ConfigError([fault(name, "fault.large", most=_LARGEST // 1024 // 1024)])
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError([fault(name, "fault.no_file")]) from None
    except UnicodeDecodeError:
        raise ConfigError([fault(name, "fault.utf8")]) from None
    except OSError as error:
        raise ConfigError([fault(name, "fault.unreadable", cause=os_cause(error))]) from None


def document(path: Path) -> dict[str, Any]:
    """A file's top mapping as it stands, unread. Raises `ConfigError`."""
    value, lines = load(read_text(path), str(path))
    faults = Faults(str(path), lines)
    Fields(value, "", faults)
    faults.stop()
    return value or {}


def read(path: Path, parse: Callable[[Fields], T], source: str | None = None) -> T:
    """Load a file and hand its top mapping to `parse`; every fault at once in one `ConfigError`."""
    name = source or str(path)
    value, lines = load(read_text(path, name), name)
    faults = Faults(name, lines)
    fields = Fields(value if value is not None else {}, "", faults)
    result = parse(fields)
    fields.done()
    faults.stop()
    return result
