"""A certificate that ends is told long before: by an alert, on Health, at the monitor; a good one is not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import parts
import pytest
from console_village import NOW, Village, health
from test_agent_status import WELL
from test_mqtt_client import mosquitto
from test_screen_health import press, run, shown
from textual.pilot import Pilot

from ayni_agent import status_view
from ayni_console.app import ConsoleApp
from ayni_console.lines import plain, width
from ayni_console.screens.advice import AdvicePage
from ayni_console.screens.health import HealthPage
from ayni_console.view import health as view
from ayni_console.view import health_words as say
from ayni_console.view import plain_health
from ayni_console.view.page import Look
from ayni_core import inventory, slices
from ayni_core.inventory import Network
from ayni_core.message import Message
from ayni_core.onlooking import attention
from ayni_core.schema import Faults, Fields
from ayni_core.wire import topics
from ayni_core.wire.health import AskHealth, CertificateHealth, Health
from ayni_core.wire.messages import Alert
from ayni_core.wire.shape import pack
from ayni_hub import certificates_met
from ayni_hub import config as hub_config
from ayni_hub.certificates_met import CertificatesMet, Place
from ayni_hub.judge import Judge
from ayni_hub.people.herald import Telling
from ayni_hub.people.wording import Facts, Reader
from ayni_hub.phone import home as phone_home
from ayni_hub.phone import look as phone_look
from ayni_hub.picture import Picture
from ayni_hub.pki import work
from ayni_hub.pki.authority import YEAR_S
from ayni_hub.pki.folder import PkiFolder
from ayni_io import clock, local_broker, yamlwrite
from ayni_io.broker_look import LookError
from ayni_io.certificates import Seen
from ayni_io.i18n import say as said
from ayni_io.mqtt import BrokerConfig
from ayni_io.mqtt_trouble import Trouble
from ayni_io.onlooker import Onlooker
from ayni_io.rulebook import load_rules
from ayni_io.stack import Part, Stack, ayni

DAY_S = 86_400.0
RAW = {
    "network": {"title": "T", "poll_s": 60, "flush_s": 300},
    "hub": {"address": "hub.lan"},
    "sites": {"town": {}},
    "nodes": {"pi": {"site": "town"}},
    "people": {"ana": {"title": "Ana"}},
}


def network(**more: object) -> Network:
    faults = Faults("network.yaml")
    found = inventory.parse(Fields({**RAW, **more}, "", faults))
    faults.stop()
    return found


class Central:
    """A judge and a desk; `ends` is what each place shows, None where it cannot be looked at."""

    def __init__(self, given: Network | None = None, before: Judge | None = None) -> None:
        tracks, alerts = (before._tracks, before.alerts) if before else ({}, {})
        self.judge = Judge(given or network(), load_rules(), tracks, alerts)
        self.certificates: tuple[CertificateHealth, ...] = ()
        self.ends: dict[str, float | None] = {"hub.lan:8883": NOW + 1800 * DAY_S}
        self.looks: list[str] = []
        self.now = NOW

    def met(self) -> CertificatesMet:
        places = [Place(of="broker", name=name, look=self._look(name)) for name in self.ends]
        return CertificatesMet(places, self, self.judge)  # type: ignore[arg-type]

    def _look(self, name: str) -> Callable[[], Seen]:
        def look() -> Seen:
            self.looks.append(name)
            ends = self.ends[name]
            if ends is None:
                raise LookError(Trouble(kind="network", text="nobody is there"))
            return Seen(fingerprint="", begins=0.0, ends=ends)

        return look

    def look(self, met: CertificatesMet, days: float = 0.0) -> list[Alert]:
        """Some days later; the alerts that hold then."""
        self.now += days * DAY_S
        asyncio.run(met.look(self.now, self.now))
        self.judge.tick(self.now)
        self.judge.tick(self.now + 120)
        return list(self.judge.alerts.values())


def test_nobody_is_called_for_a_good_certificate_then_a_warning_then_worse_until_it_is_renewed() -> None:
    central = Central()
    met = central.met()
    assert central.look(met) == []
    assert [each.ends for each in central.certificates] == [NOW + 1800 * DAY_S]
    assert central.look(met, 1705) == []
    (alert,) = central.look(met, 6)
    assert (alert.level, alert.kind, alert.name, alert.calls) == ("warn", "central", "hub.lan:8883", True)
    text = "The certificate of hub.lan:8883 is good until 2031-10-26"
    assert said(alert.text) == text
    (alert,) = central.look(met, 60)
    assert (alert.level, said(alert.text)) == (
        "critical",
        text,
    )
    (alert,) = central.look(met, 40)
    assert alert.level == "critical", "it has expired"
    central.ends["hub.lan:8883"] = central.now + 1800 * DAY_S
    assert central.look(met) == [], "renewed: what ends is looked at each time"
    events = central.judge.flush().events
    assert [each.level for each in events] == ["warn", "critical", "clear"]


def test_why_and_what_to_do_first_are_told_with_it() -> None:
    central = Central()
    central.ends["hub.lan:8883"] = NOW + 20 * DAY_S
    central.look(central.met())
    picture = Picture(central.judge, {}, NOW)
    picture.news(NOW, set())
    (alert,) = central.judge.alerts.values()
    assert said(alert.cause) == "certificate ends"
    assert "nobody connects after it" in said(alert.headline)
    told = Reader("en", UTC).tell(Telling(what="fired", alert=alert, at=NOW), Facts(), NOW, bot=False)
    assert told.title.startswith("ALARM: The certificate of hub.lan:8883 is good until")
    assert "authority (the folder pki)" in told.body


def test_a_good_one_is_looked_at_twice_a_day_and_one_that_ends_each_hour() -> None:
    central = Central()
    met = central.met()
    for _hour in range(25):
        central.look(met, 1 / 24)
    assert len(central.looks) == 3
    central.ends["hub.lan:8883"] = central.now + 10 * DAY_S
    central.looks.clear()
    for _hour in range(24):
        central.look(met, 1 / 24)
    assert len(central.looks) >= 12


def test_what_cannot_be_looked_at_ends_no_alarm_and_makes_none() -> None:
    """Neither while it runs nor after a restart, when nothing was seen yet."""
    central = Central()
    central.ends["hub.lan:8883"] = None
    assert central.look(central.met()) == []
    assert central.certificates == ()
    central.ends["hub.lan:8883"] = NOW + 20 * DAY_S
    met = central.met()
    assert len(central.look(met)) == 1
    central.ends["hub.lan:8883"] = None
    assert len(central.look(met, 1)) == 1
    again = Central(before=central.judge)
    again.ends["hub.lan:8883"] = None
    assert len(again.look(again.met())) == 1


def test_what_is_no_longer_shown_anywhere_is_over() -> None:
    central = Central()
    central.ends |= {"hub.lan:8883": NOW + 20 * DAY_S, "phone :8443": NOW + 20 * DAY_S}
    assert len(central.look(central.met())) == 2
    again = Central(before=central.judge)
    again.ends["hub.lan:8883"] = NOW + 20 * DAY_S
    assert [each.name for each in again.look(again.met())] == ["hub.lan:8883"]


def test_a_community_may_want_to_know_earlier_or_not_at_all() -> None:
    early = network(network={**RAW["network"], "rules": {"certificate-ends": {"warn": 200, "critical": 60}}})
    for given, levels in ((early, ["critical"]), (network(network={**RAW["network"], "rules": {"certificate-ends": "off"}}), [])):  # fmt: skip  # noqa: E501
        central = Central(given)
        central.ends["hub.lan:8883"] = NOW + 50 * DAY_S
        assert [each.level for each in central.look(central.met())] == levels


# ---- where the central looks


def places(given: Network, **more: object) -> list[tuple[str, str]]:
    raw = {"broker": {}, "network": "network.yaml", "data_dir": "data", **more}
    faults = Faults("hub.yaml")
    config = hub_config.parse(Fields(raw, "", faults))
    faults.stop()
    server = config.feed.broker.resolve("hub.yaml") if config.feed else None
    found = certificates_met.places(config, given, config.broker.resolve("hub.yaml"), server)
    return [(each.of, each.name) for each in found]


def test_it_looks_where_monitors_and_people_do() -> None:
    assert places(network(hub={})) == []
    assert places(network()) == [("broker", "hub.lan:8883")], "though it reaches the broker on the machine"
    assert places(network(hub={"address": "hub.lan:8884"})) == [("broker", "hub.lan:8884")]
    far = {"host": "central.example.org", "ca": "ca.crt"}
    assert places(network(), broker=far) == [("broker", "central.example.org:8883")]
    page = {"listen": "0.0.0.0:8443", "user": "u", "password": "env:X", "cert": "c.pem", "key": "k.pem"}
    assert places(network(hub={}), phone=page, numbers={**page, "listen": "0.0.0.0:9102"}) == [
        ("numbers", "numbers :9102"),
        ("phone", "phone :8443"),
    ]
    assert places(network(hub={}), feed={"broker": far}) == [("server", "central.example.org:8883")]
    assert places(network(hub={}), certificates=["/etc/ayni/web.pem"]) == [("file", "/etc/ayni/web.pem")]


def test_a_village_that_cannot_reach_itself_from_outside_looks_on_its_own_machine(tmp_path: Path) -> None:
    now, port = clock.wall_s(), parts.free_port()
    folder = PkiFolder(tmp_path / "pki")
    work.issue(folder, work.init(folder, "T", None, now, "01"), "hub", ["hub.lan"], now)
    lines = [f"certfile {folder.issued}/hub.crt", f"keyfile {folder.issued}/hub.key"]
    given = network(hub={"address": f"no-such-name.invalid:{port}"})
    config = hub_config.HubConfig(
        name="hub", broker=None, network=Path("n"), data_dir=Path("d"), retain=None,  # type: ignore[arg-type]
    )  # fmt: skip
    (place,) = certificates_met.places(config, given, BrokerConfig(), None)
    with mosquitto(tmp_path, port, *lines):
        assert place.name == f"no-such-name.invalid:{port}"
        assert place.look().ends == pytest.approx(now + 5 * YEAR_S, abs=2)


def test_what_a_broker_shows_is_seen_whoever_signed_it_and_whatever_the_date(tmp_path: Path) -> None:
    now = clock.wall_s() - 6 * YEAR_S
    folder = PkiFolder(tmp_path / "pki")
    work.issue(folder, work.init(folder, "T", None, now, "01"), "hub", ["hub.lan"], now)
    port = parts.free_port()
    lines = [f"certfile {folder.issued}/hub.crt", f"keyfile {folder.issued}/hub.key"]
    (place,) = certificates_met.places(
        hub_config.HubConfig(
            name="hub", broker=None, network=Path("n"), data_dir=Path("d"), retain=None,  # type: ignore[arg-type]
        ),
        network(), BrokerConfig(host="127.0.0.1", port=port, ca=folder.trusted), None,
    )  # fmt: skip
    with pytest.raises(LookError):
        place.look()
    with mosquitto(tmp_path, port, *lines):
        assert place.look().ends == pytest.approx(clock.wall_s() - YEAR_S, abs=60)


# ---- what people see


def told(days: float, of: str = "broker", name: str = "hub.lan:8883") -> CertificateHealth:
    return CertificateHealth(of=of, name=name, ends=NOW + days * DAY_S)


@pytest.mark.parametrize(
    ("certificate", "words", "state"),
    [
        (told(1826.5), "the broker, hub.lan:8883: 1826 days left, until 2031-11-22", "ok"),
        (told(89.5), "the broker, hub.lan:8883: 89 days left, until 2027-02-19", "weak"),
        (
            told(1.5, "server"),
            "the server, hub.lan:8883: 1 day left, until 2026-11-23",
            "down",
        ),
        (
            told(100.5, "file", "/etc/ayni/web.pem"),
            "the file /etc/ayni/web.pem: 100 days left, until 2027-03-02",
            "ok",
        ),
        (
            told(-3, "phone", "phone :8443"),
            "the page phone :8443: EXPIRED on 2026-11-18",
            "down",
        ),
    ],
)
def test_health_says_how_long_each_is_good(certificate: CertificateHealth, words: str, state: str) -> None:
    village = Village()
    central = health(NOW).central
    assert say.certificate_state(certificate, NOW) == state
    for cells in (60, 80):
        look = Look(width=cells, height=24, now=NOW)
        rows = view.rows(village.model, look, view.Told(central=central, certificates=[certificate]))
        lines = [plain(row.draw()) for row in rows]
        assert all(width(row.draw()) <= cells for row in rows)
        assert f"certificate of {words}" in " ".join(" ".join(lines).split())
        signs = {"ok": "shows", "weak": "▲ WEAK", "down": "■ DOWN"}
        assert any(signs[state] in line for line in lines)
    asked = plain_health.Asked(central=central, certificates=[certificate])
    assert f"  certificate of {words}" in list(plain_health.lines(village.model, asked, NOW))
    central_json = plain_health.as_json(village.model, asked, NOW)["central"]
    assert isinstance(central_json, dict)
    assert central_json["certificates"] == [
        {"of": certificate.of, "name": certificate.name, "ends": certificate.ends}
    ]


def test_health_is_not_well_while_one_ends_soon() -> None:
    village = Village()
    village.model.nodes.clear()
    for days, well in ((100, True), (80, False)):
        asked = plain_health.Asked(certificates=[told(days)])
        assert plain_health.all_is_well(village.model, asked, NOW) == well


def test_an_alarm_about_the_central_can_be_opened_and_acted_on_like_any_other() -> None:
    village = Village()
    alert = Alert(
        id="certificate-ends--central--hub.lan=3A8883", rule="certificate-ends", kind="central",
        name="hub.lan:8883", level="critical", since=NOW - 60,
        text=Message("rule.certificate_ends", {"part": "hub.lan:8883", "date": "2026-12-01"}),
        cause=Message("cause.certificate"), headline=Message("headline.certificate"),
    )  # fmt: skip
    village.model.alerts.clear()
    village.model.apply(topics.alert(alert.id), pack(alert), True, NOW)

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        assert "The central" in shown(app)
        assert "certificate ends" in shown(app)
        app.open_line("alert", alert.id)
        await pilot.pause()
        assert isinstance(app.screen, AdvicePage)
        assert "ayni pki renew-server" in shown(app)
        await press(pilot, "escape", "e")
        app.open_thing("central", "hub.lan:8883")
        await pilot.pause()
        assert isinstance(app.screen, HealthPage)

    run(village, scene)
    assert "hub.lan" not in page_for_neighbours(village)


def page_for_neighbours(village: Village) -> str:
    look = phone_look.Look(model=village.model, now=NOW)
    (item,) = [each for each in attention.items(village.model, NOW) if each.kind == "central"]
    return str(phone_home.item_line(look, item))


def test_the_monitor_says_it_too_where_it_knows_the_time() -> None:
    now = WELL.clock.wall_s
    for days, synced, words in (
        (89.5, True, "CERTIFICATE  the broker's ends in 89 days"),
        (-2, True, "CERTIFICATE  EXPIRED"),
        (91, True, ""),
        (-2, False, ""),
    ):
        status = replace(
            WELL,
            hub=replace(WELL.hub, certificate_ends=now + days * DAY_S),
            clock=replace(WELL.clock, synchronised=synced),
        )
        text = "\n".join("".join(part for part, _style in each) for each in status_view.lines(status, 80))
        assert (words in text) if words else ("CERTIFICATE" not in text)


# ---- all of it, over a real broker


def test_a_real_central_tells_of_the_certificate_of_its_own_page(tmp_path: Path) -> None:
    parts.need("mosquitto")
    now = clock.wall_s()
    folder = PkiFolder(tmp_path / "pki")
    signer = work.init(folder, "T", None, now, "01")
    work.issue(folder, signer, "hub", ["localhost"], now, years=20 / 365.25)
    (tmp_path / "phone").write_text("a password\n")

    async def story() -> None:
        local_broker.write_accounts(tmp_path, {"h-hub": "", "n-pi": "", "p-ana": "operator"})
        stack = Stack(tmp_path)
        try:
            local = await local_broker.start(stack, "h-hub", wanted="mosquitto")
            facts = slices.BrokerFacts(port=local.port, secrets=str(tmp_path / "secrets"))
            hub = slices.hub("hub", facts, network_path=f"{tmp_path}/network.yaml", data_dir=f"{tmp_path}/d")
            page = {
                "listen": f"127.0.0.1:{parts.free_port()}", "user": "u", "password": f"file:{tmp_path}/phone",
                "cert": f"{folder.issued}/hub.crt", "key": f"{folder.issued}/hub.key",
            }  # fmt: skip
            yamlwrite.write(tmp_path / "network.yaml", {**RAW, "hub": {}})
            yamlwrite.write(tmp_path / "hub.yaml", {**hub, "phone": page})
            await stack.start(Part(name="hub", argv=ayni("hub", "run", "--config", f"{tmp_path}/hub.yaml")))
            async with Onlooker(local.config("p-ana"), topics.alert("+")) as ana:
                assert await ana.until(lambda: ana.below(topics.alert(""), Alert) != [], 30)
                (alert,) = ana.below(topics.alert(""), Alert)
                assert (alert.level, alert.rule, alert.kind) == ("critical", "certificate-ends", "central")
                answer = await ana.ask(AskHealth(), Health)
                assert answer is not None
                (certificate,) = answer.certificates
                assert certificate.of == "phone"
                assert certificate.ends == pytest.approx(now + 20 * DAY_S, abs=2)
        finally:
            await stack.stop()

    asyncio.run(story())
