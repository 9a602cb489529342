"""Every kind of account against every topic, both ways, on a real broker: what is delivered counts, and
nothing else. A SUBACK or a PUBACK proves nothing.

The table below is written out by hand and knows nothing of the code that makes the rights. Two accounts of
the test stand beside those of Ayni: one hears everything, one writes everything.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import account_broker
import pytest
from account_broker import AccountBroker, Ear, listening, until

from ayni_core import account_plan, home_assistant
from ayni_core.wire.topics import Rights, bucket
from ayni_io.control import controlling
from ayni_io.mqtt import MqttError, Will

ROLES = {
    "h-hub": "", "k-hub": "", "w-uno": "", "b-valle": "", "r-norte": "", "n-torre-pi": "", "n-molino-pi": "",
    "p-ana": "viewer", "p-eva": "operator", "p-rosa": "trainer", "l-lab": "", "e-nuevo-pi": "",
}  # fmt: skip
HEARS_ALL, WRITES_ALL = "x-ear", "x-mouth"
H, K, W, B, R, T, M = "h-hub", "k-hub", "w-uno", "b-valle", "r-norte", "n-torre-pi", "n-molino-pi"
A, O, P, L, E, X = "p-ana", "p-eva", "p-rosa", "l-lab", "e-nuevo-pi", "a-home-assistant"  # noqa: E741
PEOPLE = {A, O, P}
NOBODY: set[str] = set()
TORRE, MOLINO = f"{bucket('torre-pi'):02d}/torre-pi", f"{bucket('molino-pi'):02d}/molino-pi"
OTHER = (bucket("torre-pi") + 1) % 64

MATRIX: dict[str, tuple[set[str], set[str]]] = {
    # topic: who may write there, who may hear it
    f"ayni/v1/in/{TORRE}/live": ({T, R}, {H, W}),
    f"ayni/v1/in/{TORRE}/history": ({T, R}, {H, W}),
    f"ayni/v1/in/{TORRE}/watch": ({T, R}, {H, W}),
    f"ayni/v1/in/{TORRE}/live/more": ({R}, {H, W}),
    f"ayni/v1/in/{OTHER:02d}/torre-pi/live": ({R}, {H, W}),
    f"ayni/v1/in/{MOLINO}/live": ({M, R}, {H, W}),
    f"ayni/v1/fed/{TORRE}/valle/live": ({B}, {H, W}),
    f"ayni/v1/fed/{TORRE}/otro/live": (NOBODY, {H, W}),
    "ayni/v1/state/torre-pi": ({T, R}, {H, K, W} | PEOPLE),
    "ayni/v1/state/molino-pi": ({M, R}, {H, K, W} | PEOPLE),
    "ayni/v1/state/nuevo-pi": ({R}, {H, K, W} | PEOPLE),
    "ayni/v1/ack/torre-pi": ({H, W}, {H, T, B, R}),
    "ayni/v1/ack/molino-pi": ({H, W}, {H, M, B, R}),
    "ayni/v1/hub": ({H}, {H, X, W, B, R, T, M} | PEOPLE),
    "ayni/v1/beat": ({H}, {H} | PEOPLE),
    "ayni/v1/part/uno": ({W}, {H}),
    "ayni/v1/part/valle": ({B}, {H}),
    "ayni/v1/part/otro": (NOBODY, {H}),
    "ayni/v1/told/uno": ({W}, {H}),
    "ayni/v1/told/valle": ({B}, {H}),
    "ayni/v1/heard/uno": ({H}, {H, W}),
    "ayni/v1/heard/valle": ({H}, {H, B}),
    "ayni/v1/net/link/torre-cerro": ({H, B}, {H, X} | PEOPLE),
    "ayni/v1/net/device/torre-ap": ({H, B}, {H, X} | PEOPLE),
    "ayni/v1/alert/x": ({H, B}, {H} | PEOPLE),
    "ayni/v1/ask/ana/s/1": ({A}, {H}),
    "ayni/v1/ask/eva/s/1": ({O}, {H}),
    "ayni/v1/ask/rosa/s/1": ({P}, {H}),
    "ayni/v1/answer/ana/s/1": ({H}, {H, A}),
    "ayni/v1/answer/eva/s/1": ({H}, {H, O}),
    "ayni/v1/answer/rosa/s/1": ({H}, {H, P}),
    "ayni/v1/cmd/torre-pi": ({H}, {H, T, R}),
    "ayni/v1/cmd/molino-pi": ({H}, {H, M, R}),
    "ayni/v1/done/torre-pi": ({T, R}, {H}),
    "ayni/v1/done/molino-pi": ({M, R}, {H}),
    "ayni/v1/renew/torre-pi": ({K}, {T}),
    "ayni/v1/renew/molino-pi": ({K}, {M}),
    "ayni/v1/renewed/torre-pi": ({T}, {K}),
    "ayni/v1/renewed/molino-pi": ({M}, {K}),
    "ayni/v1/enrol/nuevo-pi": ({E}, {K}),
    "ayni/v1/enrol/torre-pi": (NOBODY, {K}),
    "ayni/v1/welcome/nuevo-pi": ({K}, {E}),
    "ayni/v1/welcome/torre-pi": ({K}, NOBODY),
    "ayni/v1/lab": ({L}, PEOPLE),
    "ayni/v1/lab/do/rosa": ({P}, {L}),
    "ayni/v1/lab/do/ana": (NOBODY, {L}),
    "homeassistant/sensor/ayni/v/config": ({H}, {H, X}),
    "homeassistant/status": ({X}, {X}),
    "ayni/v1/nothing": (NOBODY, NOBODY),
    "ayni/v2/hub": (NOBODY, NOBODY),
    "casa/luz": (NOBODY, NOBODY),
}
GREEDY = (
    "#", "+/#", "ayni/#", "ayni/v1/#", "ayni/+/#", "+/v1/#", "+/+/cmd/#", "ayni/v1/+", "ayni/v1/+/+",
    "ayni/v1/+/+/+", "ayni/v1/+/+/+/+", "ayni/v1/+/+/+/+/+", "ayni/v1/+/torre-pi", "ayni/v1/+/molino-pi/#",
    "ayni/v1/in/+/+/live", "ayni/v1/answer/+/s/1", "ayni/v1/cmd/+", "ayni/v1/renew/#", "ayni/v1/lab/#",
    "homeassistant/#", "$SYS/#", "$SYS/broker/+", "$CONTROL/#", "$CONTROL/dynamic-security/v1",
    "$CONTROL/dynamic-security/v1/response", "$CONTROL/dynamic-security/v1/#",
)  # fmt: skip
"""Wider than anybody's right: what is not theirs must stay away all the same."""


@dataclass(frozen=True)
class Wrong:
    """A cell of the matrix that is not as it should be."""

    account: str
    topic: str
    how: str


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AccountBroker]:
    everywhere = ("#", "$SYS/#")
    extra = home_assistant.extra_rights(H, "homeassistant") | {
        HEARS_ALL: Rights(publish=(), subscribe=everywhere),
        WRITES_ALL: Rights(publish=("#",), subscribe=()),
    }
    folder = tmp_path_factory.mktemp("matrix") / "broker"
    with account_broker.running(folder, ROLES, extra=extra) as it:
        yield it


def accounts() -> list[str]:
    return [*ROLES, X]


def mine(account: str) -> str:
    """A topic that this account may hear: the end of what it is sent comes there."""
    return next(topic for topic, (_writers, readers) in MATRIX.items() if account in readers)


async def written(server: AccountBroker) -> list[Wrong]:
    """Everybody writes everywhere, and leaves a will; somebody hears all of it."""
    wrong = []
    async with AsyncExitStack() as stack:
        ear = await stack.enter_async_context(listening(server.config(HEARS_ALL), "#"))
        mouth = await stack.enter_async_context(listening(server.config(WRITES_ALL)))

        async def tries(account: str) -> None:
            async with listening(server.config(account)) as client:
                for topic in MATRIX:
                    with suppress(MqttError):  # MQTT 5 says so; it is not what counts
                        await client.publish(topic, account.encode())

        await asyncio.gather(*(tries(account) for account in accounts()))
        await mouth.publish("end", b"")
        await until(lambda: any(topic == "end" for topic, _p, _r in ear.heard), "the end")
        heard = {(payload.decode(), topic) for topic, payload, _kept in ear.heard}
    for topic, (writers, _readers) in MATRIX.items():
        for account in accounts():
            if ((account, topic) in heard) != (account in writers):
                wrong.append(Wrong(account, topic, "writes" if account not in writers else "cannot write"))
    return wrong


async def delivered(server: AccountBroker, who: Sequence[str] = ()) -> list[Wrong]:
    """Somebody writes everywhere, retained; everybody asks for everything, in every way there is."""
    wrong = []
    async with AsyncExitStack() as stack:
        mouth = await stack.enter_async_context(listening(server.config(WRITES_ALL)))
        await asyncio.gather(*(mouth.publish(topic, b"kept", retain=True) for topic in MATRIX))
        ears: dict[tuple[str, str], Ear] = {}

        async def asks(account: str, way: str, *filters: str) -> None:
            ear = listening(server.config(account), *filters, mine(account), name=f"{account}-{way}")
            ears[account, way] = await stack.enter_async_context(ear)
            await settled(mouth, ears[account, way])

        await asyncio.gather(
            *(
                asks(account, way, *filters)
                for account in who or accounts()
                for way, filters in (
                    ("exactly", tuple(MATRIX)),
                    ("greedily", GREEDY),
                    ("shared", tuple(f"$share/{account}/{each}" for each in (*MATRIX, *GREEDY))),
                )
            )
        )
        await asyncio.gather(*(mouth.publish(topic, b"news") for topic in MATRIX))
        await asyncio.gather(*(settled(mouth, ear) for ear in ears.values()))
        for (account, way), ear in ears.items():
            got = {topic for topic, _payload, _kept in ear.heard}
            may = {topic for topic, (_writers, readers) in MATRIX.items() if account in readers}
            wrong += [Wrong(account, topic, f"hears, {way}") for topic in got - may]
            news = {topic for topic, payload, _kept in ear.heard if payload == b"news"}
            if way == "exactly":
                wrong += [Wrong(account, topic, "does not hear") for topic in may - news]
        await asyncio.gather(*(mouth.publish(topic, b"", retain=True) for topic in MATRIX))
    return wrong


async def settled(mouth: Ear, ear: Ear) -> None:
    """Back when the broker has given this ear all that it was going to: a last word came behind it."""
    account = ear.broker.username or ""
    word = f"end {ear.client_id} {len(ear.heard)}".encode()
    for _ in range(500):
        await mouth.publish(mine(account), word)
        if any(payload == word for _topic, payload, _kept in ear.heard):
            return
        await asyncio.sleep(0.02)
    pytest.fail(f"{account} hears nothing")


async def commanded(server: AccountBroker) -> set[str]:
    """Who gets the broker to change its accounts: everybody tries."""
    for account in accounts():
        request = {"commands": [{"command": "createRole", "rolename": f"made-by-{account}"}]}
        async with listening(server.config(account)) as client:
            with suppress(MqttError):
                await client.publish("$CONTROL/dynamic-security/v1", json.dumps(request).encode())
    async with controlling(server.config(K)) as control:
        roles = (await control.look()).roles
    return {name.removeprefix("made-by-") for name in roles if name.startswith("made-by-")}


def test_everybody_writes_what_is_theirs_and_nothing_else(server: AccountBroker) -> None:
    assert asyncio.run(written(server)) == []


def test_everybody_hears_what_is_theirs_and_nothing_else_however_they_ask(server: AccountBroker) -> None:
    assert asyncio.run(delivered(server)) == []


def test_only_the_keeper_of_accounts_changes_accounts(server: AccountBroker) -> None:
    assert asyncio.run(commanded(server)) == {K}


def test_what_the_broker_tells_of_itself_is_for_nobody_of_ours(server: AccountBroker) -> None:
    async def run() -> None:
        async with listening(server.config(HEARS_ALL), "$SYS/#") as ear:
            await until(lambda: ear.heard, "somebody with that right hears it")
            assert all(topic.startswith("$SYS/") for topic, _p, _r in ear.heard)

    asyncio.run(run())  # that nobody else does is in the matrix: `$SYS/#` is one of the greedy filters


def test_a_last_will_says_nothing_where_its_owner_may_not_write(server: AccountBroker) -> None:
    places = {T: "ayni/v1/cmd/molino-pi", M: "ayni/v1/state/torre-pi", A: "ayni/v1/alert/x", E: "ayni/v1/hub"}
    own = "ayni/v1/state/torre-pi"

    async def run() -> None:
        async with (
            listening(server.config(HEARS_ALL), "#") as ear,
            listening(server.config(WRITES_ALL)) as mouth,
        ):
            for account, topic in (*places.items(), (T, own)):
                async with dying(server, account, topic):
                    pass
            await until(lambda: any(topic == own for topic, _p, _r in ear.heard), "a will that is allowed")
            await mouth.publish("end", b"")
            await until(lambda: any(topic == "end" for topic, _p, _r in ear.heard), "the end")
            assert [(topic, payload) for topic, payload, _r in ear.heard if payload] == [(own, T.encode())]
            await mouth.publish(own, b"", retain=True)

    asyncio.run(run())


@asynccontextmanager
async def dying(server: AccountBroker, account: str, topic: str) -> AsyncIterator[None]:
    """A client whose cable is cut after a moment."""
    ear = Ear(server.config(account), name=f"dying-{account}")
    ear.will = Will(topic=topic, payload=account.encode())
    task = asyncio.create_task(ear.run())
    await until(lambda: ear.connected, "connected")
    assert ear._client is not None
    ear._client.socket().close()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    yield


@pytest.mark.parametrize(
    ("account", "rows", "expected"),
    [
        (T, Rights(publish=("ayni/v1/cmd/molino-pi",), subscribe=()),
         {Wrong(T, "ayni/v1/cmd/molino-pi", "writes")}),
        (A, Rights(publish=(), subscribe=("ayni/v1/answer/rosa/#",)),
         {Wrong(A, "ayni/v1/answer/rosa/s/1", f"hears, {way}") for way in ("exactly", "shared", "greedily")}),
    ],
    ids=["one may write too much", "one may hear too much"],
)  # fmt: skip
def test_the_check_itself_finds_one_wrong_right(
    server: AccountBroker, account: str, rows: Rights, expected: set[Wrong]
) -> None:
    wide = account_plan.acls(rows)

    async def run() -> list[Wrong]:
        async with controlling(server.config(K)) as control:
            await control.ask(*_acl_commands("addRoleACL", account, wide))
        try:
            return await (written(server) if rows.publish else delivered(server, [account, M]))
        finally:
            async with controlling(server.config(K)) as control:
                await control.ask(*_acl_commands("removeRoleACL", account, wide))

    found = set(asyncio.run(run()))
    assert found
    assert found <= expected
    assert {wrong.how.partition(",")[0] for wrong in found} == {
        wrong.how.partition(",")[0] for wrong in expected
    }


def _acl_commands(command: str, role: str, rows: Iterable[dict[str, object]]) -> list[dict[str, object]]:
    return [{"command": command, "rolename": role, **row} for row in rows]


def test_one_right_too_few_is_found_too(server: AccountBroker) -> None:
    (row,) = account_plan.acls(Rights(publish=("ayni/v1/hub",), subscribe=()))

    async def run() -> list[Wrong]:
        async with controlling(server.config(K)) as control:
            await control.ask(*_acl_commands("removeRoleACL", H, [row]))
        try:
            return await written(server)
        finally:
            async with controlling(server.config(K)) as control:
                await control.ask(*_acl_commands("addRoleACL", H, [row]))

    assert asyncio.run(run()) == [Wrong(H, "ayni/v1/hub", "cannot write")]


def test_every_topic_and_every_kind_of_account_is_in_the_matrix(tmp_path: Path) -> None:
    from ayni_core.wire import topics

    roots = {topic.split("/")[2] for topic in MATRIX if topic.startswith("ayni/v1/")}
    assert roots >= {*topics._WORDS, "lab"}
    assert {account[0] for account in accounts()} == set("hkwbrnplea")
