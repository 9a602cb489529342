"""What tests of commands stand on: a clock that passes when told, a box with ports, an agent's ground."""

from __future__ import annotations

import asyncio
import functools
import heapq
import itertools
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from ayni_agent.commands import Commands
from ayni_agent.config import DeviceConfig
from ayni_core.ber import encode_oid
from ayni_core.mibview import MibView
from ayni_core.readings import Poll, Series
from ayni_core.snmp import (
    INTEGER,
    OCTET_STRING,
    OID,
    SET,
    TIME_TICKS,
    VarBind,
    decode_request,
    encode_response,
)
from ayni_core.wire.messages import Command, CommandState
from ayni_io.profiles import Profiles
from ayni_io.snmp import SnmpReader, open_session
from ayni_io.snmp_access import Access
from ayni_io.snmp_errors import SnmpTimeout
from ayni_io.snmp_set import SnmpSetRefused, SnmpWriter, open_writer

ADMIN = encode_oid("1.3.6.1.2.1.2.2.1.7")
POE = encode_oid("1.3.6.1.2.1.105.1.1.1.3")
UPTIME = encode_oid("1.3.6.1.2.1.1.3.0")
REBOOT = encode_oid("1.3.6.1.4.1.14988.1.1.7.1.0")
UP, DOWN = 1, 2
PROFILES = Profiles()


def port(number: int) -> bytes:
    """ifAdminStatus of a port of the box."""
    return ADMIN + bytes((number,))


def poe(number: int) -> bytes:
    """pethPsePortAdminEnable of a port of the box."""
    return POE + bytes((1, number))


def in_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """A test that is a coroutine, run in an event loop of its own."""

    @functools.wraps(test)
    def run(*arguments: Any, **named: Any) -> None:
        asyncio.run(test(*arguments, **named))

    return run


class Clock:
    """Time passes only by `passes`, which wakes whoever slept, in order."""

    def __init__(self) -> None:
        self.now_s = 5000.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()

    def now(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.now_s + seconds, next(self._numbers), woken))
        await woken

    async def passes(self, seconds: float) -> None:
        end = self.now_s + seconds
        while True:
            await settle()
            while self._sleepers and self._sleepers[0][2].done():
                heapq.heappop(self._sleepers)
            if not self._sleepers or self._sleepers[0][0] > end:
                break
            at, _number, woken = heapq.heappop(self._sleepers)
            self.now_s = max(self.now_s, at)
            woken.set_result(None)
        self.now_s = end
        await settle()


async def settle() -> None:
    """Let everything go on that can."""
    for _ in range(60):
        await asyncio.sleep(0)


async def until(ready: Callable[[], bool], clock: Clock | None = None, *, slow: bool = False) -> None:
    """Wait for something that the network does, too; `clock` goes on slowly meanwhile."""
    async with asyncio.timeout(30 if slow else 10):
        while not ready():
            await asyncio.sleep(0.005)
            if clock is not None:
                await clock.passes(0.02)
    await settle()


class Box:
    """A switch with three ports, in memory: `objects` by OID. `cut`: nobody reaches it. `refuses`: it takes
    no SET. `mute`: it does what it is told and its answer is lost. `deaf`: it says yes and does nothing."""

    def __init__(self, name: str = "switch") -> None:
        self.name = name
        self.objects: dict[bytes, tuple[int, int | bytes]] = {
            **{port(number): (INTEGER, UP) for number in (1, 2, 3)},
            **{poe(number): (INTEGER, 1) for number in (1, 2, 3)},
            UPTIME: (TIME_TICKS, 900_000),
        }
        self.cut = self.refuses = self.mute = self.deaf = False
        self.sets: list[tuple[bytes, int | bytes | None]] = []
        self.on_set: Callable[[], None] = lambda: None

    def __getitem__(self, oid: bytes) -> int | bytes:
        return self.objects[oid][1]

    def names(self) -> tuple[str, ...]:
        return (self.name,)

    def config(self, name: str) -> DeviceConfig | None:
        return config(name) if name == self.name else None

    def writer(self, name: str) -> SnmpWriter | None:
        return _Hand(self)

    def reader(self, name: str) -> SnmpReader:
        raise AssertionError("this box is only written to")

    def take(self, settings: Sequence[VarBind]) -> None:
        """What a SET does."""
        if self.cut:
            raise SnmpTimeout("setting: no answer")
        if self.refuses:
            raise SnmpSetRefused("setting: the device refuses (noAccess)")
        for oid, tag, value in settings:
            self.sets.append((oid, value))
            if not self.deaf:
                assert value is not None
                self.objects[oid] = (tag, value)
        self.on_set()
        if self.mute:
            raise SnmpTimeout("setting: no answer")


class _Hand:
    """A session to change a box."""

    def __init__(self, box: Box) -> None:
        self._box = box

    async def get(self, oids: Sequence[bytes]) -> Sequence[VarBind]:
        if self._box.cut:
            raise SnmpTimeout("reading: no answer")
        return [(oid, *self._box.objects[oid]) for oid in oids]

    async def set(self, settings: Sequence[VarBind], *, tries: int | None = None) -> None:
        self._box.take(settings)

    def close(self) -> None:
        pass


def config(name: str, udp: int = 161, profile: str | None = None) -> DeviceConfig:
    return DeviceConfig(
        name=name, host="127.0.0.1", port=udp, version="2c", engine="fast", community="env:X", user=None,
        auth=None, priv=None, profile=profile, expected_dbm=None,
    )  # fmt: skip


class UdpBox(Box):
    """The same box as an SNMP agent on a UDP port; what it is told goes through real packets and pysnmp."""

    READ, WRITE = b"readonly", b"letmewrite"

    def __init__(self, profile: str | None = "routeros", *, writable: bool = True) -> None:
        super().__init__()
        self.port = 0
        self.profile = profile
        self.writable = writable
        self.objects |= {
            encode_oid("1.3.6.1.2.1.1.1.0"): (OCTET_STRING, b"RouterOS box"),
            encode_oid("1.3.6.1.2.1.1.2.0"): (OID, encode_oid("1.3.6.1.4.1.14988.1")),
            encode_oid("1.3.6.1.2.1.1.5.0"): (OCTET_STRING, b"switch-1"),
            REBOOT: (OCTET_STRING, b"0"),
        }
        for number in (1, 2, 3):
            name_of_port = f"ether{number}".encode()
            self.objects[encode_oid(f"1.3.6.1.2.1.31.1.1.1.1.{number}")] = (OCTET_STRING, name_of_port)
            self.objects[encode_oid(f"1.3.6.1.2.1.2.2.1.2.{number}")] = (OCTET_STRING, name_of_port)

    def config(self, name: str) -> DeviceConfig | None:
        return config(name, self.port, self.profile) if name == self.name else None

    def reader(self, name: str) -> SnmpReader:
        return open_session("127.0.0.1", self.port, community=self.READ, timeout_s=0.3, tries=1)

    def writer(self, name: str) -> SnmpWriter | None:
        access = Access(version="2c", community=self.WRITE)
        return open_writer("127.0.0.1", self.port, access, timeout_s=0.3, tries=1) if self.writable else None

    def answer(self, datagram: bytes) -> list[bytes]:
        """For `parts.UdpAgent`."""
        request = decode_request(datagram)
        if self.cut or request.community not in (self.READ, self.WRITE):
            return []
        if request.pdu.kind != SET:
            answer = MibView(dict(self.objects)).answer(request, 1400)
            return [answer] if answer is not None else []
        try:
            if request.community != self.WRITE:
                raise SnmpSetRefused("read-only")
            self.take(list(request.pdu.varbinds))
        except SnmpSetRefused:
            return [encode_response(request, 6, 1, request.pdu.varbinds)]
        except SnmpTimeout:
            return []
        return [encode_response(request, 0, 0, request.pdu.varbinds)]


class Ground:
    """The agent under the commands. `told` is what the hub heard; `hub_there` is whether it hears."""

    def __init__(self) -> None:
        self.told: list[CommandState] = []
        self.hub_there = True
        self.on_told: Callable[[CommandState], None] = lambda _state: None
        self.watched: list[float] = []
        self.hastened: list[tuple[str, float]] = []
        self.plans: list[tuple[float, float]] = []
        self.restarts = 0
        self.saves = False
        self.poll_error: str | None = None

    async def tell(self, state: CommandState) -> bool:
        if self.hub_there:
            self.told.append(state)
            self.on_told(state)
        return self.hub_there

    async def poll(self, device: str) -> Poll:
        values = {Series("system", "", "uptime_s"): 90, Series("interface", "ether1", "in_octets"): 7}
        return Poll(device=device, at_s=0.0, values={} if self.poll_error else values, error=self.poll_error)

    def watch(self, for_s: float) -> bool:
        if not self.saves:
            self.watched.append(for_s)
        return not self.saves

    def hasten(self, device: str, for_s: float) -> None:
        self.hastened.append((device, for_s))

    def pace(self) -> tuple[float, float]:
        return 60.0, 300.0

    def replan(self, poll_s: float, flush_s: float) -> None:
        self.plans.append((poll_s, flush_s))

    def restart(self) -> None:
        self.restarts += 1

    def states(self, identifier: str = "ana.1") -> list[str]:
        """What the hub heard of a command, repetitions left out."""
        heard = [state.state for state in self.told if state.id == identifier and state.do != "hello"]
        return [state for state, _same in itertools.groupby(heard)]

    def last(self, identifier: str = "ana.1") -> CommandState:
        return [state for state in self.told if state.id == identifier and state.do != "hello"][-1]

    def why(self, identifier: str = "ana.1") -> str:
        """The context of the last sentence."""
        text = self.last(identifier).text
        return text.context if text is not None else ""


EPOCH, BOOT = "e" * 16, "boot-1"


class Scene:
    """An agent's commands over a folder, with a box, a ground and a clock. `again` is a new process over the
    same folder; the old one is as good as killed: its tasks end without a chance to clean up."""

    def __init__(self, folder: Path | None, box: Box | None = None, *, epoch: str = EPOCH) -> None:
        self.folder = folder
        self.box = box or Box()
        self.clock = Clock()
        self.ground = Ground()
        self.epoch = epoch
        self.commands = self._make()
        self._running: asyncio.Task[None] | None = None

    def _make(self) -> Commands:
        return Commands(
            node="pi", epoch=self.epoch, boot=BOOT, ground=self.ground, access=self.box, families=PROFILES,
            folder=self.folder, clock=self.clock,
        )  # fmt: skip

    async def __aenter__(self) -> Scene:
        self._running = asyncio.create_task(self.commands.run())
        await settle()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.kill()

    async def kill(self) -> None:
        """As SIGKILL: nothing of the old process runs any more, not even its good-bye."""

        async def nothing() -> None:
            return None

        self.commands._last_words = nothing  # type: ignore[method-assign]
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
            self._running = None

    async def stop(self) -> None:
        """A tidy end."""
        assert self._running is not None
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)
        self._running = None

    async def again(self, epoch: str = "f" * 16) -> None:
        """Killed, and started anew."""
        await self.kill()
        self.epoch = epoch
        self.commands = self._make()
        self._running = asyncio.create_task(self.commands.run())
        await settle()

    def command(self, do: str, identifier: str = "ana.1", **fields: object) -> Command:
        values: dict[str, object] = {
            "epoch": self.epoch, "boot": BOOT, "until_s": self.clock.now() + 30, "by": "ana",
            "role": "operator",
            "device": "" if do in ("restart", "plan") else self.box.name,
        }  # fmt: skip
        return Command(id=identifier, do=do, **(values | fields))  # type: ignore[arg-type]

    async def give(self, do: str, identifier: str = "ana.1", **fields: object) -> None:
        self.commands.take(self.command(do, identifier, **fields))
        await settle()

    def confirm(self) -> None:
        """The hub's answer to the newest nonce."""
        state = next(state for state in reversed(self.ground.told) if state.nonce)
        self.commands.take(Command(id=state.id, do="confirm", epoch="", nonce=state.nonce))
