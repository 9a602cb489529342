"""The page on security claims nothing without a test: every file and test that it names exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PAGE = (TESTS.parent / "docs" / "security.md").read_text(encoding="utf-8")
_FILE, _TEST = re.compile(r"`(tests/test_\w+\.py)`"), re.compile(r"`(test_\w+)`")


@pytest.fixture(scope="module")
def known() -> set[str]:
    """Every test there is."""
    sources = (path.read_text(encoding="utf-8") for path in TESTS.glob("test_*.py"))
    return {
        name for source in sources for name in re.findall(r"^(?:async )?def (test_\w+)", source, re.MULTILINE)
    }


@pytest.mark.parametrize("test", sorted(set(_TEST.findall(PAGE))))
def test_a_claim_has_its_test(test: str, known: set[str]) -> None:
    assert test in known


@pytest.mark.parametrize("file", sorted(set(_FILE.findall(PAGE))))
def test_a_file_that_is_named_is_there(file: str) -> None:
    assert (TESTS.parent / file).is_file()


def test_every_threat_says_what_cannot_be_done_and_what_to_do() -> None:
    model = PAGE.partition("## Who could do what")[2].partition("\n## ")[0]
    threats = model.split("\n### ")[1:]
    assert len(threats) == 5
    for threat in threats:
        assert "annot" in threat
        assert "Do:" in threat
        assert _TEST.search(threat), threat[:40]
