"""The picture of the network: messages in, states, ages and the worklist out."""

from __future__ import annotations

from dataclasses import replace

import pytest
from console_village import NOW, Village, alerts, retained

from ayni_console import verify
from ayni_core.message import Message
from ayni_core.onlooking import attention
from ayni_core.onlooking.model import QUIET_S, Model
from ayni_core.onlooking.standing import replaced
from ayni_core.wire import topics
from ayni_core.wire.messages import Alert, HubState, NodeState
from ayni_core.wire.shape import pack
from ayni_io import phrases


@pytest.fixture
def village() -> Village:
    return Village()


def test_retained_messages_build_the_picture(village: Village) -> None:
    model = village.model
    assert set(model.links) == {"escuela-cerro", "torre-clinica", "torre-cerro", "cerro-molino"}
    assert model.community.title == "Red Cerro Norte"
    assert model.title("site", "clinica") == "Clínica"
    assert model.title("site", "unheard-of") == "unheard-of"
    assert model.refused == 0


def test_a_newer_message_replaces_and_an_empty_one_removes(village: Village) -> None:
    before = village.model.version
    village.link_becomes("torre-cerro", state="weak")
    assert village.model.links["torre-cerro"].state == "weak"
    village.send(topics.net("link", "torre-cerro"), None)
    assert "torre-cerro" not in village.model.links
    assert village.model.version > before


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("ayni/v1/net/link/x", b"{"),
        ("ayni/v1/net/link/x", b'{"id": 3}'),
        ("ayni/v1/alert/x", b"[]"),
        ("ayni/v1/hub", b'{"state": NaN}'),
        ("elsewhere", b"{}"),
    ],
)
def test_what_is_not_understood_changes_nothing(village: Village, topic: str, payload: bytes) -> None:
    links = dict(village.model.links)
    village.model.apply(topic, payload, False, NOW)
    assert village.model.refused == 1
    assert village.model.links == links
    assert village.model.contact_age(NOW) == 12


@pytest.mark.parametrize(
    ("topic", "name"),
    [
        ("net/site", "clinica"),
        ("net/device", "clinica-radio"),
        ("net/upstream", "fibra"),
        ("state", "torre-pi"),
    ],
)
def test_what_is_decoded_late_and_not_understood_changes_nothing_either(
    village: Village, topic: str, name: str
) -> None:
    tables = {
        "net/site": village.model.sites, "net/device": village.model.devices,
        "net/upstream": village.model.upstreams, "state": village.model.presence,
    }  # fmt: skip
    if topic == "state":
        village.send(topics.state(name), NodeState(up=True))
    before = dict(tables[topic])
    assert name in before
    village.model.apply(f"ayni/v1/{topic}/{name}", b'{"id": 3}', True, NOW)
    village.model.apply(f"ayni/v1/{topic}/x", b"{", True, NOW)
    assert dict(tables[topic]) == before
    assert "x" not in tables[topic] and len(tables[topic]) == len(before)
    assert village.model.refused == 2


def test_of_what_is_told_late_the_newest_is_read_and_an_empty_one_removes(village: Village) -> None:
    site = village.model.sites["clinica"]
    for title in ("A", "B"):
        village.send(topics.net("site", "clinica"), replace(site, title=title))
    assert village.model.title("site", "clinica") == "B"
    village.send(topics.net("site", "clinica"), replace(site, title="C"))
    village.send(topics.net("site", "clinica"), None)
    assert "clinica" not in village.model.sites
    assert village.model.site_of("site", "clinica") is None


def test_which_of_many_were_replaced_is_known_whatever_else_came_and_went() -> None:
    one, two, three, four = object(), object(), object(), object()
    before = {"a": one, "b": two, "c": three}
    assert replaced(before, dict(before)) == []
    assert replaced(before, {"a": one, "b": four, "c": three}) == ["b"]
    assert replaced(before, {**before, "d": four}) == ["d"]
    assert replaced(before, {"a": one, "b": two}) == []
    assert "d" in replaced(before, {"b": two, "c": three, "d": four})


def test_unknown_kinds_of_a_newer_central_are_passed_over(village: Village) -> None:
    village.model.apply("ayni/v1/net/balloon/x", b"{}", True, NOW)
    assert village.model.refused == 0


def test_retained_news_is_no_contact_and_live_news_is() -> None:
    model = Model()
    model.linked(True)
    for topic, payload in retained():
        model.apply(topic, payload, True, NOW)
    assert model.contact(NOW) == "waiting"
    model.apply(*retained()[2], False, NOW)
    assert (model.contact(NOW + 5), model.contact_age(NOW + 5)) == ("live", 5)


def test_contact_says_why_there_is_none(village: Village) -> None:
    model = village.model
    assert model.contact(NOW) == "live"
    assert model.contact(NOW + QUIET_S) == "silent"
    village.send(topics.HUB, HubState(state="gone", at=NOW))
    assert model.contact(NOW) == "gone"
    village.send(topics.HUB, HubState(state="clock-wrong", at=1000.0))
    assert model.contact(NOW) == "clock-wrong"
    assert model.now(NOW) == NOW, "a wrong clock is not followed"
    assert "clock of the central is wrong" in phrases.trouble(model, NOW)
    village.send(topics.HUB, HubState(state="store-down", at=NOW))
    assert "cannot write" in phrases.trouble(model, NOW)
    village.send(topics.HUB, HubState(state="ready", at=NOW))
    assert (model.contact(NOW), phrases.trouble(model, NOW)) == ("live", "")
    model.linked(False, "broker hub: connection lost")
    assert model.contact(NOW) == "broker"


def test_a_link_is_no_news_two_polls_after_its_promise(village: Village) -> None:
    model = village.model
    link = model.links["torre-cerro"]  # promised within 60 s, polled every 60 s
    assert model.link_state(link, NOW + 180) == "ok"
    assert model.link_state(link, NOW + 181) == "no_news"
    assert model.link_since(link, NOW + 181) == NOW - 12
    assert model.link_since(link, NOW) == link.since


def test_our_clock_is_corrected_when_the_central_lives_in_our_future(village: Village) -> None:
    village.send(topics.HUB, HubState(state="ready", at=NOW + 4000))
    assert village.model.now(NOW) == NOW + 4000
    assert village.model.contact_age(village.model.now(NOW + 7)) == 7
    village.send(topics.HUB, HubState(state="ready", at=NOW - 90000))  # when it was started
    assert village.model.now(NOW) == NOW


def test_the_worklist_is_ranked_down_first_then_homes(village: Village) -> None:
    items = attention.items(village.model, NOW)
    assert [(item.kind, item.name, item.state) for item in items] == [
        ("link", "escuela-cerro", "down"),
        ("link", "torre-clinica", "weak"),
        ("node", "molino-pi", "no_news"),
    ]
    more = replace(alerts()[0], id="a9", name="torre-cerro", homes=54)
    village.send(topics.alert("a9"), more)
    assert [item.name for item in attention.items(village.model, NOW)][1:3] == [
        "torre-cerro",
        "torre-clinica",
    ]


def test_silenced_alerts_are_no_work_but_can_be_found(village: Village) -> None:
    assert all(item.name != "escuela-radio" for item in attention.items(village.model, NOW))
    found = attention.find(village.model, "device", "escuela-radio", NOW)
    assert found is not None
    assert found.state == "down"


def test_a_late_monitor_stands_for_its_links(village: Village) -> None:
    punctual = village.model.nodes["torre-pi"]
    village.send(topics.net("node", "torre-pi"), replace(punctual, next_by=NOW + 60))
    village.model.heard(NOW + 190)
    late = [item for item in attention.items(village.model, NOW + 190) if item.key.startswith("late:")]
    assert [(item.kind, item.name) for item in late] == [("node", "torre-pi")]


def test_a_late_link_of_a_punctual_monitor_is_work(village: Village) -> None:
    village.link_becomes("torre-cerro", next_by=NOW - 500)
    late = [item for item in attention.items(village.model, NOW) if item.key.startswith("late:")]
    assert [item.name for item in late] == ["torre-cerro"]


def test_without_contact_nobody_is_sent_to_every_link(village: Village) -> None:
    items = attention.items(village.model, NOW + 4000)
    assert {item.key.partition(":")[0] for item in items} == {"alert"}
    counted = attention.counts(village.model, NOW + 4000, items)
    assert (counted.ok, counted.no_data) == (0, 4)


def test_counts(village: Village) -> None:
    counted = attention.counts(village.model, NOW, attention.items(village.model, NOW))
    assert (counted.need, counted.ok, counted.no_data) == (2, 1, 1)


@pytest.mark.parametrize(
    ("rule", "state"),
    [
        ("link-down", "down"),
        ("upstream_down", "down"),
        ("agent-offline", "no_news"),
        ("port_slow", "weak"),
        ("new", "weak"),
    ],
)
def test_an_alert_speaks_of_a_state(rule: str, state: str) -> None:
    alert = Alert(
        id="x", rule=rule, kind="device", name="d", level="warn", since=0, text=Message("rule.signal_low")
    )
    assert attention.alert_state(alert) == state


def test_fixed_needs_thirty_good_seconds_in_a_lesson() -> None:
    watched = verify.Verify(frozenset({("link", "a")}), 0.0, verify.LESSON_S)
    assert watched.update({("link", "a")}, 5) == "watching"
    assert watched.update({("link", "b")}, 10) == "watching"
    assert watched.left_s(20) == 20
    assert watched.update({("link", "a")}, 30) == "watching"  # it came back: counting begins anew
    assert watched.update(set(), 40) == "watching"
    assert watched.update(set(), 69) == "watching"
    assert watched.update(set(), 70) == "fixed"
    assert watched.update({("link", "a")}, 80) == "fixed"


def test_in_a_lesson_one_of_several_broken_things_can_be_mended() -> None:
    power, antenna = ("link", "school"), ("link", "clinic")
    watched = verify.Verify(frozenset({power}), 0.0, verify.LESSON_S)
    assert watched.update({power, antenna}, 5) == "watching"
    assert watched.update({antenna}, 10) == "watching"
    assert watched.update({antenna}, 40) == "fixed", "what the repair was not for does not matter"


def test_not_fixed_when_it_stays_bad() -> None:
    watched = verify.Verify(frozenset(), 0.0, verify.LESSON_S)
    assert watched.update({("link", "a")}, 90) == "watching"
    assert watched.update({("link", "a")}, 91) == "not_fixed"


def test_real_life_needs_ten_minutes_and_lost_contact_proves_nothing(village: Village) -> None:
    assert verify.begin(village.model, NOW).hold_s == 600
    assert verify.begin(Village(lab=True).model, NOW).hold_s == 30
    village.model.linked(False, "gone")
    assert ("link", "torre-cerro") in verify.troubled(village.model, NOW)


def test_every_message_of_the_village_is_a_topic_of_ours() -> None:
    for topic, payload in retained(lab=True):
        topics.parse(topic)
        assert pack({}) == b"{}"
        assert payload
