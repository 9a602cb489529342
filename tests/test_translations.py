"""The catalogues: complete, up to date with the code, and short enough for the places where texts stand."""

from __future__ import annotations

import ast
import functools
import importlib.util
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType

import pytest
from babel.messages.catalog import Catalog, Message

from ayni_core import inventory
from ayni_core.message import Message as Said
from ayni_core.texts import TEXTS
from ayni_io import i18n, yamlfile

ROOT = Path(__file__).parent.parent
PARTS = ("core", "agent", "hub", "console", "lab")
CATALOGUES = sorted(i18n.LOCALE.glob("*/LC_MESSAGES/ayni.po"))
NETWORK = yamlfile.read(ROOT / "configs/network.yaml", inventory.parse)
TITLES: Mapping[str, list[str]] = {
    "site": [site.title for site in NETWORK.sites.values()],
    "device": [device.title for device in NETWORK.devices.values()],
    "link": [link.title for link in NETWORK.links.values()],
}
HEADLINES = sorted(context for context in TEXTS if context.startswith("headline."))
LONGEST_CELLS, MOST_WORDS = 60, 12
Text = tuple[str | None, str]
"""A text's msgctxt and its msgid; of a plural the singular."""

each_catalogue = pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parent.parent.name)


def _catalogues() -> ModuleType:
    """scripts/catalogues.py, which is no package."""
    spec = importlib.util.spec_from_file_location("catalogues", ROOT / "scripts/catalogues.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


catalogues = _catalogues()


def texts_of(catalogue: Catalog) -> set[Text]:
    """Every text that a catalogue or a template holds."""
    ids = ((entry.context, entry.id) for entry in catalogue if entry.id)
    return {(context, text if isinstance(text, str) else text[0]) for context, text in ids}


@functools.cache
def calls() -> tuple[tuple[Path, str, tuple[str | None, ...]], ...]:
    """Every function that is called by its name in a module that ships, and its arguments: those that are
    plain texts, None for others."""
    found = []
    for part in PARTS:
        for path in sorted((ROOT / part).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    values = [getattr(argument, "value", None) for argument in node.args]
                    words = tuple(value if isinstance(value, str) else None for value in values)
                    found.append((path, node.func.id, words))
    return tuple(found)


def placed(text: str) -> Iterator[Mapping[str, str]]:
    """Every way to fill the places of a headline with names of the example network."""
    wanted = [place for place in TITLES if "{" + place + "}" in text]
    assert len(wanted) <= 1, text
    if not wanted:
        yield {}
    for title in TITLES[wanted[0]] if wanted else ():
        yield {wanted[0]: title}


@pytest.fixture()
def language() -> Iterator[None]:
    """The language in use comes back after a test that changes it."""
    before = i18n.language()
    yield
    i18n.use(before)


@pytest.fixture(scope="module")
def extracted() -> Catalog:
    """A template fresh from the code."""
    template: Catalog = catalogues.extracted()
    return template


def test_there_is_a_catalogue_for_every_language_but_english() -> None:
    assert {path.parent.parent.name for path in CATALOGUES} == set(i18n.LANGUAGES) - {"en"}


@each_catalogue
def test_everything_is_translated_and_has_its_places(path: Path) -> None:
    assert catalogues.faults(path.parent.parent.name) == []


@each_catalogue
def test_the_header_holds_no_placeholders(path: Path) -> None:
    header = path.read_text(encoding="utf-8").split("\n\n", 1)[0]
    assert not re.search(r"EMAIL|FULL NAME|YEAR-MO-DA|PROJECT|LL@li\.org|fuzzy", header)


@each_catalogue
def test_it_holds_what_the_code_says(path: Path, extracted: Catalog) -> None:
    missing = texts_of(extracted) - texts_of(catalogues.read(path.parent.parent.name))
    assert not missing, f"run scripts/i18n update, then translate: {missing}"


def test_the_extractor_sees_every_marked_text(extracted: Catalog) -> None:
    """It does not look into f-strings."""
    known, hidden = texts_of(extracted), []
    for path, name, words in calls():
        if name in ("_", "_n") and words and words[0]:
            text: Text = (None, words[0])
        elif name in ("_c", "_text") and len(words) > 1 and words[0] and words[1]:
            text = (words[0], words[1])
        else:
            continue
        if text not in known:
            hidden.append(f"{path.relative_to(ROOT)}: {text}")
    assert hidden == []


def test_every_message_has_its_text() -> None:
    missing = [
        f"{path.relative_to(ROOT)}: {words[0]}"
        for path, name, words in calls()
        if name == "Message" and words and words[0] and words[0] not in TEXTS
    ]
    assert missing == []


@pytest.mark.usefixtures("language")
@pytest.mark.parametrize("tongue", sorted(i18n.LANGUAGES))
@pytest.mark.parametrize("context", HEADLINES)
def test_a_headline_is_short_with_any_name(context: str, tongue: str) -> None:
    i18n.use(tongue)
    for values in placed(TEXTS[context]):
        said = i18n.say(Said(context, values))
        assert "{" not in said
        assert len(said) <= LONGEST_CELLS, said
        assert len(said.split()) <= MOST_WORDS, said


@pytest.mark.usefixtures("language")
def test_the_compiled_catalogue_is_found() -> None:
    assert i18n.use("es") == "es"
    assert i18n._("Home") == "Inicio"
    assert i18n._("{n} Mb/s", n=39) == "39 Mb/s"
    assert i18n._n("{n} home", "{n} homes", 2) == "2 casas"
    assert i18n.say(Said("headline.behind", {"link": "Torre-Cerro"})).endswith("Torre-Cerro.")


# ---- what the check finds


def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *entries: tuple[str, str]) -> list[str]:
    """The faults of a Spanish catalogue with these (text, translation)."""
    monkeypatch.setattr(catalogues, "LOCALE", tmp_path)
    catalogue = Catalog(locale="es", fuzzy=False)
    for text, said in entries:
        catalogue[text] = Message(text, said)
    catalogues.keep(catalogue, catalogues.path_of("es"))
    return [fault.partition(":")[2].strip() for fault in catalogues.faults("es")]


@pytest.mark.parametrize(
    ("text", "said", "fault"),
    [
        ("{n} homes", "", "not translated"),
        ("{n} homes", "casas", "places differ"),
        ("{n} homes", "{m} casas", "places differ"),
        ("{n} homes", "{n casas", "a brace too many or too few"),
        ("argument %s", "argumento", "places differ"),
        ("usage: ", "uso:", "begins or ends with other blanks"),
    ],
)
def test_the_check_tells_what_a_translator_did_wrong(
    text: str, said: str, fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (told,) = broken(tmp_path, monkeypatch, (text, said), ("Home", "Inicio"))
    assert told.startswith(fault)


def test_the_check_tells_what_is_new_and_what_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(tmp_path, monkeypatch, ("Home", "Inicio"))
    template = Catalog()
    template.add("Away")
    told = catalogues.faults("es", template)
    assert sorted(told) == [
        "es: nobody says it any more:  'Home'",
        "es: not in the catalogue:  'Away'",
    ]


def test_an_update_brings_what_is_new_and_leaves_out_what_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(tmp_path, monkeypatch, ("Home", "Inicio"), ("Gone", "Ido"))
    template = Catalog()
    template.add("Home")
    template.add(("{n} mast", "{n} masts"), context="height")
    catalogues.update("es", template)
    assert texts_of(catalogues.read("es")) == {(None, "Home"), ("height", "{n} mast")}
    assert catalogues.read("es").get("Home").string == "Inicio"
    assert catalogues.path_of("es").with_suffix(".mo").is_file()
    catalogues.update("qu", template)
    assert texts_of(catalogues.read("qu")) == {(None, "Home"), ("height", "{n} mast")}
