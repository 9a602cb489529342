"""The operator's guide says what rules, states and keys really are."""

from __future__ import annotations

import re
from pathlib import Path

from ayni_console import command_do, keys
from ayni_core import commands, rules
from ayni_core.commands import Doing, Number
from ayni_core.texts import TEXTS
from ayni_io import words, yamlfile

ROOT = Path(__file__).parent.parent
GUIDE = (ROOT / "docs" / "operators-guide.md").read_text(encoding="utf-8")
RULES = {
    rule.name: rule
    for path in sorted((ROOT / "configs" / "rules").glob("*.yaml"))
    for rule in yamlfile.read(path, rules.parse)
}


def table(heading: str) -> list[list[str]]:
    """The first table below a heading, without head and rule."""
    below = GUIDE.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [line for line in below.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row.strip().strip("|"))] for row in rows[2:]]


def limits_in_words(doing: Doing) -> str:
    """How the page gives the limits of what a command takes."""
    options = {"count": "--count", "for_s": "--for"}
    said = [
        f"`{options[each.field]}` {each.least:g} to {each.most:g}, else {each.default:g}"
        for each in doing.arguments
        if isinstance(each, Number)
    ]
    if doing.name == "ping":
        said.append("`--size` to 1400, else 56")
    if doing.name == "plan":
        paces = {"--poll-s": commands.PLAN_POLL_S, "--flush-s": commands.PLAN_FLUSH_S}
        said = [f"`{option}` {least} to {most}" for option, (least, most) in paces.items()] + said
    return "; ".join(said) or "–"


def test_every_command_stands_on_the_page_as_in_the_code() -> None:
    places = {"device": "device", "node": "monitor", "either": "both"}
    undone = {
        "": "–",
        "guard": "by itself, unless the central confirms",
        "itself": "by itself",
        "none": "none",
    }
    assert [[cell.replace("\\", "") for cell in row] for row in table("Commands")] == [
        [
            f"`{command_do.usage(doing.name)}`",
            TEXTS[f"command.{doing.name}"],
            places[doing.where],
            doing.role,
            f"{doing.limit_s:g} s",
            limits_in_words(doing),
            undone[doing.undo],
        ]
        for doing in commands.COMMANDS.values()
    ]


def test_states_have_the_signs_and_words_of_the_console() -> None:
    shown = {(row[0], row[1]) for row in table("States")}
    assert shown == {(words.symbol(state), words.word(state)) for state in words.SYMBOLS}


def test_every_key_of_the_console_is_listed_with_its_twin() -> None:
    shown = {(row[0].strip("`"), row[1]) for row in table("Keys")}
    assert shown == {(key.shown, keys.twin(key).removeprefix(key.shown).strip()) for key in keys.KEYS}


def test_what_the_quick_start_quotes_is_what_the_programs_say() -> None:
    page = (ROOT / "docs" / "quick-start.md").read_text(encoding="utf-8")
    quoted = re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE)
    sources = [*(ROOT / "scripts").iterdir(), *(ROOT / "lab" / "ayni_lab").glob("*.py")]
    said = "\n".join(path.read_text(encoding="utf-8") for path in sources if path.is_file())
    assert len(quoted) >= 3
    assert [words for words in quoted if words not in said] == []
