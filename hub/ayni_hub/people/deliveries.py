"""How messages to people go: the answer to the question `deliveries`. No address is in it."""

from __future__ import annotations

from ayni_core.inventory import Network
from ayni_core.wire.questions import Deliveries, Delivery, TargetView
from ayni_hub.people.memory import OPEN, Memory, Notice, PeopleError
from ayni_hub.people.outbox import Outbox
from ayni_hub.people.postman import FAILING

NEWEST = 100


def view(network: Network, outbox: Outbox, memory: Memory) -> Deliveries:
    """Every target with its state, and the newest messages, newest first."""
    try:
        reached = memory.last_sent()
    except PeopleError:
        reached = {}
    targets = [
        TargetView(
            person=person.name,
            title=person.title,
            target=target.name,
            kind=target.kind,
            reached_at=reached.get((person.name, target.name)),
            failing=outbox.marks.get(f"{FAILING}/{person.name}/{target.name}", ""),
            waiting=_waiting(outbox, person.name, target.name),
        )
        for person in network.people.values()
        for target in person.contact.targets
    ]
    return Deliveries(targets=tuple(targets), newest=tuple(_delivery(each) for each in outbox.newest(NEWEST)))


def _waiting(outbox: Outbox, person: str, target: str) -> int:
    return sum(
        each.person == person and each.target == target and each.state in OPEN
        for each in outbox.notices.values()
    )


def _delivery(notice: Notice) -> Delivery:
    return Delivery(
        at=round(notice.made, 1),
        person=notice.person,
        target=notice.target,
        what=notice.what,
        alert=notice.alert,
        title=notice.title,
        state=notice.state,
        tries=notice.tries,
        reason=notice.reason,
        changed=round(notice.changed, 1),
    )
