"""The picture that people see: views of links, sites, devices, monitors and ways out, as retained messages.

`Picture` rebuilds only what has news, and hands out only what differs from what was handed out before.
"""

from __future__ import annotations

from collections.abc import Mapping

from ayni_core import ends
from ayni_core.diagnosis import Signs, cause_of, cause_of_other
from ayni_core.inventory import Link
from ayni_core.readings import Series
from ayni_core.wire import topics
from ayni_core.wire.messages import (
    LINK_STATES,
    Community,
    DeviceView,
    EndView,
    LinkView,
    NodeView,
    SiteView,
    UpstreamView,
)
from ayni_core.wire.shape import pack
from ayni_hub.alerting.subject import Subject
from ayni_hub.judge import Judge

_LETTERS = {"ok": "o", "weak": "w", "down": "d", "no_news": "n", "unknown": "-"}
_WORST = "dwno-"
_DAY_H = 24


class Picture:
    """Keeps the views up to date with the judge."""

    def __init__(self, judge: Judge, hours: Mapping[str, dict[int, str]], now: float) -> None:
        self._judge = judge
        self._network = judge.network
        self._states: dict[tuple[str, str], tuple[str, float]] = {}
        self._hours = {link: dict(hours.get(link, {})) for link in self._network.links}
        self._hour = int(now // 3600)
        self._told: dict[str, bytes] = {}
        self._stale = set(self._network.links)
        self.new_hours: dict[tuple[str, int], str] = {}

    def news(self, now: float, devices: set[str]) -> dict[str, bytes]:
        """Topics and payloads that changed; `devices` are those with new readings."""
        hour = int(now // 3600)
        if hour != self._hour:
            self._hour = hour
            self._stale = set(self._network.links)
        out: dict[str, bytes] = {}
        for link in self._network.links.values():
            state = self._link_state(link, now)
            changed = self._since("link", link.name, state, now)[1]
            self._note_hour(link.name, hour, state)
            if changed or link.name in self._stale or {link.a.device, link.b.device} & devices:
                view = self._link(link, now)
                out[topics.net("link", link.name)] = pack(view)
        self._stale = set()
        self._explain_others()
        for name in self._network.devices:
            out[topics.net("device", name)] = pack(self._device(name, now))
        for name in self._network.sites:
            out[topics.net("site", name)] = pack(self._site(name))
        for name in self._network.nodes:
            out[topics.net("node", name)] = pack(self._node(name, now))
        for name in self._network.upstreams:
            out[topics.net("upstream", name)] = pack(self._upstream(name, now))
        out[topics.net("community", "about")] = pack(
            Community(title=self._network.title, language=self._network.language, poll_s=self._network.poll_s)
        )
        news = {topic: payload for topic, payload in out.items() if self._told.get(topic) != payload}
        self._told |= news
        return news

    def told(self, topic: str) -> bytes:
        """What was last told on a topic; nothing for one that is not ours."""
        return self._told.get(topic, b"")

    def topics(self) -> set[str]:
        """Every topic that this picture has told; anything else retained below `net/` is left over."""
        return set(self._told)

    def _since(self, kind: str, name: str, state: str, now: float) -> tuple[float, bool]:
        before = self._states.get((kind, name))
        if before is not None and before[0] == state:
            return before[1], False
        self._states[kind, name] = (state, now)
        return now, True

    def _note_hour(self, link: str, hour: int, state: str) -> None:
        letter = _LETTERS[state]
        hours = self._hours[link]
        before = hours.get(hour)
        if before is None or _WORST.index(letter) < _WORST.index(before):
            hours[hour] = self.new_hours[link, hour] = letter
            for old in [each for each in hours if each <= hour - _DAY_H]:
                del hours[old]
            self._stale.add(link)

    def _link_state(self, link: Link, now: float) -> str:
        judge = self._judge
        if judge.level("link-down", Subject("link", link.name)):
            return "down"
        speaking = [
            judge.node_speaks(self._network.devices[end.device].node, now) for _side, end in link.ends
        ]
        heard = [judge.ends[link.name, side].where is not None for side, _end in link.ends]
        if not any(speaking):
            known = any(judge.known.of(end.device).full_at for _side, end in link.ends)
            return "no_news" if known else "unknown"
        if not any(heard):
            return "unknown"
        weak = any(
            alert.kind == "link" and alert.name == link.name and alert.rule != "link-down"
            for alert in judge.alerts.values()
        )
        return "weak" if weak else "ok"

    def _link(self, link: Link, now: float) -> LinkView:
        judge = self._judge
        state, since = self._states["link", link.name]
        views: dict[str, EndView] = {}
        for side, end in link.ends:
            known = judge.known.of(end.device)
            answers = not judge.silent(end.device) if known.answered_at or known.failed_since else None
            site = self._network.site_of(end.device)
            views[side] = ends.view(end, site.name, known, judge.ends[link.name, side].where, answers)
        for alert in judge.alerts.values():
            if alert.kind == "link" and alert.name == link.name:
                since = min(since, alert.since)
        cause = cause_of(self._signs(link, state, views["a"], views["b"]))
        for identifier, alert in list(judge.alerts.items()):
            if alert.kind == "link" and alert.name == link.name:
                judge.book.explain(identifier, cause)
        words, headline = cause or (None, None)
        due = [judge.nodes[self._network.devices[end.device].node].next_by for _side, end in link.ends]
        return LinkView(
            id=link.name,
            title=link.title,
            state=state,
            since=round(since, 1),
            homes=judge.topology.homes_behind(link.name, self._network),
            a=views["a"],
            b=views["b"],
            cause=words,
            headline=headline,
            day=self._day(link.name),
            next_by=max((each for each in due if each is not None), default=None),
        )

    def _explain_others(self) -> None:
        """The probable cause of the alerts that are not about links."""
        network = self._network
        for identifier, alert in list(self._judge.alerts.items()):
            dark, title = None, ""
            if alert.kind == "device" and alert.name in network.devices:
                device = network.devices[alert.name]
                title = device.title
                dark = network.sites[device.site].title if self._dark(device.site) else None
            if alert.kind != "link":
                self._judge.book.explain(identifier, cause_of_other(alert.kind, alert.rule, title, dark))

    def _day(self, link: str) -> str:
        first = self._hour - _DAY_H + 1
        return "".join(self._hours[link].get(hour, "-") for hour in range(first, self._hour + 1))

    def _signs(self, link: Link, state: str, a: EndView, b: EndView) -> Signs:
        judge, network = self._judge, self._network
        dark = next((network.sites[site].title for site in network.sites_of(link) if self._dark(site)), None)
        down = next(
            (alert for alert in judge.alerts.values() if alert.id == f"link-down--link--{link.name}"), None
        )
        cut = judge.alerts.get(down.silenced_by) if down and down.silenced_by else None
        silent = next((end.device for _s, end in link.ends if judge.silent(end.device)), None)
        slow = next(
            (
                alert.name
                for alert in judge.alerts.values()
                if alert.rule in ("port-slow", "cable-out") and alert.name in (link.a.device, link.b.device)
            ),
            None,
        )
        return Signs(
            state=state,
            a=a,
            b=b,
            titles={site: network.sites[site].title for site in network.sites_of(link)},
            dark_site=dark,
            cut_by=network.links[cut.name].title if cut else None,
            silent_device=network.devices[silent].title if silent else None,
            slow_port_device=network.devices[slow].title if slow else None,
        )

    def _dark(self, site: str) -> bool:
        """Whether no device of a site answers: then it is the site, not one device."""
        devices = [device.name for device in self._network.devices.values() if device.site == site]
        return bool(devices) and all(self._judge.silent(device) for device in devices)

    def _device(self, name: str, now: float) -> DeviceView:
        judge, device = self._judge, self._network.devices[name]
        known, news = judge.known.of(name), judge.nodes[device.node]
        if not known.answered_at and known.failed_since is None:
            state = "unknown"
        elif not judge.node_speaks(device.node, now):
            state = "no_news"
        else:
            state = "silent" if judge.silent(name) else "ok"
        return DeviceView(
            id=name,
            title=device.title,
            site=device.site,
            node=device.node,
            state=state,
            since=round(self._since("device", name, state, now)[0], 1),
            address=device.address,
            profile=known.text(Series("system", "", "profile")) or device.profile,
            model=known.text(Series("system", "", "model")),
            version=known.text(Series("system", "", "version")),
            as_of=known.answered_at or None,
            next_by=news.next_by,
        )

    def _site(self, name: str) -> SiteView:
        judge, site = self._judge, self._network.sites[name]
        parent = judge.topology.parent.get(name)
        states = [
            self._states["link", link.name][0]
            for link in self._network.links.values()
            if name in self._network.sites_of(link)
        ]
        state = "down" if self._dark(name) else min(states, key=LINK_STATES.index, default="ok")
        if state == "down" and not self._dark(name):
            state = "weak"
        return SiteView(
            id=name,
            title=site.title,
            state=state,
            homes=site.homes,
            homes_behind=judge.topology.homes_behind(parent, self._network) if parent else site.homes,
            latitude=site.latitude,
            longitude=site.longitude,
            power=site.power,
            parent=parent,
        )

    def _node(self, name: str, now: float) -> NodeView:
        node, news = self._network.nodes[name], self._judge.nodes[name]
        reports = news.reports(now, self._network.poll_s)
        state = "unknown" if reports is None else ("ok" if reports else "no_news")
        return NodeView(
            id=name,
            title=node.title,
            site=node.site,
            state=state,
            since=round(self._since("node", name, state, now)[0], 1),
            version=news.state.version if news.state else "",
            as_of=news.as_of,
            next_by=news.next_by,
        )

    def _upstream(self, name: str, now: float) -> UpstreamView:
        upstream = self._network.upstreams[name]
        up = self._judge.upstream_up(name)
        state = "unknown" if up is None else ("ok" if up else "down")
        return UpstreamView(
            id=name,
            title=upstream.title,
            site=self._network.devices[upstream.device].site,
            state=state,
            since=round(self._since("upstream", name, state, now)[0], 1),
        )
