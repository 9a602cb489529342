"""The demo without a screen: watch, break, see the alarm, repair, see it clear; a report of every link of
the chain from device to console."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from ayni_core.inventory import Network
from ayni_core.wire import WireError, topics
from ayni_core.wire.messages import Ack, Alert, DeviceView, LabDo, LinkView
from ayni_core.wire.questions import (
    AskEvents,
    AskHistory,
    AskReadings,
    AskWatch,
    Done,
    Events,
    History,
    Readings,
)
from ayni_core.wire.shape import pack, unpack
from ayni_io import configs, yamlfile
from ayni_io.mqtt import MqttError
from ayni_io.onlooker import Onlooker
from ayni_lab import scenario as scenarios
from ayni_lab.demo import Demo
from ayni_lab.faults import FaultPlan
from ayni_lab.repairs import right_repair
from ayni_lab.village import EYES, SCENARIO, TRAINER

DEFAULT_FAULT = "radio-huerta"
_LOOK_FIRST_POLLS = 2


class Exercise:
    """One run over a demo; `report` collects what was seen, `faults` what was missing."""

    def __init__(self, demo: Demo, fault: str, within_s: float) -> None:
        self._demo = demo
        self._network = demo.network
        self._plan = _find(fault, demo)
        self._about = _about(self._plan, demo.network)
        self._end_s = time.monotonic() + within_s
        self._poll_s = demo.village.poll_s
        self._acks: dict[str, set[int]] = {}
        self._frames = {"frames": 0, "copies": 0, "octets": 0}
        self.faults: list[str] = []
        self.report: dict[str, Any] = {
            "broker": demo.broker.kind,
            "poll_s": self._poll_s,
            "first_live_s": round(demo.first_live_s or 0.0, 1),
            "devices": len(self._network.devices),
            "links": len(self._network.links),
        }

    async def run(self) -> dict[str, Any]:
        """Everything in turn; the report, whose `ok` says whether no link of the chain failed."""
        broker = self._demo.broker
        news = [f"{topics.PREFIX}/{root}/#" for root in ("net", "alert")]
        eyes = Onlooker(broker.config(EYES), f"{topics.PREFIX}/in/#", f"{topics.PREFIX}/ack/#")
        eyes.on_news = self._count
        person = Onlooker(broker.config(f"p-{TRAINER}"), *news, topics.LAB)
        async with eyes, person:
            if not await person.until(lambda: topics.HUB in person.said, 5.0):
                self.faults.append("the trainer sees nothing")
            try:
                await self._look(person)
                await self._break_and_repair(person)
                await self._remember(person)
            except MqttError as error:
                self.faults.append(str(error))
        return self._finish()

    def _count(self, topic: str, payload: bytes) -> None:
        try:
            address = topics.parse(topic)
            if address.root == "in":
                self._frames["octets"] += len(payload)
                self._frames["copies" if address.words[2] == "watch" else "frames"] += 1
            elif address.root == "ack" and payload:
                stored = self._acks.setdefault(address.words[0], set())
                for pair in unpack(Ack, payload).stored:
                    stored.update(range(pair[0], min(pair[-1], pair[0] + 10_000) + 1))
        except WireError as error:
            self.faults.append(f"not understood on {topic}: {error}")

    async def _look(self, person: Onlooker) -> None:
        """Watch all sites, and read every device once as its screen would."""
        done = await person.ask(AskWatch(for_s=300.0), Done)
        self._expect(done is not None and done.error is None, "the central does not let us watch")
        await asyncio.sleep(_LOOK_FIRST_POLLS * self._poll_s)
        answering, readings = 0, 0
        for device in self._network.devices:
            view = person.read(DeviceView, topics.net("device", device))
            answering += view is not None and view.state == "ok"
            found = await person.ask(AskReadings(device=device), Readings)
            readings += len(found.readings) if found else 0
        self.report["polled"] = {"answering": answering, "readings": readings}
        self._expect(answering == len(self._network.devices), f"only {answering} devices answer")
        self._expect(readings > 20 * len(self._network.devices), f"only {readings} readings")

    async def _break_and_repair(self, person: Onlooker) -> None:
        link = _link_of(self._plan, self._network)
        repair = right_repair(self._plan, self._demo.village.template)

        def alarms() -> list[str]:
            alerts = person.below(f"{topics.PREFIX}/alert/", Alert)
            return [alert.id for alert in alerts if (alert.kind, alert.name) in self._about]

        def state() -> str:
            view = person.read(LinkView, topics.net("link", link)) if link else None
            return view.state if view else ""

        began = time.monotonic()
        await self._order(person, LabDo(do="break", what=self._plan.name))
        heard = await person.until(lambda: bool(alarms()), self._left_s())
        alarm_s = time.monotonic() - began
        bad = ("down", "weak")
        changed = not link or await person.until(lambda: state() in bad, min(self._left_s(), 10.0))
        alarm: dict[str, Any] = {"fault": self._plan.name, "link": link, "state": state()}
        self.report["alarm"] = alarm
        self._expect(heard, f"no alarm after {self._plan.name}")
        self._expect(changed, f"the link {link} stayed {state()}")
        if heard:
            alarm |= {"after_s": round(alarm_s, 1), "polls": round(alarm_s / self._poll_s, 2)}
            alarm["alerts"] = sorted(alarms())
        began = time.monotonic()
        await self._order(person, LabDo(do="repair", what=repair.name))
        calm = await person.until(lambda: not alarms() and (not link or state() == "ok"), self._left_s())
        self.report["repair"] = {"repair": repair.name, "state": state()}
        self._expect(calm, f"not mended after {repair.name}: {state() or 'alarm still there'}")
        if calm:
            self.report["repair"]["after_s"] = round(time.monotonic() - began, 1)

    async def _remember(self, person: Onlooker) -> None:
        """What the central kept: a history with points, and the events of the alarm."""
        now = time.time()
        link = next(iter(self._network.links))
        ask = AskHistory(start=now - 600, end=now, step_s=5.0, metric="signal_dbm", link=link, side="a")
        history = await person.ask(ask, History)
        points = len(history.steps) if history else 0
        events = await person.ask(AskEvents(limit=50), Events)
        ours = [each for each in events.events if (each.kind, each.name) in self._about] if events else []
        levels = {event.level for event in ours}
        self.report["remembered"] = {"points": points, "events": len(ours)}
        self._expect(points > 0, "no history of a link's signal")
        self._expect(bool(levels & {"warn", "critical"}), "no event of the alarm")
        self._expect("clear" in levels, "no event of the repair")

    async def _order(self, person: Onlooker, order: LabDo) -> None:
        await person.publish(topics.lab_do(TRAINER), pack(order))

    def _finish(self) -> dict[str, Any]:
        alive = self._demo.stack.alive()
        stored = sum(len(numbers) for numbers in self._acks.values())
        self.report["published"] = self._frames
        self.report["stored_frames"] = stored
        self.report["alive"] = alive
        self._expect(self._frames["frames"] > 0, "no frame was published")
        self._expect(stored > 0, "the central acknowledged nothing")
        self.faults += self._demo.deaths()
        self.report["faults"] = self.faults
        return {"ok": not self.faults, **self.report}

    def _expect(self, true: bool, otherwise: str) -> None:
        if not true:
            self.faults.append(otherwise)

    def _left_s(self) -> float:
        return max(self._end_s - time.monotonic(), 0.0)


def least_s(poll_s: float) -> float:
    """How long an exercise may take until its repair is seen, whatever is broken: two polls to look, three
    for an alarm, four until a weak link counts as well again; a radio that starts anew takes its own time."""
    return max(9 * poll_s, 15 + 6 * poll_s)


def fault_names() -> list[str]:
    """The faults that the shipped scenario offers."""
    return list(yamlfile.document(configs.find(SCENARIO))["faults"])


def _find(fault: str, demo: Demo) -> FaultPlan:
    path = configs.find(SCENARIO)
    template = demo.village.template
    return yamlfile.read(path, lambda fields: scenarios.parse(fields, template)).faults[fault]


def _link_of(plan: FaultPlan, network: Network) -> str:
    """The link on which a fault shows, or "" where it shows elsewhere."""
    if plan.place.link or plan.kind not in ("power", "dead_device"):
        return plan.place.link
    for link in network.links.values():
        at_site = plan.kind == "power" and plan.place.site in network.sites_of(link)
        if at_site or plan.place.device in (link.a.device, link.b.device):
            return link.name
    return ""


def _about(plan: FaultPlan, network: Network) -> set[tuple[str, str]]:
    """(kind, name) of everything that may raise an alarm for a fault."""
    place = plan.place
    about = {("link", _link_of(plan, network)), ("device", place.device), ("upstream", place.upstream)}
    if plan.kind == "power":
        about |= {("device", d.name) for d in network.devices.values() if d.site == place.site}
    return about
