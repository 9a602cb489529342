"""The file of a map, read strictly: every fault at once. Its format: configs/sources/README.md"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ayni_core.message import Phrase
from ayni_core.metrics import METRICS
from ayni_core.readings import GROUPS
from ayni_core.schema import A_MAPPING, Fields, did_you_mean, one_of
from ayni_core.units import Step, conversions, unit_fault
from ayni_core.webmap import Derived, Field, Map, Path, Reading, Request, Rows, Share, Table, Test

_AS = ("text", "mac", "ip", "number")


def read_metrics_map(name: str, fields: Fields) -> Map:
    """A map for pages of metrics: `include`, `metrics`, `derived`, `shares`."""
    about = fields.text("about")
    include = fields.texts("include")
    tables = fields.items("metrics", _metric, required=True)
    derived = fields.items("derived", lambda each: _derived(each, tables))
    shares = fields.items("shares", _share)
    fields.done()
    return Map(
        name=name, about=about, requests={}, sets={}, tables=tables, derived=derived, shares=shares,
        include=include,
    )  # fmt: skip


def read_json_map(name: str, fields: Fields) -> Map:
    """A map for JSON: `requests`, `sets`, `tables`, `derived`."""
    about = fields.text("about")
    requests = fields.named("requests", lambda _name, each: _request(each), required=True)
    if not requests:
        fields.fault("requests", "fault.expected", wanted=Phrase("word.at_least_one"))
    known: list[str] = []

    def one_set(called: str, each: Fields) -> tuple[Rows, Field]:
        result = _rows(each, requests, known), _field(each)
        each.done()
        known.append(called)
        return result

    sets = fields.named("sets", one_set)
    tables = fields.items("tables", lambda each: _table(each, requests, known), required=True)
    derived = fields.items("derived", lambda each: _derived(each, tables))
    fields.done()
    return Map(
        name=name, about=about, requests=requests, sets=sets, tables=tables, derived=derived, shares=()
    )


def _request(fields: Fields) -> Request:
    words = fields.texts("ubus")
    path = fields.text("path", None)
    if "ubus" in fields and len(words) != 2:
        fields.fault("ubus", "fault.expected", wanted=Phrase("word.ubus"))
    if not words and path is None:
        fields.faults.add(fields.path, "fault.expected", wanted=Phrase("word.ubus_path"))
    if path and not re.fullmatch(r"[!-~]*", path):
        fields.fault("path", "fault.must_not_hold", what=Phrase("word.blanks"))
    arguments = fields.raw("arguments", {})
    if not isinstance(arguments, Mapping):
        fields.fault("arguments", "fault.expected", wanted=A_MAPPING)
        arguments = {}
    request = Request(
        ubus=(words[0], words[1]) if len(words) == 2 else None,
        arguments=dict(arguments),
        path=path,
        inside=fields.text("inside", ""),
        optional=fields.boolean("optional", False),
    )
    fields.done()
    return request


# ---- rows, fields, tests


def _rows(fields: Fields, requests: Mapping[str, Request], sets: list[str]) -> Rows:
    source: str = fields.text("from")
    if source and source not in requests:
        hint = did_you_mean(source, requests)
        fields.fault("from", "fault.unknown", what=Phrase("word.request"), name=source, hint=hint)
    paths = tuple(_path(fields, "rows", text) for text in fields.texts("rows", ("",)))
    return Rows(source=source, paths=paths, tests=_tests(fields, sets))


def _path(fields: Fields, key: str, text: str) -> Path:
    steps = tuple(text.split(".")) if text else ()
    if any(not step or (step != "*" and "*" in step) for step in steps) or len(steps) > 16:
        fields.fault(key, "fault.no_path", given=text, example="data.*.links.*")
    return steps


def _field(fields: Fields, default_as: str = "text") -> Field:
    """The keys of a field, among others of the mapping."""
    at = fields.text("at", None)
    pattern = fields.text("match", None)
    chosen = [key for key in ("at", "key", "label", "text") if key in fields]
    if len(chosen) > 1:
        fields.faults.add(fields.path, "fault.expected", wanted=one_of(*chosen))
    if at and "*" in at:
        fields.fault("at", "fault.must_not_hold", what="*")
    return Field(
        at=_path(fields, "at", at) if at else None,
        key=fields.number("key", 0, at_least=1, at_most=8, whole=True) if "key" in fields else 0,
        label=fields.text("label", ""),
        text=fields.text("text", ""),
        as_=fields.choice("as", _AS, default_as),
        match=_pattern(fields, "match", pattern),
    )


def _pattern(fields: Fields, key: str, text: str | None) -> re.Pattern[str] | None:
    if text is None:
        return None
    try:
        return re.compile(text)
    except re.error as error:
        fields.fault(key, "fault.pattern", given=text, cause=str(error))
        return None


def _tests(fields: Fields, sets: list[str]) -> tuple[Test, ...]:
    given = fields.raw("when")
    each = given if isinstance(given, list) else [] if given is None else [given]
    return tuple(
        _test(Fields(one, f"{fields.at('when')}[{index}]", fields.faults), sets)
        for index, one in enumerate(each)
    )


def _test(fields: Fields, sets: list[str]) -> Test:
    field = _field(fields)
    tests = ("is", "not", "in", "not_in", "same", "matches", "exists")
    asked = [key for key in tests if key in fields]
    if len(asked) != 1:
        fields.faults.add(fields.path, "fault.expected", wanted=one_of(*tests))
        fields.done()
        return Test(field=field)
    key = asked[0]
    among = ""
    if key in ("in", "not_in"):
        among = fields.text(key)
        if among not in sets:
            what, hint = Phrase("word.set"), did_you_mean(among, sets)
            fields.fault(key, "fault.unknown", what=what, name=among, hint=hint)
    same = None
    if key == "same":
        below = fields.child("same")
        same = _field(below)
        below.done()
    test = Test(
        field=field,
        equals=_words(fields, key) if key in ("is", "not") else None,
        among=among,
        same=same,
        matches=_pattern(fields, key, fields.text("matches")) if key == "matches" else None,
        negate=key in ("not", "not_in") or (key == "exists" and not fields.boolean("exists")),
    )
    fields.done()
    return test


def _words(fields: Fields, key: str) -> frozenset[str]:
    given = fields.raw(key)
    each = given if isinstance(given, list) else [given]
    if not each or any(isinstance(one, Mapping | list) for one in each):
        fields.fault(key, "fault.expected", wanted=Phrase("word.values"))
    return frozenset(str(one).lower() if isinstance(one, bool) else str(one) for one in each)


# ---- tables and readings


def _metric(fields: Fields) -> Table:
    """One entry of `metrics`: a name, and the reading that it is."""
    rows = Rows(name=fields.text("name"), tests=_tests(fields, []))
    group, item = _group(fields), _item(fields)
    reading = _reading(fields, done=False)
    fields.done()
    return Table(rows=rows, group=group, item=item, readings=(reading,))


def _table(fields: Fields, requests: Mapping[str, Request], sets: list[str]) -> Table:
    table = Table(
        rows=_rows(fields, requests, sets),
        group=_group(fields),
        item=_item(fields),
        readings=fields.items("readings", _reading, required=True),
        known=fields.boolean("known", False),
    )
    fields.done()
    return table


def _group(fields: Fields) -> str:
    group: str = fields.choice("group", GROUPS)
    return group


def _item(fields: Fields) -> tuple[Field, ...]:
    """A text, a field, or a list of them: the parts of the item."""
    given = fields.raw("item", "")
    parts = given if isinstance(given, list) else [given] if given != "" else []
    found = []
    for index, part in enumerate(parts):
        if isinstance(part, str):
            found.append(Field(text=part))
            continue
        below = Fields(part, f"{fields.at('item')}[{index}]", fields.faults)
        found.append(_field(below))
        below.done()
    return tuple(found)


def _reading(fields: Fields, *, done: bool = True) -> Reading:
    metric: str = fields.text("metric")
    known = METRICS.get(metric)
    if metric and known is None and not metric.startswith("_"):
        hint = did_you_mean(metric, METRICS)
        fields.fault("metric", "fault.unknown", what=Phrase("word.metric"), name=metric, hint=hint)
    none = fields.raw("none", [])
    nones = none if isinstance(none, list) else [none]
    if not all(isinstance(one, int | float) and not isinstance(one, bool) for one in nones):
        fields.fault("none", "fault.expected", wanted=Phrase("word.numbers"))
        nones = []
    below = fields.child("states") if "states" in fields else None
    states = (
        {key: below.number(key, whole=True) for key in tuple(below.keys())} if below is not None else None
    )
    reading = Reading(
        metric=metric,
        field=_field(fields),
        steps=_steps(fields, known.unit if known else ""),
        none=frozenset(nones),
        states=states,
        each=fields.text("each", ""),
    )
    if done:
        fields.done()
    return reading


def _steps(fields: Fields, unit: str) -> tuple[Step, ...]:
    steps: list[Step] = []
    given = fields.text("unit", None)
    if given is not None:
        known = conversions(unit)
        if given not in known:
            fields.fault("unit", unit_fault(given, unit, known))
        else:
            steps.append(known[given])
    mul, div, add = (fields.number(key, neutral) for key, neutral in (("mul", 1), ("div", 1), ("add", 0)))
    if div == 0:
        fields.fault("div", "fault.zero")
        div = 1
    return (*steps, (mul, div, add)) if (mul, div, add) != (1, 1, 0) else tuple(steps)


def _derived(fields: Fields, tables: tuple[Table, ...]) -> Derived:
    group = _group(fields)
    metric: str = fields.text("metric")
    if metric not in METRICS:
        hint = did_you_mean(metric, METRICS)
        fields.fault("metric", "fault.unknown", what=Phrase("word.metric"), name=metric, hint=hint)
    share = fields.text("share", None)
    plus = (share,) if share is not None else fields.texts("plus")
    derived = Derived(
        group=group,
        metric=metric,
        plus=plus,
        minus=fields.texts("minus"),
        of=fields.text("of") if share is not None else "",
    )
    if not plus:
        fields.faults.add(fields.path, "fault.expected", wanted=one_of("plus", "share"))
    made = {reading.metric for table in tables if table.group == group for reading in table.readings}
    for word in (*derived.plus, *derived.minus, *((derived.of,) if derived.of else ())):
        if word not in made and word not in METRICS:
            fields.faults.add(fields.path, "fault.not_made", given=word, hint=did_you_mean(word, made))
    fields.done()
    return derived


def _share(fields: Fields) -> Share:
    share = Share(
        metric=fields.choice("metric", ("cpu_pct",), "cpu_pct"),
        name=fields.text("name"),
        label=fields.text("label"),
        idle=frozenset(fields.texts("idle")),
    )
    fields.done()
    return share
