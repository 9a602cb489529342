"""Map, advice and messages as plain lines; and what is printed where a locale lacks letters."""

from __future__ import annotations

import io
import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace

import in_process
import pytest
from console_village import DELIVERIES, NOW, Village
from parts import need
from village_central import village_on_air

from ayni_console import advice, command_pages, terminal
from ayni_console.view import plain_advice, plain_map, plain_messages, wrong
from ayni_core.wire.questions import Deliveries
from ayni_io.stack import ayni


@pytest.fixture
def village() -> Village:
    return Village()


def test_the_map_says_who_is_behind_whom_and_where_trouble_begins(village: Village) -> None:
    assert list(plain_map.lines(village.model, NOW)) == [
        "5 sites; set in: behind the one above",
        "Torre: OK; 70 homes",
        "  Cerro: OK; 54 homes; reached by Torre-Cerro, OK",
        "    Escuela: DOWN; 46 homes; reached by Escuela-Cerro, DOWN; trouble begins here: no power",
        "    Molino: OK; 8 homes; reached by Cerro-Molino, NO NEWS; trouble begins here: monitor silent",
        "  Clínica: OK; 12 homes; reached by Torre-Clínica, WEAK; trouble begins here: antenna moved",
    ]
    assert plain_map.needs_somebody(village.model, NOW)


def test_a_site_that_is_only_cut_off_says_by_what(village: Village) -> None:
    """Cerro lies below: what is wrong there explains Molino, which has no alarm of its own."""
    model = village.model
    model.alerts.clear()
    model.links["cerro-molino"] = replace(model.links["cerro-molino"], state="ok")
    model.nodes.clear()
    model.sites["molino"] = replace(model.sites["molino"], state="no_news")
    model.links["torre-cerro"] = replace(model.links["torre-cerro"], next_by=NOW - 3600)
    said = [each.strip() for each in plain_map.lines(model, NOW)]
    assert any("trouble begins here: " in each for each in said if each.startswith("Cerro"))
    assert "cut off by Torre-Cerro" in next(each for each in said if each.startswith("Molino"))


def test_without_sites_the_map_says_so(village: Village) -> None:
    village.model.sites.clear()
    assert list(plain_map.lines(village.model, NOW)) == ["No site is known yet."]
    village.model.alerts.clear()
    village.model.links.clear()
    village.model.nodes.clear()
    assert not plain_map.needs_somebody(village.model, NOW)


def test_advice_is_a_line_a_step_with_what_belongs_to_it(village: Village) -> None:
    about = plain_advice.worst(village.model, NOW)
    assert about == ("link", "escuela-cerro")
    cause = wrong.probable(village.model, about, NOW)
    said = list(plain_advice.lines(village.model, about, cause, NOW))
    assert cause == "no_power"
    assert said[0] == "Escuela-Cerro: Escuela has probably lost power."
    assert said[1].startswith("Goal: ")
    assert said[3].startswith("1. Call the site")
    assert "  cable or plug: --cause cable" in said
    assert all(each.isprintable() for each in said)


@pytest.mark.parametrize("cause", sorted(advice.LOOK_ALIKES))
def test_every_cause_has_advice_as_lines(village: Village, cause: str) -> None:
    said = list(plain_advice.lines(village.model, ("site", "torre"), cause, NOW))
    assert said[0] == "Torre: Not enough is known yet."
    assert sum(bool(re.match(r"\d\. ", each)) for each in said) == len(advice.steps(cause)) >= 2
    assert command_pages.advice_parser().parse_args(["torre", "--cause", cause]).cause == cause


def test_messages_say_which_way_works_and_what_was_told() -> None:
    said = list(plain_messages.lines(DELIVERIES, NOW))
    assert said[0] == "Messages to Ana by phone: works"
    assert "Messages to Ana by mail: does not work: nobody is there" in said
    assert said[-2:] == [
        "  1 minute ago, ana by phone, sent: ALARM: Escuela-Cerro is down, since 14:20",
        "  1 minute ago, ana by mail, GIVEN UP: ALARM: Escuela-Cerro is down, since 14:20 (nobody is there)",
    ]
    assert not plain_messages.all_arrive(DELIVERIES)
    assert list(plain_messages.lines(Deliveries(), NOW)) == [
        "Nobody is told anything: no person of network.yaml has a notify."
    ]


def test_what_a_locale_lacks_is_written_in_ascii() -> None:
    assert terminal.prints_utf8(io.TextIOWrapper(io.BytesIO(), encoding="UTF-8"))
    assert not terminal.prints_utf8(io.TextIOWrapper(io.BytesIO(), encoding="latin-1"))
    assert not terminal.prints_utf8(io.StringIO())


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    need("mosquitto")
    with village_on_air(tmp_path_factory.mktemp("broker")) as port:
        yield port


def told(broker: int, *words: str, encoding: str = "utf-8") -> tuple[int, str]:
    """What the command's exit status and its lines are."""
    run = in_process.ayni(
        *words, "--broker", f"127.0.0.1:{broker}", "--user", "rosa",
        env={"AYNI_LANG": "es"}, encoding=encoding,
    )  # fmt: skip
    return run.returncode, run.stdout + run.stderr


@pytest.mark.real("mosquitto")
@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["map"], "Clínica"),
        (["advice"], "Escuela-Cerro: "),
        (["messages"], "ana"),
        (["status"], "Torre-Clínica"),
    ],
)
def test_the_commands_print_lines_and_json(broker: int, words: list[str], wanted: str) -> None:
    status, said = told(broker, *words)
    assert (status, wanted in said) == (1, True)
    status, said = told(broker, *words, "--json")
    assert isinstance(json.loads(said), dict)
    status, said = told(broker, *words, encoding="latin-1")
    assert status == 1
    assert said.isascii()


@pytest.mark.real("mosquitto")
def test_the_real_command_writes_ascii_where_its_output_is_not_utf8(broker: int) -> None:
    run = subprocess.run(
        [*ayni("map", "--broker", f"127.0.0.1:{broker}", "--user", "rosa")],
        capture_output=True, timeout=60,
        env={"PYTHONIOENCODING": "latin-1", "AYNI_LANG": "es", "PATH": "/usr/bin"},
    )  # fmt: skip
    assert run.returncode == 1
    assert run.stdout.isascii()
    assert b"Clinica" in run.stdout


@pytest.mark.real("mosquitto")
def test_a_wrong_name_is_one_sentence(broker: int) -> None:
    status, said = told(broker, "advice", "nobody")
    assert status == 2
    assert said.count("\n") == 1
