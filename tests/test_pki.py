"""`ayni pki`: the authority, what it signs, how long that is good, and who may read the keys."""

from __future__ import annotations

import json
import ssl
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import parts
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from ayni_core import x509
from ayni_core.schema import ConfigError
from ayni_hub.pki import authority, command_pki, sealed_key, standing, work
from ayni_hub.pki.authority import YEAR_S, Authority, PkiError
from ayni_hub.pki.folder import PkiFolder
from ayni_io import certificates, cli, clock

NOW = 1_795_300_000.0
DAY_S = 86_400.0
WORDS = "correct horse battery staple"
NETWORK = """
network: {title: Red Cerro Norte}
hub: {address: hub.lan, also: ["10.20.0.2:8884"]}
sites: {torre: {title: Torre}}
nodes: {pi: {site: torre}}
"""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Work in a folder of its own, at a known time; with few rounds, which one test sees to."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(clock, "wall_s", lambda: NOW)
    monkeypatch.setattr(sealed_key.sealed, "__kwdefaults__", {"rounds": 1000})
    (tmp_path / "words").write_text(WORDS + "\n")


def init(*words: str) -> int:
    return command_pki.init_main(["--passphrase-file", "words", *words])


def issue(*words: str) -> int:
    return command_pki.issue_main(["--passphrase-file", "words", *words])


def renew(*words: str) -> int:
    return command_pki.renew_server_main(["--passphrase-file", "words", *words])


def roll_over(*words: str) -> int:
    return command_pki.roll_over_main([*words, "--passphrase-file", "words"])


def certificate(path: str = "pki/issued/hub.crt") -> authority.x509.Certificate:
    return authority.from_pem(Path(path).read_text())[0]


def files() -> dict[str, int]:
    return {str(each): stat.S_IMODE(each.stat().st_mode) for each in sorted(Path("pki").rglob("*"))}


def verified(ca: str, chain: str, *options: str) -> bool:
    """What OpenSSL itself says of a server's certificate, strictly, at our time."""
    command = [parts.need("openssl"), "verify", "-x509_strict", "-purpose", "sslserver", "-attime",
               str(int(NOW)), "-CAfile", ca, "-untrusted", chain, *options, chain]  # fmt: skip
    return subprocess.run(command, capture_output=True).returncode == 0


# ---- what is made


def test_an_authority_and_a_server_are_made_and_only_their_owner_can_read_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("network.yaml").write_text(NETWORK)
    assert init() == 0
    told = capsys.readouterr().out
    ca = certificate("pki/ca.crt")
    assert authority.title_of(ca).startswith("Red Cerro Norte CA 2026 ")
    assert authority.seen(ca).fingerprint in told
    assert authority.seen(ca).ends == pytest.approx(NOW + 20 * YEAR_S, abs=2)
    assert issue() == 0
    assert "for hub.lan, 10.20.0.2." in capsys.readouterr().out
    server = certificate()
    seen = authority.seen(server)
    assert authority.names_of(server) == ("hub.lan", "10.20.0.2"), "of `hub` in network.yaml, without ports"
    assert seen.ends == pytest.approx(NOW + 5 * YEAR_S, abs=2)
    assert seen.begins == pytest.approx(NOW - YEAR_S, abs=2), "a clock that is behind matters little"
    assert files() == {
        "pki/ca.crt": 0o600,
        "pki/ca.key": 0o600,
        "pki/former": 0o700,
        "pki/issued": 0o700,
        "pki/issued/hub.crt": 0o600,
        "pki/issued/hub.key": 0o600,
    }
    assert stat.S_IMODE(Path("pki").stat().st_mode) == 0o700
    assert verified("pki/ca.crt", "pki/issued/hub.crt", "-verify_hostname", "hub.lan")
    assert verified("pki/ca.crt", "pki/issued/hub.crt", "-verify_ip", "10.20.0.2")
    assert not verified("pki/ca.crt", "pki/issued/hub.crt", "-verify_hostname", "other.lan")
    assert WORDS not in told


def test_a_folder_that_others_could_read_is_closed() -> None:
    Path("pki").mkdir(mode=0o755)
    assert init("--title", "T") == 0
    assert stat.S_IMODE(Path("pki").stat().st_mode) == 0o700


def test_the_key_is_under_the_passphrase_in_a_form_that_others_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealed_key.sealed, "__kwdefaults__", {"rounds": sealed_key.ROUNDS})
    assert sealed_key.ROUNDS >= 600_000
    init("--title", "T")
    text = Path("pki/ca.key").read_bytes()
    assert text.startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
    assert load_pem_private_key(text, WORDS.encode())
    with pytest.raises(ValueError):
        load_pem_private_key(text, b"another horse battery")
    openssl = [parts.need("openssl"), "pkey", "-in", "pki/ca.key", "-noout", "-passin", "file:words"]
    assert subprocess.run(openssl, capture_output=True).returncode == 0


def test_what_exists_is_told_and_stays(capsys: pytest.CaptureFixture[str]) -> None:
    init("--title", "T")
    issue("--for", "hub.lan")
    before = {path: Path(path).read_bytes() for path, mode in files().items() if mode == 0o600}
    capsys.readouterr()
    assert init("--title", "Other") == 0
    assert "There is an authority already; nothing was changed." in capsys.readouterr().out
    assert issue("--for", "hub.lan") == 0
    told = capsys.readouterr()
    assert "pki/issued/hub.crt exists; nothing was changed." in told.out
    assert "hub.lan, until 2031-11-22: good for 1826 days" in told.out
    assert issue("--for", "hub.lan", "--for", "192.0.2.7") == 1
    assert "It is not for 192.0.2.7: ayni pki renew-server hub --for" in capsys.readouterr().err
    assert before == {path: Path(path).read_bytes() for path in before}


def test_renewing_keeps_the_names_takes_a_new_key_and_keeps_the_old_files() -> None:
    init("--title", "T")
    issue("--for", "hub.lan", "--for", "10.0.0.1", "--for", "fd00::1")
    before, key = certificate(), Path("pki/issued/hub.key").read_text()
    assert renew() == 0
    after = certificate()
    assert authority.names_of(after) == authority.names_of(before) == ("hub.lan", "10.0.0.1", "fd00::1")
    assert Path("pki/issued/hub.key").read_text() != key
    former = sorted(Path("pki/former").iterdir())
    assert [path.suffix for path in former] == [".crt", ".key"]
    assert authority.from_pem(former[0].read_text())[0] == before
    assert former[1].read_text() == key
    assert verified("pki/ca.crt", "pki/issued/hub.crt")
    assert renew("--for", "village.example.org") == 0
    assert authority.names_of(certificate()) == ("village.example.org",), "and others where they are given"


def test_no_server_is_good_for_longer_than_its_authority(capsys: pytest.CaptureFixture[str]) -> None:
    init("--title", "T", "--years", "3")
    assert issue("--for", "hub.lan") == 0
    assert authority.seen(certificate()).ends == authority.seen(certificate("pki/ca.crt")).ends
    assert "That is less than you wanted: the authority itself ends then." in capsys.readouterr().out


def test_titles_of_any_length_and_script_are_taken() -> None:
    for title in ("x" * 300, "Comunidad de Ñuñoa — 村のネットワーク", "  a  b "):
        made = authority.make(title, NOW, "00ff")
        assert 1 <= len(authority.title_of(made.certificate)) <= 64


# ---- what is refused


@pytest.mark.parametrize(
    ("main", "words", "said"),
    [
        (command_pki.init_main, ["--passphrase-file", "weak"], "the passphrase is too weak"),
        (command_pki.init_main, ["--passphrase-file", "same"], "the passphrase is too weak"),
        (command_pki.init_main, [], "nobody is here to type the passphrase"),
        (command_pki.issue_main, [], "pki: there is no authority here; make one with ayni pki init"),
        (command_pki.roll_over_main, ["begin"], "pki: there is no authority here"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_line_and_leaves_nothing(
    main: Callable[..., int], words: list[str], said: str,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    Path("weak").write_text("horse\n")
    Path("same").write_text("a" * 30)
    monkeypatch.setattr("sys.stdin", open("/dev/null"))  # noqa: SIM115
    assert main(words) == 1
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1
    assert not Path("pki").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--for", "hub lan"], 'hub lan": expected a name such as hub.lan, or an address'),
        (["--for", "*.lan"], "expected a name such as hub.lan"),
        (["--for", "10.20.0.300"], "expected a name such as hub.lan"),
        ([], "for which names? Give --for"),
        (["../hub", "--for", "hub.lan"], "expected 1 to 48 of a-z"),
    ],
)
def test_names_that_no_certificate_can_have_are_refused(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    init("--title", "T")
    assert issue(*words) == 1
    assert said in capsys.readouterr().err
    assert not list(Path("pki/issued").iterdir())


def test_an_empty_passphrase_or_a_missing_one_is_a_fault_of_what_was_given() -> None:
    Path("empty").write_text("\n")
    with pytest.raises(ConfigError, match="is empty"):
        command_pki.init_main(["--passphrase-file", "empty"])
    with pytest.raises(ConfigError, match="AYNI_NONE is not set"):
        command_pki.init_main(["--passphrase-env", "AYNI_NONE"])


def test_a_wrong_passphrase_and_a_key_of_another_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    init("--title", "T")
    Path("other").write_text("wrong horse battery staple")
    assert command_pki.issue_main(["--for", "hub.lan", "--passphrase-file", "other"]) == 1
    assert "pki/ca.key: the passphrase is wrong, or the file is damaged" in capsys.readouterr().err
    Path("pki/ca.key").write_text(authority.key_to_pem(authority.make("x", NOW, "1").key))
    assert issue("--for", "hub.lan") == 1
    assert "pki/ca.key: does not belong to pki/ca.crt" in capsys.readouterr().err
    Path("pki/ca.key").unlink()
    assert issue("--for", "hub.lan") == 1
    assert "pki/ca.key: cannot be read: No such file" in capsys.readouterr().err


def test_it_is_typed_twice_where_somebody_sits(capsys: pytest.CaptureFixture[str]) -> None:
    answers = iter([WORDS, "something else entirely"])
    assert command_pki.init_main(["--title", "T"], lambda _question: next(answers)) == 1
    assert "two different passphrases" in capsys.readouterr().err
    assert not Path("pki").exists()
    assert command_pki.init_main(["--title", "T"], lambda _question: WORDS) == 0
    assert command_pki.issue_main(["--for", "a.lan"], lambda _question: WORDS) == 0


def test_out_of_the_environment_and_without_any(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AYNI_PKI", WORDS)
    assert command_pki.init_main(["--title", "T", "--passphrase-env", "AYNI_PKI"]) == 0
    assert command_pki.issue_main(["--for", "a.lan", "--passphrase-env", "AYNI_PKI"]) == 0
    plain = ["--dir", "plain", "--title", "T", "--no-passphrase"]
    assert command_pki.init_main(plain) == 0
    assert command_pki.issue_main(["--dir", "plain", "--for", "a.lan"]) == 0, "nobody is asked"


def test_a_clock_in_1970_signs_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "wall_s", lambda: 86_400.0)
    assert init("--title", "T") == 1
    assert "the clock of this machine says 1970-01-02; set it first" in capsys.readouterr().err


# ---- how they stand


@pytest.mark.parametrize(
    ("days", "words", "status"),
    [
        (0, "good for 1826 days", 0),
        (1826 - 89, "ends soon, in 89 days: renew it", 1),
        (1826 - 29, "ENDS IN 29 DAYS: renew it now", 3),
        (1826 + 2, "EXPIRED 2 days ago", 3),
        (-400, "NOT YET GOOD, if the clock is right here", 3),
    ],
)
def test_status_says_how_long_each_is_good_for_people_and_scripts(
    days: int, words: str, status: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    init("--title", "T")
    issue("--for", "hub.lan")
    capsys.readouterr()
    monkeypatch.setattr(clock, "wall_s", lambda: NOW + days * DAY_S)
    assert command_pki.status_main([]) == status
    told = capsys.readouterr().out
    assert f"pki/issued/hub.crt: hub.lan, until 2031-11-22: {words}" in told
    assert f"fingerprint (SHA-256): {authority.seen(certificate('pki/ca.crt')).fingerprint}" in told
    assert command_pki.status_main(["--json"]) == status
    found = json.loads(capsys.readouterr().out)["certificates"]
    assert [each["role"] for each in found] == ["authority", "server"]
    assert found[1]["names"] == ["hub.lan"]
    assert found[1]["days_left"] == pytest.approx(1826 - days, abs=1)
    assert found[1]["state"] == {0: "ok", 1: "soon"}.get(status, found[1]["state"])


def test_an_authority_needs_somebody_long_before_a_server_does() -> None:
    init("--title", "T")
    folder = PkiFolder(Path("pki"))
    for days, state in ((800, "ok"), (700, "soon"), (100, "critical"), (-1, "expired")):
        now = authority.seen(certificate("pki/ca.crt")).ends - days * DAY_S
        assert standing.look(folder, now)[0].state == state


def test_what_does_not_fit_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    init("--title", "T")
    issue("--for", "hub.lan")
    Path("pki/issued/hub.key").write_text(authority.key_to_pem(authority.make("x", NOW, "1").key))
    assert command_pki.status_main([]) == 3
    assert "NOT USABLE: its key is another one" in capsys.readouterr().out
    Path("pki/issued/hub.crt").write_text("-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n")
    assert command_pki.status_main([]) == 2
    assert "pki/issued/hub.crt: not a certificate" in capsys.readouterr().err
    Path("pki/ca.crt").write_text("nothing")
    assert command_pki.status_main([]) == 2
    assert "pki/ca.crt: there is no certificate in it" in capsys.readouterr().err


# ---- the roll-over


def test_a_roll_over_goes_by_both_and_ends_with_the_new_one_alone(capsys: pytest.CaptureFixture[str]) -> None:
    init("--title", "T")
    issue("--for", "hub.lan")
    issue("phone", "--for", "phone.lan")
    Path("old.crt").write_text(Path("pki/ca.crt").read_text())
    assert roll_over("finish") == 1
    assert "no roll-over is under way" in capsys.readouterr().err
    assert roll_over("begin") == 0
    assert "Bring pki/ca.crt to every node, hub and console" in capsys.readouterr().out
    old, new = authority.from_pem(Path("pki/ca.crt").read_text())
    Path("both.crt").write_text(Path("pki/ca.crt").read_text())
    assert old == certificate("old.crt")
    assert authority.title_of(new) != authority.title_of(old)
    assert roll_over("begin") == 1
    assert "a roll-over is under way" in capsys.readouterr().err
    assert renew() == 0
    assert authority.signed(certificate(), old), "until it is finished the old one signs"
    assert command_pki.status_main([]) == 0
    assert "A roll-over is under way" in capsys.readouterr().out
    assert roll_over("finish") == 0
    told = capsys.readouterr().out
    assert told.index("First put these") < told.index("Then bring pki/ca.crt")
    Path("new.crt").write_text(Path("pki/ca.crt").read_text())
    assert authority.from_pem(Path("new.crt").read_text()) == [new]
    assert command_pki.status_main([]) == 0
    assert not list(Path("pki").glob("next*"))
    issue("late", "--for", "late.lan")
    for name in ("hub", "phone", "late"):
        chain = f"pki/issued/{name}.crt"
        assert authority.signed(certificate(chain), new)
        for trusted in ("old.crt", "both.crt", "new.crt"):
            assert verified(trusted, chain), f"{name} to who trusts {trusted}"
    assert not verified("old.crt", "pki/issued/hub.crt", "-verify_hostname", "other.lan")


def test_the_next_authority_may_have_another_passphrase() -> None:
    init("--title", "T")
    Path("fresh").write_text("four entirely different words")
    assert roll_over("begin", "--new-passphrase-file", "fresh") == 0
    assert roll_over("finish") == 1
    assert command_pki.roll_over_main(["finish", "--passphrase-file", "fresh"]) == 0
    assert command_pki.issue_main(["--for", "a.lan", "--passphrase-file", "fresh"]) == 0


class CutError(Exception):
    pass


@pytest.mark.parametrize("step", ["begin", "finish"])
def test_a_roll_over_that_is_cut_off_anywhere_can_be_done_again(step: str, tmp_path: Path) -> None:
    """After each write and removal in turn."""
    left = 0

    class Failing(PkiFolder):
        def write(self, path: Path, text: str) -> None:
            self._count()
            super().write(path, text)

        def remove(self, *paths: Path) -> None:
            for path in paths:
                self._count()
                super().remove(path)

        def _count(self) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise CutError

    def done(folder: PkiFolder) -> None:
        if step == "begin":
            work.begin(folder, folder.authority(None), "T", None, NOW, "02")
        else:
            work.finish(folder, folder.successor(None), NOW)

    for at in range(1, 20):
        path = tmp_path / f"{step}-{at}"
        plain = PkiFolder(path)
        old = work.init(plain, "T", None, NOW, "01")
        work.issue(plain, old, "hub", ["hub.lan"], NOW)
        if step == "finish":
            work.begin(plain, old, "T", None, NOW, "02")
        left = at
        try:
            done(Failing(path))
        except CutError:
            if plain.next.is_file() or step == "begin":
                done(plain)
        else:
            break
        if step == "begin":
            work.finish(plain, plain.successor(None), NOW)
        assert standing.exit_status(standing.look(plain, NOW)) == 0
        signer = plain.authority(None)
        assert signer.certificate != old.certificate
        chain = path / "issued" / "hub.crt"
        (path / "old.crt").write_text(authority.to_pem(old.certificate))
        assert verified(str(path / "old.crt"), str(chain)), f"{step} cut off at {at}"
        assert verified(str(path / "ca.crt"), str(chain)), f"{step} cut off at {at}"
        former = [authority.key_from_pem(each.read_text()) for each in (path / "former").glob("ca-*.key")]
        assert [authority.fits(old.certificate, key) for key in former] == [True], "the old key is not lost"
    else:
        pytest.fail("it never came to its end")
    assert at > 4


# ---- looking without a library


def test_times_and_fingerprints_are_read_as_others_read_them(tmp_path: Path) -> None:
    made = authority.make("T", NOW, "01", years=60)
    assert authority.seen(made.certificate).ends == pytest.approx(NOW + 60 * YEAR_S, abs=2), "beyond 2049"
    path = tmp_path / "ca.crt"
    path.write_text("a comment\n" + authority.to_pem(made.certificate, made.certificate))
    seen, again = certificates.in_file(path)
    assert seen == again
    openssl = [parts.need("openssl"), "x509", "-noout", "-fingerprint", "-sha256", "-enddate", "-in"]
    told = subprocess.run([*openssl, str(path)], capture_output=True, text=True, check=True).stdout
    assert f"Fingerprint={seen.fingerprint}\n" in told
    assert ssl.cert_time_to_seconds(told.partition("notAfter=")[2].strip()) == seen.ends


def test_hostile_octets_are_no_certificate(tmp_path: Path) -> None:
    der = ssl.PEM_cert_to_DER_cert(authority.to_pem(authority.make("T", NOW, "01").certificate))
    good = x509.validity(der)
    for cut in range(len(der)):
        with pytest.raises(x509.CertificateError):
            x509.validity(der[:cut])
    for at in range(0, min(len(der), 140)):
        for octet in (0x00, 0x30, 0x80, 0x84, 0xFF, der[at] ^ 1):
            try:
                found = x509.validity(der[:at] + bytes((octet,)) + der[at + 1 :])
            except x509.CertificateError:
                continue
            assert all(isinstance(each, float) for each in found)
    assert x509.validity(der) == good
    for text in ("", "no", "-----BEGIN CERTIFICATE-----\nAAAA", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----"):  # fmt: skip  # noqa: E501
        (tmp_path / "bad.crt").write_text(text)
        with pytest.raises(ValueError):
            certificates.in_file(tmp_path / "bad.crt")


def test_without_the_library_the_extra_is_named(tmp_path: Path) -> None:
    (tmp_path / "cryptography.py").write_text("raise ModuleNotFoundError(\"no\", name='cryptography')\n")
    done = subprocess.run(
        [sys.executable, "-m", "ayni_io.cli", "pki", "status"], capture_output=True, text=True,
        env={"PYTHONPATH": str(tmp_path), "AYNI_LANG": "en", "PATH": "/usr/bin"},
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == (
        'ayni pki status: cryptography is missing; get the extra "pki": pip install "ayni[pki]"\n'
    )


def test_every_command_names_itself() -> None:
    for path, entry in cli.COMMANDS.items():
        if path[0] == "pki":
            assert cli.load_parser(entry).prog == "ayni " + " ".join(path)


def test_a_shorter_name_is_never_taken_for_its_longer_one() -> None:
    with pytest.raises(PkiError):
        authority.server_name("")
    assert authority.server_name("Hub.LAN.") == "hub.lan"
    assert authority.server_name("[fd00::0001]") == "fd00::1"
    assert isinstance(authority.make("T", NOW, "01"), Authority)
