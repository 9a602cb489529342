"""What the hub knows, for threads that are not its own: looked at on the hub's loop, a little at a time.

Nothing of the hub is locked. Whoever asks waits until the loop has a moment, and each look takes about a
millisecond, however large the network is.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import TypeVar

from ayni_core.readings import Series
from ayni_core.wire import WireError, topics
from ayni_core.wire.messages import DeviceView, LinkView, NodeView, SiteView, UpstreamView
from ayni_core.wire.shape import unpack
from ayni_hub.judge import Judge
from ayni_hub.normals import Wanted
from ayni_hub.numbers.readings import Last
from ayni_hub.numbers.states import BASELINES, Baseline, View
from ayni_hub.picture import Picture
from ayni_io import clock
from ayni_io.http_server import BusyError

T = TypeVar("T")
Stamp = tuple[float, float, bool]
_WAIT_S = 5.0
_AT_A_TIME = 200
_VIEWS: Mapping[str, type[View]] = {
    "link": LinkView,
    "site": SiteView,
    "device": DeviceView,
    "node": NodeView,
    "upstream": UpstreamView,
}


class Snapshot:
    """Looks at a judge and its picture. Some methods are for the loop and say so, the others for threads."""

    def __init__(self, judge: Judge, picture: Picture) -> None:
        self._judge, self._picture = judge, picture
        self._loop: asyncio.AbstractEventLoop | None = None
        self._views: dict[str, tuple[bytes, View]] = {}

    def begin(self) -> None:
        """Before anybody asks; on the loop."""
        self._loop = asyncio.get_running_loop()

    def on_loop(self, look: Callable[[], T]) -> T:
        """What `look` gives on the hub's loop. Raises `BusyError` when the loop has no moment."""
        if self._loop is None:
            raise BusyError
        future: concurrent.futures.Future[T] = concurrent.futures.Future()

        def do() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(look())
            except BaseException as error:
                future.set_exception(error)

        try:
            self._loop.call_soon_threadsafe(do)
            return future.result(_WAIT_S)
        except (TimeoutError, RuntimeError) as error:  # RuntimeError: the loop is closed
            future.cancel()
            raise BusyError from error

    def views(self) -> list[View]:
        """Everything in the picture, as it was last told to people."""
        told = self.on_loop(lambda: {topic: self._picture.told(topic) for topic in self._picture.topics()})
        found: dict[str, tuple[bytes, View]] = {}
        for topic, payload in told.items():
            kind = _VIEWS.get(topics.parse(topic).words[0])
            if kind is None or not payload:
                continue
            before = self._views.get(topic)
            if before is not None and before[0] == payload:
                found[topic] = before
                continue
            try:
                found[topic] = (payload, unpack(kind, payload))
            except WireError:  # pragma: no cover  the hub itself wrote it
                continue
        self._views = found
        return [view for _payload, view in found.values()]

    def baselines(self, links: Iterable[LinkView]) -> list[Baseline]:
        """What the ends of these links heard when they were new, and a week ago, as far as that is known."""
        wanted = [
            (link, side, end, Wanted(end.device, Series(end.group, end.item, "signal_dbm"), baseline))
            for link in links
            for side, end in (("a", link.a), ("b", link.b))
            if end.group is not None and end.item is not None
            for baseline in BASELINES
        ]
        normals = self._judge.normals
        found = self.on_loop(lambda: [normals.learned(each) for *_where, each in wanted])
        return [
            Baseline(link=link.id, side=side, end=end, baseline=each.baseline, value=value)
            for (link, side, end, each), value in zip(wanted, found, strict=True)
            if value is not None
        ]

    def devices(self) -> Iterator[Last]:
        """What is known of each device whose monitor is not late."""
        names = list(self._judge.network.devices)
        for first in range(0, len(names), _AT_A_TIME):
            some = names[first : first + _AT_A_TIME]
            looks = self.on_loop(lambda some=some: [self.look_at(name) for name in some])  # type: ignore[misc]
            yield from filter(None, looks)

    def known(self, device: str) -> Collection[Series]:
        """Every series of a device that anything is remembered of; on the loop."""
        return self._judge.known.of(device).values.keys()

    def stamp(self, device: str) -> Stamp | None:
        """Until when a device was heard, and whether it fell silent; None while its monitor is late. While
        this is the same, so is all that is known of it; on the loop."""
        now, network, known = clock.wall_s(), self._judge.network, self._judge.known.of(device)
        news = self._judge.nodes[network.devices[device].node]
        if not known.values or not news.reports(now, network.poll_s):
            return None
        newest = max(known.full_at, known.answered_at)
        if news.as_of is None and now - newest > network.flush_s + 3 * network.poll_s:
            return None  # what the store remembered, and the monitor has not spoken since
        failing = known.failed_since
        silent = failing is not None and failing >= newest and now - failing >= 2 * network.poll_s
        return known.full_at, known.answered_at, silent

    def look_at(self, name: str) -> Last | None:
        """What is known of a device whose monitor is not late; on the loop."""
        stamp = self.stamp(name)
        if stamp is None:
            return None
        device, known = self._judge.network.devices[name], self._judge.known.of(name)
        return Last(
            site=device.site,
            node=device.node,
            device=name,
            values=known.values.copy(),
            full_at=stamp[0],
            silent=stamp[2],
        )
