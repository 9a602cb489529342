"""`ayni hub backup|restore`: everything that a central remembers, kept elsewhere and put back on new
hardware."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from ayni_core import inventory
from ayni_core.schema import ConfigError
from ayni_hub import places
from ayni_hub.backups import layout, nightly, restoring
from ayni_hub.backups.age import RECIPIENT
from ayni_hub.backups.errors import BackupError
from ayni_hub.backups.layout import Layout
from ayni_hub.backups.restoring import Restored
from ayni_hub.home import default_folder
from ayni_hub.places import Places
from ayni_io import clock, yamlfile
from ayni_io.i18n import _
from ayni_io.progress import Progress
from ayni_io.usage import Parser

_MACHINE = layout.of_machine()


def parser() -> argparse.ArgumentParser:
    """The options of `ayni hub backup`."""
    result = Parser(
        prog="ayni hub backup",
        description=_(
            "Copy all that the central remembers, while it runs: into one file, or with --nightly to every"
            " place that its hub.yaml names."
        ),
    )
    places.add(result)
    result.add_argument(
        "file", type=Path, nargs="?", metavar="FILE", help=_("such as /media/stick/ayni.tar.gz.age")
    )
    result.add_argument(
        "--recipient", action="append", default=[], metavar="KEY",
        help=_("encrypt it for this public key of age; only then it has accounts, secrets and PINs in it"),
    )  # fmt: skip
    result.add_argument(
        "--nightly", action="store_true", help=_("as hub.yaml says under backup: and what the timer does")
    )
    return result


def main(argv: Sequence[str]) -> int:
    """Make a backup. `ConfigError` is for the command line to tell."""
    command = parser()
    options = command.parse_args(argv)
    if options.nightly == (options.file is not None):
        command.error(_("say either FILE or --nightly"))
    place = places.of(options)
    where = _layout(options.config, options.folder, place)
    now = clock.wall_s()
    if options.nightly:
        return _nightly(options.config, place, where, now)
    wrong = next((each for each in options.recipient if not RECIPIENT.fullmatch(each)), None)
    if wrong is not None:
        command.error(_("{key}: no public key of age; they look like age1…", key=wrong[:80]))
    given = tuple(options.recipient)
    if not given and place.config is not None and place.config.backup is not None:
        given = place.config.backup.recipients
    with Progress(_("Backup")) as progress:
        try:
            size = nightly.to_file(where, options.file, given, now, progress)
        except (BackupError, OSError) as error:
            return _failed("backup", error)
    print(_("{file}: {size} MB. Keep it on another machine.", file=options.file, size=_megabytes(size)))
    if not given:
        print(_("It is not encrypted, so it has no accounts, secrets and PINs in it: see --recipient."))
    return 0


def _nightly(path: Path | None, place: Places, where: Layout, now: float) -> int:
    config = place.config
    if config is None or config.backup is None:
        print(_("{path}: has no backup: yet; it says where backups go", path=path or "hub.yaml"))
        return 0
    with Progress(_("Backup")) as progress:
        try:
            status = nightly.run(config.name, where, config.backup, now, progress)
        except OSError as error:
            return _failed("backup", error)
    for name, each in status.places.items():
        if each.fault:
            print(_("failed: {reason}", reason=each.fault))
        else:
            print(
                _(
                    "{place}: {name}, {size} MB, read again",
                    place=name,
                    name=each.name,
                    size=_megabytes(each.size_bytes),
                )
            )
    return 1 if status.fault else 0


def restore_parser() -> argparse.ArgumentParser:
    """The options of `ayni hub restore`."""
    result = Parser(
        prog="ayni hub restore",
        description=_("Put a backup back where no central has remembered anything yet; it must not run."),
    )
    result.add_argument("file", type=Path, metavar="FILE")
    result.add_argument(
        "--identity", type=Path, metavar="KEY", help=_("the private key, for a backup that is encrypted")
    )
    where = result.add_mutually_exclusive_group()
    where.add_argument(
        "--root", type=Path, metavar="DIR", help=_("a machine's root, such as that of a mounted card")
    )
    where.add_argument("--dir", dest="folder", type=Path, metavar="DIR", help=_("the folder of `ayni start`"))
    where.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help=_("a hub.yaml of your own: only what it remembers is put back"),
    )
    return result


def restore_main(argv: Sequence[str]) -> int:
    """Put a backup back, and say what is left to do. `ConfigError` is for the command line to tell."""
    options = restore_parser().parse_args(argv)
    try:
        where = _target(options)
        done = restoring.restore(options.file, where, options.identity, clock.wall_s())
    except BackupError as error:
        return _failed("restore", error)
    for line in _told(where, done):
        print(line)
    return 0


def _layout(config: Path | None, folder: Path, place: Places) -> Layout:
    """What belongs to a central that is configured so."""
    if config is None:
        return layout.of_home(folder)
    if _MACHINE.config_dir is not None and config.absolute().parent == _MACHINE.config_dir:
        return replace(_MACHINE, data_dir=place.data_dir, network=place.network)
    return Layout(kind="own", data_dir=place.data_dir, network=place.network)


def _target(options: argparse.Namespace) -> Layout:
    if options.config is not None:
        return _layout(options.config, default_folder(), places.at(options.config))
    if options.root is not None:
        return layout.of_machine(options.root)
    if options.folder is not None:
        return layout.of_home(options.folder)
    kind = restoring.kind_of(options.file, options.identity)
    if kind == "own":
        raise BackupError(_("{path}: is of a hub.yaml of your own: say --config FILE", path=options.file))
    return _MACHINE if kind == "machine" else layout.of_home(default_folder())


def _told(where: Layout, done: Restored) -> Iterator[str]:
    """What was done, and what is left to do."""
    as_of = datetime.fromtimestamp(float(str(done.about.get("at", 0))), UTC)
    yield _(
        "Put back into {folder}, as of {date}.",
        folder=where.data_dir,
        date=as_of.strftime("%Y-%m-%d %H:%M UTC"),
    )
    for path in done.beside:
        yield _("What stood there before is {path}.", path=path)
    for name in done.left_out:
        yield _("Left as it is here: {name}", name=name)
    for user in sorted(done.nobody):
        yield _(
            "This machine has no user {name} yet; install Ayni and the broker, then restore again.", name=user
        )
    if where.kind == "own":
        yield _("Now start the central. Monitors send what came since by themselves.")
        return
    if where.kind == "home":
        yield _("Now: ayni start. Monitors send what came since by themselves.")
        return
    placed = {path.name for path in done.placed}
    for name in ("accounts.json", "server.crt", "server.key"):
        known = where.accounts if name == "accounts.json" else (where.certificates or Path()) / name
        if known is not None and known.name not in placed and not known.is_file():
            yield _("The backup has no {name}: make it anew before the broker starts.", name=known)
    yield _("Left to do:")
    yield "  " + _("give this machine the address that monitors know: {address}", address=_address(where))
    yield "  systemctl restart mosquitto ayni-hub"
    yield "  systemctl enable --now ayni-hub-backup.timer"
    yield _(
        "Monitors come back by themselves, and send what came since. The authority's key is not in a backup."
    )


def _address(where: Layout) -> str:
    try:
        network = yamlfile.read(where.network, inventory.parse)
    except ConfigError:
        return "?"
    return network.hub.address or "?"


def _megabytes(size: int) -> float:
    return round(size / 1e6, 1)


def _failed(what: str, error: Exception) -> int:
    print(f"ayni hub {what}: {error}", file=sys.stderr)
    return 1
