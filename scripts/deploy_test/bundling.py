"""Bundles for the test: one with the program as it is now, and others made of it (newer, broken on purpose).

What is not ours in a bundle (wheels, Debian's packages) is kept from run to run, in the user's cache, and
made anew when what we ask for changes.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import bundle  # noqa: E402
from bundle_targets import read_table  # noqa: E402
from user_cache import cache  # noqa: E402

_CACHE = cache("deploy-test")
_BROKEN = (
    '"""Broken on purpose."""\n\ndef main(argv):\n    raise SystemExit("this version is broken on purpose")\n'
)


def current(debian: str) -> Path:
    """A bundle with the program as it stands in this tree."""
    asked = ROOT / "pyproject.toml", ROOT / "deploy/bundle/targets.toml", ROOT / "scripts/bundle.py"
    mark = hashlib.sha256(b"".join(path.read_bytes() for path in asked)).hexdigest()[:12]
    base = _CACHE / f"{debian}-{mark}.tar"
    if not base.is_file():
        _CACHE.mkdir(parents=True, exist_ok=True)
        words = [ROOT / "scripts/bundle", "--debian", debian, "--for", "all", "-o", base]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
        for old in sorted(_CACHE.glob(f"{debian}-*.tar"), key=lambda each: each.stat().st_mtime)[:-2]:
            old.unlink()
    return base


def renew(base: Path, to: Path) -> Path:
    """A bundle in the folder `to`, with our own wheel and files taken from this tree."""
    with tempfile.TemporaryDirectory() as work:
        folder = _unpack(base, Path(work))
        own = Path(work) / "own"
        words = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", own, ROOT]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
        (fresh,) = own.glob("ayni-*.whl")
        (old,) = (folder / "wheels").glob("ayni-*.whl")
        old.unlink()
        shutil.copy(fresh, folder / "wheels" / old.name)
        about = _about(folder)
        table = read_table()
        bundle.put_files(folder, table, table.chosen(about["parts"].replace(" ", ",")), about["debian"])
        output = to / f"{folder.name}.tar"
        bundle.pack(folder, output)
    return output


def relabel(base: Path, version: str, *, broken: bool = False) -> Path:
    """The same bundle as another version, beside it; `broken`: its monitor ends as soon as it is started."""
    with tempfile.TemporaryDirectory() as work:
        folder = _unpack(base, Path(work))
        lines = _about(folder)
        renamed = folder.with_name(folder.name.replace(lines["version"], version, 1))
        (folder / "about").write_text(
            "".join(f"{key}={version if key == 'version' else value}\n" for key, value in lines.items())
        )
        if broken:
            (wheel,) = (folder / "wheels").glob("ayni-*.whl")
            _replace(wheel, "ayni_agent/command_run.py", _BROKEN)
        folder.rename(renamed)
        output = base.with_name(f"{renamed.name}.tar")
        bundle.pack(renamed, output)
    return output


def _unpack(base: Path, work: Path) -> Path:
    with tarfile.open(base) as archive:
        archive.extractall(work, filter="data")
    (folder,) = work.glob("ayni-*")
    (folder / "manifest").unlink()  # it is written anew
    return folder


def _about(folder: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in (folder / "about").read_text().splitlines())


def _replace(wheel: Path, name: str, text: str) -> None:
    """Put another text in place of a file of a wheel."""
    other = wheel.with_suffix(".new")
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(other, "w", zipfile.ZIP_DEFLATED) as new:
        for each in old.infolist():
            new.writestr(each, text if each.filename == name else old.read(each))
    other.replace(wheel)
