"""`ayni link` says in lines what the screen shows: three normals and the signs of the probable cause."""

from __future__ import annotations

import asyncio

import pytest
from console_village import NOW, Village, evidence

from ayni_console.command_look import ask_link
from ayni_console.view import plain_link
from ayni_core.message import Message
from ayni_core.wire.questions import Evidence, Sign


@pytest.fixture
def village() -> Village:
    return Village()


def test_normals_stand_below_their_number_and_signs_before_both_ends(village: Village) -> None:
    link = village.model.links["torre-clinica"]
    asked = plain_link.Asked(evidence=evidence("torre-clinica"))
    shown = list(plain_link.lines(village.model, link, asked, NOW))
    hears = shown.index("  hears: -71 dBm")
    assert "  hears, by plan: -56 dBm" in shown[hears : hears + 6]
    assert "  hears, when new: -59 dBm" in shown[hears : hears + 6]
    signs = [each for each in shown if each.startswith("sign")]
    assert signs[0] == "sign seen: step"
    assert signs[-1] == "sign, nobody can tell from here: seen by eye"
    assert shown.index(signs[-1]) < hears


def test_a_sign_against_it_is_said_to_be_none(village: Village) -> None:
    against = Evidence(signs=(Sign(text=Message("sign.noise_flat"), seen=False),))
    asked = plain_link.Asked(evidence=against)
    shown = list(plain_link.lines(village.model, village.model.links["torre-clinica"], asked, NOW))
    assert "sign not seen: noise flat" in shown


def test_programs_get_the_same(village: Village) -> None:
    link = village.model.links["torre-clinica"]
    asked = plain_link.Asked(evidence=evidence("torre-clinica"))
    found = plain_link.as_json(village.model, link, asked, NOW)
    assert found["signs"][0] == {"text": "step", "seen": True}  # type: ignore[index]
    end = found["ends"][0]  # type: ignore[index]
    assert end["plan"] == {"signal_dbm": -56.0}
    assert end["when_new"]["tx_rate_bps"] == 144e6


def test_the_command_asks_for_them_and_does_without(village: Village) -> None:
    link = village.model.links["torre-clinica"]
    asked = asyncio.run(ask_link(village, link, NOW))
    assert len(asked.evidence.signs) == 5
    village.silent = True
    assert asyncio.run(ask_link(village, link, NOW)).evidence == Evidence()
