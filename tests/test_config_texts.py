"""What is wrong with a configuration is told in the reader's language; no fault is a bare English text."""

from __future__ import annotations

import ast
import errno
import functools
import os
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from ayni_core.fault import ConfigError, Fault, UnfitError, fault
from ayni_core.message import DEEPEST, Message, Phrase
from ayni_core.schema import Faults, Fields, did_you_mean
from ayni_core.texts import TEXTS, in_english
from ayni_core.texts_faults import FAULT_TEXTS as SENTENCES
from ayni_core.texts_words import WORD_TEXTS
from ayni_io import cli, i18n, os_errors, yamlfile
from ayni_io.os_errors import os_cause

ROOT = Path(__file__).parent.parent
PARTS = ("core", "agent", "hub", "console", "lab")
ENGLISH_TOLD = {
    "agent/ayni_agent/renewals.py": "the cause goes into the log and, as a plain value, to the hub",
}
"""Modules that may turn a `ConfigError` into English where they catch it, and why."""
FAULT_TEXTS = {**SENTENCES, **WORD_TEXTS}
BY_NAME = {f"word.{each}" for each in ("link", "node", "own_device", "upstream")}
"""Contexts that are put together: `word.` and the kind of what is not known."""

Where = str


@functools.cache
def modules() -> tuple[tuple[Path, ast.Module], ...]:
    """Every module that ships."""
    return tuple(
        (path, ast.parse(path.read_text(encoding="utf-8")))
        for part in PARTS
        for path in sorted((ROOT / part).rglob("*.py"))
    )


def is_bare(node: ast.expr) -> bool:
    """Whether this makes a text that nobody translates; a context of ours is none."""
    match node:
        case ast.Constant(value=str(text)):
            return text not in FAULT_TEXTS
        case ast.JoinedStr() | ast.BinOp():
            return True
        case ast.Call(func=ast.Name(id="str" | "repr")):
            return True
        case ast.Call(func=ast.Attribute(attr="format" | "join")):
            return True
        case ast.IfExp(body=body, orelse=orelse):
            return is_bare(body) or is_bare(orelse)
        case ast.BoolOp(values=values):
            return any(map(is_bare, values))
        case ast.Starred(value=value):
            return is_bare(value)
        case ast.List(elts=each) | ast.Tuple(elts=each):
            return any(map(is_bare, each))
        case ast.ListComp(elt=element) | ast.GeneratorExp(elt=element):
            return is_bare(element)
    return False


def name_of(call: ast.Call) -> str:
    """What a call calls, by its last name."""
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def told(call: ast.Call) -> ast.expr | None:
    """The argument of a call that says what is wrong; None where the call tells of no fault."""
    name, given = name_of(call), call.args
    whose = ast.unparse(call.func.value) if isinstance(call.func, ast.Attribute) else ""
    if name in ("ConfigError", "UnfitError", "OidError", "InvitationError") and given:
        return given[0]
    if name in ("fault", "Fault") and len(given) > 1:
        return given[1]
    if name == "add" and whose.rpartition(".")[2] in ("faults", "places") and len(given) > 1:
        return given[2] if whose.endswith("places") and len(given) > 2 else given[1]
    if name == "append" and whose == "faults" and given:
        return given[0]
    return None


def bare_faults(tree: ast.Module) -> list[ast.expr]:
    """Where a module tells of a fault by a text that nobody translates."""
    found = [what for node in ast.walk(tree) if isinstance(node, ast.Call) and (what := told(node))]
    found += [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.AugAssign) and ast.unparse(node.target) == "faults"
    ]
    return [what for what in found if is_bare(what)]


def test_no_fault_is_a_text_that_nobody_translates() -> None:
    assert [
        f"{path.relative_to(ROOT)}:{what.lineno}: {ast.unparse(what)}"
        for path, tree in modules()
        for what in bare_faults(tree)
    ] == []


@pytest.mark.parametrize(
    "code",
    [
        'fields.fault("port", f"must be a port, got {port}")',
        'fields.fault("port", "must be a port")',
        'fields.faults.add(path, "no such " + name)',
        'raise ConfigError([f"{path}: no such file"])',
        'raise ConfigError(["--ca is missing"])',
        'raise ConfigError([f"{path}: {each}" for each in error.faults])',
        'faults.append(f"{path}: twice")',
        'faults += [f"{path}: twice"]',
        'places.add(1, "address", "is missing")',
        'raise UnfitError(f"{text}: no address")',
        'raise ConfigError([fault(path, "fault.no_such_context")])',
        'fields.fault("address", str(error))',
    ],
)
def test_the_search_finds_a_bare_text(code: str) -> None:
    assert bare_faults(ast.parse(code))


@pytest.mark.parametrize(
    "code",
    [
        'fields.fault("port", "fault.at_least", least=1, got=port)',
        'fields.fault("address", error.what)',
        'raise ConfigError([_("name a host")])',
        'raise ConfigError([fault(f"{path}", "fault.no_file")])',
        "faults += error.noted",
        'log.add(1, "is missing")',
    ],
)
def test_the_search_leaves_the_rest_alone(code: str) -> None:
    assert not bare_faults(ast.parse(code))


# ---- contexts and their values


def places(text: str) -> set[str]:
    """The named places of a text."""
    return {name for _text, name, _form, _how in string.Formatter().parse(text) if name}


def uses() -> Iterator[tuple[Where, str, set[str]]]:
    """Where each context of ours is used, and which values are given along."""
    for path, tree in modules():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or any(each.arg is None for each in node.keywords):
                continue
            contexts = [
                each.value
                for each in node.args
                if isinstance(each, ast.Constant) and each.value in FAULT_TEXTS
            ]
            if not contexts or name_of(node) in ("_text", "get"):
                continue
            values = {each.arg for each in node.keywords if each.arg}
            if name_of(node) in ("Phrase", "Message") and len(node.args) > 1:
                given = node.args[1]
                assert isinstance(given, ast.Dict), ast.unparse(node)
                values = {ast.literal_eval(key) for key in given.keys if key is not None}
            yield f"{path.relative_to(ROOT)}:{node.lineno}", contexts[0], values


def test_each_use_of_a_context_fills_its_places() -> None:
    assert [
        (where, context, values)
        for where, context, values in uses()
        if values != places(FAULT_TEXTS[context])
    ] == []


def test_each_context_is_used() -> None:
    words = {
        node.value
        for path, tree in modules()
        if path.name not in ("texts_faults.py", "texts_words.py")
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert sorted(set(FAULT_TEXTS) - words - BY_NAME) == []


def test_the_contexts_are_few() -> None:
    """Who writes a new one looks first for one that says it."""
    assert len(SENTENCES) < 220
    assert len(FAULT_TEXTS) < 310
    assert set(FAULT_TEXTS) <= set(TEXTS)
    assert len(set(FAULT_TEXTS.values())) == len(FAULT_TEXTS)


# ---- who catches


def english_told(tree: ast.Module) -> list[ast.AST]:
    """Where a handler of `ConfigError` makes an English text of it for somebody else than the log."""
    found: list[ast.AST] = []
    for handler in ast.walk(tree):
        if not isinstance(handler, ast.ExceptHandler) or handler.name is None or handler.type is None:
            continue
        if "ConfigError" not in ast.unparse(handler.type):
            continue
        for node in ast.walk(handler):
            if isinstance(node, ast.FormattedValue):
                bare = [node.value]
            elif isinstance(node, ast.Call) and name_of(node) in ("print", "str"):
                bare = list(node.args)
            elif isinstance(node, ast.Call) and name_of(node) in ("_", "_c"):
                bare = [each.value for each in node.keywords]
            else:
                continue
            found += [each for each in bare if isinstance(each, ast.Name) and each.id == handler.name]
    return found


def test_nobody_shows_an_error_in_english() -> None:
    assert [
        f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
        for path, tree in modules()
        if str(path.relative_to(ROOT)) not in ENGLISH_TOLD
        for node in english_told(tree)
    ] == []


@pytest.mark.parametrize("shown", ["print(error)", 'say(f"ayni: {error}")', "say(str(error))"])
def test_the_search_finds_an_error_that_is_shown(shown: str) -> None:
    assert english_told(ast.parse(f"try:\n    pass\nexcept (OSError, ConfigError) as error:\n    {shown}"))
    assert not english_told(ast.parse("try:\n    pass\nexcept ConfigError as error:\n    say(reason(error))"))


# ---- how it is said


@pytest.fixture(autouse=True)
def language() -> Iterator[None]:
    """The language in use comes back after each test."""
    before = i18n.language()
    yield
    i18n.use(before)


def test_an_error_is_english_and_carries_its_parts() -> None:
    faults = Faults("hub.yaml", {"broker": 3, "broker.port": 4})
    fields = Fields({"port": 0, "host": 7, "hots": "x"}, "broker", faults)
    fields.number("port", at_least=1)
    fields.text("host")
    fields.done()
    with pytest.raises(ConfigError) as caught:
        faults.stop()
    error = caught.value
    assert error.faults == (
        "hub.yaml:4: broker.port: must be at least 1, got 0",
        'hub.yaml:3: broker.host: must be a text, got 7; write it in quotes: "7"',
        'hub.yaml:3: broker.hots: unknown key; did you mean "host"?',
    )
    assert str(error) == "\n".join(error.faults)
    assert faults.found == list(error.faults)
    assert [each.where for each in error.noted] == [
        "hub.yaml:4: broker.port", "hub.yaml:3: broker.host", "hub.yaml:3: broker.hots",
    ]  # fmt: skip


BROKEN = """\
node: pi
poll_s: diez
devices: {r: {address: 10.0.0.1, version: 3, adress: x, community: "env:X"}}
rules: 7
"""


@pytest.mark.parametrize(
    ("tongue", "lines"),
    [
        (
            "es",
            [
                'agent.yaml:2: poll_s: debe ser un número, hay el texto "diez"',
                'agent.yaml:3: devices.r.version: debe ser un texto; escríbalo entre comillas: "3"',
                'agent.yaml:3: devices.r.adress: clave desconocida; ¿quiso decir "address"?',
                "agent.yaml:4: rules: se espera un bloque de claves, hay 7",
            ],
        ),
        (
            "fr",
            [
                'agent.yaml:2: poll_s: doit être un nombre, il y a le texte "diez"',
                'agent.yaml:3: devices.r.version: doit être un texte ; écrivez-le entre guillemets : "3"',
                'agent.yaml:3: devices.r.adress: clé inconnue; vouliez-vous dire "address" ?',
                "agent.yaml:4: rules: on attend un bloc de clés, il y a 7",
            ],
        ),
        (
            "pt",
            [
                'agent.yaml:2: poll_s: deve ser um número, há o texto "diez"',
                'agent.yaml:3: devices.r.version: deve ser um texto; escreva entre aspas: "3"',
                'agent.yaml:3: devices.r.adress: chave desconhecida; você quis dizer "address"?',
                "agent.yaml:4: rules: esperado um bloco de chaves, há 7",
            ],
        ),
    ],
)
def test_the_whole_line_is_in_the_language(
    tongue: str, lines: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    (tmp_path / "agent.yaml").write_text(BROKEN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AYNI_LANG", tongue)
    assert cli.main(["agent", "check", "agent.yaml"]) == 2
    told = capsys.readouterr().err.splitlines()
    assert set(told) >= set(lines), told


@pytest.mark.parametrize("tongue", sorted(i18n.LANGUAGES))
def test_what_the_parser_says_most_is_translated(tongue: str) -> None:
    texts = ("a: b: c", "a: [1, 2", "a:\n\t- 1", 'a: "x', "a: }", "- 1\nb: 2", "a: 'it's'", "a: *x")
    i18n.use(tongue)
    said = []
    for text in texts:
        with pytest.raises(ConfigError) as caught:
            yamlfile.load(text, "x.yaml")
        assert caught.value.noted[0].where.startswith("x.yaml:")
        said.append(i18n.reason(caught.value).partition("YAML")[2])
    assert tongue == "en" or not any(re.search(r"\b(not|found|did|are)\b", each) for each in said), said


def test_what_the_system_says_most_is_translated(tmp_path: Path) -> None:
    i18n.use("es")
    with pytest.raises(ConfigError) as caught:
        yamlfile.read_text(tmp_path, "conf")
    assert str(caught.value) == "conf: cannot be read: Is a directory"
    assert i18n.config_faults(caught.value) == ["conf: no se puede leer: es una carpeta"]
    assert os_cause(OSError(errno.EXDEV, "odd")) == "odd"
    for number, context in os_errors._COMMON.items():
        assert TEXTS[context] == os.strerror(number)


@pytest.mark.parametrize("tongue", sorted(set(i18n.LANGUAGES) - {"en"}))
def test_no_line_says_its_english(tongue: str) -> None:
    """Every text with a word in it that is a sentence is another one in each language."""
    i18n.use(tongue)
    same = [
        context
        for context, text in FAULT_TEXTS.items()
        if len(text.split()) > 2 and i18n.say(Phrase(context)) == text
    ]
    assert same == []


def test_numbers_and_values_stay_as_files_write_them(tmp_path: Path) -> None:
    faults = Faults("agent.yaml")
    Fields({"flush_s": 0.5}, "", faults).number("flush_s", at_least=1.5)
    i18n.use("es")
    assert i18n.fault_line(faults.noted[0]) == "agent.yaml: flush_s: debe ser al menos 1.5, hay 0.5"


def test_what_the_rim_has_said_already_stays() -> None:
    error = ConfigError([i18n._("name a host"), fault("x.yaml", "fault.no_file")])
    assert error.faults == ("name a host", "x.yaml: no such file")
    i18n.use("es")
    assert i18n.reason(error).splitlines()[1] == "x.yaml: no existe ese archivo"
    assert i18n.reason(ValueError("odd")) == "odd"


def test_a_text_that_is_not_fit_says_why_in_both_ways() -> None:
    error = UnfitError("fault.port", given="a:0")
    assert str(error) == '"a:0": the port must be 1 to 65535'
    i18n.use("fr")
    assert i18n.reason(error) == '"a:0" : le port doit aller de 1 à 65535'


def test_a_fault_on_the_way_to_another_file_names_both() -> None:
    assert str(fault("hub.address", "fault.missing_tls").below("network.yaml")).startswith(
        "network.yaml: hub.address: is missing"
    )
    assert str(fault("", "fault.no_file").below("x")) == "x: no such file"


def test_a_hint_is_said_within_a_text_of_the_rim() -> None:
    hint = did_you_mean("chorro", ["cerro", "torre"])
    i18n.use("es")
    assert i18n._('no device "{name}"{hint}', name="chorro", hint=hint).endswith('; ¿quiso decir "cerro"?')
    assert i18n.spoken(hint) == '; ¿quiso decir "cerro"?'
    assert i18n.spoken(did_you_mean("x", [])) == ""


def test_phrases_within_phrases_end_somewhere() -> None:
    inner = Phrase("word.number")
    for _turn in range(DEEPEST + 3):
        inner = Phrase("fault.expected", {"wanted": inner})
    assert in_english(inner) == "expected " * (DEEPEST + 1) + "fault.expected"
    i18n.use("es")
    assert i18n.say(inner) == "se espera " * (DEEPEST + 1) + "fault.expected"


def test_a_phrase_within_a_message_does_not_travel() -> None:
    assert Message("fault.no_file").to_wire() == ["fault.no_file", {}]
    with pytest.raises(TypeError, match="does not travel"):
        Message("fault.expected", {"wanted": Phrase("word.text")}).to_wire()  # type: ignore[dict-item]


def test_a_value_that_is_missing_ends_no_program() -> None:
    assert in_english(Phrase("fault.expected")) == "expected {wanted}"
    assert in_english(Phrase("fault.expected", {"other": 1})) == "expected {wanted}"
    assert in_english(Phrase("nobody.declared")) == "nobody.declared"
    assert str(Fault("a.yaml", "said already")) == "a.yaml: said already"
