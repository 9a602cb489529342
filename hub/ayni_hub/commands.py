"""The desk for commands: looks at who asks and for what, writes it down, sends it, and tells how it goes.

Theory of operation. Roles, limits and the way to a node are looked at here, by the inventory; the node looks
again. First the node is asked for its clock (`hello`), so that the command can say until when it is good, on
a clock that nobody can set. It is sent again until the node answers; the same id is never done twice. A nonce
of the node's guard is answered at once: it came over the very way that must still be there. Whoever asked is
told every state, and asks again with the same id after losing the connection. A hub that was started anew
knows none of its commands: it confirms nothing, so what it does not know is undone, and it writes down how
that ended.

Commands and confirmations are never retained.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

from ayni_core import commands, only_way
from ayni_core.commands import Order, OrderError
from ayni_core.inventory import Network
from ayni_core.message import Message
from ayni_core.wire import WireError, topics
from ayni_core.wire.messages import Command, CommandState, Event, NodeState
from ayni_core.wire.questions import AskCommand, CommandNews, CommandPlan, question
from ayni_core.wire.shape import pack, unpack
from ayni_hub.who import Actor, Who
from ayni_io import clock as wall
from ayni_io.waiting import BootClock, Clock, within

log = logging.getLogger("hub")
HELLO_S, SEND_AGAIN_S = 5.0, 6.0
SLACK_S = 120.0
"""How much longer than its limit a command may be silent before the hub stops waiting."""
_TRIES = 3
_MOST_OPEN, _MOST_OPEN_EACH, _MOST_KNOWN = 32, 8, 200
_MOST_AN_HOUR = 20
"""Events that nobody sent a command for: refusals, and ends of commands that this hub does not know."""
_MOST_TOPICS, _MOST_NEWS = 8, 256
_MOST_NAMED = 4


@dataclass(slots=True)
class _Entry:
    """A command that this hub has sent, or is about to."""

    id: str
    asked: AskCommand
    order: Order
    user: str
    actor: Actor
    node: str
    device: str
    risk: str
    topics: list[str]
    news: asyncio.Queue[CommandState] = field(default_factory=lambda: asyncio.Queue(_MOST_NEWS))
    last: CommandState | None = None
    ended: bool = False


class Desk:
    """All commands of one hub. `publish` sends without retaining, `remember` puts an event into the
    ledger."""

    def __init__(
        self,
        network: Network,
        state_of: Callable[[str], NodeState | None],
        publish: Callable[[str, bytes], Awaitable[None]],
        remember: Callable[[Event], None],
        clock: Clock | None = None,
        who: Who | None = None,
    ) -> None:
        self._network = network
        self._who = who or Who(network)
        self._state_of = state_of
        self._publish = publish
        self._remember = remember
        self._clock = clock or BootClock()
        self._entries: dict[str, _Entry] = {}
        self._strange: deque[str] = deque(maxlen=_MOST_KNOWN)
        self._recent: dict[str, deque[float]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def ask(self, payload: bytes, user: str, topic: str) -> bool:
        """A question as it came, to be answered on `topic`; False if it asks for no command."""
        try:
            asked = question(payload)
        except WireError:
            return False
        if not isinstance(asked, AskCommand):
            return False
        try:
            news = self._ask(asked, user, topic)
        except OrderError as refusal:
            if not refusal.text.context.startswith("answer."):  # who says who they are next tried nothing yet
                self._audit_refusal(asked, user)
            state = CommandState(id=asked.id, do=asked.do, state="refused", progress=1.0, text=refusal.text)
            news = CommandNews(state=state)
        self._spawn(self._publish(topic, pack(news)))
        return True

    def heard(self, node: str, payload: bytes) -> None:
        """What came on `done/NODE`. Raises `WireError`."""
        state = unpack(CommandState, payload)
        identifier = state.id
        if state.state not in commands.STATES:
            raise WireError("a state that no command has")
        entry = self._entries.get(identifier)
        if entry is None or entry.node != node:
            self._heard_strange(node, state)
            return
        if state.state == "probation" and state.nonce:
            confirm = Command(id=identifier, do="confirm", epoch="", nonce=state.nonce)
            self._spawn(self._publish(topics.cmd(node), pack(confirm)))
        if not entry.news.full():
            entry.news.put_nowait(state)
        if entry.ended and state.do != "hello" and state.state in commands.FINAL:
            self._relay(entry, state)  # it was given up too early

    # ---- looking

    def _ask(self, asked: AskCommand, user: str, topic: str) -> CommandNews:
        order = commands.check(asked)
        actor = self._actor(asked, user, order)
        identifier = f"{user}.{asked.id}"
        if not commands.is_identifier(asked.id) or not commands.is_identifier(identifier):
            raise OrderError("refused.bad_id", n=40)
        node, device = self._place(asked.where, order)
        risk = only_way.risk(self._network, order, node, device)
        known = self._entries.get(identifier)
        if known is not None and not asked.look_first:
            return self._again(known, asked, topic)
        if risk and not asked.force:
            context = "refused.far" if risk == only_way.FAR else "refused.on_path"
            raise OrderError(context, device=self._title(device), node=self._network.nodes[node].title)
        state = self._state_of(node)
        if state is None or not state.up:
            raise OrderError("refused.node_down", node=self._network.nodes[node].title)
        if asked.look_first:
            return CommandNews(node=node, plan=self._plan(order, node, device, risk))
        self._make_room(user)
        entry = _Entry(
            identifier, _bare(asked), order, user, actor, node, device, risk, [topic]
        )  # fmt: skip
        self._entries[identifier] = entry
        self._spawn(self._carry(entry))
        return _news(entry, None)

    def _actor(self, asked: AskCommand, user: str, order: Order) -> Actor:
        """Who wants it, and may; to look first takes no PIN. Raises `OrderError`."""
        actor = self._who.actor(user, asked.author)
        if isinstance(actor, Message):
            raise _refusal(actor)
        if not commands.may(actor.role, order.doing):
            raise OrderError("refused.role", user=actor.name, role=order.doing.role)
        doubt = None if asked.look_first else self._who.doubt(actor, asked.key)
        if doubt is not None:
            raise _refusal(doubt)
        return actor

    def _place(self, name: str, order: Order) -> tuple[str, str]:
        """(node, device) of what a person named; a name may be that of both."""
        doing = order.doing
        device, node = self._network.devices.get(name), self._network.nodes.get(name)
        if device is not None and (doing.where != "node" or node is None):
            if doing.where == "node":
                raise OrderError("refused.wants_node", do=doing.name, name=device.title)
            return device.node, name
        if node is None:
            raise OrderError("refused.place", name=name[:48])
        if doing.where == "device":
            raise OrderError("refused.wants_device", do=doing.name, name=node.title)
        return name, ""

    def _again(self, known: _Entry, asked: AskCommand, topic: str) -> CommandNews:
        if known.asked != _bare(asked):
            raise OrderError("refused.other_id", id=asked.id)
        if topic not in known.topics:
            known.topics = [*known.topics, topic][-_MOST_TOPICS:]
        return _news(known, known.last)

    def _make_room(self, user: str) -> None:
        open_ = [entry for entry in self._entries.values() if not entry.ended]
        if len(open_) >= _MOST_OPEN or sum(entry.user == user for entry in open_) >= _MOST_OPEN_EACH:
            raise OrderError("refused.many")
        ended = [entry for entry in self._entries.values() if entry.ended]
        for entry in ended[: max(0, len(self._entries) - _MOST_KNOWN)]:
            del self._entries[entry.id]

    def _plan(self, order: Order, node: str, device: str, risk: str) -> CommandPlan:
        """What would happen, in sentences."""
        doing = order.doing
        values: dict[str, str | float] = {
            "device": self._title(device),
            "node": self._network.nodes[node].title,
            "item": order.item,
            "seconds": int(order.for_s),
            "minutes": round(order.for_s / 60),
            "plan": order.value,
        }
        if not doing.changes:
            return CommandPlan(says=(Message("plan.harmless"),))
        first = f"plan.port_{order.value}" if doing.name == "port" else f"plan.{doing.name}"
        if (doing.name, order.value) == ("plan", commands.OWN_PLAN):
            return CommandPlan(says=(Message("plan.plan_own", values),))
        says = [Message(first, values)]
        cuts = doing.name in ("poe", "reboot") or (doing.name == "port" and order.value == "down")
        lost = only_way.sites_cut_off(self._network, device) if cuts else ()
        homes = sum(self._network.sites[site].homes for site in lost)
        if homes:
            says.append(Message("plan.homes", {"homes": homes}))
        if lost:
            says.append(self._named(lost))
        if risk:
            says.append(Message("plan.far" if risk == only_way.FAR else "plan.on_path", values))
        back = {"port": "plan.guard", "poe": "plan.poe_back", "plan": "plan.plan_back"}.get(doing.name)
        if back or doing.undo == "none":
            says.append(Message(back or "plan.none", values))
        return CommandPlan(says=tuple(says), homes=homes)

    def _named(self, sites: Sequence[str]) -> Message:
        """The sites that may be cut off, those with the most homes first, as many as people read."""
        ranked = sorted(sites, key=lambda site: (-self._network.sites[site].homes, site))
        names = ", ".join(self._network.sites[site].title for site in ranked[:_MOST_NAMED])
        if len(ranked) <= _MOST_NAMED:
            return Message("plan.sites", {"sites": names})
        return Message("plan.sites_more", {"sites": names, "more": len(ranked) - _MOST_NAMED})

    def _title(self, device: str) -> str:
        return self._network.devices[device].title if device else ""

    # ---- sending and telling

    async def _carry(self, entry: _Entry) -> None:
        self._audit(entry, "event.command", "info")
        hello = await self._hello(entry)
        if entry.ended:
            return
        if hello is None:
            title = self._network.nodes[entry.node].title
            self._give_up(entry, Message("failed.no_monitor", {"node": title}))
            return
        order = entry.order
        command = Command(
            id=entry.id, do=order.doing.name, epoch=hello.epoch, boot=hello.boot,
            until_s=round(hello.mono_s + commands.VALID_S, 2), by=entry.actor.name, role=entry.actor.role,
            device=entry.device, item=order.item, target=order.target, value=order.value, count=order.count,
            for_s=order.for_s, force=entry.asked.force, risk=entry.risk,
        )  # fmt: skip
        silent_s = 0.0
        while not entry.ended and silent_s < commands.VALID_S:
            await self._publish(topics.cmd(entry.node), pack(command))
            if await self._next(entry, SEND_AGAIN_S) is not None:
                break
            silent_s += SEND_AGAIN_S
        longest_s = order.doing.limit_s + order.for_s + SLACK_S
        while not entry.ended:
            if entry.last is None or await self._next(entry, longest_s) is None:
                text = Message("failed.no_word", {"node": entry.node, "id": entry.asked.id})
                self._give_up(entry, text)

    async def _hello(self, entry: _Entry) -> CommandState | None:
        for _ in range(_TRIES):
            await self._publish(topics.cmd(entry.node), pack(Command(id=entry.id, do="hello", epoch="")))
            end = self._clock.now() + HELLO_S
            while not entry.ended and (left := end - self._clock.now()) > 0:
                state = await self._next(entry, left)
                if state is not None and state.do == "hello":
                    return state
        return None

    async def _next(self, entry: _Entry, seconds: float) -> CommandState | None:
        """The next word of the node, told to who asked; None when none came in time."""
        try:
            state = await within(self._clock, seconds, entry.news.get())
        except TimeoutError:
            return None
        if state.do != "hello":
            self._relay(entry, state)
        return state

    def _relay(self, entry: _Entry, state: CommandState) -> None:
        entry.last = replace(state, nonce="")
        final = state.state in commands.FINAL
        if final:
            entry.ended = True
            ended = "event.command_refused" if state.state == "refused" else f"event.command_{state.state}"
            self._audit(entry, ended, "info" if state.state == "done" else "warn")
        for topic in entry.topics:
            self._spawn(self._publish(topic, pack(_news(entry, entry.last))))

    def _give_up(self, entry: _Entry, text: Message) -> None:
        state = CommandState(
            id=entry.id, do=entry.order.doing.name, state="failed", progress=1.0, text=text,
            at=round(wall.wall_s(), 1),
        )  # fmt: skip
        self._relay(entry, state)

    # ---- writing down

    def _audit(self, entry: _Entry, context: str, level: str) -> None:
        kind, name = ("device", entry.device) if entry.device else ("node", entry.node)
        what = (entry.order.doing.name, kind, name, _detail(entry.asked))
        self._event(context, level, entry.user, *what, shown=entry.actor.shown)

    def _audit_refusal(self, asked: AskCommand, user: str) -> None:
        """Who may not is written down too, but nobody fills the ledger with it."""
        if not asked.look_first and self._has_room(f"p-{user}"):
            kind = "device" if asked.where in self._network.devices else "node"
            detail = _detail(asked)
            self._event("event.command_refused", "warn", user, asked.do[:30], kind, asked.where[:48], detail)

    def _has_room(self, account: str) -> bool:
        """Whether one more event by an account fits into this hour."""
        now, recent = self._clock.now(), self._recent.setdefault(account, deque())
        while recent and now - recent[0] > 3600:
            recent.popleft()
        if len(recent) >= _MOST_AN_HOUR:
            return False
        recent.append(now)
        return True

    def _heard_strange(self, node: str, state: CommandState) -> None:
        """News of a command that an earlier hub sent: it is written down once how it ended."""
        final = state.state in commands.FINAL and state.do != "hello"
        if node not in self._network.nodes or not final or state.id in self._strange:
            return
        self._strange.append(state.id)
        if not self._has_room(f"n-{node}"):
            return
        who, _dot, _rest = state.id.partition(".")
        context = "event.command_refused" if state.state == "refused" else f"event.command_{state.state}"
        level = "info" if state.state == "done" else "warn"
        values = state.text.values if state.text else {}
        detail = " ".join(str(values[key]) for key in ("device", "item", "value") if values.get(key))
        self._event(context, level, who, state.do[:30], "node", node, detail or node)

    def _event(
        self, context: str, level: str, user: str, do: str, kind: str, name: str, detail: str, shown: str = ""
    ) -> None:
        person = self._network.people.get(user)
        who = shown or (person.title if person is not None else user[:48])
        text = Message(context, {"who": who, "do": do, "detail": detail})
        event = Event(at=wall.wall_s(), text=text, level=level, kind=kind, name=name, author=user[:48])
        self._remember(event)
        log.info("command event=%s do=%s by=%s about=%s %s", context, do, user[:48], name, detail)

    def _spawn(self, work: Awaitable[None]) -> None:
        async def run() -> None:
            await work

        task = asyncio.get_running_loop().create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _news(entry: _Entry, state: CommandState | None) -> CommandNews:
    """As the person knows the command."""
    return CommandNews(node=entry.node, state=replace(state, id=entry.asked.id) if state else None)


def _refusal(why: Message) -> OrderError:
    error = OrderError(why.context)
    error.text = why
    return error


def _bare(asked: AskCommand) -> AskCommand:
    """What is asked for, without what proves who asks: somebody may ask again with a new key."""
    return replace(asked, key="")


def _detail(asked: AskCommand) -> str:
    """What was asked for, as on the command line."""
    words = [asked.where, asked.item, asked.target, asked.value, "--force" if asked.force else ""]
    return " ".join(word for word in words if word)[:200]
