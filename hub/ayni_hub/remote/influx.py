"""InfluxDB 2 behind the port `Server`: line protocol in, Flux out.

Its traps, and what is done about them. A field keeps the type of its first value, and a whole number after
a fraction is refused with 422: so every value is written without the `i`, which makes it a float. A point
older than the bucket keeps is refused with 422 while its neighbours in the same batch are kept: a batch that
is refused so is counted like any other (`Drain`). Windows of `aggregateWindow` begin at 1970: `offset` moves
them to where our steps begin. A point is its measurement, tags and time: written twice it is one.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from ayni_core.readings import Series
from ayni_hub.remote.lines import TICK_MS, item_of, label
from ayni_hub.remote.server import Found, Numbers, RefusedError
from ayni_hub.store import Step, StoreError

if TYPE_CHECKING:
    from ayni_hub.remote.line_client import LineClient

_BEGIN = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = 9 * 10**11
_KEEP = '|> keep(columns: ["_time", "_value", "_measurement", "_field", "device", "item"])'


class Influx:
    """See `Server`."""

    kind = "influxdb"
    tags = ""
    repeats = "look at its documentation"
    forgets = "give its bucket a longer retention"

    def __init__(self, client: LineClient, where: str, bucket: str) -> None:
        self._client = client
        self.where = where
        self._from = f"from(bucket: {_quoted(bucket)})"

    def name(self, series: Series) -> str:
        """The measurement and the field as one name."""
        return f"{series.group}_{series.metric}"

    def write(self, lines: Sequence[str]) -> None:
        """See `Server.write`."""
        try:
            self._client.write(lines)
        except RefusedError as error:
            if error.status != 422 or "dropped" not in error.said:
                raise

    def read(self, device: str, wanted: Sequence[Series] | None, first: int, end: int) -> Iterator[Found]:
        """See `Server.read`."""
        chosen = _any(_is(each) for each in wanted) if wanted is not None else "true"
        query = f"{self._span(first, end)} |> filter(fn: (r) => {_device(device)} and {chosen}) {_KEEP}"
        found: dict[tuple[str, str], Numbers] = {}
        for row in self._rows(query):
            place = (f"{row['_measurement']}_{row['_field']}", row.get("item", ""))
            found.setdefault(place, []).append((_tick(row["_time"]), _number(row["_value"])))
        for (name, item), samples in found.items():
            yield Found(device, name, item_of(item), samples)

    def count(self, devices: Sequence[str], first: int, last: int) -> int:
        """See `Server.count`."""
        chosen = _any(map(_device, devices))
        query = f"{self._span(first, last + 1)} |> filter(fn: (r) => {chosen}) |> count() |> group() |> sum()"
        return sum(round(_number(row["_value"])) for row in self._rows(query))

    def steps(self, device: str, series: Series, first: int, end: int, step: int) -> list[Step]:
        """See `Server.steps`."""
        chosen = f"{_device(device)} and {_is(series)}"
        length = step * TICK_MS
        window = f"every: {length}ms, offset: {first * TICK_MS % length}ms, createEmpty: false"
        parts = [
            f'data |> aggregateWindow({window}, fn: {function}, timeSrc: "_start")'
            f' |> keep(columns: ["_time", "_value"]) |> yield(name: "{function}")'
            for function in ("min", "mean", "max")
        ]
        query = "\n".join(
            [f"data = {self._span(first, end)} |> filter(fn: (r) => {chosen}) |> group()", *parts]
        )
        found: dict[int, dict[str, float]] = {}
        for row in self._rows(query):
            found.setdefault(_tick(row["_time"]), {})[row.get("result", "")] = _number(row["_value"])
        return [
            Step(at / 100, each["min"], each["mean"], each["max"])
            for at, each in sorted(found.items())
            if len(each) == 3
        ]

    def close(self) -> None:
        """See `Server.close`."""
        self._client.close()

    def _span(self, first: int, end: int) -> str:
        return f"{self._from} |> range(start: {_time(first)}, stop: {_time(end)})"

    def _rows(self, query: str) -> Iterator[dict[str, str]]:
        """The rows of every table of the answer: an empty line, and names of columns come anew."""
        names: list[str] | None = None
        try:
            text = self._client.flux(query).decode("utf-8")
            for row in csv.reader(io.StringIO(text, newline="")):
                if not any(row):
                    names = None
                elif names is None:
                    names = row
                    if "error" in names:
                        raise StoreError(f"reading from {self.kind} at {self.where}: it answers an error")
                    if "_value" not in names:
                        raise self._garbage(text)
                else:
                    yield dict(zip(names, row, strict=True))
        except (ValueError, LookupError, csv.Error) as error:
            raise self._garbage(query) from error

    def _garbage(self, text: str) -> StoreError:
        said = " ".join(text[:80].split())
        return StoreError(f"reading from {self.kind} at {self.where}: not an answer of it: {said!r}")


def _is(series: Series) -> str:
    item = f"r.item == {_quoted(label(series.item))}" if series.item else "not exists r.item"
    return f"(r._measurement == {_quoted(series.group)} and r._field == {_quoted(series.metric)} and {item})"


def _device(name: str) -> str:
    return f"r.device == {_quoted(name)}"


def _any(chosen: Iterator[str]) -> str:
    return f"({' or '.join(chosen)})"


def _quoted(text: str) -> str:
    """A string of Flux; `${` would begin an expression."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("${", "\\${") + '"'


def _time(tick: int) -> str:
    at = _BEGIN + timedelta(milliseconds=min(max(tick, 0), _LATEST) * TICK_MS)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z"


def _tick(text: str) -> int:
    return round((datetime.fromisoformat(text) - _BEGIN) / timedelta(milliseconds=TICK_MS))


def _number(text: str) -> float:
    value = float(text)
    return int(value) if value.is_integer() else value
