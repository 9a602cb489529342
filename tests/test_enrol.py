"""A machine that was invited becomes a node: once, in time, at the right central; all else in a sentence."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import stat
import sys
from collections.abc import Iterator
from contextlib import asynccontextmanager, suppress
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from account_broker import AccountBroker, listening, until

from ayni_agent import command_enrol, enrolment
from ayni_agent import config as agent_config
from ayni_core import invitation, machines
from ayni_core.invitation import Invitation, InvitationError
from ayni_core.schema import ConfigError
from ayni_core.wire import topics
from ayni_core.wire.keys import Enrol, Welcome
from ayni_core.wire.messages import Event
from ayni_core.wire.shape import pack, unpack
from ayni_hub import config as hub_config
from ayni_hub.keys import at_hub, command_invite, command_rotate
from ayni_hub.keys.keeper import Keeper
from ayni_hub.keys.record import Record
from ayni_io import clock
from ayni_io.mqtt import MqttError

NODE = "torre-pi"
ROLES = {"h-hub": "", "k-hub": "", "n-molino-pi": ""}
MADE = Invitation(
    node=NODE,
    addresses=("hub.lan:8883", "[fd00::1]:8883"),
    fingerprint=":".join(["AB"] * 32),
    secret=b"s" * 18,
)


class Village:
    """A hub's machine: a broker that runs, hub.yaml and network.yaml; the keeper runs while `kept`."""

    def __init__(self, folder: Path, later_s: float = 0.0) -> None:
        self.folder = folder
        self.server = AccountBroker(folder / "broker", ROLES, tls=True, later_s=later_s)
        self.etc = folder / "etc"
        (folder / "hub").mkdir()
        self.events: list[Event] = []
        self.now = 0.0  # seconds later than it is
        self.write()
        password = folder / "broker" / "secrets" / "k-hub"
        self.hub_yaml = folder / "hub.yaml"
        self.hub_yaml.write_text(
            json.dumps(
                {
                    "broker": {
                        "port": self.server.port,
                        "username": "h-hub",
                        "password": f"file:{password.with_name('h-hub')}",
                        "ca": str(self.server.ca),
                    },
                    "network": str(folder / "network.yaml"),
                    "data_dir": str(folder / "hub"),
                    "accounts": {"password": f"file:{password}"},
                }
            )
        )

    def write(self, **changes: Any) -> None:
        network = {
            "network": {"title": "Valle"},
            "hub": {"address": f"localhost:{self.server.tls_port}"},
            "sites": {"torre": {}},
            "nodes": {NODE: {"site": "torre"}, "molino-pi": {"site": "torre"}},
            "devices": {
                "torre-ap": {
                    "site": "torre", "node": NODE, "address": "10.0.0.1", "community": "file:secrets/snmp-ap",
                }
            },
        }  # fmt: skip
        (self.folder / "network.yaml").write_text(json.dumps({**network, **changes}))

    def keeper(self, config: hub_config.HubConfig) -> Keeper:
        broker = at_hub.keeper_of(config, self.hub_yaml)
        # on loopback the hub speaks without TLS; `ca` names the authority that nodes are given
        plain = dataclasses.replace(broker, ca=None)
        return Keeper(
            config, plain, dict, self.events.append, look_s=0.05, now=lambda: clock.wall_s() + self.now
        )

    @asynccontextmanager
    async def kept(self) -> Any:
        keeper = self.keeper(hub_config.load(self.hub_yaml))
        task = asyncio.create_task(keeper.run())
        try:
            await until(lambda: keeper._line.client.connected and keeper._swept, "the keeper is in")
            yield keeper
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def invite(self, capsys: pytest.CaptureFixture[str], *words: str) -> str:
        """The line that `ayni hub invite` prints."""
        capsys.readouterr()
        assert command_invite.main([NODE, "--config", str(self.hub_yaml), *words]) == 0
        return next(line for line in capsys.readouterr().out.split() if line.startswith("ayni1."))

    async def enrol(self, line: str, *words: str) -> int:
        """`ayni agent enrol`, as on another machine."""
        return await asyncio.to_thread(command_enrol.main, [line, "--to", str(self.etc), *words])

    def accounts(self) -> set[str]:
        return {each["username"] for each in self.server.kept()["clients"]}


@pytest.fixture
def village(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Village]:
    monkeypatch.setattr(machines, "_is_here", lambda _host: False)  # all of it is here
    it = Village(tmp_path, getattr(request, "param", 0.0))
    # command lines reach the broker without TLS, as on a deployed hub, though `ca` is named here
    real = at_hub.keeper_of
    monkeypatch.setattr(
        at_hub, "keeper_of", lambda config, path: dataclasses.replace(real(config, path), ca=None)
    )
    it.server.start()
    try:
        yield it
    finally:
        it.server.stop()


def test_a_machine_becomes_the_node_that_it_was_invited_to_be_and_the_invitation_is_used_up(
    village: Village, capsys: pytest.CaptureFixture[str]
) -> None:
    async def run() -> None:
        async with village.kept():
            line = await asyncio.to_thread(village.invite, capsys)
            await until(lambda: village.events, "people are told")
            assert "e-torre-pi" in village.accounts()
            assert await village.enrol(line) == 0
            said = capsys.readouterr().out
            await until(lambda: len(village.events) == 2, "used up")
            assert "e-torre-pi" not in village.accounts()
            assert invitation.read(line).fingerprint in said
            assert str(village.etc / "secrets" / "snmp-ap") in said
            again = await village.enrol(line, "--replace")
            assert again == 1
            assert "was used, has expired, or was ended" in capsys.readouterr().err

    asyncio.run(run())
    password = (village.etc / "secrets" / "n-torre-pi").read_text().strip()
    assert village.server.takes("n-torre-pi", password)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in village.etc.rglob("*")}
    assert modes == {"agent.yaml": 0o640, "ca.crt": 0o640, "secrets": 0o700, "n-torre-pi": 0o600}
    config = agent_config.load(village.etc / "agent.yaml")
    assert (config.node, config.broker.host, config.broker.port) == (
        NODE,
        "localhost",
        village.server.tls_port,
    )
    assert config.broker.password == "credential:n-torre-pi"
    assert (village.etc / "ca.crt").read_bytes() == village.server.ca.read_bytes()
    assert [event.text.context for event in village.events] == ["event.invited", "event.enrolled"]
    assert Record(village.folder / "hub").read().invited == {}
    line_password = [
        path for path in village.folder.rglob("*") if path.is_file() and password in path.read_text()
    ]
    assert line_password == [village.etc / "secrets" / "n-torre-pi"], "nobody else has it"


def test_the_invitation_is_kept_nowhere_and_only_the_newest_one_is_good(
    village: Village, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = village.invite(capsys), village.invite(capsys)
    for line in (first, second):
        for path in village.folder.rglob("*"):
            text = path.read_text() if path.is_file() else ""
            assert invitation.read(line).password not in text
            assert line not in text
    assert not village.server.takes("e-torre-pi", invitation.read(first).password)
    assert village.server.takes("e-torre-pi", invitation.read(second).password)
    assert command_invite.main([NODE, "--config", str(village.hub_yaml), "--end"]) == 0
    assert not village.server.takes("e-torre-pi", invitation.read(second).password)
    assert Record(village.folder / "hub").read().invited == {}


def test_an_invitation_ends_by_itself_and_so_do_those_that_a_cut_left_behind(
    village: Village, capsys: pytest.CaptureFixture[str]
) -> None:
    line = village.invite(capsys, "--hours", "1")

    async def run() -> None:
        async with village.kept():
            assert "e-torre-pi" in village.accounts()
            village.now = 3601.0
            await until(lambda: village.events, "people are told")
            assert "e-torre-pi" not in village.accounts()
        assert village.events[-1].text.context == "event.invitation_ended"
        village.now = 0.0
        await asyncio.to_thread(village.invite, capsys)
        Record(village.folder / "hub").uninvite(NODE)  # and there somebody pulled the plug
        async with village.kept():
            assert "e-torre-pi" not in village.accounts()

    asyncio.run(run())
    assert asyncio.run(village.enrol(line)) == 1
    assert "has expired" in capsys.readouterr().err
    assert not (village.etc / "agent.yaml").exists()


def test_whoever_is_cut_off_half_way_asks_again_with_the_same_invitation(
    village: Village, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = enrolment.files.write_durably

    def full(path: Path, text: str, mode: int) -> None:
        if path.name == "agent.yaml":
            raise OSError(28, "No space left on device")
        real(path, text, mode=mode)

    async def run() -> None:
        async with village.kept():
            line = await asyncio.to_thread(village.invite, capsys)
            with monkeypatch.context() as patch:
                patch.setattr(
                    enrolment.files, "write_durably", lambda path, text, mode: full(path, text, mode=mode)
                )
                assert await village.enrol(line) == 1
            assert "No space left on device" in capsys.readouterr().err
            assert not (village.etc / "agent.yaml").exists()
            assert await village.enrol(line) == 0

    asyncio.run(run())
    password = (village.etc / "secrets" / "n-torre-pi").read_text().strip()
    assert village.server.takes("n-torre-pi", password)


def test_another_broker_at_that_address_is_told_nothing_and_a_new_certificate_is_told_apart(
    village: Village, capsys: pytest.CaptureFixture[str]
) -> None:
    line = village.invite(capsys)
    other = dataclasses.replace(invitation.read(line), fingerprint=":".join(["00"] * 32))

    async def run() -> None:
        async with listening(village.server.config("k-hub"), "ayni/v1/enrol/#") as keeper:
            assert await village.enrol(invitation.write(other)) == 1
            assert not keeper.heard

    asyncio.run(run())
    assert "is not the broker that invited, or has another certificate since" in capsys.readouterr().err


def test_what_keeps_a_machine_from_becoming_a_node_is_said_in_a_sentence(
    village: Village, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    line = village.invite(capsys)

    def says(given: str, *words: str) -> str:
        assert asyncio.run(village.enrol(given, *words)) == 1
        problem = capsys.readouterr().err
        assert problem.startswith("ayni agent enrol: ")
        assert len(problem.splitlines()) == 1
        return problem

    assert "copy the whole line again" in says(line[:-6])
    assert "expected an invitation, which begins with ayni1." in says("hola")
    nobody = dataclasses.replace(
        invitation.read(line), addresses=(f"127.0.0.1:{village.server.tls_port + 1}",)
    )
    assert "nothing listens there" in says(invitation.write(nobody))
    away = dataclasses.replace(invitation.read(line), addresses=("central.invalid:8883",))
    assert "broker central.invalid:8883" in says(invitation.write(away))
    assert "no central that takes new monitors: is it running" in says(line)
    village.etc.mkdir(exist_ok=True)
    (village.etc / "agent.yaml").write_text("node: other\n")
    assert "--replace" in says(line)
    (village.etc / "agent.yaml").unlink()

    async def with_keeper(change: dict[str, Any], *words: str) -> str:
        village.write(**change)
        async with village.kept():
            assert await village.enrol(line, *words) == 1
        return capsys.readouterr().err

    assert "does not know the node torre-pi" in asyncio.run(with_keeper({"nodes": {}, "devices": {}}))
    assert "hub.address" in asyncio.run(with_keeper({"hub": {}}))
    assert not (village.etc / "agent.yaml").exists()
    monkeypatch.setattr(sys, "stdin", StringIO("\n"))
    assert "expected an invitation" in says("-")


@pytest.mark.parametrize("village", [20 * 365 * 86_400.0], indirect=True)
def test_a_machine_whose_clock_is_twenty_years_behind_becomes_a_node_all_the_same(
    village: Village, capsys: pytest.CaptureFixture[str]
) -> None:
    async def run() -> None:
        async with village.kept():
            line = await asyncio.to_thread(village.invite, capsys)
            assert await village.enrol(line) == 0

    asyncio.run(run())
    assert (village.etc / "agent.yaml").is_file()


def test_the_line_may_be_typed_or_piped_instead_of_standing_in_the_shells_history(
    village: Village, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        async with village.kept():
            line = await asyncio.to_thread(village.invite, capsys)
            monkeypatch.setattr(sys, "stdin", StringIO(f"{line[:40]}\n  {line[40:]}\n"))
            assert await village.enrol("-") == 0
            line = await asyncio.to_thread(village.invite, capsys)
            argv = ["--to", str(village.etc), "--replace"]
            assert await asyncio.to_thread(command_enrol.main, argv, lambda _question: line) == 0

    asyncio.run(run())


def test_who_was_invited_may_ask_for_this_node_only(
    village: Village, capsys: pytest.CaptureFixture[str]
) -> None:
    async def run() -> None:
        async with village.kept():
            found = invitation.read(await asyncio.to_thread(village.invite, capsys))
            mine = village.server.config("e-torre-pi", found.password)
            async with listening(mine, topics.welcome(NODE), topics.welcome("molino-pi"), "#") as guest:
                for node in ("molino-pi", NODE):
                    with suppress(MqttError):
                        await guest.publish(topics.enrol(node), pack(Enrol(id=node)))
                await until(lambda: guest.heard, "an answer")
        (heard,) = guest.heard
        welcome = unpack(Welcome, heard[1])
        assert (heard[0], welcome.id) == (topics.welcome(NODE), NODE)
        assert welcome.password
        assert welcome.password not in repr(welcome)

    asyncio.run(run())
    assert village.server.takes("n-molino-pi", village.server.passwords["n-molino-pi"])


# ---- commands on the hub's machine


def test_commands_of_the_hub_want_to_know_what_they_are_for(
    village: Village, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    config = ["--config", str(village.hub_yaml)]
    for main, argv, problem in (
        (command_invite.main, ["torre-py", *config], 'unknown monitor "torre-py"; did you mean "torre-pi"'),
        (command_invite.main, [NODE, "--hours", "0", *config], "expected more than 0"),
        (command_rotate.main, config, "name a monitor, or give --all"),
        (command_rotate.main, ["nada", *config], 'unknown monitor "nada"'),
    ):
        with pytest.raises(SystemExit):
            main(argv)
        assert problem in capsys.readouterr().err
    village.write(hub={})
    with pytest.raises(ConfigError, match=r"hub\.address"):
        command_invite.main([NODE, *config])
    bare = json.loads(village.hub_yaml.read_text())
    del bare["accounts"]
    (tmp_path / "bare.yaml").write_text(json.dumps(bare))
    with pytest.raises(ConfigError, match="accounts: is missing"):
        command_invite.main([NODE, "--config", str(tmp_path / "bare.yaml")])


# ---- the line itself


def test_an_invitation_reads_back_as_it_was_written_also_with_blanks_in_it() -> None:
    line = invitation.write(MADE)
    assert invitation.read(line) == MADE
    assert invitation.read(f"  {line[:50]}\n{line[50:]} \r\n") == MADE
    assert len(line) < 160
    assert MADE.password not in repr(MADE)


def test_an_invitation_with_any_slip_is_refused() -> None:
    line = invitation.write(MADE)
    for place in range(6, len(line)):
        for wrong in (line[:place], line[:place] + line[place + 1 :], line[:place] + "A" + line[place + 1 :]):
            if wrong != line:
                with pytest.raises(InvitationError):
                    invitation.read(wrong)
