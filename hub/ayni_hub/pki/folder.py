"""Where the authority lives: a folder on the coordinator's laptop, readable by its owner only.

    ca.crt                what nodes and consoles trust: the authority; during a roll-over its successor, too
    ca.key                its private key, under a passphrase
    next-ca.crt, .key     the successor, from `roll-over begin` to `finish`
    cross.crt             the authority in force, vouched for by the one before it
    issued/NAME.crt, .key the certificates of servers (with `cross.crt` behind them) and their keys
    former/               what these were before

Every file is replaced whole, and a key is written before the certificate that needs it: whatever is cut off
in the middle can be done again.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from ayni_hub.pki import authority
from ayni_hub.pki.authority import Authority, PkiError
from ayni_io import files
from ayni_io.i18n import _

_PRIVATE, _FOLDER = 0o600, 0o700


class PkiFolder:
    """Reads and writes these files. What cannot be read or written is a `PkiError`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.trusted, self.key = path / "ca.crt", path / "ca.key"
        self.next, self.next_key = path / "next-ca.crt", path / "next-ca.key"
        self.next_cross, self.cross = path / "next-cross.crt", path / "cross.crt"
        self.issued, self.former = path / "issued", path / "former"

    def exists(self) -> bool:
        """Whether there is an authority, or a part of one."""
        return self.trusted.exists() or self.key.exists()

    def prepare(self) -> None:
        """Make the folders; what is there already is closed to others."""
        try:
            for folder in (self.path, self.issued, self.former):
                folder.mkdir(parents=folder is self.path, exist_ok=True, mode=_FOLDER)
                folder.chmod(_FOLDER)
        except OSError as error:
            problem = _("{path}: cannot be made: {problem}", path=self.path, problem=error.strerror)
            raise PkiError(problem) from None

    # ---- certificates

    def certificates(self, path: Path) -> list[x509.Certificate]:
        """All of a file; at least one."""
        try:
            found = authority.from_pem(self._read(path))
        except ValueError as error:
            raise PkiError(_("{path}: not a certificate: {problem}", path=path, problem=error)) from None
        if not found:
            raise PkiError(_("{path}: there is no certificate in it", path=path))
        return found

    def server(self, name: str) -> tuple[Path, Path]:
        """The files of a server: certificate and key."""
        return self.issued / f"{name}.crt", self.issued / f"{name}.key"

    def servers(self) -> list[str]:
        """The names of those that were issued."""
        return sorted(path.stem for path in self.issued.glob("*.crt"))

    def chain(self, now: float) -> tuple[x509.Certificate, ...]:
        """What stands behind a server's certificate, so that who knows only the former authority follows."""
        if not self.cross.is_file():
            return ()
        found = self.certificates(self.cross)
        return tuple(each for each in found if authority.seen(each).ends > now)

    # ---- authorities

    def is_sealed(self, key: Path) -> bool:
        """Whether a key wants a passphrase."""
        return "ENCRYPTED" in self._read(key).partition("\n")[0]

    def authority(self, passphrase: str | None) -> Authority:
        """The one in force, ready to sign."""
        return self._load(self.trusted, self.key, passphrase)

    def successor(self, passphrase: str | None) -> Authority:
        """The next one, ready to sign."""
        return self._load(self.next, self.next_key, passphrase)

    def _load(self, path: Path, key: Path, passphrase: str | None) -> Authority:
        certificate = self.certificates(path)[0]
        try:
            private = authority.key_from_pem(self._read(key), passphrase)
        except (ValueError, TypeError):
            if passphrase is not None:
                raise PkiError(
                    _("{path}: the passphrase is wrong, or the file is damaged", path=key)
                ) from None
            raise PkiError(_("{path}: not a private key in PEM", path=key)) from None
        if not authority.fits(certificate, private):
            raise PkiError(_("{path}: does not belong to {other}", path=key, other=path))
        return Authority(certificate, private)

    # ---- writing

    def write(self, path: Path, text: str) -> None:
        """Whole or not at all, for the owner only, and there after a power cut."""
        try:
            files.write_durably(path, text, mode=_PRIVATE)
        except OSError as error:
            problem = _("{path}: cannot be written: {problem}", path=path, problem=error.strerror)
            raise PkiError(problem) from None

    def keep_former(self, certificate: x509.Certificate, *paths: Path) -> None:
        """Copy files aside, named by the certificate; a copy that is there already stays."""
        seen = authority.seen(certificate)
        day = datetime.fromtimestamp(seen.ends, UTC).strftime("%Y%m%d")
        mark = seen.fingerprint.replace(":", "")[:8].lower()
        for path in paths:
            copy = self.former / f"{path.stem}-{day}-{mark}{path.suffix}"
            if path.is_file() and not copy.exists():
                self.write(copy, self._read(path))

    def remove(self, *paths: Path) -> None:
        """Take files away that are no longer needed."""
        try:
            for path in paths:
                path.unlink(missing_ok=True)
        except OSError as error:
            problem = _("{path}: cannot be removed: {problem}", path=error.filename, problem=error.strerror)
            raise PkiError(problem) from None

    def _read(self, path: Path) -> str:
        try:
            return path.read_text(encoding="utf-8")
        except OSError as error:
            problem = _("{path}: cannot be read: {problem}", path=path, problem=error.strerror)
            raise PkiError(problem) from None
        except UnicodeDecodeError:
            raise PkiError(_("{path}: not a file in PEM", path=path)) from None
