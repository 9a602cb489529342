"""What travels, in words: one message at a time, out of its topic and its bytes alone.

Everything comes from the network and goes to a terminal: what is no printable character is shown as `?`.
"""

from __future__ import annotations

import dataclasses
import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ayni_core.message import Message
from ayni_core.readings import Series, Value
from ayni_core.wire import WireError, codec, fed, keys, messages, topics
from ayni_core.wire import questions as asking
from ayni_core.wire.errors import load_json
from ayni_core.wire.frame import ANSWERED, DevicePolls, Frame, header
from ayni_core.wire.note import FrameNote
from ayni_core.wire.shape import unpack
from ayni_core.wire.topics import Address
from ayni_io.i18n import _, _n, say

_KINDS: Mapping[str, type] = {
    "state": messages.NodeState,
    "ack": messages.Ack,
    "hub": messages.HubState,
    "beat": messages.HubState,
    "alert": messages.Alert,
    "cmd": messages.Command,
    "done": messages.CommandState,
    "part": messages.PartState,
    "told": messages.Told,
    "heard": messages.Heard,
    "renewed": keys.Renewed,
    "enrol": keys.Enrol,
}
_VIEWS: Mapping[str, type] = {
    "community": messages.Community,
    "link": messages.LinkView,
    "site": messages.SiteView,
    "device": messages.DeviceView,
    "node": messages.NodeView,
    "upstream": messages.UpstreamView,
}
_TELLING = (
    "signal_dbm", "remote_signal_dbm", "noise_dbm", "ccq_pct", "tx_rate_bps", "voltage_v", "temperature_c",
    "cpu_pct", "uptime_s", "if_oper", "in_octets",
)  # fmt: skip
_SECRET = re.compile(rb'"(pin|key)"\s*:\s*"(?:[^"\\]|\\.)*"')
"""What a question carries that nobody reads along: as it is on the wire, also where the rest is broken."""
_HIDDEN = ("renew", "welcome")
"""What carries passwords; the broker lets nobody hear it but whom it is for."""
_FEW = 6
_HEX_START = 24
_WIDTH = 108


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One message. `value` is a `Frame`, a message, a question or decoded JSON; None where `problem` says why
    not, or where `payload` is empty: what was kept on this topic is taken away."""

    at: float
    topic: str
    payload: bytes
    kept: bool
    root: str
    value: object = None
    problem: str = ""


def hear(topic: str, payload: bytes, at: float, kept: bool = False) -> Heard:
    """Take a message apart; never raises."""
    root = topic.removeprefix(f"{topics.PREFIX}/").partition("/")[0]
    if root in _HIDDEN:
        return Heard(at=at, topic=topic, payload=b"(secret)", kept=kept, root=root, value="(secret)")
    if root == "ask":
        payload = _SECRET.sub(rb'"\1":"(secret)"', payload)
    value, problem = None, ""
    try:
        address = topics.parse(topic)
        value = _decode(address, payload) if payload else None
    except WireError as error:
        problem = f"{error} ({error.kind})"
    return Heard(at=at, topic=topic, payload=payload, kept=kept, root=root, value=value, problem=problem)


def _decode(address: Address, payload: bytes) -> object:
    match address.root:
        case "in":
            return codec.decode(payload)
        case "fed":
            return codec.decode(fed.decode(payload)[1])
        case "ask":
            return asking.question(payload)
        case "net" if address.words[0] in _VIEWS:
            return unpack(_VIEWS[address.words[0]], payload)
        case "lab":
            return unpack(messages.LabDo if address.words else messages.LabState, payload)
        case root if root in _KINDS:
            return unpack(_KINDS[root], payload)
    return load_json(payload)  # answers do not say what they answer


# ---- for people


def lines(heard: Heard, *, verbose: bool = False) -> Iterator[str]:
    """A block: time and topic, what it is, and what it says."""
    moment = time.strftime("%H:%M:%S", time.localtime(heard.at))
    kept = "  " + _("(kept)") if heard.kept else ""
    yield printable(f"{moment}  {heard.topic.removeprefix(topics.PREFIX + '/')}{kept}")
    yield from (f"    {printable(line)}" for line in _body(heard, verbose))


def _body(heard: Heard, verbose: bool) -> Iterator[str]:
    size = _n("1 byte", "{n} bytes", len(heard.payload))
    if heard.problem:
        yield _("cannot be read: {problem}", problem=heard.problem)
        yield f"{size}: {start_of(heard.payload)}"
    elif not heard.payload:
        yield _("empty: nothing is kept here any more")
    elif isinstance(heard.value, Frame):
        yield from _frame(heard.value, _encoding(heard), size, verbose)
    elif dataclasses.is_dataclass(heard.value):
        yield f"{type(heard.value).__name__}, {size}"
        yield from _fields(heard.value, verbose)
    else:
        yield f"JSON, {size}"
        text = json.dumps(heard.value, ensure_ascii=False)
        yield text if verbose else _cut(text)


def _encoding(heard: Heard) -> str:
    frame = fed.body(heard.payload) if heard.root == "fed" else heard.payload
    return codec.encoding_of(frame) or ""


def start_of(payload: bytes) -> str:
    """The first bytes as people compare them."""
    more = " …" if len(payload) > _HEX_START else ""
    return payload[:_HEX_START].hex(" ") + more


def _frame(frame: Frame, encoding: str, size: str, verbose: bool) -> Iterator[str]:
    devices = len(frame.devices)
    yield ", ".join(
        (
            _("frame {number} of {node}", number=frame.seq, node=frame.node),
            size,
            encoding,
            _n("1 device", "{n} devices", devices),
            _n("1 sample", "{n} samples", frame.count()),
        )
    )
    wall = _utc(frame.wall_s)
    yield (
        _("begins {when} UTC, clock synchronised", when=wall)
        if frame.synced
        else _("begins {when} UTC by its own clock, which is not synchronised", when=wall)
    )
    yield _cut("  ".join(f"{key} {value}" for key, value in header(frame).items()))
    for note in frame.notes:
        yield _note(note)
    for name, polls in frame.devices.items():
        yield from _device(name, polls, verbose)


def _note(note: FrameNote) -> str:
    about = f" {note.device}" if note.device else ""
    return _("note, {level}{about}, at {at:+g} s: {text}", level=note.level, about=about, at=note.at_s,
             text=say(note.text))  # fmt: skip


def _device(name: str, polls: DevicePolls, verbose: bool) -> Iterator[str]:
    count = sum(1 for _sample in polls.samples())
    head = f"{name}  " + ", ".join(
        (
            _n("1 poll", "{n} polls", len(polls.times_s)),
            _n("1 series", "{n} series", len(polls.values)),
            _n("1 sample", "{n} samples", count),
        )
    )
    if not verbose:
        yield _cut(head + "  " + "  ".join(_few(polls)))
        return
    yield head
    yield "  " + _("seconds after the start: {times}", times=" ".join(f"{at:g}" for at in polls.times_s))
    for (group, item, metric), column in polls.values.items():
        yield f"  {group}/{item}/{metric}  " + " ".join(_shown(value) for value in column)


def _few(polls: DevicePolls) -> Iterator[str]:
    """The newest values that tell most about a device, and whether it answered."""
    answers = polls.values.get(ANSWERED)
    if answers is not None and 0 in answers:
        yield "answered " + " ".join(_shown(value) for value in answers)
    first: dict[str, Series] = {}
    for series in polls.values:
        first.setdefault(series.metric, series)
    telling = [first[metric] for metric in _TELLING if metric in first]
    for series in telling[:_FEW] or [series for series in polls.values if series != ANSWERED][:_FEW]:
        newest = next((value for value in reversed(polls.values[series]) if value is not None), None)
        yield f"{series.metric} {_shown(newest)}"


def _shown(value: Value) -> str:
    if value is None:
        return "–"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else str(value)


def _fields(value: object, verbose: bool, indent: str = "") -> Iterator[str]:
    """The fields of a message that say something, one a line."""
    for field in dataclasses.fields(value):  # type: ignore[arg-type]
        found = getattr(value, field.name)
        if found is None or (not verbose and found == field.default and field.name != "up"):
            continue
        if isinstance(found, Message):
            yield f"{indent}{field.name}: {say(found)}  [{found.context}]"
        elif dataclasses.is_dataclass(found):
            yield f"{indent}{field.name}:"
            yield from _fields(found, verbose, indent + "  ")
        elif isinstance(found, tuple) and found and dataclasses.is_dataclass(found[0]):
            for each in found:
                yield _cut(f"{indent}{field.name}: " + ", ".join(_pairs(each)))
        else:
            yield _cut(f"{indent}{field.name}: {_plain(found, field.name)}")


def _pairs(value: Any) -> Iterable[str]:
    for field in dataclasses.fields(value):
        found = getattr(value, field.name)
        if found is not None and found != field.default:
            yield f"{field.name} {say(found) if isinstance(found, Message) else _plain(found, field.name)}"


def _plain(value: object, name: str) -> str:
    """A value; moments are shown as such."""
    if isinstance(value, float) and name in ("at", "since", "as_of", "next_by", "start", "end", "before"):
        return f"{_utc(value)} UTC" if value else "0"
    if isinstance(value, tuple):
        return " ".join("–".join(map(str, each)) if isinstance(each, tuple) else str(each) for each in value)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return str(value)


def _utc(at: float) -> str:
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at))
    except (OverflowError, OSError, ValueError):
        return f"{at:g}"


def _cut(line: str) -> str:
    return line if len(line) <= _WIDTH else line[: _WIDTH - 1] + "…"


def printable(text: str) -> str:
    """Nothing that a terminal could obey."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


# ---- for programs


def as_json(heard: Heard) -> dict[str, Any]:
    """One object a message: `problem` and `start` in hex where it could not be read."""
    found: dict[str, Any] = {"at": round(heard.at, 3), "topic": heard.topic, "bytes": len(heard.payload)}
    if heard.kept:
        found["kept"] = True
    if heard.problem:
        return found | {"problem": heard.problem, "start": heard.payload[:_HEX_START].hex()}
    if isinstance(heard.value, Frame):
        return found | {"frame": _frame_as_json(heard.value, codec.encoding_of(heard.payload))}
    kind = type(heard.value).__name__ if dataclasses.is_dataclass(heard.value) else "json"
    return found | {"kind": kind, "says": load_json(heard.payload) if heard.payload else None}


def _frame_as_json(frame: Frame, encoding: str | None) -> dict[str, Any]:
    return {
        "encoding": encoding,
        "header": header(frame),
        "notes": [
            {"at": note.at_s, "text": note.text.to_wire(), "level": note.level, "device": note.device}
            for note in frame.notes
        ],
        "devices": {
            name: {
                "times_s": polls.times_s,
                "series": [[*series, column] for series, column in polls.values.items()],
            }
            for name, polls in frame.devices.items()
        },
    }


def raw(heard: Heard) -> str:
    """Topic and bytes: as text where they are text, else in hex."""
    try:
        text = heard.payload.decode("utf-8")
    except UnicodeDecodeError:
        text = heard.payload.hex()
    else:
        text = text if text.isprintable() else heard.payload.hex()
    return f"{printable(heard.topic)} {text}"
