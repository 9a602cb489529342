"""What people are told of alerts: once each, the right ones, in the right order; a clock is passed in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ayni_core.message import Message
from ayni_core.reach import Escalation
from ayni_core.wire.messages import Alert
from ayni_hub.people.herald import CALM_S, SETTLE_S, Herald, Telling

START = 1_760_000_000.0


def alert(name: str = "torre", level: str = "critical", **more: object) -> Alert:
    made = Alert(
        id=f"link-down--link--{name}", rule="link-down", kind="link", name=name, level=level, since=START,
        text=Message("rule.link_down", {"link": name}),
    )  # fmt: skip
    return replace(made, **more)  # type: ignore[arg-type]


class Story:
    """A herald, the alerts that hold, and what was told, second by second."""

    def __init__(self, escalation: Escalation | None = None) -> None:
        self.escalation = escalation or Escalation()
        self.herald = Herald(self.escalation, {})
        self.alerts: dict[str, Alert] = {}
        self.changed: dict[str, Alert | None] = {}
        self.now = START
        self.said: list[Telling] = []

    def put(self, *alerts: Alert) -> None:
        for each in alerts:
            self.alerts[each.id] = self.changed[each.id] = each

    def end(self, *alerts: Alert) -> None:
        for each in alerts:
            del self.alerts[each.id]
            self.changed[each.id] = None

    def go(self, seconds: float) -> list[str]:
        """What was told meanwhile, such as `fired torre`."""
        before = len(self.said)
        end = self.now + seconds
        while self.now < end:
            self.now += 1.0
            changed, self.changed = self.changed, {}
            self.said += self.herald.take(changed, self.alerts, self.now)
        return [f"{each.what} {each.alert.name}" for each in self.said[before:]]

    def restart(self) -> None:
        self.herald = Herald(self.escalation, self.herald.told)
        self.herald.recall(self.alerts, self.now)


def test_an_alert_is_told_once_when_it_is_settled_and_once_when_it_is_over() -> None:
    story = Story()
    story.put(alert(settled=False))
    assert story.go(60) == []
    story.put(alert())
    assert story.go(SETTLE_S + 1) == ["fired torre"]
    story.put(alert(cause=Message("cause.no_power")))
    assert story.go(3600) == []
    story.end(alert())
    assert story.go(CALM_S + 1) == ["over torre"]
    assert story.said[-1].at == pytest.approx(story.now - CALM_S, abs=2.0)
    assert story.go(3600) == []


@pytest.mark.parametrize(
    "held",
    [{"silenced_by": "x"}, {"maintenance": "w"}, {"flapping": True}, {"acked_by": "ana"}, {"settled": False}],
    ids=lambda held: next(iter(held)),
)
def test_what_somebody_else_explains_or_has_in_hand_calls_nobody(held: dict[str, object]) -> None:
    story = Story()
    story.put(alert(**held))
    assert story.go(600) == []
    story.end(alert())
    assert story.go(600) == []


def test_500_sites_behind_a_dead_upstream_are_one_message_and_500_recoveries_one_more() -> None:
    story = Story()
    root = alert("upstream")
    children = [alert(f"site-{n}") for n in range(500)]
    story.put(*(replace(each, settled=False) for each in children[:40]))
    story.go(10)
    story.put(*(replace(each, silenced_by=root.id) for each in children))
    story.put(replace(root, behind_sites=500))
    assert story.go(600) == ["fired upstream"]
    story.end(root)
    assert story.go(60) == ["over upstream"]
    for each in children:
        story.end(each)
    assert story.go(600) == []


def test_a_child_that_still_holds_when_its_root_is_over_speaks_for_itself() -> None:
    story = Story()
    root, child = alert("upstream"), alert("torre", silenced_by="link-down--link--upstream")
    story.put(root, child)
    story.go(10)
    story.end(root)
    story.go(120)
    story.put(alert("torre"))
    assert story.go(5) == ["fired torre"]


def test_getting_worse_is_told_and_getting_better_is_not() -> None:
    story = Story()
    story.put(alert(level="warn"))
    assert story.go(10) == ["fired torre"]
    story.put(alert())
    assert story.go(10) == ["worse torre"]
    story.put(alert(level="warn"))
    assert story.go(10) == []
    story.end(alert())
    assert story.go(10) == ["over torre"]


def test_what_is_back_within_seconds_was_never_over() -> None:
    story = Story()
    story.put(alert())
    story.go(10)
    story.end(alert())
    story.go(CALM_S - 2)
    story.put(alert())
    assert story.go(60) == []


def test_a_restart_tells_nothing_again_but_what_ended_meanwhile() -> None:
    story = Story()
    story.put(alert("torre"), alert("escuela"))
    assert story.go(10) == ["fired torre", "fired escuela"]
    del story.alerts[alert("escuela").id]
    story.restart()
    assert story.go(60) == ["over escuela"]


def test_what_fired_while_nobody_was_told_is_told_after_a_restart() -> None:
    story = Story()
    story.put(alert())
    story.changed = {}
    story.restart()
    assert story.go(5) == ["fired torre"]


def test_when_nobody_takes_it_on_the_next_person_is_told_and_then_all() -> None:
    story = Story(Escalation(next_after_min=15, all_after_min=45))
    story.put(alert())
    assert story.go(10) == ["fired torre"]
    assert story.go(14 * 60) == []
    assert story.go(60) == ["nobody torre"]
    assert story.said[-1].steps == 1
    story.restart()
    assert story.go(28 * 60) == []
    assert story.go(3 * 60) == ["nobody torre"]
    assert story.said[-1].steps == 2
    assert story.go(86_400 / 4) == []


def test_taking_it_on_ends_the_escalation_and_is_told() -> None:
    story = Story(Escalation(all_after_min=15))
    story.put(alert())
    story.go(60)
    story.put(alert(acked_by="ana"))
    assert story.go(3600) == ["taken torre"]
    assert story.said[-1].alert.acked_by == "ana"


def test_warnings_do_not_go_up() -> None:
    story = Story(Escalation(all_after_min=15))
    story.put(alert(level="warn"))
    story.go(60)
    assert story.go(3600) == []


def test_a_clock_that_is_set_back_holds_nothing_up() -> None:
    story = Story()
    story.put(alert())
    story.go(1)
    story.now -= 86_400
    assert story.go(3) == ["fired torre"]
    story.end(alert())
    story.go(1)
    story.now -= 86_400
    assert story.go(10) == ["over torre"]
