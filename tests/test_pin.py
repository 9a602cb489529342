"""PINs: what one may be, how it is kept, how slowly it may be tried, and the command that gives one."""

from __future__ import annotations

import io
import json
import re
import stat
from pathlib import Path

import pytest

from ayni_core import inventory, pin
from ayni_core.schema import ConfigError, Faults, Fields
from ayni_hub import command_pin, pin_tries, pins
from ayni_hub.pin_tries import PinTries
from ayni_hub.pins import Pins, PinsError

SALT = bytes(range(16))
NETWORK = """\
network: { title: Red }
sites: { torre: {} }
people:
  sala: { title: Sala, shared: [ana, luis] }
  ana: { title: Ana }
  luis: { title: Luis, role: viewer }
  rosa: { title: Rosa }
"""


@pytest.mark.parametrize(
    ("text", "context"),
    [
        ("4711", None),
        ("900124", None),
        ("482915063712", None),
        ("471", "pin.digits"),
        ("4829150637121", "pin.digits"),
        ("47 1", "pin.digits"),
        ("abcd", "pin.digits"),
        ("٤٧١١", "pin.digits"),
        ("", "pin.digits"),
        ("1111", "pin.easy"),
        ("1212", "pin.easy"),
        ("1234", "pin.easy"),
        ("6543", "pin.easy"),
    ],
)
def test_what_may_be_a_pin(text: str, context: str | None) -> None:
    found = pin.problem(text)
    assert (found.context if found else None) == context


def test_a_pin_is_kept_as_a_salted_hash_that_only_it_matches() -> None:
    kept = pin.kept("4711", SALT)
    assert re.fullmatch(r"scrypt\$16384\$8\$1\$[0-9a-f]{32}\$[0-9a-f]{64}", kept)
    assert pin.kept("4711", SALT[::-1]) != kept, "the same PIN of two people does not look the same"
    assert pin.matches("4711", kept)
    for wrong in ("4712", "", "47110", "4711\n", "x" * 4000, "47\ud80011"[:2]):
        assert not pin.matches(wrong, kept)


@pytest.mark.parametrize(
    "text",
    [
        "", "scrypt", "4711", "scrypt$16384$8$1$zz$00", "md5$1$1$1$00$00", "scrypt$16385$8$1$00$" + "00" * 32,
        "scrypt$1073741824$8$1$00$" + "00" * 32, "scrypt$16384$8$1$$" + "00" * 32, "scrypt$16384$8$1$00$00",
    ],
)  # fmt: skip
def test_what_was_tampered_with_matches_nothing_and_costs_nothing(text: str) -> None:
    assert not pin.is_kept(text)
    assert not pin.matches("4711", text)


@pytest.mark.parametrize(
    ("cost", "block", "turns", "taken"),
    [
        (2**14, 8, 1, True), (2**15, 8, 4, True),
        (2**16, 8, 1, False), (2**15 + 1, 8, 1, False), (2**14, 9, 1, False), (2**14, 8, 5, False),
        (1, 8, 1, False), (2**14, 0, 1, False), (2**14, 8, 0, False),
    ],
)  # fmt: skip
def test_a_kept_pin_that_asks_for_more_than_the_hub_has_to_spare_is_none(
    cost: int, block: int, turns: int, taken: bool
) -> None:
    kept = f"scrypt${cost}${block}${turns}${SALT.hex()}${'00' * 32}"
    assert pin.is_kept(kept) is taken


def test_wrong_ones_cost_waits_that_double_up_to_an_hour() -> None:
    tries, waits = pin.Tries(), []
    for _each in range(14):
        tries.was_wrong(1000.0)
        waits.append(tries.wait_s(1000.0))
    assert waits[:6] == [0, 0, 30, 60, 120, 240]
    assert waits[-1] == 3600
    assert tries.wait_s(1000.0 + 3600) == 0


def test_all_pins_of_four_digits_take_longer_than_anybody_has() -> None:
    tries, now = pin.Tries(), 0.0
    for _each in range(10_000):
        now += tries.wait_s(now)
        tries.was_wrong(now)
    assert now > 300 * 86_400


@pytest.mark.parametrize(
    ("wrong", "until_s", "wait_s"),
    [
        (2, 1000.0, 0),
        (3, 990.0, 0),
        (3, 1010.0, 10),
        (3, 9e9, 30),
        (3, -9e9, 0),
        (3, None, 30),
        (5, None, 120),
        (1_000_000, None, 3600),
        (1_000_000, 9e9, 3600),
    ],
)
def test_what_was_kept_waits_on_and_never_longer_than_it_would(
    wrong: int, until_s: float | None, wait_s: float
) -> None:
    assert pin.Tries.resumed(wrong, until_s, 1000.0).wait_s(1000.0) == wait_s


# ---- wrong ones are kept, too


class Boot:
    """A machine's clock that nobody can set, and the name of its boot."""

    def __init__(self) -> None:
        self.now_s, self.name = 1000.0, "b1"

    def kept(self, path: Path) -> PinTries:
        return PinTries(path, lambda: self.now_s, lambda: self.name)


def test_wrong_ones_are_in_a_file_for_the_central_alone_and_hold_no_time_of_day(tmp_path: Path) -> None:
    path, boot = tmp_path / pin_tries.FILE, Boot()
    tries = boot.kept(path)
    assert not path.exists(), "nothing is written before there is something to keep"
    assert [tries.was_wrong("sala", "ana") for _each in range(4)] == [1, 2, 3, 4]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text()) == {
        "boot": "b1", "tries": [{"login": "sala", "person": "ana", "wrong": 4, "until_s": 1060.0}]
    }  # fmt: skip
    again = boot.kept(path)
    assert (again.wait_s("sala", "ana"), again.wait_s("sala", "luis")) == (60.0, 0.0)
    again.was_right("sala", "ana")
    again.was_right("sala", "luis")
    assert json.loads(path.read_text())["tries"] == []


def test_of_very_many_those_with_the_fewest_wrong_ones_are_forgotten(tmp_path: Path) -> None:
    path, boot = tmp_path / pin_tries.FILE, Boot()
    entry = {"login": "sala", "wrong": 2, "until_s": 1000.0}
    listed = [entry | {"person": f"p{number}"} for number in range(pin_tries.MOST - 1)]
    listed.append(entry | {"person": "ana", "wrong": 9, "until_s": 1500.0})
    path.write_text(json.dumps({"boot": "b1", "tries": listed}))
    tries = boot.kept(path)
    assert [tries.was_wrong("puerta", "rosa") for _each in range(2)] == [1, 2], "who comes last counts, too"
    again = boot.kept(path)
    assert len(json.loads(path.read_text())["tries"]) == pin_tries.MOST
    assert again.wait_s("sala", "ana") == 500.0


@pytest.mark.parametrize(
    "body",
    [
        "", "{", "[]", "3", "null", '{"boot": "b1"}', '{"boot": "b1", "tries": 3}', '{"tries": []}',
        '{"boot": "b1", "tries": [{"login": "sala", "person": "ana", "wrong": 3}]}',
        '{"boot": "b1", "tries": [{"login": "sala", "person": "ana", "wrong": true, "until_s": 1}]}',
        '{"boot": "b1", "tries": [{"login": "sala", "person": "ana", "wrong": -1, "until_s": 1}]}',
        '{"boot": "b1", "tries": [{"login": "sala", "person": "ana", "wrong": 3, "until_s": NaN}]}',
        '{"boot": "b1", "tries": [{"login": "../x", "person": "ana", "wrong": 3, "until_s": 1}]}',
        '{"boot": "b1", "tries": [{"login": ["sala"], "person": "ana", "wrong": 3, "until_s": 1}]}',
        "[" * 100_000,
    ],
)  # fmt: skip
def test_a_damaged_count_is_told_and_keeps_nobody_out(
    tmp_path: Path, body: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / pin_tries.FILE
    path.write_text(body)
    tries = Boot().kept(path)
    assert "damaged" in caplog.text
    assert tries.wait_s("sala", "ana") == 0
    assert tries.was_wrong("sala", "ana") == 1
    assert json.loads(path.read_text())["tries"], "the next one makes it whole"


def test_a_disk_that_takes_nothing_is_told_once_and_memory_counts_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    folder = tmp_path / "away"
    tries = Boot().kept(folder / pin_tries.FILE)
    assert [tries.was_wrong("sala", "ana") for _each in range(3)] == [1, 2, 3]
    assert tries.wait_s("sala", "ana") == 30
    folder.mkdir()
    tries.was_wrong("sala", "ana")
    told = [each.getMessage() for each in caplog.records]
    assert len(told) == 2, told
    assert "pin tries not kept" in told[0]
    assert told[1] == "pin tries kept again"


# ---- the file


def test_the_file_is_for_the_central_alone_and_read_again_when_it_changes(tmp_path: Path) -> None:
    path = tmp_path / pins.FILE
    known = Pins(path)
    assert known.of("ana") is None
    pins.keep(path, "ana", pin.kept("4711", SALT))
    pins.keep(path, "luis", pin.kept("8052", SALT))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    found = known.of("ana")
    assert found is not None
    assert pin.matches("4711", found)
    pins.keep(path, "ana", pin.kept("9136", SALT))
    found = known.of("ana")
    assert found is not None
    assert pin.matches("9136", found)
    pins.keep(path, "ana", None)
    assert known.of("ana") is None
    assert known.of("luis") is not None
    path.unlink()
    assert known.of("luis") is None
    assert Pins().of("ana") is None


@pytest.mark.parametrize(
    "body", ["", "{}", "[]", '{"pins": []}', '{"pins": {"ana": "4711"}}', '{"pins": {"A B": 3}}']
)
def test_a_damaged_file_is_told_and_nobody_gets_in(tmp_path: Path, body: str) -> None:
    path = tmp_path / pins.FILE
    path.write_text(body)
    with pytest.raises(PinsError, match=r"pins\.json: is damaged"):
        Pins(path).of("ana")
    with pytest.raises(PinsError):
        pins.keep(path, "ana", pin.kept("4711", SALT))
    assert path.read_text() == body


# ---- the command


@pytest.fixture
def central(tmp_path: Path) -> Path:
    """Where a central keeps its things, with its hub.yaml."""
    (tmp_path / "data").mkdir()
    (tmp_path / "network.yaml").write_text(NETWORK)
    config = tmp_path / "hub.yaml"
    config.write_text(f"broker: {{}}\nnetwork: {tmp_path / 'network.yaml'}\ndata_dir: {tmp_path / 'data'}\n")
    return config


class Keyboard(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_pin_is_typed_twice_and_kept_without_being_shown(
    central: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", Keyboard())
    path = central.parent / "data" / pins.FILE
    typed = iter(["4711", "4712"])
    assert command_pin.main(["ana", "--config", str(central)], lambda _ask: next(typed)) == 2
    assert "two different PINs" in capsys.readouterr().err
    assert not path.exists()
    typed = iter(["1234"])
    assert command_pin.main(["ana", "--config", str(central)], lambda _ask: next(typed)) == 2
    assert "too easy" in capsys.readouterr().err
    typed = iter(["4711", "4711"])
    assert command_pin.main(["ana", "--config", str(central)], lambda _ask: next(typed)) == 0
    told = capsys.readouterr()
    assert told.out == "Ana has a PIN now. A running central knows it at once.\n"
    assert "4711" not in told.out + told.err
    assert list(json.loads(path.read_text())["pins"]) == ["ana"]
    assert command_pin.main(["--config", str(central)]) == 0
    assert capsys.readouterr().out.splitlines() == ["ana  Ana: has a PIN", "luis  Luis: has no PIN"]
    assert command_pin.main(["ana", "--remove", "--config", str(central)]) == 0
    assert json.loads(path.read_text())["pins"] == {}


def test_a_pin_comes_from_a_file_or_standard_input_too(
    central: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = central.parent / "pin"
    file.write_text("900124\n")
    assert command_pin.main(["luis", "--pin-file", str(file), "--config", str(central)]) == 0
    monkeypatch.setattr("sys.stdin", io.StringIO("4711\n"))
    assert command_pin.main(["rosa", "--config", str(central)]) == 0
    assert "shares no login" in capsys.readouterr().err
    kept = Pins(central.parent / "data" / pins.FILE)
    assert pin.matches("900124", kept.of("luis") or "")
    assert pin.matches("4711", kept.of("rosa") or "")


def test_who_is_not_there_is_told(central: Path) -> None:
    with pytest.raises(ConfigError, match='there is no person "anna"; did you mean "ana"'):
        command_pin.main(["anna", "--config", str(central)])


# ---- shared logins in the inventory


def network(people: dict[str, object]) -> inventory.Network:
    faults = Faults("network.yaml")
    raw = {"network": {"title": "Red"}, "sites": {"torre": {}}, "people": people}
    made = inventory.parse(Fields(raw, "", faults))
    faults.stop()
    return made


def test_a_shared_login_names_people_of_the_inventory() -> None:
    found = network({"sala": {"shared": ["ana"]}, "ana": {}})
    assert found.people["sala"].shared == ("ana",)
    assert found.people["ana"].shared == ()


@pytest.mark.parametrize(
    ("people", "says"),
    [
        (
            {"sala": {"shared": ["anna"]}, "ana": {}},
            'people.sala.shared: unknown person "anna"; did you mean "ana"',
        ),
        ({"sala": {"shared": ["sala"]}}, 'people.sala.shared: "sala" is a shared login itself'),
        ({"sala": {"shared": 7}}, "people.sala.shared: expected a list of texts"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_shared_login(people: dict[str, object], says: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(says)):
        network(people)
