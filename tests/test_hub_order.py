"""In which order the hub takes what waits: news before a backlog, and of that a little at a time."""

from __future__ import annotations

from collections import deque

from ayni_core.wire import topics
from ayni_hub.ingest import Arrival
from ayni_hub.intake import next_batch


def arrivals(kind: str, count: int, size: int) -> list[Arrival]:
    return [Arrival(topics.frame("pi", kind), bytes(size), float(number)) for number in range(count)]


def test_news_and_copies_go_before_a_backlog_in_the_order_in_which_they_came() -> None:
    old, news, copies = arrivals("history", 3, 4000), arrivals("live", 2, 4000), arrivals("watch", 1, 300)
    inbox = deque([old[0], news[0], old[1], copies[0], news[1], old[2]])
    assert next_batch(inbox) == [news[0], copies[0], news[1]]
    assert next_batch(inbox) == old
    assert not inbox


def test_a_backlog_is_stored_in_batches_that_take_moments() -> None:
    inbox = deque(arrivals("history", 500, 4000))
    sizes = []
    while inbox:
        sizes.append(len(next_batch(inbox)))
    assert set(sizes[:-1]) == {17}, "64 KiB of them"
    assert sum(sizes) == 500
    assert len(next_batch(deque(arrivals("history", 300, 100)))) == 200
    assert len(next_batch(deque(arrivals("live", 300, 4000)))) == 200
