"""The past as people saw it: the same links, alarms and readings, out of what was stored."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ayni_core.message import Message
from ayni_core.onlooking.model import Model
from ayni_core.readings import Series, Value
from ayni_core.wire.messages import Event
from ayni_core.wire.past import AskPast, Past
from ayni_core.wire.questions import AskEvidence, AskReadings
from ayni_hub.embedded import EmbeddedStore
from ayni_hub.ledger import Ledger
from ayni_hub.rerun import past as past_module
from ayni_hub.rerun import players as players_module
from ayni_hub.rerun.players import MOST, Players
from ayni_hub.rerun.recorded import Recorded
from ayni_hub.store import Sample
from ayni_io.rulebook import load_rules, read_network

NETWORK = """\
network: {title: Prueba, poll_s: 60, flush_s: 60}
sites:
  torre: {title: Torre}
  cerro: {title: Cerro, homes: 12}
nodes: {pi: {site: torre}}
devices:
  ap: {site: torre, address: 10.0.0.2, community: "env:X"}
  st: {site: cerro, address: 10.0.0.3, community: "env:X"}
links:
  torre-cerro: {a: {device: ap, expected_dbm: -58}, b: {device: st, expected_dbm: -58}}
upstreams: {}
"""
HOUR = 3600.0
SIGNAL = Series("station", "02:00:00:00:00:01", "signal_dbm")


def history(start: float, minutes: int) -> Iterator[Sample]:
    """Two radios each minute; between the 180th and the 240th minute the far one is gone."""
    for n in range(minutes):
        at = start + 60.0 * n
        gone = 180 <= n < 240
        for device, other in (("ap", "02:00:00:00:00:01"), ("st", "02:00:00:00:00:02")):
            if gone and device == "st":
                yield device, Series("system", "", "answered"), at, 0
                continue
            own = "02:00:00:00:00:02" if device == "ap" else "02:00:00:00:00:01"
            values: dict[Series, Value] = {
                Series("system", "", "answered"): 1,
                Series("system", "", "uptime_s"): 5000 + 60 * n,
                Series("radio", "wlan0", "mac"): own,
                Series("interface", "wlan0", "if_mac"): own,
            }
            if not gone:
                values[Series("station", other, "signal_dbm")] = -58
            for series, value in values.items():
                yield device, series, at, value


@pytest.fixture
def begun() -> float:
    """Eight hours ago."""
    return (time.time() // 60) * 60 - 8 * HOUR


@pytest.fixture
def folder(tmp_path: Path, begun: float) -> Path:
    (tmp_path / "network.yaml").write_text(NETWORK)
    data = tmp_path / "hub"
    data.mkdir()
    (tmp_path / "hub.yaml").write_text(
        f"name: hub\ndata_dir: {data}\nnetwork: {tmp_path / 'network.yaml'}\nbroker: {{host: 127.0.0.1}}\n"
    )
    with closing(EmbeddedStore(data / "store.db")) as store:
        store.write(history(begun, 8 * 60))
    with closing(Ledger(data / "ledger.db")):
        pass
    return tmp_path


def shown(past: past_module.Past, model: Model, at: float, *, whole: bool = False) -> None:
    assert past.advance(at, time.time(), 60.0)
    for topic, payload in past.news(whole=whole).items():
        model.apply(topic, payload, True, at)


def opened(folder: Path, start: float) -> tuple[past_module.Past, EmbeddedStore]:
    rules = load_rules()
    network = read_network(folder / "network.yaml", rules)
    store = EmbeddedStore(folder / "hub" / "store.db")
    return past_module.Past(network, rules, store, Recorded(folder / "hub" / "ledger.db"), start), store


def test_links_alarms_and_readings_are_as_they_were(folder: Path, begun: float) -> None:
    past, store = opened(folder, begun + 2.5 * HOUR)
    model = Model()
    with closing(store):
        shown(past, model, begun + 2.5 * HOUR)
        assert model.links["torre-cerro"].state == "ok"
        assert model.links["torre-cerro"].a.signal_dbm == -58
        assert not model.alerts
        shown(past, model, begun + 3.2 * HOUR)
        assert model.links["torre-cerro"].state == "down"
        assert {alert.rule for alert in model.alerts.values()} == {"link-down", "device-silent"}
        assert all(abs(a.since - begun - 3 * HOUR) < 300 for a in model.alerts.values())
        assert model.links["torre-cerro"].day.endswith("d")
        shown(past, model, begun + 4.2 * HOUR)
        assert model.links["torre-cerro"].state == "ok"
        assert not model.alerts
        newest = {each.metric: each.at for each in past.readings(AskReadings(device="ap")).readings}
        assert begun + 4.2 * HOUR - 60 <= newest["uptime_s"] <= begun + 4.2 * HOUR + 60


def test_only_what_changed_is_told_unless_all_is_wanted(folder: Path, begun: float) -> None:
    past, store = opened(folder, begun + 3.5 * HOUR)
    with closing(store):
        assert past.advance(begun + 3.5 * HOUR, time.time(), 60.0)
        everything = past.news()
        assert past.news() == {}
        assert past.news(whole=True) == everything


def test_what_began_long_before_is_dated_by_what_was_written_down_then(
    folder: Path, begun: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(past_module, "WARM_S", 600.0)
    fired = Event(
        at=begun + 3 * HOUR + 120, kind="link", name="torre-cerro", level="critical",
        text=Message("rule.link_down", {"link": "Torre-Cerro"}),
    )  # fmt: skip
    with closing(Ledger(folder / "hub" / "ledger.db")) as ledger:
        ledger.put_events([fired])
    past, store = opened(folder, begun + 3.9 * HOUR)
    model = Model()
    with closing(store):
        shown(past, model, begun + 3.9 * HOUR)
    (alert,) = [each for each in model.alerts.values() if each.rule == "link-down"]
    assert alert.since == fired.at
    assert model.links["torre-cerro"].since == fired.at


@pytest.fixture(autouse=True)
def _nobody_waits_for_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine that runs other tests, too, one may take longer to begin than a console waits."""
    monkeypatch.setattr(players_module, "_WITHIN_S", 60.0)


async def asked(players: Players, asks: AskPast, user: str = "ana") -> tuple[Past, Model]:
    """Ask until it is there."""
    model = Model()
    for _each in range(100):
        answer = await players.answer(asks, user)
        if answer.error is not None:
            return answer, model
        for topic, payload in answer.news:
            model.apply(topic, payload.encode(), True, asks.at)
        if answer.done and not answer.more:
            return answer, model
        asks = AskPast(id=asks.id, at=asks.at)
    raise AssertionError("never done")


def test_a_process_beside_the_hub_shows_it(folder: Path, begun: float) -> None:
    async def main() -> None:
        players = Players(folder / "hub.yaml")
        running = asyncio.create_task(players.run())
        answer, model = await asked(players, AskPast(id="one", at=begun + 3.2 * HOUR, begin=True))
        assert answer.error is None
        assert model.links["torre-cerro"].state == "down"
        readings = await players.readings(AskReadings(device="ap", past="one"), "ana")
        assert {each.metric for each in readings.readings} >= {"uptime_s", "signal_dbm"}
        asked_some = AskReadings(device="ap", past="one", groups=("system",), rates=True)
        some = await players.readings(asked_some, "ana")
        assert {each.group for each in some.readings} == {"system"}
        evidence = await players.evidence(AskEvidence(link="torre-cerro", past="one"), "ana")
        assert {(n.side, n.new) for n in evidence.normals if n.metric == "signal_dbm"} >= {("a", -58)}
        assert evidence.signs, "of what was probable then"
        nobody = await players.evidence(AskEvidence(link="torre-cerro", past="two"), "ana")
        assert nobody.error is not None
        later, model = await asked(players, AskPast(id="one", at=begun + 4.2 * HOUR))
        assert later.at >= begun + 4.2 * HOUR
        assert model.links["torre-cerro"].state == "ok"
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        over, _model = await asked(players, AskPast(id="one", at=begun + 5 * HOUR))
        assert over.error is not None
        assert over.error.context == "answer.past_over"

    asyncio.run(main())


def test_only_so_many_look_back_at_once_and_one_person_once(folder: Path, begun: float) -> None:
    async def main() -> None:
        players = Players(folder / "hub.yaml")
        running = asyncio.create_task(players.run())
        for number in range(MOST):
            answer = await players.answer(AskPast(id="x", at=begun + HOUR, begin=True), f"p{number}")
            assert answer.error is None
        refused = await players.answer(AskPast(id="x", at=begun + HOUR, begin=True), "late")
        assert refused.error is not None
        assert refused.error.context == "answer.past_busy"
        again = await players.answer(AskPast(id="y", at=begun + HOUR, begin=True), "p0")
        assert again.error is None
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(main())


@pytest.mark.parametrize("at", [0.0, 4e9, float("nan")])
def test_a_time_that_cannot_be_is_refused(tmp_path: Path, at: float) -> None:
    answer = asyncio.run(Players(tmp_path / "hub.yaml").answer(AskPast(id="x", at=at, begin=True), "ana"))
    assert answer.error is not None
    assert answer.error.context == "answer.bad_question"
