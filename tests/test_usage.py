"""argparse speaks the reader's language, and nothing that it says to people is forgotten."""

from __future__ import annotations

import argparse
import ast
from collections.abc import Iterator
from pathlib import Path

import in_process
import pytest

from ayni_io import cli, i18n, usage

FOR_PROGRAMMERS = (
    ".__call__() not defined", "conflicting", "cannot merge actions", "'required' is an invalid argument",
    "invalid option string", "dest= is required", "invalid conflict_resolution", "mutually exclusive",
    "cannot have multiple subparser", "%r is not callable", 'argument "-" with mode', "unknown parser",
    "required argument", "is deprecated", "invalid interval", "unexpected option string",
)  # fmt: skip
"""What argparse says only to who writes a parser, or of what no parser of ours has."""


@pytest.fixture()
def spanish() -> Iterator[None]:
    before = i18n.language()
    i18n.use("es")
    yield
    i18n.use(before)


def says() -> set[str]:
    """Every text of argparse that goes through gettext."""
    tree = ast.parse(Path(argparse.__file__).read_text(encoding="utf-8"))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_":
            found |= {each.value for each in node.args if isinstance(each, ast.Constant)}
    return {text for text in found if isinstance(text, str)}


def test_all_that_argparse_says_to_people_is_ours() -> None:
    forgotten = {text for text in says() - usage.WORDS if not any(part in text for part in FOR_PROGRAMMERS)}
    assert forgotten == set()


@pytest.mark.usefixtures("spanish")
@pytest.mark.parametrize("text", sorted(usage.WORDS))
def test_each_is_translated_and_keeps_its_places(text: str) -> None:
    said = usage._one(text)
    assert said
    assert said.count("%") == text.count("%")


@pytest.mark.usefixtures("spanish")
def test_numbers_of_arguments_have_their_forms() -> None:
    assert usage._many("expected %s argument", "expected %s arguments", 2) % 2 != "expected 2 arguments"
    assert "1" in usage._many("expected %s argument", "expected %s arguments", 1) % 1
    assert usage._many("conflicting option string: %s", "conflicting option strings: %s", 2).endswith("%s")


def run(*words: str, **environment: str) -> in_process.Run:
    return in_process.ayni(*words, env={"AYNI_LANG": "", "XDG_CONFIG_HOME": "/nonexistent", **environment})


def test_help_and_complaints_speak_as_asked() -> None:
    for words, environment in (
        (("status", "--help"), {"AYNI_LANG": "xx"}),
        (("status", "--nothing"), {"LC_ALL": "xx_XX.UTF-8"}),
    ):
        done = run(*words, **environment)
        assert "⟦" in done.stdout + done.stderr
        assert "usage:" not in done.stdout + done.stderr


def test_language_works_for_help_too() -> None:
    assert (
        run("status", "--language", "es", "--help").stdout == run("status", "--help", AYNI_LANG="es").stdout
    )
    assert run("status", "--help", "--language=es").stdout == run("status", "--help", AYNI_LANG="es").stdout


def test_did_you_mean_is_asked_in_the_language_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = i18n.language()
    monkeypatch.setenv("AYNI_LANG", "xx")
    assert cli.main(["consle"]) == 2
    i18n.use(before)
    said = capsys.readouterr().err
    assert '"console"' in said
    assert "did you mean" not in said


@pytest.mark.parametrize("language", sorted(i18n.LANGUAGES))
def test_the_list_of_commands_fits_80_columns_in_every_language(language: str) -> None:
    before = i18n.language()
    i18n.use(language)
    try:
        assert [line for line in cli._usage(()).splitlines() if len(line) > 80] == []
    finally:
        i18n.use(before)
