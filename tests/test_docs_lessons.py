"""The lessons name faults and repairs as the lab does, offer the right and the tempting one, and add up."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from ayni_core import inventory
from ayni_core.message import Message
from ayni_core.texts_lab import LAB_TEXTS
from ayni_io import yamlfile
from ayni_io.i18n import LANGUAGES, LOCALE
from ayni_lab import scenario
from ayni_lab.repairs import offers, right_repair

ROOT = Path(__file__).parent.parent
NETWORK = yamlfile.read(ROOT / "configs/network.yaml", inventory.parse)
SCENARIO = yamlfile.read(
    ROOT / "configs/scenarios/red-cerro-norte.yaml", lambda fields: scenario.parse(fields, NETWORK)
)
LESSONS = {language: ROOT / f"docs/lesson-1.{language}.md" for language in LANGUAGES}
ROWS = {
    "en": [
        "Fault", "Scenario", "Symptom", "Evidence", "Hypothesis", "Fix", "Tempting mistake",
        "Verification", "Debrief",
    ],
    "es": [
        "Falla", "Situación", "Síntoma", "Pruebas", "Hipótesis", "Reparación", "Error tentador",
        "Comprobación", "Repaso",
    ],
    "fr": [
        "Panne", "Situation", "Symptôme", "Preuves", "Hypothèse", "Réparation", "Erreur tentante",
        "Vérification", "Retour",
    ],
    "pt": [
        "Defeito", "Situação", "Sintoma", "Provas", "Hipótese", "Reparo", "Erro tentador", "Verificação",
        "Conversa",
    ],
}  # fmt: skip
TAUGHT = {"power", "unplugged", "antenna", "interference", "upstream"}
EXERCISE = r"^## (?:Exercise|Ejercicio|Exercice|Exercício) \d.*$"
each_language = pytest.mark.parametrize("language", LESSONS)


def exercises(language: str) -> list[dict[str, str]]:
    """The table of each exercise as row name -> cell."""
    text = LESSONS[language].read_text(encoding="utf-8")
    parts = re.split(EXERCISE, text, flags=re.MULTILINE)[1:]
    return [
        dict(re.findall(r"^\| (\S[^|]*?) \| (.+) \|$", part.split("\n## ")[0], re.MULTILINE))
        for part in parts
    ]


def title(message: Message, language: str) -> str | None:
    """A title in a language; None while the catalogue has no translation of it."""
    text: str | None = LAB_TEXTS[message.context]
    if language != "en":
        path = LOCALE / language / "LC_MESSAGES" / "ayni.po"
        if not path.is_file():
            return None
        with path.open("rb") as file:
            entry = read_po(file, locale=language).get(text or "", message.context)
        text = str(entry.string) if entry is not None and entry.string else None
    return text.format(**message.values) if text else None


def table_after(heading: str, language: str) -> list[list[str]]:
    text = LESSONS[language].read_text(encoding="utf-8").split(f"## {heading}\n", 1)[1].split("\n## ")[0]
    rows = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows[2:]]


@each_language
def test_an_exercise_has_every_step_in_order(language: str) -> None:
    found = exercises(language)
    assert len(found) == 5
    for each in found:
        assert list(each) == ROWS[language]


@each_language
def test_the_lesson_teaches_the_five_faults(language: str) -> None:
    ids = [re.match(r"`([^`]+)`", each[ROWS[language][0]])[1] for each in exercises(language)]  # type: ignore[index]
    assert {SCENARIO.faults[name].kind for name in ids} == TAUGHT


@each_language
@pytest.mark.parametrize("number", range(5))
def test_names_and_titles_are_those_of_the_lab(language: str, number: int) -> None:
    each, rows = exercises(language)[number], ROWS[language]
    fault = SCENARIO.faults[each[rows[0]].split("`")[1]]
    right = right_repair(fault, NETWORK)
    (tempting,) = [plan for plan in offers([fault], NETWORK).values() if plan.name != right.name]
    for row, name, message in (
        (rows[0], fault.name, fault.title(NETWORK)),
        (rows[5], right.name, right.title(NETWORK)),
        (rows[6], tempting.name, tempting.title(NETWORK)),
    ):
        assert each[row].startswith(f"`{name}`: "), row
        expected = title(message, language)
        if expected is not None:
            assert each[row].startswith(f"`{name}`: {expected}"), row


@each_language
def test_a_fault_that_is_there_from_the_start_says_so(language: str) -> None:
    words = {
        "en": "from the start", "es": "desde el comienzo", "fr": "dès le début", "pt": "desde o começo",
    }[language]  # fmt: skip
    for each in exercises(language):
        fault = SCENARIO.faults[each[ROWS[language][0]].split("`")[1]]
        assert (words in each[ROWS[language][0]]) == fault.active


@each_language
def test_homes_and_normal_signals_are_those_of_the_network(language: str) -> None:
    first, second, _third, fourth, fifth = exercises(language)
    homes = {"en": "homes", "es": "casas", "fr": "foyers", "pt": "casas"}[language]
    symptom, evidence = ROWS[language][2], ROWS[language][3]
    sites = NETWORK.sites
    for each, number in (
        (first, sites["clinica"].homes),
        (second, sites["escuela"].homes),
        (fourth, sites["alto"].homes),
        (fifth, sum(site.homes for site in sites.values())),
    ):
        assert f"{number} {homes}" in each[symptom]
    for each, link in ((first, "torre-clinica"), (fourth, "cerro-alto")):
        assert f"{round(NETWORK.links[link].a.expected_dbm or 0)}" in each[evidence]


@each_language
def test_points_add_up_to_100_and_minutes_to_90(language: str) -> None:
    sheets = {
        "en": "Score sheet", "es": "Hoja de puntaje", "fr": "Feuille de points", "pt": "Folha de pontos",
    }  # fmt: skip
    sheet = table_after(sheets[language], language)
    assert sum(int(row[1]) for row in sheet if int(row[1]) > 0) == 100
    assert [int(row[1]) for row in sheet if int(row[1]) < 0] == [-5, -15]
    plans = {"en": "Timetable", "es": "Horario", "fr": "Horaire", "pt": "Horário"}
    plan = table_after(plans[language], language)
    clock = 0
    for start, minutes, _what in plan:
        assert start == f"{clock // 60}:{clock % 60:02d}"
        clock += int(minutes)
    assert clock == 90


def test_the_ten_minutes_of_the_readme_name_what_the_lab_offers() -> None:
    text = (
        (ROOT / "README.md")
        .read_text(encoding="utf-8")
        .split("## The first ten minutes")[1]
        .split("\n## ")[0]
    )
    faults = list(SCENARIO.faults.values())
    plans = [*faults, *offers(faults, NETWORK).values()]
    offered = {title(plan.title(NETWORK), "en") for plan in plans}
    named = set(re.findall(r"(?<!\*)\*([^*]+)\*(?!\*)", text))
    assert len(named) >= 4
    assert named <= offered
