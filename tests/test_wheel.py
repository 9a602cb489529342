"""A wheel in a clean environment, far from the checkout: small, complete, and it says what is missing."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from ayni_core import __version__
from ayni_io import configs
from ayni_io.i18n import LANGUAGES

ROOT = Path(__file__).parent.parent
_OFFLINE = ("No matching distribution", "Temporary failure in name resolution", "Failed to establish")

RECORDING = """\
1.3.6.1.2.1.1.1.0|4|RouterOS RBLHGG-5acD
1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.14988.1
1.3.6.1.2.1.1.3.0|67|123456700
1.3.6.1.2.1.1.5.0|4|torre-cerro
1.3.6.1.2.1.1.6.0|4|under the mango tree
1.3.6.1.2.1.2.1.0|2|1
1.3.6.1.2.1.2.2.1.1.1|2|1
1.3.6.1.2.1.2.2.1.2.1|4|ether1
1.3.6.1.2.1.2.2.1.3.1|2|6
1.3.6.1.2.1.2.2.1.5.1|66|100000000
1.3.6.1.2.1.2.2.1.7.1|2|1
1.3.6.1.2.1.2.2.1.8.1|2|1
1.3.6.1.2.1.31.1.1.1.1.1|4|ether1
1.3.6.1.2.1.31.1.1.1.6.1|70|5000000000
1.3.6.1.4.1.14988.1.1.3.8.0|2|241
"""


def pip(python: Path, *words: str) -> None:
    """Run pip quietly; without a way to packages the tests are skipped, in CI they fail."""
    run = subprocess.run(
        [str(python), "-m", "pip", "--disable-pip-version-check", "-q", *words],
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    if run.returncode and any(sign in run.stderr for sign in _OFFLINE) and os.environ.get("CI") != "true":
        pytest.skip("packages cannot be fetched here")
    assert run.returncode == 0, run.stderr[-2000:]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    pip(Path(sys.executable), "wheel", "--no-deps", "--wheel-dir", str(folder), str(ROOT))
    (built,) = folder.glob("ayni-*.whl")
    return built


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    """The `bin` folder of an environment that holds the wheel with the extra `agent`, and nothing else."""
    folder = tmp_path_factory.mktemp("clean")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], check=True)
    python = folder / "venv" / "bin" / "python"
    pip(Path(sys.executable), "--python", str(python), "install", "--no-compile", f"{wheel}[agent]")
    return python.parent


def run(clean: Path, folder: Path, program: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a program of the clean environment somewhere else, with nothing of this one in its way."""
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "AYNI_LANG": "en"}
    return subprocess.run(
        [str(clean / program), *words], cwd=folder, env=env, capture_output=True, text=True, timeout=60
    )


def test_the_wheel_holds_the_code_and_the_configs_and_nothing_else(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {name.partition("/")[0] for name in names} == {
        "ayni_core", "ayni_io", "ayni_agent", "ayni_hub", "ayni_console", "ayni_lab",
        f"ayni-{__version__}.dist-info",
    }  # fmt: skip
    wanted = {
        f"ayni_io/_configs/{path.relative_to(ROOT / 'configs')}"
        for path in (ROOT / "configs").rglob("*")
        if path.is_file()
    }
    assert {name for name in names if "/_configs/" in name} == wanted


def test_translations_are_compiled_into_the_wheel(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for language in set(LANGUAGES) - {"en"}:
        assert f"ayni_io/locale/{language}/LC_MESSAGES/ayni.mo" in names


def test_version(clean: Path, tmp_path: Path) -> None:
    assert run(clean, tmp_path, "ayni", "--version").stdout == f"ayni {__version__}\n"


def test_a_recording_is_read_with_the_profiles_of_the_wheel(clean: Path, tmp_path: Path) -> None:
    (tmp_path / "torre-cerro.snmprec").write_text(RECORDING, encoding="utf-8")
    polled = run(clean, tmp_path, "ayni", "agent", "poll", "--recording", "torre-cerro.snmprec", "--json")
    assert (polled.returncode, polled.stderr) == (0, "")
    found = json.loads(polled.stdout)
    readings = {(each["group"], each["item"], each["metric"]): each["value"] for each in found["readings"]}
    assert found["profile"] == "routeros"
    assert readings["system", "", "location"] == "under the mango tree"
    assert readings["interface", "ether1", "in_octets"] == 5_000_000_000
    assert readings["power", "", "voltage_v"] == 24.1


def test_shipped_configs_are_those_inside_the_wheel(clean: Path, tmp_path: Path) -> None:
    code = "from ayni_io import configs; print(configs.shipped(), *configs.folders(), sep='\\n')"
    found = run(clean, tmp_path, "python", "-c", code).stdout.splitlines()
    assert found[0].endswith("site-packages/ayni_io/_configs")
    assert found[-1] == found[0], "the user's own folders come first"


def test_an_editable_install_reads_the_configs_of_the_checkout() -> None:
    if "site-packages" in Path(configs.__file__).parts:
        pytest.skip("this is not an editable install")
    assert configs.shipped() == ROOT / "configs"
    assert not (ROOT / "core/ayni_io/_configs").exists(), "a copy would go stale"


def test_the_extra_agent_brings_nothing_of_the_other_parts(clean: Path, tmp_path: Path) -> None:
    code = (
        "import importlib.util as u; "
        "print([n for n in ('textual', 'rich', 'influxdb_client', 'amqtt') if u.find_spec(n)])"
    )
    assert run(clean, tmp_path, "python", "-c", code).stdout == "[]\n"


def test_the_console_without_its_extra_names_it_in_one_line(clean: Path, tmp_path: Path) -> None:
    near, far = pty.openpty()  # without a terminal it would speak of that first
    ended = subprocess.run(
        [str(clean / "ayni"), "console"],
        cwd=tmp_path, stdin=far, stdout=far, stderr=subprocess.PIPE, text=True, timeout=60,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "AYNI_LANG": "en", "TERM": "xterm"},
    )  # fmt: skip
    os.close(near)
    os.close(far)
    assert ended.returncode == 2
    assert ended.stderr.splitlines() == [
        'ayni console: textual is missing; get the extra "console": pip install "ayni[console]"'
    ]


@pytest.mark.parametrize(
    "words", [("status", "--help"), ("agent", "run", "--help"), ("hub", "run", "--help")]
)
def test_what_needs_no_extra_works_without(clean: Path, tmp_path: Path, words: tuple[str, ...]) -> None:
    assert run(clean, tmp_path, "ayni", *words).returncode == 0
