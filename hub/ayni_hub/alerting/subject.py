"""What an alert is about, and the name it has for as long as it lasts."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from ayni_core.rules import Rule


@dataclass(frozen=True, slots=True)
class Subject:
    """`kind` and `name` are of the inventory; `detail` is the port, the sensor or the end of a link."""

    kind: str
    name: str
    detail: str = ""

    def key(self, rule: Rule) -> str:
        """The key of a rule's track of this subject."""
        return f"{rule.name}|{self.kind}|{self.name}|{self.detail}"


def alert_id(rule: Rule, subject: Subject) -> str:
    """A name for an alert that can stand in a topic; the same as long as rule and subject are."""
    words = [rule.name, subject.kind, subject.name, *([subject.detail] if subject.detail else [])]
    return "--".join(quote(word, safe="").replace("%", "=") for word in words)
