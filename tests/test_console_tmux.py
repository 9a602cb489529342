"""The real console in a real terminal, over a real broker and a real central: keys in, a screen out."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import parts
from sending_node import SendingNode
from tmux_screen import Screen

from ayni_core import slices
from ayni_io import local_broker, yamlwrite
from ayni_io.local_broker import LocalBroker
from ayni_io.stack import Part, Stack, ayni

AYNI = [sys.executable, "-P", "-m", "ayni_io.cli"]
NETWORK = {
    "network": {"title": "Red Prueba", "poll_s": 60, "flush_s": 60},
    "sites": {"torre": {"title": "Torre", "homes": 3}, "escuela": {"title": "Escuela", "homes": 46}},
    "nodes": {"torre": {"site": "torre"}},
    "devices": {
        "torre-ap": {"site": "torre", "node": "torre", "address": "10.0.0.1"},
        "escuela-ap": {"site": "escuela", "node": "torre", "address": "10.0.0.2"},
    },
    "links": {
        "torre-escuela": {
            "title": "Torre-Escuela",
            "a": {"device": "torre-ap"},
            "b": {"device": "escuela-ap"},
        }
    },
    "people": {"ana": {"title": "Ana"}},
}


@asynccontextmanager
async def central(folder: Path) -> AsyncIterator[LocalBroker]:
    """Broker, hub, and a monitor that reports one of two devices."""
    parts.need("mosquitto")
    local_broker.write_accounts(folder, {"h-hub": "", "n-torre": "", "p-ana": "operator"})
    stack = Stack(folder)
    try:
        local = await local_broker.start(stack, "h-hub", wanted="mosquitto")
        facts = slices.BrokerFacts(port=local.port, secrets=str(folder / "secrets"))
        config = slices.hub("hub", facts, network_path=f"{folder}/network.yaml", data_dir=f"{folder}/data")
        yamlwrite.write(folder / "network.yaml", NETWORK)
        yamlwrite.write(folder / "hub.yaml", config)
        await stack.start(Part(name="hub", argv=ayni("hub", "run", "--config", str(folder / "hub.yaml"))))
        async with SendingNode("torre", local.config("n-torre")) as node:
            node.send()
            yield local
    finally:
        await stack.stop()


def environment(local: LocalBroker, **more: str) -> dict[str, str]:
    password = (local.secrets / "p-ana").read_text(encoding="utf-8").strip()
    return {"AYNI_PASSWORD": password, "AYNI_LANG": "", "LANG": "C.UTF-8", **more}


def console(local: LocalBroker, *words: str) -> list[str]:
    return [*AYNI, "console", "--broker", f"127.0.0.1:{local.port}", "--user", "ana", *words]


def play(folder: Path, story: Callable[[LocalBroker], None]) -> None:
    """A story in a thread of its own, while broker, hub and monitor run."""

    async def run() -> None:
        async with central(folder) as local:
            await asyncio.to_thread(story, local)

    asyncio.run(run())


def test_a_note_a_language_and_a_smaller_terminal(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()

    def story(local: LocalBroker) -> None:
        with Screen.running(console(local), home, environment=environment(local)) as screen:
            shown = screen.wait(lambda text: "Torre-Escuela" in text and "LIVE" in text)
            assert "Red Prueba" in shown
            assert all(len(line) <= 80 for line in shown.splitlines())

            screen.press("n")  # a note, kept by the central
            screen.wait("Note on")
            screen.type("The mast is wet")
            screen.wait("Noted|kept and goes later")  # a busy central answers late
            screen.press("e")
            screen.wait(r"(?i)ana: The mast is wet")

            screen.press("L")  # another language, at once
            screen.wait("● English")
            screen.press("Down", "Enter")
            screen.wait("● Español")
            screen.press("h")
            screen.wait(lambda text: "VIVO" in text and "Torre-Escuela" in text)

            screen.resize(60, 20)
            shown = screen.wait(lambda text: max(map(len, text.splitlines())) <= 60)
            assert "Torre-Escuela" in shown
            screen.press("C-c")
            screen.wait(r"Ctrl\+Q")
            screen.press("C-q")
            screen.wait(lambda _text: screen.ended())

        assert (home / ".config" / "ayni" / "language").read_text(encoding="utf-8") == "es\n"
        with Screen.running(
            console(local, "--ascii"), home, size=(60, 20), environment=environment(local, NO_COLOR="1")
        ) as screen:  # the next time it begins in that language
            shown = screen.wait(lambda text: "VIVO" in text and "Torre-Escuela" in text)
            assert shown.isascii()
            screen.press("e")
            screen.wait(r"(?i)ana: The mast is wet")
            screen.press("C-q")
            screen.wait(lambda _text: screen.ended())

        done = subprocess.run(
            [*AYNI, "events", "--broker", f"127.0.0.1:{local.port}", "--user", "ana", "--json"],
            capture_output=True, text=True, timeout=30, check=False,
            env={**os.environ, **environment(local), "HOME": str(home)},
        )  # fmt: skip
        assert "The mast is wet" in json.dumps(json.loads(done.stdout), ensure_ascii=False)

    play(tmp_path, story)
