"""`ayni network import`: a table or UISP's list becomes sites, devices and links, or nothing at all."""

from __future__ import annotations

import json
import stat
import time
from pathlib import Path
from random import Random
from typing import Any

import pytest

from ayni_core.device_list import COLUMNS, read_list
from ayni_core.schema import ConfigError
from ayni_hub import command_network, finding
from ayni_hub.home import Answers, Home

TABLE = """\
title,site,address,version,community_file,link_to,expected_dbm,frequency_mhz,profile
Radio Torre,Torre,10.0.2.11,2c,snmp.txt,,,,airos
Radio Escuela,Escuela,10.0.5.11,,snmp.txt,Radio Torre,-61,5580,
# a remark
"Sector ""Ñ"", arriba",Torre,10.0.2.12:1161,1,snmp.txt,,,,
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    answers = Answers(network="Uno", site="Escuela", person="Ana")
    made.begin(answers, language="es", host="pi")
    (tmp_path / "snmp.txt").write_text("dos-palabras\n")
    return made


def bring(home: Home, path: Path, *words: str) -> int:
    return command_network.main(["import", str(path), "--dir", str(home.folder), *words])


def test_a_table_becomes_sites_devices_and_links(
    home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "radios.csv"
    path.write_text(TABLE, encoding="utf-8")
    before = home.network_path.read_bytes()
    assert bring(home, path, "--check") == 0
    assert home.network_path.read_bytes() == before
    assert not list((home.folder / "secrets").iterdir())
    assert bring(home, path) == 0
    said = capsys.readouterr().out
    assert "3 devices, 1 new site, 1 link would be added" in said
    assert "Added: 3 devices, 1 new site, 1 link." in said
    network = home.network()
    assert set(network.devices) - {"pi"} == {"radio-torre", "radio-escuela", "sector-n-arriba"}
    sector = network.devices["sector-n-arriba"]
    assert (sector.title, sector.host, sector.port, sector.version) == (
        'Sector "Ñ", arriba',
        "10.0.2.12",
        1161,
        "1",
    )
    assert network.devices["radio-torre"].profile == "airos"
    (link,) = network.links.values()
    assert (link.title, link.a.device, link.b.expected_dbm, link.frequency_mhz) == (
        "Torre-Escuela", "radio-torre", -61, 5580,
    )  # fmt: skip
    kept = home.folder / "secrets" / "snmp-radio-torre"
    assert kept.read_text() == "dos-palabras\n"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert "dos-palabras" not in home.network_path.read_text()
    assert bring(home, path) == 0, "again: all are known"
    assert "3 are in your network already." in capsys.readouterr().out
    assert len(home.network().devices) == 4


@pytest.mark.parametrize("separator", [";", "\t"])
def test_tables_as_spreadsheets_write_them(home: Home, tmp_path: Path, separator: str) -> None:
    """With a mark of UTF-8, semicolons or tabs, CR LF, decimal commas, capitals in the head."""
    path = tmp_path / "radios.csv"
    lines = (line for line in TABLE.splitlines() if "Ñ" not in line)
    text = "\r\n".join(line.replace(",", separator) for line in lines).replace("5580", "5580,5")
    path.write_text("\ufeff" + text.replace("title", "Title", 1).replace("link_to", "Link to", 1), "utf-8")
    assert bring(home, path) == 0
    assert [link.frequency_mhz for link in home.network().links.values()] == [5580.5]


FAULTS = """\
title,site,address,version,community_file,user,link_to,expected_dbm,profile,node
A,Torre,10.0.0.300.,,snmp.txt,,,,,
B,Torre,10.0.0.2,4,snmp.txt,,,,,
C,Torre,10.0.0.3,,missing.txt,,,,,
D,Torre,10.0.0.4,,snmp.txt,ana,,,,
E,Torre,10.0.0.5,,snmp.txt,,Nobody,,,
F,Torre,10.0.0.6,,snmp.txt,,,-61,,
G,Torre,,,snmp.txt,,,,,
H,Torre,10.0.0.8,,snmp.txt,,,,airoz,
I,Torre,10.0.0.9,,snmp.txt,,A,loud,,
J,Torre,10.0.0.10,,snmp.txt,,,,,elsewhere
K,Torre,10.0.0.11,,,,,,,
L,Torre,10.0.0.2,,snmp.txt,,,,,
M,Torre,10.0.0.13,,snmp.txt,,,,,,too,many
N,Torre,10.0.0.14,3,,,,,,
"""


def test_every_fault_is_told_with_line_and_column_and_nothing_is_written(home: Home, tmp_path: Path) -> None:
    """Those of single lines first; when they are mended, those that need the other lines and files."""
    path = tmp_path / "radios.csv"
    path.write_text(FAULTS)
    before = home.network_path.read_bytes()
    with pytest.raises(ConfigError) as caught:
        bring(home, path)
    first = "\n".join(caught.value.faults)
    for hint in (
        "radios.csv:2: address:", "radios.csv:3: version:", "radios.csv:5: user: belongs to version 3",
        "radios.csv:7: expected_dbm: belongs to a link", "radios.csv:8: address: is missing",
        'radios.csv:10: expected_dbm: "loud" must be a number', "radios.csv:14: the line: has 12 cells",
    ):  # fmt: skip
        assert hint in first
    bad = (2, 3, 5, 7, 8, 10, 14)
    lines = FAULTS.splitlines()
    path.write_text("\n".join("" if at in bad else line for at, line in enumerate(lines, 1)))
    with pytest.raises(ConfigError) as caught:
        bring(home, path)
    second = "\n".join(caught.value.faults)
    for hint in (
        "radios.csv:4: community_file:", "missing.txt", 'radios.csv:6: link_to: no device "Nobody"',
        'radios.csv:9: profile: unknown profile "airoz"; did you mean "airos"?',
        'radios.csv:11: node: which monitor shall ask it? got "elsewhere"',
        "radios.csv:12: community_file: is missing", "radios.csv:15: user: is missing",
    ):  # fmt: skip
        assert hint in second
    assert home.network_path.read_bytes() == before
    assert not list((home.folder / "secrets").iterdir())


UISP: list[dict[str, Any]] = [
    {
        "identification": {"id": "a1", "name": "AP Torre", "model": "R5AC-Lite", "site": {"name": "Torre"}},
        "ipAddress": "10.0.2.11/24",
        "attributes": {"apDevice": None},
    },
    {
        "identification": {
            "id": "b2",
            "name": "Escuela",
            "mac": "74:83:c2:00:00:01",
            "site": {"name": "Escuela"},
        },
        "ipAddress": "10.0.2.21",
        "attributes": {"apDevice": {"id": "a1", "name": "AP Torre"}},
    },
    {
        "identification": {"id": "c3", "name": None, "modelName": "UISP Power", "site": None},
        "ipAddress": None,
    },
]


def test_the_devices_of_a_uisp_become_ours_stations_linked_to_their_access_point(
    home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "devices.json"
    path.write_text(json.dumps(UISP))
    assert bring(home, path, "--community", f"@{tmp_path / 'snmp.txt'}") == 0
    said = capsys.readouterr().out
    assert "Added: 2 devices, 1 new site, 1 link." in said
    assert "left out: UISP Power" in said
    (link,) = home.network().links.values()
    assert (link.a.device, link.b.device) == ("ap-torre", "escuela")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("", "no device|address: is missing"),
        ("title,adress\n", 'unknown column; did you mean "address"'),
        ("address,address\n10.0.0.1,10.0.0.1\n", "stands twice"),
        ("address\n", "no device in it"),
        ('address,title\n10.0.0.1,"open\n', "unexpected end of data"),
        ("{}", "the list that UISP answers"),
        ("[1]", "identification: is missing"),
        ("[{]", "devices:1: not valid JSON"),
        ("[" * 5000, "not valid JSON|nested"),
        ('[{"identification": {"name": "x"}, "ipAddress": "a b"}]', "is no address"),
        ("[]", "no device with an address"),
        ("address\n" + "10.0.0.1\n" * 5001, "more than 5000"),
    ],
)
def test_a_file_that_is_no_list_is_refused_in_words(text: str, hint: str) -> None:
    with pytest.raises(ConfigError, match=hint):
        read_list(text, "devices")


def test_spoilt_lists_are_refused_or_taken_for_what_they_are() -> None:
    """Octets of both kinds, spoilt at random: a list of devices, or `ConfigError`, and nothing else."""
    chance = Random(5)
    for good in (TABLE, json.dumps(UISP)):
        for _turn in range(600):
            spoilt = list(good)
            for _each in range(chance.randint(1, 6)):
                at = chance.randrange(len(spoilt))
                spoilt[at : at + chance.randrange(3)] = chance.choice(
                    ['"', ",", "\n", "\0", "\x1b", "ñ", "9" * 50, "{"]
                )
            try:
                found = read_list("".join(spoilt), "list")
            except ConfigError as error:
                assert len(error.faults) <= 101
                continue
            assert all(device.address for device in found.devices)


def test_every_column_is_explained_by_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command_network.main(["import", "--help"])
    said = capsys.readouterr().out
    assert all(f"\n  {column} " in said for column in COLUMNS)


def test_a_thousand_devices_take_seconds(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "many.csv"
    rows = (f"Radio {n},Sitio {n % 200},10.1.{n // 250}.{n % 250 + 1},snmp.txt" for n in range(1000))
    path.write_text("title,site,address,community_file\n" + "\n".join(rows))
    began = time.monotonic()
    assert bring(home, path) == 0
    assert time.monotonic() - began < 15
    assert len(home.network().devices) == 1001, "and this machine itself"


@pytest.mark.parametrize("output", [b"", b"null", b"[]", b'{"devices": 1}', b"{", b"[" * 5000])
def test_a_search_that_answers_nothing_useful_is_told(output: bytes) -> None:
    with pytest.raises(ConfigError, match="without an answer"):
        finding.read(output)
