"""Links found by themselves, from what 29 devices answer to what the hub says, through agent and wire."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import parts
import pytest
from found_network import START, FoundNetwork

from ayni_agent.poller import Poller
from ayni_core import slices
from ayni_core.ber import encode_oid
from ayni_core.lastknown import LastKnown
from ayni_core.readings import NEIGHBOURS
from ayni_core.schema import ConfigError
from ayni_core.snmp import VarBind
from ayni_core.wire import topics
from ayni_core.wire.questions import AskFound, Found
from ayni_hub import links_found
from ayni_hub.command_found import lines, offer
from ayni_hub.home import Home
from ayni_io import local_broker
from ayni_io.onlooker import Onlooker
from ayni_io.profiles import Profiles
from ayni_io.snmp_errors import SnmpTimeout
from ayni_io.stack import Part, Stack, ayni
from ayni_io.yamlwrite import write

LLDP = encode_oid("1.0.8802.1.1.2")


@pytest.fixture(scope="module")
def town() -> FoundNetwork:
    made = FoundNetwork()
    assert made.poll(0) == []
    return made


def test_all_true_links_are_found_and_none_is_invented(town: FoundNetwork) -> None:
    """24 links with device and radio or port of both ends; nothing of what only seems to be one."""
    assert len(town.true) == 24
    assert set(town.true.values()) == {"radio", "cable", "mesh"}
    assert town.links() == town.true


def test_after_a_restart_of_the_hub_they_are_found_again(town: FoundNetwork) -> None:
    """Out of the newest values that the store kept, whose times are whole hundredths."""
    again = LastKnown()
    for device, known in town.judge.known.devices.items():
        for series, (at, value) in known.values.items():
            again.learn(device, series, round(at * 100) / 100, value)
    assert links_found.LinksFound(town.network, again).answer() == town.found.answer()


def test_they_are_compared_with_what_is_written_down(town: FoundNetwork) -> None:
    """The named radio of two that fit; what is written down and is not there; what is there and is not."""
    assert {(view.link, view.a.port) for view in town.views("seen")} == {
        ("torre-cerro", "1"),
        ("twin-two", "wlan2"),
    }
    assert [view.link for view in town.views("missing")] == ["wrong"]
    assert len(town.views("new")) == 22
    assert not town.views("untold")


def test_people_see_them_by_what_is_to_be_done(town: FoundNetwork) -> None:
    """A heading for each kind of news; ends with their ports; the title of what is written down."""
    shown = lines(town.found.answer(), town.network)
    assert [line for line in shown if line and not line.startswith(" ")] == [
        "Written down, and found:",
        "Found, and not written down:",
        "Written down, and not found:",
    ]
    assert "  home-6 (wlan1) - torre-ap (wlan2)                  radio  99%" in shown
    assert "  home-1 - home-2                                                 wrong" in shown
    assert lines(Found(), None) == ["Nothing is written down, and nothing was found yet."]


@pytest.mark.parametrize(
    ("name", "told", "late"),
    [
        ("home-6", 0, ()),  # a station
        (
            "torre-ap",
            0,
            ("cable",),
        ),  # an access point with nine of them, and a cable that the other end tells of
        ("torre-ptp", 1, ()),  # an end of a link that is written down
        ("torre-server", 0, ()),  # an end of a cable that tells of it itself
    ],
)
def test_a_device_that_was_swapped_is_found_again(name: str, told: int, late: tuple[str, ...]) -> None:
    """Other addresses at the same place: the same links a minute later, and an event where it is written
    down. A cable that only the other end tells of is back when that one was asked again."""
    town = FoundNetwork()
    town.poll(0)
    town.swap(name)
    town.found._looked_at = None
    events = town.poll(60)
    assert set(town.links()) <= set(town.true)
    assert tuple(town.true[gone] for gone in town.true.keys() - town.links().keys()) == late
    assert [(event.kind, event.name) for event in events] == [("link", "torre-cerro")] * told
    assert [event.text.values for event in events] == [{"link": "torre-cerro", "end": "Torre"}] * told
    assert town.poll(3600) == []
    assert town.links() == town.true


def test_a_link_that_is_nowhere_for_a_day_is_told_of_once(town: FoundNetwork) -> None:
    """Written down as it is not: an alarm would say that it is down, this says that it may be wrong."""
    day = links_found.MISSING_FOR_S
    assert town.found.look(START + day - 60) == []
    assert town.found.look(START + day - 30) == [], "looked at a moment ago"
    events = town.found.look(START + day + 600)
    assert [(event.name, event.level, event.text.values["hours"]) for event in events] == [
        ("wrong", "warn", 24)
    ]
    assert town.found.look(START + day + 1300) == []


def test_the_command_asks_a_real_hub(town: FoundNetwork, tmp_path: Path) -> None:
    """A frame by MQTT into a hub, and `ayni network found` as a person: every link, new ones as they are."""
    parts.need("mosquitto")

    async def story() -> dict[str, int]:
        local_broker.write_accounts(tmp_path, {"h-hub": "", "n-pi": "", "p-ana": "viewer"})
        stack = Stack(tmp_path)
        try:
            local = await local_broker.start(stack, "h-hub", wanted="mosquitto")
            facts = slices.BrokerFacts(port=local.port, secrets=str(tmp_path / "secrets"))
            yaml = tmp_path / "network.yaml"
            config = slices.hub("hub", facts, network_path=str(yaml), data_dir=str(tmp_path / "data"))
            write(yaml, town.raw)
            write(tmp_path / "hub.yaml", config)
            await stack.start(
                Part(name="hub", argv=ayni("hub", "run", "--config", str(tmp_path / "hub.yaml")))
            )
            words = ["network", "found", "--json", "--broker", f"127.0.0.1:{local.port}", "--user", "ana"]
            words += ["--password-file", str(tmp_path / "secrets" / "p-ana"), "--dir", str(tmp_path)]
            async with Onlooker(local.config("p-ana")) as eyes, Onlooker(local.config("n-pi")) as node:
                assert await eyes.until(lambda: topics.HUB in eyes.said, 30)
                assert await node.until(lambda: topics.HUB in node.said, 30)
                await node.publish(topics.frame("pi", "live"), town.frame)
                for _ in range(200):
                    found = await eyes.ask(AskFound(), Found)
                    if found is not None and any(link.state == "new" for link in found.links):
                        break
                    await asyncio.sleep(0.05)  # the hub takes the frame in
            command = await asyncio.to_thread(
                subprocess.run, ayni(*words), capture_output=True, text=True, timeout=60
            )
            assert command.returncode == 0, command.stderr
            return Counter(link["state"] for link in json.loads(command.stdout))
        finally:
            await stack.stop()

    assert asyncio.run(story()) == {"seen": 2, "new": 22, "missing": 1}


# ---- the pace


def reads(poller: Poller, at_s: float) -> bool:
    """Whether a poll brought neighbours."""
    return NEIGHBOURS in asyncio.run(poller.poll(at_s)).values


def test_neighbours_are_read_once_an_hour(town: FoundNetwork) -> None:
    """And after a restart, and when somebody asks; less often where the monitor saves data."""
    live = FoundNetwork()
    poller, box = live.pollers["torre-ap"], live.boxes["torre-ap"]
    rounds = {at_s: reads(poller, at_s) for at_s in (0, 60, 600, 1200, 3000, 3600, 3660, 4200)}
    assert [at_s for at_s, read in rounds.items() if read] == [0, 3600]
    poller.look_over_soon(neighbours=True)
    assert reads(poller, 4260)
    box.machine.booted_at = START
    live.answers_at(box.name, START + 4320)
    assert reads(poller, 4320)
    poller.slow_every = 60
    assert [at_s for at_s in range(5000, 60_000, 600) if reads(poller, at_s)] == [5000 + 600 * 71]


class Stubborn:
    """A device that answers everything but LLDP."""

    def __init__(self, town: FoundNetwork) -> None:
        self._reader = town.readers["torre-router"]
        self.cost = self._reader.cost
        self.tried = 0

    async def get(self, oids: Sequence[bytes]) -> Sequence[VarBind]:
        return await self._reader.get(oids)

    async def columns(
        self, columns: Sequence[bytes], expected_rows: int | None = None, max_rows: int = 4096
    ) -> Sequence[VarBind]:
        if any(column.startswith(LLDP) for column in columns):
            self.tried += 1
            raise SnmpTimeout("timed out after 2 s")
        return await self._reader.columns(columns, expected_rows, max_rows)

    async def walk(self, root: bytes, max_objects: int = 4096) -> Sequence[VarBind]:
        return await self._reader.walk(root, max_objects)

    def close(self) -> None:
        pass


def test_neighbours_that_do_not_come_cost_nothing_else(town: FoundNetwork) -> None:
    """The other readings are there, what was left out is told, and it is asked again an hour later."""
    reader = Stubborn(town)
    poller = Poller("torre-router", reader, Profiles())
    poll = asyncio.run(poller.poll(0))
    assert poll.error is None and len(poll.values) > 50 and NEIGHBOURS not in poll.values
    assert poller.skipped == ["timed out after 2 s"]
    for at_s in (600, 1200, 3000):
        asyncio.run(poller.poll(at_s))
    assert reader.tried == 1
    asyncio.run(poller.poll(3600))
    assert reader.tried == 2


# ---- writing down


def test_links_are_offered_one_by_one(town: FoundNetwork, tmp_path: Path) -> None:
    """On the air only; yes to two, no to the others; names of radios, and what they should hear left open."""
    home = Home(tmp_path)
    write(home.network_path, town.raw)
    asked: list[str] = []

    def answer(question: str, empty: str) -> str:
        asked.append(question)
        if "home-1 " in question or "mesh-1 (wlan0) - mesh-2" in question:
            return "y"
        return "To the mill" if "[Home-1-Torre]" in question else empty

    assert offer(home, town.found.answer(), answer) == 2
    assert len([question for question in asked if "add?" in question]) == 19
    links = home.network().links
    added = links["home-1-torre"]
    assert (added.title, added.a.device, added.a.radio, added.b.radio) == (
        "To the mill",
        "home-1",
        "1",
        "wlan1",
    )
    assert added.a.expected_dbm is None
    assert links["mesh-1-mesh-2"].title == "Mesh-1-Mesh-2"


def test_whoever_stops_keeps_what_was_added(town: FoundNetwork, tmp_path: Path) -> None:
    """Ctrl+D at the second question."""
    home = Home(tmp_path)
    write(home.network_path, town.raw)
    said = iter(["y", "First"])

    def answer(_question: str, _empty: str) -> str:
        for word in said:
            return word
        raise EOFError

    assert offer(home, town.found.answer(), answer) == 1
    assert [link.title for link in home.network().links.values()][-1] == "First"


def test_writing_down_needs_a_network_file(town: FoundNetwork, tmp_path: Path) -> None:
    """One sentence, not a traceback."""
    with pytest.raises(ConfigError, match="there is no network yet"):
        offer(Home(tmp_path), town.found.answer(), lambda _question, _empty: "y")
