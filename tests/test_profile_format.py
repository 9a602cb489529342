"""Profile files: what may stand in them, what each fault is called, how families and parts come together."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ayni_core.convert import Converter, converter
from ayni_core.oid_notation import OidError, parse
from ayni_core.profile import Conversion
from ayni_core.profile_format import read_head, read_part
from ayni_core.schema import ConfigError, Faults, Fields
from ayni_core.units import conversions
from ayni_io import configs, yamlfile
from ayni_io.profiles import Profiles

HEAD = "about: A radio\nidentify:\n  - object_id: 1.3.6.1.4.1.99999\n"


def faults_of(text: str) -> list[str]:
    value, lines = yamlfile.load(text, "x.yaml")
    faults = Faults("x.yaml", lines)
    fields = Fields(value, "", faults)
    read_head("x", fields)
    read_part("x", fields, shared=False)
    fields.done()
    return faults.found


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's own folder, searched before the shipped profiles."""
    (tmp_path / "profiles" / "parts").mkdir(parents=True)
    monkeypatch.setenv("AYNI_CONFIGS", str(tmp_path))
    return tmp_path / "profiles"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("rooot: 1.3", ["x.yaml:4: rooot: unknown key", 'mean "root"']),
        (
            "scalars:\n - {oid: 1.3.6.x, group: radio, metric: signal_dbm}",
            ["x.yaml:5", '"1.3.6.x" is not an OID'],
        ),
        ("scalars:\n - {oid: .1.0, group: radio, metric: signal_dbm}", ["the file has no root"]),
        (
            "scalars:\n - {oid: 1.3.6, group: radio, metric: signal}",
            ['unknown metric "signal"; did you mean'],
        ),
        ("scalars:\n - {oid: 1.3.6, group: rodio, metric: mcs}", ['unknown value "rodio"', '"radio"']),
        (
            "scalars:\n - {oid: 1.3.6, group: power, metric: voltage_v, unit: dB}",
            ['"dB" does not become V', "mV"],
        ),
        ("scalars:\n - {oid: 1.3.6, group: radio, metric: clients, unit: V}", ["the metric has no unit"]),
        ("scalars:\n - {oid: 1.3.6, group: radio, metric: clients, as: mac}", ["clients is a number"]),
        ("scalars:\n - {oid: 1.3.6, group: system, metric: model, as: number}", ["model is a text"]),
        ("scalars:\n - {oid: 1.3.6, group: power, metric: power_w, div: 0}", ["div: must not be 0"]),
        ("scalars:\n - {oid: 1.3.6, group: radio, metric: mcs, extract: '('}", ["no regular expression"]),
        (
            "scalars:\n - {oid: 1.3.6, group: radio, metric: mcs, item: {index: all}}",
            ["the item of a scalar"],
        ),
        ("scalars:\n - {oid: 1.3.6, group: radio, metric: mcs, states: {up: 1}}", ["a number and the name"]),
        ("scalars:\n - {oid: 1.3.6, group: radio, metric: mcs, none: true}", ["numbers or texts"]),
        ("tables:\n - {entry: 1.3.6, group: radio}", ["readings: is missing"]),
        ("tables:\n - {entry: 1.3.6, readings: [{column: 1, metric: mcs}]}", ["group: is missing"]),
        ("tables:\n - {entry: 1.3.6, group: radio, readings: [{metric: mcs}]}", ["the number of a column"]),
        (
            "tables:\n - {entry: 1.3.6, group: radio, item: {index: 7-x},"
            " readings: [{column: 1, metric: mcs}]}",
            ['"7-x" is no part of an index'],
        ),
        (
            "tables:\n - {entry: 1.3.6, group: radio, item: {as: mac}, readings: [{column: 1, metric: mcs}]}",
            ["one of index, column, lookup"],
        ),
        (
            "tables:\n - {entry: 1.3.6, group: radio,"
            " readings: [{column: 1, metric: mcs, when: {column: 2}}]}",
            ["expected what it must be"],
        ),
        (
            "scalars:\n - {oid: 1.3.6, group: radio, metric: mcs, when: {oid: 1.3.6, system: model, is: 1}}",
            ["exactly one of oid, column"],
        ),
        (
            "scalars:\n - {oid: 1.3.6, group: radio, metric: mcs, when: {system: modle, is: x}}",
            ['"modle" is no text about a system; did you mean "model"'],
        ),
        ("system: {firmware: 1.3.6}", ['"firmware" is no text about a system']),
        ("system: {model: {match: x}}", ["expected an OID, or one of"]),
        ("system: {model: {join: [1.3.6, x.y]}}", ["system.model.join"]),
        ("derived:\n - {group: system, metric: cpu_pct}", ["one of plus, share, mean, total"]),
        ("derived:\n - {group: system, metric: cpu_pct, plus: cpu}", ['unknown metric "cpu"']),
    ],
)
def test_a_fault_names_line_place_and_what_is_allowed(body: str, told: list[str]) -> None:
    found = "\n".join(faults_of(HEAD + body + "\n"))
    for words in told:
        assert words in found


def test_all_faults_of_a_file_are_told_at_once() -> None:
    text = "about: A radio\nidentify: [{rank: 12}]\nscalars: [{oid: x, group: y, metric: z, n: 1}]\n"
    assert len(faults_of(text)) >= 5


@pytest.mark.parametrize(
    ("text", "arcs"),
    [
        ("1.3.6.1", "1.3.6.1"),
        (".4.0", "1.3.6.4.0"),
        ('1.3."ab".1', "1.3.2.97.98.1"),
        ('1.3.""', "1.3.0"),
    ],
)
def test_oids_as_people_write_them(text: str, arcs: str) -> None:
    assert parse(text, parse("1.3.6")) == parse(arcs)


@pytest.mark.parametrize("text", ["", "x", "1..3", "1.3.", "1.3.4294967296", '1."é"', "1.3 .6", "9.3", ".1"])
def test_what_is_no_oid_is_refused(text: str) -> None:
    with pytest.raises(OidError):
        parse(text)


@pytest.mark.parametrize(
    ("metric_unit", "given", "raw", "value"),
    [
        ("V", "dV", 245, 24.5),
        ("V", "mV", 3300, 3.3),
        ("A", "mA", 250, 0.25),
        ("bps", "kbps", 6, 6000),
        ("bps", "Mbps", 2310, 2310000000),
        ("B", "KiB", 2, 2048),
        ("MHz", "kHz", 5180000, 5180),
        ("s", "ticks", 12345, 123.45),
        ("min", "s", 90, 1.5),
        ("min", "ticks", 6000, 1),
        ("m", "cm", 18545, 185.45),
        ("°C", "d°F", 2120, 100),
        ("%", "c%", 1250, 12.5),
        ("dBm", "ddBm", -455, -45.5),
    ],
)
def test_a_unit_of_the_device_becomes_that_of_the_metric(
    metric_unit: str, given: str, raw: int, value: float
) -> None:
    mul, div, add = conversions(metric_unit)[given]
    convert = converter(Conversion(mul=mul, div=div, add=add), 1, (2, raw))
    assert (convert(2, raw) if convert else raw) == pytest.approx(value)


def number(**parts: object) -> Converter:
    made = converter(Conversion(**parts), 1, (4, b""))  # type: ignore[arg-type]
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("convert", "tag", "raw", "value"),
    [
        (number(), 2, -47, -47),
        (number(), 4, b"-63.5 dBm", -63.5),
        (number(), 4, b"none", None),
        (number(), 0x44, bytes.fromhex("9f780441c80000"), 25),
        (number(), 0x44, b"\x9f\x78\x04\x7f\x80\x00\x00", None),
        (number(), 0x44, b"\x9f\x78\x04", None),
        (number(), 0x81, None, None),
        (number(none=(0, -1)), 2, 0, None),
        (number(none=("n/a",)), 4, b"n/a ", None),
        (number(mul=-1, add=100), 2, 93, 7),
        (number(mul=-1, div=10, add=100), 2, 930, 7),
        (number(at_most=100), 2, 101, None),
        (number(at_least=0), 2, -1, None),
        (number(as_="unsigned32"), 2, -1, 4294967295),
        (number(as_="mw_to_dbm"), 4, b"0.5", -3.01),
        (number(as_="mw_to_dbm"), 4, b"0", None),
        (number(as_="channel_to_mhz"), 2, 11, 2462),
        (number(as_="channel_to_mhz"), 2, 14, 2484),
        (number(as_="channel_to_mhz"), 2, 36, 5180),
        (number(as_="channel_to_mhz"), 2, 0, None),
        (number(as_="hex_number"), 4, b"0x1F", 31),
        (number(as_="hex_number"), 4, b"xyz", None),
        (number(extract=re.compile(r"5s: (\d+)%")), 4, b"1s: 9% 5s: 12%", 12),
        (number(values={"on": 1, "off": 0}), 4, b"On", 1),
        (number(values={"lte": 0}), 4, b"2 (up)", 2),
        (number(values={"lte": 0}), 4, b"4G+", None),
        (number(), 4, b"1.2e-06", 0.0000012),
        (number(), 4, b"3e8 units", 3),
        (number(as_="text"), 4, b"  a\0\0", "a"),
        (number(as_="text"), 4, b"", None),
        (number(as_="text"), 6, bytes((0x2B, 6, 1)), "1.3.6.1"),
        (number(as_="text", extract=re.compile(r"v(\S+)")), 4, b"fw v1.2", "1.2"),
        (number(as_="mac"), 4, bytes.fromhex("000456ab43ba"), "000456ab43ba"),
        (number(as_="mac"), 4, b"0:4:56:AB:43:ba", "000456ab43ba"),
        (number(as_="mac"), 4, b"", None),
        (number(as_="ip"), 0x40, bytes((10, 1, 2, 3)), "10.1.2.3"),
        (number(as_="ip"), 4, b"10.1.2.3", "10.1.2.3"),
    ],
)
def test_raw_answers_become_values(
    convert: Converter, tag: int, raw: bytes | int | None, value: object
) -> None:
    found = convert(tag, raw)
    assert found == pytest.approx(value, abs=0.001) if isinstance(value, float) else found == value


def test_every_shipped_profile_is_sound() -> None:
    assert Profiles().faults() == []


def test_the_example_in_the_readme_is_sound(own: Path) -> None:
    text = (configs.shipped() / "profiles" / "README.md").read_text(encoding="utf-8")
    example = re.search(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert example
    (own / "example.yaml").write_text(example[1], encoding="utf-8")
    assert Profiles().load("example").about.startswith("Example radios")


def test_the_readme_names_every_key_of_the_format() -> None:
    readme = (configs.shipped() / "profiles" / "README.md").read_text(encoding="utf-8")
    source = "".join(
        (Path(yamlfile.__file__).parent.parent / "ayni_core" / name).read_text(encoding="utf-8")
        for name in ("profile_format.py", "profile_values.py")
    )
    keys = set(re.findall(r'fields(?:\.\w+|, )\(?(?:fields, )?"([a-z_]+)"', source))
    assert {
        key for key in keys if f"`{key}" not in readme and f"{key}:" not in readme and f" {key}" not in readme
    } == set()


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"a.yaml": HEAD + "include: [if-mob]\n"}, 'unknown part "if-mob"; did you mean "if-mib"'),
        (
            {
                "a.yaml": HEAD + "include: [one]\n",
                "parts/one.yaml": "about: one\ninclude: [two]\n",
                "parts/two.yaml": "about: two\ninclude: [one]\n",
            },
            "goes round in a circle: one -> two -> one",
        ),
        (
            {"a.yaml": HEAD + "include: [one]\n", "parts/one.yaml": "about: one\nscalars: [{oid: z}]\n"},
            "parts/one.yaml:2: scalars[0].oid",
        ),
        (
            {"a.yaml": HEAD + "include: [one]\n", "parts/one.yaml": "about: one\nwithout: [1.3.6]\n"},
            "a shared part has no without",
        ),
        ({"a.yaml": HEAD + "without: [1.3.6.1.9]\n"}, "names an OID that no included part reads"),
        (
            {
                "a.yaml": HEAD + "include: [one]\n",
                "parts/one.yaml": "about: one\nroot: family\nsystem: {model: 1.3.6.1.9.0}\n",
            },
            "parts/one.yaml:2: root: is that of the family, but the family has none",
        ),
        (
            {"a.yaml": "about: A\nscalars: []\nidentify: [{object_id: 1.3.6.1}]\n"},
            "must stand at the top of the file",
        ),
    ],
)
def test_what_is_wrong_between_files_is_told(own: Path, files: dict[str, str], told: str) -> None:
    for name, text in files.items():
        (own / name).write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=re.escape(told)):
        Profiles().load("a")


def test_an_unknown_family_is_refused_with_a_hint() -> None:
    with pytest.raises(ConfigError, match='unknown profile "ruteros"; did you mean "routeros"'):
        Profiles().load("ruteros")
    with pytest.raises(ConfigError, match="unknown profile"):
        Profiles().load("../agent")


def test_a_family_replaces_leaves_out_and_corrects_what_it_includes(own: Path) -> None:
    (own / "a.yaml").write_text(
        HEAD + "include: [ups-mib]\n"
        "without: [1.3.6.1.2.1.33.1.5]\n"
        "change: [{oid: 1.3.6.1.2.1.33.1.3.3.1.3, div: 10}]\n"
        "scalars: [{oid: 1.3.6.1.2.1.33.1.2.5.0, group: power, item: bank, metric: voltage_v}]\n",
        encoding="utf-8",
    )
    profile = Profiles().load("a")
    readings = [
        r for part in profile.parts for r in (*part.scalars, *(r for t in part.tables for r in t.readings))
    ]
    by_source = {reading.source: reading for reading in readings}
    assert not [source for source in by_source if source.startswith(parse("1.3.6.1.2.1.33.1.5"))]
    assert by_source[parse("1.3.6.1.2.1.33.1.3.3.1.3")].conversion.div == 10
    own_voltage = by_source[parse("1.3.6.1.2.1.33.1.2.5.0")]
    assert [item.text for item in own_voltage.items] == ["bank"]


def test_a_part_can_continue_the_root_of_each_family(own: Path) -> None:
    (own / "parts/one.yaml").write_text(
        "about: one\nroot: family\nscalars: [{oid: .1.0, group: radio, metric: signal_dbm}]\n",
        encoding="utf-8",
    )
    for name, root in (("a", "1.3.6.1.4.1.99999.1"), ("b", "1.3.6.1.4.1.99999.2")):
        (own / f"{name}.yaml").write_text(HEAD + f"include: [one]\nroot: {root}\n", encoding="utf-8")
    profiles = Profiles()
    sources = [profiles.load(name).parts[1].scalars[0].source for name in ("a", "b", "a")]
    first, second = parse("1.3.6.1.4.1.99999.1.1.0"), parse("1.3.6.1.4.1.99999.2.1.0")
    assert sources == [first, second, first]


def test_a_users_profile_hides_the_shipped_one(own: Path) -> None:
    (own / "airos.yaml").write_text(HEAD, encoding="utf-8")
    assert Profiles().load("airos").about == "A radio"


def test_only_heads_are_read_to_know_a_device(own: Path) -> None:
    """A body may even be broken; it is told when the family is used, not before."""
    (own / "a.yaml").write_text(HEAD + "scalars: 5\n", encoding="utf-8")
    profiles = Profiles()
    assert "a" in {rule.family for rule in profiles.rules()}
    with pytest.raises(ConfigError):
        profiles.load("a")
