"""Questions that are more than one series: rates, gaps, who is first."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ayni_core.readings import Series
from ayni_core.schema import ConfigError
from ayni_core.wire.frame import ANSWERED
from ayni_hub import command_query, queries
from ayni_hub.embedded import EmbeddedStore

START = 1_760_000_400.0
OCTETS = Series("interface", "eth0", "in_octets")
UPTIME = Series("system", "", "uptime_s")
CPU = Series("system", "", "cpu_pct")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EmbeddedStore]:
    made = EmbeddedStore(tmp_path / "store.db")
    yield made
    made.close()


def test_a_rate_knows_wraps_restarts_and_gaps(store: EmbeddedStore) -> None:
    counted = [2**32 - 6000, 0, 6000, 12_000, 100, 6100, 12_100]
    uptimes = [1000, 1060, 1120, 1180, 10, 70, 130]
    times = [START + 60 * number for number in range(6)] + [START + 3600]
    store.write(("ap", OCTETS, at, value) for at, value in zip(times, counted, strict=True))
    store.write(("ap", UPTIME, at, value) for at, value in zip(times, uptimes, strict=True))
    found = queries.rate(store, "ap", OCTETS, START, START + 7200, max_gap_s=900)
    assert found == [(times[1], 100.0), (times[2], 100.0), (times[3], 100.0), (times[5], 100.0)]
    late = queries.rate(store, "ap", OCTETS, times[2], START + 7200, max_gap_s=900)
    assert late[0] == (times[2], 100.0), "the sample before the span counts for the first rate in it"


def test_gaps_are_spans_without_a_poll_also_at_the_edges(store: EmbeddedStore) -> None:
    polls = [*range(600, 1800, 60), *range(5400, 6600, 60)]
    store.write(("ap", ANSWERED, START + at, int(at != 900)) for at in polls)
    found = queries.gaps(store, "ap", START, START + 7200, longest_s=180)
    spans = [(begin - START, end - START) for begin, end in found]
    assert spans == [(0, 600), (1740, 5400), (6540, 7200)], "a poll without an answer is no gap"
    assert queries.gaps(store, "ap", START, START + 7200, longest_s=7200) == []
    assert queries.gaps(store, "nobody", START, START + 60, longest_s=1) == [(START, START + 60)]


def test_who_is_first_goes_by_the_mean_and_counters_by_their_rate(store: EmbeddedStore) -> None:
    for number, device in enumerate(("a", "b", "c")):
        store.write((device, CPU, START + 60 * at, 10 * number + at % 3) for at in range(30))
        store.write((device, OCTETS, START + 60 * at, 6000 * at * (3 - number)) for at in range(30))
    first = queries.top(store, "cpu_pct", START, START + 1800, most=2)
    assert [(each.device, each.low, each.mean, each.high) for each in first] == [
        ("c", 20, 21, 22),
        ("b", 10, 11, 12),
    ]
    last = queries.top(store, "cpu_pct", START, START + 1800, most=1, least_first=True)
    assert [each.device for each in last] == ["a"]
    busy = queries.top(store, "in_octets", START, START + 1800)
    assert [(each.device, each.mean) for each in busy] == [("a", 300), ("b", 200), ("c", 100)]
    assert queries.top(store, "in_octets", START, START + 1800, group="radio") == []
    with pytest.raises(ValueError, match="no number"):
        queries.top(store, "model", START, START + 1800)


def test_the_command_asks_beside_a_running_hub(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "hub").mkdir()
    store = EmbeddedStore(tmp_path / "hub" / "store.db")  # stays open, as a hub has it
    store.write(("ap", CPU, START + 60 * at, 5 + at % 3) for at in range(90))
    store.write(("ap", OCTETS, START + 60 * at, 6000 * at) for at in range(90))
    store.write(("ap", ANSWERED, START + 60 * at, 1) for at in range(90) if not 30 <= at < 60)
    until = ["--dir", str(tmp_path), "--last", "90min", "--to", "2025-10-09T10:30:00", "--json"]
    asked = {
        "history": ["ap", "system//cpu_pct", "--step", "30min"],
        "rate": ["ap", "interface/eth0/in_octets"],
        "gaps": ["ap", "--longer-than", "10min"],
        "top": ["cpu_pct"],
    }
    found = {}
    for kind, words in asked.items():
        assert command_query.main([kind, *words, *until]) == 0
        found[kind] = json.loads(capsys.readouterr().out)
    assert [(row["low"], row["mean"], row["high"]) for row in found["history"]] == [(5, 6, 7)] * 3
    assert {row["per_s"] for row in found["rate"]} == {100}
    assert [row["s"] for row in found["gaps"]] == [1860]
    assert [(row["device"], row["series"]) for row in found["top"]] == [("ap", "system//cpu_pct")]
    assert command_query.main(["latest", "ap", "--dir", str(tmp_path)]) == 0
    assert "interface/eth0/in_octets  534000" in capsys.readouterr().out
    with pytest.raises(ConfigError, match="nobody: nothing is kept of it"):
        command_query.main(["gaps", "nobody", *until])
    with pytest.raises(SystemExit):
        command_query.main(["history", "ap", "cpu_pct", *until])
