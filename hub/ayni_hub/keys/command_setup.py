"""`ayni hub setup`: make this machine the hub of a network, by hand.

It asks what it does not know: the network's name, where others find this machine, names of the first
monitors, and a passphrase for the authority. A second run changes nothing. Exit status: 0 all is there; 1 it
is not.
"""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Sequence
from pathlib import Path

from ayni_core import installed
from ayni_core.inventory import Network
from ayni_hub.keys import setting_up
from ayni_hub.keys.setting_up import Ask, Basics, Place, SetupError
from ayni_io import yamlfile
from ayni_io.i18n import _
from ayni_io.switched_on import switch_on
from ayni_io.usage import Parser

PKI = "ayni-pki"


def parser() -> argparse.ArgumentParser:
    """The options of `ayni hub setup`."""
    result = Parser(
        prog="ayni hub setup",
        description=_("Make this machine the central of a network: configuration, certificate, broker."),
    )
    result.add_argument("network", nargs="?", type=Path, metavar="NETWORK.YAML",
                        help=_("a network.yaml; where none is here either, you are asked"))  # fmt: skip
    result.add_argument("--title", metavar="TEXT", help=_("what the network is called"))
    result.add_argument("--address", action="append", default=[], metavar="HOST[:PORT]",
                        help=_("where monitors find this machine; several times"))  # fmt: skip
    result.add_argument("--node", action="append", default=[], metavar="NODE",
                        help=_("a monitor that there will be; several times"))  # fmt: skip
    own = result.add_argument_group(_("the broker's certificate, where it was made elsewhere"))
    for name, text in (
        ("certificate", _("the certificate, such as issued/hub.crt of ayni pki")),
        ("key", _("its key")),
        ("ca", _("the authority that signed it")),
    ):
        own.add_argument(f"--{name}", type=Path, metavar="FILE", help=text)
    made = result.add_argument_group(_("an authority that is made here"))
    made.add_argument("--pki", type=Path, metavar="DIR",
                      help=_("where the authority is (~/ayni-pki without it)"))  # fmt: skip
    made.add_argument("--passphrase-file", type=Path, metavar="FILE",
                      help=_("read the passphrase from a file"))  # fmt: skip
    made.add_argument("--passphrase-env", metavar="NAME",
                      help=_("read it from this variable of the environment"))  # fmt: skip
    result.add_argument("--no-start", action="store_true", help=_("leave the services as they are"))
    result.add_argument("--root", type=Path, default=Path("/"), metavar="DIR",
                        help=_("put everything below this folder: for an image"))  # fmt: skip
    return result


def main(argv: Sequence[str], ask: Ask = input, ask_secret: Ask = getpass.getpass) -> int:
    """Put the machine in order, and say what is left to do. Raises `ConfigError`."""
    command = parser()
    options = command.parse_args(argv)
    brought = (options.certificate, options.key, options.ca)
    if any(brought) and not all(brought):
        command.error(_("--certificate, --key and --ca belong together"))
    place = Place(options.root)
    pki: Path | None = None
    try:
        raw, source = _network(place, options, ask)
        network, wanted = setting_up.configure(place, raw, source)
        if all(brought):
            setting_up.install_certificate(place, *(_text(each) for each in brought))
        elif not setting_up.has_certificate(place) or not (place.etc / "ca.crt").is_file():
            pki = options.pki or Path.home() / PKI
            _make_certificate(place, network, pki, options, ask_secret)
        setting_up.install_broker(place)
    except (SetupError, OSError) as error:
        print(f"ayni hub setup: {error}", file=sys.stderr)
        return 1
    except (EOFError, KeyboardInterrupt):
        return 1
    _tell(place, wanted)
    if options.no_start or options.root != Path("/") or not _started():
        print(_("Then: sudo systemctl enable --now mosquitto ayni-hub; sudo systemctl restart mosquitto"))
    _tell_next(network, pki)
    return 0


def _started() -> bool:
    """Whether broker and central run, with what was written."""
    problem = switch_on(("mosquitto", "ayni-hub"))
    if problem == "":
        print(_("started  {units}", units="mosquitto, ayni-hub"))
    elif problem:
        print(_("not started: {reason}", reason=problem))
    return problem == ""


def _network(place: Place, options: argparse.Namespace, ask: Ask) -> tuple[dict[str, object], str]:
    """The inventory: what is named, what is here, or what a person answers."""
    here = place.etc / "network.yaml"
    if options.network is not None:
        return yamlfile.document(options.network), str(options.network)
    if here.is_file():
        return yamlfile.document(here), str(here)
    title = options.title or ask(_("What is the network called? "))
    addresses = options.address or ask(_("Where do monitors find this machine (name or address)? ")).split()
    nodes = options.node
    if not nodes and options.title is None:  # who gave the rest on the command line says no more
        nodes = ask(_("Names of its monitors, such as torre-pi (none: later)? ")).split()
    if not title.strip() or not addresses:
        raise SetupError(_("a network needs a name, and an address where monitors find this machine"))
    basics = Basics(title=title.strip(), addresses=tuple(addresses), nodes=tuple(nodes))
    setting_up.check(basics)
    return basics.document(), str(here)


def _make_certificate(
    place: Place, network: Network, folder: Path, options: argparse.Namespace, ask: Ask
) -> None:
    """By the authority in a folder, which is made where there is none."""
    from ayni_hub.pki import authority, command_pki  # cryptography

    extra = [*_given("--passphrase-file", options.passphrase_file)]
    extra += _given("--passphrase-env", options.passphrase_env)
    try:
        if not (folder / "ca.crt").is_file():
            argv = ["--dir", str(folder), "--title", network.title, *extra]
            _must(command_pki.init_main(argv, ask))
        if not (folder / "issued" / f"{installed.HUB}.crt").is_file():
            names = [word for name in installed.certificate_names(network) for word in ("--for", name)]
            _must(command_pki.issue_main([installed.HUB, "--dir", str(folder), *names, *extra], ask))
    except authority.PkiError as error:
        raise SetupError(str(error)) from None
    issued = folder / "issued"
    setting_up.install_certificate(
        place,
        _text(issued / f"{installed.HUB}.crt"),
        _text(issued / f"{installed.HUB}.key"),
        _text(folder / "ca.crt"),
    )


def _given(option: str, value: object) -> list[str]:
    return [option, str(value)] if value else []


def _must(status: int) -> None:
    if status:
        raise SetupError(_("the broker has no certificate"))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except OSError as error:
        raise SetupError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SetupError(_("{path}: not a file in PEM", path=path)) from None


def _tell(place: Place, wanted: Sequence[str]) -> None:
    for path in place.written:
        print(_("written  {path}", path=path))
    if not place.written:
        print(_("nothing changed"))
    for name in wanted:
        print(_("wanted   {path}: a secret on its first line", path=place.etc / "secrets" / name))


def _tell_next(network: Network, pki: Path | None) -> None:
    for node in network.nodes:
        print(_("A monitor: sudo ayni hub invite {node}", node=node))
    if network.people:
        print(_("People:    sudo ayni hub accounts /etc/ayni/network.yaml --apply --dir ~/ayni-accounts"))
    if pki is not None:
        print(
            _("Keep {folder} elsewhere (two sticks, two houses), and take it away from here: who has it and "
              "its passphrase can speak for your network.", folder=pki)
        )  # fmt: skip
