"""The phone page of a device: its readings with their ages, nothing that tells where or who; and TRAINING."""

from __future__ import annotations

import asyncio
import http.client
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from browser import Browser, chromium
from console_village import NOW, Village, readings
from parts import free_port, running, wait_until
from test_mqtt_client import Heard, mosquitto, until
from test_numbers_hub import NETWORK, frame, get
from test_phone_page import EVIL, Read

from ayni_core import inventory
from ayni_core.schema import Faults, Fields
from ayni_core.wire import topics
from ayni_core.wire.messages import NodeState
from ayni_core.wire.questions import Reading
from ayni_core.wire.shape import pack
from ayni_hub.phone.serving import pages
from ayni_io import yamlfile
from ayni_io.http_listen import Listen
from ayni_io.http_server import HttpServer
from ayni_io.mqtt import BrokerConfig
from ayni_io.stack import ayni

PRIVATE = (
    Reading(group="system", item="", metric="version", value="8.7.11-secret", at=NOW - 12),
    Reading(group="system", item="", metric="serial", value="SN4711", at=NOW - 12),
    Reading(group="system", item="", metric="location", value="Calle Sol 3", at=NOW - 12),
    Reading(group="interface", item="eth0", metric="description", value="to Ana's house", at=NOW - 12),
    Reading(group="neighbour", item="10.20.3.4", metric="signal_dbm", value=-60, at=NOW - 12),
    Reading(group="station", item="000c42ddeeff", metric="signal_dbm", value=-66, at=NOW - 4000),
)


@contextmanager
def serving(village: Village, told: Sequence[Reading]) -> Iterator[HttpServer]:
    made = pages(lambda: village.model, None, now=lambda: NOW, readings=lambda _device: told)
    server = HttpServer(Listen(host="127.0.0.1", port=free_port()), made, "phone")
    server.start()
    try:
        yield server
    finally:
        server.close()


def fetch(server: HttpServer, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    found = answer.status, answer.read().decode()
    connection.close()
    return found


def page(told: Sequence[Reading], path: str = "/device/torre-radio", *, lab: bool = False) -> str:
    with serving(Village(lab=lab), told) as server:
        status, found = fetch(server, path)
        assert status == 200
        return found


def test_every_reading_has_its_unit_and_its_age() -> None:
    read = " ".join(re.sub("<[^>]+>", " ", page((*readings(NOW), *PRIVATE))).split())
    assert "Radio Torre OK 24 h" in read
    assert "Other side 1 hears -57 dBm 12 s ago" in read
    assert "Other side 2 hears -66 dBm 66 min ago" in read
    assert "Port eth0" in read
    assert "speed 100 Mb/s 12 s ago" in read
    assert "voltage 24.1 V 12 s ago" in read
    assert "LiteBeam 5AC" in read


def test_nothing_on_it_tells_where_something_is_or_who_somebody_is() -> None:
    found = page((*readings(NOW), *PRIVATE))
    for secret in ("secret", "SN4711", "Calle", "Ana", "10.20.3.4", "10.1.0.2", "000c42", "8.7.11"):
        assert secret not in found, secret


def test_what_a_device_says_of_itself_cannot_become_markup() -> None:
    evil = Reading(group="interface", item=EVIL, metric="if_oper", value=1, at=NOW)
    found = page((evil, replace(evil, group="system", item="", metric="model", value=EVIL)))
    assert "<script" not in found
    assert "img" not in Read(found).tags


def test_a_switch_of_two_hundred_ports_still_fits() -> None:
    told = [
        Reading(group="interface", item=f"port{number}", metric=metric, value=number, at=NOW)
        for number in range(200)
        for metric in ("in_octets", "out_octets", "in_errors", "speed_bps")
    ]
    found = page(told)
    assert len(found.encode()) <= 30_000
    assert re.search(r'href="[^"]*from=\d+[^"]*">\d+ more<', found)


def test_a_site_and_the_list_of_what_needs_somebody_lead_to_their_devices() -> None:
    assert 'href="../device/escuela-radio"' in page((), "/site/escuela")
    village = Village()
    for name, alert in list(village.model.alerts.items()):
        village.model.alerts[name] = replace(alert, silenced_by=None)
    with serving(village, ()) as server:
        assert 'href="device/escuela-radio"' in fetch(server, "/")[1]
        assert fetch(server, "/device/nobody")[0] == 404


@pytest.mark.parametrize("path", ["/", "/sites", "/link/torre-clinica", "/site/torre", "/device/torre-radio"])
def test_a_pretend_network_says_so_on_every_page(path: str) -> None:
    assert "TRAINING" in page((), path, lab=True)
    assert "TRAINING" not in page((), path)


def test_a_network_is_a_pretend_one_where_its_file_says_so() -> None:
    faults = Faults("network.yaml")
    given, lines = yamlfile.load(NETWORK, "network.yaml")
    assert not inventory.parse(Fields(given, "", faults)).training
    given["network"]["training"] = True
    assert inventory.parse(Fields(given, "", faults)).training
    assert lines is not None


# ---- real parts


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(tmp_path_factory.mktemp("browser")) as found:
        yield found


@pytest.mark.real("chromium")
def test_on_a_telephone_of_360_pixels_the_numbers_fit(browser: Browser, tmp_path: Path) -> None:
    long = Reading(group="interface", item="W" * 60, metric="in_octets", value=10**15, at=NOW - 12)
    with serving(Village(lab=True), (*readings(NOW), *PRIVATE, long)) as server:
        for language, dark in (("en", False), ("es", True)):
            browser.open(f"http://127.0.0.1:{server.port}/device/torre-radio?lang={language}", dark=dark)
            assert browser.value("document.documentElement.scrollWidth") <= 360
            banner = "getComputedStyle(document.querySelector('.training')).backgroundColor"
            assert browser.value(banner) == ("rgb(255, 194, 92)" if dark else "rgb(107, 61, 0)")
            browser.screenshot(tmp_path / f"device-{language}.png")
            assert (tmp_path / f"device-{language}.png").stat().st_size > 5000


@pytest.mark.real("mosquitto")
def test_a_real_hub_shows_what_a_device_said(tmp_path: Path) -> None:
    port, phone = free_port(), free_port()
    (tmp_path / "network.yaml").write_text(NETWORK.replace("title: Red,", "title: Red, training: true,"))
    settings = tmp_path / "hub.yaml"
    settings.write_text(
        f"broker: {{port: {port}}}\nnetwork: {tmp_path}/network.yaml\ndata_dir: {tmp_path}/hub\n"
        f"phone: {{listen: '127.0.0.1:{phone}'}}\n"
    )

    async def report() -> None:
        async with Heard(BrokerConfig(port=port), "agent") as agent:
            agent.client.subscribe(topics.HUB, topics.ack("pi"))
            await until(lambda: any(topic == topics.HUB for topic, *_rest in agent.messages))
            up = NodeState(up=True, epoch="e", boot="b", flush_s=300, version="1")
            await agent.client.publish(topics.state("pi"), pack(up), retain=True)
            await agent.client.publish(topics.frame("pi", "live"), frame(1))
            await until(lambda: any(topic == topics.ack("pi") for topic, *_rest in agent.messages))

    url = f"http://127.0.0.1:{phone}"
    with (
        mosquitto(tmp_path, port),
        running(list(ayni("hub", "run", "--config", str(settings))), tmp_path / "log"),
    ):
        asyncio.run(report())
        found = re.search(r"device/([\w-]+)", get(f"{url}/site/{_site(get(f'{url}/sites'))}"))
        assert found
        wait_until(lambda: "-61 dBm" in get(f"{url}/device/{found[1]}"), "the reading on the page")
        assert "TRAINING" in get(f"{url}/")


def _site(listed: str) -> str:
    found = re.search(r"site/([\w-]+)", listed)
    assert found
    return found[1]
