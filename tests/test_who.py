"""Who acts on a login that several share: names, PINs, keys, and what is refused; desks and notebook obey."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from commanded import Clock, settle
from test_commands import network as commanded_network

from ayni_core import inventory, pin
from ayni_core.inventory import Network
from ayni_core.message import Message
from ayni_core.schema import Faults, Fields
from ayni_core.wire.messages import Event, NodeState
from ayni_core.wire.questions import AskCommand, AskNote, AskPin, CommandNews
from ayni_core.wire.shape import pack, unpack
from ayni_hub import pin_tries, pins, who
from ayni_hub.commands import Desk
from ayni_hub.notebook import Notebook
from ayni_hub.pin_tries import PinTries
from ayni_hub.pins import Pins
from ayni_hub.who import Actor, Who

SALT = bytes(16)
KEY, OTHER_KEY = "k" * 22, "o" * 22
PEOPLE = {
    "sala": {"title": "Sala", "role": "operator", "language": "es", "shared": ["ana", "luis", "eva"]},
    "puerta": {"title": "Puerta", "role": "viewer", "shared": ["ana"]},
    "ana": {"title": "Ana", "role": "trainer"},
    "luis": {"title": "Luis Ñ"},
    "eva": {"title": "Eva", "role": "viewer"},
    "rosa": {"title": "Rosa"},
}


def network() -> Network:
    faults = Faults("network.yaml")
    raw = {"network": {"title": "Red"}, "sites": {"torre": {}}, "people": PEOPLE}
    made = inventory.parse(Fields(raw, "", faults))
    faults.stop()
    return made


class Door:
    """A `Who` with a clock by hand; Ana's PIN is 4711, Luis has none."""

    def __init__(self, folder: Path) -> None:
        self.now, self.boot = 100.0, "first"
        self.path = folder / pins.FILE
        self.told: list[tuple[str, dict[str, Any], str]] = []
        self.give("ana", "4711")
        self.give("eva", "8052")
        self.begin()

    def begin(self) -> None:
        """The central begins anew."""
        self.who = Who(
            network(), Pins(self.path), clock=lambda: self.now,
            tell=lambda text, login: self.told.append((text.context, dict(text.values), login)),
            tries=PinTries(self.path.with_name(pin_tries.FILE), lambda: self.now, lambda: self.boot),
        )  # fmt: skip

    def give(self, name: str, number: str | None) -> None:
        pins.keep(self.path, name, pin.kept(number, SALT) if number else None)

    async def prove(self, number: str, person: str = "ana", key: str = KEY, login: str = "sala") -> str:
        done = await self.who.prove(AskPin(person=person, pin=number, key=key), login)
        return done.error.context if done.error else ""

    def doubt(self, author: str = "ana", key: str = KEY, login: str = "sala") -> str:
        actor = self.who.actor(login, author)
        assert isinstance(actor, Actor)
        found = self.who.doubt(actor, key)
        return found.context if found else ""


def at_door(story: Callable[[Door], Coroutine[Any, Any, None]]) -> Callable[[Path], None]:
    def run(tmp_path: Path) -> None:
        asyncio.run(story(Door(tmp_path)))

    return run


@pytest.mark.parametrize(
    ("login", "author", "expected"),
    [
        ("rosa", "", ("rosa", "Rosa", "operator")),
        ("rosa", "Rosa", ("rosa", "Rosa", "operator")),
        ("rosa", "Luz", ("rosa", "Luz (Rosa)", "operator")),
        ("rosa", "x" * 99, ("rosa", "x" * 40 + " (Rosa)", "operator")),
        ("sala", "ana", ("ana", "Ana", "operator")),
        ("sala", "luis ñ", ("luis", "Luis Ñ", "operator")),
        ("sala", "eva", ("eva", "Eva", "viewer")),
        ("puerta", "ana", ("ana", "Ana", "viewer")),
        ("stranger", "ana", ("stranger", "stranger", "")),
        ("sala", "", "answer.who_are_you"),
        ("sala", "rosa", "answer.not_among"),
        ("sala", "sala", "answer.not_among"),
        ("puerta", "luis", "answer.not_among"),
    ],
)
def test_who_somebody_is_and_what_they_may_there(login: str, author: str, expected: object) -> None:
    found = Who(network()).actor(login, author)
    if isinstance(found, Message):
        assert found.context == expected
    else:
        assert (found.name, found.shown, found.role) == expected


def test_the_one_of_an_own_login_needs_no_pin(tmp_path: Path) -> None:
    door = Door(tmp_path)
    assert door.doubt("", "", login="rosa") == ""


@at_door
async def test_a_pin_makes_a_key_good_and_nothing_else_does(door: Door) -> None:
    assert door.doubt() == "answer.pin_wanted"
    assert await door.prove("4712") == "answer.pin_wrong"
    assert door.doubt() == "answer.pin_wanted"
    assert await door.prove("4711") == ""
    assert door.doubt() == ""
    assert door.doubt(key=OTHER_KEY) == door.doubt(key="") == "answer.pin_wanted", "nobody else's key"
    assert door.doubt("eva") == "answer.pin_wanted", "Ana's key makes nobody Eva"
    assert door.doubt(login="puerta") == "answer.pin_wanted", "nor on another login"
    assert door.doubt("luis") == await door.prove("4711", "luis") == "answer.pin_none"


@at_door
async def test_a_key_is_forgotten_when_nothing_is_done_with_it_and_at_last_anyway(door: Door) -> None:
    await door.prove("4711")
    for _each in range(int(who.LONGEST_S / who.IDLE_S)):
        door.now += who.IDLE_S - 1
        assert door.doubt() == ""
    door.now += who.IDLE_S - 1
    assert door.doubt() == "answer.pin_wanted", "it was in use, but for half a day"
    await door.prove("4711")
    door.now += who.IDLE_S + 1
    assert door.doubt() == "answer.pin_wanted"


@at_door
async def test_a_new_pin_or_none_ends_what_the_old_one_allowed(door: Door) -> None:
    await door.prove("4711")
    door.give("ana", "9136")
    assert door.doubt() == "answer.pin_wanted"
    await door.prove("9136")
    assert door.doubt() == ""
    door.give("ana", None)
    assert door.doubt() == "answer.pin_none"


@at_door
async def test_after_three_wrong_ones_even_the_right_one_waits_and_it_is_written_down(door: Door) -> None:
    assert [await door.prove("0001") for _each in range(4)] == ["answer.pin_wrong"] * 3 + ["answer.pin_wait"]
    assert await door.prove("4711") == "answer.pin_wait"
    assert await door.prove("8052", "eva") == "", "others are not kept out"
    door.now += pin.FIRST_WAIT_S + 1
    assert await door.prove("0001") == "answer.pin_wrong"
    door.now += pin.FIRST_WAIT_S + 1
    assert await door.prove("4711") == "answer.pin_wait", "each further one costs twice as long"
    door.now += pin.FIRST_WAIT_S
    assert await door.prove("4711") == ""
    assert await door.prove("0001") == "answer.pin_wrong", "and all is forgotten after a right one"
    assert door.told == [("event.pin_wrong", {"login": "sala", "n": 3, "who": "Ana"}, "sala")]


@at_door
async def test_a_central_that_begins_anew_goes_on_counting_wrong_ones(door: Door) -> None:
    assert [await door.prove("0001") for _each in range(3)] == ["answer.pin_wrong"] * 3
    door.now += 20
    door.begin()
    assert await door.prove("4711") == "answer.pin_wait"
    door.now += pin.FIRST_WAIT_S - 20 + 1
    assert await door.prove("0002") == "answer.pin_wrong", "the rest of the wait is over"
    door.begin()
    door.now += pin.FIRST_WAIT_S + 1
    assert await door.prove("4711") == "answer.pin_wait", "the fourth cost twice as long"
    door.now += pin.FIRST_WAIT_S
    assert await door.prove("4711") == ""
    door.begin()
    assert [await door.prove("0001") for _each in range(3)] == ["answer.pin_wrong"] * 3, "a right one ends it"
    assert [each[1]["n"] for each in door.told] == [3, 3]


@at_door
async def test_a_machine_that_begins_anew_begins_the_wait_anew_and_only_once(door: Door) -> None:
    assert [await door.prove("0001") for _each in range(3)] == ["answer.pin_wrong"] * 3
    door.now, door.boot = 5.0, "second"
    door.begin()
    assert await door.prove("4711") == "answer.pin_wait", "its clock began at 0, which frees nobody"
    door.now += pin.FIRST_WAIT_S - 1
    door.begin()
    assert await door.prove("4711") == "answer.pin_wait"
    door.now += 2
    assert await door.prove("4711") == "", "and locks nobody out"


@at_door
async def test_many_at_once_are_looked_at_one_by_one(door: Door) -> None:
    answers = await asyncio.gather(*(door.prove(f"{number:04}") for number in range(5000, 5040)))
    assert answers.count("answer.pin_wrong") == 3
    assert answers.count("answer.pin_wait") == 37


@at_door
async def test_keys_are_long_and_pins_are_for_shared_logins(door: Door) -> None:
    for key in ("", "short", "k" * 21, "k" * 129, "k" * 30 + "\n"):
        assert await door.prove("4711", key=key) == "answer.bad_question"
    assert await door.prove("4711", login="rosa") == "answer.pin_not_needed"
    assert await door.prove("4711", "") == "answer.who_are_you"
    assert await door.prove("4711", "rosa") == "answer.not_among"


@at_door
async def test_keys_that_were_used_last_are_kept_when_there_are_too_many(door: Door) -> None:
    await door.prove("4711")
    for number in range(who._MOST_KEYS + 5):
        door.now += 0.1
        door.who._grants[f"{number}"] = who._Grant("sala", "ana", "", door.now, door.now)
        if number % 50 == 0:
            assert door.doubt() == ""
    await door.prove("8052", "eva", OTHER_KEY)
    assert door.doubt() == ""


def test_a_pin_is_in_no_log_and_in_no_print(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    door = Door(tmp_path)
    with caplog.at_level(logging.DEBUG):
        asyncio.run(door.prove("0815"))
        asyncio.run(door.prove("4711"))
    assert [each.getMessage() for each in caplog.records if each.name == "hub"] == [
        "pin wrong login=sala person=ana in_a_row=1"
    ]
    asked = AskPin(person="ana", pin="4711", key=KEY)
    assert "4711" not in repr(asked)
    assert KEY not in repr(asked) + repr(AskCommand(id="1", where="pi", do="poll", key=KEY))


def test_a_damaged_file_lets_nobody_act_and_says_so(tmp_path: Path) -> None:
    door = Door(tmp_path)
    door.path.write_text("{")
    assert door.doubt() == "answer.pins_unread"
    assert asyncio.run(door.prove("4711")) == "answer.pins_unread"
    assert [each.pin for each in door.who.me("sala", acts=True).people] == [False] * 3


def test_people_are_told_what_they_are(tmp_path: Path) -> None:
    door = Door(tmp_path)
    mine = door.who.me("sala", acts=True)
    assert (mine.name, mine.title, mine.role, mine.language) == ("sala", "Sala", "operator", "es")
    assert [(each.name, each.title, each.role, each.pin) for each in mine.people] == [
        ("ana", "Ana", "operator", True),
        ("luis", "Luis Ñ", "operator", False),
        ("eva", "Eva", "viewer", True),
    ]
    rosa = door.who.me("rosa", acts=False)
    assert (rosa.role, rosa.language, rosa.acts, rosa.people) == ("operator", "en", False, ())
    assert door.who.me("stranger", acts=True).role == ""


# ---- notes and commands


def test_a_note_takes_a_name_and_no_pin() -> None:
    notebook = Notebook(network())

    def write(author: str) -> object:
        asked = AskNote(kind="", name="", text="hello", author=author)
        found = notebook.write(asked, "sala", 1.0)
        return found.text.values["author"] if isinstance(found, Event) else found.context

    assert write("ana") == "Ana"
    assert write("") == "answer.who_are_you"
    assert write("eva") == "answer.not_allowed", "a viewer stays one on a login that may more"
    event = notebook.write(AskNote(kind="", name="", text="x", author="Luis Ñ"), "sala", 2.0)
    assert isinstance(event, Event)
    assert event.author == "sala", "where it came from stays visible"


class Counter:
    """A hub's desk for commands, at which Ana and a viewer share a login."""

    def __init__(self, folder: Path) -> None:
        net = commanded_network()
        people = {**net.people, **network().people}
        net = replace(net, people=people)
        pins.keep(folder / pins.FILE, "ana", pin.kept("4711", SALT))
        self.who = Who(net, Pins(folder / pins.FILE), clock=lambda: 0.0)
        self.heard: list[CommandNews] = []
        self.sent: list[bytes] = []
        self.events: list[Event] = []
        self.desk = Desk(
            net, lambda _node: NodeState(up=True), self._publish, self.events.append, Clock(), self.who
        )

    async def _publish(self, topic: str, payload: bytes) -> None:
        if topic.startswith("answer"):
            self.heard.append(unpack(CommandNews, payload))
        else:
            self.sent.append(payload)

    async def ask(self, **fields: Any) -> str:
        """What became of it: why it was refused, or that it was taken, or what it would do."""
        asked = AskCommand(**({"id": "1", "where": "switch", "do": "poll"} | fields))
        assert self.desk.ask(pack(asked), "sala", "answer/sala/s/1")
        await settle()
        news = self.heard[-1]
        if news.state is not None:
            assert news.state.text is not None
            return news.state.text.context
        return "plan" if news.plan else "taken"


def test_a_command_on_a_shared_login_takes_name_role_and_pin(tmp_path: Path) -> None:
    async def story() -> None:
        counter = Counter(tmp_path)
        assert await counter.ask() == "answer.who_are_you"
        assert await counter.ask(author="eva") == "refused.role"
        assert await counter.ask(author="luis", do="reboot", force=True, look_first=True) == "plan"
        assert await counter.ask(author="luis") == "answer.pin_none"
        assert await counter.ask(author="ana", key=KEY) == "answer.pin_wanted"
        assert counter.sent == []
        assert [event.text.context for event in counter.events] == ["event.command_refused"], "by the role"
        await counter.who.prove(AskPin(person="ana", pin="4711", key=KEY), "sala")
        assert await counter.ask(author="ana", key=KEY) == "taken"
        event = counter.events[-1]
        assert (event.text.values["who"], event.author) == ("Ana", "sala")
        assert await counter.ask(author="ana", key=KEY) == "taken", "asked again: nothing is done twice"
        await counter.who.prove(AskPin(person="ana", pin="4711", key=OTHER_KEY), "sala")
        assert await counter.ask(author="ana", key=OTHER_KEY) == "taken", "by the same person with a new key"
        assert await counter.ask(author="ana", key=OTHER_KEY, do="identify") == "refused.other_id"
        for task in counter.desk._tasks:
            task.cancel()

    asyncio.run(story())


def test_the_protocol_page_has_the_figures_of_the_code() -> None:
    page = (Path(__file__).parent.parent / "docs" / "protocol.md").read_text(encoding="utf-8")
    text = " ".join(page.split())
    assert (
        f"after {who.IDLE_S / 60:g} minutes without an action, after {who.LONGEST_S / 3600:g} hours" in text
    )
    assert f"After {pin.FREE} wrong PINs in a row" in text
    assert f"looked at after {pin.FIRST_WAIT_S:g} s" in text
    assert f"{who._KEY.pattern.partition('{')[2].partition(',')[0]} to 128 random letters" in text
