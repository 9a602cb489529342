"""Asks the package index whether all extras have wheels, or named Debian packages, on ARM.

Called by scripts/wheels. Nothing is fetched but metadata. What comes from Debian instead stands in
deploy/bundle/targets.toml.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bundle_targets import Table, Target, plain, read_table, requirements
from bundle_wheels import Requirement, Wheel, WheelError, needed, options, pip

Chosen = Mapping[str, Wheel]
"""Wheels by name; their `path` is an address here."""

EXTRAS = ("agent", "snmpv3", "probes", "power", "hub", "pki", "console", "web")
ARCHES = ("armv7l", "aarch64")
_WITHIN_S = 20


def main(argv: Sequence[str]) -> int:
    """0: all is there, or the index cannot be reached and need not be; 1: a fault, told."""
    parser = argparse.ArgumentParser(prog="scripts/wheels", description=__doc__.splitlines()[0])
    parser.add_argument("--needed", action="store_true", help="fail where the index cannot be reached")
    asked = parser.parse_args(argv)
    if not reachable():
        print("scripts/wheels: skipped: the package index cannot be reached", file=sys.stderr)
        return 1 if asked.needed else 0
    table = read_table()
    targets = [table.target(arch, debian=debian) for debian in table.pythons for arch in ARCHES]
    first = _answer(targets[0], table, None)
    with ThreadPoolExecutor(len(targets)) as pool:
        answers = [first, *pool.map(lambda target: _answer(target, table, first[1]), targets[1:])]
    for target, (said, _chosen) in zip(targets, answers, strict=True):
        print(f"{target.arch:<8} Python {target.python}  {said}")
    return int(any(chosen is None for _said, chosen in answers))


def reachable() -> bool:
    """Whether pip gets an answer for the smallest of our packages."""
    command = [sys.executable, "-m", "pip", "index", "versions", "smbus2", "--quiet", "--quiet"]
    try:
        ran = subprocess.run(command, capture_output=True, check=False, timeout=_WITHIN_S)
    except subprocess.TimeoutExpired:
        return False
    return ran.returncode == 0


def _answer(target: Target, table: Table, like: Chosen | None) -> tuple[str, Chosen | None]:
    try:
        chosen = alike(target, table, like) if like else None
        chosen = chosen or resolved(requirements(EXTRAS), target, table)
    except WheelError as error:
        return str(error), None
    debian = sorted(package.package for package in table.debian_packages.values())
    return f"{len(chosen)} wheels; from Debian: {', '.join(debian)}", chosen


def resolved(asked: Sequence[str], target: Target, table: Table, *more: str) -> Chosen:
    """The wheels that `asked` leads to there, by name. Raises `WheelError` where one is missing."""
    with tempfile.TemporaryDirectory(prefix="ayni-wheels-") as folder:
        work = Path(folder)
        report = work / "report.json"
        given = options(target, table.debian_packages, work / "stand-ins")
        asking = [
            "install",
            "--quiet",
            "--dry-run",
            "--ignore-installed",
            "--target",
            str(work / "none"),
            *more,
        ]
        attempt = f"wheels for {target.arch}, Python {target.python}"
        pip([*asking, "--report", str(report), *given, *asked], attempt)
        installing = json.loads(report.read_text())["install"]
    wheels = [
        Wheel(
            path=Path(each["download_info"]["url"]),
            name=plain(each["metadata"]["name"]),
            version=each["metadata"]["version"],
            requires=tuple(map(Requirement, each["metadata"].get("requires_dist", []))),
            unpacked=0,
        )
        for each in installing
    ]
    return {wheel.name: wheel for wheel in wheels if wheel.name not in table.debian_packages}


def alike(target: Target, table: Table, like: Chosen) -> Chosen | None:
    """The same versions as on another machine: quick, as only wheels that are not for all are asked for.

    None where that will not do, as when one of them is missing there, or more is wanted.
    """
    need = needed(requirements(EXTRAS), like, target, table.debian_packages)
    if need.missing:
        return None
    special = [f"{w.name}=={w.version}" for w in need.wheels if not w.path.name.endswith("-none-any.whl")]
    try:
        resolved(special, target, table, "--no-deps")
    except WheelError:
        return None
    return {wheel.name: wheel for wheel in need.wheels}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
