"""A program that looks at the past for one person: a line of JSON in, a line out, until its input ends.

It is a process of its own, and a polite one: to judge a day once more takes seconds that a hub has not.

The first line says where things are (`config`, or `data_dir` and `network`) and where to begin (`start`).
Each further one asks: `to` and `whole`, answered by `at`, `done`, `more` and `news`, pairs of a topic and a
payload; or `readings` or `evidence`, a question as it came, answered by one of the same name. What goes wrong
is answered by `error`.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from ayni_core.schema import ConfigError
from ayni_core.wire.questions import AskEvidence, AskReadings
from ayni_core.wire.shape import from_json, pack
from ayni_hub import places
from ayni_hub.places import Places
from ayni_hub.rerun.past import Past
from ayni_hub.rerun.recorded import Recorded
from ayni_hub.store import StoreError
from ayni_io import clock, i18n
from ayni_io.rulebook import load_rules, read_network

WITHIN_S = 4.0
"""An answer takes about so long at most; then it says how far it came."""
_MOST_BYTES = 200_000
_NICE = 10


def main() -> int:
    """Answer until nobody asks any more."""
    os.nice(_NICE)
    first = json.loads(sys.stdin.readline() or "{}")
    try:
        place = _place(first)
        rules = load_rules()
        network = read_network(place.network, rules)
        longest = max(3 * network.poll_s, 2 * network.flush_s)
        with closing(places.open_store(place, longest)) as store:
            recorded = Recorded(place.data_dir / places.LEDGER)
            past = Past(network, rules, store, recorded, float(first["start"]))
            answers = Answers(past)
            for line in sys.stdin:
                _say(answers.answer(json.loads(line)))
    except (StoreError, ConfigError, OSError) as error:
        _say({"error": i18n.reason(error)})
        return 1
    return 0


class Answers:
    """What is asked of one past. News that does not fit into an answer comes with the next."""

    def __init__(self, past: Past) -> None:
        self._past = past
        self._left: dict[str, bytes] = {}

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        """One answer. Raises `StoreError`."""
        if "readings" in asked:
            wanted = from_json(AskReadings, asked["readings"])
            return {"readings": pack(self._past.readings(wanted)).decode()}
        if "evidence" in asked:
            return {"evidence": pack(self._past.evidence(from_json(AskEvidence, asked["evidence"]))).decode()}
        done = self._past.advance(float(asked["to"]), clock.wall_s(), WITHIN_S)
        if asked.get("whole"):
            self._left = {}
        if done:
            self._left |= self._past.news(whole=bool(asked.get("whole")))
        news = list(self._some())
        return {"at": self._past.at, "done": done, "more": bool(self._left), "news": news}

    def _some(self) -> Iterator[tuple[str, str]]:
        size = 0
        while self._left and size < _MOST_BYTES:
            topic = next(iter(self._left))
            payload = self._left.pop(topic).decode()
            size += len(topic) + len(payload)
            yield topic, payload


def _place(first: dict[str, Any]) -> Places:
    if first.get("config"):
        return places.at(Path(first["config"]))
    return Places(Path(first["data_dir"]), Path(first["network"]))


def _say(answer: dict[str, Any]) -> None:
    print(json.dumps(answer, ensure_ascii=False, separators=(",", ":")), flush=True)


if __name__ == "__main__":
    sys.exit(main())
