"""What can be done about a thing, and how a command looks on its page: tables of model and time to lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from console_village import MAINTENANCE, ME, NOW, Village, command_news, readings
from test_job import job, state

from ayni_console.acting import Acting
from ayni_console.job import Job
from ayni_console.lines import displayed, plain, width
from ayni_console.view import command, do, frame, weekly
from ayni_console.view.page import Look, Row
from ayni_core.message import Message
from ayni_core.onlooking.model import Model
from ayni_core.wire import topics
from ayni_core.wire.questions import Colleague, CommandNews, CommandPlan, Me
from ayni_io import i18n

ANA = Colleague(name="ana", title="Ana", role="operator", pin=True)
EVA = Colleague(name="eva", title="Eva", role="viewer", pin=True)
SALA = Me(name="sala", title="Sala", role="operator", people=(ANA, EVA))


@pytest.fixture(autouse=True)
def english() -> None:
    i18n.use("en")


def look(size: tuple[int, int] = (80, 24)) -> Look:
    return Look(width=size[0], height=size[1], now=NOW)


def acting(me: Me | None = ME, person: Colleague | None = None) -> Acting:
    made = Acting()
    made.me = me
    if person is not None:
        made.choose(person)
    return made


def lines(rows: Sequence[Row], size: tuple[int, int] = (80, 24)) -> list[str]:
    for row in rows:
        assert width(row.draw()) <= size[0], plain(row.draw())
        assert plain(displayed(row.draw(), True)).isascii()
    return [plain(row.draw()).rstrip() for row in rows]


def page(subject: tuple[str, str], model: Model | None = None, **more: Any) -> list[Row]:
    given: dict[str, Any] = {"acting": acting(), "windows": (), "jobs": (), "size": (80, 24)} | more
    size = given.pop("size")
    return do.rows(model or Village().model, look(size), subject, **given)


def keys(rows: Sequence[Row]) -> list[str]:
    return [row.key for row in rows if row.key]


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        (
            ("link", "escuela-cerro"),
            ["take_on", "watch", "note", "go:device:cerro-radio", "go:node:torre-pi"],
        ),
        (("link", "torre-cerro"), ["watch", "note", "quiet:short", "quiet:tomorrow", "quiet:weekly"]),
        (("device", "torre-radio"), ["do:poll", "do:ping", "do:walk", "do:port", "do:poe", "do:reboot"]),
        (("node", "molino-pi"), ["take_on", "do:poll", "do:ping", "do:plan", "do:own_plan", "do:restart"]),
        (("site", "molino"), ["take_on", "watch", "go:device:molino-radio", "go:node:molino-pi"]),
        (("site", "escuela"), ["take_on"]),
        (("upstream", "fibra"), ["watch", "note", "go:site:torre"]),
        (("", ""), ["note", "quiet:short", "quiet:weekly"]),
    ],
)
@pytest.mark.parametrize("size", [(80, 24), (60, 20)], ids=["80x24", "60x20"])
def test_what_is_offered_for_what(
    subject: tuple[str, str], expected: list[str], size: tuple[int, int]
) -> None:
    found = page(subject, size=size)
    lines(found, size)
    assert [key for key in keys(found) if key in expected] == expected
    if subject[0] != "device":
        assert "do:reboot" not in keys(found)
    if subject[0] != "node":
        assert "do:restart" not in keys(found)
    if not subject[0]:
        assert "watch" not in keys(found)
    assert ("go::" in keys(found)) == bool(subject[0])


def test_what_is_shown_of_a_broken_link() -> None:
    text = "\n".join(lines(page(("link", "escuela-cerro"))))
    for words in (
        "■ DOWN Escuela-Cerro  Escuela has probably lost power.",
        "Take it on: Escuela-Cerro is down",
        "Maintenance for 1 h (nobody is called)",
        "Radio Escuela",
        "■ SILENT",
    ):
        assert words in text


def test_an_alarm_that_is_explained_by_another_is_taken_on_there() -> None:
    model = Village().model
    (root,) = do.alarms(model, ("device", "escuela-radio"))
    assert root.id == "a2"
    assert do.alarms(model, ("device", "torre-radio")) == []


def test_what_somebody_has_is_given_back() -> None:
    village = Village()
    village.send(topics.alert("a2"), replace(village.model.alerts["a2"], acked_by="Rosa"))
    found = page(("link", "escuela-cerro"), village.model)
    assert "give_back:a2" in keys(found)
    assert "take_on" not in keys(found)
    assert any("Give it back (Rosa is at it): Escuela-Cerro is down" in each for each in lines(found))


def test_who_may_not_is_told_why_once_and_still_sees_what_there_is() -> None:
    viewer = Me(name="luz", title="Luz", role="viewer")
    for me, words in (
        (viewer, "Luz: only an operator may do this."),
        (Me(name="luz", title="luz"), "“luz” is not in network.yaml: look only."),
        (replace(ME, acts=False), "Only the village's own central acts."),
        (SALA, "Say who you are: several share this login"),
    ):
        found = page(("device", "torre-radio"), acting=acting(me))
        assert words in "\n".join(lines(found))
        assert "do:reboot" in keys(found)
    dim = next(
        row for row in page(("device", "torre-radio"), acting=acting(viewer)) if row.key == "do:reboot"
    )
    assert "dim" in {span.style for span in dim.draw()}


def test_on_a_shared_login_it_says_who_acts() -> None:
    text = "\n".join(lines(page(("", ""), acting=acting(SALA, ANA))))
    assert "You are Ana: operator." in text
    text = "\n".join(lines(page(("", ""), acting=acting(SALA, EVA))))
    assert "Eva: only an operator may do this." in text


def test_maintenance_is_listed_with_what_when_why_and_by_whom() -> None:
    model = Village().model
    torre = [each for each in MAINTENANCE.windows if do.concerns(model, each, ("device", "torre-radio"))]
    assert [each.id for each in torre] == ["m1", "m2"], "its site's, and the whole network's"
    text = "\n".join(lines(page(("device", "torre-radio"), windows=torre, size=(110, 30)), (110, 30)))
    assert "End the maintenance of Torre: until" in text
    assert "of the whole network: each Sat, Sun 08:00 to 09:00 (Rosa): the generator is tested" in text
    written = replace(MAINTENANCE.windows[0], written=True)
    assert "end:m1" not in keys(page(("device", "torre-radio"), windows=[written])), (
        "it is changed in the file"
    )


@pytest.mark.parametrize(
    ("window", "about", "not_about"),
    [
        (("", ""), [("link", "cerro-molino"), ("node", "torre-pi"), ("", "")], []),
        (
            ("site", "cerro"),
            [("site", "cerro"), ("link", "cerro-molino"), ("link", "torre-cerro"), ("device", "cerro-radio")],
            [("link", "torre-clinica"), ("site", "torre"), ("device", "torre-radio")],
        ),
        (
            ("link", "cerro-molino"),
            [("link", "cerro-molino"), ("device", "cerro-radio"), ("device", "molino-radio")],
            [("site", "molino"), ("link", "torre-cerro"), ("device", "torre-radio")],
        ),
        (
            ("device", "cerro-radio"),
            [("device", "cerro-radio"), ("link", "cerro-molino"), ("link", "torre-cerro")],
            [("site", "cerro"), ("device", "molino-radio")],
        ),
        (("link", "gone"), [("", "")], [("device", "cerro-radio")]),
        (("node", "torre-pi"), [("node", "torre-pi")], [("site", "torre"), ("device", "torre-radio")]),
    ],
)
def test_a_time_of_maintenance_can_be_ended_wherever_it_keeps_people_from_being_called(
    window: tuple[str, str], about: list[tuple[str, str]], not_about: list[tuple[str, str]]
) -> None:
    model = Village().model
    view = replace(MAINTENANCE.windows[0], kind=window[0], name=window[1])
    assert [each for each in about if not do.concerns(model, view, each)] == []
    assert [each for each in not_about if do.concerns(model, view, each)] == []


def test_what_was_given_from_here_stands_on_top_with_its_state() -> None:
    one = job("ping")
    one.take(state("done", "done.ping", sent=5, received=5, best=1, mean=2, worst=3), NOW)
    found = page(("device", "torre-radio"), jobs=[one])
    assert keys(found)[0] == "job:1"
    assert "switch: ping" in lines(found)[3]
    assert "DONE" in lines(found)[3]


def test_a_site_that_is_watched_says_until_when() -> None:
    found = page(("site", "torre"), watched_until=NOW + 600)
    assert "unwatch" in keys(found)
    assert "watch" not in keys(found)


# ---- one command


def shown(one: Job, size: tuple[int, int] = (80, 24)) -> str:
    return "\n".join(lines(command.rows(Village().model, one, look(size)), size))


def chosen(one: Job) -> list[str]:
    return keys(command.rows(Village().model, one, look()))


def planned(**fields: Any) -> Job:
    one = job(**fields)
    for news in command_news(one.looks):
        one.take(news, NOW)
    return one


@pytest.mark.parametrize("size", [(80, 24), (60, 20)], ids=["80x24", "60x20"])
def test_it_says_what_will_happen_and_who_is_cut_off_before_it_asks(size: tuple[int, int]) -> None:
    text = " ".join(shown(planned(), size).split())
    for words in (
        "switch: port ether2 down",
        "▲ Port ether2 of Radio Torre is about to go down.",
        "Homes that may be cut off: 58.",
        "Sites that may be cut off: Escuela, Clínica.",
        "it is undone after 60 s.",
    ):
        assert words in text
    assert chosen(planned()) == ["leave", "give"], "the harmless one is selected"


def test_how_far_it_is_what_came_of_it_and_what_puts_it_back() -> None:
    one = planned()
    one.give(NOW)
    assert "Given. Waiting for the monitor" in shown(one)
    assert chosen(one) == []
    one.take(state("accepted"), NOW)
    one.take(state("running", "running.walking", 0.25, objects=3), NOW + 1)
    one.take(state("probation", "probation.waiting", seconds=60), NOW + 2)
    text = shown(one)
    assert "the monitor has taken it on" in text
    assert "3 objects (25 %)" in text
    assert f"Undone at {command.time_of_day(NOW + 62)} unless the central confirms." in text
    one.take(state("done", "done.port", item="ether2", device="switch", value="down"), NOW + 3)
    assert f"● {command.time_of_day(NOW + 3)} DONE: port ether2 of switch is down" in shown(one)
    assert chosen(one) == ["undo", "repeat"]
    assert "Put it back: port ether2 up" in shown(one)


@pytest.mark.parametrize(
    ("news", "words", "choices"),
    [
        (state("failed", "failed.late", seconds=60), "■ T FAILED: not finished within 60 s", ["repeat"]),
        (state("undone", "undone.failed", cause="no", item="1", device="a"), "▲ T UNDONE: it", ["repeat"]),
        (state("expired", "expired.late"), "× T TOO LATE: it came too late", ["repeat"]),
        (state("refused", "refused.far"), "REFUSED: it is far from its monitor", ["force"]),
        (state("refused", "refused.on_path"), "REFUSED: it is on the only way to", ["force"]),
        (state("failed", "failed.no_word"), "what became of it is not known", ["again"]),
        (state("refused", "refused.role", user="eva", role="operator"), "× T REFUSED: eva may not", []),
    ],
)  # fmt: skip
def test_every_end_in_words_and_what_may_follow(
    news: CommandNews, words: str, choices: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "time_of_day", lambda _at: "T")
    one = job("ping")
    one.take(news, NOW)
    assert words in " ".join(shown(one).split())
    assert "--" not in shown(one), "nothing of the command line"
    assert chosen(one)[: len(choices)] == choices


def test_what_was_forced_is_not_offered_to_be_forced_again() -> None:
    one = job("poe", item="3", force=True)
    one.take(state("refused", "refused.far", device="a", node="b"), NOW)
    assert chosen(one) == ["repeat"]


def test_without_an_answer_it_can_be_asked_again() -> None:
    look_first = job()
    assert "Asking what would happen" in shown(look_first)
    look_first.lose("The central did not answer.")
    assert "The central did not answer." in shown(look_first)
    assert chosen(look_first) == ["look"]
    given = job("ping")
    given.lose("There is no way to the central just now.")
    assert chosen(given) == ["again"]


def test_a_hostile_answer_moves_no_cursor() -> None:
    one = job("walk", target="1.3.6.1.2.1.2")
    one.take(state("done", "done.walk", objects=1, lines=("\x1b[2J\x07boo",)), NOW)
    assert "\x1b" not in shown(one)
    evil = job("poe", item="3")
    evil.take(CommandNews(plan=CommandPlan(says=(Message("plan.sites", {"sites": "\x1b[1mX"}),))), NOW)
    assert "\x1b" not in shown(evil)


@pytest.mark.parametrize("size", [(80, 24), (60, 20)], ids=["80x24", "60x20"])
def test_ports_with_what_they_say(size: tuple[int, int]) -> None:
    rows = command.port_rows(readings(NOW), "port", look(size), "")
    text = "\n".join(lines(rows, size))
    assert "eth0" in text
    assert "● up" in text
    assert "12 s ago" in text
    assert keys(rows) == ["port:eth0", "name"]
    assert "● up" not in "\n".join(lines(command.port_rows((), "poe", look(size), "nothing yet"), size))


def test_ports_stand_in_the_order_of_their_numbers_and_power_where_it_is() -> None:
    base = readings(NOW)[5]
    some = tuple(replace(base, item=name) for name in ("ether10", "ether2", "sfp1"))
    assert [name for name, _said in command.ports(some, "port")] == ["ether2", "ether10", "sfp1"]
    powered = (*some, replace(base, group="poe", item="ether2", metric="poe_state"))
    assert [name for name, _said in command.ports(powered, "poe")] == ["ether2"]


# ---- every week


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("sat 08:00-12:00", weekly.Weekly(("sat",), "08:00", "12:00")),
        ("Sun, sat 8-12 the  mast", weekly.Weekly(("sat", "sun"), "08:00", "12:00", "the mast")),
        ("mon,tue 22.30 - 4", weekly.Weekly(("mon", "tue"), "22:30", "04:00")),
        ("", "Expected days and hours"),
        ("sat", "Expected days and hours"),
        ("satur 8-12", "“satur” is none of Mon, Tue"),
        ("sat, 8-12", "Expected days and hours"),
        ("sat,funday 8-12", "“funday” is none of"),
        ("sat 8", "“8”: expected hours"),
        ("sat 25-26", "“25-26”: expected hours"),
    ],
)
def test_weekly_times_as_people_type_them(typed: str, expected: weekly.Weekly | str) -> None:
    found = weekly.read(typed)
    if isinstance(expected, str):
        assert isinstance(found, str)
        assert expected in found
    else:
        assert found == expected


def test_days_may_be_typed_in_the_language_in_use() -> None:
    i18n.use("es")
    try:
        assert weekly.read(f"{do.weekday('wed')} 8-9") == weekly.Weekly(("wed",), "08:00", "09:00")
        assert weekly.read("wed 8-9") == weekly.Weekly(("wed",), "08:00", "09:00")
    finally:
        i18n.use("en")


@pytest.mark.parametrize(
    ("names", "wide", "expected"),
    [
        (["Home"], 80, " Home "),
        (["Home", "Torre-Clínica"], 80, " Home > Torre-Clínica "),
        (
            ["Home", "Do: Escuela-Cerro", "Do: Radio Cerro", "Ports", "port eth0"],
            60,
            " Home > … > Do: Radio Cerro > Ports > port eth0 ",
        ),
        (["Home", "Do: Radio Cerro", "Ports", "port eth0"], 38, " Home > … > port eth0 "),
        (["Home", "Do: Escuela-Cerro", "Do: Radio Cerro", "Ports"], 80, " Home > Do: Escuela-Cerro > Do: "),
        (["Home", "x" * 70], 60, " Home > " + "x" * 30),
    ],
)
def test_of_a_long_way_the_middle_is_left_out(names: list[str], wide: int, expected: str) -> None:
    head = plain(frame.head(Village().model, look((wide, 20)), frame.crumbs(names)))
    assert head.startswith(expected)
    assert len(head) <= wide
