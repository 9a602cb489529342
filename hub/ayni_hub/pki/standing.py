"""How long certificates are good, in words, and what is wrong with them: what `ayni pki status` tells."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography import x509

from ayni_core.x509 import CRITICAL_DAYS, SOON_DAYS
from ayni_hub.pki import authority
from ayni_hub.pki.folder import PkiFolder
from ayni_io.i18n import _, _n

DAY_S = 86_400.0
AUTHORITY_DAYS = 730, 180
"""Fewer days left than these are soon, and critical: a roll-over takes until everybody was reached."""
STATES = ("ok", "soon", "critical", "expired", "not_yet", "broken")
"""What a certificate may be; the last four need somebody now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One certificate. `role` is `authority`, `next` or `server`; `why` says what is broken."""

    role: str
    path: Path
    title: str
    names: tuple[str, ...]
    fingerprint: str
    begins: float
    ends: float
    state: str
    why: str = ""

    def days(self, now: float) -> int:
        """Whole days left; below 0 it is over."""
        return int((self.ends - now) // DAY_S)

    def as_json(self, now: float) -> dict[str, Any]:
        """For programs: keys that stay."""
        return {
            "role": self.role,
            "file": str(self.path),
            "title": self.title,
            "names": list(self.names),
            "fingerprint": self.fingerprint,
            "begins": _iso(self.begins),
            "ends": _iso(self.ends),
            "days_left": self.days(now),
            "state": self.state,
            "problem": self.why,
        }


def look(folder: PkiFolder, now: float) -> list[Standing]:
    """All of a folder, the authority first. Raises `PkiError` where there is none."""
    trusted = folder.certificates(folder.trusted)
    found = [_standing("authority", folder.trusted, trusted[0], now)]
    if folder.next.is_file():
        found.append(_standing("next", folder.next, folder.certificates(folder.next)[0], now))
    return [*found, *(_server(folder, name, trusted[0], now) for name in folder.servers())]


def _server(folder: PkiFolder, name: str, trusted: x509.Certificate, now: float) -> Standing:
    path, key_path = folder.server(name)
    certificate = folder.certificates(path)[0]
    why = ""
    try:
        key = authority.key_from_pem(key_path.read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError):
        why = _("{path}: cannot be read", path=key_path)
    else:
        if not authority.fits(certificate, key):
            why = _("its key is another one")
    if not why and not authority.signed(certificate, trusted):
        why = _("another authority signed it")
    return _standing("server", path, certificate, now, why)


def _standing(role: str, path: Path, certificate: x509.Certificate, now: float, why: str = "") -> Standing:
    seen = authority.seen(certificate)
    soon, critical = (SOON_DAYS, CRITICAL_DAYS) if role == "server" else AUTHORITY_DAYS
    return Standing(
        role=role,
        path=path,
        title=authority.title_of(certificate),
        names=authority.names_of(certificate),
        fingerprint=seen.fingerprint,
        begins=seen.begins,
        ends=seen.ends,
        state="broken" if why else state(seen.begins, seen.ends, now, soon, critical),
        why=why,
    )


def state(begins: float, ends: float, now: float, soon: float, critical: float) -> str:
    """One of STATES, by days left."""
    left = (ends - now) / DAY_S
    if now < begins:
        return "not_yet"
    if left <= 0:
        return "expired"
    return "critical" if left < critical else "soon" if left < soon else "ok"


def in_words(standing: Standing, now: float) -> str:
    """The state as people read it."""
    days = standing.days(now)
    match standing.state:
        case "broken":
            return _("NOT USABLE: {why}", why=standing.why)
        case "expired":
            return _n("EXPIRED {n} day ago", "EXPIRED {n} days ago", max(-days, 1))
        case "not_yet":
            return _("NOT YET GOOD, if the clock is right here")
        case "critical":
            return _n("ENDS IN {n} DAY: renew it now", "ENDS IN {n} DAYS: renew it now", days)
        case "soon":
            return _n("ends soon, in {n} day: renew it", "ends soon, in {n} days: renew it", days)
    return _n("good for {n} day", "good for {n} days", days)


def exit_status(found: list[Standing]) -> int:
    """For scripts: 0 all is well, 1 something ends soon, 3 something needs somebody now."""
    states = {each.state for each in found}
    return 0 if states <= {"ok"} else 1 if states <= {"ok", "soon"} else 3


def day(at: float) -> str:
    """`2031-11-22`."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
