"""A real hub tells a real person: frames over Mosquitto, a bot over HTTP, SIGKILL while it is under way."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import parts
import stand_ins
from stand_ins import BotStandIn, WebStandIn
from test_mqtt_client import Heard, until

from ayni_core import slices
from ayni_core.wire import codec, topics
from ayni_core.wire.frame import ANSWERED, DevicePolls, Frame
from ayni_core.wire.messages import Ack, Alert, NodeState
from ayni_core.wire.questions import AskDeliveries, Deliveries
from ayni_core.wire.shape import pack, unpack
from ayni_io import local_broker, yamlwrite
from ayni_io.local_broker import LocalBroker
from ayni_io.onlooker import Onlooker
from ayni_io.stack import Part, Stack, ayni

ALERT = topics.alert("device-silent--device--router")
DOWN = "ALARM: Router does not answer"


def network(folder: Path, port: int) -> dict[str, object]:
    return {
        "network": {
            "title": "Prueba", "poll_s": 1, "flush_s": 300,
            "heartbeat": {"url": f"file:{folder}/heartbeat", "every_min": 1},
            "telegram": {"token": f"file:{folder}/token", "server": f"http://127.0.0.1:{port}"},
        },
        "sites": {"torre": {}},
        "nodes": {"pi": {"site": "torre"}},
        "devices": {"router": {"title": "Router", "site": "torre", "address": "10.0.0.1"}},
        "people": {"ana": {"title": "Ana", "notify": {"phone": {"kind": "telegram", "chat": "42"}}}},
    }  # fmt: skip


def frame(seq: int, answered: int) -> bytes:
    """Three polls of the last seconds."""
    polls = DevicePolls()
    for at in range(3):
        polls.add(float(at), {ANSWERED: answered})
    now = time.time()
    return codec.encode(
        Frame(
            node="pi", epoch="e", seq=seq, boot="b", mono_s=now % 1e6 - 2, wall_s=now - 2, synced=True,
            next_by_s=600, devices={"router": polls},
        ),
        "field",
    )  # fmt: skip


async def story(folder: Path, bot: BotStandIn, outside: WebStandIn) -> None:
    local_broker.write_accounts(folder, {"h-hub": "", "n-pi": "", "p-ana": "operator"})
    stack = Stack(folder)
    try:
        local = await local_broker.start(stack, "h-hub", wanted="mosquitto")
        facts = slices.BrokerFacts(port=local.port, secrets=str(folder / "secrets"))
        config = slices.hub("hub", facts, network_path=f"{folder}/network.yaml", data_dir=f"{folder}/data")
        yamlwrite.write(folder / "network.yaml", network(folder, bot.port))
        yamlwrite.write(folder / "hub.yaml", config)
        (folder / "token").write_text(bot.token)
        (folder / "heartbeat").write_text(f"http://127.0.0.1:{outside.port}/ping")
        await told(folder, bot, stack, local)
    finally:
        await stack.stop()


async def told(folder: Path, bot: BotStandIn, stack: Stack, local: LocalBroker) -> None:
    async def begin() -> None:
        async with Onlooker(local.config("p-ana")) as eyes:
            part = Part(
                name="hub", argv=ayni("hub", "run", "--config", f"{folder}/hub.yaml"), ready=eyes.sees_hub
            )
            await stack.start(part)

    async def kill() -> None:
        os.kill(stack.pids()["hub"], signal.SIGKILL)
        await stack.end("hub")

    def sending() -> int:
        return sum(page.path.endswith("/sendMessage") for page in bot.asked)

    await begin()
    async with Heard(local.config("n-pi"), "n-pi") as agent, Onlooker(local.config("p-ana"), ALERT) as eyes:
        agent.client.subscribe(topics.ack("pi"))
        await until(lambda: agent.client.connected)
        await agent.client.publish(
            topics.state("pi"), pack(NodeState(up=True, epoch="e", boot="b")), retain=True
        )
        bot.slow = True
        await agent.client.publish(topics.frame("pi", "live"), frame(1, 0))
        await until(lambda: sending() == 1)
        agent.messages.clear()
        await agent.client.publish(topics.frame("pi", "live"), frame(2, 0))
        await until(lambda: bool(agent.messages), within_s=3.0)
        assert unpack(Ack, agent.messages[0][1]).stored == ((2, 2),), "a message that hangs holds nothing up"
        await kill()
        bot.slow = False
        assert bot.written == []
        await begin()
        await until(lambda: len(bot.written) == 1)
        assert bot.written[0][1].startswith(DOWN)
        assert bot.written[0][1].endswith("(Perhaps you have this already.)")
        await kill()
        await begin()
        bot.say("42", "ack 1 I go there")
        await until(lambda: len(bot.written) == 2)
        assert bot.written[1][1] == "You have it: Router does not answer"
        await until(lambda: getattr(eyes.read(Alert, ALERT), "acked_by", None) == "Ana")
        alert = eyes.read(Alert, ALERT)
        assert alert is not None and alert.ack_note == "I go there"
        await agent.client.publish(topics.frame("pi", "live"), frame(3, 1))
        await until(lambda: len(bot.written) == 3)
        assert bot.written[2][1].startswith("Over (")
        answer = await deliveries(eyes)
        assert [(each.target, each.failing, each.waiting) for each in answer.targets] == [("phone", "", 0)]
        assert [(each.what, each.state, each.tries) for each in answer.newest] == [
            ("over", "sent", 1), ("fired", "sent", 2),
        ]  # fmt: skip
    assert [chat for chat, _text in bot.written] == ["42"] * 3


async def deliveries(eyes: Onlooker) -> Deliveries:
    """How messages went, once nothing is under way any more."""
    while True:
        answer = await eyes.ask(AskDeliveries(), Deliveries)
        assert answer is not None
        if not any(each.waiting for each in answer.targets):
            return answer


def test_a_silent_router_is_told_once_through_two_kills_taken_on_by_the_bot_and_told_over(
    tmp_path: Path,
) -> None:
    parts.need("mosquitto")
    with stand_ins.web(BotStandIn()) as bot, stand_ins.web(WebStandIn()) as outside:
        assert isinstance(bot, BotStandIn)
        asyncio.run(story(tmp_path, bot, outside))
    assert {page.path for page in outside.asked} == {"/ping"}, "while it is well"
