"""The catalogues: complete, up to date with the code, and short enough for the places where texts stand."""

from __future__ import annotations

import ast
import importlib.util
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType

import pytest
from babel.messages.pofile import read_po

from ayni_core import inventory
from ayni_core.message import Message
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


def untranslated() -> ModuleType:
    """scripts/untranslated.py, which is no package."""
    spec = importlib.util.spec_from_file_location("untranslated", ROOT / "scripts/untranslated.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def texts_of(path: Path) -> set[Text]:
    """Every text that a catalogue or a template holds."""
    with path.open("rb") as file:
        catalogue = read_po(file)
    ids = ((entry.context, entry.id) for entry in catalogue if entry.id)
    return {(context, text if isinstance(text, str) else text[0]) for context, text in ids}


def sources() -> Iterator[tuple[Path, ast.Module]]:
    """Every module that ships."""
    for part in PARTS:
        for path in sorted((ROOT / part).rglob("*.py")):
            yield path, ast.parse(path.read_text(encoding="utf-8"))


def calls(tree: ast.Module) -> Iterator[tuple[str, list[str | None]]]:
    """The name of each function called and its arguments: those that are plain texts, None for others."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            values = [getattr(argument, "value", None) for argument in node.args]
            yield node.func.id, [value if isinstance(value, str) else None for value in values]


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
def extracted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A template fresh from the code, made with the keywords of scripts/translate."""
    keywords = re.findall(r"-k '([^']+)'", (ROOT / "scripts/translate").read_text(encoding="utf-8"))
    template = tmp_path_factory.mktemp("locale") / "ayni.pot"
    words = [sys.executable, "-m", "babel.messages.frontend", "-q", "extract", "--omit-header"]
    words += [word for keyword in keywords for word in ("-k", keyword)]
    subprocess.run([*words, "-o", str(template), *PARTS], cwd=ROOT, check=True, timeout=120)
    return template


def test_there_is_a_catalogue_for_every_language_but_english() -> None:
    assert {path.parent.parent.name for path in CATALOGUES} == set(i18n.LANGUAGES) - {"en"}


@each_catalogue
def test_everything_is_translated_and_has_its_places(path: Path) -> None:
    assert untranslated().faults(path) == []


@each_catalogue
def test_the_header_holds_no_placeholders(path: Path) -> None:
    header = path.read_text(encoding="utf-8").split("\n\n", 1)[0]
    assert not re.search(r"EMAIL|FULL NAME|YEAR-MO-DA|PROJECT|LL@li\.org|fuzzy", header)


@each_catalogue
def test_it_holds_what_the_code_says(path: Path, extracted: Path) -> None:
    missing = texts_of(extracted) - texts_of(path)
    assert not missing, f"run scripts/translate, then translate: {missing}"


def test_the_extractor_sees_every_marked_text(extracted: Path) -> None:
    """It does not look into f-strings."""
    known, hidden = texts_of(extracted), []
    for path, tree in sources():
        for name, words in calls(tree):
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
        for path, tree in sources()
        for name, words in calls(tree)
        if name == "Message" and words and words[0] and words[0] not in TEXTS
    ]
    assert missing == []


@pytest.mark.usefixtures("language")
@pytest.mark.parametrize("tongue", sorted(i18n.LANGUAGES))
@pytest.mark.parametrize("context", HEADLINES)
def test_a_headline_is_short_with_any_name(context: str, tongue: str) -> None:
    i18n.use(tongue)
    for values in placed(TEXTS[context]):
        said = i18n.say(Message(context, values))
        assert "{" not in said
        assert len(said) <= LONGEST_CELLS, said
        assert len(said.split()) <= MOST_WORDS, said


@pytest.mark.usefixtures("language")
def test_the_compiled_catalogue_is_found() -> None:
    assert i18n.use("es") == "es"
    assert i18n._("Home") == "Inicio"
    assert i18n._("{n} Mb/s", n=39) == "39 Mb/s"
    assert i18n._n("{n} home", "{n} homes", 2) == "2 casas"
    assert i18n.say(Message("headline.behind", {"link": "Torre-Cerro"})).endswith("Torre-Cerro.")
