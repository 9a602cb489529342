"""From a device's objects to readings: alternatives, names of rows, conditions, and plans that stay cheap."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from ayni_agent.poller import CALM_S, LOOK_OVER_S, Poller
from ayni_core.ber import encode_oid
from ayni_core.mibview import MibView
from ayni_core.readings import Poll, Series, Value
from ayni_core.snmp import V1, V2C, VarBind
from ayni_core.snmplayout import Layouts
from ayni_core.snmpread import Reading
from ayni_core.snmprec import parse_snmprec
from ayni_io.profiles import Profiles
from ayni_io.snmp_errors import SnmpProtocolError, SnmpTimeout
from ayni_io.snmp_recording import RecordedReader

ROOT = "1.3.6.1.4.1.99999"
SYSTEM = f"1.3.6.1.2.1.1.1.0|4|A box v1.2\n1.3.6.1.2.1.1.2.0|6|{ROOT}\n1.3.6.1.2.1.1.3.0|67|4200\n"
HEAD = f"about: A box\nidentify: [{{object_id: {ROOT}}}]\nroot: {ROOT}\n"
IF_MIB = "".join(
    f"1.3.6.1.2.1.2.2.1.{column}.{row}|{kind}|{value}\n"
    for row in (1, 2, 3)
    for column, kind, value in (
        (1, 2, row), (2, 4, f"if{row}"), (3, 2, 6), (5, 66, 4294967295), (7, 2, 1), (8, 2, 1),
        (10, 65, 100 * row), (16, 65, 200 * row),
    )
)  # fmt: skip


class Device:
    """A recording behind the real reader, whose objects a test may change, under a profile of the test."""

    def __init__(
        self,
        objects: str,
        profile: str,
        folder: Path,
        monkeypatch: pytest.MonkeyPatch,
        reader: type[RecordedReader] = RecordedReader,
    ) -> None:
        (folder / "profiles").mkdir(exist_ok=True)
        (folder / "profiles" / "box.yaml").write_text(HEAD + profile, encoding="utf-8")
        monkeypatch.setenv("AYNI_CONFIGS", str(folder))
        self.view = MibView(parse_snmprec(SYSTEM + objects))
        self.reader = reader(self.view)
        self.poller = Poller("box", self.reader, Profiles())
        self.now_s = 0.0

    def poll(self, after_s: float = 60) -> dict[tuple[str, str, str], Value]:
        self.now_s += after_s
        poll = asyncio.run(self.poller.poll(self.now_s))
        assert poll.error is None
        return {tuple(series): value for series, value in poll.values.items()}

    def put(self, line: str) -> None:
        for oid, (tag, value) in parse_snmprec(line).items():
            self.view.put(oid, tag, value)

    def drop(self, oid: str) -> None:
        for body in parse_snmprec(f"{oid}|2|0"):
            self.view.remove(body)


class Forgetful(RecordedReader):
    """Whose answers never have a known shape, so each reading is looked up by itself."""

    def _run(self, reading: Reading) -> Sequence[VarBind]:
        self._layouts = Layouts()
        return super()._run(reading)


@pytest.fixture(params=[RecordedReader, Forgetful])
def device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest):  # type: ignore[no-untyped-def]
    return lambda objects, profile: Device(objects, profile, tmp_path, monkeypatch, request.param)


def only(values: dict[tuple[str, str, str], Value], group: str) -> dict[tuple[str, str], Value]:
    return {(item, metric): value for (g, item, metric), value in values.items() if g == group}


def lines(*objects: str) -> str:
    return "".join(f"{ROOT}{line}\n" for line in objects)


GAUGES = lines(
    ".1.2.7|4|cpu", ".1.3.7|2|41", ".1.4.7|2|1",
    ".1.2.8|4|input", ".1.3.8|2|241", ".1.4.8|2|3",
    ".1.2.9|4|odd", ".1.3.9|2|5", ".1.4.9|2|99",
)  # fmt: skip


@pytest.mark.parametrize(
    ("objects", "profile", "group", "expected"),
    [
        pytest.param(
            GAUGES,
            "tables:\n - entry: .1\n   group: sensor\n   item: {column: 2}\n   readings:\n"
            "   - {column: 3, metric: temperature_c, when: {column: 4, is: 1}}\n"
            "   - {column: 3, metric: voltage_v, unit: dV, when: {column: 4, is: 3}}\n",
            "sensor",
            {("cpu", "temperature_c"): 41, ("input", "voltage_v"): 24.1},
            id="another column chooses metric and scale",
        ),
        pytest.param(
            lines(".1.3.1|2|2345", ".1.1.1|2|8", ".1.2.1|2|1", ".1.3.2|2|7", ".1.1.2|2|99", ".1.2.2|2|0"),
            "tables:\n - {entry: .1, group: sensor, readings: [{column: 3, metric: voltage_v,"
            " scaled_by: [{column: 1, values: {8: 0.001, 9: 1}}, {column: 2, decimals: true}]}]}\n",
            "sensor",
            {("1", "voltage_v"): 0.2345},
            id="factors stand in other columns; a row with an unknown factor is left out",
        ),
        pytest.param(
            lines(".1.3.1.0.4.86.171.67.186.5|2|-63"),
            "tables:\n - {entry: .1, group: station, item: {index: 2-7, as: mac},"
            " readings: [{column: 3, metric: signal_dbm}]}\n",
            "station",
            {("000456ab43ba", "signal_dbm"): -63},
            id="a hardware address in the index",
        ),
        pytest.param(
            lines(".1.3.4|2|-55", ".2.1.4|4|wlan1", ".1.3.5|2|-60"),
            "tables:\n - {entry: .1, group: radio, item: {lookup: .2.1, index: '1'},"
            " readings: [{column: 3, metric: signal_dbm}]}\n",
            "radio",
            {("wlan1", "signal_dbm"): -55, ("5", "signal_dbm"): -60},
            id="the name stands in another table; without one the index serves",
        ),
        pytest.param(
            lines(".1.3.9|2|-55", ".1.8.9|2|4", ".2.1.4|4|wlan1"),
            "tables:\n - {entry: .1, group: radio, item: {lookup: .2.1, column: 8},"
            " readings: [{column: 3, metric: signal_dbm}]}\n",
            "radio",
            {("wlan1", "signal_dbm"): -55},
            id="a column points into the table of names",
        ),
        pytest.param(
            lines(".1.2.1|4|fan", ".1.3.1|2|10", ".1.2.2|4|fan", ".1.3.2|2|20"),
            "tables:\n - {entry: .1, group: sensor, item: {column: 2},"
            " readings: [{column: 3, metric: fan_rpm}]}\n",
            "sensor",
            {("fan#1", "fan_rpm"): 10, ("fan#2", "fan_rpm"): 20},
            id="two rows of one name",
        ),
        pytest.param(
            lines(".1.1.9.115.110.114.45.119.108.97.110.48|4|31 dB", ".1.1.3.97.98.99|4|7"),
            "tables:\n - {entry: .1, group: radio, readings: [{column: 1, metric: snr_db,"
            " item: {index: all, as: text, match: '^snr-(.+)$'}}]}\n",
            "radio",
            {("wlan0", "snr_db"): 31},
            id="an index that spells a name, rows chosen by it",
        ),
        pytest.param(
            lines(".5.1.0|2|0", ".5.2.0|2|40"),
            "scalars:\n - {oid: .5.1.0, group: system, metric: cpu_pct, pass_zero: true}\n"
            " - {oid: .5.2.0, group: system, metric: cpu_pct}\n",
            "system",
            {("", "cpu_pct"): 40},
            id="a zero gives way to a later reading of the same series",
        ),
        pytest.param(
            lines(".5.1.0|2|7", ".5.2.0|2|40"),
            "scalars:\n - {oid: .5.9.0, group: system, metric: cpu_pct}\n"
            " - {oid: .5.1.0, group: system, metric: cpu_pct}\n"
            " - {oid: .5.2.0, group: system, metric: cpu_pct}\n",
            "system",
            {("", "cpu_pct"): 7},
            id="the first that the device answers",
        ),
        pytest.param(
            lines(".5.1.0|2|250", ".5.3.0|4|8.7.5"),
            "system: {version: .5.3.0}\nscalars:\n"
            " - {oid: .5.1.0, group: sensor, metric: temperature_c, div: 10,"
            " when: {system: version, matches: ^8}}\n"
            " - {oid: .5.1.0, group: sensor, metric: temperature_c, when: {system: version, lacks: ^8}}\n",
            "sensor",
            {("", "temperature_c"): 25},
            id="a scale that depends on the firmware",
        ),
        pytest.param(
            lines(".5.1.0|2|250", ".5.3.0|4|8.7", ".5.5.0|4|12"),
            "system: {version: {join: [.5.3.0, .5.4.0, .5.5.0]}}\nscalars:\n"
            " - {oid: .5.1.0, group: sensor, metric: temperature_c, div: 10,"
            " when: {system: version, is: 8.7 12}}\n",
            "sensor",
            {("", "temperature_c"): 25},
            id="a text joined of several, without the absent one",
        ),
        pytest.param(
            lines(".5.1.0|4|5 s 12%, 60 s 9%"),
            "scalars:\n - {oid: .5.1.0, group: system, metric: cpu_pct, extract: '5 s (\\d+)%'}\n"
            " - {oid: .5.1.0, group: system, metric: load_pct, extract: '60 s (\\d+)%'}\n",
            "system",
            {("", "cpu_pct"): 12, ("", "load_pct"): 9},
            id="two readings out of one text",
        ),
        pytest.param(
            lines(".5.1.0|2|1000", ".5.2.0|2|200", ".5.3.0|2|300"),
            "scalars:\n - {oid: .5.1.0, group: system, metric: memory_total_bytes}\n"
            " - {oid: .5.2.0, group: system, metric: memory_free_bytes}\n"
            " - {oid: .5.3.0, group: system, metric: memory_cached_bytes}\n"
            "derived:\n - {group: system, metric: memory_used_bytes, plus: memory_total_bytes,"
            " minus: [memory_free_bytes, memory_buffers_bytes, memory_cached_bytes]}\n"
            " - {group: system, metric: memory_used_pct, share: memory_used_bytes, of: memory_total_bytes}\n",
            "system",
            {
                ("", "memory_total_bytes"): 1000,
                ("", "memory_free_bytes"): 200,
                ("", "memory_cached_bytes"): 300,
                ("", "memory_used_bytes"): 500,
                ("", "memory_used_pct"): 50,
            },
            id="sums leave out what is absent",
        ),
        pytest.param(
            lines(".1.3.1|2|10", ".1.3.2|2|30"),
            "tables:\n - {entry: .1, group: system, readings: [{column: 3, metric: cpu_pct}]}\n"
            "derived:\n - {group: system, metric: cpu_pct, mean: cpu_pct}\n",
            "system",
            {("1", "cpu_pct"): 10, ("2", "cpu_pct"): 30, ("", "cpu_pct"): 20},
            id="a mean over the items",
        ),
        pytest.param(
            lines(".5.1.0|4|Registered", ".5.2.0|4|weird"),
            "scalars:\n - {oid: .5.1.0, group: radio, metric: link_state, states: {1: registered}}\n"
            " - {oid: .5.2.0, group: radio, item: b, metric: link_state, values: {up: 1}}\n",
            "radio",
            {("", "link_state"): 1, ("b", "link_state"): None},
            id="states as texts",
        ),
    ],
)
def test_mechanisms(device, objects, profile, group, expected) -> None:  # type: ignore[no-untyped-def]
    box = device(objects, profile)
    first = only(box.poll(), group)
    ignored = {("", "uptime_s")} | {key for key in first if isinstance(first[key], str)}
    assert {key: value for key, value in first.items() if key not in ignored} == expected
    steady = only(box.poll(), group)
    assert steady == first


def test_counters_are_chosen_interface_by_interface(device) -> None:  # type: ignore[no-untyped-def]
    """64-bit where there is one; 32-bit where not, and where the 64-bit one stays at 0 though it moves."""
    high = "1.3.6.1.2.1.31.1.1.1.6.1|70|9999999999\n1.3.6.1.2.1.31.1.1.1.6.3|70|0\n"
    box = device(IF_MIB + high, "include: [if-mib]\n")
    for _ in range(2):
        ports = only(box.poll(), "interface")
        assert [ports[f"if{row}", "in_octets"] for row in (1, 2, 3)] == [9999999999, 200, 300]
    assert ports["if1", "speed_bps"] is None


def test_of_files_with_alternatives_the_first_counts(device) -> None:  # type: ignore[no-untyped-def]
    processors = "1.3.6.1.2.1.25.3.3.1.2.1|2|10\n1.3.6.1.2.1.25.3.3.1.2.2|2|20\n"
    idle = "1.3.6.1.4.1.2021.11.11.0|2|60\n"
    include = "include: [host-resources, ucd]\n"
    assert only(device(processors + idle, include).poll(), "system")["", "cpu_pct"] == 15
    assert only(device(idle, include).poll(), "system")["", "cpu_pct"] == 40


def test_memory_in_use_does_not_count_buffers_and_cache(device) -> None:  # type: ignore[no-untyped-def]
    storage = "".join(
        f"1.3.6.1.2.1.25.2.3.1.2.{row}|6|1.3.6.1.2.1.25.2.1.{kind}\n1.3.6.1.2.1.25.2.3.1.3.{row}|4|{name}\n"
        f"1.3.6.1.2.1.25.2.3.1.4.{row}|2|1024\n1.3.6.1.2.1.25.2.3.1.5.{row}|2|{size}\n"
        f"1.3.6.1.2.1.25.2.3.1.6.{row}|2|{used}\n"
        for row, kind, name, size, used in (
            (1, 2, "Physical memory", 1000, 800), (6, 1, "Memory buffers", 1000, 50),
            (7, 1, "Cached memory", 300, 300), (31, 4, "/", -1000, 10), (32, 4, "/empty", 0, 0),
        )
    )  # fmt: skip
    found = only(device(storage, "include: [host-resources]\n").poll(), "system")
    assert found["", "memory_used_bytes"] == 450 * 1024
    assert found["", "memory_used_pct"] == 45
    assert ("/empty", "storage_total_bytes") not in found


REGISTRATION = "volatile: true, item: {index: 1-6, as: mac}, readings: [{column: 3, metric: signal_dbm},"
STATIONS = (
    f"tables:\n - {{entry: .1, group: station, {REGISTRATION} {{column: 20, metric: station_name}}]}}\n"
)


def peer(last: int, signal: int) -> str:
    index = f"2.0.0.0.0.{last}.4"
    return lines(f".1.3.{index}|2|{signal}", f".1.20.{index}|4|peer{last}")


def test_stations_come_and_go_without_another_look_over(device) -> None:  # type: ignore[no-untyped-def]
    box = device("", STATIONS)
    assert not only(box.poll(), "station")
    steps = [
        (peer(1, -60), set(), {"020000000001"}),
        (peer(2, -70), set(), {"020000000001", "020000000002"}),
        ("", {1}, {"020000000002"}),
        ("", {2}, set()),
        (peer(3, -65), set(), {"020000000003"}),
    ]
    for added, gone, expected in steps:
        box.put(added)
        for last in gone:
            box.drop(f"{ROOT}.1.3.2.0.0.0.0.{last}.4")
            box.drop(f"{ROOT}.1.20.2.0.0.0.0.{last}.4")
        stations = only(box.poll(1), "station")
        assert {item for item, _ in stations} == expected
        assert all(stations[item, "station_name"] for item, _ in stations)


def test_a_new_interface_is_seen_at_once_where_the_device_counts_them(device) -> None:  # type: ignore[no-untyped-def]
    box = device(IF_MIB + "1.3.6.1.2.1.2.1.0|2|3\n", "include: [if-mib]\n")
    box.poll()
    box.put(IF_MIB.replace(".3|", ".4|").replace("if3", "if4") + "1.3.6.1.2.1.2.1.0|2|4\n")
    assert ("if4", "if_oper") in only(box.poll(1), "interface")


def test_other_rows_are_looked_over_again_after_a_while(device) -> None:  # type: ignore[no-untyped-def]
    box = device(IF_MIB, "include: [if-mib]\n")
    box.poll()
    for line in IF_MIB.splitlines():
        if line.split("|")[0].endswith(".3"):
            box.drop(line.split("|")[0])
    box.poll(1)
    assert ("if3", "if_type") not in only(box.poll(CALM_S), "interface")


def test_names_and_speeds_follow_every_ten_minutes_and_at_once_after_a_reboot(device) -> None:  # type: ignore[no-untyped-def]
    box = device(IF_MIB, "include: [if-mib]\n")
    box.poll()
    box.put("1.3.6.1.2.1.2.2.1.5.1|66|100000000\n")
    assert only(box.poll(60), "interface")["if1", "speed_bps"] is None
    assert only(box.poll(LOOK_OVER_S), "interface")["if1", "speed_bps"] == 100000000
    box.put("1.3.6.1.2.1.2.2.1.5.1|66|10000000\n1.3.6.1.2.1.1.3.0|67|10\n")
    assert only(box.poll(1), "interface")["if1", "speed_bps"] == 10000000


def test_a_device_that_was_swapped_is_identified_again(device) -> None:  # type: ignore[no-untyped-def]
    box = device("", "")
    box.poll()
    assert box.poller.family == "box"
    box.put(
        "1.3.6.1.2.1.1.1.0|4|RouterOS x\n1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.14988.1\n1.3.6.1.2.1.1.3.0|67|1\n"
    )
    values = box.poll()
    assert (box.poller.family, values["system", "", "profile"]) == ("routeros", "routeros")


def test_a_steady_poll_asks_no_more_than_it_must(device) -> None:  # type: ignore[no-untyped-def]
    rows = "".join(
        IF_MIB.replace(".3|", f".{row}|") for row in range(3, 25)
    )  # 24 interfaces; their names double, which does not matter
    box = device(rows, "include: [if-mib]\n")
    box.poll()
    before = box.reader.cost.pdus
    box.poll()
    assert box.reader.cost.pdus - before <= 3


def test_a_number_that_turns_into_text_is_none_not_octets(device) -> None:  # type: ignore[no-untyped-def]
    box = device(lines(".5.1.0|2|7"), "scalars: [{oid: .5.1.0, group: radio, metric: clients}]\n")
    assert box.poll()["radio", "", "clients"] == 7
    box.put(lines(".5.1.0|4|seven"))
    assert box.poll(1)["radio", "", "clients"] is None


def test_version_1_gives_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for version in (V1, V2C):
        box = Device(IF_MIB, "include: [standard]\n", tmp_path, monkeypatch)
        box.poller = Poller("box", RecordedReader(box.view, version=version), Profiles())
        found.append((box.poll(), box.poll()))
    assert found[0] == found[1]


class Broken(RecordedReader):
    """A device that answers one table in a way that cannot be."""

    async def columns(self, columns, expected_rows=None, max_rows=4096):  # type: ignore[no-untyped-def]
        if max_rows > 1 and columns[0].startswith(encode_oid("1.3.6.1.2.1.25")):
            raise SnmpProtocolError("walking: does not increase")
        return await super().columns(columns, expected_rows, max_rows)


def test_a_table_that_is_answered_wrong_costs_only_itself(device) -> None:  # type: ignore[no-untyped-def]
    box = device(IF_MIB + "1.3.6.1.2.1.25.3.3.1.2.1|2|10\n", "include: [host-resources, if-mib]\n")
    box.poller = Poller("box", Broken(box.view), Profiles())
    for _ in range(2):
        assert only(box.poll(), "interface")["if1", "if_oper"] == 1
    box.poll(LOOK_OVER_S)
    assert box.poller.skipped == ["walking: does not increase"]


class Silent(RecordedReader):
    """A device that stops answering when told."""

    silent = False

    async def get(self, oids):  # type: ignore[no-untyped-def]
        if self.silent:
            raise SnmpTimeout("reading from box: no answer")
        return await super().get(oids)


def test_a_silent_device_is_an_error_with_nothing_in_it_and_comes_back() -> None:
    reader = Silent(MibView(parse_snmprec(SYSTEM + IF_MIB)))
    poller = Poller("box", reader, Profiles())

    def poll(now_s: float, silent: bool) -> Poll:
        reader.silent = silent
        return asyncio.run(poller.poll(now_s))

    assert poll(0, True).error == "reading from box: no answer"
    assert poll(1, False).error is None
    failed = poll(2, True)
    assert (failed.error, dict(failed.values)) == ("reading from box: no answer", {})
    assert poll(3, False).values[Series("interface", "if1", "if_oper")] == 1


def test_by_shape_or_by_look_up_every_poll_reads_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counters that grow by an octet, interfaces that come, a number that becomes a text, in random order."""
    profile = "include: [standard]\nscalars: [{oid: .5.1.0, group: radio, metric: clients}]\n"
    both = [
        Device(IF_MIB + lines(".5.1.0|2|7"), profile, tmp_path, monkeypatch, reader)
        for reader in (RecordedReader, Forgetful)
    ]
    chance = random.Random(5)
    for _ in range(60):
        value = chance.choice((0, 127, 128, 255, 256, 65535, 65536, 2**24, 2**31, 2**32 - 1))
        line = chance.choice(
            (
                f"1.3.6.1.2.1.2.2.1.10.{chance.randint(1, 4)}|65|{value}\n",
                f"1.3.6.1.2.1.2.2.1.8.{chance.randint(1, 3)}|2|{chance.randint(1, 7)}\n",
                lines(f".5.1.0|{chance.choice(('2|12', '4|seven', '2|70000'))}"),
            )
        )
        first, second = (box.put(line) or box.poll() for box in both)
        assert first == second
    shapes = both[0].poller._extractor._pieces
    assert shapes
    assert not both[1].poller._extractor._pieces
