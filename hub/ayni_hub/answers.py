"""Answers to the console's questions, out of the store, the ledger and the judge's memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from ayni_core import commands
from ayni_core.inventory import Network
from ayni_core.message import Message
from ayni_core.metrics import METRICS, Metric
from ayni_core.readings import Series
from ayni_core.wire import WireError
from ayni_core.wire.health import AskHealth, Health
from ayni_core.wire.past import AskPast, Past
from ayni_core.wire.questions import (
    AskAck,
    AskDeliveries,
    AskEvents,
    AskEvidence,
    AskFound,
    AskHistory,
    AskMaintain,
    AskMaintained,
    AskMaintenance,
    AskMe,
    AskNote,
    AskPin,
    AskReadings,
    AskSamples,
    AskWatch,
    Bucket,
    Deliveries,
    Done,
    Events,
    Evidence,
    Found,
    History,
    Maintenance,
    Me,
    Question,
    Readings,
    Samples,
    question,
)
from ayni_hub import readings_now
from ayni_hub.alerting.desk import AlertDesk
from ayni_hub.event_search import Search, find, find_now
from ayni_hub.health import HealthDesk
from ayni_hub.judge import Judge
from ayni_hub.ledger import Ledger
from ayni_hub.links_found import LinksFound
from ayni_hub.looking_back import LookingBack, series_of
from ayni_hub.notebook import Notebook
from ayni_hub.reading_aside import ReadingAside
from ayni_hub.rerun.players import Players
from ayni_hub.store import Step, Store, StoreError
from ayni_hub.watching import LONGEST_S, SHORTEST_S
from ayni_hub.who import Who

MOST_STEPS = 2000
_END_OF_TIME = 1e10
MOST_HASTENED = 4
Answer = (
    Readings | History | Samples | Evidence | Past | Events | Done | Found | Deliveries | Maintenance | Me
    | Health
)  # fmt: skip


class Answers:
    """Answers one question at a time. `watch` is called with the nodes somebody looks at, and how long."""

    def __init__(
        self,
        network: Network,
        judge: Judge,
        store: Store,
        ledger: Ledger,
        watch: Callable[[set[str], float, str], None],
        links_found: LinksFound,
    ) -> None:
        self._network = network
        self._judge = judge
        self._store = store
        self._aside = ReadingAside(store)
        self._ledger = ledger
        self._watch = watch
        self._notebook = Notebook(network)
        self._links_found = links_found
        self._who = Who(network)
        self.deliveries: Callable[[], Deliveries] = Deliveries
        """How messages to people go, for whoever has people."""
        self.alerts: AlertDesk | None = None
        """What people do about alerts, for whoever judges."""
        self.hasten: Callable[[Sequence[str], float, str], None] = lambda _devices, _for_s, _user: None
        """Have devices polled every few seconds, for whoever reaches the monitors."""
        self.health: HealthDesk | None = None
        """How the central itself is, for whoever is one."""
        self.looking_back: LookingBack | None = None
        """Samples and what is normal, for whoever has a picture of the network."""
        self.players: Players | None = None
        """Who looks at the past, for whoever has a store to judge once more."""

    def know(self, who: Who) -> None:
        """Who asks is known by this from now on."""
        self._who = self._notebook.who = who
        if self.alerts is not None:
            self.alerts.who = who

    def answer(self, payload: bytes, user: str, now: float) -> Answer:
        """The answer to a question as it came; what is wrong with it becomes the answer's `error`."""
        try:
            asked = question(payload)
        except WireError as error:
            return Done(error=Message("answer.bad_question", {"problem": str(error)}))
        return self._answer(asked, user, now)

    async def answered(self, payload: bytes, user: str, now: float) -> Answer:
        """The same; others are answered while a history comes from far away."""
        try:
            asked = question(payload)
        except WireError as error:
            return Done(error=Message("answer.bad_question", {"problem": str(error)}))
        if isinstance(asked, AskPin) and self.alerts is not None:
            return await self._who.prove(asked, user)
        match asked:
            case AskEvents():
                return await find(Search(self._ledger, self._network, asked, user))
            case AskHealth() if self.health is not None:
                return await self.health.answer(asked, now)
            case AskPast() if self.players is not None:
                return await self.players.answer(asked, user)
            case AskReadings() if asked.past and self.players is not None:
                return await self.players.readings(asked, user)
            case AskReadings(rates=True):
                return await self._running(asked)
            case AskSamples() if self.looking_back is not None:
                return await self.looking_back.samples(asked, now)
            case AskEvidence() if asked.past and self.players is not None:
                return await self.players.evidence(asked, user)
            case AskEvidence() if self.looking_back is not None:
                return await self.looking_back.evidence(asked, now)
        if not isinstance(asked, AskHistory):
            return self._answer(asked, user, now)
        about = self._about(asked)
        if isinstance(about, History):
            return about
        device, series, metric = about
        span = (asked.start, asked.end, asked.step_s)
        return _history(metric, await self._aside.read(lambda store: store.steps(device, series, *span)))

    def _answer(self, asked: Question, user: str, now: float) -> Answer:
        match asked:
            case AskReadings():
                return self._readings(asked)
            case AskHistory():
                return self._history(asked)
            case AskEvents():
                return find_now(Search(self._ledger, self._network, asked, user))
            case AskWatch():
                return self._watching(asked, user)
            case AskNote():
                return self._note(asked, user, now)
            case AskDeliveries():
                return self.deliveries()
            case AskAck() | AskMaintenance() | AskMaintain() | AskMaintained() if self.alerts is not None:
                return self.alerts.answer(asked, user, now)
            case AskMe():
                return self._who.me(user, acts=self.alerts is not None)
            case AskFound():
                return self._links_found.answer()
            case _:  # commands have a desk of their own; a mirror neither commands nor judges
                return Done(error=Message("answer.elsewhere"))

    def _readings(self, asked: AskReadings, per_s: Mapping[Series, float] | None = None) -> Readings:
        if asked.device not in self._network.devices:
            return Readings(error=Message("answer.not_found", {"name": asked.device}))
        known = self._judge.known.of(asked.device)
        return Readings(readings=readings_now.readings(known, asked.groups, per_s))

    async def _running(self, asked: AskReadings) -> Readings:
        """Readings with the rates of counters; without them where the store does not answer."""
        known = self._judge.known.devices.get(asked.device)
        if known is None or asked.device not in self._network.devices:
            return self._readings(asked)
        look_up = partial(
            readings_now.rates_of,
            device=asked.device,
            values=dict(known.values),
            groups=asked.groups,
            poll_s=self._network.poll_s,
        )
        try:
            return self._readings(asked, await self._aside.read(look_up))
        except StoreError:
            return self._readings(asked)

    def _history(self, asked: AskHistory) -> History:
        about = self._about(asked)
        if isinstance(about, History):
            return about
        device, series, metric = about
        return _history(metric, self._store.steps(device, series, asked.start, asked.end, asked.step_s))

    def _about(self, asked: AskHistory) -> tuple[str, Series, Metric] | History:
        """What is asked for; an answer where that cannot be."""
        found = series_of(self._network, self._judge, asked)
        metric = METRICS.get(asked.metric)
        if found is None or metric is None:
            name = asked.link or asked.device or asked.metric
            return History(error=Message("answer.not_found", {"name": name}))
        sound = 0 <= asked.start < asked.end <= _END_OF_TIME and asked.step_s >= 1
        if not sound or (asked.end - asked.start) / asked.step_s > MOST_STEPS:
            problem = f"expected start < end, steps of 1 s or more, and at most {MOST_STEPS} of them"
            return History(error=Message("answer.bad_question", {"problem": problem}))
        return *found, metric

    def _watching(self, asked: AskWatch, user: str) -> Done:
        unknown = [site for site in asked.sites if site not in self._network.sites]
        unknown += [device for device in asked.devices if device not in self._network.devices]
        if unknown:
            return Done(error=Message("answer.not_found", {"name": unknown[0]}))
        sites = set(asked.sites or self._network.sites)
        nodes = {device.node for device in self._network.devices.values() if device.site in sites}
        for_s = min(max(asked.for_s, SHORTEST_S), LONGEST_S)
        self._watch(nodes, for_s, user)
        if not asked.devices:
            return Done()
        person = self._network.people.get(user)
        if person is None or not commands.may(person.role, commands.COMMANDS["watch"]):
            return Done(error=Message("answer.not_allowed", {"user": user}))
        if len(asked.devices) > MOST_HASTENED:
            problem = f"expected at most {MOST_HASTENED} devices"
            return Done(error=Message("answer.bad_question", {"problem": problem}))
        self.hasten(asked.devices, for_s, user)
        return Done()

    def _note(self, asked: AskNote, user: str, now: float) -> Done:
        written = self._notebook.write(asked, user, now)
        if isinstance(written, Message):
            return Done(error=written)
        if asked.at is None or not self._ledger.has_event(written):
            self._ledger.remember({}, {}, [written], {})
        return Done()


def _history(metric: Metric, steps: Sequence[Step]) -> History:
    return History(
        unit=f"{metric.unit}/s" if metric.kind == "counter" else metric.unit,
        steps=tuple(
            Bucket(at=s.at, low=float(s.low), mean=round(s.mean, 3), high=float(s.high)) for s in steps
        ),
    )
