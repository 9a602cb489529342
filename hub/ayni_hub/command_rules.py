"""`ayni rules check|try`: what is an alarm here, and what would have been one."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from ayni_core.fault import Fault
from ayni_core.inventory import Network
from ayni_core.rules import Rule
from ayni_core.rules.law import Section, written
from ayni_core.rules.sign import SIGNS
from ayni_core.schema import ConfigError
from ayni_hub import places
from ayni_hub.embedded import EmbeddedStore
from ayni_hub.places import Places
from ayni_hub.remote.store import RemoteStore
from ayni_hub.rerun.recorded import Recorded
from ayni_hub.rerun.trial import DAY_S, Alarm, Note, Outcome, Trial
from ayni_hub.store import Store, StoreError
from ayni_io import configs, words, yamlfile
from ayni_io.i18n import _, _n
from ayni_io.progress import Progress
from ayni_io.rulebook import read_network, read_rules
from ayni_io.usage import Parser

_MOST_THINGS = 3


def check_parser() -> argparse.ArgumentParser:
    """The options of `ayni rules check`."""
    result = Parser(
        prog="ayni rules check",
        description=_("Say what is wrong with rules, which are in force, and where they are different."),
    )
    result.add_argument(
        "files", nargs="*", type=Path, metavar="FILE",
        help=_("rules, or a network.yaml (default: those in force)"),
    )  # fmt: skip
    places.add(result)
    result.add_argument("--signs", action="store_true", help=_("list what rules can look at besides metrics"))
    result.add_argument("--json", action="store_true", help=_("for programs"))
    return result


def check_main(argv: Sequence[str]) -> int:
    """List the rules in force; faults end with status 2."""
    options = check_parser().parse_args(argv)
    if options.signs:
        for sign in SIGNS.values():
            print(f"{sign.name:<20} {sign.unit:<5} {_(sign.meaning)}")
        return 0
    networks = [path for path in options.files if _is_network(path)]
    own = [path for path in options.files if path not in networks]
    rules = _rules(own)
    if not networks:
        networks = [path for path in [places.of(options).network] if path.is_file()]
    faults: list[Fault] = []
    found: list[tuple[Path, Network]] = []
    for path in networks:
        try:
            found.append((path, read_network(path, [rule for rule, _path in rules])))
        except ConfigError as error:
            faults += error.noted
    if faults:
        raise ConfigError(faults)
    changes = [each for _path, network in found for each in _changes(network)]
    if options.json:
        print(json.dumps(_as_json(rules, changes), ensure_ascii=False))
        return 0
    _print_rules(rules)
    if changes:
        print("\n" + _("Different here:"))
    for where, section in changes:
        for name, change in written(section).items():
            print(f"  {where:<28} {name}: {_plain(change)}")
    return 0


def _print_rules(rules: Sequence[tuple[Rule, Path]]) -> None:
    shipped = configs.shipped()
    for rule, path in rules:
        off = "" if rule.on else _(" (off)")
        place = path.name if path.is_relative_to(shipped) else str(path)
        print(f"{rule.name + off:<22} {_limits(rule):<34} {_patience(rule):<32} {place}")


def _limits(rule: Rule) -> str:
    """`metric below 80 / 50`."""
    limits = [f"{limit:g}" if limit is not None else "-" for limit in (rule.warn, rule.critical)]
    given = "" if limits == ["-", "-"] else " " + " / ".join(limits)
    return f"{rule.metric} {rule.test.replace('_', ' ')}{given}"


def _patience(rule: Rule) -> str:
    """What it takes, for both levels: `3 polls`, `5 polls, 600 s`, `3 in 900 s`."""
    said = []
    for rank, limit in ((1, rule.warn), (2, rule.critical)):
        window = rule.window(rank)
        if limit is None and rank != rule.mildest:
            continue
        if window.times:
            said.append(_("{n} in {span} s", n=window.times, span=f"{window.within_s:g}"))
        else:
            polls = _n("{n} poll", "{n} polls", window.polls)
            said.append(f"{polls}, {window.for_s:g} s" if window.for_s else polls)
    return " / ".join(dict.fromkeys(said))


def _changes(network: Network) -> Iterator[tuple[str, Section]]:
    """Every section of an inventory that changes a rule, and where it stands."""
    if network.rules:
        yield "network", network.rules
    things: tuple[tuple[str, Mapping[str, Any]], ...] = (
        ("sites", network.sites), ("devices", network.devices), ("links", network.links),
    )  # fmt: skip
    for kind, named in things:
        for name, thing in named.items():
            if thing.rules:
                yield f"{kind}.{name}", thing.rules


def _plain(change: Any) -> str:
    if not isinstance(change, Mapping):
        return str(change)
    return ", ".join(f"{key} {_plain(value)}" for key, value in change.items())


def _as_json(rules: Sequence[tuple[Rule, Path]], changes: Iterable[tuple[str, Section]]) -> dict[str, Any]:
    keys = ("name", "on", "scope", "metric", "test", "warn", "critical")
    return {
        "rules": [{key: getattr(rule, key) for key in keys} | {"file": str(path)} for rule, path in rules],
        "changes": [{"at": where, "rules": written(section)} for where, section in changes],
    }


def _rules(own: Sequence[Path]) -> list[tuple[Rule, Path]]:
    """The rules in force, with those of some files before them."""
    return read_rules([*own, *(path for path in configs.each("rules") if path not in own)])


def _is_network(path: Path) -> bool:
    """Whether a file is an inventory: only that has sites."""
    value, _lines = yamlfile.load(yamlfile.read_text(path), str(path))
    return isinstance(value, Mapping) and ("sites" in value or "network" in value)


# ---- what would have fired


def try_parser() -> argparse.ArgumentParser:
    """The options of `ayni rules try`."""
    result = Parser(
        prog="ayni rules try",
        description=_("Let rules judge what is stored, and show what would have fired. Nobody is told."),
    )
    places.add(result)
    add = result.add_argument
    add("--history", type=Path, metavar="DIR", help=_("the folder with store.db (default: the central's)"))
    add("--network", type=Path, metavar="FILE", help=_("the network.yaml (default: the central's)"))
    own = _("try these, before those in force")
    add("--rules", type=Path, action="append", default=[], metavar="FILE", help=own)
    add(
        "--from",
        dest="start",
        type=places.moment,
        metavar="DATE",
        help=_("such as 2026-01-31 (default: 30 days ago)"),
    )
    add("--to", dest="end", type=places.moment, metavar="DATE", help=_("up to this day"))
    add("--only", action="append", default=[], metavar="RULE", help=_("show only this rule"))
    short = _("an alarm that ends sooner may be a false one (default: 10)")
    add("--short", type=float, default=10.0, metavar="MINUTES", help=short)
    add("--json", action="store_true", help=_("for programs"))
    return result


def try_main(argv: Sequence[str]) -> int:
    """Replay and show."""
    options = try_parser().parse_args(argv)
    rules = [rule for rule, _path in _rules(options.rules)]
    unknown = sorted(set(options.only) - {rule.name for rule in rules})
    if unknown:
        raise ConfigError([_("{rule}: there is no such rule", rule=unknown[0])])
    place = places.of(options)
    network = read_network(options.network or place.network, rules)
    begun = time.monotonic()
    try:
        with ExitStack() as stack:
            store = stack.enter_context(closing(_store(options, place, network)))
            newest = store.newest()
            if newest is None:
                raise StoreError(_("nothing is stored yet"))
            end = min(options.end if options.end is not None else newest + 1.0, newest + 1.0)
            start = options.start if options.start is not None else end - 30 * DAY_S
            start = max(start, _first(store, end))
            if start >= end:
                raise StoreError(_("nothing was measured in that time"))
            with Progress(_("Trying")) as progress:
                outcome = Trial(
                    network, rules, store, _notes((options.history or place.data_dir) / places.LEDGER)
                ).run(start, end, progress)
    except (StoreError, OSError) as error:
        print(f"ayni rules try: {error}", file=sys.stderr)
        return 1
    if options.only:
        outcome.alarms = [alarm for alarm in outcome.alarms if alarm.rule in options.only]
    short_s = options.short * 60
    if options.json:
        print(json.dumps(_outcome_json(outcome, network, short_s), ensure_ascii=False))
        return 0
    _show(outcome, network, short_s, time.monotonic() - begun)
    return 0


def _show(outcome: Outcome, network: Network, short_s: float, took_s: float) -> None:
    print(
        _(
            "{start} to {end} ({days} days): {polls} polls of {devices} devices, tried in {took} s",
            start=_day(outcome.start), end=_day(outcome.end), polls=outcome.polls, devices=outcome.devices,
            days=words.number((outcome.end - outcome.start) / DAY_S, 1), took=f"{took_s:.0f}",
        )
    )  # fmt: skip
    by_rule: dict[str, list[Alarm]] = {}
    for alarm in outcome.alarms:
        by_rule.setdefault(alarm.rule, []).append(alarm)
    if not by_rule:
        print(_("Nothing would have fired."))
        return
    print()
    head = (_("rule"), _("fired"), _("explained"), _("false"), _("half lasted, longest"), _("on"))
    print("{:<22}{:>7}{:>11}{:>7}  {:<22}{}".format(*head))
    for rule, alarms in sorted(by_rule.items(), key=lambda each: -len(each[1])):
        lasted = [alarm.lasted_s(outcome.end) for alarm in alarms]
        spans = f"{_span(median(lasted))}, {_span(max(lasted))}"
        explained = sum(alarm.explained for alarm in alarms)
        false = sum(alarm.is_false(short_s) for alarm in alarms)
        print(f"{rule:<22}{len(alarms):>7}{explained:>11}{false:>7}  {spans:<22}{_things(alarms)}")
    print()
    found = outcome.false_per_site_and_week(short_s, list(network.sites))
    noisy = sorted(((count, site) for site, count in found.items() if count), reverse=True)
    mean = sum(found.values()) / len(found) if found else 0.0
    print(_("False alarms of a site in a week: {mean}", mean=words.number(mean, 2)), end="")
    print("".join(f"; {site} {words.number(count, 1)}" for count, site in noisy[:5]))
    print(
        _(
            "An alarm counts as false when it ended by itself within {minutes} minutes, no other alarm"
            " explains it, and nobody wrote a note about it or its site meanwhile or within a day.",
            minutes=f"{short_s / 60:g}",
        )
    )


def _things(alarms: Sequence[Alarm]) -> str:
    counted = Counter(f"{alarm.subject.name} {alarm.subject.detail}".strip() for alarm in alarms)
    shown = [f"{name} ({count})" if count > 1 else name for name, count in counted.most_common(_MOST_THINGS)]
    return ", ".join(shown) + (" …" if len(counted) > _MOST_THINGS else "")


def _outcome_json(outcome: Outcome, network: Network, short_s: float) -> dict[str, Any]:
    return {
        "from": outcome.start,
        "to": outcome.end,
        "devices": outcome.devices,
        "polls": outcome.polls,
        "short_s": short_s,
        "false_per_site_and_week": outcome.false_per_site_and_week(short_s, list(network.sites)),
        "alarms": [_alarm_json(alarm, short_s) for alarm in outcome.alarms],
    }


def _alarm_json(alarm: Alarm, short_s: float) -> dict[str, Any]:
    about = alarm.subject
    keys = ("rule", "site", "level", "since", "until", "explained", "noted")
    return {key: getattr(alarm, key) for key in keys} | {
        "kind": about.kind,
        "name": about.name,
        "detail": about.detail,
        "false": alarm.is_false(short_s),
    }


# ---- where things are


def _store(options: argparse.Namespace, place: Places, network: Network) -> EmbeddedStore | RemoteStore:
    """The history; where the hub of `--config` keeps it elsewhere, there. Raises `StoreError`."""
    longest = max(3 * network.poll_s, 2 * network.flush_s)
    if options.history is not None:
        return places.open_embedded(Places(options.history, place.network), longest)
    return places.open_store(place, longest)


def _first(store: Store, end: float) -> float:
    """The day of the first sample before `end`: days without any are not worth waiting for."""
    first = end
    for device in store.devices():
        for series in store.names(device):
            if series.metric in ("uptime_s", "answered"):
                steps = store.steps(device, series, 0.0, end, DAY_S)
                first = min([first, *(step.at for step in steps[:1])])
    return first


def _notes(path: Path) -> list[Note]:
    """What people wrote into the notebook."""
    written = (event for event in Recorded(path).events() if event.text.context == "event.note")
    return [(event.at, event.kind, event.name) for event in written]


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M")


def _span(seconds: float) -> str:
    for unit, size in (("d", DAY_S), ("h", 3600.0), ("min", 60.0)):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
