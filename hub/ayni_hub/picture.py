"""The picture that people see: views of links, sites, devices, monitors and ways out, as retained messages.

`Picture` rebuilds only what may have news, and hands out only what differs from what was handed out before.
News spread: from a monitor to its devices, from a device or an alert to the links and the site around it. A
network of a thousand sites is looked at each second, so what has none is not touched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from ayni_core import ends
from ayni_core.diagnosis import Signs, cause_of, cause_of_other
from ayni_core.inventory import Device, Link, Node, Site, Upstream
from ayni_core.readings import Series
from ayni_core.wire import topics
from ayni_core.wire.messages import (
    LINK_STATES,
    Alert,
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
from ayni_hub.normals import Wanted
from ayni_hub.surroundings import Surroundings

_LETTERS = {"ok": "o", "weak": "w", "down": "d", "no_news": "n", "unknown": "-"}
_WORST = "dwno-"
_DAY_H = 24
_MOSTLY_S = 1800.0
Titled = Device | Link | Node | Site | Upstream
_DOWN, _CABLE = "link-down", ("port-slow", "cable-out")


class Suspicion(NamedTuple):
    """What is known around a link; the name of the probable cause, empty where nothing is wrong, and since
    when."""

    known: Signs
    cause: str = ""
    since: float | None = None


@dataclass(slots=True)
class Stale:
    """Names of what has to be looked at again; `alerts` are those about (kind, name)."""

    nodes: set[str] = field(default_factory=set)
    devices: set[str] = field(default_factory=set)
    links: set[str] = field(default_factory=set)
    sites: set[str] = field(default_factory=set)
    alerts: set[tuple[str, str]] = field(default_factory=set)


class Picture:
    """Keeps the views up to date with the judge."""

    def __init__(self, judge: Judge, hours: Mapping[str, dict[int, str]], now: float) -> None:
        self._judge = judge
        self._network = judge.network
        self._around = Surroundings(judge.network)
        self._states: dict[tuple[str, str], tuple[str, float]] = {}
        self._hours = {link: dict(hours.get(link, {})) for link in self._network.links}
        self._hour = int(now // 3600)
        self._told: dict[str, bytes] = {}
        self._nodes: dict[str, tuple[object, ...]] = {}
        self._alerts: dict[str, Alert] = {}
        self._about: dict[tuple[str, str], list[Alert]] = {}
        self._homes = {link: judge.topology.homes_behind(link, self._network) for link in self._network.links}
        self._stale = Stale(
            devices=set(self._network.devices), links=set(self._network.links), sites=set(self._network.sites)
        )
        self.new_hours: dict[tuple[str, int], str] = {}
        self.blind_s: Callable[[int], float] = lambda _hour: 0.0
        """For how many seconds of an hour since 1970 nobody saw anything, for whoever knows."""
        self._changes: list[tuple[str, str, str]] = []

    def news(self, now: float, devices: set[str]) -> dict[str, bytes]:
        """Topics and payloads that changed; `devices` are those with new readings."""
        stale, self._stale = self._stale, Stale()
        self._find_stale(stale, now, devices)
        out: dict[str, bytes] = {}
        self._put_links(stale, now, out)
        self._explain_others(stale)
        for name in stale.devices:
            out[topics.net("device", name)] = pack(self._device(name, now))
        for name in stale.sites:
            view = self._site(name)
            self._since("site", name, view.state, now)
            out[topics.net("site", name)] = pack(view)
        for name in stale.nodes:
            out[topics.net("node", name)] = pack(self._node(name, now))
        for name in self._network.upstreams:
            out[topics.net("upstream", name)] = pack(self._upstream(name, now))
        if not self._told:
            out[topics.net("community", "about")] = pack(
                Community(
                    title=self._network.title,
                    language=self._network.language,
                    poll_s=self._network.poll_s,
                    training=self._network.training,
                )
            )
        news = {topic: payload for topic, payload in out.items() if self._told.get(topic) != payload}
        self._told |= news
        return news

    def _find_stale(self, stale: Stale, now: float, devices: set[str]) -> None:
        """What has to be looked at again since the last time."""
        around, network = self._around, self._network
        hour = int(now // 3600)
        if hour != self._hour:
            self._hour = hour
            stale.links |= set(network.links)
        for name, news in self._judge.nodes.items():
            seen = (news.reports(now, network.poll_s), news.next_by, news.as_of, news.state)
            if self._nodes.get(name) != seen:
                self._nodes[name] = seen
                stale.nodes.add(name)
                stale.devices.update(around.devices_of_node.get(name, ()))
        stale.devices |= devices & network.devices.keys()
        for alert in self._changed_alerts():
            stale.alerts.add((alert.kind, alert.name))
            match alert.kind:
                case "device" if alert.name in network.devices:
                    stale.devices.add(alert.name)
                case "link" if alert.name in network.links:
                    stale.links.add(alert.name)
        for device in stale.devices:
            stale.links.update(around.links_of_device.get(device, ()))
            stale.sites.add(network.devices[device].site)
        for site in stale.sites:  # whether it is dark explains what is wrong there
            stale.alerts.update(("device", device) for device in around.devices_of_site.get(site, ()))

    def _changed_alerts(self) -> Iterator[Alert]:
        """Alerts that are new, over, or otherwise than the last time."""
        before, held = self._alerts, self._judge.alerts
        changed = [alert for identifier, alert in held.items() if before.get(identifier) is not alert]
        changed += [alert for identifier, alert in before.items() if identifier not in held]
        if changed:
            self._alerts = dict(held)
            self._about = {}
            for alert in held.values():
                self._about.setdefault((alert.kind, alert.name), []).append(alert)
        yield from changed

    def _put_links(self, stale: Stale, now: float, out: dict[str, bytes]) -> None:
        for name in list(stale.links):
            link = self._network.links[name]
            state = self._link_state(link, now)
            self._since("link", name, state, now)
            self._note_hour(name, self._hour, state)
        for site in list(stale.sites):  # whether a site is dark is a sign for all links there
            stale.links.update(self._around.links_of_site.get(site, ()))
        for name in stale.links:
            out[topics.net("link", name)] = pack(self._link(self._network.links[name], now))
            stale.sites.update(self._network.sites_of(self._network.links[name]))

    def take_changes(self) -> list[tuple[str, str, str]]:
        """(kind, name, state) of what changed its state since the last call."""
        changes, self._changes = self._changes, []
        return changes

    def told(self, topic: str) -> bytes:
        """What was last told on a topic; nothing for one that is not ours."""
        return self._told.get(topic, b"")

    def topics(self) -> set[str]:
        """Every topic that this picture has told; anything else retained below `net/` is left over."""
        return set(self._told)

    def _since(self, kind: str, name: str, state: str, now: float) -> float:
        before = self._states.get((kind, name))
        if before is not None and before[0] == state:
            return before[1]
        self._states[kind, name] = (state, now)
        self._changes.append((kind, name, state))
        return now

    def _note_hour(self, link: str, hour: int, state: str) -> None:
        letter = _LETTERS[state]
        hours = self._hours[link]
        before = hours.get(hour)
        if before is None or _WORST.index(letter) < _WORST.index(before):
            hours[hour] = self.new_hours[link, hour] = letter
            for old in [each for each in hours if each <= hour - _DAY_H]:
                del hours[old]
            self._stale.links.add(link)

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
        weak = any(alert.rule != _DOWN for alert in self._about.get(("link", link.name), ()))
        return "weak" if weak else "ok"

    def _link(self, link: Link, now: float) -> LinkView:
        judge = self._judge
        state, since = self._states["link", link.name]
        views = self._ends(link)
        cause = cause_of(self._signs(link, state, views["a"], views["b"]))
        for alert in self._about.get(("link", link.name), ()):
            since = min(since, alert.since)
            judge.book.explain(alert.id, cause)
        words, headline = cause or (None, None)
        due = [judge.nodes[self._network.devices[end.device].node].next_by for _side, end in link.ends]
        return LinkView(
            id=link.name,
            title=link.title,
            state=state,
            since=round(since, 1),
            homes=self._homes[link.name],
            a=views["a"],
            b=views["b"],
            cause=words,
            headline=headline,
            day=self._day(link.name),
            next_by=max((each for each in due if each is not None), default=None),
        )

    def _ends(self, link: Link) -> dict[str, EndView]:
        """Both ends by their side."""
        judge, views = self._judge, {}
        for side, end in link.ends:
            known = judge.known.of(end.device)
            answers = not judge.silent(end.device) if known.answered_at or known.failed_since else None
            site, where = self._network.site_of(end.device), judge.ends[link.name, side].where
            view = ends.view(end, site.name, known, where, answers)
            if view.normal_dbm is None and where is not None:  # nobody wrote it down: as it was when new
                reference = Wanted(end.device, Series(*where, "signal_dbm"), "reference")
                view = replace(view, normal_dbm=judge.normals.learned(reference))
            views[side] = view
        return views

    def around(self, link: Link) -> Suspicion:
        """What is known around a link, what is probably wrong, and since when."""
        views = self._ends(link)
        state, since = self._states.get(("link", link.name), ("unknown", 0.0))
        known = self._signs(link, state, views["a"], views["b"])
        cause = cause_of(known)
        if cause is None:
            return Suspicion(known)
        since = min([since, *(alert.since for alert in self._about.get(("link", link.name), ()))])
        return Suspicion(known, cause[0].context.removeprefix("cause."), since)

    def _explain_others(self, stale: Stale) -> None:
        """The probable cause of the alerts that are not about links."""
        network = self._network
        for kind, name in stale.alerts:
            for alert in self._about.get((kind, name), ()) if kind != "link" else ():
                dark, title = None, ""
                if kind == "device" and name in network.devices:
                    device = network.devices[name]
                    title = device.title
                    dark = network.sites[device.site].title if self._dark(device.site) else None
                suspect = self._judge.suspect(alert.rule)
                self._judge.book.explain(alert.id, cause_of_other(kind, alert.rule, title, dark, suspect))

    def _day(self, link: str) -> str:
        first = self._hour - _DAY_H + 1
        return "".join(self._letter(link, hour) for hour in range(first, self._hour + 1))

    def _letter(self, link: str, hour: int) -> str:
        """The worst that was seen; an hour that was mostly not seen was not a good one."""
        letter = self._hours[link].get(hour, "-")
        return "-" if letter == _LETTERS["ok"] and self.blind_s(hour) > _MOSTLY_S else letter

    def _signs(self, link: Link, state: str, a: EndView, b: EndView) -> Signs:
        judge, network = self._judge, self._network
        dark = next((network.sites[site].title for site in network.sites_of(link) if self._dark(site)), None)
        own = self._about.get(("link", link.name), ())
        down = next((alert for alert in own if alert.rule == _DOWN), None)
        cut = judge.alerts.get(down.silenced_by) if down and down.silenced_by else None
        silent = next((end.device for _s, end in link.ends if judge.silent(end.device)), None)
        slow = next(
            (
                end.device
                for _side, end in link.ends
                for alert in self._about.get(("device", end.device), ())
                if alert.rule in _CABLE
            ),
            None,
        )
        return Signs(
            state=state,
            a=a,
            b=b,
            titles={site: network.sites[site].title for site in network.sites_of(link)},
            plans_dbm={side: end.budget_dbm for side, end in link.ends if end.budget_dbm is not None},
            dark_site=dark,
            cut_by=self._title_of(cut) if cut else None,
            silent_device=network.devices[silent].title if silent else None,
            slow_port_device=network.devices[slow].title if slow else None,
        )

    def _dark(self, site: str) -> bool:
        """Whether no device of a site answers: then it is the site, not one device."""
        devices = self._around.devices_of_site.get(site, ())
        return bool(devices) and all(self._judge.silent(device) for device in devices)

    def _title_of(self, alert: Alert) -> str:
        """What an alert is about, as people call it."""
        network = self._network
        titled: dict[str, Mapping[str, Titled]] = {
            "link": network.links,
            "device": network.devices,
            "node": network.nodes,
            "site": network.sites,
            "upstream": network.upstreams,
        }
        found = titled.get(alert.kind, {}).get(alert.name)
        return found.title if found else alert.name

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
            since=round(self._since("device", name, state, now), 1),
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
        states = [self._states["link", link][0] for link in self._around.links_of_site.get(name, ())]
        state = "down" if self._dark(name) else min(states, key=LINK_STATES.index, default="ok")
        if state == "down" and not self._dark(name):
            state = "weak"
        return SiteView(
            id=name,
            title=site.title,
            state=state,
            homes=site.homes,
            homes_behind=self._homes[parent] if parent else site.homes,
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
            since=round(self._since("node", name, state, now), 1),
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
            since=round(self._since("upstream", name, state, now), 1),
        )
