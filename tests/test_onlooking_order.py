"""States and order of many links: kept from look to look, and always what asking each would give."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from console_village import NOW, Village

from ayni_core.onlooking import attention
from ayni_core.onlooking.ranking import Ranking
from ayni_core.wire import topics
from ayni_core.wire.messages import LINK_STATES, Community
from ayni_io.phrases import order

SORTS = ("worst", "name", "signal", "repeats")


def asked_one_by_one(village: Village, now: float) -> dict[str, str]:
    model = village.model
    return {name: model.link_state(link, now) for name, link in model.links.items()}


@pytest.mark.parametrize("seed", range(5))
def test_any_news_at_any_time_gives_what_asking_each_would_give(seed: int) -> None:
    """News, news that does not come, links that come and go, a clock that is set back, other poll times."""
    dice = random.Random(seed)
    village = Village(more_links=30)
    model, ranking, now = village.model, Ranking(), NOW
    for step in range(300):
        name = dice.choice(sorted(model.links))
        match dice.randrange(8):
            case 0:
                village.send(topics.net("link", name), None)
            case 1:
                village.send(
                    topics.net("link", f"new{step}"), replace(model.links[name], title=f"New {step}")
                )
            case 2:
                village.send(
                    topics.net("community", "about"), Community(title="x", poll_s=dice.choice([5.0, 60.0]))
                )
            case 3:
                now += dice.choice([-500, 1, 30, 200, 4000])
            case _:
                next_by = dice.choice([None, now - 500, now - 20, now + 60])
                village.link_becomes(name, state=dice.choice(LINK_STATES), next_by=next_by)
        if dice.random() < 0.5:
            sort = dice.choice(SORTS)
            assert model.link_states(now) == asked_one_by_one(village, now), step
            found = [order(model, now, sort, model.links[each]) for each in ranking.names(model, now, sort)]
            assert found == sorted(order(model, now, sort, link) for link in model.links.values()), step


def test_nothing_new_is_the_same_object_again() -> None:
    village, ranking = Village(more_links=5), Ranking()
    model = village.model
    states, names = model.link_states(NOW), ranking.names(model, NOW, "worst")
    village.link_becomes("torre-cerro", homes=model.links["torre-cerro"].homes)
    village.send(topics.net("device", "torre-radio"), model.devices["torre-radio"])
    assert model.link_states(NOW + 1) is states
    assert ranking.names(model, NOW + 1, "worst") is names
    village.link_becomes("torre-cerro", state="down")
    assert model.link_states(NOW + 1) is not states
    assert states["torre-cerro"] == "ok", "what was handed out does not change any more"


def test_a_ranking_may_be_asked_about_another_model() -> None:
    ranking = Ranking()
    assert len(ranking.names(Village(more_links=9).model, NOW, "name")) == 13
    assert sorted(ranking.names(Village().model, NOW, "name")) == sorted(Village().model.links)


def test_monitors_have_their_states_too() -> None:
    village = Village()
    states = village.model.node_states(NOW)
    assert states == {name: village.model.node_state(node, NOW) for name, node in village.model.nodes.items()}
    assert attention.counts(village.model, NOW, attention.items(village.model, NOW)).ok == 1
