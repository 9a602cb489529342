"""What a fresh machine carries besides Debian and Python: each part, installed from its bundle.

Needs the package index and a Debian mirror, or a bundle that was made before (--bundle FILE.tar).
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path

from measure import Figure, arguments, report

ROOT = Path(__file__).resolve().parent.parent
_BLOCK = 4096


def used(folder: Path) -> int:
    """Octets on a disk with blocks of 4 KiB, links as one block."""
    total = 0
    for path in folder.rglob("*"):
        size = path.lstat().st_size
        total += -(-size // _BLOCK) * _BLOCK if path.is_file() and not path.is_symlink() else _BLOCK
    return total


def about(bundle: Path) -> Mapping[str, str]:
    """What the bundle says of itself."""
    lines = (bundle / "about").read_text().splitlines()
    return {key: value for key, _, value in (line.partition("=") for line in lines)}


def installed(bundle: Path, part: str, work: Path) -> tuple[int, int]:
    """(octets of the program and its files, octets of Debian's packages) for one part."""
    root = work / f"root-{part}"
    (root / "etc").mkdir(parents=True)
    (root / "etc" / "os-release").write_text(f"VERSION_CODENAME={about(bundle)['debian']}\n")
    ran = subprocess.run(
        [bundle / "install", "--root", root, part], capture_output=True, text=True, check=False
    )
    if ran.returncode:
        sys.exit(f"footprint: {ran.stderr.strip().splitlines()[-1]}")
    (root / "etc" / "os-release").unlink()
    debs = work / f"debs-{part}"
    debs.mkdir()
    wanted = (bundle / "debs" / f"{part}.list").read_text().split()
    stanzas = {}
    for stanza in (bundle / "debs" / "Packages").read_text().split("\n\n"):
        fields = {key: value for key, _, value in (line.partition(": ") for line in stanza.splitlines())}
        stanzas[fields.get("Package", "")] = fields
    done: set[str] = set()
    while wanted:
        name = wanted.pop()
        if name in done or name not in stanzas:
            continue
        done.add(name)
        subprocess.run(["dpkg-deb", "-x", bundle / "debs" / stanzas[name]["Filename"], debs], check=True)
        asked = stanzas[name].get("Depends", "") + "," + stanzas[name].get("Pre-Depends", "")
        wanted += [each.split("|")[0].split("(")[0].strip() for each in asked.split(",") if each.strip()]
    return used(root), used(debs)


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument(
        "--bundle", type=Path, help="an unchanged bundle for this machine, with the part agent"
    )
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ayni-footprint-") as folder:
        work = Path(folder)
        file = asked.bundle or work / "bundle.tar"
        if asked.bundle is None:
            making = [ROOT / "scripts" / "bundle", "--for", "agent", "-o", file]
            subprocess.run(making, check=True, stdout=subprocess.DEVNULL)
        with tarfile.open(file) as archive:
            archive.extractall(work / "bundle", filter="data")
        (bundle,) = (work / "bundle").iterdir()
        parts = about(bundle)["parts"].split()
        figures = []
        for part in parts:
            program, debs = installed(bundle, part, work)
            target = 60.0 if part == "agent" else None
            figures += [
                Figure(
                    key=f"footprint_{part}_mb",
                    value=round((program + debs) / 1e6, 1),
                    unit="MB",
                    target=target,
                ),
                Figure(key=f"footprint_{part}_program_mb", value=round(program / 1e6, 1), unit="MB"),
            ]
        size = round(file.stat().st_size / 1e6, 1)
        figures.append(Figure(key=f"bundle_{'_'.join(parts)}_mb", value=size, unit="MB"))
    notes = {"besides": "Debian's required and important packages and Python; octets in blocks of 4 KiB"}
    report("footprint", figures, as_json=asked.json, notes=notes)


if __name__ == "__main__":
    main()
