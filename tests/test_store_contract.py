"""One contract for every store: what is kept comes back as it was, from whatever keeps it."""

from __future__ import annotations

import itertools
import os
import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from parts import VictoriaMetrics

from ayni_core.readings import Series, Value
from ayni_core.wire import codec
from ayni_core.wire.frame import DevicePolls, Frame
from ayni_hub.embedded import EmbeddedStore
from ayni_hub.remote import RemoteStore
from ayni_hub.remote.marks import Times
from ayni_hub.remote.opening import open_server
from ayni_hub.store import Kept, Step, Store, StoreError
from ayni_hub.store_config import StoreConfig

DAY = 86_400.0
START = 20_000 * DAY
NOW = START + 400 * DAY
SIGNAL = Series("radio", "wlan0", "signal_dbm")
OCTETS = Series("interface", "eth0", "in_octets")
UPTIME = Series("system", "", "uptime_s")
MODEL = Series("system", "", "model")
QUICK = Times(keep_s=0.3, settle_s=0.1, missed_s=20, mark_every_s=0.3)
INFLUX = os.environ.get("AYNI_TEST_INFLUX_URL")
_seq = itertools.count(int(time.time()) * 100)  # a real bucket remembers what was run before


def _nothing() -> None:
    pass


@dataclass
class Kind:
    """A store and how to make it bring everything to where it stays."""

    store: Store
    settle: Callable[[], None]
    show: Callable[[], None] = _nothing
    """Let what was written be found at once."""


def settle_embedded(store: EmbeddedStore) -> None:
    while store.upkeep(NOW):
        pass


def settle_remote(store: RemoteStore, show: Callable[[], None]) -> None:
    """Until nothing is in the spool, so that what is read comes from the server alone."""
    end = time.monotonic() + 30
    while store.drain.held:
        assert time.monotonic() < end, f"{store.drain.held} frames stay: {store.drain.trouble}"
        show()
        time.sleep(0.15)
    assert not store.drain.refused


@pytest.fixture(scope="module")
def victoria(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VictoriaMetrics]:
    with VictoriaMetrics.running(tmp_path_factory.mktemp("victoria")) as server:
        yield server


KINDS = ["embedded", "victoriametrics", *(["influxdb"] if INFLUX else [])]


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kind]:
    name = request.param
    if name == "embedded":
        store = EmbeddedStore(tmp_path / "store.db")
        yield Kind(store, lambda: settle_embedded(store))
        store.close()
        return
    show: Callable[[], None] = _nothing
    if name == "victoriametrics":
        server: VictoriaMetrics = request.getfixturevalue("victoria")
        show = server.show
        config = StoreConfig(kind=name, url=server.url, bucket=f"t{next(_seq)}")
    else:
        config = StoreConfig(
            kind=name, url=INFLUX or "", bucket=os.environ.get("AYNI_TEST_INFLUX_BUCKET", "ayni"),
            org=os.environ.get("AYNI_TEST_INFLUX_ORG", "ayni"), token="env:AYNI_TEST_INFLUX_TOKEN",
        )  # fmt: skip
    remote = RemoteStore(tmp_path / "spool.db", open_server(config), times=QUICK)
    yield Kind(remote, lambda: settle_remote(remote, show), show)
    remote.close()


def kept(seq: int, start: float, times: list[float], values: dict[Series, list[Value]], device: str) -> Kept:
    made = Frame(
        node=f"pi-{device}", epoch="e", seq=seq, boot="b", mono_s=0.0, wall_s=start, synced=True,
        next_by_s=360, devices={device: DevicePolls(times_s=times, values=values)},
    )  # fmt: skip
    return Kept(made, start, codec.encode(made, "field"))


def report(seq: int, device: str, polls: int = 5) -> Kept:
    """A poll a minute, a signal that moves, a counter, a text."""
    base = seq * polls
    values: dict[Series, list[Value]] = {
        SIGNAL: [-60 - (base + at) % 7 for at in range(polls)],
        OCTETS: [1000 * (base + at) for at in range(polls)],
        UPTIME: [1e5 + 60 * (base + at) for at in range(polls)],
        MODEL: ["hAP ac²"] * polls,
    }
    return kept(seq, START + 60.0 * base, [60.0 * at for at in range(polls)], values, device)


def test_what_is_kept_comes_back_at_once_and_later(kind: Kind) -> None:
    device = f"ap-{next(_seq)}"
    store = kind.store
    assert store.keep([report(seq, device) for seq in range(60)]) == 60 * 5 * 4
    for _when in ("at once", "later"):
        assert store.raw(device, SIGNAL, 0, 2e12) == [(START + 60.0 * at, -60 - at % 7) for at in range(300)]
        assert store.values(device, MODEL, 0, 2e12) == [(START + 60.0 * at, "hAP ac²") for at in range(300)]
        assert store.raw(device, MODEL, 0, 2e12) == []
        assert device in store.devices()
        assert set(store.names(device)) == {SIGNAL, OCTETS, UPTIME, MODEL}
        newest = {series: (at, value) for series, at, value in store.latest(device)}
        assert newest[MODEL] == (START + 299 * 60, "hAP ac²")
        assert newest[OCTETS] == (START + 299 * 60, 299_000)
        assert store.newest() == START + 299 * 60
        kind.settle()


def test_a_span_has_its_first_time_and_not_its_last(kind: Kind) -> None:
    device = f"ap-{next(_seq)}"
    times = [0.0, 0.01, 59.99, 60.0, 60.01]
    kind.store.keep([kept(1, START, times, {SIGNAL: [1, 2, 3, 4, 5]}, device)])
    for _when in ("at once", "later"):

        def between(first: float, end: float) -> list[float]:
            return [value for _at, value in kind.store.raw(device, SIGNAL, START + first, START + end)]

        assert between(0, 60) == [1, 2, 3]
        assert between(0.01, 60.01) == [2, 3, 4]
        assert between(60.01, 60.02) == [5]
        assert between(0.02, 59.99) == []
        assert between(-10, 0) == []
        assert between(60, 0) == []
        kind.settle()


VALUES: list[list[Value]] = [
    [0, -1, 1, None, 2**31, -(2**31), 2**53, 4_294_967_295],
    [0.5, -0.25, 1e-3, -61.5, 99.999, 1234.5678, 3.14159],
    [0.0, -0.0, 1.0, 2.0, -3.0],
    ["a", "b", None, "", "ñandú €", 'say "so"', "back\\slash", "two\nlines", "x" * 1000],
    ["7.4", "7.10", 7, 7.5],
]


@pytest.mark.parametrize("values", VALUES, ids=["whole", "fractions", "zeros", "texts", "mixed"])
def test_values_are_what_they_were(kind: Kind, values: list[Value]) -> None:
    device = f"ap-{next(_seq)}"
    kind.store.keep([kept(1, START, [10.0 * at for at in range(len(values))], {SIGNAL: values}, device)])
    kind.settle()
    expected = [(START + 10.0 * at, value) for at, value in enumerate(values) if value is not None]
    found = kind.store.values(device, SIGNAL, START, START + DAY)
    assert found == expected
    assert [isinstance(value, str) for _at, value in found] == [
        isinstance(value, str) for _at, value in expected
    ]


@pytest.mark.parametrize("largest", [2**64 - 1, 2e9], ids=["beside 2^64", "beside their like"])
def test_numbers_that_need_more_digits_are_near(kind: Kind, largest: float) -> None:
    """Embedded has them exactly; a server about 12 digits of the largest that lies beside them."""
    device = f"ap-{next(_seq)}"
    chance = random.Random(4)
    values: list[Value] = [largest, *(chance.uniform(1e9, 2e9) for _ in range(200)), 0.1 + 0.2]
    kind.store.keep([kept(1, START, [10.0 * at for at in range(len(values))], {SIGNAL: values}, device)])
    kind.settle()
    found = [value for _at, value in kind.store.raw(device, SIGNAL, START, START + DAY)]
    assert found == pytest.approx(values, rel=0, abs=largest * 1e-12)


ITEMS = [
    "", "wlan0", "eth 0", "a,b=c", 'say "so"', "back\\slash", "ends in \\", "ñandú €", "two\nlines", "100 %",
    "%41", "x\x85y\u2028z", " starts", "ends ", "#1", "'", "${x}", "{}", "00:11:22:33:44:55", "x" * 128,
    "eth-1/3 trunk/neighbour",
]  # fmt: skip


def test_names_are_what_they_were_however_odd(kind: Kind) -> None:
    device = f"ap-{next(_seq)}"
    series = [Series("interface", item, "speed_bps") for item in ITEMS]
    kind.store.keep([kept(1, START, [0.0], {each: [at] for at, each in enumerate(series)}, device)])
    kind.settle()
    for at, each in enumerate(series):
        assert kind.store.raw(device, each, START, START + 1) == [(START, at)], each
    assert set(kind.store.names(device)) == set(series)


def test_the_same_again_is_once_and_what_is_late_is_in_its_place(kind: Kind) -> None:
    device = f"ap-{next(_seq)}"
    order = list(range(40))
    random.Random(3).shuffle(order)
    for begin in range(0, 40, 20):
        kind.store.keep([report(seq, device) for seq in order[begin : begin + 20]])
        kind.settle()
        kind.store.keep([report(seq, device) for seq in order[begin : begin + 3]])
    kind.settle()
    assert kind.store.raw(device, SIGNAL, 0, 2e12) == [(START + 60.0 * at, -60 - at % 7) for at in range(200)]


def test_samples_without_frames_are_kept_too(kind: Kind) -> None:
    device = f"ap-{next(_seq)}"
    samples = [(device, SIGNAL, START + 30.0 * at, -at) for at in range(50)]
    texts = [(device, MODEL, START + 30.0 * at, f"v{at // 20}") for at in range(50)]
    assert kind.store.write([*samples, *texts]) == 100
    end = time.monotonic() + 10
    while len(kind.store.raw(device, SIGNAL, 0, 2e12)) < 50 and time.monotonic() < end:
        kind.show()
        time.sleep(0.05)
    assert kind.store.raw(device, SIGNAL, 0, 2e12) == [(at, value) for _device, _series, at, value in samples]
    assert kind.store.values(device, MODEL, 0, 2e12) == [(at, text) for _device, _series, at, text in texts]
    newest = {series: value for series, _at, value in kind.store.latest(device)}
    assert newest == {SIGNAL: -49, MODEL: "v2"}


def busy_device(device: str, days: int) -> list[Kept]:
    """Days of a 32-bit counter that wraps, is reset by a restart, and misses four hours; and a signal."""
    chance, total, uptime, frames = random.Random(9), 4_000_000_000, 5_000.0, []
    for seq in range(days * 24):
        times: list[float] = []
        octets: list[Value] = []
        uptimes: list[Value] = []
        signal: list[Value] = []
        for at in range(12):
            total = (total + chance.randrange(0, 60_000_000)) % 2**32
            uptime += 300
            if seq == 30 and at == 7:
                total, uptime = 1000, 20.0
            times.append(300.0 * at + chance.choice([0.0, 0.25, 1.5]))
            octets.append(total)
            uptimes.append(uptime)
            signal.append(None if chance.random() < 0.02 else round(chance.gauss(-62, 3), 1))
        if not 50 <= seq < 54:
            values = {OCTETS: octets, UPTIME: uptimes, SIGNAL: signal}
            frames.append(kept(seq, START + seq * 3600.0, times, values, device))
    return frames


def near(found: list[Step], expected: list[Step]) -> None:
    assert [step.at for step in found] == pytest.approx([step.at for step in expected])
    for what in ("low", "mean", "high"):
        one, two = [getattr(step, what) for step in found], [getattr(step, what) for step in expected]
        assert one == pytest.approx(two, rel=1e-3 if what == "mean" else 1e-5), what


def test_steps_are_those_of_the_samples_short_and_long(kind: Kind, tmp_path: Path) -> None:
    device, days = f"ap-{next(_seq)}", 6
    frames = busy_device(device, days)
    plain = EmbeddedStore(tmp_path / "plain.db")
    plain.keep(frames)  # neither compacted nor summed up: what it says is made of samples
    for part in range(0, len(frames), 50):
        kind.store.keep(frames[part : part + 50])
    end = START + days * DAY
    for _when in ("at once", "later", "again"):
        for series, (begin, stop, step_s) in itertools.product(
            (SIGNAL, OCTETS),
            [
                (START, end, 3600.0),
                (START, end, 86_400.0),
                (START - 7200, end + 7200, 900.0),
                (START, START + DAY, 300.0),
                (START + 29 * 3600, START + 31 * 3600, 60.0),
            ],
        ):
            near(
                kind.store.steps(device, series, begin, stop, step_s),
                plain.steps(device, series, begin, stop, step_s),
            )
        for begin, step_s in ((START + 1234.5, 4321.0), (START + 0.333, 1000.5)):
            if isinstance(kind.store, EmbeddedStore):
                break  # it takes what it summed up in five minutes as one, so edges differ
            odd = kind.store.steps(device, SIGNAL, begin, end, step_s)
            expected = plain.steps(device, SIGNAL, begin, end, step_s)
            assert [step.at for step in odd] == pytest.approx([step.at for step in expected])
            assert [step.mean for step in odd] == pytest.approx([step.mean for step in expected], abs=4)
        kind.settle()
    late = kept(9999, START + 51 * 3600, [0.0, 60.0], {OCTETS: [5, 6_005], SIGNAL: [-30, -31]}, device)
    for each in (plain, kind.store):
        each.keep([late])
    for _when in ("at once", "later"):
        for series in (SIGNAL, OCTETS):
            near(
                kind.store.steps(device, series, START, end, 3600.0),
                plain.steps(device, series, START, end, 3600.0),
            )
        kind.settle()


def test_who_only_reads_finds_what_others_stored(victoria: VictoriaMetrics, tmp_path: Path) -> None:
    config = StoreConfig(kind="victoriametrics", url=victoria.url, bucket=f"t{next(_seq)}")
    writer = RemoteStore(tmp_path / "spool.db", open_server(config), times=QUICK)
    reader = RemoteStore(tmp_path / "reader.db", open_server(config), writes=False)
    writer.keep(busy_device("cpe", 4))
    settle_remote(writer, victoria.show)
    end = START + 4 * DAY
    for _twice in range(2):
        for series in (SIGNAL, OCTETS):
            assert reader.raw("cpe", series, START, end) == writer.raw("cpe", series, START, end)
            near(
                reader.steps("cpe", series, START, end, 3600.0),
                writer.steps("cpe", series, START, end, 3600.0),
            )
    assert reader.steps("cpe", UPTIME, START, end, 86_400.0)
    with pytest.raises(StoreError, match="only reads"):
        reader.keep([report(1, "cpe")])
    reader.close()
    writer.close()


def test_what_nobody_has_is_empty(kind: Kind) -> None:
    for nothing in (Series("radio", "", "noise_dbm"), Series("system", "", "model")):
        assert kind.store.raw("nobody", nothing, 0, 2e12) == []
        assert kind.store.steps("nobody", nothing, 0, 1e9, 1e6) == []
    assert list(kind.store.latest("nobody")) == []
    assert not kind.store.names("nobody")


def test_a_sum_that_cannot_be_read_any_more_is_made_again(victoria: VictoriaMetrics, tmp_path: Path) -> None:
    config = StoreConfig(kind="victoriametrics", url=victoria.url, bucket=f"t{next(_seq)}")
    with closing(RemoteStore(tmp_path / "spool.db", open_server(config), times=QUICK)) as store:
        store.keep(busy_device("cpe", 4))
        settle_remote(store, victoria.show)
        store.write([("cpe", UPTIME, START + 9 * DAY, 1)])  # so that the days before are over
        asked = ("cpe", OCTETS, START, START + 4 * DAY, 3600.0)
        before = store.steps(*asked)
        with closing(sqlite3.connect(tmp_path / "spool.db")) as spool:
            (count,) = spool.execute("SELECT count(*) FROM summed WHERE length(body) > 20").fetchone()
            assert count == 4
            spool.execute("UPDATE summed SET body=x'00'")
            spool.commit()
        assert store.steps(*asked) == before
