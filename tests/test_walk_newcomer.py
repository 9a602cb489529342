"""The first ten minutes of a newcomer with a laptop: the whole demo in a real terminal, key by key."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import parts
from tmux_screen import Screen

AYNI = [sys.executable, "-P", "-m", "ayni_io.cli"]
SLACK = 2.0
"""A machine that runs other tests beside this one is slower; by hand it is half of it."""


def choose(screen: Screen, wanted: str) -> None:
    """Move down to a line of the lab."""
    for _step in range(30):
        if any(line.startswith(">") and wanted in line for line in screen.lines()):
            return
        before = screen.text()
        screen.press("Down")
        screen.wait(lambda shown, before=before: shown != before)  # type: ignore[misc]
    raise AssertionError(f"no line with {wanted!r}: {screen.text()}")


def test_from_the_first_line_to_a_repaired_village_and_on_to_ones_own(tmp_path: Path) -> None:
    parts.need("mosquitto")
    (tmp_path / "tmp").mkdir()
    began = time.monotonic()
    with Screen.running(
        [*AYNI, "demo", "--poll", "2"], tmp_path, environment={"TMPDIR": str(tmp_path / "tmp")}
    ) as screen:
        screen.wait("you cannot break anything", within_s=10 * SLACK)
        screen.wait("DO FIRST", within_s=25 * SLACK)
        home = screen.wait(r">▲ WEAK +Torre-Clínica.* 12  antenna moved", within_s=20 * SLACK)
        assert "TRAINING" in home

        screen.press("Enter")  # both ends, and one plain sentence
        shown = screen.wait(r"A Torre .*B Clínica")
        assert "antenna has probably moved" in shown
        screen.wait(r"(?m)^>hears")
        screen.press("?")  # what the number under the cursor means
        screen.wait("hears: how loud the other side is heard")
        screen.press("h")
        screen.wait("DO FIRST")

        screen.press("b")
        screen.wait("You cannot break anything real")
        choose(screen, "Cut the power at Escuela")
        screen.press("Enter")
        screen.wait("Broken: Cut the power at Escuela")
        screen.press("h")
        screen.wait(r">■ DOWN +Escuela-Cerro.* 46  no power", within_s=15 * SLACK)

        screen.press("a")
        shown = screen.wait(r"(?m)^> +1 ")
        assert "Escuela has probably lost power" in shown
        screen.press("Enter")
        screen.wait(r"(?m)^> +2 ")

        screen.press("b")
        screen.wait("TRY A REPAIR")
        choose(screen, "Restore the power at Escuela")
        screen.press("Enter")
        screen.wait("FIXED: Escuela-Cerro", within_s=40 * SLACK)

        screen.press("C-q")
        screen.wait(r"(?m)^>.*My own devices")
        screen.press("Down")
        screen.wait(r"(?m)^>.*Teach with this")
        screen.press("Enter")
        screen.wait("docs/lesson-1.en.md")
        screen.press("Escape")
        screen.wait(r"(?m)^>.*Teach with this")
        screen.press("Up")
        screen.wait(r"(?m)^>.*My own devices")
        screen.press("Enter")
        screen.wait("What is the network called", within_s=15 * SLACK)
        assert list((tmp_path / "tmp").iterdir()) == [], "nothing of the village stays"
        screen.press("C-c")
        screen.wait(lambda _text: screen.ended())
    assert time.monotonic() - began < 60 * SLACK
