"""Makes an offline bundle for one kind of machine: wheels, Debian packages, units, and what installs them.

Called by scripts/bundle. What goes in stands in deploy/bundle/targets.toml, what happens on the machine in
deploy/bundle/install.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import bundle_debs as debs
import bundle_wheels as wheels
from bundle_targets import MACHINE, ROOT, Part, Table, Target, TargetError, read_table, requirements
from user_cache import cache

_SCRIPTS = ("install", "uninstall", "README")
_FREE_NEEDED = 400 * 1024 * 1024
_COMPILED = 2.0
"""What a wheel takes once compiled, in sizes of what is unpacked from it."""


def say(text: str) -> None:
    """One line of progress."""
    print(f"ayni: {text}", file=sys.stderr, flush=True)


def main(argv: Sequence[str]) -> int:
    """Make the bundle; 0 when it is there."""
    asked = _parser().parse_args(argv)
    try:
        table = read_table()
        target = table.target(asked.arch, debian=asked.debian, python=asked.python)
        parts = table.chosen(asked.parts)
        _check_room(asked.output)
        with tempfile.TemporaryDirectory(prefix="ayni-bundle-") as work:
            made = _Making(table, target, parts, Path(work), asked)
            folder = made.fill()
            digest = pack(folder, asked.output)
    except (TargetError, wheels.WheelError, debs.DebError, OSError) as error:
        say(str(error))
        return 1
    size = asked.output.stat().st_size / 1e6
    names = "+".join(part.name for part in parts)
    say(f"{asked.output}: {size:.1f} MB for {names}, {target.arch}, Debian {target.debian}")
    say("the number of this bundle, shown again when it is installed; compare, or ./install --expect NUMBER:")
    print(digest)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/bundle", description="make an offline bundle of Ayni")
    add = parser.add_argument
    add("--arch", default=os.uname().machine, help="aarch64, armv7l or x86_64; default: as this machine")
    add("--debian", help="bookworm or trixie; default: bookworm, or by --python")
    add("--python", help="3.11 or 3.13; default: that of the Debian")
    parts = "agent, hub, console, web, several as hub,agent, or all"
    add("--for", dest="parts", default="all", metavar="PARTS", help=parts)
    add("--mirror", help="where to get Debian from; default: as this machine does")
    add("--without-updates", action="store_true", help="Debian as released, without updates")
    add("--label", default="", help="added to the version, to tell builds of it apart")
    add("--wheel", type=Path, help="this wheel of Ayni instead of one built from here")
    add("-o", "--output", type=Path, required=True, metavar="FILE.tar")
    return parser


def _check_room(output: Path) -> None:
    for folder in (output.resolve().parent, Path(tempfile.gettempdir())):
        free = shutil.disk_usage(folder).free
        if free < _FREE_NEEDED:
            need = f"{_FREE_NEEDED // 1_000_000} are needed"
            raise TargetError(f"{folder}: {free // 1_000_000} MB are free, {need}")


class _Making:
    """One bundle on its way."""

    def __init__(
        self, table: Table, target: Target, parts: tuple[Part, ...], work: Path, asked: argparse.Namespace
    ) -> None:
        self._table, self._target, self._parts, self._work, self._asked = table, target, parts, work, asked
        self._about: dict[str, str] = {}
        self._needs_kb = {part.name: 0 for part in parts}
        self._debian: dict[str, tuple[str, ...]] = {}

    def fill(self) -> Path:
        """The folder that is packed."""
        own = self._own_wheel()
        version = own.version + (f"-{self._asked.label}" if self._asked.label else "")
        folder = self._work / f"ayni-{version}-{self._target.arch}-{self._target.debian}"
        (folder / "wheels").mkdir(parents=True)
        self._about = {
            "version": version,
            "arch": self._target.deb_arch,
            "debian": self._target.debian,
            "python": self._target.python,
            "parts": " ".join(part.name for part in self._parts),
        }
        self._wheels(own, folder / "wheels")
        self._debs(folder / "debs")
        put_files(folder, self._table, self._parts, self._target.debian)
        for part in self._parts:
            self._about[f"units_{part.name}"] = " ".join(part.units)
            self._about[f"needs_{part.name}"] = part.needs
            self._about[f"needs_kb_{part.name}"] = str(self._needs_kb[part.name])
        (folder / "about").write_text("".join(f"{key}={value}\n" for key, value in self._about.items()))
        return folder

    def _own_wheel(self) -> wheels.Wheel:
        if self._asked.wheel is not None:
            return wheels.read_wheel(self._asked.wheel)
        say("building the wheel of Ayni itself")
        to = self._work / "own"
        building = ["wheel", "--quiet", "--no-deps", "--wheel-dir", str(to), str(ROOT)]
        wheels.pip(building, "building the wheel of Ayni")
        (made,) = to.glob("ayni-*.whl")
        return wheels.read_wheel(made)

    def _wheels(self, own: wheels.Wheel, to: Path) -> None:
        say(f"fetching wheels for {self._target.arch}, Python {self._target.python}")
        packages = self._table.debian_packages
        wanted = requirements(tuple(extra for part in self._parts for extra in part.extras))
        found = wheels.fetch(wanted, self._target, packages, to, self._work)
        for part in self._parts:
            needed = wheels.needed(requirements(part.extras), found, self._target, packages)
            mine = (own, *needed.wheels)
            _write_list(to / f"{part.name}.list", (wheel.path.name for wheel in mine))
            named = [packages[name].package for name in needed.elsewhere]
            self._debian[part.name] = tuple(sorted({*part.debs, *named}))
            self._needs_kb[part.name] += int(sum(wheel.unpacked for wheel in mine) * _COMPILED / 1024)
        shutil.copyfile(own.path, to / own.path.name)
        # What installs the wheels: run from its own wheel, never installed.
        fetching = ["download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest", str(to), "pip"]
        wheels.pip(fetching, "fetching pip")

    def _debs(self, to: Path) -> None:
        say(f"asking for Debian packages for {self._target.deb_arch}, {self._target.debian}")
        mirror = (
            debs.Mirror(main=self._asked.mirror, security="") if self._asked.mirror else debs.own_mirror()
        )
        folder = cache("bundle") / f"{self._target.debian}-{self._target.deb_arch}"
        folder.mkdir(parents=True, exist_ok=True)
        apt = debs.Apt(self._target, folder, mirror, updates=not self._asked.without_updates)
        apt.update()
        self._compare(apt)
        say("fetching Debian packages")
        apt.fetch((name for mine in self._debian.values() for name in mine), to)
        sizes = {each: debs.installed_kb(apt.needed(each)) for each in set(self._debian.values())}
        for part, mine in self._debian.items():
            _write_list(to / f"{part}.list", mine)
            self._needs_kb[part] += sizes[mine]

    def _compare(self, apt: debs.Apt) -> None:
        """Debian's versions must be those that our requirements were compared with."""
        for package in self._table.debian_packages.values():
            has = debs.upstream(apt.version(package.package))
            stated = package.versions[self._target.debian]
            if has != stated:
                raise debs.DebError(
                    f"Debian {self._target.debian} has {package.package} {has or '(none)'}, "
                    f"deploy/bundle/targets.toml says {stated}"
                )


def put_files(folder: Path, table: Table, parts: Sequence[Part], debian: str) -> None:
    """Copy these parts' files, and what installs them, into a bundle's folder, instead of those there."""
    names = {part.name for part in parts}
    if any(part.units for part in parts):
        names.add(MACHINE)
    # What has no place of its own on the machine stays beside the program.
    own, beside = folder / "files", folder / "beside"
    for old in (own, beside):
        shutil.rmtree(old, ignore_errors=True)
    for file in table.files:
        if file.part in names and debian in file.debians:
            to = (own if file.to.startswith("/") else beside) / file.part / file.to.lstrip("/")
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file.source, to)
    for name in _SCRIPTS:
        shutil.copy(ROOT / "deploy" / "bundle" / name, folder / name)


def _write_list(path: Path, names: Iterable[str]) -> None:
    path.write_text("".join(f"{name}\n" for name in names))


def pack(folder: Path, output: Path) -> str:
    """Write the manifest and the tar (the same octets for the same content); the manifest's sha256."""
    lines = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        lines.append(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder)}\n")
    manifest = "".join(lines)
    (folder / "manifest").write_text(manifest)
    when = int(os.environ.get("SOURCE_DATE_EPOCH") or _last_commit())

    def plainly(info: tarfile.TarInfo) -> tarfile.TarInfo:
        info.uid = info.gid = 0
        info.uname = info.gname = "root"
        info.mtime = when
        info.mode = 0o755 if info.isdir() or info.mode & 0o100 else 0o644
        return info

    part = output.with_name(output.name + ".part")
    with tarfile.open(part, "w", format=tarfile.GNU_FORMAT) as archive:
        archive.add(folder, folder.name, recursive=False, filter=plainly)
        for path in sorted(folder.rglob("*")):
            archive.add(path, f"{folder.name}/{path.relative_to(folder)}", recursive=False, filter=plainly)
    part.replace(output)
    return hashlib.sha256(manifest.encode()).hexdigest()


def _last_commit() -> str:
    ran = subprocess.run(
        ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"], capture_output=True, text=True, check=False
    )
    return ran.stdout.strip() or "0"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
