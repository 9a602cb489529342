"""What the screens say, without a terminal."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from console_village import DELIVERIES, NOW, Village
from console_village import events as village_events

from ayni_console import advice, keys
from ayni_console.lines import (
    Span,
    cells,
    changed,
    clip,
    displayed,
    fit,
    line,
    plain,
    spread,
    to_ascii,
    width,
    wrap,
)
from ayni_console.verify import Verify
from ayni_console.view import events, frame, help, home, messages, repair, status
from ayni_console.view import link as link_view
from ayni_console.view.page import BLANK, Look, Row, Window, arrange, matches, room_for, text
from ayni_core.message import Message
from ayni_core.metrics import METRICS
from ayni_core.onlooking import attention
from ayni_core.wire import topics
from ayni_core.wire.messages import Event
from ayni_io import link_table, phrases, values, words

LOOK = Look(width=80, height=24, now=NOW)
SMALL = Look(width=60, height=20, now=NOW)


@pytest.fixture
def village() -> Village:
    return Village()


def said(rows: list[Row]) -> list[str]:
    return [plain(displayed(row.draw(), False)) for row in rows]


def home_rows(village: Village, look: Look = LOOK, sort: str = "worst", wanted: str = "") -> list[str]:
    worklist = attention.items(village.model, look.now)
    return said(home.rows(village.model, look, worklist, sort, wanted))


# words and lines


@pytest.mark.parametrize(
    ("seconds", "long", "short"),
    [
        (None, "--", "--"),
        (-5, "0 s", "now"),
        (59, "59 s", "50s"),
        (60, "1 min", "1m"),
        (34 * 60, "34 min", "34m"),
        (2 * 3600, "2 h", "2h"),
        (47 * 3600, "47 h", "47h"),
        (3 * 86400, "3 days", "3d"),
    ],
)
def test_durations(seconds: float | None, long: str, short: str) -> None:
    assert (words.duration(seconds), words.short(seconds)) == (long, short)


def test_every_state_has_a_symbol_and_a_word_of_its_own() -> None:
    states = ("ok", "weak", "down", "no_news")
    assert len({words.symbol(state) for state in states}) == 4
    assert len({words.word(state) for state in states}) == 4
    assert {to_ascii(words.symbol(state)) for state in states} == {"+", "!", "X", "?"}


def test_numbers() -> None:
    assert words.number(None) == "--"
    assert words.number(-0.2) == "0"
    assert words.number(-57.4, 0, "dBm") == "-57 dBm"
    assert words.number(24.06, 1, "V") == "24.1 V"


def test_widths_count_cells_not_characters() -> None:
    assert cells("日本") == 4
    assert cells("e\u0301") == 1
    assert fit("日本語", 4) == "日… "
    assert fit("Torre", 8, ">") == "   Torre"
    assert clip("Escuela-Cerro", 8) == "Escuela…"


def test_names_from_the_network_cannot_steer_the_terminal() -> None:
    assert "\x1b" not in plain(line("a\x1b[2Jb"))
    assert "\x1b" not in fit("a\x1b]52;c;b\x07", 20)


def test_ascii_keeps_every_width() -> None:
    shown = "■ ▲ ● ↑12 ↓3 █▒░ Clínica ─│ ±3 · … ¿ 日 └─ ├─"
    assert to_ascii(shown).isascii()
    assert len(to_ascii(shown)) == cells(shown)


def test_only_the_cells_that_changed_are_named() -> None:
    old, new = line("LIVE 12s", Span(" x", "ok")), line("LIVE 13s", Span(" x", "ok"))
    assert changed(old, new) == (6, 7)
    assert changed(old, old) is None
    assert changed(line(Span("a", "ok")), line(Span("a", "down"))) == (0, 1)


def test_spread_keeps_the_right_part() -> None:
    made = spread(line("a" * 90), line("mid"), line("LIVE"), 40)
    assert width(made) == 40
    assert plain(made).endswith("LIVE")


def test_wrap_never_passes_the_room() -> None:
    assert all(
        cells(piece) <= 20 for piece in wrap("Extraordinarily-long-word-that-is-cut and some more words", 20)
    )


# the page


def rows_of(count: int) -> list[Row]:
    return [
        text("head"),
        *(Row(lambda each=each: line(f"  row {each}"), f"k{each}") for each in range(count)),
    ]


def test_a_page_is_exactly_as_large_as_the_terminal() -> None:
    for look in (LOOK, SMALL):
        drawn = arrange(look, line("head"), rows_of(100), [frame.rule(look), line("foot")], Window())
        assert len(drawn.lines) == look.height
        assert {width(each) for each in drawn.lines} == {look.width}


def test_only_rows_that_are_seen_are_drawn() -> None:
    drawn: list[int] = []
    rows = [Row(lambda n=n: (drawn.append(n), line(str(n)))[1], f"k{n}") for n in range(1000)]
    arrange(LOOK, (), rows, [(), ()], Window())
    assert drawn == list(range(room_for(LOOK)))


def test_the_selection_follows_its_row_when_rows_come_and_go() -> None:
    window = Window(key="k5", at=6, moved=True)
    window.settle([BLANK, *rows_of(10)], 20)
    assert window.at == 7
    gone = [row for row in rows_of(10) if row.key != "k5"]
    window.settle(gone, 20)
    assert window.key in ("k4", "k6", "k7")


def test_moving_scrolls_and_stops_at_the_ends() -> None:
    rows, window = rows_of(50), Window()
    window.settle(rows, 10)
    for step, key in ((1, "k1"), (8, "k9"), (100, "k49"), (-1000, "k0")):
        window.move(rows, step, 10)
        window.settle(rows, 10)
        assert window.key == key
        assert window.top <= window.at < window.top + 10
    assert window.top == 0


def test_past_the_last_choice_the_text_below_can_be_read() -> None:
    rows, window = [*rows_of(2), *[BLANK] * 30], Window()
    window.settle(rows, 10)
    for _each in range(4):
        window.move(rows, 1, 10)
        window.settle(rows, 10)
    assert window.top > 0


def test_a_sticky_head_stays_in_sight() -> None:
    rows = [text("first"), Row(lambda: line("TABLE"), sticky=True), *rows_of(50)]
    window = Window(key="k40", moved=True)
    drawn = arrange(SMALL, (), rows, [(), ()], window)
    assert plain(drawn.lines[1]) == "TABLE"


@pytest.mark.parametrize(
    ("wanted", "through"),
    [
        ("", True),
        ("clin", True),
        ("CLÍN", True),
        ("molino", False),
        ("!molino", True),
        ("!clinica", False),
        ("!", True),
    ],
)
def test_filters(wanted: str, through: bool) -> None:
    assert matches(wanted, "Torre-Clínica", "WEAK") is through


# Home


def test_home_says_what_to_do_first(village: Village) -> None:
    shown = home_rows(village)
    assert shown[0] == " DO FIRST                                          homes  probably"
    assert re.match(r" ■ DOWN    Escuela-Cerro +34 min +46  no power", shown[1])
    assert re.match(r" ▲ WEAK    Torre-Clínica +3 days +12  antenna moved", shown[2])
    assert re.match(r" \? NO NEWS Monitor Molino +5 h +8  monitor silent", shown[3])


def test_home_lists_every_link_with_numbers_and_ages(village: Village) -> None:
    shown = home_rows(village)
    assert any(re.match(r" ▲ Torre-Clínica +-71/-70 +-59 +39/39 +18% +10s  █+▒+", each) for each in shown)
    assert any(re.match(r" ■ Escuela-Cerro +--/-- +-58 +--/-- +-- 34m", each) for each in shown)


def test_home_fits_both_sizes(village: Village) -> None:
    for look in (LOOK, SMALL):
        worklist = attention.items(village.model, look.now)
        rows = home.rows(village.model, look, worklist, "worst")
        assert all(width(row.draw()) <= look.width for row in rows)
        assert all(len(plain(row.draw())) > 0 for row in rows if row.key)


def test_home_head_counts_and_contact(village: Village) -> None:
    counted = attention.counts(village.model, NOW, attention.items(village.model, NOW))
    shown = plain(home.head(village.model, LOOK, counted))
    assert "Red Cerro Norte" in shown
    assert "2 need you · 1 OK · 1 no data" in shown
    assert "LIVE 12s" in shown


def test_a_lab_says_training_on_every_head() -> None:
    model = Village(lab=True).model
    assert "TRAINING" in plain(frame.head(model, LOOK, frame.crumbs(["Home", "Lab"])))
    assert "TRAINING" not in plain(frame.head(Village().model, LOOK, frame.crumbs(["Home"])))


def test_home_filter_and_sorts(village: Village) -> None:
    shown = "\n".join(home_rows(village, wanted="!torre"))
    assert "Torre" not in shown
    assert "Cerro-Molino" in shown
    by_name = [
        each[3:16] for each in home_rows(village, sort="name") if re.match(r" . \w+-\w+ +[-\d]+/", each)
    ]
    assert by_name == sorted(by_name, key=str.casefold)


def test_lost_contact_is_said_in_words_and_values_stay(village: Village) -> None:
    village.model.linked(False, "broker hub.lan:1883: no answer")
    shown = home_rows(village, replace(LOOK, now=NOW + 300))
    assert "No way to the central: broker hub.lan:1883: no answer" in shown[0]
    assert any("-71/-70" in each and " 5m " in each for each in shown)
    assert plain((frame.contact(village.model, NOW + 300),)) == "NO CONTACT 5m"


def test_nothing_wrong_says_so(village: Village) -> None:
    for name in list(village.model.alerts):
        village.send(topics.alert(name), None)
    village.send(topics.net("node", "molino-pi"), replace(village.model.nodes["molino-pi"], state="ok"))
    village.link_becomes("cerro-molino", state="ok")
    assert any("Nothing needs you." in each for each in home_rows(village))


def test_the_day_bar_shows_the_worst_of_each_cell() -> None:
    assert home.day_bar("o" * 12 + "ow" * 3 + "od" * 3, 12) == "██████▒▒▒░░░"
    assert home.day_bar("on", 24).strip() == "█-"
    assert home.day_bar("", 12) == " " * 12


def test_home_as_a_message(village: Village) -> None:
    worklist = attention.items(village.model, NOW)
    shown = home.as_message(village.model, LOOK, worklist, attention.counts(village.model, NOW, worklist))
    assert "DOWN Escuela-Cerro 34 min, 46 homes: no power" in shown


# Link


def test_both_ends_side_by_side_with_trends(village: Village) -> None:
    link = village.model.links["torre-clinica"]
    past = link_view.LinkPast(usual={("a", "retry_pct"): 3.0, ("a", "tx_rate_bps"): 130e6})
    shown = said(link_view.rows(village.model, link, LOOK, past))
    assert shown[0].startswith(" An antenna has probably moved.")
    assert any(re.match(r" hears +-71 dBm +▼12 +-59 +-70 dBm +▼11 +-59", each) for each in shown)
    assert any(re.match(r" repeats +18 % +▲15 +3 +18 %", each) for each in shown)
    assert any(re.match(r" rate +39 Mb/s +▼ +130", each) for each in shown)
    assert any(re.match(r" measured +10 s ago +10 s ago", each) for each in shown)


def test_uneven_chains_are_said(village: Village) -> None:
    link = village.model.links["torre-cerro"]
    link = replace(link, a=replace(link.a, chains_dbm=(-57.0, -69.0)))
    shown = said(link_view.rows(village.model, link, LOOK, link_view.LinkPast()))
    assert any("-57/-69 12 dB apart" in each for each in shown)


def test_link_fits_both_sizes(village: Village) -> None:
    for look in (LOOK, SMALL):
        for link in village.model.links.values():
            past = link_view.LinkPast()
            for row in link_view.rows(village.model, link, look, past):
                assert width(row.draw()) <= look.width


def test_a_link_that_is_late_says_that_it_may_work(village: Village) -> None:
    link = village.model.links["torre-cerro"]
    assert phrases.headline(village.model, link, NOW + 500) == "The monitor is late. The link may well work."
    assert phrases.headline(village.model, link, NOW) == "Nothing is wrong here."


@pytest.mark.parametrize(
    ("value", "normal", "shown"), [(-71, -59, "↓12"), (-58, -59, "="), (None, -59, ""), (-50, -59, "↑9")]
)
def test_trends(value: float | None, normal: float, shown: str) -> None:
    assert link_table.trend(value, normal, 3) == shown


# events, advice, lab, help, status


@pytest.mark.parametrize("metric", list(METRICS))
def test_every_metric_has_a_name_a_meaning_and_shows_its_values(metric: str) -> None:
    assert values.label(metric)
    assert values.meaning(metric)
    assert values.value(metric, None) == "--"
    assert values.value(metric, 3)
    assert values.value(metric, 2.5)


def test_events_and_notes(village: Village) -> None:
    shown = said(events.rows(village.model, LOOK, village_events(NOW), "", True))
    assert "Escuela-Cerro is down" in shown[1]
    assert "rosa: Antenna tilted after the storm" in shown[2]
    assert said(events.rows(village.model, LOOK, (), "The central did not answer.", True)) == [
        " ? The central did not answer."
    ]


def test_an_event_of_something_unknown_is_still_shown(village: Village) -> None:
    event = Event(at=NOW, text=Message("event.of_the_future", {}), kind="balloon", name="x")
    assert "event.of_the_future" in said(events.rows(village.model, LOOK, [event], "", True))[1]


@pytest.mark.parametrize("cause", list(advice.LOOK_ALIKES))
def test_advice_ends_with_a_proof_and_fits(village: Village, cause: str) -> None:
    steps = advice.steps(cause)
    assert 3 <= len(steps) <= 6
    assert steps[-1].kind == "verify"
    assert advice.goal(cause)
    assert advice.name_of(cause)
    for look in (LOOK, SMALL):
        rows = repair.advice_rows(
            village.model,
            "link",
            "torre-clinica",
            "x",
            advice.Progress(cause, {0: ("done", NOW)}),
            None,
            look,
        )
        assert all(width(row.draw()) <= look.width for row in rows)


def test_climbing_is_never_advised_without_the_safety_step() -> None:
    for cause in advice.LOOK_ALIKES:
        kinds = [step.kind for step in advice.steps(cause)]
        texts = " ".join(step.text for step in advice.steps(cause))
        assert "safe" in kinds or "climb" not in texts.lower()


def test_live_numbers_stand_below_the_steps(village: Village) -> None:
    assert repair.live_line(village.model, "link", "torre-clinica", NOW) == (
        "Torre hears -71   Clínica hears -70   target -59"
    )
    assert repair.live_line(village.model, "node", "molino-pi", NOW) == ""
    progress = advice.Progress("antenna_moved")
    for signals in ((-71.0, -70.0), (-65.0, -62.0), (-64.0, None), (-68.0, -60.0)):
        progress.take(signals)
    assert repair.live_line(village.model, "link", "escuela-cerro", NOW, progress) == (
        "Cerro hears --   Escuela hears --   target -58   best so far -65"
    ), "of a link that is down nothing is live"
    assert repair.live_line(village.model, "link", "cerro-molino", NOW) == (
        "Cerro hears --   Molino hears --   target -62"
    ), "nor of one whose monitor is silent"


@pytest.mark.parametrize(
    ("name", "after_s", "shown"),
    [
        ("torre-clinica", 0, "LIVE 10s  Torre hears -71"),
        ("torre-clinica", 30, "LIVE 40s  Torre hears -71"),
        ("torre-clinica", 3600, "LIVE  Torre hears --"),
        ("escuela-cerro", 0, "LIVE  Cerro hears --"),
        ("cerro-molino", 0, "LIVE  Cerro hears --"),
    ],
)
def test_live_numbers_say_how_old_they_are_and_nothing_old_is_called_live(
    village: Village, name: str, after_s: float, shown: str
) -> None:
    look = Look(now=NOW + after_s)
    progress = advice.Progress("unknown")
    rows = repair.advice_rows(village.model, "link", name, "x", progress, None, look)
    assert any(plain(row.draw()).startswith(f" {shown}") for row in rows)


def test_what_a_line_about_a_message_has_no_room_for_stands_below_whole() -> None:
    rows = messages.rows(Look(), DELIVERIES, "")
    assert [messages.whole(DELIVERIES, row.key, NOW) for row in rows if row.key] == [
        f"Ana, phone: reached {words.clock(NOW - 60)}",
        "Ana, mail: 2 messages wait; does not work: nobody is there",
        "ALARM: Escuela-Cerro is down, since 14:20",
        "ALARM: Escuela-Cerro is down, since 14:20 (nobody is there)",
    ]
    assert messages.whole(DELIVERIES, "", NOW) == messages.whole(None, "target:ana:phone", NOW) == ""


def test_verdicts(village: Village) -> None:
    watched = Verify(frozenset(), NOW, 30.0)
    assert "Watching: not well yet" in repair.verdict(village.model, watched, NOW + 10).text
    watched.update(set(), NOW + 10)
    assert "well, 20 s more" in repair.verdict(village.model, watched, NOW + 20).text
    watched.update(set(), NOW + 40)
    assert repair.verdict(village.model, watched, NOW + 40).text == "● FIXED. All is well for 30 s."


def test_the_lab_without_a_pretend_network_says_so(village: Village) -> None:
    assert "nothing can be broken" in said(repair.lab_rows(village.model, None, "", LOOK))[0]


@pytest.mark.parametrize(
    "screen",
    ["home", "link", "site", "device", "metric", "events", "messages", "map", "advice", "lab", "palette"],
)
def test_help_fits_and_names_keys_and_signs(screen: str) -> None:
    for look in (LOOK, SMALL):
        rows = help.rows(screen, "signal: how loud", ("open", "advice"), look)
        shown = said(rows)
        assert any("F2" in each for each in shown)
        assert any("NO NEWS" in each for each in shown)
        assert all(width(row.draw()) <= look.width for row in rows)


def test_keys_avoid_what_fails_on_other_keyboards() -> None:
    for key in keys.KEYS:
        for name in key.keys.split(","):
            assert not re.fullmatch(r"[0-9@{}\[\]\\|~^€#]", name)
    taken = [name for key in keys.KEYS for name in key.keys.split(",")]
    assert len(taken) == len(set(taken))
    assert set(keys.texts(str)) == {key.action for key in keys.KEYS}


def test_headlines_of_the_console_are_short(village: Village) -> None:
    for link in village.model.links.values():
        assert len(phrases.headline(village.model, link, NOW)) <= 60


def test_status_lines(village: Village) -> None:
    shown = list(status.lines(village.model, NOW, True))
    assert shown[0] == "Red Cerro Norte: 2 need you, 1 OK, 1 no data"
    assert "  DOWN Escuela-Cerro 34 min, 46 homes: no power" in shown
    assert "  OK Torre-Cerro: signal -57/-58 dBm, measured 12 s ago" in shown
    assert "NO CONTACT" in "\n".join(status.lines(village.model, NOW, False))
