"""`ayni pki`: the community's own authority, the certificates of its servers, and how long they are good.

It runs on the coordinator's laptop, not on the hub: who has the authority's key can speak for the network.
"""

from __future__ import annotations

import argparse
import getpass
import json
import re
import secrets
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from ayni_core import inventory
from ayni_core.inventory import Network
from ayni_hub.pki import authority, passphrase, standing, work
from ayni_hub.pki.authority import CA_YEARS, MOST_SERVER_YEARS, SERVER_YEARS, Authority, PkiError
from ayni_hub.pki.folder import PkiFolder
from ayni_hub.pki.passphrase import Ask
from ayni_hub.pki.work import Issued
from ayni_io import clock, yamlfile
from ayni_io.i18n import _
from ayni_io.usage import Parser

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,47}")
_EARLIEST = 1_704_067_200.0
"""The start of 2024: a clock before it is wrong, and what it dates would be over at once."""
_TITLE = "Ayni"


def init_parser() -> argparse.ArgumentParser:
    """The options of `ayni pki init`."""
    result = _parser("init", _("Make the authority of your network: a key, and a certificate to hand out."))
    result.add_argument("--title", help=_("what it is called; otherwise the title of network.yaml"))
    result.add_argument("--years", type=_years(CA_YEARS * 2), default=CA_YEARS, metavar="N",
                        help=_("how long it is good ({n} without it)", n=CA_YEARS))  # fmt: skip
    _add_network(result)
    passphrase.add(result)
    passphrase.add_none(result)
    return result


def issue_parser() -> argparse.ArgumentParser:
    """The options of `ayni pki issue`."""
    result = _parser("issue", _("Sign a certificate for a server: the broker, the phone page."))
    _add_server(result)
    passphrase.add(result)
    return result


def renew_server_parser() -> argparse.ArgumentParser:
    """The options of `ayni pki renew-server`."""
    result = _parser(
        "renew-server",
        _("Sign a server's certificate anew, for the same names, with a new key; the old one is kept."),
    )
    _add_server(result)
    passphrase.add(result)
    return result


def status_parser() -> argparse.ArgumentParser:
    """The options of `ayni pki status`."""
    result = _parser(
        "status",
        _(
            "How long the certificates are good. Exit status: 0 all is well, 1 one ends soon, 3 one needs you"
            " now, 2 they cannot be read."
        ),
    )
    result.add_argument("--json", action="store_true", help=_("one JSON object instead"))
    return result


def roll_over_parser() -> argparse.ArgumentParser:
    """The options of `ayni pki roll-over`."""
    result = _parser("roll-over", _("Replace the authority while everybody stays connected, in two steps."))
    result.add_argument("step", choices=("begin", "finish"))
    result.add_argument(
        "--new-passphrase-file", type=Path, metavar="FILE",
        help=_("with begin: another passphrase for the next authority"),
    )  # fmt: skip
    _add_network(result)
    passphrase.add(result)
    return result


def init_main(argv: Sequence[str], ask: Ask = getpass.getpass) -> int:
    """Make it; one that is there is told."""
    options = init_parser().parse_args(argv)

    def do(folder: PkiFolder, now: float) -> int:
        if folder.exists():
            print(_("There is an authority already; nothing was changed."))
            _tell(folder, now)
            return 0
        title = options.title or _title(options)
        word = (
            None
            if options.no_passphrase
            else passphrase.new(options.passphrase_file, options.passphrase_env, ask)
        )
        made = work.init(folder, title, word, now, _mark(), options.years)
        print(_("{title} is good until {day}.", title=authority.title_of(made.certificate),
                day=standing.day(made.ends)))  # fmt: skip
        _fingerprint(made)
        print(_("{path} is for everybody who connects. {key} stays on this laptop; keep a copy of the folder"
                " on a stick that lies elsewhere, and the passphrase apart from it.",
                path=folder.trusted, key=folder.key))  # fmt: skip
        if options.no_passphrase:
            print(_("The key has no passphrase: whoever gets the file can speak for your network."))
        print(_("Next: ayni pki issue"))
        return 0

    return _guarded("init", options, do)


def issue_main(argv: Sequence[str], ask: Ask = getpass.getpass) -> int:
    """Sign for a server that has no certificate yet; one that is there is told."""
    options = issue_parser().parse_args(argv)

    def do(folder: PkiFolder, now: float) -> int:
        path, _key = folder.server(options.name)
        wanted = _names(options)
        if path.is_file():
            return _exists(folder, options.name, wanted, now)
        if not wanted:
            raise PkiError(_nameless())
        signer = folder.authority(_word(folder, folder.key, options, ask))
        _told(work.issue(folder, signer, options.name, wanted, now, options.years))
        print(_("Put {crt} and {key} on the machine of the server, readable by it alone, and {ca} on every"
                " machine that connects.", crt=path, key=_key, ca=folder.trusted))  # fmt: skip
        return 0

    return _guarded("issue", options, do)


def renew_server_main(argv: Sequence[str], ask: Ask = getpass.getpass) -> int:
    """Sign anew for a server that has one."""
    options = renew_server_parser().parse_args(argv)

    def do(folder: PkiFolder, now: float) -> int:
        path, key = folder.server(options.name)
        if not path.is_file():
            raise PkiError(_("{path}: there is none yet; make it with ayni pki issue {name}",
                             path=path, name=options.name))  # fmt: skip
        given = bool(options.names or options.network)
        names = (_names(options) if given else ()) or authority.names_of(folder.certificates(path)[0])
        signer = folder.authority(_word(folder, folder.key, options, ask))
        _told(work.issue(folder, signer, options.name, names, now, options.years))
        print(_("Put {crt} and {key} on the machine of the server and let it read them (systemctl reload"
                " mosquitto: nobody is cut off). Whoever has {ca} needs nothing. The old ones are in"
                " {former}.",
                crt=path, key=key, ca=folder.trusted.name, former=folder.former))  # fmt: skip
        return 0

    return _guarded("renew-server", options, do)


def status_main(argv: Sequence[str]) -> int:
    """Tell how long all of them are good."""
    options = status_parser().parse_args(argv)

    def do(folder: PkiFolder, now: float) -> int:
        if options.json:
            found = standing.look(folder, now)
            told = {"folder": str(folder.path), "certificates": [each.as_json(now) for each in found]}
            print(json.dumps(told, ensure_ascii=False, indent=2))
        else:
            found = _tell(folder, now)
        return standing.exit_status(found)

    return _guarded("status", options, do, failed=2)


def roll_over_main(argv: Sequence[str], ask: Ask = getpass.getpass) -> int:
    """Begin or finish it."""
    options = roll_over_parser().parse_args(argv)
    step = {"begin": _begin, "finish": _finish}[options.step]
    return _guarded("roll-over", options, lambda folder, now: step(folder, now, options, ask))


def _begin(folder: PkiFolder, now: float, options: argparse.Namespace, ask: Ask) -> int:
    word = _word(folder, folder.key, options, ask)
    old = folder.authority(word)
    title = _title(options)
    if title == _TITLE:  # then as the old one is called
        title = authority.title_of(old.certificate).partition(" CA ")[0]
    fresh = word
    if options.new_passphrase_file is not None:
        fresh = passphrase.new(options.new_passphrase_file, None)
    new = work.begin(folder, old, title, fresh, now, _mark())
    print(_("{title} is good until {day}.", title=authority.title_of(new.certificate),
            day=standing.day(new.ends)))  # fmt: skip
    _fingerprint(new)
    print(_("{path} holds both authorities now. Nothing is different yet for anybody.", path=folder.trusted))
    print(_("1. Bring {path} to every node, hub and console; in any order, for as long as it takes.",
            path=folder.trusted))  # fmt: skip
    print(_("2. When all have it, or enough of them: ayni pki roll-over finish"))
    return 0


def _finish(folder: PkiFolder, now: float, options: argparse.Namespace, ask: Ask) -> int:
    if not folder.next.is_file():
        raise PkiError(_("no roll-over is under way; begin one with ayni pki roll-over begin"))
    new = folder.successor(_word(folder, folder.next_key, options, ask))
    done = work.finish(folder, new, now)
    print(_("{title} signs from now on.", title=authority.title_of(new.certificate)))
    for each in done:
        _told(each)
    print(_("1. First put these on the machines of their servers, and let those read them (systemctl reload"
            " mosquitto)."))  # fmt: skip
    print(_("2. Then bring {path} to every node, hub and console: the old authority is no longer in it.",
            path=folder.trusted))  # fmt: skip
    print(_("Who missed the roll-over and knows only the old authority still connects, until that ends."
            " {former} holds its key: when nobody needs it any more, delete it.",
            former=folder.former))  # fmt: skip
    return 0


# ---- what they share


def _parser(command: str, description: str) -> argparse.ArgumentParser:
    result = Parser(prog=f"ayni pki {command}", description=description)
    result.add_argument("--dir", dest="folder", type=Path, default=Path("pki"), metavar="DIR",
                        help=_("where the authority is (pki without it)"))  # fmt: skip
    return result


def _add_network(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--network", type=Path, metavar="NETWORK.YAML",
                        help=_("otherwise network.yaml beside the folder, where there is one"))  # fmt: skip


def _add_server(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", default="hub", metavar="NAME",
                        help=_("what its files are called (hub without it)"))  # fmt: skip
    parser.add_argument("--for", dest="names", action="append", default=[], metavar="ADDRESS",
                        help=_("a name or address under which it is reached; several times; otherwise those"
                               " of `hub` in network.yaml"))  # fmt: skip
    parser.add_argument("--years", type=_years(MOST_SERVER_YEARS), default=SERVER_YEARS, metavar="N",
                        help=_("how long it is good ({n} without it)", n=SERVER_YEARS))  # fmt: skip
    _add_network(parser)


def _years(most: int) -> Callable[[str], int]:
    def whole(text: str) -> int:
        if not text.isdecimal() or not 1 <= int(text) <= most:
            raise argparse.ArgumentTypeError(_("expected a whole number of years, 1 to {most}", most=most))
        return int(text)

    return whole


def _guarded(
    command: str, options: argparse.Namespace, do: Callable[[PkiFolder, float], int], *, failed: int = 1
) -> int:
    """Do it; what cannot be done is told in a line."""
    now = clock.wall_s()
    name = getattr(options, "name", "hub")
    try:
        if now < _EARLIEST:
            raise PkiError(_("the clock of this machine says {day}; set it first", day=standing.day(now)))
        if not _NAME.fullmatch(name):
            raise PkiError(_('"{name}": expected 1 to 48 of a-z, 0-9, hyphen and underscore', name=name))
        folder = PkiFolder(options.folder)
        if command != "init" and not folder.exists():
            raise PkiError(_("{path}: there is no authority here; make one with ayni pki init",
                             path=folder.path))  # fmt: skip
        return do(folder, now)
    except PkiError as problem:
        print(f"ayni pki {command}: {problem}", file=sys.stderr)
        return failed


def _network(options: argparse.Namespace) -> Network | None:
    """What is named, or lies beside the folder. Raises `ConfigError`."""
    path = options.network
    if path is None:
        path = options.folder.absolute().parent / "network.yaml"
        if not path.is_file():
            return None
    return yamlfile.read(path, inventory.parse)


def _title(options: argparse.Namespace) -> str:
    network = _network(options)
    return (network.title if network is not None else "") or _TITLE


def _names(options: argparse.Namespace) -> tuple[str, ...]:
    """The names that were given, or those of the hub."""
    given: list[str] = list(options.names)
    if not given:
        network = _network(options)
        given = [host for host, _port in network.hub.places] if network is not None else []
    return tuple(dict.fromkeys(authority.server_name(each) for each in given))


def _nameless() -> str:
    return _("for which names? Give --for, or an `address` below `hub:` in network.yaml")


def _word(folder: PkiFolder, key: Path, options: argparse.Namespace, ask: Ask) -> str | None:
    return passphrase.existing(options, ask) if folder.is_sealed(key) else None


def _exists(folder: PkiFolder, name: str, wanted: Sequence[str], now: float) -> int:
    """What is there already; 1 where it is not for the names that are wanted."""
    found = next(each for each in standing.look(folder, now) if each.path == folder.server(name)[0])
    print(_("{path} exists; nothing was changed.", path=found.path))
    _line(found, now)
    missing = [each for each in wanted if each not in found.names]
    if not missing:
        return 0
    print(_("It is not for {names}: ayni pki renew-server {name} --for …",
            names=", ".join(missing), name=name), file=sys.stderr)  # fmt: skip
    return 1


def _tell(folder: PkiFolder, now: float) -> list[standing.Standing]:
    found = standing.look(folder, now)
    for each in found:
        _line(each, now)
    if any(each.role == "next" for each in found):
        print(_("A roll-over is under way: {path} holds both authorities.", path=folder.trusted))
    return found


def _line(found: standing.Standing, now: float) -> None:
    said = ", ".join(found.names) or found.title
    until = _("until {day}", day=standing.day(found.ends))
    print(f"{found.path}: {said}, {until}: {standing.in_words(found, now)}")
    if found.role != "server":
        print(_("  fingerprint (SHA-256): {fingerprint}", fingerprint=found.fingerprint))


def _fingerprint(made: Authority) -> None:
    fingerprint = authority.seen(made.certificate).fingerprint
    print(_("Its fingerprint (SHA-256), to compare: {fingerprint}", fingerprint=fingerprint))


def _told(issued: Issued) -> None:
    seen = authority.seen(issued.certificate)
    print(_("{path} is good until {day}, for {names}.", path=issued.path, day=standing.day(seen.ends),
            names=", ".join(authority.names_of(issued.certificate))))  # fmt: skip
    print(_("  fingerprint (SHA-256): {fingerprint}", fingerprint=seen.fingerprint))
    if issued.shortened:
        print(_("That is less than you wanted: the authority itself ends then. Think of a roll-over."))


def _mark() -> str:
    return secrets.token_hex(2)
