"""Where the broker is, and whether it is the right one: asked of the person until both are clear.

Nothing secret is sent here. Who compared a fingerprint trusts that very certificate, whatever names it has.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from pathlib import Path

from ayni_console import no_way, talk
from ayni_io import broker_look, clock, words
from ayni_io.broker_look import Certificate, LookError
from ayni_io.i18n import _, reason
from ayni_io.mqtt import DEFAULT_PORT, DEFAULT_TLS_PORT, broker_address
from ayni_io.mqtt_trouble import Trouble

HERE = ("127.0.0.1", "::1", "localhost")
_LOCAL_S = 2.0
_PAIRS_A_LINE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Trusted:
    """A broker that is who it should be, as `certificate` (PEM) vouches, or a file of this machine with
    `authorities`; neither: no TLS, on this machine."""

    host: str
    port: int
    certificate: str = ""
    exact: bool = False
    authorities: Path | None = None


def broker() -> Trusted:
    """Ask for an address until one is right."""
    while True:
        print()
        talk.say(_("Where is the broker? Such as hub.example.org or 10.20.1.5:8883; Enter: on this machine."))
        typed = talk.ask(">") or HERE[0]
        try:
            host, port = broker_address(typed, 0)
        except ValueError as error:
            talk.wrong(_("That is no address: {why}", why=reason(error)))
            continue
        found = _local(host, port) if host in HERE else _far(host, port)
        if found is not None and _is_broker(found):
            return found


def _local(host: str, port: int) -> Trusted | None:
    """On this machine nobody listens in between: mostly there is no TLS."""
    if port:
        with contextlib.suppress(LookError):
            return _trusted(broker_look.certificate(host, port, timeout_s=_LOCAL_S), host, port)
    port = port or DEFAULT_PORT
    try:
        broker_look.listens(host, port)
    except LookError as error:
        talk.trouble(error.trouble, host, port)
        return None
    talk.good(_("{where} is there.", where=f"{host}:{port}"))
    return Trusted(host=host, port=port)


def _far(host: str, port: int) -> Trusted | None:
    """Elsewhere there is TLS, or nothing."""
    given, port = port, port or DEFAULT_TLS_PORT
    talk.say(_("Looking at {where} …", where=f"{host}:{port}"))
    try:
        return _trusted(broker_look.certificate(host, port), host, port)
    except LookError as error:
        trouble = error.trouble
    plain = trouble.why in ("hung_up", "no_tls") or (not given and trouble.why == "nothing_listens")
    if plain and _listens(host, given or DEFAULT_PORT):
        _no_tls(host, given or DEFAULT_PORT)
    else:
        talk.trouble(trouble, host, port)
    return None


def _is_secure(found: Trusted) -> bool:
    return bool(found.certificate) or found.authorities is not None


def _is_broker(found: Trusted) -> bool:
    try:
        broker_look.speaks_mqtt(found.host, found.port, tls=_is_secure(found))
    except LookError as error:
        talk.trouble(error.trouble, found.host, found.port)
        return False
    return True


def _trusted(certificate: Certificate, host: str, port: int) -> Trusted | None:
    """Whether it is the right one; None: it is not."""
    talk.good(_("{where} is there, and speaks TLS.", where=f"{host}:{port}"))
    if not in_time(certificate, time.time()) and not _told_of_time(certificate):
        return None
    authorities = broker_look.public_authorities()
    if certificate.public and authorities is not None:
        talk.good(_("An authority that this machine trusts vouches for it."))
        return Trusted(host=host, port=port, authorities=authorities)
    _show(certificate)
    return _compared(certificate, host, port)


def _no_tls(host: str, port: int) -> None:
    talk.wrong(no_way.sentence(Trouble(kind="tls", text="", why="no_tls"), f"{host}:{port}"))
    talk.say(_("Without TLS others could hear your password, so this console does not go there."))
    talk.say(_("A tunnel helps. In another terminal, then connect to 127.0.0.1 here:"))
    talk.say(f"  ssh -N -L {DEFAULT_PORT}:127.0.0.1:{port} {host}")


def _listens(host: str, port: int) -> bool:
    try:
        broker_look.listens(host, port)
    except LookError:
        return False
    return True


def _show(certificate: Certificate) -> None:
    talk.say(_("No authority that this machine knows vouches for it. Its certificate:"))
    if certificate.names:
        talk.say("  " + _("for: {names}", names=", ".join(certificate.names)))
    if certificate.issuer:
        talk.say("  " + _("signed by: {name}", name=certificate.issuer))
    if certificate.begins is not None and certificate.ends is not None:
        begins, ends = words.date(certificate.begins), words.date(certificate.ends)
        talk.say("  " + _("good from {begins} to {ends}", begins=begins, ends=ends))
    talk.say("  " + _("fingerprint (SHA-256):"))
    pairs = certificate.fingerprint.split(":")
    for at in range(0, len(pairs), _PAIRS_A_LINE):
        talk.say("    " + ":".join(pairs[at : at + _PAIRS_A_LINE]))
    talk.say(_("Whoever set up the central can read out the right one, beside the broker's certificate:"))
    talk.say("  openssl x509 -noout -fingerprint -sha256 -in FILE")


def _compared(certificate: Certificate, host: str, port: int) -> Trusted | None:
    """Let the person compare, or name the authority. None: it is not the right one."""
    while True:
        talk.say(_("Are they the same? y: yes, n: no. Or the file of your network's authority (CA)."))
        answer = talk.ask(">")
        if talk.is_yes(answer) and len(answer) < 5:
            return Trusted(host=host, port=port, certificate=certificate.pem, exact=True)
        if answer[:1].casefold() == "n" and len(answer) < 4:
            talk.wrong(_("Then it is another broker, or somebody stands in between. Nothing was sent to it."))
            return None
        if answer:
            path = Path(answer).expanduser()
            try:
                broker_look.proves(host, port, path, check_time=clock.synchronised())
            except ValueError:
                there = path.is_file()
                talk.wrong(_("That is no certificate (PEM).") if there else _("There is no such file."))
            except LookError as error:
                talk.trouble(error.trouble, host, port)
                if error.trouble.why == "other_name" and certificate.names:
                    talk.say("  " + _("It is for: {names}", names=", ".join(certificate.names)))
            else:
                talk.good(_("That authority vouches for it."))
                return Trusted(host=host, port=port, certificate=path.read_text(encoding="utf-8"))


def in_time(certificate: Certificate, now: float) -> bool:
    """Whether a certificate is good by this clock."""
    begins, ends = certificate.begins, certificate.ends
    return not (begins is not None and now < begins) and not (ends is not None and now > ends)


def _told_of_time(certificate: Certificate) -> bool:
    """Say that one of two clocks is wrong; whether to go on: nobody here claims that this clock is right."""
    early = certificate.begins is not None and time.time() < certificate.begins
    date = _moment(time.time())
    if early:
        talk.wrong(
            _(
                "Its certificate is good from {begins} on, and here it is {now}.",
                begins=_moment(certificate.begins or 0.0), now=date,
            )
        )  # fmt: skip
    else:
        talk.wrong(
            _(
                "Its certificate was good until {ends}, and here it is {now}.",
                ends=_moment(certificate.ends or 0.0), now=date,
            )
        )  # fmt: skip
    if clock.synchronised():
        talk.say(_("The clock here is kept right. Whoever set up the central must make a new certificate."))
        return False
    talk.say(no_way.advice("not_yet_valid"))
    return talk.is_yes(talk.ask(_("Go on all the same? y: yes, n: no")))


def _moment(at: float) -> str:
    return f"{words.date(at)} {words.clock(at)}"
