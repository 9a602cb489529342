"""Messages to people as plain lines: which ways work, and what was told, newest first."""

from __future__ import annotations

from collections.abc import Iterator

from ayni_console.lines import clean
from ayni_console.view import plain_parts as parts
from ayni_console.view.messages import state_word
from ayni_console.view.plain_health import target_lines
from ayni_core.wire.questions import Deliveries, Delivery
from ayni_io.i18n import _


def lines(told: Deliveries, now: float) -> Iterator[str]:
    """The lines."""
    if not told.targets and not told.newest:
        yield _("Nobody is told anything: no person of network.yaml has a notify.")
        return
    for target in told.targets:
        yield from target_lines(target, now)
    if not told.newest:
        yield _("Nobody was told anything yet.")
    yield from parts.below(_("Told, newest first:"), (_line(each, now) for each in told.newest))


def _line(delivery: Delivery, now: float) -> str:
    to = _("{name} by {target}", name=clean(delivery.person), target=clean(delivery.target))
    said = f"{parts.ago(delivery.at, now)}, {to}, {state_word(delivery.state)}: {clean(delivery.title)}"
    return said + (f" ({clean(delivery.reason)})" if delivery.reason else "")


def all_arrive(told: Deliveries) -> bool:
    """Whether every way works."""
    return not any(target.failing for target in told.targets)


def as_json(told: Deliveries, now: float) -> dict[str, object]:
    """The same for programs."""
    return {
        "people": [
            {
                "person": each.person,
                "title": each.title,
                "target": each.target,
                "kind": each.kind,
                "works": not each.failing,
                "failing": each.failing,
                "reached_at": each.reached_at,
                "waiting": each.waiting,
            }
            for each in told.targets
        ],
        "told": [
            {
                "at": each.at,
                "age_s": round(max(now - each.at, 0.0), 1),
                "person": each.person,
                "target": each.target,
                "what": each.what,
                "state": each.state,
                "tries": each.tries,
                "title": each.title,
                "reason": each.reason,
            }
            for each in told.newest
        ],
    }
