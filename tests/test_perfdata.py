"""What monitoring plugins print: text, numbers with units, and whatever else may come."""

from __future__ import annotations

import random

import pytest

from ayni_core import perfdata
from ayni_core.metrics import METRICS
from ayni_core.perfdata import Perf


@pytest.mark.parametrize(
    ("output", "text", "perf"),
    [
        ("OK", "OK", []),
        ("", "", []),
        ("DISK OK | /=2643MB;5948;5958;0;5968", "DISK OK", [("/", "perf_bytes", 2643 * 10**6)]),
        ("x | 'swap used'=12.5%;;80", "x", [("swap used", "perf_pct", 12.5)]),
        ("x | 'it''s'=3", "x", [("it's", "perf_value", 3)]),
        ("x | rta=0,42ms;1;2 pl=0%", "x", [("rta", "perf_s", 0.00042), ("pl", "perf_pct", 0)]),
        ("x | t=350us n=5ns", "x", [("t", "perf_s", 0.00035), ("n", "perf_s", 0.000000005)]),
        ("x | in=18446744073709551615c", "x", [("in", "perf_count", 2**64 - 1)]),
        ("x | a=U b=-1.5e3", "x", [("a", "perf_value", None), ("b", "perf_value", -1500)]),
        ("x | size=2KiB heat=21C", "x", [("size", "perf_bytes", 2048), ("heat", "perf_value", 21)]),
        ("a|one=1\nlong\ntext | two=2\nthree=3", "a", [("one", "perf_value", 1), ("two", "perf_value", 2),
                                                     ("three", "perf_value", 3)]),
        ("x | =1 a= b=? 'c=1 d==2 e=1x2 f=1;;;; g=1e999 h=4", "x",
         [("f", "perf_value", 1), ("h", "perf_value", 4)]),
        ("x | a=1 a=2", "x", [("a", "perf_value", 1)]),
        ("\x1b[31mred\x07 | \x1b=1", "[31mred", []),
    ],
)  # fmt: skip
def test_text_and_numbers(output: str, text: str, perf: list[tuple[str, str, float | None]]) -> None:
    said = perfdata.parse(output)
    assert said.text == text
    assert said.perf == tuple(Perf(label=label, metric=metric, value=value) for label, metric, value in perf)


def test_hostile_output_is_bounded_and_never_raises() -> None:
    many = perfdata.parse("x" * 9000 + "|" + " ".join(f"l{n}={n}" for n in range(5000)))
    assert (len(many.text), len(many.perf)) == (255, perfdata.MOST)
    assert len(perfdata.parse("|" + "n" * 5000 + "=1").perf[0].label) == 64
    chance = random.Random(7)
    for _ in range(3000):
        text = "".join(chance.choices("a'|=;1.,e-+U%c \n\0\u202e", k=chance.randrange(60)))
        for perf in perfdata.parse(text).perf:
            assert perf.metric in METRICS and perf.label and perf.label.isprintable()
    perfdata.parse("|" + "'" * 60_000)
    perfdata.parse("|" + "a=" * 30_000)
    perfdata.parse("|a=" + "1" * 60_000)
