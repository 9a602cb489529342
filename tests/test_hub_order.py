"""In which order the hub takes what waits: news first, little of a backlog at a time, and fair among
senders."""

from __future__ import annotations

from collections import Counter

import pytest

from ayni_core.wire import topics
from ayni_hub.inbox import Inbox
from ayni_hub.ingest import Arrival


def arrivals(kind: str, count: int, size: int, node: str = "pi") -> list[Arrival]:
    return [Arrival(topics.frame(node, kind), bytes(size), float(number)) for number in range(count)]


def filled(*given: Arrival, most_bytes: int = 1 << 26) -> Inbox:
    inbox = Inbox(most_bytes)
    for each in given:
        assert inbox.put(each.topic.split("/")[4], each)
    return inbox


def test_news_and_copies_go_before_a_backlog_in_the_order_in_which_they_came() -> None:
    old, news, copies = arrivals("history", 3, 4000), arrivals("live", 2, 4000), arrivals("watch", 1, 300)
    inbox = filled(old[0], news[0], old[1], copies[0], news[1], old[2])
    assert inbox.take() == [news[0], copies[0], news[1]]
    assert inbox.take() == old
    assert not inbox
    assert inbox.size_bytes == 0


def test_a_backlog_is_stored_in_batches_that_take_moments() -> None:
    inbox = filled(*arrivals("history", 500, 4000))
    sizes = []
    while inbox:
        sizes.append(len(inbox.take()))
    assert set(sizes[:-1]) == {17}, "64 KiB of them"
    assert sum(sizes) == 500
    assert len(filled(*arrivals("history", 300, 100)).take()) == 200
    assert len(filled(*arrivals("live", 300, 4000)).take()) == 200


def test_whoever_floods_waits_behind_itself() -> None:
    inbox = filled(*arrivals("live", 5000, 100, "evil"), *arrivals("live", 1, 100, "good"))
    assert [each.topic for each in inbox.take()].count(topics.frame("good", "live")) == 1


def test_whoever_costs_much_is_taken_less_often_and_in_batches_that_stay_short() -> None:
    inbox = filled(*arrivals("live", 900, 100, "evil"))
    for _turn in range(8):  # each of its frames costs as much as a hundred others
        batch = inbox.take()
        inbox.charge({"evil": (len(batch), 0.1 * len(batch))})
    assert len(inbox.take()) == 2
    inbox.charge({"evil": (1, 0.1)})
    taken: Counter[str] = Counter()
    for each in arrivals("live", 400, 100, "good"):
        inbox.put("good", each)
    while taken["good"] < 400:
        batch = inbox.take()
        here = Counter(each.topic.split("/")[4] for each in batch)
        taken += here
        inbox.charge(
            {node: (count, (0.1 if node == "evil" else 0.001) * count) for node, count in here.items()}
        )
    assert taken["evil"] < 10


def test_news_without_end_leave_a_turn_to_the_backlog_of_others() -> None:
    inbox = filled(*arrivals("live", 3000, 100, "evil"), *arrivals("history", 10, 100, "good"))
    batches = [inbox.take() for _turn in range(4)]
    assert any(each.topic == topics.frame("good", "history") for batch in batches for each in batch)


@pytest.mark.parametrize(("many", "share"), [(1, 0.5), (4, 0.2), (9, 0.1)])
def test_a_sender_holds_as_much_as_it_leaves_free_for_others(many: int, share: float) -> None:
    most = 1 << 20
    inbox = Inbox(most)
    held: Counter[str] = Counter()
    for _round in range(4000):
        for number in range(many):
            held[f"evil-{number}"] += inbox.put(f"evil-{number}", arrivals("live", 1, 744)[0]) * 1000
    for each in held.values():
        assert each == pytest.approx(share * most, rel=0.02)
    assert inbox.put("good", arrivals("live", 1, 50_000)[0]), "there is room for whoever holds nothing"


def test_senders_without_number_are_not_remembered_for_ever() -> None:
    inbox = Inbox()
    for number in range(30_000):
        inbox.put(f"n{number}", arrivals("live", 1, 10)[0])
        inbox.take()
        inbox.charge({f"n{number}": (1, 0.001)})
    assert len(inbox._used) <= 10_001
