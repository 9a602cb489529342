"""Topics under `ayni/v1/`, and which account may use which.

Accounts are `n-NODE`, `p-PERSON`, `h-HUB`, `w-WORKER`, `b-VILLAGE`, `r-REGION`, `l-LAB`, `k-HUB` that keeps
the accounts, and `e-NODE` for a node that is to become one. Rights are written out per account: patterns that
apply to everybody cannot say that a node owns its bucket.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from ayni_core.wire.errors import WireError

PREFIX = "ayni/v1"
BUCKETS = 64
KINDS = ("live", "history", "watch")
"""What a frame is for: news, backlog, or a copy for somebody who is looking (never stored)."""

HUB = f"{PREFIX}/hub"
BEAT = f"{PREFIX}/beat"
"""Where the hub shows every half minute that it lives. Nodes do not hear it: it would cost a metered link
more than all readings do."""
LAB = f"{PREFIX}/lab"
CONTROL = "$CONTROL/dynamic-security/v1"
"""Where Mosquitto's dynamic-security plugin is told of accounts; it answers at `CONTROL_ANSWER`."""
CONTROL_ANSWER = f"{CONTROL}/response"


HUB_HEARS = tuple(f"{PREFIX}/{root}/#" for root in ("in", "state", "ask", "done", "alert", "net"))
"""What a hub needs to hear. Its account may hear its own words too, for whoever reads along with it."""


FED_KINDS = ("live", "history")
"""What a village feeds to a server; copies for watchers stay in the village."""


def bucket(node: str) -> int:
    """The bucket of a node: crc32 of its name, modulo 64. Workers own buckets."""
    return zlib.crc32(node.encode("utf-8")) % BUCKETS


def frame(node: str, kind: str) -> str:
    """Where a node sends its frames of one kind."""
    return f"{PREFIX}/in/{bucket(node):02d}/{node}/{kind}"


def fed(node: str, village: str, kind: str) -> str:
    """Where a village's hub brings a node's frames to a server."""
    return f"{PREFIX}/fed/{bucket(node):02d}/{node}/{village}/{kind}"


def part(name: str) -> str:
    """Where a worker, or a village that feeds a server, retains how it is."""
    return f"{PREFIX}/part/{name}"


def told(name: str) -> str:
    """Where such a part tells what happened there."""
    return f"{PREFIX}/told/{name}"


def heard(name: str) -> str:
    """Where it is told how far that was written down."""
    return f"{PREFIX}/heard/{name}"


def state(node: str) -> str:
    """Where a node's birth and last will are retained."""
    return f"{PREFIX}/state/{node}"


def ack(node: str) -> str:
    """Where the hub tells a node what it has stored."""
    return f"{PREFIX}/ack/{node}"


def cmd(node: str) -> str:
    """Where the hub commands a node."""
    return f"{PREFIX}/cmd/{node}"


def done(node: str) -> str:
    """Where a node tells what became of a command. One topic, not one for each command: what is retained on
    topics without number would fill the broker's memory and disk."""
    return f"{PREFIX}/done/{node}"


def renew(node: str) -> str:
    """Where the keeper of accounts hands a node its next password. Nobody else hears it, nor the hub."""
    return f"{PREFIX}/renew/{node}"


def renewed(node: str) -> str:
    """Where the node tells how far that is."""
    return f"{PREFIX}/renewed/{node}"


def enrol(node: str) -> str:
    """Where a machine that was invited asks to become this node."""
    return f"{PREFIX}/enrol/{node}"


def welcome(node: str) -> str:
    """Where it is given what it needs for that. Nobody else hears it."""
    return f"{PREFIX}/welcome/{node}"


def alert(alert_id: str) -> str:
    """Where one alert is retained while it lasts."""
    return f"{PREFIX}/alert/{alert_id}"


def net(kind: str, name: str) -> str:
    """Where the judge retains what is known of a link, site, device, node or upstream."""
    return f"{PREFIX}/net/{kind}/{name}"


def ask(user: str, session: str, question: str) -> str:
    """Where a person's console asks."""
    return f"{PREFIX}/ask/{user}/{session}/{question}"


def answer(user: str, session: str, question: str) -> str:
    """Where the hub answers: computed from the topic of the question, never from its payload."""
    return f"{PREFIX}/answer/{user}/{session}/{question}"


def lab_do(user: str) -> str:
    """Where a trainer tells the lab what to break or repair."""
    return f"{PREFIX}/lab/do/{user}"


@dataclass(frozen=True, slots=True)
class Address:
    """A topic taken apart: `root` such as `in` or `ask`, and the words after it."""

    root: str
    words: tuple[str, ...]


_WORDS = {
    "in": 3, "fed": 4, "part": 1, "told": 1, "heard": 1, "state": 1, "ack": 1, "hub": 0, "beat": 0,
    "alert": 1, "net": 2, "ask": 3, "answer": 3, "cmd": 1, "done": 1, "renew": 1, "renewed": 1, "enrol": 1,
    "welcome": 1,
}  # fmt: skip


def parse(topic: str) -> Address:
    """Take a topic apart; `WireError` unless it is one of ours, with the bucket that its node has."""
    parts = topic.split("/")
    if parts[:2] != ["ayni", "v1"] or len(parts) < 3 or len(topic) > 300:
        raise WireError("not a topic of ours", kind="topic")
    root, words = parts[2], tuple(parts[3:])
    if root == "lab":
        if words and (len(words) != 2 or words[0] != "do"):
            raise WireError("not a topic of ours", kind="topic")
    elif len(words) != _WORDS.get(root, -1) or not all(words):
        raise WireError("not a topic of ours", kind="topic")
    if root in ("in", "fed"):
        number, node, kind = words[0], words[1], words[-1]
        if number != f"{bucket(node):02d}":
            raise WireError(f"{node} does not belong into bucket {number}", kind="topic")
        if kind not in (KINDS if root == "in" else FED_KINDS):
            raise WireError(f"unknown kind of frame {kind}", kind="topic")
    return Address(root, words)


@dataclass(frozen=True, slots=True)
class Rights:
    """What one account may publish to and subscribe to: MQTT topic filters."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]


def rights(account: str, role: str = "viewer") -> Rights:
    """The rights of an account, written out. Raises `ValueError` for an account of no known kind.

    A person's `role` matters only for the lab: trainers may break and repair pretend networks.
    """
    kind, _, name = account.partition("-")
    match kind:
        case "n":
            return Rights(
                publish=(*(frame(name, kind) for kind in KINDS), state(name), done(name), renewed(name)),
                subscribe=(ack(name), HUB, cmd(name), renew(name)),
            )  # fmt: skip
        case "h":
            own = tuple(f"{PREFIX}/{root}/#" for root in ("ack", "alert", "net", "answer", "cmd", "heard"))
            parts = tuple(f"{PREFIX}/{root}/#" for root in ("fed", "part", "told"))
            said = (each for each in own if each not in HUB_HEARS)
            return Rights(publish=(HUB, BEAT, *own), subscribe=(*HUB_HEARS, *parts, HUB, BEAT, *said))
        case "w":
            taken = tuple(f"{PREFIX}/{root}/#" for root in ("in", "fed", "state"))
            return Rights(
                publish=(f"{PREFIX}/ack/#", part(name), told(name)),
                subscribe=(*taken, HUB, heard(name)),
            )
        case "b":
            shown = (f"{PREFIX}/net/#", f"{PREFIX}/alert/#")
            return Rights(
                publish=(f"{PREFIX}/fed/+/+/{name}/+", *shown, part(name), told(name)),
                subscribe=(f"{PREFIX}/ack/#", HUB, heard(name)),
            )
        case "r":
            brought = tuple(f"{PREFIX}/{root}/#" for root in ("in", "state", "done"))
            fetched = tuple(f"{PREFIX}/{root}/#" for root in ("ack", "cmd"))
            return Rights(publish=brought, subscribe=(*fetched, HUB))
        case "p":
            lab = (lab_do(name),) if role == "trainer" else ()
            return Rights(
                publish=(f"{PREFIX}/ask/{name}/+/+", *lab),
                subscribe=(
                    f"{PREFIX}/state/#", HUB, BEAT, f"{PREFIX}/alert/#", f"{PREFIX}/net/#",
                    f"{PREFIX}/answer/{name}/#", LAB,
                ),
            )  # fmt: skip
        case "k":
            told_by = tuple(f"{PREFIX}/{root}/#" for root in ("state", "renewed", "enrol"))
            return Rights(
                publish=(CONTROL, f"{PREFIX}/renew/#", f"{PREFIX}/welcome/#"),
                subscribe=(CONTROL_ANSWER, *told_by),
            )
        case "e":
            return Rights(publish=(enrol(name),), subscribe=(welcome(name),))
        case "l":
            return Rights(publish=(LAB,), subscribe=(f"{PREFIX}/lab/do/+",))
    raise ValueError(
        f"{account}: an account is n-NODE, p-PERSON, h-HUB, w-WORKER, b-VILLAGE, r-REGION, l-LAB, k-HUB or "
        "e-NODE"
    )
