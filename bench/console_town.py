"""A network of any number of links as the central tells it, with a stand-in that answers the console.

A tree of sites, a radio at each end of each link, a monitor for every 25 sites; one link is down and another
weak, and alerts say so. The views are those of hub/ayni_hub/picture.py, field by field.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterator
from dataclasses import replace

from ayni_core.message import Message
from ayni_core.wire import topics
from ayni_core.wire.errors import WireError
from ayni_core.wire.messages import (
    Alert,
    Community,
    DeviceView,
    EndView,
    Event,
    HubState,
    LinkView,
    NodeState,
    NodeView,
    SiteView,
)
from ayni_core.wire.questions import (
    AskDeliveries,
    AskEvents,
    AskHistory,
    AskMaintenance,
    AskMe,
    AskReadings,
    Bucket,
    Deliveries,
    Done,
    Events,
    History,
    Maintenance,
    Me,
    Question,
    Reading,
    Readings,
    question,
)
from ayni_core.wire.shape import pack
from ayni_io.mqtt import BrokerConfig, MqttClient

PER_NODE = 25
FLUSH_S = 300.0
_BRANCHES = 4


class Town:
    """The views of a network with so many links."""

    def __init__(self, links: int, now: float) -> None:
        self.now = now
        self.links = {f"l{number:04}": self._link(number) for number in range(1, links + 1)}
        self.sites = links + 1

    def _state(self, number: int) -> str:
        return {7: "down", 14: "weak"}.get(number, "ok")

    def _end(self, number: int, site: int, side: str, state: str) -> EndView:
        if state == "down":
            return EndView(
                site=site_name(site), device=f"r{number:04}{side}", answers=False, normal_dbm=-58.0,
                as_of=self.now - 3000,
            )  # fmt: skip
        signal = -70.0 if state == "weak" else -55.0 - number % 5
        return EndView(
            site=site_name(site), device=f"r{number:04}{side}", item="000c42aabbcc", group="station",
            answers=True, signal_dbm=signal, normal_dbm=-58.0, noise_dbm=-95.0,
            chains_dbm=(signal - 1, signal - 2), tx_rate_bps=130e6, rx_rate_bps=117e6, ccq_pct=91.0,
            retry_pct=3.0, connected_s=3.5e6, uptime_s=3.6e6, voltage_v=24.1, port="eth0",
            port_speed_bps=100e6, as_of=self.now - 12,
        )  # fmt: skip

    def _link(self, number: int) -> LinkView:
        state = self._state(number)
        cause = {"down": "no_power", "weak": "antenna_moved"}.get(state)
        a, b = parent(number), number
        values = {"site": title(b)} if state == "down" else {}
        return LinkView(
            id=f"l{number:04}", title=f"{title(a)}-{title(b)}", state=state, since=self.now - 90_000,
            homes=number % 30, a=self._end(number, a, "a", state), b=self._end(number, b, "b", state),
            cause=Message(f"cause.{cause}") if cause else None,
            headline=Message(f"headline.{cause}", values) if cause else None,
            day="o" * 20 + ("dddd" if state == "down" else "oooo"), next_by=self.now + 7200,
        )  # fmt: skip

    def device(self, name: str, link: LinkView) -> DeviceView:
        """The radio at an end of a link."""
        end = link.a if link.a.device == name else link.b
        number = int(end.site[1:])
        return DeviceView(
            id=name, title=f"Radio {title(number)} {name[1:]}", site=end.site,
            node=f"n{number // PER_NODE:03}", state="ok" if end.answers else "silent",
            since=self.now - 90_000, address=f"10.{number // 250}.{number % 250}.2",
            profile="airos", model="LiteBeam 5AC", version="8.7.11", as_of=end.as_of, next_by=link.next_by,
        )  # fmt: skip

    def retained(self) -> Iterator[tuple[str, bytes]]:
        """Everything that is retained."""
        now = self.now
        yield topics.HUB, pack(HubState(state="ready", at=now - 3600, version="0.1"))
        yield topics.net("community", "about"), pack(Community(title="Red Cerro Norte"))
        for number in range(self.sites):
            site = SiteView(
                id=site_name(number), title=title(number), state="ok", homes=number % 30, homes_behind=9,
                latitude=-13.5 + number * 0.0003, longitude=-72.0 + number * 7 % 100 * 0.003,
                parent=f"l{number:04}" if number else None,
            )  # fmt: skip
            yield topics.net("site", site.id), pack(site)
        for number in range(self.sites // PER_NODE + 1):
            name = f"n{number:03}"
            node = NodeView(
                id=name, title=f"Monitor {number}", site=site_name(number * PER_NODE % self.sites),
                state="ok", since=now - 90_000, version="0.1", as_of=now - 12, next_by=now + 7200,
            )  # fmt: skip
            yield topics.net("node", name), pack(node)
            yield topics.state(name), pack(NodeState(up=True, devices=50, poll_s=60, flush_s=300, at=now))
        for link in self.links.values():
            yield topics.net("link", link.id), pack(link)
            for end in (link.a, link.b):
                yield topics.net("device", end.device), pack(self.device(end.device, link))
            if link.state in ("down", "weak"):
                yield topics.alert(f"x{link.id}"), pack(alert(link))

    def measured(self, link: LinkView, signal_dbm: float | None = None) -> LinkView:
        """The link measured anew, where it answers."""
        if link.a.signal_dbm is None:
            return link
        now = time.time()
        a = replace(link.a, signal_dbm=link.a.signal_dbm if signal_dbm is None else signal_dbm, as_of=now)
        found = replace(link, a=a, b=replace(link.b, as_of=now))
        self.links[link.id] = found
        return found


def site_name(number: int) -> str:
    """A site's key."""
    return f"s{number:04}"


def parent(number: int) -> int:
    """The site that another hangs behind."""
    return (number - 1) // _BRANCHES


def title(number: int) -> str:
    """What people call a site."""
    names = ("Cerro", "Escuela", "Torre", "Molino", "Clínica", "Loma", "Pampa", "Iglesia")
    return f"{names[number % len(names)]} {number}"


def alert(link: LinkView) -> Alert:
    """What fires about a link that is not well."""
    rule = "link_down" if link.state == "down" else "signal_low"
    values: dict[str, str | float] = {"link": link.title}
    if rule == "signal_low":
        values |= {"end": link.a.site, "signal": -70, "normal": -58}
    return Alert(
        id=f"x{link.id}", rule=rule.replace("_", "-"), kind="link", name=link.id,
        level="critical" if link.state == "down" else "warn", since=link.since,
        text=Message(f"rule.{rule}", values), cause=link.cause, headline=link.headline, homes=link.homes,
    )  # fmt: skip


def answer(asked: Question, now: float) -> object:
    """What a central answers."""
    match asked:
        case AskHistory(start=start, end=end, step_s=step_s):
            steps = []
            for each in range(int((end - start) / step_s)):
                mean = -58 + 4 * math.sin(each / 5)
                steps.append(Bucket(at=start + each * step_s, low=mean - 2, mean=mean, high=mean + 1))
            return History(unit="dBm", steps=tuple(steps))
        case AskReadings():
            rows = (
                ("station", "000c42aabbcc", "signal_dbm", -57), ("system", "", "uptime_s", 3_542_400),
                ("power", "", "voltage_v", 24.1), ("interface", "eth0", "speed_bps", 100_000_000),
            )  # fmt: skip
            found = (Reading(group=g, item=i, metric=m, value=v, at=now - 12) for g, i, m, v in rows)
            return Readings(readings=tuple(found))
        case AskEvents(limit=limit):
            text = Message("event.note", {"author": "rosa", "text": "Antenna tilted after the storm"})
            made = (
                Event(at=now - 3600 * each, text=text, kind="link", name="l0003", author="rosa")
                for each in range(1, 200)
            )
            return Events(events=tuple(made)[:limit])
        case AskDeliveries():
            return Deliveries()
        case AskMaintenance():
            return Maintenance()
        case AskMe():
            return Me(name="ana", title="Ana", role="operator")
    return Done()


class StandIn:
    """The central as the console hears it: retained views, answers, and news as it is told to send."""

    def __init__(self, port: int, links: int) -> None:
        self.town = Town(links, time.time())
        self.client = MqttClient(BrokerConfig(port=port), "stand-in", window=100)
        self.client.subscribe(f"{topics.PREFIX}/ask/#")
        self.client.on_message = self._asked
        self._answers: set[asyncio.Task[None]] = set()

    async def tell_all(self) -> int:
        """Retain everything; how many messages that are."""
        everything = list(self.town.retained())
        for at in range(0, len(everything), 100):
            batch = everything[at : at + 100]
            await asyncio.gather(*(self.client.publish(*each, retain=True) for each in batch))
        return len(everything)

    def _asked(self, topic: str, payload: bytes, _retained: bool) -> None:
        _prefix, _version, _ask, user, session, name = topic.split("/")
        try:
            found = answer(question(payload), time.time())
        except WireError:
            return
        task = asyncio.ensure_future(self._say(topics.answer(user, session, name), found))
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    async def _say(self, topic: str, value: object) -> None:
        await self.client.publish(topic, pack(value))

    async def change(self, names: list[str], turn: int) -> None:
        """One digit of the signal of these links is another one."""
        for name in names:
            link = self.town.measured(self.town.links[name], -57.0 - turn % 2)
            await self.client.publish(topics.net("link", name), pack(link), retain=True)

    async def report(self) -> None:
        """Every link and its radios are measured anew once in `FLUSH_S`, evenly spread, for ever."""
        names = list(self.town.links)
        begun, number = time.monotonic(), 0
        while True:
            await asyncio.sleep(max(begun + number * FLUSH_S / len(names) - time.monotonic(), 0))
            link = self.town.measured(self.town.links[names[number % len(names)]])
            number += 1
            await self.client.publish(topics.net("link", link.id), pack(link), retain=True)
            for end in (link.a, link.b):
                view = self.town.device(end.device, link)
                await self.client.publish(topics.net("device", end.device), pack(view), retain=True)
