"""Questions to the hub (`ask/…`) and its answers (`answer/…`).

A question names itself in `ask`. An answer carries `error` or the fields of its question's answer.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ayni_core.message import Message
from ayni_core.wire.errors import WireError, load_json
from ayni_core.wire.health import AskHealth
from ayni_core.wire.messages import CommandState, Event
from ayni_core.wire.past import AskPast
from ayni_core.wire.shape import from_json

MAX_QUESTION = 16 * 1024
"""Bytes."""
NumberOrText = int | float | str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AskReadings:
    """`readings`: the newest value of every series of a device, or what it was in a run of the `past`.
    Answered by `Readings`.

    `groups` asks for those only; none named: for all. With `rates` counters also say how fast they run.
    """

    ask: str = "readings"
    device: str
    past: str = ""
    groups: tuple[str, ...] = ()
    rates: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AskHistory:
    """`history`: one series from `start` to `end`, a row each `step_s`. Answered by `History`.

    Either `device`, `group`, `item` and `metric`, or `link`, `side` (`a` or `b`) and `metric`: the hub
    knows which radio hears which.
    """

    ask: str = "history"
    start: float
    end: float
    step_s: float
    metric: str
    device: str | None = None
    group: str | None = None
    item: str | None = None
    link: str | None = None
    side: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AskSamples:
    """`samples`: one series as it was measured, before a time, newest first. Answered by `Samples`.

    The series is named as in `AskHistory`.
    """

    ask: str = "samples"
    metric: str
    before: float
    limit: int = 200
    device: str | None = None
    group: str | None = None
    item: str | None = None
    link: str | None = None
    side: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AskEvidence:
    """`evidence`: what is normal for a link, and the signs of its probable cause, now or in a run of the
    `past`. Answered by `Evidence`."""

    ask: str = "evidence"
    link: str
    past: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskEvents:
    """`events`: what happened before a time, newest first, of one thing or of all. Answered by `Events`.

    `only` may be `notes` or `alarms`. With `words` only what holds them as a person reads it in `language`
    (none: that of who asks): capitals and accents do not count, `!` in front inverts.
    """

    ask: str = "events"
    before: float | None = None
    limit: int = 100
    kind: str | None = None
    name: str | None = None
    only: str = ""
    words: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskWatch:
    """`watch`: somebody looks at these sites (none named: all) for `for_s` seconds. Answered by `Done`.

    `devices` are polled every few seconds meanwhile, for somebody who turns an antenna: operators only.
    """

    ask: str = "watch"
    sites: tuple[str, ...] = ()
    for_s: float = 60.0
    devices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AskNote:
    """`note`: write into the notebook. Answered by `Done`. `at` is when it was written, where it comes late:
    the same note of the same time is kept once."""

    ask: str = "note"
    kind: str
    name: str
    text: str
    author: str = ""
    at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AskCommand:
    """`command`: do something at a device or a node. Answered by `CommandNews`, several times.

    `id` is chosen by who asks: the same one again brings the same answer, and nothing is done twice. With
    `look_first` nothing is done: the answer says what would happen.
    """

    ask: str = "command"
    id: str
    where: str
    do: str
    item: str = ""
    target: str = ""
    value: str = ""
    count: int = 0
    for_s: float = 0.0
    force: bool = False
    look_first: bool = False
    author: str = ""
    key: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AskFound:
    """`found`: links that devices tell of, beside those that are written down. Answered by `Found`."""

    ask: str = "found"


@dataclass(frozen=True, slots=True, kw_only=True)
class AskDeliveries:
    """`deliveries`: how messages to people go. Answered by `Deliveries`."""

    ask: str = "deliveries"


@dataclass(frozen=True, slots=True, kw_only=True)
class AskAck:
    """`ack`: take on an alert, or give it `back`. Answered by `Done`."""

    ask: str = "ack"
    alert: str
    note: str = ""
    author: str = ""
    back: bool = False
    key: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AskMaintenance:
    """`maintenance`: the times of maintenance that are to come or go on. Answered by `Maintenance`."""

    ask: str = "maintenance"


@dataclass(frozen=True, slots=True, kw_only=True)
class AskMaintain:
    """`maintain`: a time of maintenance of one thing, or of all where `kind` is empty. Answered by `Done`.

    Once: from `start` (none: now) to `end` or for `for_s`; or on `weekdays`, `from_time` to `to_time`. Times
    are those of the network's own clock.
    """

    ask: str = "maintain"
    kind: str = ""
    name: str = ""
    start: str = ""
    end: str = ""
    for_s: float = 0.0
    weekdays: tuple[str, ...] = ()
    from_time: str = ""
    to_time: str = ""
    note: str = ""
    author: str = ""
    key: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AskMaintained:
    """`maintained`: a time of maintenance is over. Answered by `Done`."""

    ask: str = "maintained"
    id: str
    author: str = ""
    key: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AskMe:
    """`me`: who asks, and what they may do. Answered by `Me`."""

    ask: str = "me"


@dataclass(frozen=True, slots=True, kw_only=True)
class AskPin:
    """`pin`: on a shared login `person` proves to be there. Answered by `Done`.

    `key` is chosen by who asks, long and at random: with it, in a question that acts, the hub knows that it
    is that person, until nothing was done for a while.
    """

    ask: str = "pin"
    person: str
    pin: str = field(repr=False)
    key: str = field(repr=False)


Question = (
    AskReadings
    | AskHealth
    | AskHistory
    | AskSamples
    | AskEvidence
    | AskEvents
    | AskWatch
    | AskNote
    | AskCommand
    | AskFound
    | AskDeliveries
    | AskAck
    | AskMaintenance
    | AskMaintain
    | AskMaintained
    | AskMe
    | AskPin
    | AskPast
)
QUESTIONS: dict[str, type] = {
    "readings": AskReadings,
    "history": AskHistory,
    "samples": AskSamples,
    "evidence": AskEvidence,
    "events": AskEvents,
    "health": AskHealth,
    "watch": AskWatch,
    "note": AskNote,
    "command": AskCommand,
    "found": AskFound,
    "deliveries": AskDeliveries,
    "ack": AskAck,
    "maintenance": AskMaintenance,
    "maintain": AskMaintain,
    "maintained": AskMaintained,
    "me": AskMe,
    "pin": AskPin,
    "past": AskPast,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One series of a device with its newest value and when that was measured.

    `per_s` is how much a counter grew a second since the poll before; None where that is not known.
    """

    group: str
    item: str
    metric: str
    value: int | float | str | None
    at: float
    per_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """The answer to `readings`."""

    readings: tuple[Reading, ...] = ()
    error: Message | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """One step of a history: its start, and the least, mean and largest value within it."""

    at: float
    low: float
    mean: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The answer to `history`; steps without a sample are absent. Counters come as rates per second."""

    unit: str = ""
    steps: tuple[Bucket, ...] = ()
    error: Message | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One value as it was measured, in seconds since 1970."""

    at: float
    value: int | float | str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """The answer to `samples`. Before `until` there may be more; None: that is all."""

    unit: str = ""
    samples: tuple[Sample, ...] = ()
    until: float | None = None
    error: Message | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Normal:
    """What is normal for a number of one end: by the link's budget, when it was new, and a week ago."""

    side: str
    metric: str
    plan: float | None = None
    new: float | None = None
    week: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """A sign of the probable cause; whether it is seen, None where the central cannot tell."""

    text: Message
    seen: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The answer to `evidence`."""

    normals: tuple[Normal, ...] = ()
    signs: tuple[Sign, ...] = ()
    error: Message | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """The answer to `events`. A search takes a while: where it looked no further back than `looked_back`, ask
    on from there; nothing: that is all."""

    events: tuple[Event, ...] = ()
    looked_back: float | None = None
    error: Message | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandPlan:
    """What a command would do: sentences, the most important first, and how many homes are behind it."""

    says: tuple[Message, ...] = ()
    homes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandNews:
    """An answer to `command`: that the hub has taken it (neither `state` nor `plan`), how far it is, until a
    state is final; or what it would do (`plan`)."""

    node: str = ""
    state: CommandState | None = None
    plan: CommandPlan | None = None
    error: Message | None = None


FOUND_STATES = ("seen", "new", "missing", "untold")
"""Written down and found; found only; written down only; written down, and an end says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundEndView:
    """One end of a found link: the radio or port of a device, and the address that the other end hears."""

    device: str
    port: str = ""
    mac: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundView:
    """A link that was found, is written down, or both. `state` is one of FOUND_STATES; `kind` is `radio`,
    `cable`, `mesh`, or empty for what was not found."""

    state: str
    a: FoundEndView
    b: FoundEndView
    link: str = ""
    kind: str = ""
    sure: float = 0.0
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The answer to `found`."""

    links: tuple[FoundView, ...] = ()
    error: Message | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetView:
    """One way to a person: when it last worked, why it does not now (empty: it does), how many messages
    wait."""

    person: str
    title: str
    target: str
    kind: str
    reached_at: float | None = None
    failing: str = ""
    waiting: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message to one target. `what` is fired, worse, nobody, taken, over, central, summary or digest;
    `state` is waiting, gathered (told with others later), sending, sent, summed (told with others), moot (it
    was over before it was told) or given_up."""

    at: float
    person: str
    target: str
    what: str
    state: str
    alert: str = ""
    title: str = ""
    tries: int = 0
    reason: str = ""
    changed: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliveries:
    """The answer to `deliveries`: every target, and the newest messages, newest first."""

    targets: tuple[TargetView, ...] = ()
    newest: tuple[Delivery, ...] = ()
    error: Message | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowView:
    """A time of maintenance: `start` and `end` of when it goes on (`open`) or will be next; `written` in
    `network.yaml`, or made `by` somebody."""

    id: str
    kind: str = ""
    name: str = ""
    start: float
    end: float
    open: bool = False
    weekdays: tuple[str, ...] = ()
    from_time: str = ""
    to_time: str = ""
    note: str = ""
    by: str = ""
    written: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintenance:
    """The answer to `maintenance`; `timezone` is the one of the network."""

    windows: tuple[WindowView, ...] = ()
    timezone: str = "UTC"
    error: Message | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Colleague:
    """One of the people of a shared login; `role` is what they may be there, `pin` whether they have one."""

    name: str
    title: str
    role: str
    pin: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Me:
    """The answer to `me`. `role` is empty where the inventory does not know who asks; `acts` is False where
    this hub does nothing at all for anybody. `people` share this login and say who they are; none: it is one
    person's."""

    name: str = ""
    title: str = ""
    role: str = ""
    language: str = ""
    acts: bool = True
    people: tuple[Colleague, ...] = ()
    error: Message | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The answer to a question that asks for an action: `error` is empty when it was done."""

    error: Message | None = None


def question(data: bytes) -> Question:
    """The question out of bytes, or `WireError`."""
    if len(data) > MAX_QUESTION:
        raise WireError("a question is short")
    value = load_json(data)
    name = value.get("ask") if isinstance(value, dict) else None
    kind = QUESTIONS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise WireError(f"unknown question {str(name)[:30]!r}")
    result: Question = from_json(kind, value)
    return result
