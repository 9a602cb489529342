"""The phone page: the console's words as plain HTML, small, in the reader's language, and safe to show."""

from __future__ import annotations

import asyncio
import http.client
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from browser import Browser, chromium
from console_village import NOW, Village, alerts
from parts import free_port, running, wait_until
from test_mqtt_client import Heard, mosquitto, until
from test_numbers_hub import NETWORK, frame, get

from ayni_core.message import Message
from ayni_core.onlooking.model import Model
from ayni_core.schema import Faults, Fields
from ayni_core.wire import topics
from ayni_core.wire.messages import HubState, NodeState
from ayni_core.wire.shape import pack
from ayni_hub.home import Settings
from ayni_hub.phone import config, sheet
from ayni_hub.phone.html import Html, el, join, text
from ayni_hub.phone.serving import language_for, pages
from ayni_io import http_server, yamlfile
from ayni_io.http_listen import Listen, is_local_name, is_neighbour
from ayni_io.http_server import HttpServer, Reply, Request
from ayni_io.mqtt import BrokerConfig
from ayni_io.stack import ayni

EVIL = '<script>alert("x")</script>\'"><img src=//evil.example/x onerror=a()>&\u202e\n'
PATHS = ("/", "/sites", "/link/torre-clinica", "/link/escuela-cerro", "/site/torre", "/site/escuela")
ALLOWED = {
    "html", "head", "meta", "title", "style", "body", "nav", "main", "footer", "a", "p", "b", "h1", "h2",
    "ul", "ol", "li", "small", "strong", "table", "tr", "th", "td",
}  # fmt: skip


class Read(HTMLParser):
    """A page as its reader gets it: lines of text, the ways on, and every tag that was used."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.ways: list[str] = []
        self.attributes: set[str] = set()
        self._open: list[str] = []
        self._said: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _value in attrs)
        self.ways += [value or "" for name, value in attrs if name in ("href", "src")]
        if tag != "meta":
            self._open.append(tag)
        if tag in ("p", "li", "h1", "h2", "tr", "title", "nav"):
            self._said.append("\n")
        if tag in ("small", "td", "th"):
            self._said.append(" | ")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self._open:
            self._said.append(data)

    @property
    def lines(self) -> list[str]:
        return [line.strip(" |") for line in "".join(self._said).splitlines() if line.strip(" |")]


def ask(model: Model, path: str, *, names: bool = True, now: float = NOW, **headers: str) -> Reply:
    """What the server would answer."""
    path, _mark, query = path.partition("?")
    made = pages(lambda: model, None, names=names, now=lambda: now)
    page = made.get(path) or made[path.rpartition("/")[0] + "/"]
    words = dict(each.split("=") for each in query.split("&") if each)
    return page(Request(path=path, query=words, headers=headers))


def body(reply: Reply) -> str:
    assert isinstance(reply.body, bytes)
    return reply.body.decode()


def read(model: Model, path: str, **options: Any) -> Read:
    return Read(body(ask(model, path, **options)))


def test_home_says_what_needs_somebody_first_and_then_every_link() -> None:
    lines = read(Village().model, "/").lines
    assert lines == [
        "2 need you · Red Cerro Norte", "Red Cerro Norte", "2 need you · 1 OK · 1 no data",
        "DO FIRST",
        "DOWN Escuela-Cerro 34 min  | 46 homes · no power",
        "WEAK Torre-Clínica 3 days  | 12 homes · antenna moved",
        "NO NEWS Monitor Molino 5 h  | 8 homes · monitor silent",
        "ALL LINKS 4",
        "DOWN Escuela-Cerro  | 34 min ago",
        "WEAK Torre-Clínica  | -71/-70 dBm · normal -59 · 12 s ago",
        "NO NEWS Cerro-Molino  | -63/-64 dBm · normal -62 · 5 h ago",
        "OK Torre-Cerro  | -57/-58 dBm · normal -57 · 12 s ago",
        "ALL SITES 5",
        lines[-2], "English Español Français Português",
    ]  # fmt: skip
    assert re.fullmatch(r"As of \w{3} \d\d:\d\d\. This page looks again every minute\.", lines[-2])


def test_where_nothing_needs_anybody_it_says_so_and_at_the_very_beginning_that_nothing_is_known() -> None:
    calm = Village()
    for alert in alerts():
        calm.send(topics.alert(alert.id), None)
    for link in list(calm.model.links.values()):
        calm.model.links[link.id] = replace(link, state="ok", next_by=NOW + 60)
    for node in list(calm.model.nodes.values()):
        calm.model.nodes[node.id] = replace(node, state="ok")
    assert "OK Nothing needs you." in read(calm.model, "/").lines
    empty = Model()
    empty.linked(True)
    empty.heard(NOW)
    assert "Nothing is known yet." in read(empty, "/").lines


def test_a_link_has_both_ends_side_by_side_what_is_wrong_and_its_day_in_words() -> None:
    lines = read(Village().model, "/link/torre-clinica").lines
    for line in (
        "Home – Red Cerro Norte", "Torre-Clínica", "WEAK 3 days", "An antenna has probably moved.",
        "First: Ask at both ends: did anyone touch the mast? Was there a storm?",
        "12 homes depend on it", "Torre | Clínica",
        "hears | -71 dBm ↓12 | normal -59 | -70 dBm ↓11 | normal -59",
        "repeats | 18 % | 18 %", "measured | 12 s ago | 12 s ago", "OK 8 h, WEAK 16 h",
        "Torre-Clínica: Torre hears -71 dBm, normal is -59 | for 3 days",
    ):  # fmt: skip
        assert line in lines, (line, lines)
    silent = read(Village().model, "/link/escuela-cerro").lines
    assert "Cerro SILENT | Escuela SILENT" in silent
    assert "measured | 34 min ago | 34 min ago" in silent


def test_what_is_late_is_called_so_by_the_page_itself() -> None:
    lines = read(Village().model, "/link/torre-cerro", now=NOW + 3600).lines
    assert lines[0] == "Torre-Cerro: NO NEWS · Red Cerro Norte"
    assert "The monitor is late. The link may well work." in lines


def test_a_site_has_what_stands_there_and_what_is_wrong_there() -> None:
    lines = read(Village().model, "/site/escuela").lines
    assert lines[2:7] == [
        "Escuela", "DOWN", "46 homes here, power from the grid, reached by Escuela-Cerro",
        "DO FIRST", "DOWN Escuela-Cerro 34 min  | 46 homes · no power",
    ]  # fmt: skip
    assert lines[7:11] == [
        "LINKS", "DOWN Escuela-Cerro  | 34 min ago", "DEVICES",
        "SILENT Radio Escuela  | LiteBeam 5AC · 12 s ago",
    ]  # fmt: skip
    torre = read(Village().model, "/site/torre").lines
    assert {"MONITORS", "INTERNET", "OK Fibra"} <= set(torre)
    assert "DOWN Escuela  | 46 homes" in read(Village().model, "/sites").lines


def test_every_way_on_a_page_leads_to_a_page_in_the_same_language() -> None:
    model = Village().model
    for path in PATHS:
        found = read(model, f"{path}?lang=es")
        for way in found.ways:
            if "lang=" in way and not way.endswith("lang=es"):
                continue
            assert way.endswith("?lang=es"), way
            to = way.removesuffix("?lang=es")
            full = "/" + to.removeprefix("../") if to.startswith("../") else "/" + to.removeprefix("./")
            assert ask(model, full).status == 200, (path, way)


@pytest.mark.parametrize("path", PATHS)
def test_a_page_has_no_script_asks_for_nothing_else_and_its_policy_says_so(path: str) -> None:
    reply = ask(Village().model, path)
    found = Read(body(reply))
    assert found.tags <= ALLOWED
    assert not any("//" in way or ":" in way for way in found.ways)
    assert not any(name.startswith("on") or name == "style" for name in found.attributes)
    policy = reply.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert reply.kind == "text/html; charset=utf-8"
    assert '<meta http-equiv="refresh" content="60">' in body(reply)


def test_with_two_hundred_links_home_shows_all_of_them_in_thirty_kilobytes() -> None:
    model = Village(more_links=196).model
    for path in PATHS:
        reply = ask(model, f"{path}?lang=es")
        assert len(body(reply).encode()) <= 30_000
    assert len({way for way in read(model, "/").ways if way.startswith("link/")}) == 200


@pytest.mark.parametrize("title", ["Casa", "Ñandú ñandú " * 40, EVIL * 9])
@pytest.mark.parametrize("path", ["/", "/site/torre", "/sites"])
def test_however_many_there_are_pages_stay_small_and_lead_to_all(path: str, title: str) -> None:
    village = Village(more_links=296)
    model = village.model
    for number, link in enumerate(list(model.links.values())):
        model.links[link.id] = replace(link, title=f"{number} {title}")
    for number in range(150):
        model.sites[f"casa-{number}"] = replace(model.sites["torre"], id=f"casa-{number}", title=title)
        device = replace(model.devices["torre-radio"], id=f"d-{number}", title=f"d{number} {title}")
        model.devices[device.id] = device
    kind = "site" if path == "/sites" else "link"
    seen: set[str] = set()
    way = path
    for _page in range(400):
        made = body(ask(model, way))
        assert len(made.encode()) <= 30_000
        found = Read(made)
        seen.update(re.findall(rf"{kind}/([\w-]+)", " ".join(found.ways)))
        nexts = [each for each in found.ways if "from=" in each]
        if not nexts:
            break
        way = path + "?" + nexts[-1].partition("?")[2]
    else:
        pytest.fail("the pages have no end")
    wanted = set(model.sites) if kind == "site" else {
        each.id for each in model.links.values() if path == "/" or "torre" in (each.a.site, each.b.site)
    }  # fmt: skip
    assert wanted <= seen


def test_a_storm_of_alarms_does_not_make_home_long() -> None:
    village = Village(more_links=400)
    for number in range(400):
        alert = replace(alerts()[1], id=f"s{number}", name=f"link-{number % 400:04}")
        village.model.alerts[alert.id] = alert
    made = body(ask(village.model, "/"))
    assert len(made.encode()) <= 30_000
    assert "373 more" in Read(made).lines


def test_no_name_or_text_of_the_network_can_become_markup() -> None:
    model = Village().model
    model.community = replace(model.community, title=EVIL)
    for table in (model.links, model.sites, model.devices, model.nodes, model.upstreams):
        for name, view in list(table.items()):  # type: ignore[attr-defined]
            table[name] = replace(view, title=EVIL)  # type: ignore[index]
    link = model.links["torre-clinica"]
    ends = {side: replace(getattr(link, side), port=EVIL) for side in ("a", "b")}
    cause = Message("headline.no_power", {"site": EVIL})
    model.links[link.id] = replace(link, headline=cause, cause=Message(EVIL), day=EVIL, **ends)
    model.devices["torre-radio"] = replace(model.devices["torre-radio"], model=EVIL)
    for alert in alerts():
        text_ = Message("rule.link_down", {"link": EVIL})
        model.alerts[alert.id] = replace(alert, text=text_, cause=cause, acked_by=EVIL)
    plain = str.maketrans("=&", "xx")
    for path in (*PATHS, f"/link/{quote(EVIL, safe='')}", f"/?lang={EVIL.translate(plain)}"):
        made = body(ask(model, path))
        assert Read(made).tags <= ALLOWED
        assert "\u202e" not in made
        assert "<script" not in made
        assert "<img" not in made


def test_what_is_no_markup_yet_is_escaped_wherever_it_stands() -> None:
    assert text("<b>&'\"\x00") == "&lt;b&gt;&amp;&#x27;&quot; "
    assert el("a", "<", Html("<b>x</b>"), href='"><') == '<a href="&quot;&gt;&lt;">&lt;<b>x</b></a>'
    assert join(None, "", el("br")) == "<br>"


@pytest.mark.parametrize(
    ("accepts", "query", "network", "language"),
    [
        ("", "", "es", "es"),
        ("", "", "qu", "en"),
        ("es-PE,es;q=0.9,en;q=0.8", "", "en", "es"),
        ("de;q=1, en;q=0.3, es;q=0.5", "", "en", "es"),
        ("es;q=0, en;q=0.1", "", "es", "en"),
        ("es;q=nonsense", "", "en", "en"),
        ("*;q=0.5, ;;;,==", "", "es", "es"),
        ("en", "es", "en", "es"),
        ("en", "../../etc", "es", "en"),
    ],
)
def test_the_language_is_the_chosen_one_or_the_browsers_or_the_networks(
    accepts: str, query: str, network: str, language: str
) -> None:
    request = Request(path="/", query={"lang": query} if query else {}, headers={"accept-language": accepts})
    assert language_for(request, network) == language


def test_readers_of_two_languages_are_served_at_once() -> None:
    model = Village().model
    spanish = ask(model, "/", **{"accept-language": "es"})
    assert '<html lang="es">' in body(spanish)
    assert "DÉBIL" in body(spanish)
    assert spanish.headers["Content-Language"] == "es"
    assert spanish.headers["Vary"] == "Accept-Language"
    assert "WEAK" in body(ask(model, "/"))


@pytest.mark.parametrize("path", ["/link/nobody", "/site/nobody", "/link/", "/site/%2e%2e"])
def test_what_nobody_knows_is_answered_with_404_and_a_way_home(path: str) -> None:
    reply = ask(Village().model, path)
    assert reply.status == 404
    assert "nobody" not in body(reply)
    assert "../" in Read(body(reply)).ways


def test_neighbours_see_that_somebody_is_at_it_and_not_who() -> None:
    village = Village()
    for alert in alerts():
        village.model.alerts[alert.id] = replace(alert, acked_by="Ana Quispe", ack_note="with Ana's ladder")
    for path in PATHS:
        assert "Ana" not in body(ask(village.model, path, names=False))
        assert "10.1.0.2" not in body(ask(village.model, path))
    assert "Somebody is at it" in body(ask(village.model, "/link/torre-clinica", names=False))
    assert "Ana Quispe is at it" in body(ask(village.model, "/link/torre-clinica"))
    assert "Ana Quispe is at it" in body(ask(village.model, "/"))


def test_why_what_is_shown_may_be_old_stands_on_top() -> None:
    model = Village().model
    model.hub = HubState(state="store-down", at=NOW)
    said = "The central cannot write. Nothing is lost: reports wait at the monitors."
    assert said in read(model, "/").lines
    model.linked(False)
    assert "The central hears nobody: its broker is gone. Values stay as they were." in read(model, "/").lines


@pytest.mark.parametrize("colours", [sheet.LIGHT, sheet.DARK])
def test_colours_have_a_contrast_of_seven_to_one(colours: dict[str, str]) -> None:
    def luminance(colour: str) -> float:
        digits = colour[1:] if len(colour) == 7 else "".join(each * 2 for each in colour[1:])
        parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    ground = luminance(colours["bg"])
    for name, colour in colours.items():
        light, dark = sorted((luminance(colour), ground), reverse=True)
        assert name == "bg" or (light + 0.05) / (dark + 0.05) >= 7, (name, (light + 0.05) / (dark + 0.05))


# ---- who may see it


def faults_of(given: dict[str, Any]) -> tuple[config.PhoneConfig | None, list[str]]:
    faults = Faults("hub.yaml")
    return config.read(Fields(given, "", faults)), faults.found


def test_it_is_off_unless_configured_and_then_on_this_machine() -> None:
    assert faults_of({}) == (None, [])
    found, faults = faults_of({"phone": {}})
    assert found is not None
    assert faults == []
    assert (found.listen.host, found.listen.port, found.names_people) == ("127.0.0.1", 8080, True)


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"listen": "10.20.0.1:8080"}, "phone.user: is missing: off this machine"),
        ({"listen": "10.20.0.1:8080"}, "or to neighbours"),
        ({"listen": "10.20.0.1:8080", "neighbours": ["0.0.0.0/0"]}, "only private networks are neighbours"),
        ({"listen": "10.20.0.1:8080", "neighbours": ["203.0.113.0/24"]}, "only private networks"),
        ({"listen": "10.20.0.1:8080", "neighbours": ["8.0.0.0/5"]}, "only private networks"),
        ({"listen": "10.20.0.1:8080", "neighbours": ["10.20.0.7/16"]}, "expected a network such as"),
        ({"listen": "10.20.0.1:8080", "neighbours": ["village"]}, "expected a network such as"),
        ({"neighbours": ["10.20.0.0/16"]}, "cannot reach this machine's own address"),
        (
            {"listen": "10.2.0.1:80", "neighbours": ["10.2.0.0/16"], "user": "u"},
            "does not go with neighbours",
        ),
        ({"neighbors": ["10.20.0.0/16"]}, "unknown key"),
    ],
)
def test_nobody_opens_it_wider_than_meant_by_mistake(given: dict[str, Any], complaint: str) -> None:
    assert complaint in "\n".join(faults_of({"phone": given})[1])


@pytest.mark.parametrize(
    "networks", [["10.20.0.0/16"], ["192.168.1.0/24", "fd12:3456::/32"], ["100.64.0.0/10"]]
)
def test_neighbours_are_private_networks(networks: list[str]) -> None:
    found, faults = faults_of({"phone": {"listen": "10.20.0.1:8080", "neighbours": networks}})
    assert faults == []
    assert found is not None
    assert found.listen.neighbours == tuple(networks)
    assert not found.names_people


@pytest.mark.parametrize(
    ("address", "is_one"),
    [
        ("10.20.3.4", True), ("10.21.0.1", False), ("127.0.0.1", True), ("::1", True), ("8.8.8.8", False),
        ("::ffff:10.20.3.4", True), ("::ffff:8.8.8.8", False), ("fe80::1%wlan0", False), ("nonsense", False),
    ],
)  # fmt: skip
def test_only_addresses_of_the_neighbours_are_answered(address: str, is_one: bool) -> None:
    assert is_neighbour(address, ("10.20.0.0/16",)) is is_one


@pytest.mark.parametrize(
    ("host", "is_local"),
    [
        ("10.20.0.1", True), ("localhost", True), ("hub", True), ("hub.local", True), ("HUB.home.arpa", True),
        ("fe80::1", True), ("evil.example", False), ("local.evil.example", False),
        ("10.20.0.1.evil.com", False),
    ],
)  # fmt: skip
def test_no_web_site_of_the_world_can_pass_for_the_hub(host: str, is_local: bool) -> None:
    assert is_local_name(host) is is_local


def test_what_the_page_on_deploying_shows_is_taken() -> None:
    page = (Path(__file__).parent.parent / "docs" / "deploying.md").read_text(encoding="utf-8")
    section = page.partition("## The phone page")[2].partition("\n## ")[0]
    shown = [block.partition("```")[0] for block in section.split("```yaml\n")[1:]]
    found = [faults_of(yamlfile.load(block, "deploying.md")[0]) for block in shown]
    assert [faults for _config, faults in found] == [[], [], []]
    assert [each.names_people for each, _faults in found if each is not None] == [True, False, True]


def test_where_ayni_start_keeps_its_answers_the_section_is_checked_too() -> None:
    faults = Faults("start.yaml")
    given = {"node": "pi", "person": "ana", "phone": {"listen": "10.2.0.1:8080"}}
    settings = Settings.parse(Fields(given, "", faults))
    assert "phone" in settings.sections
    assert "phone.password: is missing" in "\n".join(faults.found)


@contextmanager
def serving(model: Callable[[], Model], **listen: Any) -> Iterator[HttpServer]:
    """The pages behind the real server."""
    made = pages(model, None, now=lambda: NOW)
    server = HttpServer(Listen(**{"host": "127.0.0.1", "port": free_port(), **listen}), made, "phone")
    server.start()
    try:
        yield server
    finally:
        server.close()


def fetch(server: HttpServer, path: str, host: str = "localhost") -> tuple[int, dict[str, str], str]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("GET", path, headers={"Host": host})
    answer = connection.getresponse()
    found = answer.status, dict(answer.getheaders()), answer.read().decode()
    connection.close()
    return found


def test_over_the_server_each_path_has_its_page_and_everything_else_404() -> None:
    model = Village().model
    with serving(lambda: model) as server:
        for path in PATHS:
            status, headers, page = fetch(server, f"{path}?lang=es")
            assert status == 200
            assert 'lang="es"' in page
            assert headers["X-Frame-Options"] == "DENY"
            assert "default-src 'none'" in headers["Content-Security-Policy"]
        for path in ("/link/nobody", "/link", "/link/a/b", "/other", "/favicon.ico"):
            assert fetch(server, path)[0] == 404, path
        assert fetch(server, "/", host="evil.example")[0] == 421


def test_who_is_no_neighbour_gets_no_answer_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    model = Village().model
    with serving(lambda: model, neighbours=("10.20.0.0/16",)) as server:
        assert fetch(server, "/", host=f"10.20.0.1:{server.port}")[0] == 200
        assert fetch(server, "/", host="evil.example")[0] == 421
        monkeypatch.setattr(http_server, "is_neighbour", lambda *_given: False)
        with pytest.raises((ConnectionError, http.client.HTTPException)):
            fetch(server, "/")


# ---- real parts


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(tmp_path_factory.mktemp("browser")) as found:
        yield found


@pytest.mark.real("chromium")
@pytest.mark.parametrize("title", ["", "Wwwwwwwwwwwwwwww" * 12])
def test_on_a_telephone_of_360_pixels_nothing_scrolls_sideways(browser: Browser, title: str) -> None:
    model = Village(more_links=20).model
    for link in list(model.links.values()):
        model.links[link.id] = replace(link, title=title or link.title)
    for site in list(model.sites.values()):
        model.sites[site.id] = replace(site, title=title or site.title)
    with serving(lambda: model) as server:
        for path in (*PATHS, "/link/nobody"):
            for language in ("en", "es"):
                browser.open(f"http://127.0.0.1:{server.port}{path}?lang={language}", dark=language == "es")
                width = browser.value("document.documentElement.scrollWidth")
                assert width <= 360, path
                assert browser.value("innerWidth") == 360


@pytest.mark.real("chromium")
def test_a_state_has_symbol_word_and_colour_in_the_light_and_in_the_dark(
    browser: Browser, tmp_path: Path
) -> None:
    model = Village().model
    shown = "getComputedStyle(document.querySelector('.weak'){})['{}']"
    with serving(lambda: model) as server:
        url = f"http://127.0.0.1:{server.port}/"
        browser.open(url)
        assert browser.value("document.querySelector('.weak').innerText") == "WEAK"
        assert browser.value(shown.format(", '::before'", "content")).startswith('"▲ "')
        light = browser.value(shown.format("", "color"))
        assert light == "rgb(107, 61, 0)"
        browser.open(f"{url}sites", dark=True)
        assert browser.value("getComputedStyle(document.body).backgroundColor") == "rgb(18, 18, 18)"
        assert browser.value("performance.getEntriesByType('resource').length") == 0
        browser.screenshot(tmp_path / "sites.png")
        assert (tmp_path / "sites.png").stat().st_size > 5000


@pytest.mark.real("mosquitto")
def test_a_real_hub_shows_what_its_monitor_reported(tmp_path: Path) -> None:
    port, phone = free_port(), free_port()
    (tmp_path / "network.yaml").write_text(NETWORK)
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
        wait_until(lambda: "-61 dBm" in get(f"{url}/link/tc"), "the report on the page")
        assert "Torre-Cerro" in get(f"{url}/?lang=es")
        assert "phone page is served at=127.0.0.1" in (tmp_path / "log").read_text()
