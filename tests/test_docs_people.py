"""What the pages say of messages to people is what the code reads, writes and understands."""

from __future__ import annotations

import re
from datetime import UTC
from pathlib import Path

from people_town import NOON, link_down

from ayni_core import inventory, reach
from ayni_core.message import Message
from ayni_core.schema import Faults, Fields
from ayni_core.texts import TEXTS
from ayni_core.wire.questions import Delivery
from ayni_hub.people import memory, postman
from ayni_hub.people.herald import Telling
from ayni_hub.people.mailroom import MOST_MESSAGES, WITHIN_S
from ayni_hub.people.wording import Facts, Reader
from ayni_io import yamlfile

ROOT = Path(__file__).parent.parent
DEPLOYING = (ROOT / "docs" / "deploying.md").read_text(encoding="utf-8")
GUIDE = (ROOT / "docs" / "operators-guide.md").read_text(encoding="utf-8")


def below(page: str, heading: str) -> str:
    return page.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]


def example() -> str:
    found = re.search(r"```yaml\n(.*?)```", below(DEPLOYING, "Telling people"), re.DOTALL)
    assert found
    return found[1]


def keys_of_people() -> set[str]:
    """Every key that the parser reads in the sections for people."""
    asked: set[str] = set()

    class Recording(Fields):
        def _take(self, key: str, default: object, wanted: str) -> object:
            asked.add(key)
            return super()._take(key, default, wanted)

        def child(self, key: str, *, required: bool = False) -> Fields:
            return Recording(self._take(key, None, ""), self.at(key), self.faults)

    faults = Faults("example")
    person = {"notify": {"a": {"address": "env:A"}}, "digest": {}, "quiet": "22:00-06:30"}
    reach.read_contact(Recording(person, "", faults))
    reach.read_on_call(Recording({"on_call": {"people": ["a"], "from": "2026-01-05"}}, "", faults))
    reach.read_escalation(Recording({"escalation": {}, "on_call": {}}, "", faults))
    return asked


def test_the_example_is_a_network_and_shows_what_can_be_said() -> None:
    value, lines = yamlfile.load(example(), "deploying.md")
    faults = Faults("deploying.md", lines)
    fields = Fields(value, "", faults)
    network = inventory.parse(fields)
    fields.done()
    faults.stop()
    assert network.reach.on_call is not None and network.reach.heartbeat is not None
    page = below(DEPLOYING, "Telling people")
    assert [key for key in sorted(keys_of_people()) if f"`{key}" not in page and f"{key}:" not in page] == []


def test_the_message_of_the_guide_is_what_is_sent() -> None:
    found = re.search(r"```\n(ALARM.*?)\n```", below(GUIDE, "Messages"), re.DOTALL)
    assert found
    headline = Message("headline.no_power", {"site": "Escuela"})
    alert = link_down(cause=Message("cause.no_power"), headline=headline, since=NOON + 8400, behind_sites=3)
    telling = Telling(what="fired", alert=alert, at=NOON)
    said = Reader("en", UTC).tell(telling, Facts(number=12), NOON + 9000, bot=True)
    assert f"{said.title}\n{said.body}" == found[1]


def test_the_words_of_the_bot_are_those_of_the_code() -> None:
    first_cells = re.findall(r"^\| (`.*?) \|", below(GUIDE, "Messages"), re.MULTILINE)
    words = {code.split()[0] for cell in first_cells for code in re.findall(r"`([^`]+)`", cell)}
    assert words == {TEXTS[f"bot.{word}"] for word in ("status", "ack", "note", "help")}
    assert TEXTS["tell.again"] in GUIDE


def test_figures_on_the_pages_are_those_of_the_code() -> None:
    assert (MOST_MESSAGES, WITHIN_S) == (6, 600), "six messages in ten minutes"
    assert (postman.FIRST_PAUSE_S, postman.LONGEST_PAUSE_S, postman.GIVEN_UP_AFTER_S) == (30, 3600, 86400)
    page = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
    states = {*memory.OPEN, *memory.TOLD, memory.MOOT, memory.GIVEN_UP}
    row = next(line for line in page.splitlines() if line.startswith("| `state` | text | required | `wait"))
    assert set(re.findall(r"`(\w+)`", row)) - {"state"} == states
    assert all(state in (Delivery.__doc__ or "") for state in states)
