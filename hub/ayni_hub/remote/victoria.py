"""VictoriaMetrics behind the port `Server`: line protocol in, raw samples by `export`, sums by MetricsQL.

Its traps, and what is done about them. It answers 204 to whatever it throws away, so nothing counts as kept
before it was counted (`Drain`). Without `-dedup.minScrapeInterval` a sample that was sent twice is there
twice. What was just written is not found for a second or more, and questions about the last 30 seconds
(`-search.latencyOffset`) are answered for an earlier time, unless `nocache=1` says otherwise; so it is with
answers from its cache. Instant queries look back five minutes for a value: raw samples come from `export`,
sums have explicit windows. A query gives at most 30,000 points of a series
(`-search.maxPointsPerTimeseries`).
Numbers keep about 12 digits where those beside them are much larger, else 15 to 17.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ayni_core.readings import Series
from ayni_hub.remote.lines import TICK_MS, item_of, label
from ayni_hub.remote.server import Found, Numbers
from ayni_hub.store import Step, StoreError

if TYPE_CHECKING:
    from ayni_hub.remote.line_client import LineClient

_MOST_POINTS = 10_000
_MOST_DEVICES = 200
"""In one question: a query has at most 16 kB."""
_LATEST = 9 * 10**11
"""In ticks; later times are none that the server takes."""


class Victoria:
    """See `Server`. What is ours carries the label `db`."""

    kind = "victoriametrics"
    repeats = "start it with -dedup.minScrapeInterval=1ms"
    forgets = "start it with a longer -retentionPeriod"

    def __init__(self, client: LineClient, where: str, bucket: str) -> None:
        self._client = client
        self.where = where
        self._ours = f"db={_quoted(bucket)}"
        self.tags = f",db={bucket}"

    def name(self, series: Series) -> str:
        """The measurement and the field as one name."""
        return f"{series.group}_{series.metric}"

    def write(self, lines: Sequence[str]) -> None:
        """See `Server.write`."""
        self._client.write(lines)

    def read(self, device: str, wanted: Sequence[Series] | None, first: int, end: int) -> Iterator[Found]:
        """See `Server.read`."""
        at = f"{self._ours},device={_quoted(device)}"
        matches = [self._selector(device, each) for each in wanted] if wanted is not None else [f"{{{at}}}"]
        body = self._client.ask(
            "/api/v1/export",
            [
                *(("match[]", match) for match in matches),
                ("start", _seconds(_within(first) * TICK_MS)),
                ("end", _seconds(_within(end) * TICK_MS - 1)),
            ],
        )
        for line in body.splitlines():
            found = self._found(line)
            if found is not None and found.samples:
                yield found

    def count(self, devices: Sequence[str], first: int, last: int) -> int:
        """See `Server.count`."""
        # a question that ends with the first millisecond of a day does not find what lies there (1.79)
        window, time = (last - first + 1) * TICK_MS, _seconds(last * TICK_MS + TICK_MS - 1)
        total = 0
        for begin in range(0, len(devices), _MOST_DEVICES):
            names = "|".join(devices[begin : begin + _MOST_DEVICES])  # a device's name has nothing special
            query = f"sum(count_over_time({{{self._ours},device=~{_quoted(names)}}}[{window}ms]))"
            for each in self._query("query", [("query", query), ("time", time)]):
                total += round(_number(_part(each, "value", 1)))
        return total

    def steps(self, device: str, series: Series, first: int, end: int, step: int) -> list[Step]:
        """See `Server.steps`."""
        steps: list[Step] = []
        for begin in range(first, end, step * _MOST_POINTS):
            stop = min(end, begin + step * _MOST_POINTS)
            steps += self._some_steps(device, series, begin, stop, step)
        return steps

    def _some_steps(self, device: str, series: Series, first: int, end: int, step: int) -> list[Step]:
        """Windows are open at their left end, and end with the time they are asked for."""
        length = step * TICK_MS
        functions = '("min_over_time","avg_over_time","max_over_time")'
        query = f"aggr_over_time({functions},{self._selector(device, series)}[{length}ms])"
        asked = [
            ("query", query),
            ("start", _seconds(first * TICK_MS + length - 1)),
            ("end", _seconds(first * TICK_MS + -(-(end - first) // step) * length - 1)),
            ("step", f"{length}ms"),
        ]
        found: dict[int, dict[str, float]] = {}
        for each in self._query("query_range", asked):
            what = _part(each, "metric", "rollup")
            for time, value in _part(each, "values"):
                number = round((float(time) * 1000 + 1) / TICK_MS) - step
                parts = found.setdefault(number, {})
                parts[what] = _number(value)
        return [
            Step(at / 100, parts["min_over_time"], parts["avg_over_time"], parts["max_over_time"])
            for at, parts in sorted(found.items())
            if len(parts) == 3
        ]

    def close(self) -> None:
        """See `Server.close`."""
        self._client.close()

    def _selector(self, device: str, series: Series) -> str:
        return (
            f"{{__name__={_quoted(self.name(series))},{self._ours},device={_quoted(device)},"
            f"item={_quoted(label(series.item))}}}"
        )

    def _found(self, line: bytes) -> Found | None:
        try:
            told = json.loads(line)
            metric = told["metric"]
            samples: Numbers = [
                (time // TICK_MS, value)
                for time, value in zip(told["timestamps"], told["values"], strict=True)
                if value is not None
            ]
            return Found(metric["device"], metric["__name__"], item_of(metric.get("item", "")), samples)
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise self._garbage(line) from error

    def _query(self, kind: str, asked: Sequence[tuple[str, str]]) -> list[Any]:
        body = self._client.ask(f"/api/v1/{kind}", [*asked, ("nocache", "1")])
        try:
            told = json.loads(body)
            if told["status"] != "success":
                raise self._garbage(body)
            result = told["data"]["result"]
            if not isinstance(result, list):
                raise self._garbage(body)
            return result
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            raise self._garbage(body) from error

    def _garbage(self, body: bytes) -> StoreError:
        said = " ".join(body[:80].decode("utf-8", "replace").split())
        return StoreError(f"reading from {self.kind} at {self.where}: not an answer of it: {said!r}")


def _part(value: Any, *path: str | int) -> Any:
    """What lies at a path of an answer; `StoreError` where it does not."""
    try:
        for key in path:
            value = value[key]
    except (LookupError, TypeError) as error:
        raise StoreError(f"reading: an answer without {path[-1]!r}") from error
    return value


def _number(text: Any) -> float:
    try:
        value = float(text)
    except (TypeError, ValueError) as error:
        raise StoreError("reading: an answer with something else where a number belongs") from error
    return int(value) if value.is_integer() else value


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds // 1000}.{milliseconds % 1000:03}"


def _within(tick: int) -> int:
    return min(max(tick, 0), _LATEST)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
