"""Answers to the console's questions, out of the store, the ledger and the judge's memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ayni_core.inventory import Network
from ayni_core.message import Message
from ayni_core.metrics import METRICS, Metric
from ayni_core.readings import Series
from ayni_core.wire import WireError
from ayni_core.wire.questions import (
    AskAck,
    AskDeliveries,
    AskEvents,
    AskFound,
    AskHistory,
    AskMaintain,
    AskMaintained,
    AskMaintenance,
    AskNote,
    AskReadings,
    AskWatch,
    Bucket,
    Deliveries,
    Done,
    Events,
    Found,
    History,
    Maintenance,
    Question,
    Reading,
    Readings,
    question,
)
from ayni_hub.alerting.desk import AlertDesk
from ayni_hub.judge import Judge
from ayni_hub.ledger import Ledger
from ayni_hub.links_found import LinksFound
from ayni_hub.notebook import Notebook
from ayni_hub.reading_aside import ReadingAside
from ayni_hub.store import Step, Store
from ayni_hub.watching import LONGEST_S, SHORTEST_S

MOST_STEPS = 2000
_END_OF_TIME = 1e10
_MOST_EVENTS = 500
Answer = Readings | History | Events | Done | Found | Deliveries | Maintenance


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
        self.deliveries: Callable[[], Deliveries] = Deliveries
        """How messages to people go, for whoever has people."""
        self.alerts: AlertDesk | None = None
        """What people do about alerts, for whoever judges."""

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
                return self._readings(asked.device)
            case AskHistory():
                return self._history(asked)
            case AskEvents():
                limit = max(1, min(asked.limit, _MOST_EVENTS))
                return Events(events=tuple(self._ledger.events(asked.before, limit, asked.kind, asked.name)))
            case AskWatch():
                return self._watching(asked, user)
            case AskNote():
                return self._note(asked, user, now)
            case AskDeliveries():
                return self.deliveries()
            case AskAck() | AskMaintenance() | AskMaintain() | AskMaintained() if self.alerts is not None:
                return self.alerts.answer(asked, user, now)
            case AskFound():
                return self._links_found.answer()
            case _:  # commands have a desk of their own; a mirror neither commands nor judges
                return Done(error=Message("answer.elsewhere"))

    def _readings(self, device: str) -> Readings:
        if device not in self._network.devices:
            return Readings(error=Message("answer.not_found", {"name": device}))
        values = sorted(self._judge.known.of(device).values.items())
        return Readings(
            readings=tuple(
                Reading(group=s.group, item=s.item, metric=s.metric, value=value, at=round(at, 2))
                for s, (at, value) in values
            )
        )

    def _history(self, asked: AskHistory) -> History:
        about = self._about(asked)
        if isinstance(about, History):
            return about
        device, series, metric = about
        return _history(metric, self._store.steps(device, series, asked.start, asked.end, asked.step_s))

    def _about(self, asked: AskHistory) -> tuple[str, Series, Metric] | History:
        """What is asked for; an answer where that cannot be."""
        found = self._series(asked)
        metric = METRICS.get(asked.metric)
        if found is None or metric is None:
            name = asked.link or asked.device or asked.metric
            return History(error=Message("answer.not_found", {"name": name}))
        sound = 0 <= asked.start < asked.end <= _END_OF_TIME and asked.step_s >= 1
        if not sound or (asked.end - asked.start) / asked.step_s > MOST_STEPS:
            problem = f"expected start < end, steps of 1 s or more, and at most {MOST_STEPS} of them"
            return History(error=Message("answer.bad_question", {"problem": problem}))
        return *found, metric

    def _series(self, asked: AskHistory) -> tuple[str, Series] | None:
        if asked.link is None:
            if asked.device is None or asked.group is None or asked.device not in self._network.devices:
                return None
            return asked.device, Series(asked.group, asked.item or "", asked.metric)
        link = self._network.links.get(asked.link)
        if link is None or asked.side not in ("a", "b"):
            return None
        where = self._judge.ends[link.name, asked.side].where
        device = (link.a if asked.side == "a" else link.b).device
        return (device, Series(*where, asked.metric)) if where else None

    def _watching(self, asked: AskWatch, user: str) -> Done:
        unknown = [site for site in asked.sites if site not in self._network.sites]
        if unknown:
            return Done(error=Message("answer.not_found", {"name": unknown[0]}))
        sites = set(asked.sites or self._network.sites)
        nodes = {device.node for device in self._network.devices.values() if device.site in sites}
        self._watch(nodes, min(max(asked.for_s, SHORTEST_S), LONGEST_S), user)
        return Done()

    def _note(self, asked: AskNote, user: str, now: float) -> Done:
        written = self._notebook.write(asked, user, now)
        if isinstance(written, Message):
            return Done(error=written)
        self._ledger.remember({}, {}, [written], {})
        return Done()


def _history(metric: Metric, steps: Sequence[Step]) -> History:
    return History(
        unit=f"{metric.unit}/s" if metric.kind == "counter" else metric.unit,
        steps=tuple(
            Bucket(at=s.at, low=float(s.low), mean=round(s.mean, 3), high=float(s.high)) for s in steps
        ),
    )
