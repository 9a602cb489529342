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
    for name, annotation, required in _fields(typing.cast(typing.Hashable, kind)):
        if name in value:
            arguments[name] = _in(annotation, value[name], f"{kind.__name__}.{name}")
        elif required:
            raise WireError(f"{kind.__name__}.{name} is missing")
    return kind(**arguments)


@functools.cache
def _fields(kind: Any) -> tuple[tuple[str, Any, bool], ...]:
    hints = typing.get_type_hints(kind)
    return tuple(
        (
            field.name,
            hints[field.name],
            field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING,
        )
        for field in dataclasses.fields(kind)
    )


def _out(value: object) -> Any:
    if isinstance(value, Message):
        return value.to_wire()
    if dataclasses.is_dataclass(value):
        pairs = ((field, getattr(value, field.name)) for field in dataclasses.fields(value))
        return {
            field.name: _out(each)
            for field, each in pairs
            if each is not None and not (each == () and field.default == ())
        }
    if isinstance(value, tuple | list):
        return [_out(each) for each in value]
    return value


def _in(annotation: Any, value: Any, where: str) -> Any:
    origin = typing.get_origin(annotation)
    if origin in (types.UnionType, typing.Union):
        options = typing.get_args(annotation)
        if value is None and type(None) in options:
            return None
        error: WireError | None = None
        for option in options:
            if option is type(None):
                continue
            try:
                return _in(option, value, where)
            except WireError as problem:
                error = problem
        raise error or WireError(f"{where}: unexpected value")
    if origin is tuple:
        if not isinstance(value, list) or len(value) > MAX_ITEMS:
            raise WireError(f"{where}: expected a list")
        (inner, *_) = typing.get_args(annotation)
        return tuple(_in(inner, each, where) for each in value)
    return _plain(annotation, value, where)


def _plain(annotation: Any, value: Any, where: str) -> Any:
    if annotation is Message:
        message = from_wire(value)
        if message is None:
            raise WireError(f"{where}: expected a message")
        return message
    if annotation is bool and isinstance(value, bool):
        return value
    if annotation is str and isinstance(value, str) and len(value) <= MAX_TEXT:
        return value
    if annotation is int and type(value) is int and abs(value) < 2**64:
        return value
    if annotation is float and type(value) in (int, float) and -_LARGEST < value < _LARGEST:
        return float(value)
    if dataclasses.is_dataclass(annotation):
        return from_json(typing.cast(Any, annotation), value)
    raise WireError(f"{where}: expected {getattr(annotation, '__name__', annotation)}")
