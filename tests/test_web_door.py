"""Who gets to the console in a browser: the password, the link, waiting, and what is refused."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest

from ayni_console import command_console
from ayni_console.web import options, password
from ayni_console.web.door import LIVES_S, Door
from ayni_core.schema import ConfigError

RIGHT = "correct horse battery"
KEPT = password.hashed(RIGHT, b"salt of sixteen.")


def door(kept: str = KEPT) -> tuple[Door, list[str]]:
    """A door, and what it is told is kept: a list of one, to be changed."""
    told = [kept]
    return Door(lambda: told[0]), told


# ---- the password


def test_of_a_password_only_a_salted_hash_is_kept_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "ayni" / "web-password"
    password.write(path, RIGHT)
    text = path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert RIGHT not in text
    assert password.fits(RIGHT, password.read(path))
    password.write(path, RIGHT)
    assert path.read_text() != text


@pytest.mark.parametrize(
    ("given", "right"),
    [
        (RIGHT, True), ("", False), (RIGHT + " ", False), (RIGHT.upper(), False), ("x" * 1000, False),
        ("\ud800", False),
    ],
)  # fmt: skip
def test_only_the_password_itself_fits(given: str, right: bool) -> None:
    assert password.fits(given, KEPT) is right


def test_where_the_file_broke_nobody_gets_in() -> None:
    assert not password.fits(RIGHT, "broken")


def test_letters_with_accents_fit_however_a_keyboard_puts_them_together() -> None:
    assert password.fits("contrasen\u0303a larga", password.hashed("contraseña larga"))


@pytest.mark.parametrize(
    ("text", "mode", "complaint"),
    [
        (KEPT, 0o644, "others can read it too: chmod 600"),
        (RIGHT, 0o600, "is no password as --set-password writes it"),
        ("", 0o600, "is no password"),
        ("scrypt:65536:8:5:00112233445566778899:" + "0" * 64, 0o600, "is no password"),
        ("scrypt:16384:9:5:00112233445566778899:" + "0" * 64, 0o600, "is no password"),
        ("scrypt:16384:8:17:00112233445566778899:" + "0" * 64, 0o600, "is no password"),
        ("md5:16384:8:5:00112233445566778899:" + "0" * 64, 0o600, "is no password"),
        ("scrypt:16384:8:5:zz:" + "0" * 64, 0o600, "is no password"),
        ("ñ", 0o600, "cannot be read"),
    ],
)
def test_a_file_that_is_not_as_it_should_be_opens_nothing(
    tmp_path: Path, text: str, mode: int, complaint: str
) -> None:
    path = tmp_path / "web-password"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    with pytest.raises(ConfigError, match=complaint):
        password.read(path)


def test_without_a_file_there_is_no_password(tmp_path: Path) -> None:
    assert password.read(tmp_path / "web-password") == ""


def test_a_password_that_was_kept_at_a_higher_cost_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "web-password"
    path.write_text("scrypt:32768:8:16:00112233445566778899:" + "0" * 64)
    path.chmod(0o600)
    assert password.read(path) == path.read_text()


# ---- the door


def test_who_gives_a_wrong_password_waits_twice_as_long_each_time() -> None:
    here, _told = door()
    now, waits = 1000.0, []
    for _each in range(12):
        assert here.begin("10.1.1.1", now) == 0.0
        here.refuse("10.1.1.1", now)
        waits.append(here.begin("10.1.1.1", now))
        now += waits[-1]
    assert waits[:6] == [1, 2, 4, 8, 16, 32]
    assert waits[-1] == 300
    assert here.begin("10.1.1.2", now) == 0.0


def test_many_tries_at_once_are_no_way_around_waiting() -> None:
    here, _told = door()
    assert [here.begin("10.1.1.1", 5.0) for _each in range(3)] == [0.0, 300.0, 300.0]
    here.refuse("10.1.1.1", 6.0)
    assert here.begin("10.1.1.1", 6.5) == 0.5


def test_who_comes_in_need_not_wait_any_more() -> None:
    here, _told = door()
    here.begin("10.1.1.1", 0.0)
    here.admit("10.1.1.1", KEPT, 0.0)
    assert here.begin("10.1.1.1", 0.0) == 0.0


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("fd00::1:1", "fd00::1:2", True), ("fd00:1::1", "fd00:2::1", False),
        ("::ffff:10.1.1.1", "10.1.1.1", True),
        ("fe80::1%eth0", "fe80::2%eth0", True), ("", "", True),
    ],
)  # fmt: skip
def test_a_machine_of_ipv6_has_no_more_tries_than_another(one: str, other: str, same: bool) -> None:
    here, _told = door()
    here.begin(one, 0.0)
    assert (here.begin(other, 0.0) > 0) is same


def test_what_is_remembered_of_askers_is_bounded() -> None:
    here, _told = door()
    for number in range(3000):
        here.begin(f"10.1.{number // 250}.{number % 250}", float(number) / 1000)
    assert len(here._askers) <= 1000
    here.begin("10.9.9.9", 10_000.0)
    assert len(here._askers) == 1


def test_a_token_lives_while_it_is_used_and_ends_with_its_password() -> None:
    here, told = door()
    token = here.admit("10.1.1.1", KEPT, 0.0)
    assert here.knows(token, LIVES_S - 1)
    assert here.knows(token, 2 * LIVES_S - 2)
    assert not here.knows(token, 4 * LIVES_S)
    token = here.admit("10.1.1.1", KEPT, 0.0)
    told[0] = password.hashed("another password")
    assert not here.knows(token, 1.0)
    told[0] = KEPT
    assert not here.knows(token, 1.0)
    assert not here.knows("", 1.0)
    assert not here.knows("\ud800", 1.0)


def test_a_link_opens_only_where_there_is_no_password() -> None:
    here, told = door("")
    assert here.knows(here.try_key(here.key, 0.0), 1.0)
    assert here.try_key(here.key[:-1], 0.0) == ""
    assert here.try_key("\ud800", 0.0) == ""
    told[0] = KEPT
    assert here.try_key(here.key, 0.0) == ""


def test_tokens_are_bounded_and_who_leaves_is_out() -> None:
    here, _told = door("")
    tokens = [here.try_key(here.key, 0.0) for _each in range(150)]
    assert sum(here.knows(token, 1.0) for token in tokens) == 100
    here.leave(tokens[-1])
    assert not here.knows(tokens[-1], 1.0)


# ---- what is refused before it begins


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of one's own, and a certificate that is none."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    for name in ("cert.pem", "key.pem"):
        (tmp_path / name).write_text("nothing of the kind")
    return tmp_path


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--listen", "0.0.0.0:8047"], "--cert and --key: are missing: off this machine (0.0.0.0)"),
        (["--listen", "[::]:8047"], "--cert and --key: are missing"),
        (["--listen", "hub.lan:8047"], "--cert and --key: are missing"),
        (["--listen", "127.0.0.1"], "expected ADDR:PORT"),
        (["--listen", "127.0.0.1:99999"], "the port must be 1 to 65535"),
        (["--cert", "{}/cert.pem"], "--key: is missing: it belongs to --cert"),
        (["--key", "{}/key.pem"], "--cert: is missing: it belongs to --key"),
        (["--cert", "{}/other.pem", "--key", "{}/key.pem"], "other.pem: no such file"),
        (["--cert", "{}/cert.pem", "--key", "{}/key.pem"], "cannot be used"),
        (
            ["--listen", "0.0.0.0:8047", "--cert", "{}/cert.pem", "--key", "{}/key.pem"],
            "no password yet: choose",
        ),
        (["--most", "0"], "--most: expected 1 to 50, got 0"),
    ],
)
def test_nobody_opens_it_wider_than_meant_by_mistake(
    alone: Path, capsys: pytest.CaptureFixture[str], words: list[str], complaint: str
) -> None:
    argv = ["--web", "--broker", "127.0.0.1", *(each.format(alone) for each in words)]
    assert command_console.main(argv) == 2
    assert complaint in capsys.readouterr().err


def test_a_password_is_set_by_the_command_itself(
    alone: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("too short\n"))
    assert command_console.main(["--web", "--set-password"]) == 2
    assert "expected at least 10 characters; nothing was changed" in capsys.readouterr().err
    assert not (alone / "ayni" / "web-password").exists()
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{RIGHT}\n"))
    assert command_console.main(["--web", "--set-password"]) == 0
    assert RIGHT not in capsys.readouterr().out
    assert password.fits(RIGHT, password.read(alone / "ayni" / "web-password"))


def test_without_the_extra_it_says_what_to_install() -> None:
    hiding = (
        "import sys\nclass Hide:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in ('aiohttp', 'textual_serve'):\n"
        "            raise ModuleNotFoundError(name=name)\n"
        "sys.meta_path.insert(0, Hide())\nfrom ayni_io import cli\n"
        "sys.exit(cli.main(['console', '--web', '--broker', '127.0.0.1:1', '--user', 'ana']))\n"
    )
    run = subprocess.run([sys.executable, "-c", hiding], capture_output=True, text=True, timeout=60)
    assert run.returncode == 2
    assert 'get the extra "web": pip install "ayni[web]"' in run.stderr


def test_each_console_is_started_with_the_rest_of_the_command_line() -> None:
    ours = ["--web", "--listen", "127.0.0.1:80", "--cert", "c", "--key", "k", "--most", "3", "--connect"]
    theirs = ["--broker", "hub.lan", "--ca", "ca.pem", "--user", "ana", "--watch"]
    assert options.without([*ours[:3], *theirs, *ours[3:]]) == theirs
