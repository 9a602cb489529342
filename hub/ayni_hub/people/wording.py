"""What a telling says, in the language and zone of its reader: a first line that fits an SMS, then more."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta, tzinfo

from ayni_core.message import Message, Plain
from ayni_core.reach import DAYS, local_time
from ayni_core.texts import TEXTS
from ayni_core.wire.messages import Alert
from ayni_hub.people.herald import Telling
from ayni_io import words
from ayni_io.i18n import say_in, speaking

SHORT = 160
"""Characters of an SMS in its 7-bit alphabet (3GPP TS 23.038, 6.2.1); any other character leaves 70."""
_SHORT_UNICODE = 70
_GSM = frozenset(
    "@£$¥èéùìòÇ\nØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_PLAINER = str.maketrans({"–": "-", "—": "-", "“": '"', "”": '"', "’": "'", "…": "...", "·": "-", "≥": ">"})
_FIRST_LINES = {"fired": None, "worse": "tell.worse", "nobody": "tell.nobody"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """`title` is the first line, `body` what follows; `short` is all of it for a telephone."""

    title: str
    body: str
    short: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the central knows beyond the alert: the number that the bot knows it by, and who takes it on."""

    number: int = 0
    who: str = ""


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who reads: their language and zone."""

    language: str
    zone: tzinfo

    def say(self, context: str, **values: Plain) -> str:
        """One text of the catalogue."""
        return say_in(self.language, Message(context, values))

    def text(self, message: Message) -> str:
        """A message of the wire."""
        return say_in(self.language, message)

    def time(self, at: float, now: float) -> str:
        """A moment as the reader's clock shows it: `14:20`, `Mon 14:20` of the last days, else the date."""
        then, today = local_time(at, self.zone), local_time(now, self.zone)
        clock = f"{then:%H:%M}"
        if then.date() == today.date():
            return clock
        if timedelta(0) <= today.date() - then.date() < timedelta(days=7):
            return self.say(f"tell.{DAYS[then.weekday()]}", time=clock)
        with speaking(self.language):
            return f"{words.date(at, self.zone)} {clock}"

    def tell(self, telling: Telling, facts: Facts, now: float, *, bot: bool) -> Text:
        """A telling for this reader; with `bot` an answer in the same chat takes the alert on."""
        alert = telling.alert
        what = self.text(alert.text)
        if telling.what == "over":
            start, end = self.time(alert.since, now), self.time(telling.at, now)
            return _only(self.say("tell.over", what=what, start=start, end=end))
        if telling.what == "taken":
            return _only(self.say("tell.taken", who=facts.who, what=what))
        first = _FIRST_LINES[telling.what] or f"tell.{alert.level}"
        title = self.say(first, what=what, time=self.time(alert.since, now))
        takes = self._takes_on(alert, facts, bot=bot)
        lines = [
            self.text(alert.headline) if alert.headline else "",
            self.say("tell.homes", n=alert.homes) if alert.homes else "",
            self.say("tell.sites", n=alert.behind_sites) if alert.behind_sites else "",
            self.say("tell.alerts", n=alert.behind_alerts) if alert.behind_alerts else "",
            self.say("tell.first", step=self._first_step(alert)),
            takes,
        ]
        parts = [
            title,
            self.say("tell.probably", cause=self.text(alert.cause)) if alert.cause else "",
            self.say("tell.homes_short", n=alert.homes) if alert.homes else "",
            takes,
        ]
        return Text(title=title, body="\n".join(line for line in lines if line), short=fit(parts))

    def _takes_on(self, alert: Alert, facts: Facts, *, bot: bool) -> str:
        if bot and facts.number:
            return self.say("tell.answer", word=self.say("bot.ack"), n=facts.number)
        return self.say("tell.command", alert=alert.name if alert.kind == "link" else alert.id)

    def _first_step(self, alert: Alert) -> str:
        cause = (alert.cause.context if alert.cause else "").partition(".")[2]
        context = f"first.{cause}"
        return self.say(context if context in TEXTS else "first.unknown")


def _only(line: str) -> Text:
    return Text(title=line, body="", short=fit([line]))


def fit(parts: Iterable[str]) -> str:
    """One SMS out of parts: the first one at least in its beginning, then as many whole ones as have room."""
    given = [part for part in (folded(part) for part in parts) if part]
    most = SHORT if all(_is_plain(part) for part in given) else _SHORT_UNICODE
    text = given[0] if len(given[0]) <= most else f"{given[0][: most - 3]}..."
    for part in given[1:]:
        if len(text) + 2 + len(part) <= most:
            text = f"{text}. {part}"
    return text


def folded(text: str) -> str:
    """With letters of the 7-bit alphabet where the same one exists without its accent."""
    return "".join(_fold(each) for each in text.translate(_PLAINER))


def _fold(letter: str) -> str:
    if letter in _GSM:
        return letter
    base = unicodedata.normalize("NFKD", letter)[0]
    return base if base in _GSM else letter


def _is_plain(text: str) -> bool:
    return all(letter in _GSM for letter in text)
