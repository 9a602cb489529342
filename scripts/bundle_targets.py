"""What a bundle is made for and what goes into it: deploy/bundle/targets.toml and pyproject.toml."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TARGETS = ROOT / "deploy" / "bundle" / "targets.toml"
MACHINE = "machine"
"""The part of a file that every machine gets on which something of ours runs as a service."""
_MANYLINUX = (36, 35, 34, 31, 28, 27, 26, 24, 17)
"""Versions of the C library whose wheels run on Debian 12 (2.36) and later."""


class TargetError(Exception):
    """The caller asked for what there is not; says what there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DebianPackage:
    """A package of the index that comes from Debian: its name there, and its version in each release."""

    name: str
    package: str
    versions: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of a deployed machine. `units` are enabled, and started where the file `needs` is there."""

    name: str
    extras: tuple[str, ...]
    debs: tuple[str, ...]
    units: tuple[str, ...]
    needs: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """A file of the repository, and where it stands on a machine with this part.

    `to` is absolute, or below the version's own folder; `debians` are the releases that get it.
    """

    part: str
    source: Path
    to: str
    debians: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A kind of machine: `arch` as `uname -m` says it, `deb_arch` as Debian does, release, Python X.Y."""

    arch: str
    deb_arch: str
    debian: str
    python: str

    @property
    def platforms(self) -> tuple[str, ...]:
        """Platform tags of wheels that run there, the most special first."""
        tags = [f"manylinux_2_{minor}_{self.arch}" for minor in _MANYLINUX]
        return (*tags, f"manylinux2014_{self.arch}", f"linux_{self.arch}")

    @property
    def environment(self) -> dict[str, str]:
        """What `; markers` of requirements are asked about there (PEP 508)."""
        return {
            "implementation_name": "cpython",
            "implementation_version": f"{self.python}.0",
            "os_name": "posix",
            "platform_machine": self.arch,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": f"{self.python}.0",
            "python_version": self.python,
            "sys_platform": "linux",
        }


def plain(name: str) -> str:
    """The normal form of a package's name (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The whole of targets.toml."""

    pythons: Mapping[str, str]
    arches: Mapping[str, str]
    debian_packages: Mapping[str, DebianPackage]
    parts: Mapping[str, Part]
    files: tuple[Deployed, ...]

    def target(self, arch: str, *, debian: str | None = None, python: str | None = None) -> Target:
        """The machine that is meant; release and Python belong together, so one of them is enough."""
        if arch not in self.arches:
            raise TargetError(f'architecture "{arch}" is none of {", ".join(self.arches)}')
        if debian is None:
            fitting = [name for name, its in self.pythons.items() if python in (None, its)]
            if not fitting:
                raise TargetError(f'Python "{python}" is none of {", ".join(self.pythons.values())}')
            debian = fitting[0]
        if debian not in self.pythons:
            raise TargetError(f'Debian "{debian}" is none of {", ".join(self.pythons)}')
        if python not in (None, self.pythons[debian]):
            raise TargetError(f"Debian {debian} has Python {self.pythons[debian]}, not {python}")
        return Target(arch=arch, deb_arch=self.arches[arch], debian=debian, python=self.pythons[debian])

    def chosen(self, names: str) -> tuple[Part, ...]:
        """Parts by name, `hub,agent` or `all`, in the order of the table."""
        asked = set(names.split(","))
        unknown = asked - {*self.parts, "all"}
        if unknown:
            raise TargetError(f'part "{min(unknown)}" is none of {", ".join(self.parts)}, all')
        return tuple(part for name, part in self.parts.items() if name in asked or "all" in asked)


def read_table(path: Path = TARGETS) -> Table:
    """Read targets.toml; a fault in it is a bug of ours."""
    raw: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    packages = {
        plain(name): DebianPackage(
            name=plain(name),
            package=entry["package"],
            versions={release: entry[release] for release in raw["python"]},
        )
        for name, entry in raw["debian_package"].items()
    }
    parts = {
        name: Part(
            name=name,
            extras=tuple(entry["extras"]),
            debs=tuple(entry["debs"]),
            units=tuple(entry["units"]),
            needs=entry["needs"],
        )
        for name, entry in raw["part"].items()
    }
    files = tuple(
        Deployed(
            part=entry["part"],
            source=ROOT / entry["from"],
            to=entry["to"],
            debians=tuple(entry.get("debians", raw["python"])),
        )
        for entry in raw["file"]
    )
    return Table(
        pythons=raw["python"], arches=raw["arch"], debian_packages=packages, parts=parts, files=files
    )


def requirements(extras: tuple[str, ...]) -> tuple[str, ...]:
    """What Ayni with these extras asks for, as it stands in pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = [*project["dependencies"]]
    for extra in extras:
        named += project["optional-dependencies"][extra]
    return tuple(dict.fromkeys(named))
