"""One metric of one thing over time: plot and steps; deeper still the values as they were measured."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from ayni_console.lines import Line, Span, fit, line, spread, wrap
from ayni_console.plot import Curve
from ayni_console.view.page import Look, Row, room_for, text
from ayni_console.view.past import Level, Plot, legend, plot_rows, span_name
from ayni_core.metrics import METRICS
from ayni_core.wire.questions import AskHistory, AskSamples, Bucket, Sample
from ayni_io import values, words
from ayni_io.i18n import _, _n


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

    def ask_samples(self, before: float) -> AskSamples:
        """The question that fetches it as it was measured."""
        return AskSamples(
            before=before, metric=self.metric, device=self.device, group=self.group, item=self.item,
            link=self.link, side=self.side,
        )  # fmt: skip

    @property
    def counts(self) -> bool:
        """Whether it only grows, and comes as a rate."""
        entry = METRICS.get(self.metric)
        return entry is not None and entry.kind == "counter"


@dataclass(slots=True)
class Past:
    """What was asked: steps for the plot, and what is normal."""

    zoom: str = "day"
    steps: Sequence[Bucket] = ()
    start: float = 0.0
    end: float = 0.0
    step_s: float = 0.0
    problem: str = ""
    levels: Sequence[Level] = ()


def rows(series: Series, past: Past, look: Look) -> list[Row]:
    """The body: meaning, plot, table of what was measured, newest first."""
    title = Span(f"{values.label(series.metric)}, {span_name(past.zoom)}", "head")
    entry = METRICS.get(series.metric)
    largest = max((abs(step.high) for step in past.steps), default=0.0)
    plot = Plot(
        curves=[Curve(steps=past.steps, step_s=past.step_s)],
        start=past.start,
        end=past.end,
        zoom=past.zoom,
        levels=past.levels,
        least_span=10.0 if entry and entry.unit in ("dBm", "dB", "%") else largest / 5,
        label=partial(shown, series.metric, series.counts),
    )
    made = [
        text(" ", Span(values.meaning(series.metric), "meaning")),
        Row(partial(spread, line(" ", title), (), (*legend(plot, look), Span(" ")), look.width)),
    ]
    if past.problem:
        return [*made, text(" ? ", past.problem)]
    if not past.end:
        return [*made, text("   ", _("Asking the central …"))]
    made += plot_rows(plot, look, max(room_for(look) // 2, 5))
    if past.steps:
        made.append(Row(partial(_table_head, look), sticky=True))
    for bucket in sorted(past.steps, key=lambda each: -each.at):
        made.append(Row(partial(_step_line, series, bucket, look), f"at:{bucket.at}"))
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


def _columns(look: Look) -> int:
    return min((look.width - 4) // 4, 18)


def _table_head(look: Look) -> Line:
    names = (_("time"), _("least"), _("mean"), _("largest"))
    return line(Span("   " + "".join(fit(name, _columns(look)) for name in names), "head"))


def _step_line(series: Series, bucket: Bucket, look: Look) -> Line:
    parts = (shown(series.metric, series.counts, value) for value in (bucket.low, bucket.mean, bucket.high))
    size = _columns(look)
    return line("   ", fit(words.when(bucket.at, look.now), size), *(fit(part, size) for part in parts))


@dataclass(slots=True)
class Measured:
    """Samples that were asked for, newest first; there are older ones before `until`, if that is a time."""

    samples: tuple[Sample, ...] = ()
    until: float | None = None
    asked: bool = False
    problem: str = ""


def sample_rows(series: Series, measured: Measured, look: Look) -> list[Row]:
    """Every value with the second at which it was measured, and where some are missing."""
    meaning = wrap(values.meaning(series.metric), look.width - 2)
    made = [text(" ", Span(piece, "meaning")) for piece in meaning]
    if measured.problem and not measured.samples:
        return [*made, text(" ? ", measured.problem)]
    if not measured.asked:
        return [*made, text("   ", _("Asking the central …"))]
    if not measured.samples:
        return [*made, text("   ", _("Nothing was measured in this time."))]
    head = _n("{n} value as measured", "{n} values as measured", len(measured.samples))
    made.append(Row(partial(line, Span(f" {head}", "head")), sticky=True))
    usual = _usual_gap(measured.samples)
    newer: Sample | None = None
    for number, sample in enumerate(measured.samples):
        if newer is not None and usual and newer.at - sample.at > 2.5 * usual:
            gap = _("nothing for {time}", time=words.duration(newer.at - sample.at))
            made.append(text("   ", Span(gap, "dim")))
        made.append(Row(partial(_sample_line, series.metric, sample, look), f"sample:{number}"))
        newer = sample
    if measured.problem:
        made.append(text(" ? ", measured.problem))
    elif measured.until is not None:
        made.append(text("   ", Span(_("Older ones come as you go down."), "dim")))
    return made


def _usual_gap(samples: Sequence[Sample]) -> float:
    gaps = sorted(one.at - two.at for one, two in pairwise(samples))
    return gaps[len(gaps) // 2] if gaps else 0.0


def _sample_line(metric: str, sample: Sample, look: Look) -> Line:
    then = datetime.datetime.fromtimestamp(sample.at)
    day = words.weekday(sample.at) + " " + words.date(sample.at)
    return line("   ", fit(day, 16), f"{then:%H:%M:%S}   ", values.value(metric, sample.value))
