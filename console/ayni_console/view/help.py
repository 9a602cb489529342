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
                "Both ends of one link side by side. ▼12 means 12 below normal, = means as always. plan is "
                "what the link's budget says, new what was measured when it was new, week a week ago. H/V "
                "are the two halves of the radio signal: they should be even. Below: the past of the marked "
                "end, and the signs of the probable cause: ● seen, × not seen, - nobody can tell from here. "
                "Enter on the line of ages opens everything that the marked end says."
            )
        case "end":
            return _(
                "What one end of the link says: how it hears the other, its radio, its cable. plan, new and "
                "week are what is normal by plan, when new and a week ago. Enter shows a number over time."
            )
        case "align":
            return _(
                "For turning an antenna: what both ends hear, and the best so far. The nearer to 0, the "
                "better. The bell of the marked end grows quicker with the signal and is silent when the "
                "number is old. Wait five seconds after each turn."
            )
        case "site":
            return _(
                "What is wrong at this site, what stands there and how it is, where its power comes from. "
                "The lines above the keys say more of the selected one. Enter opens it; on an alarm: advice."
            )
        case "device":
            return _(
                "Every number this device gives, with its age. The lines above the keys say what the "
                "selected one means. Enter shows a number over time. Ports, other sides and neighbours "
                "stand in tables: Enter shows all that one says, and hides it again (so do the arrows right "
                "and left)."
            )
        case "metric":
            return _(
                "One number over time: the line is the mean, the haze around it reaches from the least to "
                "the largest, the straight line is normal. Enter shows the values as they were measured."
            )
        case "samples":
            return _("Every value with the second in which it was measured, newest first.")
        case "events":
            return _(
                "What happened, newest first, and the notes people wrote. n writes one, v shows only notes "
                "or only alarms. Going down brings older ones, without end. A word that is entered after / "
                "is looked for over all that the central remembers."
            )
        case "health":
            return _(
                "How Ayni itself is. Of each monitor: how old its last report is, what waits there for the "
                "central, how long there is room for more, what its link carried this month (of its limit in "
                "MB), and its clock. Enter shows it in full."
            )
        case "monitor":
            return _(
                "All that one monitor says of itself, what it looks after and what it told. What waits there "
                "is sent by itself once there is a way."
            )
        case "messages":
            return _("The ways to people and whether they work; below, what people were told, newest first.")
        case "map":
            return _(
                "Which site is reached through which: the way to the Internet begins on the left. begins "
                "here: what is wrong there explains what is behind it, so look there first. The arrow "
                "left folds a branch, right unfolds it. v changes to the sites at their places, north "
                "up: arrows go to the nearest site, z looks closer, Z shows more."
            )
        case "advice":
            return _(
                "Steps against the probable cause. Enter: done, go on. x: it could not be done. w: other "
                "ideas. The line below the steps shows the numbers. Nothing counts as fixed before it stayed "
                "well."
            )
        case "language":
            return _("Enter takes the language or the colours at once, on every screen.")
        case "replay":
            return _(
                "Shows on all screens what was, out of what the central has stored. Enter begins; p "
                "stands still, f goes faster, r leads back here and to now. Nothing can be done in the "
                "past."
            )
        case "farewell":
            return _("The village ends with this console. What do you want to do next?")
        case "do":
            return _(
                "All that can be done about one thing. Nothing happens before it is said what will "
                "happen and who is cut off. Notes, alarms and commands carry your name and are written "
                "down."
            )
        case "who":
            return _(
                "Several people use this login. Say who you are: notes need only that, what changes "
                "something also your PIN. After a quarter of an hour without an action it is asked for "
                "again."
            )
        case "ports":
            return _("The ports of a device. Enter shows what would happen; nothing is done yet.")
        case "command":
            return _(
                "First what will happen and who is cut off, then how far it is and what came of it. It "
                "goes on when you leave this screen: d leads back to it. What cuts off its own way back "
                "is undone."
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
