"""Accounts of a broker that runs: made what network.yaml says, and nothing else touched."""

from __future__ import annotations

import asyncio
import io
import json
import stat
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import account_broker
import pytest
from account_broker import AccountBroker, listening, until

from ayni_core import account_plan
from ayni_core.account_plan import Account, Broker
from ayni_core.schema import ConfigError
from ayni_core.wire import topics
from ayni_core.wire.topics import Rights, rights
from ayni_hub import command_accounts
from ayni_hub.keys import command_guard
from ayni_io import accounts_guard, secret
from ayni_io.control import ControlError, controlling, takes
from ayni_io.secret import Secret

NETWORK: dict[str, Any] = {
    "network": {"title": "Valle"},
    "sites": {"torre": {}},
    "nodes": {"torre-pi": {"site": "torre"}, "molino-pi": {"site": "torre"}},
    "devices": {},
    "people": {"ana": {"role": "operator"}},
}
ROLES = {"h-hub": "", "k-hub": "", "n-torre-pi": "", "n-molino-pi": "", "p-ana": "operator"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[AccountBroker]:
    with account_broker.running(tmp_path / "broker", ROLES, tls=True) as it:
        yield it


def network(tmp_path: Path, **changes: Any) -> str:
    path = tmp_path / "network.yaml"
    path.write_text(json.dumps({**NETWORK, **changes}))
    return str(path)


def call(
    server: AccountBroker, capsys: pytest.CaptureFixture[str], path: str, *words: str, status: int = 0
) -> dict[str, Any]:
    """`ayni hub accounts` at the running broker; what it says of itself."""
    argv = [path, "--hub", "hub", "--broker", f"127.0.0.1:{server.port}", "--dir", str(server.folder)]
    capsys.readouterr()
    assert command_accounts.main([*argv, "--json", *(words or ("--apply",))]) == status
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_who_left_is_cut_off_at_once_who_came_gets_in_and_a_second_time_changes_nothing(
    server: AccountBroker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = network(tmp_path)
    assert call(server, capsys, path) == {
        "changed": False, "steps": [], "reset": [], "left_alone": [], "disabled": [], "missing": [],
    }  # fmt: skip
    nodes = {"torre-pi": {"site": "torre"}, "rio-pi": {"site": "torre"}}
    path = network(tmp_path, nodes=nodes, people={})
    assert call(server, capsys, path, "--check", status=3)["changed"]
    assert not (server.folder / "secrets" / "n-rio-pi").exists(), "a look writes nothing"
    assert server.takes("p-ana", server.passwords["p-ana"])

    async def run() -> None:
        async with (
            listening(server.config("n-molino-pi"), topics.HUB) as gone,
            listening(server.config("n-torre-pi"), topics.HUB) as stays,
        ):
            argv = [path, "--hub", "hub", "--broker", f"127.0.0.1:{server.port}", "--apply"]
            argv += ["--dir", str(server.folder)]
            assert await asyncio.to_thread(command_accounts.main, argv) == 0
            await until(lambda: gone.downs, "the node that left is cut off", 2.0)
            await until(lambda: gone.trouble is not None, "it is refused")
            assert not gone.connected
            assert stays.connected
            assert not stays.downs

    asyncio.run(run())
    said = capsys.readouterr().out
    assert "delete n-molino-pi" in said
    assert "create n-rio-pi" in said
    password = (server.folder / "secrets" / "n-rio-pi").read_text().strip()
    assert server.takes("n-rio-pi", password)
    assert password not in said
    assert not server.takes("p-ana", server.passwords["p-ana"])
    assert server.takes("n-torre-pi", server.passwords["n-torre-pi"]), "nobody else's password was touched"
    assert not call(server, capsys, path)["changed"]
    kept = {client["username"] for client in server.kept()["clients"]}
    assert kept == {role["rolename"] for role in server.kept()["roles"]}
    assert kept == {"h-hub", "k-hub", "n-torre-pi", "n-rio-pi"}
    server.stop()
    server.start()
    assert server.takes("n-rio-pi", password), "the broker has written it down"


def test_rights_that_strayed_are_put_right_and_accounts_of_others_stay(
    server: AccountBroker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = network(tmp_path)
    wide = [{"acltype": "publishClientSend", "topic": "ayni/v1/#", "priority": 0, "allow": True}]

    async def stray() -> None:
        async with controlling(server.config("k-hub", tls=True)) as control:
            await control.ask(
                {"command": "modifyRole", "rolename": "n-torre-pi", "acls": wide},
                {"command": "createRole", "rolename": "n-nobody", "acls": wide},
                {"command": "createRole", "rolename": "grafana", "acls": wide},
                {"command": "createClient", "username": "grafana", "password": "x",
                 "roles": [{"rolename": "grafana"}]},
                {"command": "createRole", "rolename": "w-uno", "acls": []},
                {"command": "createClient", "username": "w-uno", "password": "x",
                 "roles": [{"rolename": "w-uno"}]},
                {"command": "modifyClient", "username": "p-ana", "roles": [{"rolename": "h-hub"}]},
                {"command": "setDefaultACLAccess", "acls": [{"acltype": "subscribe", "allow": True}]},
            )  # fmt: skip

    asyncio.run(stray())
    said = call(server, capsys, path)
    assert [(step["what"], step["account"]) for step in said["steps"]] == [
        ("delete", "n-nobody"), ("defaults", ""), ("rights", "n-torre-pi"), ("rights", "p-ana"),
    ]  # fmt: skip
    assert said["left_alone"] == ["grafana", "w-uno"]
    assert not call(server, capsys, path)["changed"]
    assert [s["account"] for s in call(server, capsys, path, "--apply", "--delete", "w-uno")["steps"]] == [
        "w-uno"
    ]


def test_a_node_that_is_disabled_is_out_at_once_and_stays_out_until_it_is_enabled(
    server: AccountBroker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, mine = network(tmp_path), server.passwords["n-torre-pi"]
    assert call(server, capsys, path, "--apply", "--disable", "n-torre-pi")["changed"]
    assert not server.takes("n-torre-pi", mine)
    again = call(server, capsys, path)
    assert not again["changed"]
    assert again["disabled"] == ["n-torre-pi"]
    assert call(server, capsys, path, "--apply", "--enable", "n-torre-pi")["changed"]
    assert server.takes("n-torre-pi", mine)
    argv = [path, "--hub", "hub", "--broker", f"127.0.0.1:{server.port}", "--dir", str(server.folder)]
    assert command_accounts.main([*argv, "--apply", "--disable", "n-nada"]) == 1
    assert "n-nada: neither the inventory nor the broker has this account" in capsys.readouterr().err


def test_a_password_changes_only_when_that_is_said_and_only_once(
    server: AccountBroker, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, before = network(tmp_path), server.passwords["n-torre-pi"]
    given = json.dumps({"n-torre-pi": "another one", "k-hub": server.passwords["k-hub"]})

    def typed() -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given.encode())))

    typed()
    assert not call(server, capsys, path, "--apply", "--passwords", "-")["changed"]
    assert server.takes("n-torre-pi", before)
    typed()
    said = call(server, capsys, path, "--apply", "--passwords", "-", "--reset", "n-torre-pi")
    assert said["reset"] == ["n-torre-pi"]
    assert server.takes("n-torre-pi", "another one")
    assert not server.takes("n-torre-pi", before)
    typed()
    assert not call(server, capsys, path, "--apply", "--passwords", "-", "--reset", "n-torre-pi")["changed"]


def test_without_a_folder_accounts_whose_password_is_not_given_are_left_out_and_named(
    server: AccountBroker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = network(tmp_path, nodes={**NETWORK["nodes"], "rio-pi": {"site": "torre"}})
    given = tmp_path / "given.json"
    given.write_text(json.dumps({"k-hub": server.passwords["k-hub"]}))
    argv = [path, "--hub", "hub", "--broker", f"localhost:{server.tls_port}", "--ca", str(server.ca)]
    argv += ["--passwords", str(given), "--json", "--apply"]
    assert command_accounts.main(argv) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["changed"], said["missing"]) == (False, ["n-rio-pi"])


def test_who_may_not_change_accounts_and_who_is_no_such_broker_is_told_in_a_sentence(
    server: AccountBroker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, given = network(tmp_path), tmp_path / "given.json"

    def says(password: str, *words: str) -> str:
        given.write_text(json.dumps({"k-hub": password}))
        argv = [path, "--hub", "hub", "--passwords", str(given), "--apply", *words]
        assert command_accounts.main(argv) == 1
        return capsys.readouterr().err

    here = ["--broker", f"127.0.0.1:{server.port}"]
    assert "refused us: wrong user name or password" in says("wrong", *here)
    assert "nothing listens there" in says("x", "--broker", f"127.0.0.1:{server.port + 1}")
    with pytest.raises(ConfigError, match="over TLS only"):
        command_accounts.main([path, "--hub", "hub", "--apply", "--broker", "10.0.0.1"])
    with pytest.raises(ConfigError, match="k-hub: its password is not known here"):
        command_accounts.main([path, "--hub", "hub", "--apply", *here])

    async def as_hub() -> str:
        with pytest.raises(ControlError) as caught:
            async with controlling(server.config("h-hub")) as control:
                await control.look()
        return str(caught.value)

    assert "h-hub may not change accounts there" in asyncio.run(as_hub())


def test_the_first_file_of_a_broker_is_written_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seed, given = tmp_path / "accounts.json", tmp_path / "given.json"
    given.write_text(json.dumps({"k-hub": "k", "h-hub": "h", "n-torre-pi": "t"}))
    argv = [network(tmp_path), "--hub", "hub", "--seed", str(seed), "--passwords", str(given)]
    assert command_accounts.main(argv) == 0
    assert "n-molino-pi, p-ana" in capsys.readouterr().out
    assert stat.S_IMODE(seed.stat().st_mode) == 0o600
    before = seed.read_bytes()
    assert {each["username"] for each in json.loads(before)["clients"]} == {"k-hub", "h-hub", "n-torre-pi"}
    assert command_accounts.main(argv) == 0
    assert "nothing changed" in capsys.readouterr().out
    assert seed.read_bytes() == before


def test_a_password_is_tried_without_ending_the_session_of_its_owner(server: AccountBroker) -> None:
    async def run() -> None:
        async with listening(server.config("n-torre-pi"), name="n-torre-pi") as node:
            keeper = server.config("k-hub", tls=True)
            assert await takes(keeper, "n-torre-pi", Secret(server.passwords["n-torre-pi"]))
            assert not await takes(keeper, "n-torre-pi", Secret("wrong"))
            assert node.connected
            assert not node.downs

    asyncio.run(run())


def test_a_node_hears_what_it_newly_may_without_being_restarted(
    server: AccountBroker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = network(tmp_path)
    own = rights("n-torre-pi")
    fewer = account_plan.acls(Rights(own.publish, own.subscribe[:1]))

    async def run() -> None:
        async with controlling(server.config("k-hub")) as control:
            await control.ask({"command": "modifyRole", "rolename": "n-torre-pi", "acls": fewer})
        async with (
            listening(server.config("n-torre-pi"), *own.subscribe) as node,
            listening(server.config("h-hub")) as hub,
        ):
            argv = [path, "--hub", "hub", "--broker", f"127.0.0.1:{server.port}", "--apply"]
            await asyncio.to_thread(command_accounts.main, [*argv, "--dir", str(server.folder)])
            await until(lambda: node.ups == 2, "connected anew")
            while not node.heard:  # what it asked for may still be on its way
                await hub.publish(topics.cmd("torre-pi"), b"1")
                await asyncio.sleep(0.02)

    asyncio.run(asyncio.wait_for(run(), 20))


# ---- what is compared, without a broker

FULL = {name: rights(name, role) for name, role in ROLES.items()}


def has(**changes: Any) -> Broker:
    """A broker that is as it should be, but for `changes`."""
    found = {
        "accounts": {name: Account(name=name, roles=(name,)) for name in FULL},
        "roles": {name: account_plan._set(account_plan.acls(each)) for name, each in FULL.items()},
        "defaults": dict(account_plan.DEFAULTS),
    }
    return Broker(**{**found, **changes})


def test_nothing_is_to_be_done_where_all_is_as_it_should_be() -> None:
    assert account_plan.plan(FULL, has()) == ()


@pytest.mark.parametrize("cut", range(4))
def test_a_plan_that_was_cut_off_anywhere_is_finished_by_the_next_one(cut: int) -> None:
    """Every prefix of the commands leaves something that a second look mends."""
    wanted = {name: each for name, each in FULL.items() if name != "p-ana"} | {"n-new": rights("n-new")}
    accounts, roles = dict(has().accounts), dict(has().roles)
    commands = [each for step in account_plan.plan(wanted, has()) for each in step.commands]
    assert [each["command"] for each in commands] == [
        "deleteClient", "deleteRole", "createRole", "createClient",
    ]  # fmt: skip

    def do(command: dict[str, Any]) -> None:
        match command["command"]:
            case "deleteClient":
                del accounts[command["username"]]
            case "deleteRole":
                del roles[command["rolename"]]
            case "createRole":
                roles[command["rolename"]] = account_plan._set(command["acls"])
            case "createClient":
                name = command["username"]
                accounts[name] = Account(name=name, roles=(name,))

    for command in commands[:cut]:
        do(command)
    broker = Broker(accounts=accounts, roles=roles, defaults=account_plan.DEFAULTS)
    for step in account_plan.plan(wanted, broker):
        for command in step.commands:
            do(command)
    assert accounts.keys() == roles.keys() == wanted.keys()


def test_a_credential_is_read_where_root_calls_by_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    monkeypatch.setattr(secret, "SEEDS", tmp_path)
    with pytest.raises(ConfigError, match="no systemd credentials here"):
        secret.resolve("credential:k-hub", "x")
    (tmp_path / "k-hub").write_text("s\n")
    assert secret.resolve("credential:k-hub", "x").reveal() == "s"


# ---- the broker's own file


def test_a_broker_whose_accounts_a_power_cut_destroyed_starts_with_the_good_copy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts_guard, "_PAUSE_S", 0.001)
    server = AccountBroker(tmp_path / "broker", ROLES)
    path = server.document
    assert command_guard.main([str(path)]) == 0
    copy = accounts_guard.copy_of(path)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    good = path.read_bytes()
    for damage in (b"", good[: len(good) // 2], b"{}", b"\xff"):
        path.write_bytes(damage)
        assert command_guard.main([str(path)]) == 0
        assert "was damaged; the good copy is in its place" in capsys.readouterr().err
        assert path.read_bytes() == good
    path.write_bytes(b"")
    assert accounts_guard.guard(path) == "restored"
    server.start()
    try:
        assert server.takes("p-ana", server.passwords["p-ana"])
    finally:
        server.stop()
    assert accounts_guard.guard(path) in ("same", "kept")
    assert accounts_guard.guard(path) == "same"
    for each in (path, copy):
        each.write_bytes(b"")
    assert command_guard.main([str(path)]) == 1
    assert "restore a backup" in capsys.readouterr().err
    path.unlink()
    copy.unlink()
    assert command_guard.main([str(path)]) == 0, "a broker that never ran"


def test_accounts_that_are_being_written_just_now_are_waited_for_and_never_put_back(tmp_path: Path) -> None:
    path = tmp_path / "accounts.json"
    old, new = ({"clients": [{"username": name}], "roles": [{}]} for name in ("old", "new"))
    path.write_text(json.dumps(old))
    assert accounts_guard.guard(path) == "kept"
    path.write_text(json.dumps(new)[:10])
    writing = threading.Timer(0.25, lambda: path.write_text(json.dumps(new)))
    writing.start()
    assert accounts_guard.guard(path) == "kept"
    writing.join()
    assert json.loads(accounts_guard.copy_of(path).read_text()) == new


def test_the_good_copy_follows_every_change(
    server: AccountBroker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert accounts_guard.guard(server.document) == "kept"
    call(server, capsys, network(tmp_path, people={}))
    server.kept()
    assert accounts_guard.guard(server.document) == "kept"
    assert b"p-ana" not in accounts_guard.copy_of(server.document).read_bytes()
