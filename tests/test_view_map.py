"""The map without a terminal: places on a sheet, arrows that reach everybody, labels apart, the tree."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Mapping
from dataclasses import replace

import pytest
from console_village import NOW, Village

from ayni_console import geo
from ayni_console.canvas import Canvas, path, place, surroundings
from ayni_console.lines import cells, displayed, plain, width
from ayni_console.view import drawn, network, roots
from ayni_console.view.page import Look, Row
from ayni_core.onlooking.model import Model
from ayni_core.wire import topics
from ayni_core.wire.messages import EndView, LinkView, SiteView
from ayni_core.wire.shape import pack

LOOK = Look(width=80, height=24, now=NOW)
SMALL = Look(width=60, height=20, now=NOW)
WIDE = Look(width=300, height=80, now=NOW)
LOOKS = pytest.mark.parametrize("look", [LOOK, SMALL, WIDE], ids=["80x24", "60x20", "300x80"])


@pytest.fixture
def village() -> Village:
    return Village()


def said(rows: list[Row], *, ascii_only: bool = False) -> list[str]:
    return [plain(displayed(row.draw(), ascii_only)) for row in rows]


def town(sites: int, seed: int = 1) -> Model:
    """Sites thrown about, each behind an earlier one."""
    model, throw = Model(), random.Random(seed)
    model.linked(True)
    for number in range(sites):
        parent = throw.randrange(number) if number else None
        site = SiteView(
            id=f"s{number:04}", title=f"Casa {number}", state="ok", homes=1, homes_behind=1,
            latitude=-13.5 + throw.gauss(0, 0.05), longitude=-72.0 + throw.gauss(0, 0.1),
            parent=None if parent is None else f"l{number:04}",
        )  # fmt: skip
        model.apply(topics.net("site", site.id), pack(site), True, NOW)
        if parent is not None:
            link = LinkView(
                id=f"l{number:04}", title=f"Link {number}", state="ok", since=NOW, homes=1,
                a=EndView(site=f"s{parent:04}", device="x"), b=EndView(site=site.id, device="y"),
            )  # fmt: skip
            model.apply(topics.net("link", link.id), pack(link), True, NOW)
    return model


# a finger


@pytest.mark.parametrize("level", [0, 2])
def test_wherever_a_site_or_its_name_is_seen_a_finger_finds_it(level: int) -> None:
    """Also where many share cells, and where the name of the selected one covers others."""
    model = town(300)
    at = drawn.Place(level=level)
    drawn.drawn_rows(model, LOOK, at)
    found = 0
    for site in list(at.points)[:60]:
        at.selected = site
        rows = said(drawn.drawn_rows(model, LOOK, at))
        assert at.drawing is not None
        cell = at.drawing.cell_of(site)
        assert cell is not None
        assert at.drawing.site_near(cell, site) == site
        label = at.drawing.labels_with(site)[cell]
        for column, letter in enumerate(label.text, label.column):
            if rows[label.row][column] == letter:  # else a mark is over it
                assert at.drawing.site_near((column, label.row), site) == site
                found += 1
    assert found > 200


def test_a_finger_finds_nothing_where_nothing_is_or_a_filter_keeps_it_back(village: Village) -> None:
    at = drawn.Place()
    drawn.drawn_rows(village.model, LOOK, at, "clini")
    assert at.drawing is not None
    for name in at.points:
        cell = at.drawing.cell_of(name)
        assert cell is not None
        assert at.drawing.site_near(cell, at.selected) == ("clinica" if name == "clinica" else None)
    assert at.drawing.site_near((0, 0), at.selected) is None


# places


def test_distances_and_directions_are_those_of_the_earth() -> None:
    points = geo.project([("a", -13.5, -72.0), ("north", -13.4, -72.0), ("east", -13.5, -71.9)])
    assert points["north"][1] - points["a"][1] == pytest.approx(11.12, abs=0.01)
    assert points["east"][0] - points["a"][0] == pytest.approx(11.12 * 0.972, abs=0.02)


@pytest.mark.parametrize("way", [1, -1])
def test_a_network_across_the_date_line_is_one(way: int) -> None:
    points = geo.project([("a", -17.0, 179.99 * way), ("b", -17.0, -179.99 * way)])
    assert abs(points["a"][0] - points["b"][0]) < 3


def test_sites_at_one_place_are_told_apart_by_the_arrows() -> None:
    points = geo.project([(name, 1.0, 2.0) for name in "abc"])
    assert geo.neighbour({name: points[name] for name in "bc"}, points["a"], "right") == "b"
    assert geo.neighbour({name: points[name] for name in "ab"}, points["c"], "left") == "b"


@pytest.mark.parametrize(
    ("way", "found"), [("up", "north"), ("right", "near"), ("down", "south"), ("left", None)]
)
def test_an_arrow_goes_to_the_nearest_in_its_direction(way: str, found: str | None) -> None:
    points = {"north": (0.5, 3.0), "near": (2.0, 1.0), "far": (5.0, 0.0), "south": (9.0, -0.5)}
    assert geo.neighbour(points, (0.0, 0.0), way) == found


@pytest.mark.parametrize("seed", range(40))
def test_arrows_reach_every_site_from_everywhere(seed: int) -> None:
    throw = random.Random(seed)
    spread = 0.1 if seed % 2 else 1e-5
    places = [(f"s{each}", throw.gauss(-13, spread), throw.gauss(-72, 0.1)) for each in range(2 + seed)]
    points = geo.project(places)
    ways = {
        name: {geo.neighbour({k: v for k, v in points.items() if k != name}, here, way) for way in geo.WAYS}
        for name, here in points.items()
    }
    for start in points:
        reached, to_visit = {start}, [start]
        while to_visit:
            fresh = {each for each in ways[to_visit.pop()] if each is not None} - reached
            reached |= fresh
            to_visit += fresh
        assert reached == set(points)


def test_a_sheet_keeps_shapes_and_shows_all() -> None:
    points = [(0.0, 0.0), (10.0, 0.0), (10.0, 10.0)]
    sheet = geo.whole(points, 80, 18, 7)
    assert all(sheet.holds(point, 7) for point in points)
    corner, east, north = (sheet.exactly(point) for point in points)
    assert east[0] - corner[0] == pytest.approx(2 * (corner[1] - north[1]))


def test_zooming_moves_no_further_than_there_is_something_to_see() -> None:
    points = [(0.0, 0.0), (100.0, 30.0)]
    whole = geo.whole(points, 80, 18, 7)
    closer = geo.zoomed(whole, 2, (0.0, 0.0), points, 7)
    assert closer.km_a_cell == pytest.approx(whole.km_a_cell / 4)
    assert closer.cell((0.0, 0.0))[0] == 8
    assert geo.zoomed(whole, 0, (0.0, 0.0), points, 7) == whole
    assert geo.zoomed(whole, geo.closest(whole), (0.0, 0.0), points, 7).km_a_cell <= 0.02


@pytest.mark.parametrize(("km_a_cell", "cells_of", "km"), [(0.25, 8, 2.0), (1.0, 10, 10.0), (0.01, 10, 0.1)])
def test_a_scale_bar_is_round(km_a_cell: float, cells_of: int, km: float) -> None:
    assert geo.bar(km_a_cell, 12) == (cells_of, pytest.approx(km))


# drawing


def test_a_stroke_follows_its_way_and_leaves_its_ends_free() -> None:
    assert [char for _cell, char in path((0, 0), (4, 0), 10, 5)] == ["─"] * 3
    assert [char for _cell, char in path((2, 4), (2, 0), 10, 5)] == ["│"] * 3
    assert {char for _cell, char in path((0, 0), (4, 4), 10, 5)} == {"\\"}
    assert {char for _cell, char in path((0, 4), (4, 0), 10, 5)} == {"/"}


@pytest.mark.parametrize("far", [50, 500_000])
def test_a_stroke_from_far_outside_costs_no_more_than_what_is_seen(far: int) -> None:
    found = path((-far, 2), (far, 2), 10, 5)
    assert [cell for cell, _char in found] == [(column, 2) for column in range(10)]
    assert path((-far, -far), (-far, far), 10, 5) == []


def test_labels_give_way_to_each_other_and_to_strokes() -> None:
    mark = (4, 2)
    assert place(mark, "Torre", set(), set(), 20, 5).column == 6  # type: ignore[union-attr]
    under = {(column, 2) for column in range(6, 12)}
    label = place(mark, "Torre", set(), under, 20, 5)
    assert label is not None
    assert label.row in (1, 3)
    everywhere = {(x, y) for x in range(20) for y in range(5)}
    assert place(mark, "Torre", everywhere, set(), 20, 5) is None


def test_where_a_long_name_has_no_room_a_shorter_one_stands() -> None:
    label = place((4, 0), "Escuela de la Comunidad", surroundings((20, 0)), set(), 40, 1)
    assert label is not None
    assert (label.column, label.text) == (6, "Escuela de…")


def test_wide_characters_keep_the_sheet_straight() -> None:
    canvas = Canvas(8, 1)
    canvas.put(1, 0, "日本語語", "head")
    (line,) = canvas.lines()
    assert width(line) == 8
    assert plain(line) == " 日本語"


# the map by place


@LOOKS
@pytest.mark.parametrize("ascii_only", [False, True])
def test_every_site_has_its_mark_and_its_name(village: Village, look: Look, ascii_only: bool) -> None:
    shown = said(drawn.drawn_rows(village.model, look), ascii_only=ascii_only)
    assert all(cells(each) <= look.width for each in shown)
    text = "\n".join(shown)
    marks = ("+ Torre", ">X Escuela", "+ Cerro") if ascii_only else ("● Torre", ">■ Escuela", "● Cerro")
    for mark in marks:
        assert mark in text
    for name in ("Cl", "Molino"):
        assert name in text
    assert len(shown) == look.height - 3 - (look.height >= 22)


def test_links_are_drawn_by_their_state(village: Village) -> None:
    text = "\n".join(said(drawn.drawn_rows(village.model, LOOK)))
    assert "x x" in text
    assert "-.-" in text
    assert "? ?" in text
    assert "│" in text
    assert "─── OK  -.- WEAK  x x DOWN  ? ? NO NEWS" in text


def test_the_worst_is_selected_and_said_in_a_line(village: Village) -> None:
    at = drawn.Place()
    shown = said(drawn.drawn_rows(village.model, LOOK, at))
    assert at.selected == "escuela"
    assert shown[-2] == ">■ Escuela DOWN   Escuela-Cerro ■ DOWN  begins here: no power   46 homes"


def test_names_never_cover_each_other_nor_a_mark() -> None:
    model = town(120)
    at = drawn.Place()
    for level in range(4):
        at.level = level
        drawn.drawn_rows(model, LOOK, at)
        assert at.drawing is not None
        taken: set[geo.Cell] = set()
        for label in at.drawing.labels.values():
            covered = {(label.column + each, label.row) for each in range(cells(label.text))}
            assert not covered & taken
            assert not covered & set(at.drawing.marks)
            taken |= covered


def test_the_selected_site_always_has_its_name_and_moves_little() -> None:
    model = town(120)
    at = drawn.Place()
    before: list[str] = []
    for _each in range(40):
        shown = said(drawn.drawn_rows(model, LOOK, at))
        assert at.selected is not None
        title = model.sites[at.selected].title
        assert shown[-2].startswith(f">● {title} OK")
        assert any(title[:6] in each for each in shown[:-2])
        assert sum(">●" in each for each in shown[:-2]) == 1
        if before and at.drawing is not None and not at.level:
            lines = zip(before, shown, strict=True)
            changed = sum(a != b for pair in lines for a, b in zip(*(f"{x:80}" for x in pair), strict=True))
            assert changed < 250
        before = shown
        at.go(random.Random(_each).choice([*geo.WAYS]), model.sites)


def test_sites_in_one_cell_share_a_mark_the_worst_one_named_first() -> None:
    model = town(3)
    for number, state in enumerate(("ok", "down", "weak")):
        site = replace(model.sites[f"s{number:04}"], latitude=-13.5, longitude=-72.0, state=state)
        model.apply(topics.net("site", site.id), pack(site), True, NOW)
    at = drawn.Place()
    text = "\n".join(said(drawn.drawn_rows(model, LOOK, at)))
    assert "■ Casa 0 +2" in text or "■ Casa 1 +2" in text
    at.selected = "s0002"
    assert "Casa 2 +2" in "\n".join(said(drawn.drawn_rows(model, LOOK, at)))


def test_zoom_is_about_the_selected_site_and_the_sheet_follows_it(village: Village) -> None:
    at = drawn.Place()
    drawn.drawn_rows(village.model, LOOK, at)
    for _each in range(3):
        at.zoom(1)
        drawn.drawn_rows(village.model, LOOK, at)
        sheet = at.drawing.scene.sheet  # type: ignore[union-attr]
        assert sheet.holds(at.points["escuela"], 2)
    assert drawn.seen(village.model, at) == "1 of 5 sites"
    before = sheet.middle
    at.go("left", village.model.sites)
    assert at.selected == "cerro"
    drawn.drawn_rows(village.model, LOOK, at)
    sheet = at.drawing.scene.sheet  # type: ignore[union-attr]
    assert sheet.holds(at.points["cerro"], 2)
    assert sheet.middle != before
    at.zoom(-9)
    drawn.drawn_rows(village.model, LOOK, at)
    assert at.level == 0
    assert drawn.seen(village.model, at) == ""


def test_what_did_not_change_is_drawn_once(village: Village) -> None:
    at = drawn.Place()
    drawn.drawn_rows(village.model, LOOK, at)
    first = at.drawing
    drawn.drawn_rows(village.model, replace(LOOK, now=NOW + 1), at)
    assert at.drawing is first
    village.link_becomes("torre-cerro", state="down")
    drawn.drawn_rows(village.model, LOOK, at)
    assert at.drawing is not first


def test_sites_without_a_place_are_counted_and_none_at_all_is_said(village: Village) -> None:
    at = drawn.Place()
    village.send(topics.net("site", "molino"), replace(village.model.sites["molino"], latitude=None))
    text = "\n".join(said(drawn.drawn_rows(village.model, LOOK, at)))
    assert "Molino" not in text
    assert drawn.seen(village.model, at) == "1 site has no place"
    empty = Model()
    assert "No site has a place yet" in said(drawn.drawn_rows(empty, LOOK))[0]


def test_one_site_alone_stands_in_the_middle() -> None:
    shown = said(drawn.drawn_rows(town(1), LOOK))
    row = next(each for each in shown if "Casa 0" in each)
    assert 30 < row.index("●") < 50


def test_a_filter_dims_the_others_and_arrows_pass_them_by(village: Village) -> None:
    at = drawn.Place()
    text = "\n".join(said(drawn.drawn_rows(village.model, LOOK, at, "molino")))
    assert at.selected == "molino"
    assert "Escuela" not in text
    assert "·" in text
    at.go("right", drawn.fitting(village.model, NOW, "molino"))
    assert at.selected == "molino"


def test_in_a_crowd_links_that_are_well_are_not_drawn() -> None:
    model = town(400)
    link = replace(model.links["l0001"], state="down")
    model.apply(topics.net("link", link.id), pack(link), True, NOW)
    text = "\n".join(said(drawn.drawn_rows(model, LOOK)))
    assert "OK: not drawn" in text
    assert "─" not in text.splitlines()[5]


def test_a_thousand_sites_cost_little() -> None:
    model = town(1000)
    at = drawn.Place()
    drawn.drawn_rows(model, LOOK, at)
    started = time.process_time()
    for _each in range(5):
        drawn.drawn_rows(model, LOOK, at)
    assert (time.process_time() - started) / 5 < 0.1


def test_names_from_the_network_cannot_steer_the_terminal_from_the_map() -> None:
    model = town(2)
    evil = replace(model.sites["s0001"], title="\x1b[2JCasa\n")
    model.apply(topics.net("site", evil.id), pack(evil), True, NOW)
    for rows in (
        drawn.drawn_rows(model, LOOK, drawn.Place(selected="s0001")),
        network.tree_rows(model, LOOK),
    ):
        for row in rows:
            assert all(char.isprintable() for span in row.draw() for char in span.text)


# the tree


def tree(
    model: Model, look: Look = LOOK, wanted: str = "", folded: frozenset[str] = frozenset()
) -> list[str]:
    return said(network.tree_rows(model, look, wanted, folded))


def test_the_tree_shows_who_is_behind_whom_and_where_trouble_begins(village: Village) -> None:
    shown = tree(village.model)
    assert re.match(r" SITES +state +homes +link to it", shown[0])
    assert re.match(r" ● Torre +OK +70$", shown[1])
    assert re.match(r" ● ├─ Cerro +OK +54  ● OK$", shown[2])
    assert re.match(r" ■ │  ├─ Escuela +DOWN +46  ■ DOWN  begins here: no power", shown[3])
    assert re.match(r" ● │  └─ Molino +OK +8  \? NO NEWS  begins here: monitor silent", shown[4])
    assert re.match(r" ● └─ Clínica +OK +12  ▲ WEAK  begins here: antenna moved", shown[5])


def test_what_is_behind_a_broken_link_says_so(village: Village) -> None:
    site = replace(village.model.sites["molino"], state="down", parent="escuela-molino")
    link = replace(
        village.model.links["cerro-molino"], id="escuela-molino", state="down",
        a=EndView(site="escuela", device="escuela-radio"),
    )  # fmt: skip
    village.send(topics.net("link", "escuela-molino"), link)
    village.send(topics.net("site", "molino"), site)
    village.send(topics.alert("a3"), None)
    village.send(topics.net("node", "molino-pi"), replace(village.model.nodes["molino-pi"], state="ok"))
    village.send(topics.net("link", "cerro-molino"), None)
    shown = tree(village.model)
    row = next(each for each in shown if "Molino" in each)
    assert re.search(r"■ DOWN  behind Escuela-Cerro", row)


def test_folded_branches_say_what_they_hide(village: Village) -> None:
    shown = tree(village.model, folded=frozenset({"cerro"}))
    assert len(shown) == 4
    assert re.match(r" ● ├─ Cerro \(\+2\) +OK +54  ● OK  ■ DOWN: 1 behind it", shown[2])
    village.send(topics.net("site", "escuela"), replace(village.model.sites["escuela"], state="ok"))
    for name in ("escuela-cerro", "cerro-molino"):
        village.link_becomes(name, state="ok")
    assert "behind it all is well" in tree(village.model, folded=frozenset({"cerro"}))[2]


def test_a_filter_shows_the_way_and_folds_nothing(village: Village) -> None:
    shown = tree(village.model, wanted="molino", folded=frozenset({"cerro", "torre"}))
    assert shown[1:3] == ["   Torre", "   ├─ Cerro"]
    rows = network.tree_rows(village.model, LOOK, "molino")
    assert [row.key for row in rows if row.key] == ["site:molino"]
    assert [row.key for row in network.tree_rows(village.model, LOOK, "no power") if row.key] == [
        "site:escuela"
    ]
    assert "No site fits the filter." in tree(village.model, wanted="zzz")[-1]


@LOOKS
def test_the_tree_fits(village: Village, look: Look) -> None:
    for row in network.tree_rows(village.model, look):
        assert width(row.draw()) <= look.width or row.key is not None
    shown = tree(village.model, look)
    assert any(re.search(r"■ DOWN  (begins )?here: no power", each) for each in shown)
    assert ("who is behind whom" in shown[0]) == (look.width > 100)


def test_sites_in_a_circle_are_shown_once(village: Village) -> None:
    village.send(topics.net("site", "torre"), replace(village.model.sites["torre"], parent="torre-clinica"))
    assert sorted(each.id for _depth, _branch, each in network.walk(village.model)) == sorted(
        village.model.sites
    )


def test_a_chain_of_five_thousand_sites_is_walked() -> None:
    model = Model()
    for number in range(5000):
        site = SiteView(
            id=f"s{number}", title=f"{number:04}", state="ok", homes=0, homes_behind=0,
            parent=f"l{number}" if number else None,
        )  # fmt: skip
        model.sites[site.id] = site
        if number:
            model.links[f"l{number}"] = LinkView(
                id=f"l{number}", title="", state="ok", since=0, homes=0,
                a=EndView(site=f"s{number - 1}", device="x"), b=EndView(site=site.id, device="y"),
            )  # fmt: skip
    assert [depth for depth, _branch, _site in network.walk(model)] == list(range(5000))


def test_the_tree_as_a_message(village: Village) -> None:
    assert "│  ├─ Escuela: DOWN, 46 homes" in network.as_message(village.model, LOOK)


@pytest.mark.parametrize(
    ("site", "item"),
    [("escuela", "escuela-cerro"), ("molino", "molino-pi"), ("torre", None), ("nobody", None)],
)
def test_what_explains_a_site(village: Village, site: str, item: str | None) -> None:
    known: Mapping[str, object] = roots.begins(village.model, NOW)
    assert set(known) == {"escuela", "clinica", "molino"}
    found = roots.explains(village.model, site, roots.begins(village.model, NOW))
    assert (found.name if found else None) == item


def test_sites_are_ranked_by_what_needs_somebody_then_by_homes(village: Village) -> None:
    assert roots.ranked(village.model, NOW) == ["escuela", "clinica", "molino", "torre", "cerro"]


def test_a_deep_branch_leaves_room_for_the_name() -> None:
    model = town(40)
    for number in range(1, 40):
        site = replace(model.sites[f"s{number:04}"], parent=f"l{number:04}")
        link = replace(model.links[f"l{number:04}"], a=EndView(site=f"s{number - 1:04}", device="x"))
        model.apply(topics.net("site", site.id), pack(site), True, NOW)
        model.apply(topics.net("link", link.id), pack(link), True, NOW)
    shown = tree(model, SMALL)
    assert all(f"Casa {number}" in shown[number + 1] for number in range(40))
    assert "…" in shown[40]
    assert "…" not in shown[3]
    assert all(re.search(r" OK +1  ● OK$", each) for each in shown[2:])
