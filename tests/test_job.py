"""A command as the console knows it: from what would happen to what came of it, told in whatever order."""

from __future__ import annotations

from typing import Any

import pytest

from ayni_console.job import MOST_LINES, Job
from ayni_core.commands import OrderError
from ayni_core.message import Message
from ayni_core.wire.messages import CommandState
from ayni_core.wire.questions import AskCommand, CommandNews, CommandPlan

NOW = 1000.0


def job(do: str = "port", **fields: Any) -> Job:
    known: dict[str, dict[str, Any]] = {
        "port": {"item": "ether2", "value": "down"},
        "plan": {"value": "poll_s=10"},
    }
    return Job(AskCommand(id="1", where="switch", do=do, **(known.get(do, {}) | fields)), "device", NOW)


def state(name: str, context: str = "", progress: float = 0.0, **values: Any) -> CommandNews:
    lines = values.pop("lines", ())
    text = Message(context, values) if context else None
    return CommandNews(
        state=CommandState(id="1", do="port", state=name, progress=progress, text=text, lines=lines)
    )


PLAN = CommandNews(plan=CommandPlan(says=(Message("plan.reboot"),), homes=3))


def test_what_changes_something_is_looked_at_first_and_what_does_not_begins() -> None:
    assert (job().stage, job("ping").stage) == ("looking", "given")
    assert job().looks.look_first
    with pytest.raises(OrderError):
        job("port", item="")


def test_the_way_of_a_command_that_works() -> None:
    one = job()
    one.take(PLAN, NOW)
    assert (one.stage, one.plan) == ("plan", PLAN.plan)
    one.give(NOW + 5)
    one.take(CommandNews(node="pi"), NOW + 5)
    assert (one.stage, one.steps) == ("given", []), "that the central has it is no news of the monitor"
    one.take(state("accepted"), NOW + 6)
    one.take(state("running", "running.walking", 0.25, objects=3, lines=("a",)), NOW + 7)
    one.take(state("running", "running.walking", 0.5, objects=3, lines=("b",)), NOW + 8)
    one.take(state("probation", "probation.waiting", 0.5, seconds=60), NOW + 9)
    assert [(step.text.context, step.at) for step in one.steps] == [
        ("running.taken", NOW + 6), ("running.walking", NOW + 7), ("probation.waiting", NOW + 9)
    ]  # fmt: skip
    assert [step.until for step in one.steps] == [None, None, NOW + 69]
    assert one.lines == ["a", "b"]
    one.take(state("done", "done.port", 1.0, lines=("a", "b", "c")), NOW + 12)
    assert (one.stage, one.done, one.over, one.lines) == ("ended", True, True, ["a", "b", "c"])
    one.take(state("failed", "failed.late"), NOW + 13)
    assert one.done, "nothing follows an end"
    one.lose("no way there")
    assert one.stage == "ended"


@pytest.mark.parametrize(
    ("name", "stage"),
    [
        ("done", "ended"),
        ("failed", "ended"),
        ("undone", "ended"),
        ("expired", "ended"),
        ("refused", "refused"),
    ],
)
def test_every_end_is_one(name: str, stage: str) -> None:
    one = job("ping")
    one.take(state(name, "failed.late"), NOW)
    assert (one.stage, one.over, one.done) == (stage, True, name == "done")


def test_only_what_was_done_can_be_put_back_and_only_a_port_by_a_command() -> None:
    one = job()
    assert one.undo() is None
    one.take(state("done", "done.port"), NOW)
    undo = one.undo()
    assert undo is not None
    assert (undo.do, undo.item, undo.value) == ("port", "ether2", "up")
    already = job()
    already.take(state("done", "done.port_already"), NOW)
    assert already.undo() is None
    poe = job("poe", item="3")
    poe.take(state("done", "done.poe"), NOW)
    assert poe.undo() is None


def test_another_plan_says_when_it_ends_by_itself() -> None:
    one = job("plan", for_s=600.0)
    assert one.ends_itself_at() is None
    one.take(state("done", "done.plan"), NOW + 3)
    assert one.ends_itself_at() == NOW + 603


def test_another_plan_is_ended_before_its_time_by_the_monitors_own() -> None:
    one = job("plan", for_s=600.0)
    assert one.undo() is None, "nothing was done yet"
    one.take(state("done", "done.plan"), NOW + 3)
    undo = one.undo()
    assert undo is not None
    assert (undo.do, undo.value, undo.for_s) == ("plan", "own", 0.0)
    back = job("plan", value="own")
    back.take(state("done", "done.plan_own"), NOW + 9)
    assert (back.undo(), back.ends_itself_at()) == (None, None)


def test_without_a_word_it_is_lost_and_can_be_asked_again() -> None:
    one = job("ping")
    one.lose("The central did not answer.")
    assert (one.stage, one.problem) == ("lost", "The central did not answer.")
    one.again(NOW + 60)
    assert (one.stage, one.problem, one.began) == ("given", "", NOW)
    look = job()
    look.lose("The central did not answer.")
    assert look.stage == "looking", "nothing was given that could be lost"


def test_endless_lines_stay_bounded() -> None:
    one = job("walk", target="1.3.6.1.2.1.2")
    for number in range(30):
        one.take(state("running", lines=tuple(f"{number}.{each}" for each in range(100))), NOW)
    assert len(one.lines) == MOST_LINES
    assert one.lines[-1] == "29.99"
