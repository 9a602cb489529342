"""Answers to the console's questions, out of the store, the ledger and the judge's memory."""

from __future__ import annotations

from collections.abc import Callable

from ayni_core.inventory import Network
from ayni_core.message import Message
from ayni_core.metrics import METRICS
from ayni_core.readings import Series
from ayni_core.wire import WireError
from ayni_core.wire.questions import (
    AskCommand,
    AskEvents,
    AskFound,
    AskHistory,
    AskNote,
    AskReadings,
    AskWatch,
    Bucket,
    Done,
    Events,
    Found,
    History,
    Question,
    Reading,
    Readings,
    question,
)
from ayni_hub.judge import Judge
from ayni_hub.ledger import Ledger
from ayni_hub.links_found import LinksFound
from ayni_hub.notebook import Notebook
from ayni_hub.store import Store
from ayni_hub.watching import LONGEST_S, SHORTEST_S

MOST_STEPS = 2000
_END_OF_TIME = 1e10
_MOST_EVENTS = 500
Answer = Readings | History | Events | Done | Found


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
        self._ledger = ledger
        self._watch = watch
        self._notebook = Notebook(network)
        self._links_found = links_found

    def answer(self, payload: bytes, user: str, now: float) -> Answer:
        """The answer to a question as it came; what is wrong with it becomes the answer's `error`."""
        try:
            asked = question(payload)
        except WireError as error:
            return Done(error=Message("answer.bad_question", {"problem": str(error)}))
        return self._answer(asked, user, now)

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
            case AskFound():
                return self._links_found.answer()
            case AskCommand():  # the hub gives these to its desk for commands
                return Done(error=Message("answer.unknown_question", {"question": asked.ask}))

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
        found = self._series(asked)
        metric = METRICS.get(asked.metric)
        if found is None or metric is None:
            name = asked.link or asked.device or asked.metric
            return History(error=Message("answer.not_found", {"name": name}))
        sound = 0 <= asked.start < asked.end <= _END_OF_TIME and asked.step_s >= 1
        if not sound or (asked.end - asked.start) / asked.step_s > MOST_STEPS:
            problem = f"expected start < end, steps of 1 s or more, and at most {MOST_STEPS} of them"
            return History(error=Message("answer.bad_question", {"problem": problem}))
        device, series = found
        steps = self._store.steps(device, series, asked.start, asked.end, asked.step_s)
        unit = f"{metric.unit}/s" if metric.kind == "counter" else metric.unit
        return History(
            unit=unit,
            steps=tuple(
                Bucket(at=s.at, low=float(s.low), mean=round(s.mean, 3), high=float(s.high)) for s in steps
            ),
        )

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
