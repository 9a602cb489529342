"""Home Assistant finds our things: what is retained, what its templates make of it, and that it goes."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import jinja2
import parts
import pytest
from parts import free_port
from test_broker_access import Running, client
from test_mqtt_client import Heard, mosquitto, until

from ayni_core import home_assistant, inventory
from ayni_core.home_assistant import Wanted
from ayni_core.readings import Series
from ayni_core.schema import ConfigError, Faults, Fields
from ayni_core.texts import TEXTS
from ayni_core.wire import topics
from ayni_core.wire.frame import ANSWERED
from ayni_core.wire.messages import DeviceView, EndView, HubState, LinkView, NodeState, UpstreamView
from ayni_core.wire.shape import pack
from ayni_hub import config as hub_config
from ayni_hub.home import Answers, Home
from ayni_hub.judge import Judge
from ayni_hub.numbers import config
from ayni_hub.numbers import home_assistant as at_home
from ayni_hub.numbers.home_assistant import HomeAssistant
from ayni_hub.numbers.snapshot import Snapshot
from ayni_hub.picture import Picture
from ayni_hub.roof import Roof
from ayni_io import broker, clock, local_broker, yamlfile
from ayni_io.local_broker import LocalBroker
from ayni_io.mqtt import BrokerConfig, MqttError

NETWORK = """
network: {title: Red, language: en}
people: {ana: {title: Ana Quispe}}
sites: {torre: {title: Torre}, cerro: {title: Cerro}, alto: {title: Alto}}
nodes: {pi: {site: torre}}
devices:
  ta: {title: Radio A, site: torre, node: pi, address: 10.99.0.1, community: "env:X"}
  ca: {title: Radio B, site: cerro, node: pi, address: 10.99.0.2}
  aa: {title: Radio C, site: alto, node: pi, address: 10.99.0.3}
links: {tc: {title: Torre-Cerro, a: {device: ta, radio: w}, b: {device: ca, radio: w}}}
upstreams: {isp: {title: Fibra, device: ta, interface: e1}}
"""
VOLTAGE = Series("power", "battery {{ 1/0 }}", "voltage_v")
CHARGE = Series("power", "", "charge_pct")


@pytest.fixture
def network(tmp_path: Path) -> inventory.Network:
    (tmp_path / "network.yaml").write_text(NETWORK)
    return yamlfile.read(tmp_path / "network.yaml", inventory.parse)


@pytest.fixture
def judge(network: inventory.Network) -> Judge:
    judge, now = Judge(network, ()), clock.wall_s()
    judge.node_state("pi", NodeState(up=True, flush_s=300), now)
    judge.nodes["pi"].as_of = now
    judge.known.learn("ta", ANSWERED, now, 1)
    judge.known.learn("ta", VOLTAGE, now, 12.3456)
    judge.known.learn("ta", CHARGE, now, 81)
    judge.known.learn("ta", Series("interface", "e1", "voltage_v"), now, 3)
    return judge


def rendered(template: str, payload: bytes) -> str:
    """As Home Assistant does: `value_json` is the payload, what comes out is stripped."""
    made = jinja2.Environment(undefined=jinja2.StrictUndefined).from_string(template)
    return made.render(value_json=json.loads(payload)).strip()


def link(state: str, **a: Any) -> bytes:
    ends = EndView(site="torre", device="ta", **a), EndView(site="cerro", device="ca")
    return pack(LinkView(id="tc", title="", state=state, since=1.5, homes=1, a=ends[0], b=ends[1]))


def device(state: str) -> DeviceView:
    return DeviceView(id="ta", title="", site="torre", node="pi", state=state, since=1, address="x")


def test_what_stands_in_a_config_is_what_home_assistant_takes(network: inventory.Network) -> None:
    made = home_assistant.configs(network, Wanted())
    made |= home_assistant.device_configs(network, network.devices["ta"], "homeassistant", [CHARGE, VOLTAGE])
    assert set(made) >= {
        "homeassistant/binary_sensor/ayni/link_tc/config",
        "homeassistant/sensor/ayni/link_tc_signal_a/config",
        "homeassistant/binary_sensor/ayni/upstream_isp/config",
        "homeassistant/binary_sensor/ayni/device_ta/config",
    }
    ids = [each["unique_id"] for each in made.values()]
    assert len(set(ids)) == len(ids) == 7
    for topic, each in made.items():
        assert each["availability_topic"] == topics.HUB
        assert each["device"]["identifiers"]
        assert each["state_topic"].startswith((f"{topics.PREFIX}/net/", "homeassistant/ayni/"))
        assert each["unique_id"] == f"ayni_{topic.split('/')[-2]}"
    text = repr(made)
    for private in ("Ana", "10.99", "env:X"):
        assert private not in text


@pytest.mark.parametrize(
    ("state", "expected"),
    [("ok", "ON"), ("weak", "ON"), ("down", "OFF"), ("no_news", "None"), ("unknown", "None")],
)
def test_a_link_is_on_off_or_unknown(network: inventory.Network, state: str, expected: str) -> None:
    made = home_assistant.configs(network, Wanted())
    on = made["homeassistant/binary_sensor/ayni/link_tc/config"]
    payload = link(state, signal_dbm=-61.0)
    assert rendered(on["value_template"], payload) == expected
    assert json.loads(rendered(on["json_attributes_template"], payload)) == {"state": state, "since": 1.5}
    signals = [made[f"homeassistant/sensor/ayni/link_tc_signal_{side}/config"] for side in "ab"]
    shown = [rendered(each["value_template"], payload) for each in signals]
    assert shown == ["-61.0" if expected == "ON" else "None", "None"]
    assert [each["name"].values["site"] for each in signals] == ["Torre", "Cerro"]


@pytest.mark.parametrize(
    ("view", "topic", "expected"),
    [
        (device("ok"), "device_ta", "ON"),
        (device("silent"), "device_ta", "OFF"),
        (device("no_news"), "device_ta", "None"),
        (UpstreamView(id="isp", title="", site="torre", state="down", since=1), "upstream_isp", "OFF"),
    ],
)
def test_devices_and_ways_out_too(network: inventory.Network, view: Any, topic: str, expected: str) -> None:
    made = home_assistant.configs(network, Wanted())
    made |= home_assistant.device_configs(network, network.devices["ta"], "homeassistant", [])
    found = made[f"homeassistant/binary_sensor/ayni/{topic}/config"]
    assert rendered(found["value_template"], pack(view)) == expected


@pytest.mark.parametrize(
    ("state", "expected"), [("ready", "online"), ("store-down", "offline"), ("gone", "offline")]
)
def test_nothing_is_available_while_the_central_is_not(
    network: inventory.Network, state: str, expected: str
) -> None:
    for each in home_assistant.configs(network, Wanted()).values():
        assert rendered(each["availability_template"], pack(HubState(state=state))) == expected


def test_readings_become_sensors_by_names_that_a_device_cannot_choose(network: inventory.Network) -> None:
    found = home_assistant.sensors([VOLTAGE, CHARGE, Series("interface", "e", "voltage_v"), ANSWERED])
    assert found == [CHARGE, VOLTAGE]
    many = [Series("sensor", f"{n:03}", "temperature_c") for n in range(99)]
    assert len(home_assistant.sensors(many)) == home_assistant.MOST_SENSORS
    made = home_assistant.device_configs(network, network.devices["ta"], "ha", found)
    shown = {each["unique_id"]: each for each in made.values() if "unit_of_measurement" in each}
    voltage = shown[f"ayni_device_ta_{home_assistant.key(VOLTAGE)}"]
    assert voltage["name"].values == {"item": "battery {{ 1/0 }}"}
    assert "1/0" not in voltage["value_template"]
    payload = json.dumps({home_assistant.key(VOLTAGE): 12.3}).encode()
    assert rendered(voltage["value_template"], payload) == "12.3"
    assert rendered(voltage["value_template"], b"{}") == "None"
    assert (voltage["device_class"], voltage["unit_of_measurement"]) == ("voltage", "V")


def test_every_name_has_a_text() -> None:
    assert {f"home.{metric}" for metric in home_assistant.SENSORS} <= set(TEXTS)
    assert {"home.link", "home.connection", "home.signal"} <= set(TEXTS)


@contextlib.asynccontextmanager
async def publishing(
    judge: Judge, wanted: Wanted | None, port: int, folder: Path
) -> AsyncIterator[asyncio.Task[None]]:
    snapshot = Snapshot(judge, Picture(judge, {}, clock.wall_s()))
    home = HomeAssistant(wanted, judge.network, snapshot, BrokerConfig(port=port), "h-hub-ha", folder)
    task = asyncio.create_task(home.run())
    try:
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def standing(port: int, right: Callable[[dict[str, bytes]], bool], what: str) -> dict[str, bytes]:
    """What is retained outside our own topics, as somebody hears who comes now; until it is right."""
    for _ in range(100):
        async with Heard(BrokerConfig(port=port), "late") as late:
            late.client.subscribe("homeassistant/#", "casa/#", "marker")
            await until(lambda late=late: any(topic == "marker" for topic, *_rest in late.messages))
            found = {topic: payload for topic, payload, *_rest in late.messages if topic != "marker"}
        if right(found):
            return found
        await asyncio.sleep(0.05)
    pytest.fail(f"{what}: {sorted(found)}")


def test_configs_appear_follow_what_is_known_and_vanish_with_the_option(
    judge: Judge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(at_home, "_PAUSE_S", 0.05)
    monkeypatch.setattr(at_home, "_HEAR_S", 0.3)
    port, wanted = free_port(), Wanted(sites=("torre",))

    async def story() -> None:
        async with Heard(BrokerConfig(port=port), "other") as other:
            await until(lambda: other.client.connected)
            stranger = "homeassistant/sensor/tasmota/x/config"
            await other.client.publish(stranger, b"{}", retain=True)
            old = "homeassistant/sensor/ayni/link_old/config"
            await other.client.publish(old, b"{}", retain=True)
            await other.client.publish("marker", b"1", retain=True)

            async with publishing(judge, wanted, port, tmp_path):
                state = home_assistant.state_topic("homeassistant", "ta")
                found = await standing(port, lambda all_: state in all_ and old not in all_, "published")
                assert json.loads(found[state]) == {
                    home_assistant.key(VOLTAGE): 12.35, home_assistant.key(CHARGE): 81,
                }  # fmt: skip
                assert (
                    len(found) == 3 + 1 + 1 + 2 + 1 + 1
                )  # link, way out, device, two sensors, state, stranger's
                assert not [topic for topic in found if "_aa" in topic or "_ca/" in topic]
                about = json.loads(found["homeassistant/sensor/ayni/link_tc_signal_a/config"])
                assert (about["name"], about["device"]["name"]) == ("Signal at Torre", "Link Torre-Cerro")

                judge.known.learn("ta", CHARGE, clock.wall_s(), 79)
                key = home_assistant.key(CHARGE)
                await standing(port, lambda all_: json.loads(all_[state]).get(key) == 79, "a new value")
                judge.node_state("pi", NodeState(up=False), clock.wall_s())
                found = await standing(port, lambda all_: json.loads(all_[state]) == {}, "nothing holds")
                assert any("voltage" in topic for topic in found), "the sensor stays, without a value"

            async with publishing(judge, Wanted(prefix="casa", sites=("torre",)), port, tmp_path):
                await standing(
                    port,
                    lambda all_: (
                        "casa/ayni/ta/state" in all_
                        and [topic for topic in all_ if topic.startswith("homeassistant")] == [stranger]
                    ),
                    "moved to another prefix",
                )
            async with publishing(judge, None, port, tmp_path) as task:
                await standing(port, lambda all_: set(all_) == {stranger}, "taken away")
                await asyncio.wait_for(task, 5)
            assert at_home.earlier_prefix(tmp_path) is None, "and nothing is left to be done"

    with mosquitto(tmp_path, port):
        asyncio.run(story())


def test_the_broker_lets_the_hub_write_home_assistant_read_and_nobody_else(tmp_path: Path) -> None:
    roles = {"h-hub": "", "p-ana": "operator", "n-pi": ""}
    extra = home_assistant.extra_rights("h-hub", "homeassistant")
    parts.need("mosquitto")
    program = broker.find_mosquitto()
    assert program is not None
    local_broker.write_accounts(tmp_path, roles, extra)
    port = free_port()
    part = local_broker.mosquitto_part(tmp_path, program, port, "h-hub")
    config = "homeassistant/sensor/ayni/x/config"
    said = [
        ("h-hub", config, {"h-hub", "a-home-assistant"}),
        ("h-hub", "homeassistant/ayni/ta/state", {"h-hub", "a-home-assistant"}),
        ("h-hub", "homeassistant/sensor/other/x/config", set()),
        ("h-hub", topics.net("link", "tc"), {"h-hub", "a-home-assistant", "p-ana"}),
        ("a-home-assistant", "homeassistant/status", {"a-home-assistant"}),
        ("a-home-assistant", config, set()),
        ("a-home-assistant", topics.net("link", "tc"), set()),
        ("a-home-assistant", topics.ask("ana", "s", "1"), set()),
        ("a-home-assistant", topics.cmd("pi"), set()),
        ("p-ana", config, set()),
        ("n-pi", config, set()),
        ("h-hub", topics.ack("pi"), {"h-hub", "n-pi"}),
        ("h-hub", topics.HUB, {"h-hub", "a-home-assistant", "p-ana", "n-pi"}),
    ]

    async def story() -> None:
        server = Running(port, "5", tmp_path / "secrets")
        async with contextlib.AsyncExitStack() as stack:
            clients = {}
            for account in [*roles, home_assistant.ACCOUNT]:
                own = (extra.get(account) or topics.rights(account)).subscribe
                wanted = ("#", "ayni/v1/#", "homeassistant/#", *extra["h-hub"].subscribe, *own)
                clients[account] = await stack.enter_async_context(client(server.config(account), *wanted))
            for it in clients.values():  # what was subscribed last is in force, too
                await clients["h-hub"].publish(topics.HUB, b"begin")
                await until(lambda it=it: any(payload == b"begin" for _t, payload, _r in it.heard))
            for number, (account, topic, _expected) in enumerate(said):
                with contextlib.suppress(MqttError):
                    await clients[account].publish(topic, b"%d" % number)
            last = b"%d" % (len(said) - 1)
            for it in clients.values():
                await until(lambda it=it: any(payload == last for _t, payload, _r in it.heard))
            for number, (account, topic, expected) in enumerate(said):
                got = {
                    who for who, it in clients.items() if any(p == b"%d" % number for _t, p, _r in it.heard)
                }
                assert got == expected, f"{account} to {topic}"

    with parts.running(list(part.argv), tmp_path / "broker.log"):
        password = (tmp_path / "secrets" / "h-hub").read_text().strip()
        parts.wait_until(lambda: broker.accepts("127.0.0.1", port, "h-hub", password), "broker up")
        asyncio.run(story())


def test_the_network_of_ayni_start_gives_these_rights_and_takes_them_back(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.begin(Answers(network="Red", site="Torre", person="Ana"), language="es", host="pi")
    start = tmp_path / "start.yaml"
    kept = start.read_text()
    start.write_text(kept + "home_assistant: {prefix: casa}\nnumbers: {listen: '127.0.0.1:9465'}\n")
    supervisor = Roof.__new__(Roof)
    supervisor.home = home
    extra = supervisor._rights_at_home(home.settings())
    assert set(extra) == {"h-hub", "a-home-assistant"}
    assert "casa/+/ayni/+/config" in extra["h-hub"].publish
    there = LocalBroker(kind="mosquitto", port=1, protocol="5", secrets=tmp_path / "secrets")
    home.write_parts(there, home.settings(), home.network())
    written = hub_config.load(home.hub_config)
    assert written.home_assistant == Wanted(prefix="casa")
    assert written.numbers is not None and written.numbers.listen.port == 9465

    (tmp_path / "hub" / at_home.MARK).write_text('{"prefix": "casa"}')
    start.write_text(kept)
    extra = supervisor._rights_at_home(home.settings())
    assert set(extra) == {"h-hub"}, "so that the hub can take everything away"
    (tmp_path / "hub" / at_home.MARK).unlink()
    assert supervisor._rights_at_home(home.settings()) == {}
    start.write_text(kept + "numbers: {listen: '0.0.0.0:9465'}\nhome_assistant: {sites: [torre], prefx: x}\n")
    with pytest.raises(ConfigError) as caught:
        home.settings()
    assert len(caught.value.faults) == 5


def test_the_section_is_read_strictly() -> None:
    def read(given: dict[str, Any]) -> tuple[Wanted | None, list[str]]:
        faults = Faults("hub.yaml")
        return config.read_home_assistant(Fields(given, "", faults)), faults.found

    assert read({}) == (None, [])
    assert read({"home_assistant": {}}) == (Wanted(), [])
    assert read({"home_assistant": {"prefix": "casa/ha", "sites": ["a"]}})[0] == Wanted(
        prefix="casa/ha", sites=("a",)
    )
    for wrong in ("a/#", "+", "", "a b", "/a", "ayni", "ayni/v1"):
        assert read({"home_assistant": {"prefix": wrong}})[1], wrong
    assert "unknown key" in read({"home_assistant": {"site": ["a"]}})[1][0]
