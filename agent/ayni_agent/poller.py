"""Polls one device: finds out once what it is and what it has, then asks only for what changes.

Theory of operation. A *look-over* identifies the device, reads every scalar and column of its profile and
resolves them into a `Plan` (see `ayni_core.plan`); it is a poll too. A *steady* poll asks the plan's few
requests and looks the answers up. The look-over is repeated every ten minutes, for names, speeds and what was
plugged in; at once after a reboot or when the number of interfaces changed; and, at most every five minutes,
when rows appeared or went. Tables whose rows come and go all the time (stations) are resolved again from the
answers of the same poll. Once an hour a look-over asks for neighbours, too (see `neighbourhood`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

from ayni_agent.neighbourhood import EVERY_S, Neighbourhood
from ayni_agent.schedule import SLOW_POLLS
from ayni_core.convert import Raw
from ayni_core.extract import Extractor, read_plainly
from ayni_core.identify import GENERIC, SYS_DESCR, SYS_OBJECT_ID, Answers, Identity, decide
from ayni_core.oid_notation import parse
from ayni_core.plan import PULSE, Origin, Plan, resolve
from ayni_core.profile import Profile, Rule, SystemSource
from ayni_core.readings import Poll, Row, Series
from ayni_core.snmp import VarBind
from ayni_core.survey import ABSENT, Survey, scalars_of, system_text, tables_of
from ayni_io.snmp import Cost, SnmpReader
from ayni_io.snmp_errors import SnmpError, SnmpProtocolError

LOOK_OVER_S = 600
CALM_S = 300
_SAMPLE_ROWS = 8
_SYS_UPTIME = parse("1.3.6.1.2.1.1.3.0")
_MOST_ROUNDS = 4


class Families(Protocol):
    """Where profiles come from; `ayni_io.profiles.Profiles` is one."""

    def rules(self) -> list[Rule]:
        """How to know each family."""
        ...

    def load(self, name: str) -> Profile:
        """One family."""
        ...


@dataclass(frozen=True, slots=True)
class _Pulse:
    """What tells that a device is not quite the one it was."""

    uptime: int | None
    interfaces: int | None


class Poller:
    """Polls the device behind `reader`, which is called `name`.

    `profile` names the family where it is known; otherwise the device is asked, unless `remembered` says what
    it was and it still says the same of itself. `poll` never raises for what the device or the network does:
    that is `Poll.error`. After a poll, `failure` is the exception behind an error, `skipped` tells what the
    device answered in a broken way and was left out, `last` holds the raw answers, `family` is the name of
    the profile, and `identity` is what to remember. What a profile puts into the slow tier is asked for at
    every `slow_every`th poll, which may be changed at any time; a poll without it has no such readings.
    """

    def __init__(
        self,
        name: str,
        reader: SnmpReader,
        profiles: Families,
        profile: str | None = None,
        *,
        remembered: Identity | None = None,
        look_over_s: float = LOOK_OVER_S,
        slow_every: int = 1,
    ) -> None:
        self.name = name
        self.family: str | None = None
        self.failure: SnmpError | None = None
        self.skipped: list[str] = []
        self._answers: list[Sequence[VarBind]] = []
        self._reader = reader
        self._profiles = profiles
        self._wanted = profile
        self.slow_every = slow_every
        self._since_slow = 0
        self._look_over_every_s = look_over_s
        self._profile: Profile | None = None
        self.identity = remembered
        self._survey = Survey()
        self._extractor: Extractor | None = None
        self._pulse = _Pulse(None, None)
        self._looked_over_s = 0.0
        self._changed = False
        self._neighbourhood = Neighbourhood(reader)

    @property
    def cost(self) -> Cost:
        """Requests and octets since the reader was made."""
        return self._reader.cost

    def origin(self, series: Series) -> Origin | None:
        """The OID a series was read from and the names of its states, as of the last poll."""
        if series.group == "neighbour":
            return self._neighbourhood.origin(series)
        return self._extractor.plan.origins.get(series) if self._extractor else None

    @property
    def last(self) -> list[VarBind]:
        """The raw answers of the last poll."""
        return list(chain.from_iterable(self._answers))

    def look_over_soon(self, *, neighbours: bool = False) -> None:
        """Make the next poll look everything over, because somebody changed something; neighbours too, if
        somebody asks for all there is.
        """
        if neighbours:
            self._neighbourhood.soon()
        self._changed = True
        self._looked_over_s = float("-inf")

    async def poll(self, now_s: float) -> Poll:
        """Everything the device says now; `now_s` is monotonic."""
        self.failure = None
        self.skipped = []
        try:
            values = None
            if not self._is_due(now_s):
                values = await self._steady()
                if values is None:  # another device, or the same after a restart
                    self._neighbourhood.soon()
            if values is None:
                values = await self._look_over(now_s)
        except SnmpError as error:
            self.failure = error
            return Poll(device=self.name, at_s=now_s, values={}, error=str(error))
        return Poll(device=self.name, at_s=now_s, values=values)

    async def pulse(self, now_s: float) -> Poll:
        """Whether the device answers at all, for one GET: a poll without values, or with an error."""
        self.failure = None
        try:
            await self._reader.get([_SYS_UPTIME])
        except SnmpError as error:
            self.failure = error
            return Poll(device=self.name, at_s=now_s, values={}, error=str(error))
        return Poll(device=self.name, at_s=now_s, values={})

    def close(self) -> None:
        """Give the reader back."""
        self._reader.close()

    # ---- steady

    def _is_due(self, now_s: float) -> bool:
        age_s = now_s - self._looked_over_s
        every_s = self._look_over_every_s
        return (
            self._extractor is None or age_s >= every_s or (self._changed and age_s >= min(CALM_S, every_s))
        )

    async def _steady(self) -> Row | None:
        """One poll by the plan; None if the device turned out to be another than the plan was made for."""
        extractor = self._extractor
        assert extractor is not None  # noqa: S101  _is_due said so
        plan = extractor.plan
        self._since_slow += 1
        slow = self._since_slow >= self.slow_every
        answers = await self._reader.get(plan.gets + plan.slow_gets if slow else plan.gets)
        pulse = _pulse(answers)
        if not _same_device(self._pulse, pulse):
            return None
        self._pulse = pulse
        self._answers = [answers]
        harvest = extractor.harvest()
        met, strange = harvest.take(answers)
        moved = False
        for walk in plan.walks + plan.slow_walks if slow else plan.walks:
            answers = await self._columns(walk.columns, walk.rows)
            more, unknown = harvest.take(answers)
            if walk.rows is None and (unknown or len(answers) != _cells(self._survey, walk.columns)):
                moved = True
                self._survey.add_columns(walk.columns, answers)
            else:
                met += more
                strange = strange or unknown
            self._answers.append(answers)
        if slow:
            self._since_slow = 0
        if moved or await self._appeared(plan):
            return self._resolve_again(slow)
        if strange or met != plan.expected + slow * plan.slow_expected:
            self._changed = True
        return harvest.row()

    async def _appeared(self, plan: Plan) -> bool:
        """Whether a first row stands in a table that was empty; it is read then."""
        if not plan.watched:
            return False
        found = await self._reader.columns(tuple(plan.watched), None, 1)
        for column, full in plan.watched.items():
            if any(oid.startswith(column) for oid, _, _ in found):
                answers = await self._columns(full)
                self._survey.add_columns(full, answers)
                self._answers.append(answers)
        return bool(found)

    def _resolve_again(self, slow: bool) -> Row:
        """Rows of a volatile table came or went: all that is needed to know them is at hand."""
        assert self._profile is not None  # noqa: S101  there is a plan
        plan = resolve(self._profile, self._survey, tiers=self.slow_every > 1)
        extractor = self._follow(plan)
        met, strange = extractor.harvest().take(self.last)
        expected = plan.expected + slow * plan.slow_expected
        self._changed = self._changed or strange or met != expected
        return read_plainly(plan, self._answers, extractor.last)

    def _follow(self, plan: Plan) -> Extractor:
        """Read by this plan from now on."""
        known = self._extractor
        self._extractor = known.renewed(plan) if known else Extractor(plan)
        return self._extractor

    # ---- look-over

    async def _look_over(self, now_s: float) -> Row:
        profile = await self._identify()
        survey = Survey()
        scalars = list(dict.fromkeys((*PULSE, SYS_DESCR, SYS_OBJECT_ID, *scalars_of(profile))))
        answers = await self._reader.get(scalars)
        survey.add_scalars(answers)
        if self.identity is not None and not self.identity.still(survey.scalars):
            self._profile = self.identity = None  # another device stands there now
            self._neighbourhood.soon()
            profile = await self._identify()
            scalars = list(dict.fromkeys((*scalars[:4], *scalars_of(profile))))
            answers = await self._reader.get(scalars)
            survey.add_scalars(answers)
        self._answers = [answers]
        tables = tables_of(profile)
        there = await self._present([column for columns in tables for column in columns])
        for columns in tables:
            present = [column for column in columns if column in there]
            if present:
                answers = await self._columns(present)
                survey.add_columns(present, answers)
                self._answers.append(answers)
        await self._texts(profile, survey)
        plan = resolve(profile, survey, tiers=self.slow_every > 1)
        self._survey = survey
        self._since_slow = 0
        extractor = self._follow(plan)
        self._pulse = _Pulse(*(_whole(survey.scalars.get(oid, ABSENT)) for oid in PULSE))
        self._looked_over_s = now_s
        self._changed = False
        row = read_plainly(plan, self._answers, extractor.last)
        # what saves data stretches the slow tier, and this with it
        pace = max(1.0, self.slow_every / SLOW_POLLS)
        heard = await self._neighbourhood.read(
            profile, survey, now_s, every_s=EVERY_S * pace, skipped=self.skipped
        )
        self._answers += self._neighbourhood.answers
        return Row.of({**row, **heard}) if heard else row

    async def _identify(self) -> Profile:
        if self._profile is not None:
            return self._profile
        if self._wanted is not None:
            self.family = self._wanted
        elif self.identity is not None:
            self.family = self.identity.family
        else:
            answers = Answers()
            for _ in range(_MOST_ROUNDS):
                step = decide(self._profiles.rules(), answers)
                if isinstance(step, str):
                    break
                if step.scalars:
                    found = await self._reader.get(step.scalars)
                    answers.scalars.update({oid: (tag, value) for oid, tag, value in found})
                for column in step.columns:
                    rows = await self._reader.columns((column,), None, _SAMPLE_ROWS)
                    answers.columns[column] = tuple((tag, value) for _, tag, value in rows)
            else:
                step = GENERIC
            self.family = step
            self.identity = Identity(step, answers.scalars[SYS_OBJECT_ID], answers.scalars[SYS_DESCR])
        self._profile = self._profiles.load(self.family)
        return self._profile

    async def _columns(self, columns: Sequence[bytes], rows: int | None = None) -> Sequence[VarBind]:
        """A walk; a table that the agent answers in a broken way must not cost the readings of all others."""
        try:
            return await self._reader.columns(columns, rows)
        except SnmpProtocolError as error:
            self.skipped.append(str(error))
            return []

    async def _present(self, columns: Sequence[bytes]) -> set[bytes]:
        """Which of these columns the device has at all: one row of each, many columns in one request."""
        answers = await self._reader.columns(columns, None, 1)
        lengths = {len(column) for column in columns}
        return {oid[:length] for oid, _, _ in answers for length in lengths}

    async def _texts(self, profile: Profile, survey: Survey) -> None:
        """The texts about the system; a column is walked only where no scalar gave one."""
        for part in profile.parts:
            for metric, sources in part.system.items():
                for source in sources:
                    if survey.system.get(metric):
                        break
                    text = await self._text(source, survey)
                    if text:
                        survey.system[metric] = text
        survey.system["profile"] = profile.name

    async def _text(self, source: SystemSource, survey: Survey) -> str:
        if source.oid is not None:
            return system_text(source, [survey.scalars.get(source.oid, ABSENT)])
        if source.join:
            return system_text(source, [survey.scalars.get(oid, ABSENT) for oid in source.join])
        if source.any_row is not None:
            if source.any_row not in survey.columns:
                rows = await self._reader.columns((source.any_row,), None, 512)
                survey.add_columns((source.any_row,), rows)
            return system_text(source, survey.columns[source.any_row].values())
        return source.text


def _cells(survey: Survey, columns: Sequence[bytes]) -> int:
    return sum(len(survey.columns.get(column, ())) for column in columns)


def _pulse(answers: Sequence[VarBind]) -> _Pulse:
    return _Pulse(_whole(answers[0][1:]), _whole(answers[1][1:]))


def _whole(raw: Raw) -> int | None:
    return raw[1] if isinstance(raw[1], int) else None


def _same_device(before: _Pulse, now: _Pulse) -> bool:
    """False after a reboot (sysUpTime went back, which it also does once in 497 days) or when interfaces
    came or went.
    """
    if before.uptime is not None and now.uptime is not None and now.uptime < before.uptime:
        return False
    return now.interfaces == before.interfaces
