"""Links in the pages lead somewhere, and every `ayni …` in them is a command with the options it has."""

from __future__ import annotations

import argparse
import re
import shlex
from pathlib import Path

import pytest

from ayni_io import cli

ROOT = Path(__file__).parent.parent
SKIPPED = {".venv", ".git", "node_modules"}
PAGES = sorted(path for path in ROOT.rglob("*.md") if not SKIPPED & set(path.relative_to(ROOT).parts))
IDS = [str(path.relative_to(ROOT)) for path in PAGES]
MADE_ELSEWHERE = {"docs/images/home.svg"}
"""Drawn from the real screen, not written by hand."""


def prose(page: Path) -> str:
    """A page without what is in fences: there brackets mean something else."""
    return re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """The anchors that headings of a page get."""
    heads = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_relative_links_lead_to_a_file(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _hash, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if str(file.relative_to(ROOT)) in MADE_ELSEWHERE:
            continue
        assert file.exists(), f"{page.name}: {target}"
        if anchor:
            assert anchor in anchors(file), f"{page.name}: {target}"


def commands(page: Path) -> list[list[str]]:
    """Every `ayni …` of a page: lines of fenced and indented blocks, and whole code spans."""
    text = page.read_text(encoding="utf-8")
    fenced = "\n".join(re.findall(r"^```\w*\n(.*?)^```$", text, re.DOTALL | re.MULTILINE))
    indented = "\n".join(line.strip() for line in text.splitlines() if line.startswith("    "))
    spans = re.findall(r"`(ayni [^`]+)`", prose(page))
    found = []
    for line in (*fenced.splitlines(), *indented.splitlines(), *spans):
        words = re.sub(r"^(\$ |sudo (-u \S+ )?)", "", line.strip())
        if re.match(r"ayni( |$)", words) and "…" not in words:
            found.append(shlex.split(re.split(r" [|>] ?|;|&&", words)[0], comments=True))
    return found


def options_of(command: argparse.ArgumentParser, words: list[str]) -> tuple[set[str], list[str]]:
    """The options that hold after some words, a subcommand of a command being one of them."""
    for action in command._actions:
        if isinstance(action, argparse._SubParsersAction) and words:
            word = next((each for each in words if not each.startswith("-")), None)
            assert word in action.choices, f"{command.prog} has no {word}"
            return options_of(action.choices[word], words[words.index(word) + 1 :])
    return {option for action in command._actions for option in action.option_strings}, words


def check(words: list[str]) -> None:
    """Raise where a documented command is none."""
    rest = words[1:]
    if not rest or rest[0] in ("--version", "--help"):
        return
    entry = cli.COMMANDS.get(tuple(rest[:2])) or cli.COMMANDS.get(tuple(rest[:1]))
    if entry is None:
        assert len(rest) == 1 and rest[0] in cli._GROUPS, f"no such command: {' '.join(words)}"
        return
    used = 2 if tuple(rest[:2]) in cli.COMMANDS else 1
    known, after = options_of(cli.load_parser(entry), rest[used:])
    for option in (word.partition("=")[0] for word in after if word.startswith("-")):
        assert option in known, f"no such option: {' '.join(words)}"


@pytest.mark.parametrize(
    "page", [page for page in PAGES if commands(page)], ids=lambda page: str(page.relative_to(ROOT))
)
def test_every_command_of_a_page_exists_with_its_options(page: Path) -> None:
    for words in commands(page):
        check(words)


@pytest.mark.parametrize(
    "line", ["ayni no-such", "ayni agent poll --no-such", "ayni lab no-such", "ayni agent no-such"]
)
def test_the_check_notices_what_does_not_exist(line: str) -> None:
    with pytest.raises(AssertionError):
        check(line.split())


def test_the_pages_speak_of_the_main_commands() -> None:
    said = {words[1] for page in PAGES for words in commands(page) if len(words) > 1}
    assert {"demo", "start", "console", "agent", "hub"} <= said
