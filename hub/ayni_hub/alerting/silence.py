"""One alert, not forty: which alert explains which.

A cut (`cuts`) is an alert that explains others. It cuts off what is behind it, seen from the Internet; of all
cuts on the way to a thing the one nearest to the Internet explains it. What began long after the cut, or was
heard of since, is not explained by it: there is another way.

What a monitor cannot reach from where it stands is explained by the cuts on its way there, too.

A silent monitor is a matter of its own: the central cannot hear it, which says nothing of the site. Where all
monitors behind a site are silent, the one nearest to the Internet speaks for them; that holds for a central
in the village and for one outside. Where the central itself stands behind a cut, the monitors on the far
side are those before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from ayni_core.wire.messages import Alert
from ayni_hub.alerting.cuts import MUTE, SILENT, Cut, Cuts
from ayni_hub.alerting.ground import Ground

_TOGETHER_S = 3600.0
_MOST_ROOTS = 20
"""Of silent monitors that speak for themselves, how many are asked whether they explain one more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """What a root explains: sites and homes that are cut off with it, and other alerts."""

    sites: int = 0
    homes: int = 0
    alerts: int = 0


@dataclass(slots=True)
class Found:
    """`root` has for each alert that is explained by another one the alert that explains it and is explained
    by none; `behind` what the roots have behind them. `waits` are silent monitors of which nobody knows yet
    whether they are alone: the next report of those around them will tell."""

    root: dict[str, str] = field(default_factory=dict)
    behind: dict[str, Behind] = field(default_factory=dict)
    waits: set[str] = field(default_factory=set)


class Silence:
    """Looks at all alerts of a network at once. `slack_s`: how much later than a cut what it explains may be
    noticed."""

    def __init__(self, ground: Ground, slack_s: float) -> None:
        self._ground = ground
        self._slack_s = slack_s

    def look(self, alerts: Mapping[str, Alert], heard: Callable[[str], float | None]) -> Found:
        """Who explains whom. `heard`: when a monitor last measured something that reached us."""
        return _Look(self._ground, self._slack_s, alerts, heard).found()


class _Look:
    def __init__(
        self,
        ground: Ground,
        slack_s: float,
        alerts: Mapping[str, Alert],
        heard: Callable[[str], float | None],
    ) -> None:
        self._ground = ground
        self._slack_s = slack_s
        self._alerts = alerts
        self._cuts = Cuts(ground, slack_s, alerts, heard)
        self._parent: dict[str, str] = {}
        self._waits: set[str] = set()

    def found(self) -> Found:
        if not self._alerts:
            return Found()
        others = []
        for alert in self._alerts.values():
            if alert.kind == "link":
                self._explain(alert, self._cuts_of_link(alert))
            else:
                others.append(alert)
        for alert in others:  # devices ask whether their links are explained by themselves
            if (alert.kind != "node" or alert.rule != MUTE) and not self._is_plain(alert):
                self._explain(alert, self._cuts_of_other(alert))
        if self._cuts.mute:
            self._explain_monitors()
        self._one_for_both_ends()
        return self._resolve()

    # ---- what each kind hangs on

    def _is_plain(self, alert: Alert) -> bool:
        """Most alerts of a storm: a device, and the first cut on its way explains it."""
        if alert.kind != "device" or self._cuts.outs:
            return False
        path = self._cuts.paths.get(self._ground.site_of.get(alert.name, ""))
        if not path or path[0].alert == alert.id or path[0].since < alert.since - self._slack_s:
            return False
        self._parent[alert.id] = path[0].alert
        return True

    def _explain(self, alert: Alert, cuts: Iterable[Cut]) -> None:
        latest = alert.since - self._slack_s
        for cut in cuts:
            if cut.alert == alert.id:
                return
            if cut.since >= latest:
                self._parent[alert.id] = cut.alert
                return

    def _cuts_of_link(self, alert: Alert) -> Iterable[Cut]:
        ground = self._ground
        if alert.name not in ground.ends:
            return
        child = ground.child.get(alert.name)
        if child is not None:
            yield from self._cuts.paths.get(ground.topology.above[child], ())
        else:
            first, second = (self._cuts.paths.get(ground.site_of[end], ()) for end in ground.ends[alert.name])
            yield from (cut for cut in first if cut in second)
        for feeder in self._cuts.dead_before(alert.name):
            yield Cut(feeder.id, feeder.since, "")
        down = self._cuts.down.get(alert.name)
        if down is not None:
            yield Cut(down.id, down.since, "")

    def _cuts_of_other(self, alert: Alert) -> Iterable[Cut]:
        network = self._ground.network
        match alert.kind:
            case "device" if alert.name in network.devices:
                return self._cuts_of_device(alert, alert.name)
            case "upstream" if alert.name in network.upstreams:
                return self._cuts_of_device(alert, network.upstreams[alert.name].device)
            case "node" if alert.name in network.nodes:
                return self._cuts.paths.get(network.nodes[alert.name].site, ())
            case "site":
                return self._cuts.paths.get(alert.name, ())
        return ()

    def _cuts_of_device(self, alert: Alert, device: str) -> Iterable[Cut]:
        ground = self._ground
        site = ground.site_of[device]
        out = self._cuts.outs.get(ground.topology.root.get(site, ""))
        if out is not None and device in ground.probes:
            yield out
        yield from self._cuts.paths.get(site, ())
        for feeder in ground.feeders[device] if self._cuts.silent else ():
            dead = self._cuts.silent.get(feeder)
            if dead is not None:
                yield Cut(dead.id, dead.since, "")
        own = self._cuts.silent.get(device)
        if own is not None and own.id != alert.id:
            yield Cut(own.id, own.since, "")
        for link in ground.links_of.get(device, ()) if self._cuts.down and alert.kind == "device" else ():
            down = self._cuts.down.get(link)
            if down is not None and self._parent.get(down.id) != alert.id:
                yield Cut(down.id, down.since, "")
        if alert.kind == "device" and alert.rule == SILENT:
            yield from self._cuts.paths.get(ground.monitor_site[device], ())

    # ---- monitors

    def _explain_monitors(self) -> None:
        left = []
        for alert in self._cuts.mute.values():
            node = self._ground.network.nodes.get(alert.name)
            if node is None:
                continue
            cut = self._cut_of_monitor(alert, node.site)
            if cut is not None:
                self._parent[alert.id] = cut
            else:
                left.append(alert)
        if left:
            self._group_monitors(left)

    def _cut_of_monitor(self, alert: Alert, site: str) -> str | None:
        out = self._cuts.outs.get(self._ground.topology.root.get(site, ""))
        cuts = self._cuts.paths.get(site, ())
        for cut in (out, *cuts) if out is not None else cuts:
            unheard = self._unheard_since(alert, cut.since, cut.alert)
            if unheard and self._cuts.heard_behind[cut.top] <= cut.since:
                return cut.alert
        for link, down in list(self._cuts.down.items())[:_MOST_ROOTS]:
            if down.id not in self._parent and self._is_before(alert, site, link, down):
                return down.id
        return None

    def _is_before(self, alert: Alert, site: str, link: str, down: Alert) -> bool:
        """Whether the central seems to be behind a link that is down, and a monitor before it."""
        ground, cuts = self._ground, self._cuts
        child, behind = ground.child.get(link), ground.topology.behind.get(link, frozenset())
        if child is None or site in behind or cuts.heard_behind[child] <= down.since:
            return False
        before = (node.name for node in ground.network.nodes.values() if node.site not in behind)
        return self._unheard_since(alert, down.since, down.id) and all(
            cuts.heard[node] <= down.since for node in before
        )

    def _unheard_since(self, alert: Alert, since: float, root: str) -> bool:
        """After a restart nobody knows when it was heard last, but what explained it before does so still."""
        heard = self._cuts.heard[alert.name]
        return heard <= since if heard else alert.silenced_by == root or alert.since - self._slack_s <= since

    def _group_monitors(self, left: list[Alert]) -> None:
        """Where all monitors behind a site are silent, the first of them speaks for those not heard since."""
        ground, topology = self._ground, self._ground.topology
        talk = dict.fromkeys(ground.network.sites, 0)  # monitors behind a site that are not silent
        for site, nodes in ground.nodes_at.items():
            talk[site] += sum(node not in self._cuts.mute for node in nodes)
        for site in reversed(topology.order):
            if site in topology.above:
                talk[topology.above[site]] += talk[site]
        all_mute = len(self._cuts.mute) >= len(ground.network.nodes)
        top: dict[str, str] = {}
        for site in topology.order:
            up = topology.above.get(site)
            top[site] = top[up] if up is not None and not talk[up] else site
        groups: dict[str, list[Alert]] = {}
        for alert in left:
            site = ground.network.nodes[alert.name].site
            groups.setdefault("" if all_mute else top.get(site, site), []).append(alert)
            self._wait_for_others(alert, site, talk, all_mute)
        last = len(ground.depth)
        for group, members in groups.items():
            roots: list[Alert] = []
            for alert in sorted(
                members,
                key=lambda each: (
                    ground.depth.get(ground.network.nodes[each.name].site, last),
                    each.since,
                    each.id,
                ),
            ):
                for root in roots:
                    if self._unheard_since(alert, root.since, root.id):
                        self._parent[alert.id] = root.id
                        tops = [group] if group else topology.roots
                        self._cuts.tops.setdefault(root.id, set()).update(tops)
                        break
                else:
                    if len(roots) < _MOST_ROOTS:
                        roots.append(alert)

    def _wait_for_others(self, alert: Alert, site: str, talk: Mapping[str, int], all_mute: bool) -> None:
        """A monitor is alone when another one near it was heard after it fell silent."""
        if all_mute or alert.id in self._parent:
            return
        above = self._ground.topology.above
        up: str | None = site
        while up is not None and not talk[up]:
            up = above.get(up)
        newest = self._cuts.heard_behind[up] if up is not None else max(self._cuts.heard.values())
        if newest <= alert.since:
            self._waits.add(alert.id)

    # ---- together

    def _one_for_both_ends(self) -> None:
        """Both ends of a link usually suffer together: then the first of their alerts speaks for those that
        came soon after; what comes another day is another trouble."""
        speaks: dict[str, list[Alert]] = {}
        lesser = [
            alert for alert in self._alerts.values() if alert.kind == "link" and alert.id not in self._parent
        ]
        for alert in sorted(lesser, key=lambda each: (each.level != "critical", each.since, each.id)):
            before = speaks.setdefault(alert.name, [])
            first = next((each for each in before if alert.since <= each.since + _TOGETHER_S), None)
            if first is None:
                before.append(alert)
            else:
                self._parent[alert.id] = first.id

    def _resolve(self) -> Found:
        root: dict[str, str] = {}
        count: dict[str, int] = {}
        parents = self._parent
        for alert, up in parents.items():
            if up in parents:
                way = {alert}
                while up in parents and up not in way:
                    way.add(up)
                    up = parents[up]
                if up in way:  # a circle, which the tables should not have: its first speaks
                    up = min(way)
                    if up == alert:
                        continue
            root[alert] = up
            count[up] = count.get(up, 0) + 1
        ground = self._ground
        behind: dict[str, Behind] = {}
        for alert in {*count, *self._cuts.tops} - root.keys():
            tops = self._cuts.tops.get(alert, set())
            if len(tops) > 1:
                tops = ground.outermost(tops)
            behind[alert] = Behind(
                sites=sum(ground.size[site] for site in tops),
                homes=sum(ground.homes[site] for site in tops),
                alerts=count.get(alert, 0),
            )
        return Found(root=root, behind=behind, waits={each for each in self._waits if each not in root})
