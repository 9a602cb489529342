"""The demo, whole: real processes from device to console, and nothing left when it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import in_process
import parts
import pytest

from ayni_lab import demo

AYNI = [sys.executable, "-P", "-m", "ayni_io.cli"]
POLL_S = 2


def _environment(tmp_path: Path) -> dict[str, str]:
    return {**os.environ, "TMPDIR": str(tmp_path), "AYNI_LANG": "en"}


def _processes(marker: str) -> list[str]:
    """Command lines of the processes that have something to do with a folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            state = (path.parent / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if marker in words and state != "Z":
            found.append(words)
    return found


def _headless(tmp_path: Path, broker: str) -> dict[str, object]:
    command = [
        *AYNI,
        "demo",
        "--headless",
        "--for",
        "60",
        "--json",
        "--poll",
        str(POLL_S),
        "--broker",
        broker,
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=110, env=_environment(tmp_path), cwd=tmp_path
    )
    assert done.stdout, done.stderr
    report: dict[str, object] = json.loads(done.stdout)
    assert done.returncode == 0, report["faults"]
    assert "Traceback" not in done.stderr, done.stderr
    assert list(tmp_path.iterdir()) == [], "its folder is gone"
    assert _processes(str(tmp_path)) == []
    return report


@pytest.mark.parametrize("broker", ["mosquitto", "embedded"])
def test_the_whole_chain_from_device_to_person(tmp_path: Path, broker: str) -> None:
    if broker == "mosquitto":
        parts.need("mosquitto")
    else:
        pytest.importorskip("amqtt")
    report = _headless(tmp_path, broker)
    assert report["ok"] is True
    assert report["broker"] == broker
    first, alarm, repair = report["first_live_s"], report["alarm"], report["repair"]
    assert isinstance(first, float)
    assert isinstance(alarm, dict)
    assert isinstance(repair, dict)
    assert first <= 60
    assert alarm["state"] == "down"
    assert alarm["after_s"] <= 2 * POLL_S + 2, (
        "device dead to alarm at the central: two polls and two seconds"
    )
    assert repair["after_s"] <= 30
    assert all(report["alive"].values())  # type: ignore[attr-defined]


WHOLE, RISING = b"First readings", b"Village: "
"""What a demo says when all its parts run, and when broker and radios do, and the others do not yet."""


@contextmanager
def _demo_that_runs(tmp_path: Path, said: bytes = WHOLE) -> Iterator[subprocess.Popen[bytes]]:
    """A headless demo, once it said this."""
    parts.need("mosquitto")
    log = (tmp_path / "log").open("wb")
    folder = tmp_path / "tmp"
    folder.mkdir()
    process = subprocess.Popen(
        [*AYNI, "demo", "--headless", "--for", "60"],
        stderr=log,
        stdout=log,
        env=_environment(folder),
        start_new_session=True,
    )
    try:
        parts.wait_until(
            lambda: said in (tmp_path / "log").read_bytes() or process.poll() is not None,
            "demo up",
            within_s=25,
        )
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


@pytest.mark.parametrize(
    ("number", "said", "processes"),
    [(signal.SIGINT, RISING, 2), (signal.SIGTERM, WHOLE, 5), (signal.SIGHUP, RISING, 2)],
    ids=["SIGINT while it starts", "SIGTERM", "SIGHUP while it starts"],
)
def test_stopping_it_leaves_no_process_and_no_file(
    tmp_path: Path, number: signal.Signals, said: bytes, processes: int
) -> None:
    with _demo_that_runs(tmp_path, said) as process:
        assert len(_processes(str(tmp_path))) >= processes
        began = time.monotonic()
        process.send_signal(number)
        assert process.wait(10) == 130
        assert time.monotonic() - began < 8
        assert _processes(str(tmp_path / "tmp")) == []
        assert list((tmp_path / "tmp").iterdir()) == []
    assert b"Traceback" not in (tmp_path / "log").read_bytes()


def test_even_a_killed_demo_leaves_no_process_and_the_next_one_sweeps_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _demo_that_runs(tmp_path) as process:
        process.kill()
        process.wait()
        parts.wait_until(lambda: not _processes(str(tmp_path / "tmp")), "all parts dead", within_s=5)
    (left,) = (tmp_path / "tmp").iterdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    with demo._own_folder() as folder:
        assert folder.parent == left.parent
        assert not left.exists()
    assert list((tmp_path / "tmp").iterdir()) == []


def test_errors_are_one_line_that_helps() -> None:
    def run(*words: str) -> tuple[int, str]:
        done = in_process.ayni("demo", *words)
        assert "Traceback" not in done.stderr
        return done.returncode, done.stderr

    status, text = run()
    assert (status, "--headless" in text) == (2, True)
    status, text = run("--headless", "--break", "nonsense")
    assert (status, "radio-huerta" in text) == (2, True)
    status, text = run("--headless", "--for", "20")
    assert (status, "a repair is seen after 45 s at the latest" in text) == (2, True)
    status, text = run("--headless", "--poll", "0")
    assert (status, "from 1 to 60" in text) == (2, True)
