"""What the console's first screen waits for, and what it does not."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

from console_village import Village
from test_console_app import run
from textual.pilot import Pilot

from ayni_console import screens
from ayni_console.app import ConsoleApp
from ayni_console.client import ConsoleClient
from ayni_core.onlooking.model import KINDS
from ayni_core.wire import topics
from ayni_io.mqtt import BrokerConfig

FIRST = """
import sys
import ayni_console.command_console
from ayni_console import client, esc, spared, unsent
with spared.left_out():
    esc.hasten()
    import ayni_console.app
print(*sys.modules)
"""
LATER = {
    "ayni_core.wire.questions", "ayni_core.wire.messages", "ayni_core.commands", "ayni_core.clockwatch",
    "ayni_console.deeds", "ayni_console.advice", "ayni_console.prompt", "ayni_io.certificates",
}  # fmt: skip
SPARED = {
    "textual.command", "textual.widgets._toast", "textual.widgets._input", "textual.containers",
    "rich.table", "pickle", "typing_extensions",
}  # fmt: skip


def test_the_first_screen_comes_without_the_others() -> None:
    """Half a second of imports that a newcomer does not wait for: they come when nobody does anything."""
    done = subprocess.run([sys.executable, "-c", FIRST], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    pages = {name for name in loaded if name.startswith("ayni_console.screens.")}
    assert pages == {"ayni_console.screens.home", "ayni_console.screens.page"}
    assert not loaded & LATER
    assert not loaded & SPARED


USED = """
import pickle, sys
from ayni_console import spared
before = pickle.dumps
with spared.left_out():
    import rich.style, textual.app
import platformdirs, textual.command, typing_extensions
assert pickle.dumps is before and rich.style.dumps is before
assert textual.command.CommandPalette is not textual.app.CommandPalette
assert textual.app.user_downloads_path() == platformdirs.user_downloads_path()
assert rich.style.Style(meta={"a": 1}).meta == {"a": 1}
print("fine")
"""


def test_what_was_left_out_can_be_imported_afterwards_and_what_was_there_stays() -> None:
    done = subprocess.run([sys.executable, "-c", USED], capture_output=True, text=True, check=False)
    assert done.stdout == "fine\n", done.stderr


def test_every_screen_that_is_named_is_found() -> None:
    """The names for mypy and those for Python are the same."""
    tree = ast.parse(Path(screens.__file__).read_text())
    named = {
        alias.name: each.module
        for each in ast.walk(tree)
        if isinstance(each, ast.ImportFrom) and each.module and each.module.startswith("ayni_console.")
        for alias in each.names
    }
    assert {name: module.rpartition(".")[2] for name, module in named.items()} == screens._MODULES
    for name in named:
        assert getattr(screens, name).__name__ == name


def test_the_others_are_there_before_somebody_asks_for_them() -> None:
    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await app.workers.wait_for_complete([each for each in app.workers if each.group == "rest"])
        assert "ayni_console.screens.advice" in sys.modules

    run(Village(), scene)


def test_what_the_first_screen_shows_is_told_first() -> None:
    """A broker sends what is retained in the order in which it is subscribed to."""
    client = ConsoleClient(BrokerConfig(), "eva")
    heard = client._mqtt._filters
    shown = [heard.index(topics.net(kind, "#")) for kind in ("community", "link", "node")]
    assert heard.index(topics.alert("#")) < min(shown)
    assert max(shown) < heard.index(topics.net("site", "#")) < heard.index(topics.net("device", "#"))
    assert {topics.net(kind, "#") for kind in KINDS} <= set(heard)
