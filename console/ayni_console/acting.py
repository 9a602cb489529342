"""Who sits at this console, and what they may do: as the central says it, and as they prove it on a shared
login.

Nothing here decides: the central does. It is known beforehand so that a screen can say why not, and ask for a
name or a PIN before it asks for anything else.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TypeVar

from ayni_core.commands import at_least
from ayni_core.wire.questions import (
    AskAck,
    AskCommand,
    AskMaintain,
    AskMaintained,
    AskNote,
    AskPin,
    Colleague,
    Me,
)
from ayni_io.i18n import _

Signed = TypeVar("Signed", bound=AskAck | AskCommand | AskMaintain | AskMaintained | AskNote)
PIN_WANTED = "answer.pin_wanted"
_KEY_OCTETS = 24


class Acting:
    """`me` is what the central says of this login, once it said so. Whoever only wants to look on a shared
    login has `looks`."""

    def __init__(self) -> None:
        self.me: Me | None = None
        self.person: Colleague | None = None
        self.looks = False
        self._key = ""

    @property
    def shared(self) -> bool:
        """Whether several people use this login."""
        return self.me is not None and bool(self.me.people)

    @property
    def wants_name(self) -> bool:
        """Whether they have to say who they are before they do anything."""
        return self.shared and self.person is None

    @property
    def wants_pin(self) -> bool:
        """Whether they have to prove it before they change anything."""
        return self.person is not None and not self._key

    @property
    def role(self) -> str:
        """What they are here; empty: nobody that the central knows."""
        if self.person is not None:
            return self.person.role
        return self.me.role if self.me is not None else ""

    @property
    def title(self) -> str:
        """What people call them."""
        if self.person is not None:
            return self.person.title
        return self.me.title if self.me is not None else ""

    def why_not(self) -> str:
        """Why they may do nothing, in a sentence; empty: they may, or nobody knows yet."""
        if self.me is None or self.wants_name:
            return ""
        if not self.me.acts:
            return _("Only the village's own central acts.")
        if not self.role:
            return _("“{name}” is not in network.yaml: look only.", name=self.me.name)
        if not at_least(self.role, "operator"):
            return _("{name}: only an operator may do this.", name=self.title)
        return ""

    def choose(self, person: Colleague | None) -> None:
        """Somebody says who they are; None: they only want to look."""
        if person != self.person:
            self._key = ""
        self.person, self.looks = person, person is None

    def pin(self, number: str) -> tuple[AskPin, str]:
        """The question that proves it, and the key that will be good once the central says so."""
        key = secrets.token_urlsafe(_KEY_OCTETS)
        return AskPin(person=self.person.name if self.person else "", pin=number, key=key), key

    def proved(self, key: str) -> None:
        """The central believes it."""
        self._key = key

    def forgotten(self) -> None:
        """The central no longer believes it: nothing was done for a while."""
        self._key = ""

    def sign(self, asked: Signed) -> Signed:
        """The question with who asks it, where that has to be said."""
        if self.person is None:
            return asked
        if isinstance(asked, AskNote):
            return replace(asked, author=self.person.name)
        return replace(asked, author=self.person.name, key=self._key)


def role_word(role: str) -> str:
    """A role in a word."""
    match role:
        case "viewer":
            return _("viewer")
        case "operator":
            return _("operator")
        case "trainer":
            return _("trainer")
    return _("nobody that the central knows")
