"""`docs/protocol.md` says what the code does: topics, rights, headers, messages, questions, the example."""

from __future__ import annotations

import dataclasses
import json
import re
import types
import typing
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import topic_matches_sub

from ayni_agent import health_report, schedule
from ayni_core import invitation, readings
from ayni_core.message import Message
from ayni_core.metrics import METRICS
from ayni_core.readings import GROUPS
from ayni_core.wire import (
    codec,
    errors,
    field,
    frame,
    health,
    keys,
    messages,
    node_health,
    note,
    past,
    questions,
    topics,
    views,
)
from ayni_core.wire import limits as bounds
from ayni_core.wire.dictionary import DICTIONARIES
from ayni_hub import answers, looking_back, names, node_notes, notebook, refusals, watching
from ayni_hub import questions as hub_questions
from ayni_io import keyring

PAGE = (Path(__file__).parent.parent / "docs" / "protocol.md").read_text(encoding="utf-8")
WRITERS = {
    "node": "n-NODE", "hub": "h-HUB", "worker": "w-PART", "village": "b-PART", "region": "r-REGION",
    "person": "p-PERSON", "trainer": "p-PERSON", "lab": "l-LAB", "keeper": "k-HUB", "enrolling": "e-NODE",
}  # fmt: skip


def sections() -> dict[str, str]:
    """Heading -> text below it, down to the next heading of any depth."""
    parts = re.split(r"^#{2,3} (.+)$", PAGE, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def table(text: str) -> list[list[str]]:
    """The cells of the first table in a text, without head and rule."""
    rows: list[list[str]] = []
    for line in text.splitlines():
        if line.startswith("|"):
            rows.append([cell.strip() for cell in line.strip().strip("|").split(" | ")])
        elif rows:
            break
    return rows[2:]


def code(cell: str) -> list[str]:
    """Everything that stands between backticks in a cell."""
    return re.findall(r"`([^`]+)`", cell)


def block(heading: str, language: str) -> str:
    """The first fenced block of a language below a heading."""
    found = re.search(rf"^```{language}\n(.*?)^```$", sections()[heading], re.DOTALL | re.MULTILINE)
    assert found, f"no {language} block below {heading}"
    return found[1]


# ---- topics and rights


def right_of(word: str) -> topics.Rights:
    return topics.rights(WRITERS[word], "trainer" if word == "trainer" else "viewer")


def topic_rows() -> list[list[str]]:
    return table(sections()["Topics"])


def filled(topic: str) -> str:
    """A documented topic as it is on the wire: BUCKET becomes the number that NODE has."""
    return topic.replace("BUCKET", f"{topics.bucket('NODE'):02d}").replace("KIND", "live")


def test_every_topic_root_is_on_the_page_and_no_other() -> None:
    listed = [code(row[0])[0] for row in topic_rows()]
    assert {topic.split("/")[0] for topic in listed} == {*topics._WORDS, "lab"}
    for topic in listed:
        topics.parse(f"{topics.PREFIX}/{filled(topic)}")


def test_the_page_writes_topics_as_the_code_does() -> None:
    made = {
        topics.frame("NODE", "live"),
        topics.fed("NODE", "PART", "live"),
        topics.part("PART"),
        topics.told("PART"),
        topics.heard("PART"),
        topics.state("NODE"),
        topics.ack("NODE"),
        topics.HUB,
        topics.BEAT,
        topics.alert("ID"),
        topics.net("KIND", "NAME"),
        topics.ask("PERSON", "SESSION", "ID"),
        topics.answer("PERSON", "SESSION", "ID"),
        topics.cmd("NODE"),
        topics.done("NODE"),
        topics.renew("NODE"),
        topics.renewed("NODE"),
        topics.enrol("NODE"),
        topics.welcome("NODE"),
        topics.LAB,
        topics.lab_do("PERSON"),
    }
    listed = {code(row[0])[0] for row in topic_rows()}
    assert {
        f"{topics.PREFIX}/{filled(topic) if topic.startswith(('in/', 'fed/')) else topic}" for topic in listed
    } == made


@pytest.mark.parametrize("row", topic_rows(), ids=lambda row: row[0])
def test_who_writes_and_who_reads_a_topic_is_what_the_rights_say(row: list[str]) -> None:
    topic = f"{topics.PREFIX}/{filled(code(row[0])[0])}"
    for cell, side in ((row[2], "publish"), (row[3], "subscribe")):
        may = {
            word
            for word in WRITERS
            if any(topic_matches_sub(each, topic) for each in getattr(right_of(word), side))
        }
        if "person" in may:
            may.discard("trainer")  # a trainer may do all that a person may
        assert set(cell.split(", ")) == may, f"{side} {topic}"


@pytest.mark.parametrize("row", table(sections()["Accounts and rights"]), ids=lambda row: row[0])
def test_rights_on_the_page_are_those_of_the_code(row: list[str]) -> None:
    account, role = code(row[0])[0], "trainer" if "trainer" in row[0] else "viewer"
    allowed = topics.rights(account, role)
    for cell, filters in ((row[1], allowed.publish), (row[2], allowed.subscribe)):
        listed = [each if each[0] == "$" else f"{topics.PREFIX}/{filled(each)}" for each in code(cell)]
        assert listed == list(filters)


def test_every_kind_of_account_is_on_the_page() -> None:
    listed = {code(row[0])[0] for row in table(sections()["Accounts and rights"])}
    assert listed == set(WRITERS.values())


def test_kinds_of_frames_and_the_number_of_buckets() -> None:
    assert [code(row[0])[0] for row in table(sections()["Kinds of frames"])] == list(topics.KINDS)
    assert f"modulo {topics.BUCKETS}" in PAGE


# ---- frames

EXAMPLE = "Worked example"


def example() -> frame.Frame:
    return codec.decode(bytes.fromhex(block(EXAMPLE, "hex")))


def test_the_header_table_names_every_key_of_a_header() -> None:
    first, second = (code(row[0])[0] for row in table(sections()["Header"])), optional_keys()
    bare = dataclasses.replace(example(), step=0, made_s=None, health=None)
    whole = dataclasses.replace(example(), step=1, health=node_health.NodeHealth())
    assert list(first) == list(frame.header(bare))
    assert [*frame.header(bare), *second] == list(frame.header(whole))
    for key in frame.header(bare):
        short = {name: value for name, value in frame.header(bare).items() if name != key}
        with pytest.raises(ValueError, match=f"header {key}"):
            frame.check_header(short)


def optional_keys() -> list[str]:
    after = sections()["Header"].partition("More keys stand")[2]
    return [code(row[0])[0] for row in table(after)]


def test_the_table_of_health_has_a_row_for_each_place() -> None:
    text = sections()["Health of a node"]
    rows = table(text)
    assert [row[0] for row in rows] == [str(place + 1) for place in range(len(node_health._ABSENT))]
    assert [row[1] for row in rows] == [
        "nothing" if absent is None else str(absent) for absent in node_health._ABSENT
    ]
    assert f"while more than {health_report.BACKLOG} wait" in re.sub(r"\s+", " ", text)
    asked = sections()["`AskHealth`: how the central and the monitors are"]
    assert f"at most {health.MOST_MONITORS} are answered" in asked


def test_the_hex_of_the_example_unpacks_to_the_json_beside_it() -> None:
    unpacked = field.inflate(bytes.fromhex(block(EXAMPLE, "hex")))
    assert unpacked.decode("utf-8") == re.sub(r"\n\s*", "", block(EXAMPLE, "json"))


def test_the_example_is_what_the_code_sends_in_both_encodings() -> None:
    assert field.inflate(field.encode(example())) == field.inflate(bytes.fromhex(block(EXAMPLE, "hex")))
    text = re.sub(r"\n\s*", "", block("The plain encoding", "json"))
    assert codec.decode(text.encode("utf-8")) == example()
    assert codec.encode(example(), "plain").decode("utf-8") == text


def test_the_example_means_what_the_table_below_it_says() -> None:
    (polls,) = example().devices.values()
    shown = table(sections()["What the example says"])
    assert len(shown) == len(polls.values)
    for row, (series, column) in zip(shown, polls.values.items(), strict=True):
        assert row[0] == "`" + " / ".join(part or "(none)" for part in series) + "`"
        assert row[1:] == ["nothing" if value is None else f"{value}" for value in column]


def test_figures_of_the_frame_text_are_those_of_the_code() -> None:
    topic = f"{topics.PREFIX}/in/34/torre-pi/live"
    assert topic in PAGE
    assert topics.frame("torre-pi", "live") == topic
    data = bytes.fromhex(block(EXAMPLE, "hex"))
    assert f"({len(data)} bytes)" in PAGE
    assert f"({len(field.inflate(data))} bytes unpacked)" in PAGE
    limits = re.sub(r"\s+", " ", sections()["Limits"])
    assert f"may have {bounds.MAX_DEVICES} devices, {bounds.MAX_POLLS:,} polls a device" in limits
    assert f"{bounds.MAX_SERIES:,} series a device and {bounds.MAX_NAMES:,} in all" in limits
    assert f"{bounds.MAX_VALUES:,} values, {note.MAX_NOTES} notes" in limits
    assert f"and {bounds.MAX_INFLATED // 2**20} MB when unpacked" in limits
    assert f"at most {bounds.MAX_ITEM} characters, a text {readings.MAX_TEXT:,}" in limits
    assert f"larger than {bounds.MAX_ENCODED // 1024} kB as it is sent" in limits
    for identifier in DICTIONARIES:
        assert f"{identifier:08x}" in sections()["The field encoding"]


def test_notes_are_bounded_as_the_page_says() -> None:
    text = re.sub(r"\s+", " ", sections()["Notes"])
    assert f"has at most {note.MAX_NOTES} notes of {note._MOST_VALUES} values" in text
    assert f"a text has at most {note._LONGEST_TEXT} characters" in text
    assert f"of one node at most {node_notes.MOST_A_DAY:,} a day" in text
    for level in note.LEVELS:
        assert f"`{level}`" in text


def test_what_the_hub_refuses_and_bounds_is_on_the_page() -> None:
    text = re.sub(r"\s+", " ", sections()["Hostile neighbours"])
    assert [code(row[0])[0] for row in table(sections()["Hostile neighbours"])] == list(errors.KINDS)
    assert f"more than {refusals._COSTLY_A_MINUTE} frames a minute" in text
    assert f"A device may bring {names.MOST_NAMES:,} names" in text
    assert f"the devices of a node {names.MOST_OF_NODE:,}" in text
    asked = re.sub(r"\s+", " ", sections()["Questions"])
    assert f"A question is at most {questions.MAX_QUESTION // 1024} kB" in asked
    assert f"at most {hub_questions.MOST_WAITING} questions wait" in asked
    written = re.sub(r"\s+", " ", PAGE)
    assert f"at most {notebook.MOST} notes in {notebook.WITHIN_S / 60:g} minutes" in written
    assert f"{watching.SHORTEST_S:g} to {watching.LONGEST_S:g} |" in written
    assert f"good for at most {watching.LONGEST_S:g} s" in written
    assert f"polls it every {schedule.HASTE_S:g} s" in written
    assert f"polled quickly, at most {answers.MOST_HASTENED} |" in written
    assert f"how many; at most {looking_back.MOST_SAMPLES} |" in written
    assert f"at most every {watching._PAUSE_S:g} s" in written
    assert f"the note, not empty; at most {notebook.LONGEST} characters" in written


def test_how_long_a_password_may_be_and_how_many_a_node_keeps_is_on_the_page() -> None:
    assert f"at most {keys.LONGEST_PASSWORD} visible characters" in PAGE
    text = re.sub(r"\s+", " ", sections()["Passwords"])
    assert f"It keeps {keyring.MOST}: " in text
    assert f"{invitation.SECRET} random octets" in re.sub(r"\s+", " ", sections()["Enrolment"])


# ---- messages


def dataclasses_of(module: types.ModuleType) -> dict[str, Any]:
    return {
        name: kind
        for name, kind in vars(module).items()
        if dataclasses.is_dataclass(kind) and kind.__module__ == module.__name__
    }


KINDS = {
    name: kind
    for module in (messages, questions, health, past, keys, views)
    for name, kind in dataclasses_of(module).items()
}


def in_words(annotation: Any) -> str:
    """A type as the page writes it."""
    plain = {str: "text", int: "whole number", float: "number", bool: "true or false"}
    if annotation in plain:
        return plain[annotation]
    if annotation is type(None):
        return "nothing"
    if annotation is Message:
        return "message"
    origin, inside = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (types.UnionType, typing.Union):
        return " or ".join(in_words(each) for each in inside)
    if origin is tuple:
        return f"list of {in_words(inside[0])}"
    return str(annotation.__name__)


def default_in_words(entry: dataclasses.Field[Any]) -> str:
    if entry.default is dataclasses.MISSING:
        return "required"
    if entry.default is None:
        return "nothing"
    return f"`{json.dumps(entry.default)}`"


def test_every_message_and_question_has_a_table() -> None:
    titled = [code(heading)[0] for heading in sections() if heading.startswith("`")]
    assert sorted(titled) == sorted(KINDS)


@pytest.mark.parametrize("heading", [each for each in sections() if "` on `" in each])
def test_a_message_is_on_the_topic_that_its_heading_names(heading: str) -> None:
    name, topic = code(heading)
    documented = KINDS[name].__doc__.replace("\n", " ")
    assert re.match(rf"`{topic.replace('NAME', '[A-Z]+')}`|`{topic.replace('NAME', 'about')}`", documented), (
        documented
    )


@pytest.mark.parametrize("name", KINDS)
def test_fields_of_a_message_are_those_of_its_table(name: str) -> None:
    text = next(text for heading, text in sections().items() if heading.startswith(f"`{name}`"))
    hints = typing.get_type_hints(KINDS[name])
    expected = [
        [f"`{each.name}`", in_words(hints[each.name]), default_in_words(each)]
        for each in dataclasses.fields(KINDS[name])
    ]
    assert [row[:3] for row in table(text)] == expected
    assert all(len(row) == 4 and row[3] for row in table(text)), "every field has a meaning"


def test_every_question_is_listed_with_its_answer() -> None:
    rows = {code(row[0])[0]: code(row[1] + row[2]) for row in table(sections()["Questions"])}
    assert {name: found[0] for name, found in rows.items()} == {
        name: kind.__name__ for name, kind in questions.QUESTIONS.items()
    }
    for name, (_asked, answer) in rows.items():
        assert f"Answered by `{answer}`" in (questions.QUESTIONS[name].__doc__ or "")


def test_link_states_stand_in_the_order_of_the_code() -> None:
    line = next(line for line in PAGE.splitlines() if line.startswith("Link states, worst first"))
    assert code(line) == list(messages.LINK_STATES)


# ---- readings


def test_groups_are_those_of_the_code() -> None:
    assert [code(row[0])[0] for row in table(sections()["Readings"])] == list(GROUPS)


def test_metrics_on_the_page_have_the_unit_and_kind_of_the_code() -> None:
    rows = table(sections()["Metrics seen most"])
    assert len(rows) >= 10
    for name, unit, kind, meaning in rows:
        metric = METRICS[code(name)[0]]
        assert (unit.strip("–"), kind, meaning) == (metric.unit, metric.kind, metric.meaning)
