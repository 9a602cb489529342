"""`ayni profile`: a draft that is good at once, faults told together, readings with what they came from."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path

import pytest
from test_command_record import Device

from ayni_agent import command_profile
from ayni_agent.profile_check import check, files_of
from ayni_core.ber import decode_oid, encode_oid
from ayni_core.guesses import guess
from ayni_core.profile import Rule
from ayni_core.profile_rivals import never_wins
from ayni_core.snmprec import parse_snmprec
from ayni_core.vendor_tables import find_tables

RADIO = Path(__file__).parent / "data/taught-radio.snmprec"
KNOWLEDGE = functools.cache(command_profile._knowledge)
"""All profiles that ship, read once for all tests."""


def ran(words: list[str], capsys: pytest.CaptureFixture[str], status: int = 0) -> str:
    assert command_profile.main(words) == status
    said = capsys.readouterr()
    return said.out + said.err


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nobody's own profiles are looked at; names of files are short."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(command_profile, "_knowledge", KNOWLEDGE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


# ---- draft


def test_a_draft_is_good_and_known_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    said = ran(["draft", "--recording", str(RADIO), "-o", "chasqui.yaml"], capsys)
    assert "ayni profile check chasqui.yaml" in said
    assert ran(["check", "chasqui.yaml"], capsys) == "1 profile: good\n"
    assert "known by the rules of chasqui" in ran(["try", "chasqui.yaml", "--recording", str(RADIO)], capsys)


def test_a_draft_names_parts_samples_and_guesses(capsys: pytest.CaptureFixture[str]) -> None:
    text = ran(["draft", "--recording", str(RADIO)], capsys)
    for line in (
        "  - object_id: 1.3.6.1.4.1.99999.5.1",
        "include: [if-mib]",
        "root: 1.3.6.1.4.1.99999.5",
        "  serial: .1.1.0  # serial-1",
        "#  - entry: .3.1",
        "#    group: station",
        "#    item: {index: 1-6, as: mac}",
        "#      - {column: 2, metric: signal_dbm}  # INTEGER: -61, -74; signal or noise?",
        "#      - {column: 3, metric: noise_dbm}  # INTEGER: -96; noise? or a faint signal: signal_dbm",
        "##      - {column: 4, metric: NAME}  # Gauge32: 130000, 39000",
        '#    item: {interface: "1"}',
    ):
        assert line in text.splitlines(), line


def test_lines_behind_one_mark_are_good_when_it_is_taken_away(capsys: pytest.CaptureFixture[str]) -> None:
    text = ran(["draft", "--recording", str(RADIO)], capsys)
    keys = "- |group:|item:|volatile:|readings:|model:|version:|serial:"
    mark = rf"(?m)^#(?=(?:scalars|tables|system):| {{2,}}(?:{keys}))"
    Path("chasqui.yaml").write_text(re.sub(mark, "", text), encoding="utf-8")
    ran(["check", "chasqui.yaml"], capsys)
    said = ran(["try", "chasqui.yaml", "--recording", str(RADIO), "--json"], capsys)
    found = {(each["metric"], each["item"]): each for each in json.loads(said)["readings"]}
    assert found["signal_dbm", "00aabb000003"]["raw"] == -61
    assert found["frequency_mhz", "wlan0"]["value"] == 5580


def test_a_device_that_is_known_is_said_to_be_and_the_draft_comes_first(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("ros.snmprec").write_text(
        "1.3.6.1.2.1.1.1.0|4|RouterOS RB951\n1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.14988.1\n"
        "1.3.6.1.4.1.14988.1.1.6.1.0|66|7\n",
        encoding="utf-8",
    )
    said = ran(["draft", "--recording", "ros.snmprec", "-o", "zz-mine.yaml"], capsys)
    text = Path("zz-mine.yaml").read_text(encoding="utf-8")
    assert "reads it by the profile routeros" in text
    assert "metric: dhcp_leases}  # Gauge32: 7; as in routeros" in text
    assert "known by the rules of zz-mine" in ran(
        ["try", "zz-mine.yaml", "--recording", "ros.snmprec"], capsys
    )
    assert said


def test_over_the_network_a_device_is_walked_politely(capsys: pytest.CaptureFixture[str]) -> None:
    device = Device(RADIO.read_text(encoding="utf-8"))
    ran(["draft", device.host, "-o", "chasqui.yaml", "--rate", "500"], capsys)
    said = ran(["try", "chasqui.yaml", device.host, "--rate", "500"], capsys)
    assert "12 objects of the maker are not used" in said
    device.server.close()


# ---- check


FAULTY = """\
about: Radios
identify:
  - object_id: 1.3.6.1.4.1.99999.x
    rank: 12
include: [if-mb]
scalars:
  - {oid: 1.3.6.1.4.1.99999.1.0, group: power, metric: voltage}
"""


def test_every_fault_of_every_file_is_told_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    Path("one.yaml").write_text(FAULTY, encoding="utf-8")
    Path("two.yaml").write_text("about: [\n", encoding="utf-8")
    said = ran(["check", "one.yaml", "two.yaml"], capsys, 2)
    for place in (
        "one.yaml:3: identify[0].object_id: ",
        "one.yaml:4: identify[0].rank: must be at most 9",
        'one.yaml:5: include: unknown part "if-mb"; did you mean "if-mib"?',
        'one.yaml:7: scalars[0].metric: unknown metric "voltage"; did you mean "voltage_v"?',
        "two.yaml:2: not valid YAML",
    ):
        assert any(line.startswith(place) for line in said.splitlines()), (place, said)


def test_a_folder_is_checked_as_a_whole(own_folder: Path) -> None:
    good = "about: A radio\nidentify:\n  - object_id: 1.3.6.1.4.1.99999.5\ninclude: [mine]\n"
    profiles = own_folder / "etc/profiles"
    (profiles / "parts").mkdir(parents=True)
    (profiles / "a.yaml").write_text(good, encoding="utf-8")
    (profiles / "b.yaml").write_text(good, encoding="utf-8")
    (profiles / "c.yml").write_text(good, encoding="utf-8")
    (profiles / "My Radio.yaml").write_text(good.replace("99999.5", "99999.6"), encoding="utf-8")
    (profiles / "parts/mine.yaml").write_text("about: P\nscalar: []\n", encoding="utf-8")
    (own_folder / "a.yaml").write_text(good.replace("[mine]", "[if-mib]"), encoding="utf-8")
    said = "\n".join(check(files_of([own_folder / "etc", own_folder / "a.yaml"])))
    for words in (
        "mine.yaml:2: scalar: unknown key",
        "c.yml: must end in .yaml",
        "of a-z, 0-9",
        "same name as",
    ):
        assert words in said
    (profiles / "parts/mine.yaml").write_text("about: P\n", encoding="utf-8")
    (told,) = check([profiles / "a.yaml", profiles / "b.yaml"])
    assert told.endswith("give it a lower rank, or ask for more")
    assert "b.yaml:3: identify[0]: can never win: a asks for the same" in told


def below(*arcs: int, itself: bool = True) -> tuple[tuple[bytes, bool], ...]:
    return ((bytes(arcs), itself),)


@pytest.mark.parametrize(
    ("wide", "narrow", "never"),
    [
        (
            Rule(family="a", object_ids=below(43, 6, 1)),
            Rule(family="b", object_ids=below(43, 6, 1)),
            True,
        ),
        (
            Rule(family="b", object_ids=below(43, 6, 1)),
            Rule(family="a", object_ids=below(43, 6, 1)),
            False,
        ),
        (
            Rule(family="a", object_ids=below(43, 6)),
            Rule(family="b", object_ids=below(43, 6, 1)),
            False,
        ),
        (
            Rule(family="a", rank=1, object_ids=below(43, 6)),
            Rule(family="b", object_ids=below(43, 6, 1)),
            True,
        ),
        (
            Rule(family="a", rank=1, object_ids=below(43, 6, itself=False)),
            Rule(family="b", object_ids=below(43, 6)),
            False,
        ),
        (
            Rule(family="a", rank=1, descriptions=(re.compile("x"),)),
            Rule(family="b", descriptions=(re.compile("y"),)),
            False,
        ),
    ],
)  # fmt: skip
def test_a_rule_never_wins_where_an_earlier_one_always_holds(wide: Rule, narrow: Rule, never: bool) -> None:
    assert (never_wins(narrow, [wide]) is wide) == never


# ---- try


TAUGHT = """\
about: Chasqui radios
identify:
  - object_id: 1.3.6.1.4.1.99999.5
include: [if-mib]
root: 1.3.6.1.4.1.99999.5
scalars:
  - {oid: .1.2.0, group: power, metric: voltage_v, unit: dV}
  - {oid: .1.9.0, group: system, metric: cpu_pct}
tables:
  - entry: .3.1
    group: station
    item: {index: 1-6, as: mac}
    volatile: true
    readings:
      - {column: 2, metric: signal_dbm}
"""


def test_try_shows_raw_and_oid_what_is_missing_and_what_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    Path("chasqui.yaml").write_text(TAUGHT, encoding="utf-8")
    said = ran(["try", "chasqui.yaml", "--recording", str(RADIO)], capsys)
    assert all(len(line) <= 80 for line in said.splitlines())
    assert re.search(r"(?m)^  voltage +24\.1 V +241 +….*5\.1\.2\.0$", said)
    assert re.search(r"(?m)^  00aabb000003 signal +-61 dBm +-61 ", said)
    assert re.search(r"(?m)^  system cpu +scalar +…", said)
    assert "10 objects of the maker are not used" in said
    assert "if oper" not in said and "--all" in said
    assert "wlan0 oper" in ran(["try", "chasqui.yaml", "--recording", str(RADIO), "--all"], capsys)


def test_try_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    Path("chasqui.yaml").write_text(TAUGHT, encoding="utf-8")
    found = json.loads(ran(["try", "chasqui.yaml", "--recording", str(RADIO), "--json"], capsys))
    assert found["known_as"] == found["profile"] == "chasqui"
    assert {
        "group": "power", "item": "", "metric": "voltage_v", "value": 24.1, "raw": 241,
        "oid": "1.3.6.1.4.1.99999.5.1.2.0", "own": True,
    } in found["readings"]  # fmt: skip
    (missing,) = found["unanswered"]
    assert missing["oid"].endswith("5.1.9.0")
    assert found["unused"]["count"] == 10


def test_try_says_when_another_profile_would_be_chosen(capsys: pytest.CaptureFixture[str]) -> None:
    Path("chasqui.yaml").write_text(TAUGHT.replace("object_id: 1.3.6.1.4.1.99999.5", "description: ^Nothing"))
    said = ran(["try", "chasqui.yaml", "--recording", str(RADIO)], capsys)
    assert "know this device as generic, not as chasqui" in said


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        (["draft"], 2, "name a host, or a recording"),
        (["draft", "10.1.2.3", "--recording", str(RADIO)], 2, "not both"),
        (["draft", "--recording", str(RADIO), "-o", "no/x.yaml"], 2, "there is no folder no"),
        (["draft", "127.0.0.1:1", "--timeout", "0.3", "--retries", "0"], 1, "nothing listens on that port"),
        (["try", "no.yaml", "--recording", str(RADIO)], 2, "no.yaml: no such file"),
        (["check", "no.yaml"], 2, "no.yaml: no such file"),
        (["check", "."], 2, "there is no profile in it"),
        (["metrics", "zzz"], 1, 'no metric has the word "zzz"'),
    ],
)
def test_what_goes_wrong_is_one_sentence(
    words: list[str], status: int, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said = ran(words, capsys, status)
    assert sentence in said
    assert "Traceback" not in said


def test_metrics_are_found_by_a_word(capsys: pytest.CaptureFixture[str]) -> None:
    assert re.search(r"(?m)^voltage_v +V +voltage$", ran(["metrics", "volt"], capsys))


# ---- guesses and tables


@pytest.mark.parametrize(
    ("raws", "metric"),
    [
        ([(2, -63), (2, -71)], "signal_dbm"),
        ([(2, -96), (2, 0)], "noise_dbm"),
        ([(2, 5580)], "frequency_mhz"),
        ([(2, 5580000)], "frequency_mhz"),
        ([(4, b"24.1 V")], "voltage_v"),
        ([(4, b"-63")], "signal_dbm"),
        ([(4, bytes.fromhex("00156daabbcc"))], "peer_mac"),
        ([(67, 100)], "connected_s"),
        ([(65, 100)], ""),
        ([(2, 1), (2, 2)], ""),
        ([(2, 0)], ""),
        ([(4, b"")], ""),
        ([(4, b"casa")], ""),
    ],
)
def test_a_guess_speaks_only_where_the_values_do(raws: list[tuple[int, int | bytes]], metric: str) -> None:
    assert guess([(tag, value) for tag, value in raws]).metric == metric


def test_tables_are_found_by_their_shape() -> None:
    objects = {decode_oid(oid): raw for oid, raw in parse_snmprec(RADIO.read_text()).items()}
    scalars, tables = find_tables(objects, decode_oid(encode_oid("1.3.6.1.4.1.99999")))
    assert [(table.entry[7:], sorted(table.columns), len(table.indexes)) for table in tables] == [
        ((5, 2, 1), [1, 2, 3, 4], 1),
        ((5, 3, 1), [2, 3, 4], 2),
    ]
    assert [arcs[7:] for arcs in scalars] == [(5, 1, 1, 0), (5, 1, 2, 0), (5, 1, 3, 0)]
