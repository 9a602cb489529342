"""Rules files: mappings become rules, with every fault of a file at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from ayni_core.message import Phrase
from ayni_core.metrics import METRICS
from ayni_core.readings import GROUPS
from ayni_core.rules.rule import BASELINES, CONDITIONS, LEVELS, SCOPES, TESTS, Rule, Window
from ayni_core.rules.sign import SIGNS
from ayni_core.schema import Fields, did_you_mean
from ayni_core.texts import TEXTS

LONGEST_S = 30 * 86_400
NUMBERS: Mapping[str, tuple[float | None, float | None, bool]] = {
    "warn": (None, None, False),
    "critical": (None, None, False),
    "margin": (0, None, False),
    "polls": (1, 1000, True),
    "for_s": (0, LONGEST_S, False),
    "times": (0, 50, True),
    "within_s": (0, LONGEST_S, False),
    "clear_polls": (1, 1000, True),
    "clear_for_s": (0, LONGEST_S, False),
    "floor": (None, None, False),
}
"""The keys of a rule that are numbers: the least, the most, and whether they are whole."""
PER_LEVEL = ("polls", "for_s", "times", "within_s")
"""Those of them that may be given apart for each level: `polls: {warn: 3, critical: 5}`."""


def parse(fields: Fields) -> tuple[Rule, ...]:
    """Read a rules file."""
    return tuple(fields.named("rules", _rule, required=True).values())


def _rule(name: str, fields: Fields) -> Rule:
    test = fields.choice("test", TESTS)
    numbers = read_numbers(fields)
    metric = fields.text("metric")
    if metric and metric not in METRICS and metric not in SIGNS:
        hint = did_you_mean(metric, [*METRICS, *SIGNS])
        fields.fault("metric", "fault.unknown", what=Phrase("word.metric_or_sign"), name=metric, hint=hint)
    suspect = fields.text("suspect", None)
    if suspect is not None and f"cause.{suspect}" not in TEXTS:
        causes = [key.removeprefix("cause.") for key in TEXTS if key.startswith("cause.")]
        hint = did_you_mean(suspect, causes)
        fields.fault("suspect", "fault.unknown", what=Phrase("word.cause"), name=suspect, hint=hint)
    group = fields.text("group", None)
    if group is not None and group not in GROUPS:
        hint = did_you_mean(group, GROUPS)
        fields.fault("group", "fault.unknown", what=Phrase("word.group"), name=group, hint=hint)
    rule = with_numbers(
        Rule(
            name=name,
            scope=fields.choice("scope", SCOPES),
            metric=metric,
            test=test,
            text=fields.choice("text", [key for key in TEXTS if key.startswith("rule.")]),
            group=group,
            items=fields.texts("items"),
            only=_conditions(fields, "only"),
            unless=_conditions(fields, "unless"),
            ignore=_values(fields, "ignore"),
            while_up=fields.boolean("while_up", False),
            daylight=fields.boolean("daylight", False),
            fallback=fields.boolean("fallback", False),
            baseline=fields.choice("baseline", BASELINES, "budget"),
            suspect=suspect,
            on=not fields.boolean("off", False),
        ),
        numbers,
    )
    check(rule, fields)
    fields.done()
    return rule


def read_numbers(fields: Fields) -> dict[str, Any]:
    """The numbers that are given: a value, or (of warn, of critical) where they are given apart."""
    found: dict[str, Any] = {}
    for key, (least, most, whole) in NUMBERS.items():
        given = fields.raw(key)  # it is a key that we know, also where it is not there
        if given is None:
            continue
        if key in PER_LEVEL and isinstance(given, Mapping):
            below = fields.child(key)
            found[key] = tuple(
                below.number(level, None, at_least=least, at_most=most, whole=whole) for level in LEVELS
            )
            below.done()
        else:
            found[key] = fields.number(key, None, at_least=least, at_most=most, whole=whole)
    return found


def with_numbers(rule: Rule, numbers: Mapping[str, Any]) -> Rule:
    """The rule with other numbers; those for both levels are one, or a pair."""
    plain = {key: value for key, value in numbers.items() if key not in PER_LEVEL}
    warn, critical = rule.window(1), rule.window(2)
    for key in PER_LEVEL:
        if key in numbers:
            value = numbers[key]
            mine, graver = value if isinstance(value, tuple) else (value, value)
            default = getattr(Window(), key)
            warn = replace(warn, **{key: default if mine is None else mine})
            critical = replace(critical, **{key: default if graver is None else graver})
    return replace(
        rule,
        **plain,
        polls=warn.polls,
        for_s=warn.for_s,
        times=warn.times,
        within_s=warn.within_s,
        graver=None if critical == warn else critical,
    )


def check(rule: Rule, fields: Fields) -> None:
    """Note what does not fit together in a rule."""
    if rule.test not in ("below_best", "unusual") and rule.warn is None and rule.critical is None:
        fields.fault("warn", "fault.rule_no_limit")
    for rank in (1, 2):
        window = rule.window(rank)
        if bool(window.times) != bool(window.within_s):
            fields.fault("times" if not window.times else "within_s", "fault.times_within")
            break
    if rule.warn is None or rule.critical is None or rule.test in ("equals", "lost", "below_best", "unusual"):
        return
    falls = rule.test in ("below", "at_most")
    if (rule.warn < rule.critical) if falls else (rule.warn > rule.critical):
        worse = Phrase("word.below" if falls else "word.above")
        fields.fault("critical", "fault.good_side", warn=f"{rule.warn:g}", side=worse)


def _conditions(fields: Fields, key: str) -> tuple[str, ...]:
    words = fields.texts(key)
    for word in words:
        if word not in CONDITIONS:
            what, hint = Phrase("word.condition"), did_you_mean(word, CONDITIONS)
            fields.fault(key, "fault.unknown", what=what, name=word, hint=hint)
    return words


def _values(fields: Fields, key: str) -> tuple[float, ...]:
    given = fields.raw(key, ())
    values = given if isinstance(given, list | tuple) else [given]
    if not all(isinstance(each, int | float) and not isinstance(each, bool) for each in values):
        fields.fault(key, "fault.expected", wanted=Phrase("word.numbers"))
        return ()
    return tuple(values)


def by_metric(rules: Iterable[Rule], scopes: Iterable[str]) -> Mapping[str, tuple[Rule, ...]]:
    """The rules of some scopes, found by the metric or sign they look at."""
    wanted = set(scopes)
    result: dict[str, tuple[Rule, ...]] = {}
    for rule in rules:
        if rule.scope in wanted:
            result[rule.metric] = (*result.get(rule.metric, ()), rule)
    return result
