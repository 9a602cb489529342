"""Messages as values: a frozen dataclass to JSON and back, checked by its own type annotations.

Allowed annotations: str, int, float, bool, `X | None`, `tuple[X, ...]`, `Message`, and other dataclasses.
A key that is absent takes the field's default; unknown keys are passed over, so that an older console
understands a newer hub.
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Callable
from typing import Any, TypeVar

from ayni_core.message import Message, from_wire
from ayni_core.wire.errors import WireError, dump_json, load_json

T = TypeVar("T")
MAX_BYTES = 1024 * 1024
MAX_TEXT = 4000
MAX_ITEMS = 20_000
_LARGEST = 1e30


def pack(value: object) -> bytes:
    """A message as JSON bytes; fields that hold nothing (None, an empty list) by default are left out."""
    return dump_json(_out(value))


def unpack(kind: type[T], data: bytes) -> T:
    """A message out of JSON bytes, or `WireError`."""
    if len(data) > MAX_BYTES:
        raise WireError(f"larger than {MAX_BYTES} bytes")
    return from_json(kind, load_json(data))


def from_json(kind: type[T], value: object) -> T:
    """A message out of decoded JSON, or `WireError` naming the field."""
    if not isinstance(value, dict):
        raise WireError(f"{kind.__name__}: expected an object")
    arguments = {}
    for name, read, required, where, measured in _fields(typing.cast(typing.Hashable, kind)):
        if name in value:
            given = value[name]
            if measured and type(given) is float and -_LARGEST < given < _LARGEST:  # as most are
                arguments[name] = given
            else:
                arguments[name] = read(given, where)
        elif required:
            raise WireError(f"{where} is missing")
    return kind(**arguments)


_PLAIN = frozenset((str, int, float, bool, type(None)))


_Read = Callable[[Any, str], Any]
"""(decoded JSON, what it is called) to a value, or `WireError`."""


@functools.cache
def _fields(kind: Any) -> tuple[tuple[str, _Read, bool, str, bool], ...]:
    """(name, how to read it, whether it must be there, what it is called, is it a float) of each field."""
    hints = typing.get_type_hints(kind)
    return tuple(
        (
            field.name,
            _reader(hints[field.name]),
            field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING,
            f"{kind.__name__}.{field.name}",
            hints[field.name] in (float, float | None),
        )
        for field in dataclasses.fields(kind)
    )


def _out(value: object) -> Any:
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is Message:
        return value.to_wire()  # type: ignore[attr-defined]  # as was just seen
    if kind is tuple or kind is list:
        return [_out(each) for each in value]  # type: ignore[attr-defined]
    if not dataclasses.is_dataclass(kind):
        return value
    found = {}
    for name, may_be_empty in _names(kind):
        each = getattr(value, name)
        if each is not None and not (may_be_empty and each == ()):
            found[name] = _out(each)
    return found


@functools.cache
def _names(kind: Any) -> tuple[tuple[str, bool], ...]:
    """(name, whether it is left out when empty) of each field."""
    return tuple((field.name, field.default == ()) for field in dataclasses.fields(kind))


@functools.cache
def _reader(annotation: Any) -> _Read:
    """How to read what an annotation allows; found once, for a console takes in thousands of views."""
    origin = typing.get_origin(annotation)
    if origin in (types.UnionType, typing.Union):
        options = [each for each in typing.get_args(annotation) if each is not type(None)]
        readers = [_reader(each) for each in options]
        one = readers[0] if len(readers) == 1 else _one_of(readers)
        return _or_none(one) if len(options) < len(typing.get_args(annotation)) else one
    if origin is tuple:
        return _list_of(_reader(typing.get_args(annotation)[0]))
    return _PLAIN_READERS.get(annotation) or functools.partial(_dataclass, annotation)


def _or_none(inner: _Read) -> _Read:
    def read(value: Any, where: str) -> Any:
        return None if value is None else inner(value, where)

    return read


def _one_of(readers: list[_Read]) -> _Read:
    def read(value: Any, where: str) -> Any:
        error: WireError | None = None
        for each in readers:
            try:
                return each(value, where)
            except WireError as problem:
                error = problem
        raise error or WireError(f"{where}: unexpected value")

    return read


def _list_of(inner: _Read) -> _Read:
    def read(value: Any, where: str) -> Any:
        if not isinstance(value, list) or len(value) > MAX_ITEMS:
            raise WireError(f"{where}: expected a list")
        return tuple([inner(each, where) for each in value])

    return read


def _message(value: Any, where: str) -> Message:
    message = from_wire(value)
    if message is None:
        raise WireError(f"{where}: expected a message")
    return message


def _bool(value: Any, where: str) -> bool:
    if isinstance(value, bool):
        return value
    raise WireError(f"{where}: expected bool")


def _str(value: Any, where: str) -> str:
    if isinstance(value, str) and len(value) <= MAX_TEXT:
        return value
    raise WireError(f"{where}: expected str")


def _int(value: Any, where: str) -> int:
    if type(value) is int and abs(value) < 2**64:
        return value
    raise WireError(f"{where}: expected int")


def _float(value: Any, where: str) -> float:
    if type(value) in (int, float) and -_LARGEST < value < _LARGEST:
        return float(value)
    raise WireError(f"{where}: expected float")


def _dataclass(annotation: Any, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(annotation):
        return from_json(typing.cast(Any, annotation), value)
    raise WireError(f"{where}: expected {getattr(annotation, '__name__', annotation)}")


_PLAIN_READERS: dict[Any, _Read] = {
    Message: _message, bool: _bool, str: _str, int: _int, float: _float,
}  # fmt: skip
