"""Wheels for another kind of machine, by pip and without being that machine.

pip asks a requirement's markers about the machine it runs on, so what it brings is looked through once more
with the other machine's own answers, and what is missing is fetched, too. For packages that come from Debian
there an empty wheel of Debian's version stands in: with it pip says whether that version will do.
"""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from email.parser import Parser
from pathlib import Path

from bundle_targets import DebianPackage, Target, plain

# pip is there wherever this runs, and its own copy saves a dependency.
from pip._vendor.packaging.requirements import Requirement
from pip._vendor.packaging.utils import parse_wheel_filename

_ROUNDS = 5


class WheelError(Exception):
    """What could not be had for which machine, and what pip said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheel:
    """A wheel that was fetched: its package, version, what it asks for, and its size unpacked."""

    path: Path
    name: str
    version: str
    requires: tuple[Requirement, ...]
    unpacked: int
    """Octets"""


def read_wheel(path: Path) -> Wheel:
    """What a wheel says of itself."""
    name, version, _build, _tags = parse_wheel_filename(path.name)
    with zipfile.ZipFile(path) as archive:
        (metadata,) = [each for each in archive.namelist() if each.endswith(".dist-info/METADATA")]
        said = Parser().parsestr(archive.read(metadata).decode(), headersonly=True)
        unpacked = sum(each.file_size for each in archive.infolist())
    return Wheel(
        path=path,
        name=plain(name),
        version=str(version),
        requires=tuple(Requirement(each) for each in said.get_all("Requires-Dist", [])),
        unpacked=unpacked,
    )


def stand_in(package: DebianPackage, debian: str, folder: Path) -> Path:
    """An empty wheel with the version that Debian has, for pip to reckon with."""
    # Marked as another build of that version, or pip would take the index's own wheel of it first.
    name, version = package.name.replace("-", "_"), f"{package.versions[debian]}+debian"
    info = f"{name}-{version}.dist-info"
    texts = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: ayni\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    for path, text in texts.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={digest},{len(text)}\n"
    made = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(made, "w") as archive:
        for path, text in texts.items():
            archive.writestr(path, text)
        archive.writestr(f"{info}/RECORD", f"{record}{info}/RECORD,,\n")
    return made


def options(target: Target, packages: Mapping[str, DebianPackage], folder: Path) -> list[str]:
    """pip's options for a machine: its wheels only, Debian's versions as they are. Writes into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for package in packages.values():
        stand_in(package, target.debian, folder)
    pins = folder / "debian.txt"
    pins.write_text("".join(f"{p.name}=={p.versions[target.debian]}\n" for p in packages.values()))
    given = ["--only-binary", ":all:", "--implementation", "cp", "--python-version", target.python]
    for platform in target.platforms:
        given += ["--platform", platform]
    return [*given, "--find-links", str(folder), "--constraint", str(pins)]


def pip(arguments: Sequence[str], attempt: str) -> None:
    """Run pip; `attempt` says what for, should it fail."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        lines = (ran.stderr or ran.stdout).splitlines()
        errors = [line.removeprefix("ERROR: ")[:300] for line in lines if line.startswith("ERROR")]
        raise WheelError(f"{attempt}: {'; '.join(errors or lines[-1:])}")


def fetch(
    wanted: Sequence[str], target: Target, packages: Mapping[str, DebianPackage], to: Path, work: Path
) -> dict[str, Wheel]:
    """Wheels for all that is `wanted` and what that asks for there, by name, without Debian's packages."""
    given = options(target, packages, work / "stand-ins")
    asked = list(wanted)
    for _round in range(_ROUNDS):
        for path in to.glob("*.whl"):
            path.unlink()
        attempt = f"fetching wheels for {target.arch}, Python {target.python}"
        pip(["download", "--quiet", "--dest", str(to), *given, *asked], attempt)
        for package in packages.values():
            for path in to.glob(f"{package.name.replace('-', '_')}-*.whl"):
                path.unlink()
        found = {wheel.name: wheel for wheel in map(read_wheel, sorted(to.glob("*.whl")))}
        missing = needed(wanted, found, target, packages).missing
        if not missing:
            return found
        asked = [*wanted, *missing]
    raise WheelError(f"wheels for {target.arch}, Python {target.python}: no end of {', '.join(asked)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """What a machine is to get: wheels, what is missing, and the names of what comes from Debian there."""

    wheels: tuple[Wheel, ...]
    missing: tuple[str, ...]
    elsewhere: frozenset[str]


def needed(
    wanted: Iterable[str], found: Mapping[str, Wheel], target: Target, from_debian: Iterable[str]
) -> Needed:
    """What `wanted` leads to on that machine, out of the wheels that were `found`."""
    wheels: dict[str, Wheel] = {}
    missing: list[str] = []
    elsewhere: set[str] = set()
    debian = frozenset(from_debian)
    open_ = [Requirement(each) for each in wanted]
    done: set[str] = set()
    while open_:
        asked = open_.pop()
        if str(asked) in done:
            continue
        done.add(str(asked))
        name = plain(asked.name)
        wheel = found.get(name)
        if not _applies(asked, target, ("",)):
            continue
        if name in debian:
            elsewhere.add(name)
        elif wheel is None or not asked.specifier.contains(wheel.version, prereleases=True):
            missing.append(f"{asked.name}{asked.specifier}")
        else:
            wheels[name] = wheel
            for each in wheel.requires:
                if _applies(each, target, ("", *asked.extras)):
                    # Answered: which extra it was asked for is not to be asked again.
                    open_.append(Requirement(str(each).partition(";")[0]))
    ordered = tuple(wheels[name] for name in sorted(wheels))
    return Needed(wheels=ordered, missing=tuple(missing), elsewhere=frozenset(elsewhere))


def _applies(asked: Requirement, target: Target, extras: tuple[str, ...]) -> bool:
    marker = asked.marker
    return marker is None or any(marker.evaluate({**target.environment, "extra": extra}) for extra in extras)
