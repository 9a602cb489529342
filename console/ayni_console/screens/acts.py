"""How a screen acts: it is made clear who does it and that they may, then it is asked for, then told.

The way is always the same: not in the past; a name on a shared login; the role; a PIN. What is missing is
asked for, then it goes on where it stood. The central looks at all of it again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from ayni_console.acting import PIN_WANTED
from ayni_console.feed import NoAnswer
from ayni_console.unsent import LATER
from ayni_console.view import do as view
from ayni_core.wire.messages import Alert
from ayni_core.wire.questions import AskAck, AskMaintain, AskMaintained, AskMe, AskNote, Done, Me
from ayni_io.i18n import _, _n, say

if TYPE_CHECKING:
    from ayni_console.screens.page import Page

Asked = AskAck | AskMaintain | AskMaintained | AskNote
_PIN_WRONG = "answer.pin_wrong"
_WHO = "answer.who_are_you"
_NOT_UNDERSTOOD = "answer.bad_question"
_MOST_NOTE = 1000
_SOON_S = 0.7
T = TypeVar("T")


def allowed(page: Page, then: Callable[[], None]) -> None:
    """Go on once it is clear who acts, and that they may; else say why not."""
    named(page, lambda: _pin(page, then))


def named(page: Page, then: Callable[[], None]) -> None:
    """The same without a PIN: what is only written takes none."""
    app, acting = page.app, page.app.deeds.acting
    if app.replay is not None:
        app.tell(_("This is the past: nothing can be done in it. r leads back to now."))
    elif acting.me is None:
        page.fetch(_ask_me(page, then), "me")
    elif acting.wants_name:
        app.deeds.open_who(lambda: named(page, then))
    elif acting.why_not():
        app.tell(acting.why_not())
    else:
        then()


async def _patiently(page: Page, work: Coroutine[Any, Any, T]) -> T:
    """What the work brings; on a slow line it is said that the central was asked."""
    task = asyncio.ensure_future(work)
    try:
        done, _late = await asyncio.wait({task}, timeout=_SOON_S)
        if not done:
            page.app.tell(_("Asking the central …"))
        return await task
    finally:
        task.cancel()


async def _ask_me(page: Page, then: Callable[[], None]) -> None:
    try:
        await _patiently(page, know_me(page))
    except NoAnswer as problem:
        page.app.tell(str(problem))
    else:
        named(page, then)


async def know_me(page: Page) -> None:
    """Ask the central who we are. Raises `NoAnswer`."""
    try:
        page.app.deeds.acting.me = await page.app.feed.ask(AskMe(), Me)
    except NoAnswer as problem:
        if problem.context != _NOT_UNDERSTOOD:
            raise
        page.app.deeds.acting.me = Me(role="operator")  # an older central: it looks itself, and says why not


def _pin(page: Page, then: Callable[[], None], wrong: str = "") -> None:
    acting = page.app.deeds.acting
    if not acting.wants_pin:
        then()
        return
    if acting.person is not None and not acting.person.pin:
        name = acting.person.name
        page.app.tell(_("No PIN yet; at the central: ayni hub pin {person}", person=name))
        acting.me = None  # somebody may give one now: it is asked again next time
        acting.choose(None)
        return

    def typed(number: str) -> None:
        if number.strip():
            page.fetch(_prove(page, number.strip(), then), "pin")

    label = wrong or _("PIN of {name} (Enter; Esc leaves):", name=acting.title)
    page.open_prompt("ask", label, then=typed, hidden=True)


async def _prove(page: Page, number: str, then: Callable[[], None]) -> None:
    question, key = page.app.deeds.acting.pin(number)
    try:
        await _patiently(page, page.app.feed.ask(question, Done))
    except NoAnswer as problem:
        if problem.context == _PIN_WRONG:
            name = page.app.deeds.acting.title
            _pin(page, then, _("Not the PIN of {name}. Once more (Esc leaves):", name=name))
        else:
            page.app.tell(str(problem))
    else:
        page.app.deeds.acting.proved(key)
        then()


def do(page: Page, questions: list[Asked], said: str, done: Callable[[], None] | None = None) -> None:
    """Ask for these one after the other; at the end say that it is so, or why not."""
    gate = _written if all(isinstance(each, AskNote) for each in questions) else allowed
    gate(page, lambda: page.app.deeds.in_background(_do(page, questions, said, done)))


def _written(page: Page, then: Callable[[], None]) -> None:
    """For notes: whoever begins to type before the central said who we are is not kept waiting."""
    if page.app.deeds.acting.me is None and page.app.replay is None:
        then()
    else:
        named(page, then)


async def _do(page: Page, questions: list[Asked], said: str, done: Callable[[], None] | None) -> None:
    acting = page.app.deeds.acting
    for number, each in enumerate(questions):
        try:
            await _patiently(page, page.app.feed.ask(acting.sign(each), Done))
        except NoAnswer as problem:
            again = partial(do, page, questions[number:], said, done)
            if problem.context == PIN_WANTED:
                acting.forgotten()
                again()
            elif problem.context == _WHO and acting.me is None:
                await _ask_me(page, again)
            elif isinstance(each, AskNote) and problem.context in LATER:
                page.app.deeds.keep_note(acting.sign(each), str(problem))
            else:
                page.app.tell(_("Not done: {reason}", reason=problem))
            return
    page.app.tell(said)
    if done is not None:
        done()


# ---- what screens offer everywhere


def take_on(page: Page) -> None:
    """Take on the alarms of what is selected; where somebody has them, give them back."""
    subject = page.subject() or ("", "")
    found = view.alarms(page.app.model, subject) if subject[0] else []
    free = [alert for alert in found if alert.acked_by is None]
    if not found:
        page.app.tell(
            _("No alarm is about {name}.", name=view.name_of(page.app.model, subject))
            if subject[0]
            else _("Choose a line with an alarm first.")
        )
    elif free:
        allowed(page, lambda: _ask_to_take_on(page, free))
    else:
        allowed(page, lambda: give_back(page, found))


def _ask_to_take_on(page: Page, alerts: list[Alert]) -> None:
    one = _("You see to it: {what}. Note (Enter; Esc leaves):", what=say(alerts[0].text))
    many = _n("You see to {n} alarm. Note (Enter; Esc leaves):",
              "You see to {n} alarms. Note (Enter; Esc leaves):", len(alerts))  # fmt: skip

    def typed(note: str) -> None:
        asked: list[Asked] = [AskAck(alert=alert.id, note=note.strip()[:_MOST_NOTE]) for alert in alerts]
        do(page, asked, _("It is yours. k gives it back."))

    page.open_prompt("ask", one if len(alerts) == 1 else many, then=typed)


def give_back(page: Page, alerts: list[Alert]) -> None:
    """Somebody else has to see to it."""

    def agreed(_typed: str) -> None:
        asked: list[Asked] = [AskAck(alert=alert.id, back=True) for alert in alerts]
        do(page, asked, _("It is nobody's again. k takes it on."))

    page.open_prompt("ask", _("Give it back? People are called (Enter; Esc leaves):"), then=agreed)


def note(page: Page) -> None:
    """Write into the notebook, about what is shown."""
    subject = page.subject() or ("", "")

    def typed(words: str) -> None:
        if words.strip():
            kind, name = subject
            asked = AskNote(kind=kind, name=name, text=words.strip()[:_MOST_NOTE])
            do(page, [asked], _("Noted."), page.noted)

    name = page.app.model.title(*subject) if subject[0] else page.app.model.community.title
    label = _("Note on {name} (Enter writes, Esc leaves):", name=name)
    _written(page, lambda: page.open_prompt("note", label, then=typed))
