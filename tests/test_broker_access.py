"""Who may say what to whom on a real broker. Delivery is what counts: a SUBACK proves nothing."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import parts
import pytest

from ayni_core.wire import topics
from ayni_io import accounts, broker, local_broker
from ayni_io.mqtt import BrokerConfig, MqttClient, MqttError, Will
from ayni_io.secret import Secret
from ayni_io.stack import Part

ROLES = {
    "h-hub": "",
    "w-uno": "",
    "b-valle": "",
    "n-torre-pi": "",
    "n-molino-pi": "",
    "p-rosa": "trainer",
    "p-ana": "operator",
    "l-lab": "",
}
NOBODY: set[str] = set()

# who publishes, where, who gets it of those who ask for everything
DELIVERIES = [
    ("n-torre-pi", topics.frame("torre-pi", "live"), {"h-hub", "w-uno"}),
    ("n-torre-pi", topics.frame("molino-pi", "live"), NOBODY),
    ("n-torre-pi", topics.state("torre-pi"), {"h-hub", "w-uno", "p-rosa", "p-ana"}),
    ("n-torre-pi", topics.state("molino-pi"), NOBODY),
    ("n-torre-pi", topics.ack("molino-pi"), NOBODY),
    ("n-torre-pi", topics.cmd("molino-pi"), NOBODY),
    ("p-rosa", topics.frame("molino-pi", "live"), NOBODY),
    ("p-rosa", topics.cmd("molino-pi"), NOBODY),
    ("p-rosa", topics.net("link", "torre-cerro"), NOBODY),
    ("p-rosa", topics.alert("x"), NOBODY),
    ("p-rosa", topics.ask("rosa", "s", "1"), {"h-hub"}),
    ("p-ana", topics.ask("rosa", "s", "1"), NOBODY),
    ("p-rosa", topics.lab_do("rosa"), {"l-lab"}),
    ("p-ana", topics.lab_do("ana"), NOBODY),
    ("p-ana", topics.HUB, NOBODY),
    ("h-hub", topics.HUB, {"h-hub", "n-torre-pi", "n-molino-pi", "w-uno", "b-valle", "p-rosa", "p-ana"}),
    ("h-hub", topics.BEAT, {"h-hub", "p-rosa", "p-ana"}),
    ("p-ana", topics.BEAT, NOBODY),
    ("h-hub", topics.ack("torre-pi"), {"h-hub", "n-torre-pi", "b-valle"}),
    ("h-hub", topics.cmd("molino-pi"), {"h-hub", "n-molino-pi"}),
    ("h-hub", topics.answer("rosa", "s", "1"), {"h-hub", "p-rosa"}),
    ("h-hub", topics.net("link", "torre-cerro"), {"h-hub", "p-rosa", "p-ana"}),
    ("h-hub", topics.alert("x"), {"h-hub", "p-rosa", "p-ana"}),
    ("h-hub", topics.frame("torre-pi", "live"), NOBODY),
    ("l-lab", topics.LAB, {"p-rosa", "p-ana"}),
    ("l-lab", topics.HUB, NOBODY),
    ("n-torre-pi", topics.fed("torre-pi", "valle", "live"), NOBODY),
    ("w-uno", topics.ack("torre-pi"), {"h-hub", "n-torre-pi", "b-valle"}),
    ("w-uno", topics.part("uno"), {"h-hub"}),
    ("w-uno", topics.part("dos"), NOBODY),
    ("w-uno", topics.told("uno"), {"h-hub"}),
    ("w-uno", topics.told("valle"), NOBODY),
    ("w-uno", topics.HUB, NOBODY),
    ("w-uno", topics.cmd("torre-pi"), NOBODY),
    ("w-uno", topics.net("link", "torre-cerro"), NOBODY),
    ("w-uno", topics.frame("torre-pi", "live"), NOBODY),
    ("b-valle", topics.fed("torre-pi", "valle", "live"), {"h-hub", "w-uno"}),
    ("b-valle", topics.fed("torre-pi", "otro", "live"), NOBODY),
    ("b-valle", topics.frame("torre-pi", "live"), NOBODY),
    ("b-valle", topics.net("link", "torre-cerro"), {"h-hub", "p-rosa", "p-ana"}),
    ("b-valle", topics.alert("x"), {"h-hub", "p-rosa", "p-ana"}),
    ("b-valle", topics.part("valle"), {"h-hub"}),
    ("b-valle", topics.part("uno"), NOBODY),
    ("b-valle", topics.told("valle"), {"h-hub"}),
    ("b-valle", topics.HUB, NOBODY),
    ("b-valle", topics.ack("torre-pi"), NOBODY),
    ("b-valle", topics.cmd("torre-pi"), NOBODY),
    ("b-valle", topics.state("torre-pi"), NOBODY),
    ("h-hub", topics.heard("uno"), {"h-hub", "w-uno"}),
    ("h-hub", topics.heard("valle"), {"h-hub", "b-valle"}),
    ("p-ana", topics.told("uno"), NOBODY),
]


@dataclass(frozen=True)
class Running:
    port: int
    protocol: str
    secrets: Path

    def config(self, account: str, password: str | None = None) -> BrokerConfig:
        secret = password or (self.secrets / account).read_text().strip()
        return BrokerConfig(port=self.port, username=account, password=Secret(secret), protocol=self.protocol)


@pytest.fixture(scope="module", params=["mosquitto-5", "mosquitto-3.1.1", "embedded-3.1.1"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    kind, _, protocol = request.param.partition("-")
    folder = tmp_path_factory.mktemp(kind)
    local_broker.write_accounts(folder, ROLES)
    port = broker.free_port()
    part: Part
    if kind == "mosquitto":
        parts.need("mosquitto")
        program = broker.find_mosquitto()
        assert program is not None, "Mosquitto is there, but not its dynamic-security plugin"
        part = local_broker.mosquitto_part(folder, program, port, "h-hub")
    else:
        pytest.importorskip("amqtt")
        part = local_broker.embedded_part(folder, port, "h-hub")
    password = (folder / "secrets" / "h-hub").read_text().strip()
    with parts.running(list(part.argv), folder / "broker.log"):
        parts.wait_until(lambda: broker.accepts("127.0.0.1", port, "h-hub", password), "broker up")
        yield Running(port, protocol, folder / "secrets")


@asynccontextmanager
async def client(config: BrokerConfig, *filters: str, will: Will | None = None) -> Any:
    it = MqttClient(config, f"test-{config.username}-{id(filters):x}", will=will)
    it.heard = []  # type: ignore[attr-defined]
    it.on_message = lambda topic, payload, retained: it.heard.append((topic, payload, retained))  # type: ignore[attr-defined]
    up = asyncio.Event()
    it.on_connect = up.set
    it.subscribe(*filters)
    task = asyncio.create_task(it.run())
    try:
        await asyncio.wait_for(up.wait(), 10)
        yield it
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def heard(it: Any, topic: str, within_s: float = 5.0) -> tuple[bytes, bool] | None:
    for _ in range(int(within_s / 0.02)):
        for found, payload, retained in it.heard:
            if found == topic:
                return payload, retained
        await asyncio.sleep(0.02)
    return None


def test_everybody_gets_what_is_theirs_and_nothing_else(server: Running) -> None:
    async def run() -> None:
        async with AsyncExitStack() as stack:
            clients = {}
            for account, role in ROLES.items():
                own = topics.rights(account, role).subscribe
                wanted = ("#", "ayni/v1/#", *own)  # greedy: what is not theirs must stay away all the same
                clients[account] = await stack.enter_async_context(client(server.config(account), *wanted))
            for number, (account, topic, _expected) in enumerate(DELIVERIES):
                with suppress(MqttError):  # MQTT 5 says "not authorized", 3.1.1 says nothing
                    await clients[account].publish(topic, b"%d" % number)
            # one more message to each, behind all the others: then whatever was on its way has arrived
            ends = {
                "h-hub": ("p-rosa", topics.ask("rosa", "s", "end")),
                "n-torre-pi": ("h-hub", topics.ack("torre-pi")),
                "n-molino-pi": ("h-hub", topics.ack("molino-pi")),
                "p-rosa": ("h-hub", topics.answer("rosa", "s", "end")),
                "p-ana": ("h-hub", topics.answer("ana", "s", "end")),
                "l-lab": ("p-rosa", topics.lab_do("rosa")),
                "w-uno": ("h-hub", topics.heard("uno")),
                "b-valle": ("h-hub", topics.heard("valle")),
            }
            for sender, topic in ends.values():
                await clients[sender].publish(topic, b"end")
            for account in ends:
                for _ in range(250):
                    if any(payload == b"end" for _t, payload, _r in clients[account].heard):
                        break
                    await asyncio.sleep(0.02)
                else:
                    pytest.fail(f"{account} heard no end")
            for number, (account, topic, expected) in enumerate(DELIVERIES):
                got = {
                    who
                    for who, it in clients.items()
                    if any(payload == b"%d" % number for _t, payload, _r in it.heard)
                }
                assert got == expected, f"{account} to {topic}"

    asyncio.run(run())


def test_a_wrong_password_an_unknown_account_and_none_at_all_are_refused(server: Running) -> None:
    assert not broker.accepts("127.0.0.1", server.port, "h-hub", "wrong")
    assert not broker.accepts("127.0.0.1", server.port, "p-stranger", "wrong")
    assert not broker.accepts("127.0.0.1", server.port, "", "")

    async def refused() -> list[str]:
        reasons: list[str] = []
        it = MqttClient(server.config("p-rosa", "wrong"), "refused")
        it.on_disconnect = reasons.append
        task = asyncio.create_task(it.run())
        for _ in range(250):
            if reasons:
                break
            await asyncio.sleep(0.02)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        return reasons

    assert "wrong user name or password" in asyncio.run(refused())[0]


def test_what_is_retained_reaches_who_comes_later_and_an_empty_payload_ends_it(server: Running) -> None:
    topic = topics.net("link", "kept")

    async def run() -> None:
        async with client(server.config("h-hub")) as hub:
            await hub.publish(topic, b"news", retain=True)
            async with client(server.config("p-ana"), "ayni/v1/net/#") as late:
                assert await heard(late, topic) == (b"news", True)
            async with client(server.config("n-torre-pi"), topics.ack("torre-pi")) as node:
                assert await heard(node, topic, 0.3) is None, "retained messages go to who asked for them"
            await hub.publish(topic, b"", retain=True)
            async with client(server.config("p-ana"), "ayni/v1/net/#") as late:
                assert await heard(late, topic, 0.3) is None

    asyncio.run(run())


def test_a_last_will_is_spoken_and_retained_when_a_node_vanishes(server: Running) -> None:
    topic = topics.state("torre-pi")

    async def run() -> None:
        async with client(server.config("p-ana"), topic) as ana:
            will = Will(topic=topic, payload=b"gone")
            async with client(server.config("n-torre-pi"), will=will) as node:
                await node.publish(topic, b"here", retain=True)
                assert await heard(ana, topic) is not None
                node._client.socket().close()  # no DISCONNECT: the cable is out
                for _ in range(250):
                    if any(payload == b"gone" for _t, payload, _r in ana.heard):
                        break
                    await asyncio.sleep(0.02)
            assert (topic, b"gone", False) in ana.heard
            async with client(server.config("p-rosa"), topic) as late:
                assert await heard(late, topic) == (b"gone", True)

    asyncio.run(run())


def test_secrets_and_accounts_are_for_their_owner_only_and_stay_the_same(tmp_path: Path) -> None:
    assert local_broker.write_accounts(tmp_path, ROLES)
    path = tmp_path / "accounts.json"
    before = path.read_bytes()
    for file in (path, *(tmp_path / "secrets").iterdir()):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    assert not local_broker.write_accounts(tmp_path, ROLES)
    assert path.read_bytes() == before
    passwords = {(tmp_path / "secrets" / account).read_text() for account in ROLES}
    assert len(passwords) == len(ROLES), "each account has a password of its own"
    document = accounts.read(path)
    assert not any(password.strip() in before.decode() for password in passwords)
    assert set(document["defaultACLAccess"].items()) >= {("publishClientSend", False), ("subscribe", False)}
