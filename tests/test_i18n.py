"""Which language is spoken, how it writes numbers and days, and the one made up for those who draw."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from ayni_io import chosen, i18n, pseudo, words
from ayni_io.i18n import _, _c, _n

FROM = ("AYNI_LANG", "LANGUAGE", "LC_ALL", "LC_MESSAGES", "LC_NUMERIC", "LANG")


@pytest.fixture(autouse=True)
def nobody_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No variable says anything, and nothing was chosen; afterwards the language from before is back."""
    before = i18n.language()
    for name in FROM:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    yield
    monkeypatch.undo()
    i18n.use(before)


@pytest.mark.parametrize(
    ("said", "spoken"),
    [
        ({"LANG": "es_PE.UTF-8"}, "es"),
        ({"LANG": "es_PE.UTF-8", "LC_ALL": "fr_FR.UTF-8"}, "fr"),
        ({"LANG": "es_PE.UTF-8", "LANGUAGE": "qu:pt_BR"}, "pt"),
        ({"LANG": "es_PE.UTF-8", "AYNI_LANG": "fr"}, "fr"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "xx_XX"}, "xx"),
    ],
)
def test_the_environment_says_the_language(
    said: dict[str, str], spoken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    i18n.use("en")
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    assert i18n.use() == spoken


def test_what_was_chosen_goes_before_the_locale_and_after_the_variable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LANG", "fr_FR.UTF-8")
    assert chosen.write(chosen.LANGUAGE, "pt", {"XDG_CONFIG_HOME": str(tmp_path)}) == ""
    assert i18n.use() == "pt"
    monkeypatch.setenv("AYNI_LANG", "es")
    assert i18n.use() == "es"
    kept = tmp_path / "ayni" / "language"
    assert kept.read_text() == "pt\n"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


@pytest.mark.parametrize("rubbish", [b"", b"../../etc", b"\xff\xfe", b"ESPANOL", b"x" * 5000, b"zz\n"])
def test_rubbish_where_a_choice_was_kept_is_no_choice(
    rubbish: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "ayni").mkdir()
    (tmp_path / "ayni" / "language").write_bytes(rubbish)
    i18n.use("en")
    monkeypatch.setenv("LANG", "C")
    assert i18n.use() == "en"


def test_a_choice_that_cannot_be_kept_says_why(tmp_path: Path) -> None:
    (tmp_path / "ayni").write_text("no folder")
    assert chosen.write(chosen.LANGUAGE, "es", {"XDG_CONFIG_HOME": str(tmp_path)}) != ""
    assert chosen.read(chosen.LANGUAGE, {"XDG_CONFIG_HOME": str(tmp_path)}) == ""
    assert chosen.folder({"XDG_CONFIG_HOME": "here", "HOME": "/home/ana"}) == Path("/home/ana/.config/ayni")


@pytest.mark.parametrize(
    ("language", "environment", "shown"),
    [
        ("en", {}, "24.1 V"),
        ("fr", {}, "24,1 V"),
        ("pt", {}, "24,1 V"),
        ("es", {"LANG": "es_PE.UTF-8"}, "24.1 V"),
        ("es", {"LANG": "es_AR.UTF-8"}, "24,1 V"),
        ("es", {"LANG": "en_US.UTF-8", "LC_NUMERIC": "es_CL.UTF-8"}, "24,1 V"),
        ("en", {"LANG": "es_AR.UTF-8"}, "24.1 V"),
    ],
)
def test_numbers_have_the_decimal_mark_of_language_and_country(
    language: str, environment: dict[str, str], shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    i18n.use(language)
    assert words.number(24.1, 1, "V") == shown
    assert _("{volts} V", volts=24.1) == shown
    assert _("{volts:.1f} V", volts=24.12) == shown
    assert _("{volts} V", volts="24.1") == "24.1 V"


def test_a_reader_of_another_language_gets_its_own_decimal_mark() -> None:
    i18n.use("en")
    with i18n.speaking("fr"):
        assert words.number(24.1, 1) == "24,1"
    assert words.number(24.1, 1) == "24.1"


@pytest.mark.parametrize(
    ("language", "day"),
    [("en", "2026-11-21"), ("es", "21/11/2026"), ("fr", "21/11/2026"), ("pt", "21/11/2026")],
)
def test_days_are_written_as_the_language_has_it(language: str, day: str) -> None:
    import datetime

    i18n.use(language)
    assert words.date(1_795_300_000.0, datetime.UTC) == day
    assert words.when(1_795_300_000.0, 1_799_000_000.0, datetime.UTC) == day


@pytest.mark.parametrize("language", sorted(i18n.LANGUAGES))
def test_one_and_many_differ_where_the_language_says_so(language: str) -> None:
    i18n.use(language)
    assert _n("{n} home", "{n} homes", 1) != _n("{n} home", "{n} homes", 2).replace("2", "1")
    zero = _n("{n} home", "{n} homes", 0).replace("0", "1")
    assert (zero == _n("{n} home", "{n} homes", 1)) == (language == "fr")


# ---- the language that is made up


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Home", "⟦Hómé⟧"),
        ("OK", "OK"),
        ("{n}s", "{n}s"),
        ("Mb/s", "Mb/s"),
        ("  blanks stay ", "  ⟦bláánkš šššš⟧ "),
        ("{n} needs you", "⟦{n} ñéééédš ýóú⟧"),
        ("type `ayni start`, Enter", "⟦týýpé `ayni start`, Enter⟧"),
        ("%(prog)s: error: %(message)s\n", "⟦%(prog)s: éérróór: %(message)s⟧\n"),
    ],
)
def test_the_made_up_language_is_longer_and_keeps_places_keys_and_commands(text: str, said: str) -> None:
    made = pseudo.stretched(text)
    if "blanks" not in text:
        assert made == said
    assert made.startswith(text[: len(text) - len(text.lstrip())])
    assert made.endswith(text[len(text.rstrip()) :])


def test_it_is_a_third_longer() -> None:
    i18n.use("xx")
    for text in ("Find a command by its name", "The monitor is late. The link may well work.", "homes"):
        assert 1.3 <= len(_(text)) / len(text) <= 1.6
    assert _c("decimal mark", ".") == "."
    assert _c("date", "%Y-%m-%d") == "%Y-%m-%d"
    assert _n("{n} home", "{n} homes", 3) == "⟦3 hóóméš⟧"


def test_nobody_is_offered_it() -> None:
    assert pseudo.LANGUAGE not in i18n.LANGUAGES
