"""Help for one screen: what it shows, what the selected number means, its keys, the signs."""

from __future__ import annotations

from collections.abc import Sequence

from ayni_console import keys
from ayni_console.lines import Span, cells, fit, wrap
from ayni_console.view.page import BLANK, Look, Row, text
from ayni_io import words
from ayni_io.i18n import _

BAR = {"ok": "█", "weak": "▒", "down": "░", "none": "-"}


def about(screen: str) -> str:
    """What a screen is for, in a sentence or two."""
    match screen:
        case "home":
            return _(
                "DO FIRST lists what needs you, the worst on top. ALL LINKS shows every link: how loud its "
                "two ends hear each other (signal A/B, nearer to 0 is louder), what is normal, how fast "
                "each end sends, how many packets are sent again (repeats), how old the numbers are, and "
                "the last 24 hours."
            )
        case "link":
            return _(
                "Both ends of one link side by side. ▼12 means 12 below normal, = means as always. H/V are "
                "the two halves of the radio signal: they should be even. Below: the past of the marked end."
            )
        case "site":
            return _("What stands at this site and how it is. Enter opens a device or a link.")
        case "device":
            return _(
                "Every number this device gives, with its age. The line on top says what the selected one is."
            )
        case "metric":
            return _("One number over time: █ is the mean, ░ reaches from the least to the largest.")
        case "events":
            return _("What happened, newest first, and the notes people wrote. n writes one.")
        case "messages":
            return _("The ways to people and whether they work; below, what people were told, newest first.")
        case "map":
            return _("Which site is reached through which. z changes to the map drawn by place and back.")
        case "advice":
            return _(
                "Steps against the probable cause. Enter: done, go on. x: it could not be done. w: other "
                "ideas. Nothing counts as fixed before it stayed well."
            )
        case "lab":
            return _("A pretend network: break something, watch what the screens say, try a repair.")
    return _("Type a part of a command's name, Enter starts it.")


def rows(screen: str, meaning: str, shown: Sequence[str], look: Look) -> list[Row]:
    """The body of the help screen."""
    made: list[Row] = []
    if meaning:
        made += [text(" ", Span(piece, "meaning")) for piece in wrap(meaning, look.width - 2)] + [BLANK]
    made += [text(" ", piece) for piece in wrap(about(screen), look.width - 2)] + [BLANK]
    made.append(text(" ", Span(_("KEYS"), "head")))
    sentences = keys.texts(_)
    actions = [*shown, *(each for each in keys.EVERYWHERE if each not in shown)]
    for action in actions:
        key = keys.BY_ACTION[action]
        made += _entry(Span(fit(keys.twin(key), 8), "key"), sentences[action][1], look)
    made += [BLANK, text(" ", Span(_("SIGNS"), "head"))]
    signs = {
        "ok": _("all is well"),
        "weak": _("works, but badly"),
        "down": _("does not work"),
        "no_news": _("nobody has told us for too long; it may well work"),
    }
    for state, means in signs.items():
        mark = Span(fit(f"{words.symbol(state)} {words.word(state)}", 12), words.style(state))
        made += _entry(mark, means, look)
    bar = _("of the last hours: {ok} well  {weak} badly  {down} not  {none} no news", **BAR)
    return made + _entry(Span(fit(_("24 h"), 12), "dim"), bar, look)


def _entry(name: Span, means: str, look: Look) -> list[Row]:
    first, *rest = wrap(means, look.width - cells(name.text) - 5)
    below = " " * (cells(name.text) + 4)
    return [text("   ", name, " ", first), *(text(below, each) for each in rest)]
