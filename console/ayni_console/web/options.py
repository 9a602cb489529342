"""What `ayni console --web` is told: where it listens, the certificate, and where the password is kept."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ayni_core.address import split_address
from ayni_core.fault import Fault, UnfitError, fault
from ayni_core.message import Phrase
from ayni_core.schema import ConfigError
from ayni_io import chosen
from ayni_io.i18n import _

LISTEN = "127.0.0.1:8047"
MOST = 4
_MOST_OF_ALL = 50
DRIVER = "ayni_console.web.driver:BrowserDriver"


@dataclass(frozen=True, slots=True, kw_only=True)
class Web:
    """Where it listens; `password_file` holds a salted hash, if it is there; at most `most` consoles."""

    host: str
    port: int
    password_file: Path
    cert: Path | None = None
    key: Path | None = None
    most: int = MOST

    @property
    def here(self) -> bool:
        """Whether only this machine can reach it."""
        from ayni_io.http_listen import is_here  # the console in a terminal starts sooner without

        return is_here(self.host)

    @property
    def url(self) -> str:
        """The address to open."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.cert else 'http'}://{host}:{self.port}/"


def add(parser: argparse.ArgumentParser) -> None:
    """The options."""
    group = parser.add_argument_group(_("in a browser"))
    group.add_argument(
        "--web", action="store_true", help=_("show the console in a browser instead of this terminal")
    )
    group.add_argument(
        "--listen", metavar="ADDR:PORT", default=LISTEN,
        help=_("where the browser finds it; off this machine only with a password and TLS"),
    )  # fmt: skip
    group.add_argument("--cert", metavar="FILE", type=Path, help=_("certificate for the browser (TLS)"))
    group.add_argument("--key", metavar="FILE", type=Path, help=_("key that belongs to it"))
    group.add_argument(
        "--set-password", action="store_true", help=_("choose the password that the browser asks for")
    )
    group.add_argument(
        "--most", metavar="N", type=int, default=MOST, help=_("so many consoles at once in browsers")
    )


def without(argv: Sequence[str]) -> list[str]:
    """The rest of a command line: what each console is started with."""
    ours = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    add(ours)
    for done_here in ("--connect", "--forget"):
        ours.add_argument(done_here, action="store_true")
    return ours.parse_known_args(list(argv))[1]


def read(arguments: argparse.Namespace, environment: Mapping[str, str] = os.environ) -> Web:
    """The options, checked. Raises `ConfigError`."""
    faults: list[Fault] = []
    host, port = "127.0.0.1", 0
    try:
        host, port = split_address(arguments.listen)
        if not arguments.listen.endswith(f":{port}"):
            wanted = Phrase("word.such_as", {"form": "ADDR:PORT", "example": LISTEN})
            raise UnfitError("fault.said_expected", given=arguments.listen, wanted=wanted)
    except UnfitError as error:
        faults.append(fault("--listen", error.what))
    web = Web(
        host=host, port=port, cert=arguments.cert, key=arguments.key, most=arguments.most,
        password_file=password_file(environment),
    )  # fmt: skip
    if not 1 <= web.most <= _MOST_OF_ALL:
        faults.append(fault("--most", "fault.expected_between", least=1, most=_MOST_OF_ALL, got=web.most))
    for name, other in (("cert", "key"), ("key", "cert")):
        path = getattr(web, name)
        if path and not path.is_file():
            faults.append(fault(f"--{name}: {path}", "fault.no_file"))
        if path and not getattr(web, other):
            faults.append(fault(f"--{other}", "fault.belongs", other=f"--{name}"))
    if not faults and not web.here and not web.cert:
        faults.append(fault("--cert and --key", "fault.console_tls", host=web.host))
    if faults:
        raise ConfigError(faults)
    return web


def password_file(environment: Mapping[str, str] = os.environ) -> Path:
    """Where the hash of the password is kept."""
    return chosen.folder(environment) / "web-password"


def in_browser(environment: Mapping[str, str]) -> bool:
    """Whether this console is one that a browser shows."""
    return environment.get("TEXTUAL_DRIVER") == DRIVER
