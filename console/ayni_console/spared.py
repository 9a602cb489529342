"""Modules that Textual and Rich import for what this console never does, and that it starts without.

A palette of commands, boxes with notices, lists, trees and buttons: a tenth of a second. While Textual is
imported, something empty stands in for them, as names that are bound and never used; afterwards they can be
imported by whoever wants them. Textual is pinned, and tests/test_console_start.py fails where it uses one.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
import typing
from collections.abc import Iterator
from types import ModuleType
from typing import Any

_NEVER_USED = {
    "textual.command": (
        "CommandListItem", "CommandPalette", "DiscoveryHit", "Hit", "Hits", "Provider", "SimpleProvider",
    ),
    "textual.widgets._toast": ("ToastRack",),
    "rich.table": ("Column", "Row", "Table"),
}  # fmt: skip
_ON_CALL = {
    "pickle": ("dumps", "loads"),
    "platformdirs": ("user_downloads_path",),
}
"""Functions whose module is imported when one is called."""


@contextlib.contextmanager
def left_out() -> Iterator[None]:
    """What is imported in here does without."""
    stand_ins: dict[str, ModuleType] = {"typing_extensions": typing}  # has all that is asked for, since 3.11
    for module, names in _NEVER_USED.items():
        stand_ins[module] = _made(module, {name: type(name, (), {}) for name in names})
    for module, names in _ON_CALL.items():
        stand_ins[module] = _made(module, {name: _later(module, name) for name in names})
    used = {name: made for name, made in stand_ins.items() if name not in sys.modules}
    sys.modules.update(used)
    try:
        yield
    finally:
        for name, made in used.items():
            if sys.modules.get(name) is made:
                del sys.modules[name]


def _made(module: str, names: dict[str, Any]) -> ModuleType:
    made = ModuleType(module)
    vars(made).update(names)
    return made


def _later(module: str, name: str) -> Any:
    def call(*arguments: Any, **more: Any) -> Any:
        return getattr(importlib.import_module(module), name)(*arguments, **more)

    return call
