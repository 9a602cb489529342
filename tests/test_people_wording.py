"""What a message says: an SMS in its first line, the rest in the order of a repair, in anybody's language."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from people_town import NOON, link_down

from ayni_core.message import Message
from ayni_core.texts import TEXTS
from ayni_hub.people.herald import Telling
from ayni_hub.people.wording import Facts, Reader, fit, folded
from ayni_io.i18n import LANGUAGES, say_in

WHAT = ("fired", "worse", "nobody", "taken", "over")
CAUSED = link_down(
    cause=Message("cause.no_power"), headline=Message("headline.no_power", {"site": "Escuela"}),
    behind_sites=3, behind_alerts=9,
)  # fmt: skip


def telling(what: str = "fired", name: str = "Torre–Escuela", **more: object) -> Telling:
    text = Message("rule.link_down", {"link": name})
    return Telling(what=what, alert=replace(CAUSED, text=text, **more), at=NOON + 600)  # type: ignore[arg-type]


def test_a_message_says_what_since_when_who_is_behind_it_why_and_what_to_do_first() -> None:
    said = Reader("en", UTC).tell(telling(), Facts(number=12), NOON + 60, bot=True)
    assert said.title == "ALARM: Torre–Escuela is down, since 12:00"
    assert said.body.splitlines() == [
        "Escuela has probably lost power.",
        "Homes without a way out: 46",
        "Sites behind it: 3",
        "Alarms explained by it: 9",
        "First: Call the site: is there light? Are the neighbours dark too?",
        "To take it on, answer: ack 12",
    ]
    assert said.short == (
        "ALARM: Torre-Escuela is down, since 12:00. Probably: no power. Homes: 46."
        " To take it on, answer: ack 12"
    )


def test_elsewhere_than_in_the_bots_chat_a_command_takes_it_on() -> None:
    said = Reader("en", UTC).tell(telling(), Facts(number=12), NOON + 60, bot=False)
    assert said.body.splitlines()[-1] == "To take it on: ayni ack torre-escuela"


@pytest.mark.parametrize(("language", "what"), list(product(LANGUAGES, WHAT)))
def test_the_short_form_fits_an_sms_in_every_language(language: str, what: str) -> None:
    reader = Reader(language, ZoneInfo("America/Lima"))
    for name in ("Torre–Escuela", "Peña Negra–Asociación de Regantes del Río Grande " * 6):
        for bot in (True, False):
            said = reader.tell(
                telling(what, name), Facts(number=999, who="Ana María"), NOON + 8 * 86400, bot=bot
            )
            assert 0 < len(said.short) <= 160
            assert said.short == folded(said.short), "one SMS, not one of 70 characters"


def test_another_alphabet_leaves_less_room() -> None:
    assert fit(["Станция молчит " * 20])[-3:] == "..."
    assert len(fit(["Станция молчит " * 20])) == 70
    assert fit(["Станция молчит", "с 12:00", "x" * 60]) == "Станция молчит. с 12:00"


def test_a_message_is_in_the_language_of_its_reader_whatever_the_process_speaks() -> None:
    down = Message("rule.link_down", {"link": "A–B"})
    assert say_in("en", down) == "A–B is down"
    assert say_in("es_PE", down) not in ("A–B is down", "")
    assert say_in("qu", down) == "A–B is down"
    assert say_in("es", Message("no.such", {})) == "no.such"


@pytest.mark.parametrize(
    ("ago_s", "shown"),
    [
        (3600, "06:00"),
        (7 * 3600 + 60, "Tue 23:59"),
        (6 * 86400, "Thu 07:00"),
        (7 * 86400, "2026-06-17 07:00"),
        (-86400, "2026-06-25 07:00"),
    ],
)
def test_moments_are_those_of_the_readers_clock(ago_s: float, shown: str) -> None:
    assert Reader("en", ZoneInfo("America/Lima")).time(NOON - ago_s, NOON) == shown


def test_there_is_a_first_step_for_every_probable_cause() -> None:
    causes = {context.partition(".")[2] for context in TEXTS if context.startswith("cause.")}
    known = {context.partition(".")[2] for context in TEXTS if context.startswith("first.")}
    assert known == causes
