"""Acting at the console over a real broker: the screens, the hub's desk, an agent's commands, a box."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from commanded import DOWN, UP, port
from test_command_do import Village, in_village
from test_command_status import mosquitto
from test_screen_do import press, shown
from textual.pilot import Pilot

from ayni_console.app import ConsoleApp
from ayni_console.client import ConsoleClient
from ayni_console.screens.command import CommandPage
from ayni_core.wire.questions import Me
from ayni_io.mqtt import BrokerConfig

pytestmark = pytest.mark.real("mosquitto")


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with mosquitto(tmp_path_factory.mktemp("broker")) as found:
        yield found


def play(
    broker_port: int,
    folder: Path,
    scene: Callable[[ConsoleApp, Pilot[None], Village], Coroutine[Any, Any, None]],
    user: str = "ana",
) -> None:
    async def story(village: Village) -> None:
        client = ConsoleClient(BrokerConfig(port=broker_port), user)
        app = ConsoleApp(client, run_feed=client.run)
        app.deeds.acting.me = Me(name=user, title=user, role="operator")
        async with app.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: client.model.connected)
            await scene(app, pilot, village)

    in_village(broker_port, folder, story)


async def until(pilot: Pilot[None], ready: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not ready():
            await asyncio.sleep(0.02)
            await pilot.pause()


def stage(app: ConsoleApp) -> str:
    assert isinstance(app.screen, CommandPage)
    return app.screen.job.stage


def test_a_port_goes_down_after_it_was_said_who_is_cut_off_and_comes_up_again(
    broker: int, tmp_path: Path
) -> None:
    async def scene(app: ConsoleApp, pilot: Pilot[None], village: Village) -> None:
        app.deeds.open_command("device", "switch", "port", item="ether2", value="down")
        await until(pilot, lambda: stage(app) == "plan")
        assert "Homes that may be cut off: 10." in shown(app)
        assert "Sites that may be cut off: cerro, torre." in shown(app)
        assert village.box.sets == [], "nothing was done yet"
        await press(pilot, "down", "enter")
        await until(pilot, lambda: stage(app) == "ended")
        await pilot.pause()
        assert village.box[port(2)] == DOWN
        text = shown(app)
        assert "the monitor has taken it on" in text
        assert "DONE: port ether2 of switch is down" in text
        await press(pilot, "enter")
        await until(pilot, lambda: stage(app) == "plan")
        await press(pilot, "down", "enter")
        await until(pilot, lambda: stage(app) == "ended")
        assert village.box[port(2)] == UP

    play(broker, tmp_path, scene)


def test_what_nobody_confirms_is_undone_and_the_screen_says_so(broker: int, tmp_path: Path) -> None:
    async def scene(app: ConsoleApp, pilot: Pilot[None], village: Village) -> None:
        village.confirms = False
        app.deeds.open_command("device", "switch", "port", item="ether3", value="down", for_s=10)
        await until(pilot, lambda: stage(app) == "plan")
        await press(pilot, "down", "enter")
        await until(pilot, lambda: stage(app) == "ended")
        await pilot.pause()
        assert "Undone at" in shown(app)
        assert "UNDONE: no confirmation came" in shown(app)
        assert village.box[port(3)] == UP

    play(broker, tmp_path, scene)


def test_the_hub_refuses_whoever_may_not_whatever_the_console_thinks(broker: int, tmp_path: Path) -> None:
    async def scene(app: ConsoleApp, pilot: Pilot[None], village: Village) -> None:
        app.deeds.open_command("device", "switch", "reboot", force=True)
        await until(pilot, lambda: stage(app) == "refused")
        await pilot.pause()
        assert "may not do this: it takes the role operator" in shown(app)
        assert village.box.sets == []

    play(broker, tmp_path, scene, user="tom")
