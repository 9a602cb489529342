"""One query, three ways to ask it: what a dashboard shows, for Prometheus, VictoriaMetrics and InfluxDB.

What the hub's page `/metrics` says has the same name everywhere. Readings of devices have two: those on the
page (`ayni_voltage_v`, group as a label), and those that the hub itself stored on a server (`power_voltage_v`
on VictoriaMetrics; measurement `power`, field `voltage_v` on InfluxDB).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

STORES = ("prometheus", "victoriametrics", "influxdb")
WEEK = "7d"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """`name` is a family of the page; with a `group` it is a metric of the glossary, read from where readings
    are. `where` maps labels to a value, or to a variable such as `$link`, of which several may be chosen.
    `rate`: how much a counter grows a second. `by`: added up by these labels. `age`: seconds since then."""

    name: str
    group: str = ""
    where: Mapping[str, str] = field(default_factory=dict)
    rate: bool = False
    by: tuple[str, ...] | None = None
    times: float = 1
    age: bool = False
    week_ago: bool = False
    only: float | None = None
    legend: str = ""


def promql(ask: Ask, store: str) -> str:
    """As PromQL; MetricsQL understands the same."""
    name, where = ask.name, dict(ask.where)
    if ask.group and store == "victoriametrics":
        name, where = f"{ask.group}_{ask.name}", {"db": "$db", **where}
    elif ask.group:
        name, where = f"ayni_{ask.name}" + ("_total" if ask.rate else ""), {**where, "group": ask.group}
    marks = ",".join(
        f'{label}=~"{value}"' if value.startswith("$") else f'{label}="{value}"'
        for label, value in where.items()
    )
    text = f"{name}{{{marks}}}" if marks else name
    if ask.rate:
        text = f"rate({text}[$__rate_interval]{' offset ' + WEEK if ask.week_ago else ''})"
    elif ask.week_ago:
        text += f" offset {WEEK}"
    if ask.only is not None:
        text += f" == {ask.only:g}"
    if ask.by is not None:
        text = f"sum by ({', '.join(ask.by)}) ({text})" if ask.by else f"sum({text})"
    if ask.times != 1:
        text += f" * {ask.times:g}"
    return f"time() - {text}" if ask.age else text


def flux(ask: Ask) -> str:
    """As Flux. What the page says lies in a bucket of its own, a measurement for each name, as InfluxDB's own
    scraper and Telegraf's `inputs.prometheus` write it."""
    if ask.group:
        bucket, measurement, fields = "${bucket}", ask.group, (ask.name,)
    else:
        counter = ask.rate or ask.name.endswith("_total")
        bucket, measurement, fields = "${hub_bucket}", ask.name, ("counter",) if counter else ("gauge",)
    start, stop = "v.timeRangeStart", "v.timeRangeStop"
    lines = []
    if ask.week_ago:
        lines += ['import "date"', ""]
        start, stop = f"date.sub(from: {start}, d: {WEEK})", f"date.sub(from: {stop}, d: {WEEK})"
    tests = [f'r._measurement == "{measurement}"', *(f'r._field == "{each}"' for each in fields)]
    for label, value in ask.where.items():
        if value.startswith("$"):
            tests.append(f"r.{label} =~ /^${{{value[1:]}:regex}}$/")
        else:
            tests.append(f'r.{label} == "{value}"')
    lines += [
        f'from(bucket: "{bucket}")',
        f"  |> range(start: {start}, stop: {stop})",
        f"  |> filter(fn: (r) => {' and '.join(tests)})",
    ]
    if ask.rate:
        lines.append("  |> derivative(unit: 1s, nonNegative: true)")
    lines.append(
        "  |> aggregateWindow(every: v.windowPeriod, "
        f"fn: {'last' if 'state' in ask.name or ask.age else 'mean'}, createEmpty: false)"
    )
    if ask.only is not None:
        lines.append(f"  |> filter(fn: (r) => r._value == {float(ask.only)})")
    if ask.by is not None:
        columns = ", ".join(f'"{each}"' for each in ("_time", *ask.by))
        lines.append(f"  |> group(columns: [{columns}])")
        lines.append("  |> sum()")
        lines.append(f"  |> group(columns: [{', '.join(chr(34) + each + chr(34) for each in ask.by)}])")
    if ask.times != 1:
        lines.append(f"  |> map(fn: (r) => ({{r with _value: r._value * {float(ask.times)}}}))")
    if ask.age:
        since = "float(v: uint(v: now())) / 1000000000.0 - r._value"
        lines.append(f"  |> map(fn: (r) => ({{r with _value: {since}}}))")
    if ask.week_ago:
        lines.append(f"  |> timeShift(duration: {WEEK})")
    return "\n".join(lines)


def choices(name: str, label: str, store: str, where: Mapping[str, str] | None = None) -> str:
    """The query of a variable: the values that a label of a family has."""
    if store != "influxdb":
        marks = ",".join(f'{key}=~"{value}"' for key, value in (where or {}).items())
        return f"label_values({name}{{{marks}}}, {label})" if marks else f"label_values({name}, {label})"
    tests = [f'r._measurement == "{name}"']
    tests += [f"r.{key} =~ /^${{{value[1:]}:regex}}$/" for key, value in (where or {}).items()]
    return "\n".join(
        [
            'import "influxdata/influxdb/schema"',
            "",
            f'schema.tagValues(bucket: "${{hub_bucket}}", tag: "{label}", '
            f"predicate: (r) => {' and '.join(tests)}, start: -30d)",
        ]
    )
