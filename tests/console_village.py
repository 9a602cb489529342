"""A village for the console's tests: its retained messages, and a feed that answers like a central."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

from ayni_console.feed import NoAnswer
from ayni_core.matching import matches
from ayni_core.message import Message
from ayni_core.onlooking.model import Model
from ayni_core.wire import topics
from ayni_core.wire.health import AskHealth, CentralHealth, Health, MonitorHealth
from ayni_core.wire.messages import (
    Alert,
    CommandState,
    Community,
    DeviceView,
    EndView,
    Event,
    Fault,
    HubState,
    LabDo,
    LabState,
    LinkView,
    NodeView,
    Repair,
    SiteView,
    UpstreamView,
)
from ayni_core.wire.questions import (
    AskCommand,
    AskDeliveries,
    AskEvents,
    AskEvidence,
    AskHistory,
    AskMaintenance,
    AskMe,
    AskNote,
    AskReadings,
    AskSamples,
    Bucket,
    CommandNews,
    CommandPlan,
    Deliveries,
    Delivery,
    Done,
    Events,
    Evidence,
    History,
    Maintenance,
    Me,
    Normal,
    Question,
    Reading,
    Readings,
    Sample,
    Samples,
    Sign,
    TargetView,
    WindowView,
)
from ayni_core.wire.shape import pack
from ayni_io.i18n import say

NOW = 1_795_300_000.0
DELIVERIES = Deliveries(
    targets=(
        TargetView(person="ana", title="Ana", target="phone", kind="telegram", reached_at=NOW - 60),
        TargetView(
            person="ana", title="Ana", target="mail", kind="apprise", failing="nobody is there", waiting=2
        ),
    ),
    newest=(
        Delivery(
            at=NOW - 60, person="ana", target="phone", what="fired", state="sent", tries=1,
            title="ALARM: Escuela-Cerro is down, since 14:20",
        ),
        Delivery(
            at=NOW - 61, person="ana", target="mail", what="fired", state="given_up", tries=30,
            title="ALARM: Escuela-Cerro is down, since 14:20", reason="nobody is there",
        ),
    ),
)  # fmt: skip
ME = Me(name="ana", title="Ana", role="operator", language="en")
MAINTENANCE = Maintenance(
    windows=(
        WindowView(id="m1", start=NOW - 600, end=NOW + 3000, open=True, kind="site", name="torre", by="Ana"),
        WindowView(
            id="m2", start=NOW + 86400, end=NOW + 90000, weekdays=("sat", "sun"), from_time="08:00",
            to_time="09:00", note="the generator is tested", by="Rosa",
        ),
        WindowView(id="m3", start=NOW + 86400, end=NOW + 90000, kind="link", name="cerro-molino", by="Ana"),
    ),
    timezone="America/Lima",
)  # fmt: skip
PLACES = {
    "torre": ("Torre", 12, 70, -13.50, -71.98, None),
    "clinica": ("Clínica", 12, 12, -13.52, -71.95, "torre-clinica"),
    "cerro": ("Cerro", 0, 54, -13.46, -71.99, "torre-cerro"),
    "escuela": ("Escuela", 46, 46, -13.44, -71.96, "escuela-cerro"),
    "molino": ("Molino", 8, 8, -13.47, -72.03, "cerro-molino"),
}
LINKS = (
    ("escuela-cerro", "Escuela-Cerro", "cerro", "escuela", "down", 46, None, None, -58.0),
    ("torre-clinica", "Torre-Clínica", "torre", "clinica", "weak", 12, -71.0, -70.0, -59.0),
    ("torre-cerro", "Torre-Cerro", "torre", "cerro", "ok", 54, -57.0, -58.0, -57.0),
    ("cerro-molino", "Cerro-Molino", "cerro", "molino", "no_news", 8, -63.0, -64.0, -62.0),
)


def end(site: str, signal: float | None, normal: float, at: float) -> EndView:
    """One end of a link."""
    if signal is None:
        return EndView(site=site, device=f"{site}-radio", answers=False, normal_dbm=normal, as_of=at - 2040)
    return EndView(
        site=site,
        device=f"{site}-radio",
        group="station",
        item="000c42aabbcc",
        answers=True,
        signal_dbm=signal,
        normal_dbm=normal,
        noise_dbm=-95.0,
        chains_dbm=(signal - 1, signal - 2),
        tx_rate_bps=39e6 if signal < -65 else 130e6,
        rx_rate_bps=39e6,
        ccq_pct=91.0,
        retry_pct=18.0 if signal < -65 else 3.0,
        connected_s=41 * 86400.0,
        uptime_s=41 * 86400.0,
        voltage_v=24.1,
        port="eth0",
        port_speed_bps=100e6,
        as_of=at - 12,
    )


def link(
    name: str,
    title: str,
    a: str,
    b: str,
    state: str,
    homes: int,
    at_a: float | None,
    at_b: float | None,
    normal: float,
    at: float = NOW,
) -> LinkView:
    """A link as the judge retains it."""
    causes = {"down": "no_power", "weak": "antenna_moved", "no_news": "monitor_silent"}
    cause = causes.get(state)
    since = {"down": 34 * 60, "weak": 3 * 86400, "no_news": 5 * 3600}.get(state, 41 * 86400)
    seen = at - 5 * 3600 if state == "no_news" else at
    day = {"down": "o" * 12 + "d" * 12, "weak": "o" * 8 + "w" * 16}.get(state, "o" * 24)
    return LinkView(
        id=name,
        title=title,
        state=state,
        since=at - since,
        homes=homes,
        a=end(a, at_a, normal, seen),
        b=end(b, at_b, normal, seen),
        cause=Message(f"cause.{cause}") if cause else None,
        headline=Message(f"headline.{cause}", {"site": b.title()}) if cause else None,
        day=day,
        next_by=at + 60,
    )


def retained(at: float = NOW, *, lab: bool = False, more_links: int = 0) -> list[tuple[str, bytes]]:
    """Every retained message of the village."""
    made: list[tuple[str, Any]] = [
        (topics.HUB, HubState(state="ready", at=at - 3600)),
        (topics.net("community", "about"), Community(title="Red Cerro Norte", training=lab)),
    ]
    for row in LINKS:
        made.append((topics.net("link", row[0]), link(*row, at=at)))
    for number in range(more_links):
        row = (f"link-{number:04}", f"Casa {number:04}", "torre", "cerro", "ok", 1, -60.0, -61.0, -60.0)
        made.append((topics.net("link", row[0]), link(*row, at=at)))
    for name, (title, homes, behind, latitude, longitude, parent) in PLACES.items():
        site = SiteView(
            id=name,
            title=title,
            state="down" if name == "escuela" else "ok",
            homes=homes,
            homes_behind=behind,
            latitude=latitude,
            longitude=longitude,
            power="solar" if name == "cerro" else "mains",
            parent=parent,
        )
        device = DeviceView(
            id=f"{name}-radio",
            title=f"Radio {title}",
            site=name,
            node="molino-pi" if name == "molino" else "torre-pi",
            since=at - 86400,
            state="silent" if name == "escuela" else "ok",
            address="10.1.0.2",
            model="LiteBeam 5AC",
            version="8.7.11",
            as_of=at - 12,
            next_by=at + 60,
            error="timed out" if name == "escuela" else None,
        )
        made += [(topics.net("site", name), site), (topics.net("device", f"{name}-radio"), device)]
    nodes = (("torre-pi", "Torre", "torre", "ok"), ("molino-pi", "Molino", "molino", "no_news"))
    for name, title, place, state in nodes:
        node = NodeView(
            id=name, title=title, site=place, state=state, since=at - 18000, version="0.1", as_of=at - 12
        )
        made.append((topics.net("node", name), node))
    upstream = UpstreamView(id="fibra", title="Fibra", site="torre", state="ok", since=at - 86400)
    made.append((topics.net("upstream", "fibra"), upstream))
    made += [(topics.alert(each.id), each) for each in alerts(at)]
    if lab:
        made.append((topics.LAB, lab_state()))
    return [(topic, pack(value)) for topic, value in made]


def alerts(at: float = NOW) -> tuple[Alert, ...]:
    """What fires in the village."""
    return (
        Alert(
            id="a1",
            rule="signal_low",
            kind="link",
            name="torre-clinica",
            level="warn",
            since=at - 3 * 86400,
            text=Message(
                "rule.signal_low", {"link": "Torre-Clínica", "end": "Torre", "signal": -71, "normal": -59}
            ),
            cause=Message("cause.antenna_moved"),
            headline=Message("headline.antenna_moved"),
            homes=12,
        ),
        Alert(
            id="a2",
            rule="link_down",
            kind="link",
            name="escuela-cerro",
            level="critical",
            since=at - 34 * 60,
            text=Message("rule.link_down", {"link": "Escuela-Cerro"}),
            cause=Message("cause.no_power"),
            headline=Message("headline.no_power", {"site": "Escuela"}),
            homes=46,
        ),
        Alert(
            id="a3",
            rule="agent_offline",
            kind="node",
            name="molino-pi",
            level="warn",
            since=at - 5 * 3600,
            text=Message("rule.agent_offline", {"node": "Molino"}),
            cause=Message("cause.monitor_silent"),
            headline=Message("headline.monitor_silent"),
            homes=8,
        ),
        Alert(
            id="a4",
            rule="device_silent",
            kind="device",
            name="escuela-radio",
            level="critical",
            since=at - 2000,
            text=Message("rule.device_silent", {"device": "Radio Escuela"}),
            silenced_by="a2",
        ),
    )


def lab_state() -> LabState:
    """What can be broken."""
    return LabState(
        faults=(
            Fault(id="cut", title=Message("cause.no_power")),
            Fault(id="turn", title=Message("cause.antenna_moved")),
        ),
        repairs=(Repair(id="plug", title=Message("cause.cable"), about=(("link", "escuela-cerro"),)),),
    )


def readings(at: float) -> tuple[Reading, ...]:
    """What a device says."""
    rows = (
        ("system", "", "uptime_s", 3_542_400),
        ("system", "", "cpu_pct", 14),
        ("system", "", "model", "LiteBeam 5AC"),
        ("station", "000c42aabbcc", "signal_dbm", -57),
        ("station", "000c42aabbcc", "tx_rate_bps", 130_000_000),
        ("interface", "eth0", "if_oper", 1),
        ("interface", "eth0", "speed_bps", 100_000_000),
        ("interface", "eth0", "in_octets", 123_456_789),
        ("power", "", "voltage_v", 24.1),
    )
    running = {"in_octets": 150_000.0}
    return tuple(
        Reading(group=g, item=i, metric=m, value=v, at=at - 12, per_s=running.get(m)) for g, i, m, v in rows
    )


def events(at: float) -> tuple[Event, ...]:
    """What happened."""
    return (
        Event(at=at - 34 * 60, text=alerts(at)[1].text, level="critical", kind="link", name="escuela-cerro"),
        Event(
            at=at - 7200,
            text=Message("event.note", {"author": "rosa", "text": "Antenna tilted after the storm"}),
            kind="link",
            name="torre-clinica",
            author="rosa",
        ),
        Event(at=at - 3 * 86400, text=alerts(at)[0].text, level="warn", kind="link", name="torre-clinica"),
    )


def health(now: float) -> Health:
    """How the central and the monitors are."""
    return Health(
        central=CentralHealth(
            name="hub", role="all", version="0.1", state="ready", since=now - 9 * 86400,
            started_at=now - 9 * 86400, newest_at=now - 12, reports=12_345, store="embedded",
            memory_bytes=1_200_000_000, free_bytes=41_000_000_000, samples_days=30, events_days=1095,
        ),
        monitors=(
            MonitorHealth(
                id="torre-pi", clock="right", ahead_s=-0.6, clock_at=now - 12, told_at=now - 600,
                waiting=0, room_days=30, today_bytes=312_000, month_bytes=21_000_000,
                cap_bytes=50_000_000, forecast_bytes=29_000_000,
            ),
            MonitorHealth(
                id="molino-pi", clock="unsure", ahead_s=-7300.0, clock_at=now - 18_000, told_at=now - 18_000,
                waiting=61, waiting_bytes=210_000, room_days=2, lost=4, on_disk=False,
                today_bytes=80_000, month_bytes=2_100_000, saving=1,
            ),
        ),
    )  # fmt: skip


def evidence(link: str) -> Evidence:
    """What is normal for a link, and the signs of its cause."""
    usual = {row[0]: row[8] for row in LINKS}.get(link, -60.0)
    normals = []
    for side in ("a", "b"):
        normals += [
            Normal(side=side, metric="signal_dbm", plan=usual + 3, new=usual, week=usual - 1),
            Normal(side=side, metric="noise_dbm", new=-96.0, week=-95.0),
            Normal(side=side, metric="tx_rate_bps", new=144e6, week=130e6),
            Normal(side=side, metric="retry_pct", week=3.0),
        ]
    signs = {"torre-clinica": ("step", "both_ends", "noise_flat", "rates_follow", "by_eye")}.get(link, ())
    seen = {"by_eye": None}
    return Evidence(
        normals=tuple(normals),
        signs=tuple(Sign(text=Message(f"sign.{name}"), seen=seen.get(name, True)) for name in signs),
    )


def _is_wanted(asked: AskEvents, event: Event) -> bool:
    is_note = event.text.context == "event.note"
    if asked.only and (asked.only == "notes") != is_note:
        return False
    return matches(asked.words, say(event.text), event.name)


def answer(question: Question, now: float) -> Any:
    """What a central answers."""
    match question:
        case AskHealth(monitors=names):
            found = health(now)
            wanted = tuple(each for each in found.monitors if not names or each.id in names)
            return replace(found, monitors=wanted)
        case AskReadings():
            return Readings(readings=readings(now))
        case AskHistory(metric=metric, start=start, end=end_s, step_s=step):
            base = {"noise_dbm": -95, "tx_rate_bps": 130e6, "retry_pct": 3, "ccq_pct": 92}.get(metric)
            steps = []
            for each in range(int((end_s - start) / step)):
                usual = (-59 if each < (end_s - start) / step / 3 else -70) + math.sin(each)
                mean = usual if base is None else base
                steps.append(Bucket(at=start + each * step, low=mean - 2, mean=mean, high=mean + 1))
            return History(unit="dBm", steps=tuple(steps))
        case AskEvidence(link=name):
            return evidence(name)
        case AskSamples(before=before, limit=limit, metric=metric):
            value = {"model": "LiteBeam 5AC"}.get(metric, -57)
            taken = [Sample(at=before - 30.0 * each, value=value) for each in range(1, limit + 1)]
            return Samples(unit="dBm", samples=tuple(taken), until=taken[-1].at)
        case AskDeliveries():
            return DELIVERIES
        case AskMe():
            return ME
        case AskMaintenance():
            return MAINTENANCE
        case AskEvents(limit=limit, before=before):
            found = [each for each in events(now) if before is None or each.at < before]
            return Events(events=tuple(each for each in found if _is_wanted(question, each))[:limit])
    return Done()


def command_news(asked: AskCommand) -> list[CommandNews]:
    """What a central says of a command: what would happen; or that it was taken, and is done."""
    if asked.look_first:
        values = {"device": "Radio Torre", "item": asked.item, "node": "Torre", "seconds": 60}
        says = (
            Message("plan.port_down", values), Message("plan.homes", {"homes": 58}),
            Message("plan.sites", {"sites": "Escuela, Clínica"}), Message("plan.guard", values),
        )  # fmt: skip
        return [CommandNews(node="torre-pi", plan=CommandPlan(says=says, homes=58))]
    states = (
        CommandState(id=asked.id, do=asked.do, state="accepted"),
        CommandState(
            id=asked.id, do=asked.do, state="probation", progress=0.5,
            text=Message("probation.waiting", {"seconds": 60}),
        ),
        CommandState(
            id=asked.id, do=asked.do, state="done", progress=1.0, lines=("a line",),
            text=Message("done.port", {"item": asked.item, "device": asked.where, "value": asked.value}),
        ),
    )  # fmt: skip
    return [CommandNews(node="torre-pi"), *(CommandNews(node="torre-pi", state=each) for each in states)]


class Village:
    """A feed that holds the village; `asked` and `done` remember what the screens sent."""

    def __init__(self, *, lab: bool = False, more_links: int = 0, now: float = NOW) -> None:
        self.now = now
        self.model = Model()
        self.model.linked(True)
        self.asked: list[Question] = []
        self.done: list[LabDo] = []
        self.looked_at: tuple[str, ...] = ()
        self.silent = False
        self.follows = command_news
        for topic, payload in retained(now, lab=lab, more_links=more_links):
            self.model.apply(topic, payload, True, now)
        self.model.heard(now - 12)

    def clock(self) -> float:
        return self.now

    def send(self, topic: str, value: Any) -> None:
        """One live message."""
        self.model.apply(topic, pack(value) if value is not None else b"", False, self.now)

    def link_becomes(self, name: str, **fields: Any) -> None:
        """A link's retained message is replaced."""
        self.send(topics.net("link", name), replace(self.model.links[name], **fields))

    async def ask(self, question: Question, kind: type[Any]) -> Any:
        self.asked.append(question)
        if self.silent:
            raise NoAnswer("The central did not answer.")
        found = answer(question, self.now)
        if not isinstance(found, kind):
            raise NoAnswer("The central's answer was not understood.")
        return found

    async def follow(self, asked: AskCommand, *, silent_s: float) -> AsyncIterator[CommandNews]:
        self.asked.append(asked)
        if self.silent:
            raise NoAnswer("The central did not answer.")
        for news in self.follows(asked):
            yield news

    async def lab_do(self, what: LabDo) -> None:
        self.done.append(what)

    def look_at(self, sites: tuple[str, ...]) -> None:
        self.looked_at = sites

    def notes(self) -> list[AskNote]:
        return [question for question in self.asked if isinstance(question, AskNote)]
