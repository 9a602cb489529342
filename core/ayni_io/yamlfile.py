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

from ayni_core.schema import ConfigError, Faults, Fields

T = TypeVar("T")
_DEEPEST = 40
_LARGEST = 64 * 1024 * 1024
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
    faults: list[str] = []
    try:
        _check_events(text, source)
        node = yaml.compose(text, Loader=_Loader)
        value = None if node is None else _build(node, "", source, lines, faults)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{source}:{mark.line + 1}" if mark else source
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise ConfigError([f"{where}: not valid YAML: {problem}"]) from None
    if faults:
        raise ConfigError(faults)
    return value, lines


def _check_events(text: str, source: str) -> None:
    """Refuse aliases, and nesting so deep that composing it would overflow the C stack."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.AliasEvent):
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise ConfigError([f"{source}:{line}: aliases (*name) are not allowed"])
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _DEEPEST:
                raise ConfigError([f"{source}: nested more than {_DEEPEST} deep"])
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _build(node: yaml.Node, path: str, source: str, lines: dict[str, int], faults: list[str]) -> Any:
    lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                faults.append(f"{source}:{line}: a key must be a plain word")
                continue
            key = str(key_node.value)
            if key in result:
                faults.append(f'{source}:{line}: key "{key}" stands twice')
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
    faults.append(f"{source}:{lines[path]}: the tag {node.tag} is not allowed")
    return None


def read_text(path: Path, source: str | None = None) -> str:
    """The text of a configuration file, or `ConfigError` in one line."""
    name = source or str(path)
    try:
        if path.stat().st_size > _LARGEST:
            raise ConfigError(
                [f"{name}: larger than {_LARGEST // 1024 // 1024} MB; expected a configuration"]
            )
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError([f"{name}: no such file"]) from None
    except UnicodeDecodeError:
        raise ConfigError([f"{name}: not a text in UTF-8"]) from None
    except OSError as error:
        raise ConfigError([f"{name}: cannot be read: {error.strerror}"]) from None


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
