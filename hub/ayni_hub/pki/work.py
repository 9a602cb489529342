"""What is done with the authority, step by step; each step may be cut off and done again.

The law of a roll-over: nobody may ever meet a certificate that they cannot follow to what they trust.

    begin    ca.crt holds both, the old one signs on: everybody gets the new ca.crt, in any order
    finish   the next one signs; servers show its certificates with `cross.crt` behind them, by which who has
             only the old one still follows; then everybody gets the ca.crt that holds the new one alone
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from ayni_hub.pki import authority
from ayni_hub.pki.authority import CA_YEARS, SERVER_YEARS, Authority, PkiError
from ayni_hub.pki.folder import PkiFolder
from ayni_io.i18n import _


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A server's certificate. `shortened`: not for as long as was wanted, the authority ends before."""

    path: Path
    certificate: x509.Certificate
    shortened: bool = False


def init(folder: PkiFolder, title: str, passphrase: str | None, now: float, mark: str,
         years: float = CA_YEARS) -> Authority:  # fmt: skip
    """Make the authority. Raises `PkiError` where there is one."""
    if folder.exists():
        raise PkiError(_("{path}: there is an authority already", path=folder.path))
    folder.prepare()
    made = authority.make(title, now, mark, years)
    folder.write(folder.key, authority.key_to_pem(made.key, passphrase))
    folder.write(folder.trusted, authority.to_pem(made.certificate))
    return made


def issue(folder: PkiFolder, signer: Authority, name: str, names: Sequence[str], now: float,
          years: float = SERVER_YEARS) -> Issued:  # fmt: skip
    """Sign for a server, and write its certificate and its key; what was there before is kept aside."""
    folder.prepare()
    path, key_path = folder.server(name)
    if path.is_file():
        folder.keep_former(folder.certificates(path)[0], path, key_path)
    certificate, key = authority.issue(signer, names, now, years)
    folder.write(key_path, authority.key_to_pem(key))
    folder.write(path, authority.to_pem(certificate, *folder.chain(now)))
    wanted = now + years * authority.YEAR_S
    return Issued(path=path, certificate=certificate, shortened=authority.seen(certificate).ends < wanted - 1)


def begin(folder: PkiFolder, old: Authority, title: str, passphrase: str | None, now: float, mark: str,
          years: float = CA_YEARS) -> Authority:  # fmt: skip
    """Make the successor, and let `ca.crt` trust both. Raises `PkiError` where a roll-over is under way."""
    if folder.next.exists():
        raise PkiError(_("a roll-over is under way; finish it first (ayni pki roll-over finish)"))
    folder.prepare()
    new = authority.make(title, now, mark, years)
    folder.write(folder.next_key, authority.key_to_pem(new.key, passphrase))
    folder.write(folder.next_cross, authority.to_pem(authority.vouch(old, new, now)))
    folder.write(folder.trusted, authority.to_pem(old.certificate, new.certificate))
    folder.write(folder.next, authority.to_pem(new.certificate))  # the last: with it the roll-over has begun
    return new


def finish(folder: PkiFolder, new: Authority, now: float) -> list[Issued]:
    """Let the successor sign from now on: for every server anew, and then for itself."""
    folder.prepare()
    old = folder.certificates(folder.trusted)[0]
    if not authority.fits(old, new.key):
        folder.keep_former(old, folder.trusted, folder.key)
    if folder.next_cross.is_file():
        folder.write(folder.cross, authority.to_pem(*folder.certificates(folder.next_cross)))
    done = []
    for name in folder.servers():
        before = folder.certificates(folder.server(name)[0])[0]
        if authority.signed(before, new.certificate):
            continue  # a finish that was cut off has done this one
        done.append(issue(folder, new, name, authority.names_of(before), now))
    folder.write(folder.key, folder.next_key.read_text(encoding="utf-8"))
    folder.write(folder.trusted, authority.to_pem(new.certificate))
    folder.remove(folder.next, folder.next_key, folder.next_cross)
    return done
