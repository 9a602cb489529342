"""One command: what will happen and who is cut off, how far it is, what came of it, what puts it back."""

from __future__ import annotations

import datetime
from functools import partial

from ayni_console.job import ASKED_AGAIN, FORCEABLE, Job, Step
from ayni_console.lines import Line, Span, fit, line, wrap
from ayni_console.view.page import BLANK, Look, Row, text
from ayni_core.onlooking.model import Model
from ayni_core.wire.questions import Reading
from ayni_io import words
from ayni_io.i18n import _, say
from ayni_io.phrases import thing

MARKS = {
    "done": ("●", "ok"), "failed": ("■", "down"), "refused": ("×", "weak"), "expired": ("×", "weak"),
    "undone": ("▲", "weak"),
}  # fmt: skip


def title(model: Model, job: Job) -> str:
    """`Torre: ping 9.9.9.9`: what was asked for, where."""
    asked = job.asked
    rest = " ".join(word for word in (asked.do, asked.item, asked.target, asked.value) if word)
    return f"{thing(model, job.kind, asked.where)}: {words.clean(rest)}"


def state_word(job: Job) -> str:
    """Where it stands, in a word or two."""
    match job.stage:
        case "looking" | "plan":
            return _("not given")
        case "given":
            return _("under way")
        case "lost":
            return _("no word")
    return end_word(job.last.state if job.last is not None else "")


def end_word(state: str) -> str:
    """How it ended."""
    match state:
        case "done":
            return _("DONE")
        case "failed":
            return _("FAILED")
        case "refused":
            return _("REFUSED")
        case "expired":
            return _("TOO LATE")
        case "undone":
            return _("UNDONE")
    return state


def rows(model: Model, job: Job, look: Look) -> list[Row]:
    """The body of its page."""
    made = [text(" ", Span(title(model, job), "head")), BLANK]
    if job.plan is not None and job.order.doing.changes:
        made += _plan(job, look)
    match job.stage:
        case "looking":
            if job.problem:
                made += [*_paragraph("?", "nonews", job.problem, look), BLANK]
                made.append(_choice("look", _("Ask again"), look))
            else:
                made.append(text("   ", _("Asking what would happen …")))
        case "plan":
            made += [BLANK, _choice("leave", _("No, leave it as it is"), look)]
            made.append(_choice("give", _("Yes, do it"), look))
        case "given" if not job.steps:
            made.append(text("   ", _("Given. Waiting for the monitor …")))
    made += _steps(job, look)
    if job.stage == "lost":
        made += _paragraph("?", "nonews", job.problem, look)
    made += _after(job, look)
    if job.lines:
        made += [BLANK, *(text("   ", each) for each in job.lines)]
    return made


def _plan(job: Job, look: Look) -> list[Row]:
    made: list[Row] = []
    says = job.plan.says if job.plan is not None else ()
    for number, sentence in enumerate(says):
        mark, style = ("▲", "weak") if number == 0 else (" ", "")
        made += _paragraph(mark, style, say(sentence), look)
    return made


def _steps(job: Job, look: Look) -> list[Row]:
    made: list[Row] = [BLANK] if job.steps and made_before(job) else []
    for number, step in enumerate(job.steps):
        ended = job.over and number == len(job.steps) - 1
        state = job.last.state if ended and job.last is not None else ""
        mark, style = MARKS.get(state, ("·", ""))
        said = f"{end_word(state)}: {ending(job, step)}" if state else sentence(step)
        made += _paragraph(mark, style, f"{time_of_day(step.at)}  {said}", look)
    return made


def made_before(job: Job) -> bool:
    """Whether something stands above the steps."""
    return job.plan is not None and job.order.doing.changes


def sentence(step: Step) -> str:
    """What was said; on probation with the time of day, which stands still while seconds run."""
    if step.until is not None:
        return _("It is so. Undone at {time} unless the central confirms.", time=time_of_day(step.until))
    said = say(step.text)
    return f"{said} ({round(100 * step.progress)} %)" if 0 < step.progress < 1 else said


def ending(job: Job, step: Step) -> str:
    """What came of it; where the sentence speaks of the command line, in words for this screen."""
    if job.why in FORCEABLE:
        return {
            "refused.on_path": _("it is on the only way to its monitor, and this cannot be undone"),
            "refused.far": _("it is far from its monitor: what this cuts off nobody can undo"),
        }[job.why]
    if job.why in ASKED_AGAIN:
        return _("no word from the monitor any more; what became of it is not known")
    return say(step.text)


def _after(job: Job, look: Look) -> list[Row]:
    made: list[Row] = []
    ends_at = job.ends_itself_at()
    if ends_at is not None:
        made += _paragraph(" ", "", _("It ends by itself at {time}.", time=words.clock(ends_at)), look)
    if job.stage == "lost" or (job.over and job.why in ASKED_AGAIN):
        made.append(_choice("again", _("Ask again; nothing is done twice"), look))
    elif job.stage == "refused" and job.why in FORCEABLE and not job.asked.force:
        label = _("All the same: somebody is ready to go")
        made.append(_choice("force", label, look))
    elif job.over:
        undo = job.undo()
        if undo is not None and (ends_at is None or look.now < ends_at):
            label = _("Put it back: port {item} {value}", item=undo.item, value=undo.value)
            if undo.do == "plan":
                label = _("End it now: back to its own plan")
            made.append(_choice("undo", label, look))
        made.append(_choice("repeat", _("Do it once more"), look))
    return [BLANK, *made] if made else []


def _choice(key: str, label: str, look: Look) -> Row:
    return Row(partial(line, "   ", fit(label, look.width - 4)), key)


def _paragraph(mark: str, style: str, said: str, look: Look) -> list[Row]:
    first, *rest = wrap(said, look.width - 4)
    return [text(" ", Span(mark, style), " ", first), *(text("   ", each) for each in rest)]


def time_of_day(at: float) -> str:
    """To the second: one reads such a moment once."""
    return f"{datetime.datetime.fromtimestamp(at):%H:%M:%S}"


def as_message(model: Model, job: Job) -> str:
    """The command for any chat."""
    said = [title(model, job), *(f"{time_of_day(step.at)} {sentence(step)}" for step in job.steps)]
    return "\n".join([*said, *job.lines])


# ---- choosing a port


def ports(readings: tuple[Reading, ...], do: str) -> list[tuple[str, dict[str, Reading]]]:
    """The ports of a device with what they say; for power only those that give it, where that is known."""
    found: dict[str, dict[str, Reading]] = {}
    for reading in readings:
        if reading.group in ("interface", "poe") and reading.item:
            found.setdefault(reading.item, {})[reading.metric] = reading
    powered = {reading.item for reading in readings if reading.group == "poe" and reading.item}
    chosen = powered if do == "poe" and powered else found.keys()
    return [(name, found[name]) for name in sorted(chosen, key=_in_order)]


def _in_order(name: str) -> tuple[str, int, str]:
    """`ether2` before `ether10`."""
    head = name.rstrip("0123456789")
    digits = name[len(head) :]
    return head, int(digits) if digits else -1, name


def port_rows(readings: tuple[Reading, ...], do: str, look: Look, problem: str) -> list[Row]:
    """Every port: whether it is up, how fast, since when that is known."""
    about = {
        "port": _("Which port? Enter shows first what would happen."),
        "poe": _("The power of which port goes off and on again? Enter shows first what would happen."),
    }[do]
    made = [text(" ", each) for each in wrap(about, look.width - 2)] + [BLANK]
    found = ports(readings, do)
    if problem:
        made.append(text(" ? ", problem))
    elif not readings:
        made.append(text("   ", _("Asking the central …")))
    elif not found:
        made.append(text("   ", _("This device tells of no ports.")))
    made += [Row(partial(_port_line, name, said, look), f"port:{name}") for name, said in found]
    return [*made, BLANK, _choice("name", _("Another one: type its name"), look)] if readings else made


def _port_line(name: str, said: dict[str, Reading], look: Look) -> Line:
    up = is_up(said)
    mark, word, style = ("?", _("NOT KNOWN"), "nonews")
    if up is not None:
        mark, word, style = ("●", _("up"), "ok") if up else ("■", _("down"), "down")
    speed, power = said.get("speed_bps"), said.get("power_w")
    parts = [
        _("{rate} Mb/s", rate=words.number(float(speed.value) / 1e6))
        if speed is not None and isinstance(speed.value, int | float) and speed.value and up
        else "",
        words.number(float(power.value), 1, "W")
        if power is not None and isinstance(power.value, int | float)
        else "",
    ]
    newest = max((reading.at for reading in said.values()), default=None)
    age = "" if newest is None else _("{age} ago", age=words.duration(look.now - newest))
    rest = "  ".join(part for part in parts if part)
    return line(
        "   ", fit(name, 18), " ", Span(f"{mark} {fit(word, 10)}", style), " ",
        fit(rest, max(look.width - 3 - 18 - 1 - 12 - 1 - 13, 0)), Span(fit(age, 12), "dim"),
    )  # fmt: skip


def is_up(said: dict[str, Reading]) -> bool | None:
    """Whether a port works; None: it does not say."""
    oper = said.get("if_oper")
    return None if oper is None or not isinstance(oper.value, int) else oper.value == 1
