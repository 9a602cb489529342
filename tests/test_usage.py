"""argparse speaks the reader's language, and nothing that it says to people is forgotten."""

from __future__ import annotations

import argparse
import ast
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import in_process
import pytest

from ayni_io import cli, i18n, usage

FOR_PROGRAMMERS = (
    ".__call__() not defined", "conflicting", "cannot merge actions", "'required' is an invalid argument",
    "invalid option string", "dest= is required", "invalid conflict_resolution", "mutually exclusive",
    "cannot have multiple subparser", "%r is not callable", 'argument "-" with mode', "unknown parser",
    "required argument", "is deprecated", "invalid interval", "unexpected option string",
    "invalid %(type)s value",
)  # fmt: skip
"""What argparse says only to who writes a parser, of what no parser of ours has, or ours say otherwise."""


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


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"type": int}, '"x": expected a whole number'),
        ({"type": float}, '"x": expected a number'),
        ({"type": datetime.fromisoformat, "metavar": "DATE", "help": "such as 2026-01-31"},
         '"x": expected DATE, such as 2026-01-31'),
        ({"type": datetime.fromisoformat}, '"x": expected SOME'),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_read_is_told_what_was_expected(
    given: dict[str, Any], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = usage.Parser(prog="p")
    parser.add_argument("--some", **given)
    with pytest.raises(SystemExit):
        parser.parse_args(["--some", "x"])
    assert capsys.readouterr().err.splitlines()[-1] == f"p: error: argument --some: {said}"


# ---- what was mistyped


def parsers() -> Iterator[tuple[str, argparse.ArgumentParser, tuple[str, ...]]]:
    """(command, its parser, the subcommand's words) of every command, and of every subcommand of each."""
    for path, entry in cli.COMMANDS.items():
        made = cli.load_parser(entry)
        yield " ".join(path), made, ()
        for action in made._actions:
            if isinstance(action, argparse._SubParsersAction):
                yield from ((" ".join((*path, word)), made, (word,)) for word in action.choices)


def offered(parser: argparse.ArgumentParser, words: tuple[str, ...]) -> Iterator[str]:
    """The long options that the help of a command, or of its subcommand, tells of."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction) and words:
            yield from offered(action.choices[words[0]], ())
        elif not words and action.help != argparse.SUPPRESS:
            yield from (each for each in action.option_strings if each.startswith("--"))


def complaint(parser: argparse.ArgumentParser, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """The last line of what it says; the usage above is left out."""
    with pytest.raises(SystemExit) as caught:
        parser.parse_args(words)
    assert caught.value.code == 2
    return capsys.readouterr().err.splitlines()[-1]


def test_every_option_of_every_command_is_named_when_it_is_mistyped(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = 0
    for command, parser, words in parsers():
        for option in offered(parser, words):
            wrong = f"{option}x"
            said = complaint(parser, capsys, *words, wrong)
            assert said.endswith(f'; did you mean "{option}"?'), f"ayni {command} {wrong}: {said}"
            found += 1
    assert found > 400


@pytest.mark.parametrize(
    ("command", "words", "end"),
    [
        ("status", ("--jsn",), 'unrecognized arguments: --jsn; did you mean "--json"?'),
        ("status", ("--JSON",), '--JSON; did you mean "--json"?'),
        ("status", ("-json",), 'did you mean "--json"?'),
        ("status", ("--brokr=hub.lan",), '--brokr=hub.lan; did you mean "--broker"?'),
        ("status", ("--jsn", "--brokr", "hub.lan"), '; did you mean "--json", "--broker"?'),
        ("status", ("--jsn", "--jsn"), '--jsn --jsn; did you mean "--json"?'),
        ("do", ("pi", "plan", "--pol_s", "9"), 'did you mean "--poll-s"?'),
        ("do", ("pi", "rebot"), " 'restart', 'plan'); did you mean \"reboot\"?"),
        ("maintenance", ("ad",), '; did you mean "add"?'),
        ("maintenance", ("add", "--wekdays", "sat"), "unrecognized arguments: --wekdays sat"),
        ("maintenance", ("add", "--stat", "now"), '; did you mean "--start"?'),
        ("note", ("--abuot",), 'required: TEXT; did you mean "--about"?'),
        ("status", ("--zzzzz",), "unrecognized arguments: --zzzzz"),
        ("status", ("extra",), "unrecognized arguments: extra"),
        ("status", ("--", "--jsn"), "unrecognized arguments: -- --jsn"),
        ("status", ("-5",), "unrecognized arguments: -5"),
        ("status", ("--language",), "expected one argument"),
    ],
)
def test_the_nearest_is_told_where_there_is_one(
    command: str, words: tuple[str, ...], end: str, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = cli.load_parser(cli.COMMANDS[(command,)])
    said = complaint(parser, capsys, *words)
    assert said.endswith(end), said


def test_what_help_does_not_tell_of_is_not_proposed(capsys: pytest.CaptureFixture[str]) -> None:
    parser = usage.Parser(prog="x")
    parser.add_argument("--secret-door", help=argparse.SUPPRESS)
    assert "secret" not in complaint(parser, capsys, "--secret-dor").removesuffix("--secret-dor")


def test_every_command_says_what_was_probably_meant() -> None:
    for command, parser, _words in parsers():
        assert isinstance(parser, usage.Parser), command


def test_the_nearest_is_told_in_the_language_of_the_reader() -> None:
    said = run("status", "--jsn", LC_ALL="xx_XX.UTF-8").stderr
    assert '"--json"' in said
    assert "did you mean" not in said


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
