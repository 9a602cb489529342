"""Acting at the console: what can be done, who does it, and that nothing happens before somebody agreed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from console_village import ME, NOW, Village, command_news
from pilot_keys import press, settled, without_clock
from textual.pilot import Pilot

from ayni_console.acting import Acting
from ayni_console.app import ConsoleApp
from ayni_console.feed import NoAnswer
from ayni_console.lines import plain, width
from ayni_console.prompt import Prompt
from ayni_console.replay import Replay
from ayni_console.screens.command import CommandPage
from ayni_console.screens.page import Page
from ayni_core.message import Message
from ayni_core.wire import topics
from ayni_core.wire.messages import CommandState
from ayni_core.wire.questions import (
    AskAck,
    AskCommand,
    AskMaintain,
    AskMaintained,
    AskMe,
    AskNote,
    AskPin,
    Colleague,
    CommandNews,
    Me,
    Question,
)

SIZES = ((80, 24), (60, 20))
ANA = Colleague(name="ana", title="Ana", role="operator", pin=True)
EVA = Colleague(name="eva", title="Eva", role="viewer", pin=True)
LUIS = Colleague(name="luis", title="Luis", role="operator")
SALA = Me(name="sala", title="Sala", role="operator", people=(ANA, EVA, LUIS))


class Central(Village):
    """A village whose central knows who asks: `me` says who; Ana's PIN is 4711, and it forgets keys."""

    def __init__(self, me: Me = ME) -> None:
        super().__init__()
        self.me = me
        self.keys: set[str] = set()
        self.old = False

    async def ask(self, question: Question, kind: type[Any]) -> Any:
        self.asked.append(question)
        if self.silent:
            raise NoAnswer("The central did not answer.")
        match question:
            case AskMe() if self.old:
                raise NoAnswer("not understood", "answer.bad_question")
            case AskMe():
                return self.me
            case AskPin(pin="4711"):
                self.keys.add(question.key)
            case AskPin():
                raise NoAnswer("this is not the PIN of Ana", "answer.pin_wrong")
            case AskNote() if self.me.people and not question.author:
                raise NoAnswer("say who you are", "answer.who_are_you")
            case AskAck() | AskMaintain() | AskMaintained() if self.me.people:
                if question.key not in self.keys:
                    raise NoAnswer("Ana: this takes your PIN", "answer.pin_wanted")
        self.asked.pop()
        return await super().ask(question, kind)

    async def follow(self, asked: AskCommand, *, silent_s: float) -> Any:
        if self.me.people and not asked.look_first and asked.key not in self.keys:
            self.asked.append(asked)
            text = Message("answer.pin_wanted", {"who": "Ana"})
            yield CommandNews(state=CommandState(id=asked.id, do=asked.do, state="refused", text=text))
            return
        async for news in super().follow(asked, silent_s=silent_s):
            yield news

    def of(self, *kinds: type[Any]) -> list[Any]:
        """What was asked of these kinds."""
        return [each for each in self.asked if isinstance(each, kinds)]


def shown(app: ConsoleApp) -> str:
    page = app.screen
    assert isinstance(page, Page)
    assert page._sheet is not None
    return "\n".join(plain(each) for each in page._sheet.lines)


def play(
    central: Central,
    scene: Callable[[ConsoleApp, Pilot[None]], Coroutine[None, None, None]],
    size: tuple[int, int] = (80, 24),
    *,
    greeted: bool = True,
    notes_in: Path | None = None,
) -> ConsoleApp:
    """Play a scene; `greeted`: the central has said who we are already."""
    app = without_clock(ConsoleApp(central, clock=central.clock, notes_in=notes_in))

    async def played() -> None:
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            if greeted:
                app.tick()
                await pilot.pause()
            await scene(app, pilot)

    asyncio.run(played())
    return app


async def choose(app: ConsoleApp, pilot: Pilot[None], key: str) -> None:
    """Select a line, and press Enter."""
    page = app.screen
    assert isinstance(page, Page)
    assert key in [row.key for row in page.rows(page.look())]
    page.window.key, page.window.moved = key, True
    page.paint()
    await press(pilot, "enter")


async def typed(pilot: Pilot[None], words: str) -> None:
    """What stands in the line is replaced, and entered."""
    pilot.app.screen.query_one(Prompt).value = words
    await press(pilot, "enter")


# ---- what can I do here?


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_list_is_one_key_away_from_everywhere_and_fits(size: tuple[int, int]) -> None:
    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        for way, words in (
            ([], "DOWN Escuela-Cerro"),
            (["down", "enter"], "WEAK Torre-Clínica"),
            (["m"], "■ DOWN Escuela"),
            (["e"], "Escuela-Cerro"),
        ):
            await press(pilot, *way, "d")
            text = shown(app)
            assert words in text
            assert "NOTE AND MAINTENANCE" in text
            assert max(width(each) for each in app.screen._sheet.lines) <= size[0]  # type: ignore[attr-defined]
            await press(pilot, "d")
            assert app.crumbs()[-2:-1] != app.crumbs()[-1:], "once is enough"
            await press(pilot, "h")

    play(Central(), scene, size)


def test_a_device_and_a_monitor_are_reached_from_their_link_and_esc_leads_back() -> None:
    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "d")
        await choose(app, pilot, "go:device:cerro-radio")
        assert app.crumbs() == ["Home", "Do: Escuela-Cerro", "Do: Radio Cerro"]
        await choose(app, pilot, "go:node:torre-pi")
        assert "Restart it" in shown(app)
        await choose(app, pilot, "go:site:torre")
        await choose(app, pilot, "go:node:torre-pi")
        assert app.crumbs()[1:] == ["Do: Escuela-Cerro", "Do: Radio Cerro", "Do: Monitor Torre"], "no circles"
        await choose(app, pilot, "do:identify")
        await press(pilot, "d")
        assert app.crumbs()[-1] == "Do: Monitor Torre", "d leads back"
        await press(pilot, "escape", "escape")
        assert app.crumbs() == ["Home", "Do: Escuela-Cerro"]

    play(Central(), scene)


# ---- alarms


def test_k_takes_an_alarm_on_with_a_note_and_gives_it_back() -> None:
    central = Central()

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "k")
        assert "You see to it: Escuela-Cerro is down. Note" in shown(app)
        await press(pilot, "escape")
        assert central.of(AskAck) == [], "Esc leaves"
        await press(pilot, "k")
        await typed(pilot, "I go")
        assert central.of(AskAck) == [AskAck(alert="a2", note="I go")]
        assert "It is yours. k gives it back." in shown(app)
        central.send(topics.alert("a2"), replace(central.model.alerts["a2"], acked_by="Ana"))
        await press(pilot, "slash", *"escuela", "enter", "k")
        assert "Give it back? People are called" in shown(app)
        await press(pilot, "enter")
        assert central.of(AskAck)[-1] == AskAck(alert="a2", back=True)

    play(central, scene)


def test_where_no_alarm_is_k_says_so() -> None:
    central = Central()

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.open_thing("link", "torre-cerro")
        await press(pilot, "k")
        assert "No alarm is about Torre-Cerro." in shown(app)

    play(central, scene)
    assert central.of(AskAck) == []


def test_why_it_was_not_done_is_told() -> None:
    central = Central()

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "k")
        central.silent = True
        await press(pilot, "enter")
        assert "Not done: The central did not answer." in shown(app)

    play(central, scene)


# ---- who may, and who it is


@pytest.mark.parametrize(
    "keys", [("k",), ("n",), ("d", "enter"), ("d", "end", "up", "up", "up", "up", "enter")]
)
def test_whoever_may_only_look_is_told_why_and_nothing_fires(keys: tuple[str, ...]) -> None:
    central = Central(Me(name="luz", title="Luz", role="viewer"))

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, *keys)
        assert "Luz: only an operator may do this." in shown(app)
        assert not app.screen.query(Prompt)

    play(central, scene)
    assert central.of(AskAck, AskNote, AskMaintain, AskCommand) == []


def test_a_viewer_cannot_give_a_command_either() -> None:
    central = Central(Me(name="luz", title="Luz", role="viewer"))

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.open_thing("device", "torre-radio")
        await press(pilot, "d")
        for key in ("do:ping", "do:reboot", "do:port"):
            await choose(app, pilot, key)
            assert app.crumbs()[-1] == "Do: Radio Torre"

    play(central, scene)
    assert central.of(AskCommand) == []


def test_on_a_shared_login_the_first_thing_asked_is_who_you_are() -> None:
    central = Central(SALA)

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.tick()
        await pilot.pause()
        text = shown(app)
        assert "Who are you?" in text
        assert [name in text for name in ("Ana", "Eva", "Luis", "I only look on")] == [True] * 4
        assert "has no PIN yet" in text
        await press(pilot, "escape")
        app.tick()
        await pilot.pause()
        assert app.crumbs() == ["Home"], "who only looks is left alone"
        await press(pilot, "n")
        assert app.crumbs()[-1] == "Who are you?", "until there is something to sign"
        await choose(app, pilot, "person:ana")
        assert "Note on Escuela-Cerro" in shown(app), "and it goes on where it stood"
        await typed(pilot, "hello")
        assert central.of(AskNote)[-1].author == "ana"
        assert central.of(AskPin) == [], "a note takes no PIN"

    play(central, scene)


def test_a_note_begun_before_the_central_said_who_we_are_is_not_lost() -> None:
    central = Central(SALA)

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "n")
        await typed(pilot, "hello")
        assert app.crumbs()[-1] == "Who are you?"
        await choose(app, pilot, "person:luis")
        assert "Noted." in shown(app)
        assert central.of(AskNote)[-1] == AskNote(
            kind="link", name="escuela-cerro", text="hello", author="luis"
        )

    play(central, scene, greeted=False)


def test_a_note_written_without_contact_is_kept_also_over_an_end_and_goes_when_there_is_contact(
    tmp_path: Path,
) -> None:
    central, waits = Central(), tmp_path / "state" / "notes-ana@hub"

    async def away(app: ConsoleApp, pilot: Pilot[None]) -> None:
        central.silent = True
        await press(pilot, "n")
        await typed(pilot, "mast is wet")
        await press(pilot, "n")
        await typed(pilot, "Luis comes")
        assert "The central did not answer. The note is kept and goes later." in shown(app)

    play(central, away, notes_in=waits)
    assert waits.stat().st_mode & 0o777 == 0o600
    central.asked.clear()
    central.silent = False

    async def back(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.tick()
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert "Noted, as written at " in shown(app)
        assert "“Luis comes”" in shown(app)
        assert [(each.text, each.at) for each in central.of(AskNote)] == [
            ("mast is wet", NOW), ("Luis comes", NOW),
        ]  # fmt: skip

    play(central, back, greeted=False, notes_in=waits)
    assert not waits.exists()


def test_what_acts_takes_a_pin_once_shown_as_stars_and_again_when_it_is_forgotten() -> None:
    central = Central(SALA)

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.deeds.acting.choose(ANA)
        await press(pilot, "k")
        assert "PIN of Ana" in shown(app)
        await press(pilot, *"0815")
        prompt = app.screen.query_one(Prompt)
        assert str(prompt._value) == "****"
        await press(pilot, "enter")
        assert central.of(AskAck) == []
        assert "Not the PIN of Ana. Once more" in shown(app)
        await typed(pilot, "4711")
        assert "You see to it: Escuela-Cerro is down." in shown(app)
        await typed(pilot, "me")
        (asked,) = central.of(AskAck)
        assert (asked.author, asked.note) == ("ana", "me")
        assert asked.key in central.keys
        await press(pilot, "k")
        await typed(pilot, "again")
        assert len(central.of(AskPin)) == 2, "not for every action"
        central.keys.clear()
        await press(pilot, "k")
        await typed(pilot, "later")
        assert "PIN of Ana" in shown(app)
        await typed(pilot, "4711")
        assert [each.note for each in central.of(AskAck)] == ["me", "again", "later", "later"]
        assert len({each.key for each in central.of(AskPin)}) == 3, "a new key each time"

    play(central, scene)


def test_esc_at_the_pin_does_nothing() -> None:
    central = Central(SALA)

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.deeds.acting.choose(ANA)
        await press(pilot, "k", "escape")
        assert app.crumbs() == ["Home"]
        await press(pilot, "k", "enter")
        assert central.of(AskPin, AskAck) == []

    play(central, scene)


def test_a_viewer_among_those_who_share_and_one_without_a_pin_are_told() -> None:
    central = Central(SALA)

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.deeds.acting.choose(EVA)
        await press(pilot, "k")
        assert "Eva: only an operator may do this." in shown(app)
        app.deeds.acting.choose(LUIS)
        await press(pilot, "k")
        assert "No PIN yet; at the central: ayni hub pin luis" in shown(app)

    play(central, scene)
    assert central.of(AskAck) == []


def test_another_person_takes_the_place_with_a_pin_of_their_own() -> None:
    acting = Acting()
    acting.me = SALA
    acting.choose(ANA)
    acting.proved("k" * 30)
    assert not acting.wants_pin
    acting.choose(replace(LUIS, pin=True))
    assert acting.wants_pin
    assert acting.sign(AskAck(alert="a")).key == ""


def test_an_older_central_is_asked_and_says_itself_why_not() -> None:
    central = Central()
    central.old = True

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "k", "enter")
        assert len(central.of(AskAck)) == 1

    play(central, scene, greeted=False)


def test_on_a_slow_line_it_is_said_that_the_central_was_asked() -> None:
    central = Central()
    gate = asyncio.Event()
    at_once = central.ask

    async def slowly(question: Question, kind: type[Any]) -> Any:
        if isinstance(question, AskAck):
            await gate.wait()
        return await at_once(question, kind)

    central.ask = slowly  # type: ignore[method-assign]

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "k")
        await pilot.press("enter")
        assert app.notice_shown() == ""
        await asyncio.sleep(0.8)
        assert app.notice_shown() == "Asking the central …"
        gate.set()
        await settled(pilot)
        assert "It is yours." in app.notice_shown()

    play(central, scene)


def test_without_an_answer_who_we_are_nothing_is_done() -> None:
    central = Central()
    central.silent = True

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "k")
        assert "The central did not answer." in shown(app)

    play(central, scene, greeted=False)
    assert central.of(AskAck) == []


# ---- maintenance


def test_maintenance_now_until_tomorrow_and_every_week() -> None:
    central = Central()

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "d")
        await choose(app, pilot, "quiet:short")
        assert "Escuela-Cerro: nobody is called until" in shown(app)
        await typed(pilot, "mast")
        assert "Announced: nobody is called for Escuela-Cerro." in shown(app)
        await choose(app, pilot, "quiet:tomorrow")
        await press(pilot, "enter")
        await choose(app, pilot, "quiet:weekly")
        await typed(pilot, "sat,sun 8-12 mast")
        await choose(app, pilot, "quiet:weekly")
        await typed(pilot, "never")
        assert "Expected days and hours" in app.notice_shown()
        await press(pilot, "escape")

    play(central, scene)
    made = central.of(AskMaintain)
    about = {"kind": "link", "name": "escuela-cerro"}
    assert made == [
        AskMaintain(**about, for_s=3600.0, note="mast"),
        AskMaintain(**about, end="2026-11-22 08:00"),
        AskMaintain(**about, weekdays=("sat", "sun"), from_time="08:00", to_time="12:00", note="mast"),
    ]


def test_tomorrow_is_that_of_the_network_and_not_of_this_machine() -> None:
    central = Central()

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        central.now = NOW + 7 * 3600  # 05:26 UTC on the 22nd, 00:26 in Lima
        await press(pilot, "d")
        await choose(app, pilot, "quiet:tomorrow")
        await press(pilot, "enter")
        assert central.of(AskMaintain)[-1].end == "2026-11-23 08:00"

    play(central, scene)


def test_maintenance_is_ended_after_it_was_said_what_that_means() -> None:
    central = Central()

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.open_thing("site", "torre")
        await press(pilot, "d")
        await choose(app, pilot, "end:m1")
        assert "Torre: people are called again at once" in shown(app)
        await press(pilot, "escape")
        assert central.of(AskMaintained) == []
        await choose(app, pilot, "end:m1")
        await press(pilot, "enter")
        assert central.of(AskMaintained) == [AskMaintained(id="m1")]

    play(central, scene)


# ---- watching


def test_a_site_is_watched_for_a_while_whatever_is_shown() -> None:
    central = Central()

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.open_thing("site", "molino")
        await press(pilot, "d")
        await choose(app, pilot, "watch")
        await press(pilot, "h")
        assert central.looked_at == ("molino",)
        app.open_thing("link", "torre-clinica")
        await pilot.pause()
        assert set(central.looked_at) == {"torre", "clinica", "molino"}
        await press(pilot, "h")
        central.now += 601
        app.tick()
        assert central.looked_at == ()

    play(central, scene)


# ---- commands


def opened(app: ConsoleApp) -> CommandPage:
    assert isinstance(app.screen, CommandPage)
    return app.screen


def test_what_would_happen_is_said_and_no_is_the_answer_that_is_selected() -> None:
    central = Central()

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.open_thing("device", "torre-radio")
        await press(pilot, "d")
        await choose(app, pilot, "do:port")
        assert "eth0" in shown(app)
        await press(pilot, "enter")
        text = shown(app)
        assert "Port eth0 of Radio Torre is about to go down." in text
        assert "Sites that may be cut off: Escuela, Clínica." in text
        await press(pilot, "enter")
        assert app.crumbs()[-1] == "Ports", "Enter alone leaves it as it is"
        assert [each.look_first for each in central.of(AskCommand)] == [True]

    play(central, scene)


def test_a_command_is_given_followed_put_back_and_found_again() -> None:
    central = Central()

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.open_thing("device", "torre-radio")
        await press(pilot, "d")
        await choose(app, pilot, "do:port")
        await press(pilot, "enter", "down", "enter")
        text = shown(app)
        assert "the monitor has taken it on" in text
        assert "unless the central confirms." in text
        assert "DONE: port eth0 of torre-radio is down" in text
        looks, given = central.of(AskCommand)
        assert replace(given, look_first=True) == looks
        assert (given.where, given.do, given.item, given.value) == ("torre-radio", "port", "eth0", "down")
        await choose(app, pilot, "undo")
        assert central.of(AskCommand)[-1].value == "up"
        assert central.of(AskCommand)[-1].look_first, "the way back is looked at first, too"
        assert opened(app).job.asked.id != given.id
        await press(pilot, "escape", "escape")
        assert "torre-radio: port eth0 down" in shown(app).replace("Radio Torre", "torre-radio")
        await choose(app, pilot, f"job:{given.id}")
        assert opened(app).job.asked.id == given.id
        assert len(central.of(AskCommand)) == 3, "looking at it again gives nothing again"

    play(central, scene)


def test_what_changes_nothing_begins_at_once() -> None:
    central = Central()

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.open_thing("device", "torre-radio")
        await press(pilot, "d")
        await choose(app, pilot, "do:ping")
        assert "DONE" in shown(app)
        assert "a line" in shown(app)
        await press(pilot, "c")

    play(central, scene)
    (given,) = central.of(AskCommand)
    assert (given.do, given.look_first) == ("ping", False)


def test_words_that_a_command_needs_are_asked_for_and_looked_at() -> None:
    central = Central()

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.deeds.open_do(("node", "torre-pi"))
        await pilot.pause()
        await choose(app, pilot, "do:ping")
        await press(pilot, "enter")
        assert central.of(AskCommand) == [], "an empty word gives nothing"
        await choose(app, pilot, "do:ping")
        await typed(pilot, "9.9.9.9")
        assert central.of(AskCommand)[-1].target == "9.9.9.9"
        await press(pilot, "escape")
        await choose(app, pilot, "do:plan")
        await press(pilot, "enter")
        plan = central.of(AskCommand)[-1]
        assert (plan.value, plan.for_s, plan.look_first) == ("poll_s=10", 600, True)
        await press(pilot, "escape")
        await choose(app, pilot, "do:plan")
        await typed(pilot, "1")
        assert "poll_s: must be from 5 to 3600" in shown(app)

    play(central, scene)


def test_another_plan_is_ended_before_its_time() -> None:
    central = Central()

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.deeds.open_do(("node", "torre-pi"))
        await pilot.pause()
        await choose(app, pilot, "do:plan")
        await press(pilot, "enter", "down", "enter")
        assert "It ends by itself at" in shown(app)
        assert "End it now: back to its own plan" in shown(app)
        await choose(app, pilot, "undo")
        asked = central.of(AskCommand)[-1]
        assert (asked.where, asked.do, asked.value, asked.look_first) == ("torre-pi", "plan", "own", True)
        await press(pilot, "down", "enter")
        assert central.of(AskCommand)[-1] == replace(asked, look_first=False)
        assert "End it now" not in shown(app)
        await press(pilot, "escape")
        await choose(app, pilot, "do:own_plan")
        asked = central.of(AskCommand)[-1]
        assert (asked.do, asked.value, asked.look_first) == ("plan", "own", True), "whoever gave it"

    play(central, scene)


def test_a_plan_whose_time_is_over_is_not_offered_to_be_ended() -> None:
    central = Central()

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.deeds.open_command("node", "torre-pi", "plan", value="poll_s=10", for_s=600)
        await pilot.pause()
        await press(pilot, "down", "enter")
        assert "End it now" in shown(app)
        central.now += 601
        opened(app).paint()
        assert "End it now" not in shown(app)

    play(central, scene)


def test_a_command_goes_on_when_its_page_is_left() -> None:
    central = Central()
    gate = asyncio.Event()

    async def slow(asked: AskCommand, *, silent_s: float) -> Any:
        central.asked.append(asked)
        first, *rest = command_news(asked)
        yield first
        await gate.wait()
        for news in rest:
            yield news

    central.follow = slow  # type: ignore[method-assign, assignment]

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.open_thing("device", "torre-radio")
        await press(pilot, "d")
        await choose(app, pilot, "do:ping")
        assert "Given. Waiting for the monitor" in shown(app)
        await press(pilot, "escape")
        assert "under way" in shown(app)
        gate.set()
        await pilot.pause()
        app.tick()
        await pilot.pause()
        assert "DONE" in shown(app)
        assert len(central.of(AskCommand)) == 1

    play(central, scene)


def test_a_command_on_a_shared_login_takes_the_pin_before_it_is_given() -> None:
    central = Central(SALA)

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.deeds.acting.choose(ANA)
        app.open_thing("device", "torre-radio")
        await press(pilot, "d")
        await choose(app, pilot, "do:port")
        await press(pilot, "enter", "down", "enter")
        assert "PIN of Ana" in shown(app)
        assert not any(not each.look_first for each in central.of(AskCommand))
        await typed(pilot, "4711")
        assert "DONE" in shown(app)
        given = central.of(AskCommand)[-1]
        assert given.author == "ana"
        assert given.key in central.keys
        central.keys.clear()  # a quarter of an hour later
        await choose(app, pilot, "repeat")
        await press(pilot, "down", "enter")
        assert "PIN of Ana" in shown(app)
        await typed(pilot, "4711")
        assert "DONE" in shown(app)

    play(central, scene)


def test_a_refusal_for_fear_of_locking_people_out_can_be_overruled_after_one_more_look() -> None:
    central = Central()

    def far(asked: AskCommand) -> list[CommandNews]:
        if asked.force:
            return command_news(asked)
        text = Message("refused.far", {"device": "a", "node": "b"})
        return [CommandNews(state=CommandState(id=asked.id, do=asked.do, state="refused", text=text))]

    central.follows = far

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.open_thing("device", "torre-radio")
        await press(pilot, "d")
        await choose(app, pilot, "do:poe")
        await press(pilot, "enter")
        assert "what this cuts off nobody can undo" in " ".join(shown(app).split())
        await choose(app, pilot, "force")
        assert "No, leave it as it is" in shown(app)
        assert [(each.force, each.look_first) for each in central.of(AskCommand)] == [
            (False, True), (True, True)
        ]  # fmt: skip

    play(central, scene)


def test_without_the_central_a_command_is_asked_for_again_and_not_given_twice() -> None:
    central = Central()

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.open_thing("device", "torre-radio")
        await press(pilot, "d")
        central.silent = True
        await choose(app, pilot, "do:ping")
        assert "The central did not answer." in shown(app)
        central.silent = False
        await press(pilot, "enter")
        assert "DONE" in shown(app)
        first, again = central.of(AskCommand)
        assert first == again, "the same id"

    play(central, scene)


def test_in_the_past_nothing_is_done() -> None:
    central = Central()

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.replay = Replay(central, NOW - 3600, lambda: None)
        for key in ("k", "n"):
            app._notice = ("", 0.0)
            await press(pilot, key)
            assert "This is the past" in app._notice[0]
        app.replay = None

    play(central, scene)
    assert central.of(AskAck, AskNote) == []
