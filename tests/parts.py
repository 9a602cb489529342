"""Real programs that tests meet: looked for, started on free loopback ports, and stopped."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from pathlib import Path
from typing import cast

import pytest

from ayni_core.ber import encode_oid
from ayni_core.snmp import GET_NEXT, MIN_REQUEST_ID, V2C, CommunityEnvelope, request_template


def need(program: str) -> str:
    """Path of a real program. Missing: a failure in CI, where it must be, and a skip elsewhere."""
    path = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if path is not None:
        return path
    if os.environ.get("CI") == "true":
        pytest.fail(f"{program} is not installed, and CI must have it")
    pytest.skip(f"{program} is not installed")


def shifted_clock(folder: Path) -> Path:
    """What shifts the wall clock of the program that it is preloaded into; built there."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("there is no C compiler here to build what shifts a program's clock")
    library = folder / "shifted_clock.so"
    source = Path(__file__).with_name("shifted_clock.c")
    built = subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-o", library, source], check=False)
    if built.returncode:
        pytest.skip("the C compiler has no headers here")
    return library


def free_port(kind: int = socket.SOCK_STREAM) -> int:
    """A loopback port nobody uses at the moment; `socket.SOCK_DGRAM` for UDP."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(ready: Callable[[], bool], what: str, *, within_s: float = 60.0) -> None:
    """Ask `ready` every 20 ms until it is true; fails the test after `within_s`, which is no promise of ours:
    other tests run beside."""
    end = time.monotonic() + within_s
    while not ready():
        if time.monotonic() > end:
            pytest.fail(f"{what}: not within {within_s:g} s")
        time.sleep(0.02)


@contextlib.contextmanager
def running(command: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A program in the foreground with its output in `log`, ended on leaving."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, cwd=log.parent)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


SNMPD_COMMUNITY = b"lookhere"


@contextlib.contextmanager
def snmpd(folder: Path) -> Iterator[int]:
    """net-snmp's agent for v1 and v2c, community SNMPD_COMMUNITY; yields its UDP port on loopback."""
    program = need("snmpd")
    port = free_port(socket.SOCK_DGRAM)
    config = folder / "snmpd.conf"
    config.write_text(
        f"rocommunity {SNMPD_COMMUNITY.decode()} 127.0.0.1\n"
        "sysLocation under the mango tree\n"
        "sysName school-router\n"
        # Without it snmpd keeps state in /var/lib/snmp, where a plain user cannot write.
        f"[snmp] persistentDir {folder / 'persistent'}\n"
    )
    command = [program, "-f", "-Lo", "-C", "-c", str(config), "-I", "-smux", f"udp:127.0.0.1:{port}"]
    with running(command, folder / "snmpd.log") as process:
        wait_until(lambda: _answers(port) or process.poll() is not None, "snmpd answering")
        if process.poll() is not None:
            pytest.fail(f"snmpd ended: {(folder / 'snmpd.log').read_text()[-500:]}")
        yield port


def _answers(port: int) -> bool:
    anything = request_template(GET_NEXT, (encode_oid("1.3.6.1.2.1"),))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.settimeout(0.2)
        probe.connect(("127.0.0.1", port))
        try:
            probe.send(CommunityEnvelope(V2C, SNMPD_COMMUNITY).seal(anything, MIN_REQUEST_ID))
            return bool(probe.recv(2000))
        except OSError:
            return False


class UdpAgent(asyncio.DatagramProtocol):
    """A device on loopback inside the test's own loop: `answer` takes a datagram and returns the answers.

    An answer is octets, or (seconds of delay, octets). `asked` keeps what arrived, `asker` who sent it last.
    """

    def __init__(self, answer: Callable[[bytes], Iterable[bytes | tuple[float, bytes]]]) -> None:
        self._answer = answer
        self._transport: asyncio.DatagramTransport | None = None
        self.asked: list[bytes] = []
        self.asker: tuple[str, int] = ("", 0)
        self.port = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)  # Python 3.11 does not derive it
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        assert self._transport is not None
        self.asked.append(data)
        self.asker = addr
        for answer in self._answer(data):
            if isinstance(answer, bytes):
                self._transport.sendto(answer, addr)
            else:
                asyncio.get_running_loop().call_later(answer[0], self._transport.sendto, answer[1], addr)

    @classmethod
    @contextlib.asynccontextmanager
    async def serving(
        cls, answer: Callable[[bytes], Iterable[bytes | tuple[float, bytes]]]
    ) -> AsyncIterator[UdpAgent]:
        transport, agent = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: cls(answer), local_addr=("127.0.0.1", 0)
        )
        try:
            yield agent
        finally:
            transport.close()


class VictoriaMetrics:
    """VictoriaMetrics on a free loopback port, its data in a folder; it may be killed and started again."""

    def __init__(self, folder: Path, *options: str) -> None:
        self._program = need("victoria-metrics")
        self._folder = folder
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = [
            self._program, f"-storageDataPath={self._folder / 'victoria'}",
            f"-httpListenAddr=127.0.0.1:{self.port}", "-dedup.minScrapeInterval=1ms", "-retentionPeriod=100y",
            "-memory.allowedBytes=64MB", *self._options,
        ]  # fmt: skip
        with (self._folder / "victoria.log").open("ab") as output:
            self._process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        wait_until(lambda: self.ask("/health") == b"OK", "VictoriaMetrics answering")

    def stop(self, *, kill: bool = False) -> None:
        """End it; `kill`: with what it has in memory only."""
        process, self._process = self._process, None
        if process is not None:
            process.kill() if kill else process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def ask(self, path: str) -> bytes | None:
        """The answer to a GET; None where there is none."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=5) as answer:
                body: bytes = answer.read()
                return body
        except OSError:
            return None

    def show(self) -> None:
        """Let what was just written be found at once."""
        self.ask("/internal/force_flush")

    @classmethod
    @contextlib.contextmanager
    def running(cls, folder: Path, *options: str) -> Iterator[VictoriaMetrics]:
        """One that is started, and ended on leaving."""
        server = cls(folder, *options)
        try:
            server.start()
            yield server
        finally:
            server.stop()
