"""English texts of who acts: shared logins, their people, and PINs."""

from __future__ import annotations

PIN_TEXTS: dict[str, str] = {}


def _text(context: str, english: str) -> None:
    PIN_TEXTS[context] = english


_text("pin.digits", "a PIN has {least} to {most} digits")
_text("pin.easy", "this PIN is too easy to guess; take another one")

_text("answer.who_are_you", "{login} is a login that several share: say who you are ({people})")
_text("answer.not_among", "{name} is none of those who share the login {login} ({people})")
_text("answer.pin_wanted", "{who}: this takes your PIN")
_text("answer.pin_wrong", "this is not the PIN of {who}")
_text("answer.pin_wait", "too many wrong PINs for {who}: wait {seconds} s before the next")
_text("answer.pin_none", "{who} has no PIN yet; at the central: ayni hub pin {name}")
_text("answer.pin_not_needed", "no PIN is needed here: nobody else uses this login")
_text("answer.pins_unread", "the central cannot read its PINs: {problem}")

_text("event.pin_wrong", "{login}: {n} wrong PINs in a row for {who}")
