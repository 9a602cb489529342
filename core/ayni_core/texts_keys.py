"""English texts of accounts: renewed passwords, invitations, who wants to become a node."""

from __future__ import annotations

KEY_TEXTS: dict[str, str] = {}


def _text(context: str, english: str) -> None:
    KEY_TEXTS[context] = english


_text("renewed.no_folder", "the monitor has no folder to keep a password in (state_dir)")
_text("renewed.not_kept", "the monitor could not write its new password down: {cause}")
_text("renewed.no_password", "what came to the monitor is no password")

_text(
    "enrol.not_invited",
    "nobody invited {node}, or the invitation was used; make another one: ayni hub invite {node}",
)
_text("enrol.too_late", "the invitation of {node} has expired; make another one: ayni hub invite {node}")
_text("enrol.unknown_node", "network.yaml at the central does not know the node {node}")
_text("enrol.failed", "the central could not do it: {cause}")

_text("event.password_renewed", "Monitor {node} has a new password")
_text("event.password_refused", "Monitor {node} does not take a new password: {cause}")
_text(
    "event.password_unused", "Monitor {node} has not come back since it got a new password {hours} hours ago"
)
_text("event.invited", "{node} was invited: for {hours} hours a machine may become this monitor")
_text("event.enrolled", "A machine has become the monitor {node}")
_text("event.invitation_ended", "The invitation of {node} has ended unused")
