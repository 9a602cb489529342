"""Keys for a console under test: after each is waited until what it set going has come to its end.

Textual's own pause ends when the process uses little of the processor, which says nothing on a busy machine.
"""

from __future__ import annotations

from textual.pilot import Pilot

from ayni_console.app import ConsoleApp

_LASTING = ("feed", "rest", "replay")
"""What goes on by itself."""
_MOST_PAUSES, _WORK_PAUSES = 100, 3
"""A question that the village answers is answered within one; what is still at work then waits for more than
that."""


def without_clock(app: ConsoleApp) -> ConsoleApp:
    """It ticks when the test says so: a second of the clock comes sooner or later on a busy machine."""
    app.set_interval = lambda *_words, **_options: None  # type: ignore[method-assign,assignment,return-value]
    return app


async def settled(pilot: Pilot[None]) -> None:
    """Until nothing waits to be handled, and what was asked is answered."""
    at_work = 0
    for _each in range(_MOST_PAUSES):
        await pilot.pause()
        screen = pilot.app.screen
        pumps = (pilot.app, *screen.walk_children(with_self=True))
        if not screen.is_mounted or any(each.message_queue_size for each in pumps):
            continue
        running = (each for each in pilot.app.workers if each.group not in _LASTING)
        if all(each.is_finished for each in running) or at_work == _WORK_PAUSES:
            return
        at_work += 1


async def press(pilot: Pilot[None], *keys: str) -> None:
    """One key after the other."""
    for key in keys:
        await pilot.press(key)
        await settled(pilot)
