"""Breaking and repairing: right repairs mend, wrong ones do not, and each says what it brought."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random
from string import Formatter

import parts
import pytest

from ayni_core import inventory
from ayni_core.inventory import Network
from ayni_core.message import Message
from ayni_core.schema import ConfigError
from ayni_core.texts_lab import LAB_TEXTS
from ayni_core.wire import topics
from ayni_core.wire.messages import LabDo, LabState
from ayni_core.wire.shape import pack, unpack
from ayni_io import configs, local_broker, yamlfile
from ayni_io.onlooker import Onlooker
from ayni_io.secret import Secret
from ayni_io.stack import Stack
from ayni_lab import scenario as scenarios
from ayni_lab.conditions import Conditions
from ayni_lab.repairs import offers, right_repair
from ayni_lab.scenario import Scenario
from ayni_lab.script import Script
from ayni_lab.simulation import Simulation

FAULTS = (
    "power-escuela",
    "antenna-clinica",
    "noise-alto",
    "plug-clinica",
    "cable-torre",
    "radio-huerta",
    "provider",
)
PATH = configs.find("scenarios/red-cerro-norte.yaml")


@pytest.fixture(scope="module")
def network() -> Network:
    return yamlfile.read(configs.find("network.yaml"), inventory.parse)


@pytest.fixture(scope="module")
def scenario(network: Network) -> Scenario:
    return yamlfile.read(PATH, lambda fields: scenarios.parse(fields, network))


@pytest.fixture
def script(scenario: Scenario, network: Network) -> Script:
    script = Script(scenario, network, Conditions(), 100.0)
    script.do(LabDo(do="reset"), 100.0)
    return script


def _active(script: Script) -> set[str]:
    return {fault.id for fault in script.state().faults if fault.active}


def test_the_village_begins_with_one_link_weak(scenario: Scenario, network: Network) -> None:
    fresh = Script(scenario, network, Conditions(), 100.0)
    assert _active(fresh) == {"antenna-clinica"}
    assert fresh.state().last == Message("lab.said.welcome")


@pytest.mark.parametrize("fault", FAULTS)
def test_only_the_right_repair_mends_a_fault(
    fault: str, script: Script, scenario: Scenario, network: Network
) -> None:
    assert set(FAULTS) == set(scenario.faults)
    script.do(LabDo(do="break", what=fault), 110.0)
    assert _active(script) == {fault}
    assert next(each.since for each in script.state().faults if each.id == fault) == 110.0
    right = right_repair(scenario.faults[fault], network).name
    for name in offers(list(scenario.faults.values()), network):
        if name != right:
            said = script.do(LabDo(do="repair", what=name), 120.0)
            assert _active(script) == {fault}, f"{name} must not mend {fault}"
            assert said.context in LAB_TEXTS
    script.do(LabDo(do="repair", what=right), 130.0)
    assert _active(script) == set()


def test_breaking_twice_and_unknown_orders_say_so(script: Script) -> None:
    script.do(LabDo(do="break", what="provider"), 110.0)
    assert script.do(LabDo(do="break", what="provider"), 120.0).context == "lab.said.already"
    for order in (LabDo(do="break", what="x"), LabDo(do="repair", what="provider"), LabDo(do="dance")):
        assert script.do(order, 130.0).context == "lab.said.unknown"
    assert _active(script) == {"provider"}


def test_reset_mends_everything(script: Script, scenario: Scenario) -> None:
    for fault in scenario.faults:
        script.do(LabDo(do="break", what=fault), 110.0)
    assert _active(script) == set(scenario.faults)
    script.do(LabDo(do="reset"), 120.0)
    assert _active(script) == set()


def test_nothing_restarts_without_power(script: Script) -> None:
    script.do(LabDo(do="break", what="power-escuela"), 110.0)
    said = script.do(LabDo(do="repair", what="reboot-escuela-radio"), 120.0)
    assert said.context == "lab.said.no_reaction"


def test_more_power_hides_a_moved_antenna_and_a_proper_aim_takes_it_back(
    scenario: Scenario, network: Network
) -> None:
    conditions = Conditions()
    script = Script(scenario, network, conditions, 100.0)
    assert script.do(LabDo(do="repair", what="louder-torre-clinica"), 110.0).values["gain"] == 3
    assert conditions.louder_db == {"torre-clinica": 3.0}
    script.do(LabDo(do="repair", what="aim-torre-clinica-clinica"), 120.0)
    assert (conditions.moved_db, conditions.louder_db) == ({}, {})


def test_the_state_survives_the_wire_and_every_sentence_finds_its_values(
    script: Script, scenario: Scenario, network: Network
) -> None:
    state = script.state()
    assert unpack(LabState, pack(state)) == state
    messages = [fault.title for fault in state.faults] + [repair.title for repair in state.repairs]
    for fault in scenario.faults:
        messages.append(script.do(LabDo(do="break", what=fault), 110.0))
        for repair in offers(list(scenario.faults.values()), network):
            messages.append(script.do(LabDo(do="repair", what=repair), 120.0))
    for message in messages:
        wanted = {name for _t, name, _s, _c in Formatter().parse(LAB_TEXTS[message.context]) if name}
        assert wanted <= set(message.values), message


def test_a_scenario_names_every_fault_of_the_file_at_once(network: Network, tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(
        "devices: {ghost: {family: airos}}\n"
        "faults:\n"
        "  a: { kind: power, site: nowhere }\n"
        "  b: { kind: antenna, link: torre-cero, end: b }\n"
        "  c: { kind: rust }\n"
    )
    with pytest.raises(ConfigError) as caught:
        yamlfile.read(path, lambda fields: scenarios.parse(fields, network))
    text = "\n".join(caught.value.faults)
    assert 'unknown device "ghost"' in text
    assert 'unknown site "nowhere"' in text
    assert 'did you mean "torre-cerro"?' in text
    assert 'unknown value "rust"' in text


def test_orders_arrive_by_mqtt_and_the_state_is_retained(
    scenario: Scenario, network: Network, tmp_path: Path
) -> None:
    parts.need("mosquitto")
    local_broker.write_accounts(tmp_path, {"l-lab": "", "p-rosa": "trainer"})

    async def run() -> None:
        stack = Stack(tmp_path)
        try:
            server = await local_broker.start(stack, "l-lab", wanted="mosquitto")
            simulation = Simulation(network, scenario, Secret("x"), Random(1))
            obeying = asyncio.create_task(simulation.obey(server.config("l-lab")))
            async with Onlooker(server.config("p-rosa"), topics.LAB) as rosa:

                def broken() -> set[str]:
                    state = rosa.read(LabState, topics.LAB)
                    return {fault.id for fault in state.faults if fault.active} if state else set()

                assert await rosa.until(lambda: broken() == {"antenna-clinica"}, 5)
                await rosa.publish(topics.lab_do("rosa"), b"{nonsense")
                await rosa.publish(topics.lab_do("rosa"), pack(LabDo(do="break", what="power-escuela")))
                assert await rosa.until(lambda: "power-escuela" in broken(), 5)
                assert not simulation.world.machines["escuela-radio"].on
            obeying.cancel()
        finally:
            await stack.stop()

    asyncio.run(run())


def test_a_repair_says_what_it_is_tried_on_so_that_its_verdict_is_about_that(script: Script) -> None:
    about = {repair.id: set(repair.about) for repair in script.state().repairs}
    assert about["aim-torre-clinica-clinica"] == {("link", "torre-clinica")}
    assert about["restore-escuela"] >= {("device", "escuela-radio"), ("link", "cerro-escuela")}
    assert ("device", "cerro-torre") not in about["restore-escuela"]
    assert about["call-provider"] == {("upstream", "provider")}
