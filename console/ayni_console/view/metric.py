"""One metric of one thing over time: its plot, and below it the samples themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from ayni_console.lines import Line, Span, fit, line
from ayni_console.view import values
from ayni_console.view.link import ZOOMS, plot_rows, span_name
from ayni_console.view.page import Look, Row, room_for, text
from ayni_core.metrics import METRICS
from ayni_core.wire.questions import AskHistory, Bucket
from ayni_io import words
from ayni_io.i18n import _


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """What is looked at: a metric of a link's side, or of a device's item."""

    metric: str
    link: str | None = None
    side: str | None = None
    device: str | None = None
    group: str | None = None
    item: str | None = None

    def ask(self, start: float, end: float, step_s: float) -> AskHistory:
        """The question that fetches it."""
        return AskHistory(
            start=start, end=end, step_s=step_s, metric=self.metric, device=self.device, group=self.group,
            item=self.item, link=self.link, side=self.side,
        )  # fmt: skip


@dataclass(slots=True)
class Past:
    """What was asked: steps for the plot."""

    zoom: str = "day"
    steps: Sequence[Bucket] = ()
    start: float = 0.0
    end: float = 0.0
    step_s: float = 0.0
    problem: str = ""


def step_s(zoom: str, columns: int, poll_s: float) -> float:
    """Seconds a column of a plot stands for; never less than a poll."""
    return max(ZOOMS[zoom] / max(columns, 1), poll_s, 1.0)


def rows(series: Series, past: Past, look: Look) -> list[Row]:
    """The body: meaning, plot, table of what was measured, newest first."""
    made = [
        text(" ", Span(values.meaning(series.metric), "meaning")),
        text(" ", Span(f"{values.label(series.metric)}, {span_name(past.zoom)}", "head")),
    ]
    if past.problem:
        return [*made, text(" ? ", past.problem)]
    if not past.end:
        return [*made, text("   ", _("Asking the central …"))]
    entry = METRICS.get(series.metric)
    counted = entry is not None and entry.kind == "counter"
    height = max(room_for(look) // 2, 5)
    largest = max((abs(step.high) for step in past.steps), default=0.0)
    least = 10.0 if entry and entry.unit in ("dBm", "dB", "%") else largest / 5
    made += plot_rows(
        past.steps, past.start, past.end, look, height, least_span=least, zoom=past.zoom, step_s=past.step_s,
        label=partial(shown, series.metric, counted),
    )  # fmt: skip
    if past.steps:
        made.append(Row(_table_head, sticky=True))
    for bucket in sorted(past.steps, key=lambda each: -each.at):
        made.append(Row(partial(_sample_line, series.metric, counted, bucket, look), f"at:{bucket.at}"))
    return made


def shown(metric: str, counted: bool, value: float) -> str:
    """A value of a plot or a table; counters come as rates per second."""
    if counted:
        unit = METRICS[metric].unit
        return values.value("tx_rate_bps", value * 8) if unit == "B" else words.number(value, 2) + "/s"
    entry = METRICS.get(metric)
    if entry is not None and entry.kind == "state":
        return words.number(value, 0)
    return values.value(metric, round(value, 2))


def _table_head() -> Line:
    return line(Span(
        "   " + fit(_("time"), 14) + fit(_("least"), 14) + fit(_("mean"), 14) + fit(_("largest"), 14), "head"
    ))  # fmt: skip


def _sample_line(metric: str, counted: bool, bucket: Bucket, look: Look) -> Line:
    parts = (shown(metric, counted, value) for value in (bucket.low, bucket.mean, bucket.high))
    return line("   ", fit(words.when(bucket.at, look.now), 14), *(fit(part, 14) for part in parts))
