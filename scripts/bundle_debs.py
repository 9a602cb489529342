"""Debian packages for another kind of machine, by apt in a folder of its own, without being that machine.

The mirror and the keys are those of the machine that builds. What every Debian has anyway (required and
important, and Python) is taken for installed, so that only the rest is fetched.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bundle_targets import Target

_ANYWAY = ("required", "important")
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


class DebError(Exception):
    """What apt could not do, in its own words, and what helps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirror:
    """Where Debian is had from, and where its security updates; the latter "" when there is none."""

    main: str
    security: str


def own_mirror() -> Mirror:
    """The mirror that this machine itself uses. Raises `DebError` where it is no Debian."""
    form = "$(ORIGIN)|$(LABEL)|$(REPO_URI)"
    try:
        told = _run(["apt-get", "indextargets", "--format", form, "Created-By: Packages"], "asking apt")
    except FileNotFoundError:
        raise DebError("this machine has no apt: make the bundle on a Debian machine") from None
    found = {}
    for line in told.splitlines():
        origin, label, address = line.split("|", 2)
        if origin == "Debian":
            found.setdefault(label, address)
    if "Debian" not in found:
        raise DebError(
            "apt on this machine knows no Debian mirror: run apt-get update, or name one by --mirror"
        )
    return Mirror(main=found["Debian"], security=found.get("Debian-Security", ""))


class Apt:
    """apt for `target`, all its state in `folder`, which may be kept to be quicker next time."""

    def __init__(self, target: Target, folder: Path, mirror: Mirror, *, updates: bool) -> None:
        self._target = target
        self._folder = folder.resolve()
        for each in ("lists/partial", "archives/partial"):
            (folder / each).mkdir(parents=True, exist_ok=True)
        self._known: dict[str, str] = {}
        self._status = folder / "status"
        self._status.write_text("")
        signed = f" [signed-by={_KEYRING}]" if _KEYRING.exists() else ""
        sources = [f"deb{signed} {mirror.main} {target.debian} main"]
        if updates:
            sources.append(f"deb{signed} {mirror.main} {target.debian}-updates main")
            if mirror.security:
                sources.append(f"deb{signed} {mirror.security} {target.debian}-security main")
        (folder / "sources.list").write_text("\n".join(sources) + "\n")

    def update(self) -> None:
        """Fetch the lists of packages, and find out what is installed anyway."""
        try:
            self._apt("apt-get", "--quiet", "--error-on=any", "update")
        except DebError as error:
            hint = "try again later, or leave Debian's updates out by --without-updates"
            raise DebError(f"{error}; {hint}") from None
        self._status.write_text("")
        stanzas = self._apt("apt-cache", "dumpavail").split("\n\n")
        self._known = {field(stanza, "Package"): stanza.strip() for stanza in stanzas if stanza.strip()}
        anyway = [name for name, stanza in self._known.items() if field(stanza, "Priority") in _ANYWAY]
        there = self._installing([*anyway, "python3"])
        self._status.write_text("\n".join(f"{each}\nStatus: install ok installed\n" for each in there))

    def needed(self, packages: Iterable[str]) -> list[str]:
        """The stanzas of `packages` and what they need, without what is installed anyway."""
        wanted = sorted(set(packages))
        return self._installing(wanted) if wanted else []

    def fetch(self, packages: Iterable[str], to: Path) -> None:
        """Put `packages` and what they need into `to`, with an index for apt."""
        wanted = sorted(set(packages))
        to.mkdir(parents=True, exist_ok=True)
        index = []
        if wanted:
            self._apt("apt-get", "--download-only", "--yes", "--quiet", "install", *wanted)
        for stanza in self.needed(wanted):
            name = "{}_{}_{}.deb".format(
                *(field(stanza, each) for each in ("Package", "Version", "Architecture"))
            )
            # apt writes the colon of an epoch as %3a; in the bundle names are plain.
            plain = name.replace(":", "_")
            shutil.copyfile(self._folder / "archives" / name.replace(":", "%3a"), to / plain)
            index.append(re.sub(r"^Filename: .*$", f"Filename: ./{plain}", stanza, flags=re.MULTILINE) + "\n")
        (to / "Packages").write_text("\n".join(index))

    def version(self, package: str) -> str:
        """The version that would be installed; "" where there is none."""
        return field(self._known.get(package, ""), "Version")

    def _installing(self, packages: Sequence[str]) -> list[str]:
        told = self._apt("apt-get", "--simulate", "--quiet", "install", *packages)
        names = re.findall(r"^Inst ([^\s:]+)", told, flags=re.MULTILINE)
        return [self._known[name] for name in sorted(names)]

    def _apt(self, program: str, *arguments: str) -> str:
        own: Mapping[str, object] = {
            "APT::Architecture": self._target.deb_arch,
            "APT::Architectures::": self._target.deb_arch,
            "Dir::Etc::SourceList": self._folder / "sources.list",
            "Dir::Etc::SourceParts": "/dev/null",
            "Dir::Etc::Preferences": "/dev/null",
            "Dir::Etc::PreferencesParts": "/dev/null",
            "Dir::State": self._folder,
            "Dir::State::Lists": self._folder / "lists",
            "Dir::State::Status": self._folder / "status",
            "Dir::State::Extended_States": self._folder / "extended_states",
            "Dir::Cache::Archives": self._folder / "archives",
            "Dir::Cache::PkgCache": self._folder / "pkgcache.bin",
            "Dir::Cache::SrcPkgCache": self._folder / "srcpkgcache.bin",
            "Acquire::Languages": "none",
            "APT::Install-Recommends": "false",
            "APT::Keep-Downloaded-Packages": "true",
            "APT::Sandbox::User": "",
            "Debug::NoLocking": "true",
        }
        settings = [word for key, value in own.items() for word in ("--option", f"{key}={value}")]
        doing = next(word for word in arguments if not word.startswith("-"))
        attempt = f"{program} {doing} for Debian {self._target.debian} {self._target.deb_arch}"
        return _run([program, *settings, *arguments], attempt)


def field(stanza: str, name: str) -> str:
    """One field of a package's stanza; "" where it is missing."""
    found = re.search(rf"^{name}: (.*)$", stanza, flags=re.MULTILINE)
    return found.group(1) if found else ""


def installed_kb(stanzas: Iterable[str]) -> int:
    """What packages take once installed, by their own account."""
    return sum(int(field(stanza, "Installed-Size") or 0) for stanza in stanzas)


def upstream(version: str) -> str:
    """Version of a Debian package without epoch and Debian's own number: 1:2.0-3+deb12u1 is 2.0."""
    return re.split(r"[-+~]", version.rpartition(":")[2])[0]


def _run(command: Sequence[str], attempt: str) -> str:
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    ran = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if ran.returncode:
        errors = [line[3:] for line in ran.stderr.splitlines() if line.startswith("E: ")]
        raise DebError(f"{attempt}: {'; '.join(errors) or ran.stderr.strip()[-300:]}")
    return ran.stdout
