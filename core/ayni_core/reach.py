"""How people are reached, as `network.yaml` says it: targets, quiet hours, turns, escalation, digests.

Pure: local times come in as `datetime` with their zone. Turns change and quiet hours end by the clock on the
wall, so a day with 23 or 25 hours needs no care elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from ayni_core.message import Phrase
from ayni_core.reference import read_reference
from ayni_core.schema import Faults, Fields, did_you_mean

KINDS = ("apprise", "telegram")
FORMS = ("long", "short")
"""`short` is one message of at most 160 characters that every telephone shows."""
LEVELS = ("warn", "critical")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
TELEGRAM = "https://api.telegram.org"
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+){0,2}")
_CHAT = re.compile(r"-?[0-9]{1,20}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One way to a person. `address` refers to what Apprise understands, `chat` is a number of Telegram."""

    name: str
    kind: str = KINDS[0]
    address: str | None = None
    chat: str | None = None
    form: str = FORMS[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """Hours in which nobody is disturbed, in minutes of the local day; it may go over midnight. With `all`
    even what is critical waits."""

    start_min: int
    end_min: int
    all: bool = False

    def covers(self, local: datetime) -> bool:
        """Whether a local time lies within."""
        minute = local.hour * 60 + local.minute
        if self.start_min <= self.end_min:
            return self.start_min <= minute < self.end_min
        return minute >= self.start_min or minute < self.end_min

    def ends(self, local: datetime) -> float:
        """When the quiet hours around a local time are over, in seconds since 1970."""
        return next_at(local, self.end_min)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """What a person wants to hear, where, and when. No `sites`: of all. The digests are in minutes of the
    local day, the weekly one with its day (0 is Monday)."""

    targets: tuple[Target, ...] = ()
    timezone: str | None = None
    quiet: Quiet | None = None
    levels: str = LEVELS[0]
    sites: tuple[str, ...] = ()
    daily_min: int | None = None
    weekly: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OnCall:
    """Turns: `days` each, one person after the other, the first from a local date and minute on."""

    people: tuple[str, ...]
    since: datetime
    days: int = 7

    def order(self, local: datetime) -> tuple[str, ...]:
        """Whose turn it is, then who comes next, all of them once."""
        elapsed = local.replace(tzinfo=None) - self.since
        turn = max(elapsed // timedelta(days=self.days), 0) % len(self.people)
        return self.people[turn:] + self.people[:turn]


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """After how many minutes without anybody who takes it on the next of the turn is told, and then all."""

    next_after_min: float | None = None
    all_after_min: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """An address outside that misses us when we are gone; `url` is a reference."""

    url: str
    every_min: float = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class TelegramAccess:
    """The network's bot. `token` is a reference; `server` another one than Telegram's own."""

    token: str
    server: str = TELEGRAM


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What the network has for all its people."""

    on_call: OnCall | None = None
    escalation: Escalation = Escalation()
    heartbeat: Heartbeat | None = None
    telegram: TelegramAccess | None = None


def next_at(local: datetime, minute: int, weekday: int | None = None) -> float:
    """The first moment after a local time at which the clock on the wall shows this minute of the day (of
    that day of the week). Where the clock skips it, the moment an hour later; where it comes twice, the first
    that is not over."""
    zone = local.tzinfo
    now = local.timestamp()
    for ahead in range(9):
        date = local.date() + timedelta(days=ahead)
        if weekday is not None and date.weekday() != weekday:
            continue
        for fold in (0, 1):
            there = datetime(
                date.year, date.month, date.day, minute // 60, minute % 60, tzinfo=zone, fold=fold
            )
            if there.timestamp() > now:
                return there.timestamp()
    raise ValueError(f"no such minute: {minute}")  # a day has them all


def local_time(at: float, zone: tzinfo = UTC) -> datetime:
    """Seconds since 1970 as the clock on the wall shows them."""
    return datetime.fromtimestamp(at, zone)


# ---- network.yaml


def read_contact(fields: Fields) -> Contact:
    """The keys of a person that say how to reach them."""
    quiet_all = fields.boolean("quiet_all", False)
    quiet = _quiet(fields, all_=quiet_all)
    if quiet_all and quiet is None:
        fields.fault("quiet_all", "fault.nothing_without", other="quiet")
    digest = fields.child("digest")
    daily, weekly = _minute(digest, "daily"), _weekly(digest)
    digest.done()
    return Contact(
        targets=tuple(fields.named("notify", _target).values()),
        timezone=read_timezone(fields, None),
        quiet=quiet,
        levels=fields.choice("levels", LEVELS, LEVELS[0]),
        sites=fields.texts("sites"),
        daily_min=daily,
        weekly=weekly,
    )


def read_timezone(fields: Fields, default: str | None) -> str | None:
    """The key `timezone`; whether there is such a zone, whoever has the list of zones must see."""
    zone: str | None = fields.text("timezone", default)
    if zone and not _ZONE.fullmatch(zone):
        fields.fault("timezone", "fault.no_zone", given=zone, example="America/Lima")
    return zone


def read_heartbeat(fields: Fields) -> Heartbeat | None:
    """The section `network.heartbeat`."""
    if "heartbeat" not in fields:
        return None
    below = fields.child("heartbeat")
    heartbeat = Heartbeat(
        url=read_reference(below, "url"),
        every_min=below.number("every_min", 5, at_least=1, at_most=1440),
    )
    below.done()
    return heartbeat


def read_telegram(fields: Fields) -> TelegramAccess | None:
    """The section `network.telegram`."""
    if "telegram" not in fields:
        return None
    below = fields.child("telegram")
    server = below.text("server", TELEGRAM)
    if not re.fullmatch(r"https?://[^/\s@?#]+", server):
        below.fault("server", "fault.server", given=server)
    elif server.startswith("http://") and not re.match(r"http://(127\.|localhost|\[::1\])", server):
        below.fault("server", "fault.https")
    access = TelegramAccess(token=read_reference(below, "token"), server=server)
    below.done()
    return access


def read_on_call(fields: Fields) -> OnCall | None:
    """The section `on_call`."""
    if "on_call" not in fields:
        return None
    below = fields.child("on_call", required=True)
    people = below.texts("people")
    if not people:
        below.fault("people", "fault.missing", wanted=Phrase("word.at_least_one"))
    if len(set(people)) != len(people):
        below.fault("people", "fault.turns")
    given = below.text("from")
    try:
        since = datetime.fromisoformat(given)
    except ValueError:
        since = datetime(2026, 1, 5)
        if given:
            below.fault("from", "fault.no_date", given=given, example="2026-01-05 08:00")
    if since.tzinfo is not None:
        below.fault("from", "fault.offset")
    days = below.number("turn_days", 7, at_least=1, at_most=366, whole=True)
    below.done()
    return OnCall(people=people or ("",), since=since.replace(tzinfo=None), days=days)


def read_escalation(fields: Fields) -> Escalation:
    """The section `escalation`."""
    below = fields.child("escalation")
    escalation = Escalation(
        next_after_min=below.number("next_after_min", None, at_least=1, at_most=10080),
        all_after_min=below.number("all_after_min", None, at_least=1, at_most=10080),
    )
    if escalation.next_after_min and "on_call" not in fields:
        below.fault("next_after_min", "fault.who_next")
    below.done()
    return escalation


def check(
    reach: Reach,
    contacts: Mapping[str, Contact],
    sites: Mapping[str, object],
    faults: Faults,
) -> None:
    """Note what refers to nothing, or to two people at once."""
    chats: dict[str, str] = {}
    for person, contact in contacts.items():
        for site in contact.sites:
            if site not in sites:
                what, hint = Phrase("word.site"), did_you_mean(site, sites)
                faults.add(f"people.{person}.sites", "fault.unknown", what=what, name=site, hint=hint)
        for target in contact.targets:
            where = f"people.{person}.notify.{target.name}"
            if target.kind == "telegram" and reach.telegram is None:
                faults.add(where, "fault.needs_bot")
            if target.chat and chats.setdefault(target.chat, person) != person:
                faults.add(f"{where}.chat", "fault.chat_twice", other=chats[target.chat])
    for person in reach.on_call.people if reach.on_call else ():
        if person and person not in contacts:
            what, hint = Phrase("word.person"), did_you_mean(person, contacts)
            faults.add("on_call.people", "fault.unknown", what=what, name=person, hint=hint)
        elif person and not contacts[person].targets:
            faults.add("on_call.people", "fault.no_notify", person=person)


def _target(name: str, fields: Fields) -> Target:
    kind = fields.choice("kind", KINDS, KINDS[0])
    address = chat = None
    if kind == "telegram":
        given = fields.raw("chat")
        if isinstance(given, int) and not isinstance(given, bool):
            fields.fault("chat", "fault.in_quotes", given=given)
        else:
            chat = fields.text("chat")
            if chat and not _CHAT.fullmatch(chat):
                fields.fault("chat", "fault.no_chat", given=chat, example="123456789")
    else:
        address = read_reference(fields, "address")
    target = Target(
        name=name,
        kind=kind,
        address=address,
        chat=chat,
        form=fields.choice("form", FORMS, FORMS[0]),
    )
    fields.done()
    return target


def _quiet(fields: Fields, *, all_: bool) -> Quiet | None:
    given = fields.text("quiet", None)
    if not given:
        return None
    start, dash, end = given.replace(" ", "").partition("-")
    minutes = [_minute_of(part) for part in (start, end)]
    if not dash or minutes[0] is None or minutes[1] is None or minutes[0] == minutes[1]:
        fields.fault("quiet", "fault.no_span", given=given, example="22:00-06:30")
        return None
    return Quiet(start_min=minutes[0], end_min=minutes[1], all=all_)


def _minute_of(text: str) -> int | None:
    found = _CLOCK.fullmatch(text)
    return int(found[1]) * 60 + int(found[2]) if found else None


def _minute(fields: Fields, key: str) -> int | None:
    given = fields.text(key, None)
    if not given:
        return None
    minute = _minute_of(given)
    if minute is None:
        fields.fault(key, "fault.no_time", given=given, example="07:00")
    return minute


def _weekly(fields: Fields) -> tuple[int, int] | None:
    given = fields.text("weekly", None)
    if not given:
        return None
    day, _space, clock = given.partition(" ")
    minute = _minute_of(clock)
    if day not in DAYS or minute is None:
        fields.fault("weekly", "fault.no_day_and_time", given=given, example="mon 07:00")
        return None
    return DAYS.index(day), minute
