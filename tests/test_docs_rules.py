"""The guide's table of rules is what the rules say; whoever changes a rule changes the page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ayni_core.metrics import METRICS
from ayni_core.rules import Rule, parse
from ayni_core.rules.law import read
from ayni_core.rules.reading import NUMBERS
from ayni_core.rules.rule import BASELINES, CONDITIONS, SCOPES, TESTS, Window
from ayni_core.rules.sign import SIGNS
from ayni_core.schema import Faults, Fields
from ayni_core.texts import TEXTS
from ayni_io import yamlfile

ROOT = Path(__file__).parent.parent
GUIDE = (ROOT / "docs" / "operators-guide.md").read_text(encoding="utf-8")
SHIPPED = {
    rule.name: rule
    for path in sorted((ROOT / "configs" / "rules").glob("*.yaml"))
    for rule in yamlfile.read(path, parse)
}
BY_HAND = {
    "device-silent": "power, then its cable",
    "link-down": "power at one end, then the radio",
    "signal-low": "antenna moved, tree, rain; 20 dB: aimed at a side lobe",
    "signal-sank": "antenna moved, tree, rain",
    "signal-week": "antenna moved, tree, rain",
    "signal-weak": "alignment",
    "quality-low": "interference",
    "quality-poor": "interference",
    "snr-low": "noise",
    "chains-uneven": "pigtail, water, polarisation",
    "rates-differ": "interference at one end",
    "short-outages": "wind, interference, power",
    "upstream-down": "the provider",
    "agent-offline": "power at the monitor; the way to it",
}
"""First suspicions that diagnosis finds by itself, from what it sees around."""


def section() -> str:
    return GUIDE.split("\n## What is an alarm\n", 1)[1].split("\n## ", 1)[0]


def rows() -> list[list[str]]:
    found = [line for line in section().splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row.strip().strip("|"))] for row in found]


def span(seconds: float) -> str:
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"


def limit(rule: Rule, value: float | None, rank: int) -> str:
    if rule.test == "unusual":
        return "not as usual" if rank == 1 else "–"
    if rule.test == "below_best" and rank == 1:
        return "slower than its best"
    if value is None:
        return "–"
    if rule.test == "below_best":
        return f"{value / 1e6:g} Mbit/s"
    entry = METRICS.get(rule.metric) or SIGNS[rule.metric]
    unit = {"bps": "", "": ""}.get(entry.unit, f" {entry.unit}")
    states = METRICS[rule.metric].states if rule.metric in METRICS else {}
    states = states or ({0: "no", 1: "yes"} if not entry.unit and rule.metric in SIGNS else {})
    if value in states:
        return states[int(value)]
    words = {
        "below": "less than ", "at_most": "at most ", "above": "more than ", "at_least": "at least ",
        "equals": "", "lost": "",
    }  # fmt: skip
    match rule.test:
        case "below_normal":
            return f"more than {value:g} dB under normal"
        case "times_normal":
            return f"more than {value:g} times normal"
    return f"{words[rule.test]}{value:g}{unit}"


def patience(rule: Rule) -> str:
    said = []
    for rank, value in ((1, rule.warn), (2, rule.critical)):
        if value is not None or rank == rule.mildest:
            said.append(held(rule.window(rank)))
    return ", then ".join(dict.fromkeys(said))


def held(window: Window) -> str:
    if window.times:
        return f"{'once' if window.times == 1 else f'{window.times} times'} in {span(window.within_s)}"
    polls = f"{window.polls} poll{'s' if window.polls > 1 else ''}"
    if not window.for_s:
        return polls
    return span(window.for_s) if window.polls == 1 else f"{polls} and {span(window.for_s)}"


def suspicion(rule: Rule) -> str:
    return TEXTS[f"cause.{rule.suspect}"] if rule.suspect else BY_HAND[rule.name]


def expected(rule: Rule) -> list[str]:
    name = f"`{rule.name}`" + ("" if rule.on else " (off)")
    only = ", ".join([*rule.only, *(f"not {each}" for each in rule.unless)])
    about = rule.scope + (f" ({only})" if only else "")
    weak, bad = limit(rule, rule.warn, 1), limit(rule, rule.critical, 2)
    return [name, about, f"`{rule.metric}`", weak, bad, patience(rule), suspicion(rule)]


@pytest.mark.parametrize("name", SHIPPED)
def test_the_page_says_what_the_rule_says(name: str) -> None:
    page = {row[0].split("`")[1]: row for row in rows()}
    assert page.get(name) == expected(SHIPPED[name]), "the row that the page should have stands on the right"


def test_the_page_has_no_other_rules() -> None:
    assert [row[0].split("`")[1] for row in rows()] == list(SHIPPED)


def test_every_word_of_a_rules_file_is_explained_where_people_copy_from() -> None:
    text = (ROOT / "configs" / "rules" / "basic.yaml").read_text(encoding="utf-8")
    head = text.split("\nrules:\n", 1)[0]
    keys = {*NUMBERS, "scope", "metric", "test", "group", "items", "only", "unless", "ignore", "while_up"}
    keys |= {"daylight", "fallback", "baseline", "suspect", "off"}
    for word in (*keys, *TESTS, *SCOPES, *(each for each in BASELINES if each != "best"), *CONDITIONS):
        assert re.search(rf"\b{word}\b", head), word


def test_the_examples_of_the_page_are_sections_that_are_read() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", section(), re.DOTALL)
    assert blocks
    for block in blocks:
        value, lines = yamlfile.load(block, "the page")
        for path, found in _sections(value):
            faults = Faults("the page", lines)
            read(Fields({"rules": found}, path, faults), known=SHIPPED)
            faults.stop()


def _sections(value: object, path: str = "") -> list[tuple[str, object]]:
    if not isinstance(value, dict):
        return []
    found = [(path, value["rules"])] if "rules" in value else []
    for key, each in value.items():
        if key != "rules":
            found += _sections(each, f"{path}.{key}")
    return found
