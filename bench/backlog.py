"""A week's backlog over a slow link: how much of the link it uses, and how long an alarm takes meanwhile.

    bench/backlog.py [--json] [--rates 64 8] [--delay 0.05] [--days 7] [--for 180]

The frames of a week of the reference site lie in the agent's outbox file when it starts. They travel through
the real agent, a `bad_link` of so many kB/s and a delay each way, Mosquitto and a real hub, while the agent
polls three devices every ten seconds with the default flush of five minutes. One after the other they fall
silent directly after a poll, the worst moment, once without a backlog and once while it drains.

*share*: octets that went up, without repeated frames, of what the link could carry in that time. *alarm*:
from the device's death to its alert at the hub, in polls, two seconds taken off. *news*: from when the agent
knows (its third question stayed without answer) to the alert at the hub.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import counted_site
import measure
import reference_site
from bad_link import UP
from counted_site import POLL
from counted_town import PARTS, Town, town

from ayni_agent.outbox import Row, row_of
from ayni_agent.outbox_file import Changes, FileOutbox
from ayni_agent.schedule import SILENT_AFTER, timeout_s
from ayni_core.clockwatch import ClockWatch
from ayni_core.wire import codec, topics
from ayni_io import clock
from ayni_io.onlooker import Onlooker
from ayni_io.stack import StackError

POLL_S, FLUSH_S = 10, 300
LIVE = ("live-1", "live-2", "live-3")
SHARE, NEWS_S, ALARM_POLLS = 0.9, 5.0, 2.0
EPOCH = "5b1e0c77a2d94f03"
PATIENCE_S = 10 * POLL_S
_TRIES = 2
_BATCH = 200


@dataclass(slots=True)
class Alarms:
    """One value for each device that fell silent."""

    polls: list[float] = field(default_factory=list)
    news_s: list[float] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Drained:
    """What a backlog did on one link; `whole_s` None if it was not given the time to drain."""

    share: float
    resent: int
    seconds: float
    whole_s: float | None
    alarms: Alarms


def backlog(frames: int) -> Iterator[tuple[Row, bytes]]:
    """Frames of the reference site that end now, made by a boot that is over."""
    now_s, wall_s = clock.monotonic_s(), clock.wall_s()
    for number, frame in enumerate(reference_site.site().frames(frames, epoch=EPOCH), 1):
        age_s = (frames - number + 1) * reference_site.FLUSH_S
        payload = codec.encode(replace(frame, wall_s=wall_s - age_s), "field")
        yield row_of(frame.epoch, frame.seq, payload, now_s - age_s, live=False), payload


def fill(path: Path, rows: list[tuple[Row, bytes]]) -> None:
    """Put them into an outbox file, as an agent would have."""
    boot = clock.boot_id()
    moment = clock.look(ClockWatch(boot))
    file = FileOutbox(path, moment, boot)
    for start in range(0, len(rows), _BATCH):
        file.commit(Changes(moment=moment, new=rows[start : start + _BATCH]))
    file.close()


async def silence_each(made: Town, eyes: Onlooker) -> Alarms:
    """Let one device after the other die directly after a poll; it comes back when its alert is there."""
    alarms = Alarms()
    for device in LIVE:
        await _next_poll(made.folder, device)
        made.mute(True, device)
        died = time.time()
        alert = topics.alert(f"device-silent--device--{device}")
        if not await _told(eyes, alert):
            raise StackError(f"{device} died and nobody told of it within {PATIENCE_S} s")
        told = time.time()
        log = counted_site.read_log(made.folder)
        asked = next(each.at for each in log if each.muted and each.device == device)
        last_s = (SILENT_AFTER - 1) * POLL_S / 6  # when the third question is asked: see ayni_agent.schedule
        known = asked + last_s + _TRIES * timeout_s(POLL_S)
        alarms.polls.append((told - died - 2) / POLL_S)
        alarms.news_s.append(told - known)
        made.mute(False, device)
    return alarms


async def _told(eyes: Onlooker, topic: str) -> bool:
    return await eyes.until(lambda: topic in eyes.said, PATIENCE_S)


async def _next_poll(folder: Path, device: str) -> None:
    """Wait until a device was polled, and the poll is over."""

    def polls() -> int:
        log = counted_site.read_log(folder)
        return sum((each.kind, each.device) == (POLL, device) for each in log)

    before = polls()
    while polls() == before:  # noqa: ASYNC110  a file tells nobody that it grew
        await asyncio.sleep(0.1)
    await asyncio.sleep(0.5)


async def undisturbed(folder: Path) -> Alarms:
    """Alarms on a good link, with nothing else to send."""
    async with town(folder, LIVE, poll_s=POLL_S, flush_s=FLUSH_S) as made:
        await _begin(made)
        async with Onlooker(made.person(), topics.alert("+")) as eyes:
            return await silence_each(made, eyes)


async def drained(
    folder: Path, rows: list[tuple[Row, bytes]], *, rate: float, delay_s: float, for_s: float
) -> Drained:
    """A backlog over a link of `rate` octets a second, for so long, or until it is gone."""
    others = list(reference_site.site().devices)
    node = reference_site.NODE
    async with town(folder, LIVE, node=node, poll_s=POLL_S, flush_s=FLUSH_S, others=others) as made:
        fill(folder / "state" / "agent.sqlite", rows)
        made.link.rate, made.link.delay_s = rate, delay_s
        await _begin(made)
        async with Onlooker(made.person(), topics.alert("+")) as eyes:
            while made.tap.published < 3:  # noqa: ASYNC110  the link tells nobody
                await asyncio.sleep(0.1)
            began, before = time.monotonic(), made.link.carried[UP]
            silence = asyncio.create_task(silence_each(made, eyes))
            enough = 0.95 * len(rows)
            while time.monotonic() - began < for_s and made.tap.published < enough:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
            seconds = time.monotonic() - began
            useful = made.link.carried[UP] - before - made.tap.resent_octets
            resent = made.tap.resent
            alarms = await silence
            whole_s = None
            while made.tap.published >= enough and whole_s is None and time.monotonic() - began < 2 * for_s:
                await asyncio.sleep(1.0)
                if _frames(folder) >= len(rows):
                    whole_s = time.monotonic() - began
    share = useful / (rate * seconds)
    return Drained(share=share, resent=resent, seconds=seconds, whole_s=whole_s, alarms=alarms)


async def _begin(made: Town) -> None:
    for name in PARTS:
        await made.begin(name)


def _frames(folder: Path) -> int:
    """How many frames of the backlog the hub has."""
    uri = f"file:{folder}/data/ledger.db?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as ledger:
        query = "SELECT coalesce(sum(last - first + 1), 0) FROM frames WHERE epoch=?"
        (found,) = ledger.execute(query, (EPOCH,)).fetchone()
        return int(found)


def main() -> int:
    """Once without a backlog, once with one at each rate."""
    parser = measure.arguments(__doc__.splitlines()[0])
    parser.add_argument("--rates", type=float, nargs="+", default=[64, 8], metavar="KB", help="kB/s")
    parser.add_argument("--delay", type=float, default=0.05, metavar="S", help="of the link, each way")
    parser.add_argument("--days", type=float, default=7)
    parser.add_argument("--for", type=float, default=180, dest="for_s", help="most seconds at each rate")
    arguments = parser.parse_args()
    figures: list[measure.Figure] = []

    def told(key: str, value: float, unit: str, target: float | None = None, better: str = "lower") -> None:
        figures.append(
            measure.Figure(key=key, value=round(value, 3), unit=unit, target=target, better=better)
        )

    rows = list(backlog(round(arguments.days * 86400 / reference_site.FLUSH_S)))
    told("backlog_frames", len(rows), "frames")
    told("backlog_mb", sum(len(payload) for _row, payload in rows) / 1e6, "MB")
    with tempfile.TemporaryDirectory(prefix="ayni-backlog-") as name:
        folder = Path(name)
        try:
            (folder / "calm").mkdir()
            calm = asyncio.run(undisturbed(folder / "calm"))
            told("alarm_latency_polls", max(calm.polls), "polls", ALARM_POLLS)
            told("alarm_news_s", max(calm.news_s), "s", NEWS_S)
            for rate in arguments.rates:
                place = folder / f"{rate:g}"
                place.mkdir()
                work = drained(place, rows, rate=rate * 1000, delay_s=arguments.delay, for_s=arguments.for_s)
                found = asyncio.run(work)
                told(f"backlog_share_{rate:g}k", found.share, "", SHARE, "higher")
                told(f"backlog_alarm_polls_{rate:g}k", max(found.alarms.polls), "polls", ALARM_POLLS)
                told(f"backlog_news_s_{rate:g}k", max(found.alarms.news_s), "s", NEWS_S)
                told(f"backlog_resent_{rate:g}k", found.resent, "frames")
                told(f"backlog_seconds_{rate:g}k", found.seconds, "s")
                if found.whole_s is not None:
                    told(f"backlog_whole_s_{rate:g}k", found.whole_s, "s")
        except StackError as error:
            sys.exit(f"bench/backlog.py: {error}")
    measure.report("backlog", figures, as_json=arguments.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
