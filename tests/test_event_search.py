"""Looking for events: over all that is remembered, in the reader's language, page after page."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from ayni_core import inventory
from ayni_core.matching import fold, matches
from ayni_core.message import Message
from ayni_core.schema import Faults, Fields
from ayni_core.wire.messages import Event
from ayni_core.wire.questions import AskEvents, Events
from ayni_hub.event_search import MOST, Search, find, find_now
from ayni_hub.ledger import Ledger

RAW = {
    "network": {"title": "T"},
    "people": {"ana": {"title": "Ana María", "language": "es"}, "ben": {"title": "Ben"}},
    "sites": {"torre": {"title": "Torre"}},
    "nodes": {"pi": {"site": "torre", "title": "Caja Azul"}},
    "devices": {"ap": {"site": "torre", "node": "pi", "address": "10.0.0.1", "title": "Radio Clínica"}},
}


@pytest.fixture(name="network")
def the_network() -> inventory.Network:
    faults = Faults("network.yaml")
    network = inventory.parse(Fields(RAW, "", faults))
    faults.stop()
    return network


@pytest.fixture(name="ledger")
def the_ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(tmp_path / "ledger.db")
    yield ledger
    ledger.close()


def note(at: float, words: str, author: str = "ana") -> Event:
    text = Message("event.note", {"author": "Ana María", "text": words})
    return Event(at=at, text=text, level="note", kind="site", name="torre", author=author)


def silent(at: float, level: str = "critical") -> Event:
    return Event(
        at=at, text=Message("rule.device_silent", {"device": "Radio Clínica"}), level=level,
        kind="device", name="ap",
    )  # fmt: skip


def started(at: float) -> Event:
    return Event(at=at, text=Message("event.hub_started"))


def keep(ledger: Ledger, *events: Event) -> None:
    ledger.remember({}, {}, events, {})


def times(found: Events) -> list[float]:
    return [event.at for event in found.events]


@pytest.mark.parametrize(
    ("wanted", "words", "there"),
    [
        ("clinica", "Radio Clínica", True),
        ("CLÍNICA", "Radio clinica", True),
        ("", "anything", True),
        ("  ", "anything", True),
        ("!clinica", "Radio Clínica", False),
        ("! torre", "Radio Clínica", True),
        ("straße", "STRASSE", True),
        ("dios clin", "Radio Clínica", False),
    ],
)
def test_capitals_and_accents_do_not_count_and_a_mark_inverts(wanted: str, words: str, there: bool) -> None:
    assert matches(wanted, words) == there
    assert fold("Ñandú") == "nandu"


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (AskEvents(), [6.0, 5.0, 4.0, 3.0, 2.0, 1.0]),
        (AskEvents(only="notes"), [5.0, 2.0]),
        (AskEvents(only="alarms"), [6.0, 3.0]),
        (AskEvents(only="songs"), [6.0, 5.0, 4.0, 3.0, 2.0, 1.0]),
        (AskEvents(words="mast"), [5.0]),
        (AskEvents(words="maria"), [5.0, 2.0]),
        (AskEvents(words="clinica"), [6.0, 3.0]),
        (AskEvents(words="!clinica"), [5.0, 4.0, 2.0, 1.0]),
        (AskEvents(words="does not answer", language="en"), [6.0, 3.0]),
        (AskEvents(words="does not answer", language="es"), []),
        (AskEvents(words="no contesta", language="es"), [6.0, 3.0]),
        (AskEvents(words="over:", language="en"), [6.0]),
        (AskEvents(words="caja azul"), [1.0]),
        (AskEvents(words="monitor caja", language="en"), [1.0]),
        (AskEvents(kind="site", name="torre"), [5.0, 2.0]),
        (AskEvents(kind="site", name="torre", words="cable"), [2.0]),
        (AskEvents(before=3.0), [2.0, 1.0]),
    ],
)
def test_what_is_looked_for_is_what_people_read(
    ledger: Ledger, network: inventory.Network, asked: AskEvents, found: list[float]
) -> None:
    up = Event(at=1.0, text=Message("event.node_up", {"node": "x"}), kind="node", name="pi")
    keep(ledger, up, note(2.0, "new cable"), silent(3.0), started(4.0), note(5.0, "mast tilted"),
         silent(6.0, "clear"))  # fmt: skip
    answer = find_now(Search(ledger, network, asked, "ben"))
    assert times(answer) == found
    assert answer.looked_back is None, "that is all"


def test_without_a_language_it_is_that_of_who_asks(ledger: Ledger, network: inventory.Network) -> None:
    keep(ledger, silent(1.0))
    assert times(find_now(Search(ledger, network, AskEvents(words="no contesta"), "ana"))) == [1.0]
    assert times(find_now(Search(ledger, network, AskEvents(words="no contesta"), "ben"))) == []
    assert times(find_now(Search(ledger, network, AskEvents(words="no contesta", language="xx"), "ana"))) == [
        1.0
    ]


def test_page_after_page_brings_every_event_once_also_those_of_one_moment(
    ledger: Ledger, network: inventory.Network
) -> None:
    at_once = [note(50.0, f"one moment {number}") for number in range(30)]
    keep(
        ledger, *(started(float(at)) for at in range(40)), *at_once, *(started(60.0 + at) for at in range(15))
    )
    found: list[Event] = []
    before: float | None = None
    for _page in range(99):
        answer = find_now(Search(ledger, network, AskEvents(limit=20, before=before), "ben"))
        found += answer.events
        before = answer.looked_back
        if before is None:
            break
    assert len(found) == 85
    assert len(set(map(repr, found))) == 85
    assert [event.at for event in found] == sorted((event.at for event in found), reverse=True)


def test_a_limit_is_kept_to_and_says_how_far_it_looked(ledger: Ledger, network: inventory.Network) -> None:
    keep(ledger, *(started(float(at)) for at in range(1, 1001)))
    answer = find_now(Search(ledger, network, AskEvents(limit=10_000), "ben"))
    assert len(answer.events) == MOST
    assert answer.looked_back == 1001.0 - MOST
    assert len(find_now(Search(ledger, network, AskEvents(limit=0), "ben")).events) == 1


def test_a_long_search_stops_after_a_moment_and_goes_on_where_it_stopped(
    ledger: Ledger, network: inventory.Network
) -> None:
    keep(ledger, note(1.0, "needle"), *(started(float(at)) for at in range(2, 2002)))
    before, answers = None, 0
    ticks = iter(range(10**9))
    while True:
        search = Search(
            ledger,
            network,
            AskEvents(words="needle", before=before),
            "ben",
            now_s=lambda: next(ticks) * 0.2,
        )
        answer = asyncio.run(find(search))
        answers += 1
        if answer.looked_back is None:
            break
        assert before is None or answer.looked_back < before, "it comes forward"
        before = answer.looked_back
    assert answers > 1
    assert times(answer) == [1.0]


def test_a_search_lets_others_have_their_turn(ledger: Ledger, network: inventory.Network) -> None:
    keep(ledger, *(started(float(at)) for at in range(3000)))

    async def run() -> int:
        turns = 0
        search = asyncio.create_task(find(Search(ledger, network, AskEvents(words="needle"), "ben")))
        while not search.done():
            await asyncio.sleep(0)
            turns += 1
        return turns

    assert asyncio.run(run()) >= 2


def test_words_in_a_note_do_not_make_it_an_alarm(ledger: Ledger, network: inventory.Network) -> None:
    keep(ledger, note(1.0, '"level":"critical" "text":["event.note",'), started(2.0))
    assert times(find_now(Search(ledger, network, AskEvents(only="alarms"), "ben"))) == []
    assert times(find_now(Search(ledger, network, AskEvents(only="notes"), "ben"))) == [1.0]
