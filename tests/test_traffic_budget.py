"""What the link really carried, and how an agent keeps to what the site can pay."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from parts import free_port
from test_mqtt_client import NOW as TODAY
from test_mqtt_client import YEAR, Authority, Heard, mosquitto, until

from ayni_agent.agent import Agent
from ayni_agent.budget import MB, STEPS, Budget
from ayni_agent.command_run import set_up
from ayni_agent.poller import Poller
from ayni_core.clockwatch import Moment
from ayni_core.message import Message
from ayni_core.mibview import MibView
from ayni_core.readings import Poll, Series
from ayni_core.snmprec import parse_snmprec
from ayni_core.texts import TEXTS
from ayni_io import clock, pulse, traffic
from ayni_io.i18n import say
from ayni_io.mqtt import BrokerConfig
from ayni_io.profiles import Profiles
from ayni_io.rulebook import load_rules
from ayni_io.service import Service
from ayni_io.snmp_recording import RecordedReader
from ayni_io.traffic import Meter, Traffic, in_vain

# ---- traffic


class Capture:
    """Every IP packet to and from a port of 127.0.0.1, counted off the loopback interface."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.sent = self.received = self.packets = 0
        try:
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
        except (PermissionError, AttributeError):
            pytest.skip("only root may capture packets")
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 2**20)
        self._socket.bind(("lo", 3))  # ETH_P_ALL: else what goes out is not shown
        self._socket.settimeout(0.3)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while True:
            try:
                packet, (_interface, _protocol, kind, *_rest) = self._socket.recvfrom(70_000)
            except TimeoutError:
                if self._over.is_set():
                    return
                continue
            if kind == socket.PACKET_OUTGOING and packet[9] == socket.IPPROTO_TCP:  # else seen again
                (length,) = struct.unpack_from("!H", packet, 2)
                source, target = struct.unpack_from("!HH", packet, 4 * (packet[0] & 15))
                if target == self.port:
                    self.sent += length
                elif source == self.port:
                    self.received += length
                self.packets += self.port in (source, target)

    @contextlib.contextmanager
    def running(self) -> Iterator[Capture]:
        self._thread.start()
        try:
            yield self
        finally:
            self._over.set()
            self._thread.join()
            self._socket.close()


def test_what_a_connection_cost_is_what_a_capture_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TLS, a few connections, messages both ways, acknowledgements, pings, the end of each: within 2 %."""
    monkeypatch.setattr(pulse, "QUIET_S", 0.5)
    port = free_port()
    authority = Authority(tmp_path, "ca")
    lines = authority.broker("server", begins=TODAY - YEAR, ends=TODAY + YEAR)
    config = BrokerConfig(host="localhost", port=port, ca=authority.path)

    async def one(messages: int) -> Traffic:
        async with Heard(config, "a") as a:
            a.client.subscribe("t/back")
            await until(lambda: a.client.connected)
            for number in range(messages):
                await a.client.publish("t/there", bytes([number % 256]) * 700)
                await a.client.publish("t/back", b"x" * 300)
            await until(lambda: len(a.messages) == messages)
            a.client.ping_soon()
            await asyncio.sleep(1.5)
            client = a.client
            so_far = client.traffic()
            assert so_far.sent_bytes > messages * 1000
        assert client.traffic().sent_bytes > so_far.sent_bytes
        return client.traffic()

    async def run() -> Traffic:
        total = Traffic()
        for messages in (3, 40, 0):
            total += await one(messages)
        return total

    with mosquitto(tmp_path, port, *lines), Capture(port).running() as capture:
        total = asyncio.run(run())
    assert capture.packets > 100
    print(f"counted {total}, captured sent={capture.sent} received={capture.received}")
    assert total.counted == "tcp_info"
    assert total.sent_bytes == pytest.approx(capture.sent, rel=0.02)
    assert total.received_bytes == pytest.approx(capture.received, rel=0.02)


def test_a_handshake_that_fails_costs_as_well(tmp_path: Path) -> None:
    port = free_port()
    authority, other = Authority(tmp_path, "ca"), Authority(tmp_path, "other")
    lines = other.broker("server", begins=TODAY - YEAR, ends=TODAY + YEAR)

    async def run() -> Traffic:
        async with Heard(BrokerConfig(host="localhost", port=port, ca=authority.path), "a") as a:
            await until(lambda: a.reasons != [])
            return a.client.traffic()

    with mosquitto(tmp_path, port, *lines), Capture(port).running() as capture:
        cost = asyncio.run(run())
    assert cost.sent_bytes == pytest.approx(capture.sent, rel=0.25), "small, so a segment counts"
    assert cost.received_bytes == pytest.approx(capture.received, rel=0.25)


def pair() -> tuple[socket.socket, socket.socket]:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen()
        here = socket.create_connection(door.getsockname())
        there, _address = door.accept()
    return here, there


@pytest.mark.parametrize("length", [512, 224, 160, 144])
def test_older_kernels_tell_less_and_are_still_understood(
    monkeypatch: pytest.MonkeyPatch, length: int
) -> None:
    """224 bytes: 4.19; 160 and 144: before it, without bytes_sent."""
    monkeypatch.setattr(traffic, "_LONGEST", length)
    here, there = pair()
    with here, there:
        meter = Meter(here, tls=False)
        for _ in range(20):
            here.sendall(b"x" * 1000)
            there.recv(2000)
            there.sendall(b"y" * 100)
            here.recv(2000)
        found = meter.read()
        progress = meter.progress()
    assert found.counted == "tcp_info"
    assert 20_000 < found.sent_bytes < 24_500
    assert 2_000 < found.received_bytes < 6_500
    assert progress is not None
    assert (progress.acknowledged, progress.received) == (pytest.approx(20_000, abs=1), 2_000)


@pytest.mark.parametrize("how", ["no such option", "a very old kernel"])
def test_without_the_kernels_word_it_is_estimated_and_says_so(
    monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    if how == "no such option":
        monkeypatch.setattr(traffic, "_TCP_INFO", None)
    else:
        monkeypatch.setattr(traffic, "_LONGEST", 104)
    here, there = pair()
    with here, there:
        meter = Meter(here, tls=True)
        for _ in range(10):
            meter.sent(1000)
            meter.received(4)
        assert meter.progress() is None
        found = meter.close()
        assert meter.close() == found, "counted once"
    assert found.counted == "estimated"
    assert 10_000 < found.sent_bytes < 14_000
    assert (Traffic(sent_bytes=1) + found).counted == "estimated"


def test_a_socket_that_was_closed_is_not_taken_for_the_next_one_with_its_number() -> None:
    here, there = pair()
    meter = Meter(here, tls=False)
    here.sendall(b"x" * 5000)
    before = meter.read()
    number = here.fileno()
    here.close()
    there.close()
    next_one, other = pair()
    with next_one, other:
        assert number in (next_one.fileno(), other.fileno()), "the system gives the same number again"
        next_one.sendall(b"z")
        assert meter.read() == before
        assert meter.close().sent_bytes < before.sent_bytes + 200
        assert next_one.fileno() >= 0, "and it is not closed by looking at it"
        other.recv(1)


@pytest.mark.parametrize(
    ("error", "sent", "received"),
    [(TimeoutError(), 240, 0), (ConnectionRefusedError(), 60, 40), (OSError("no route"), 0, 0)],
)
def test_looking_for_nobody_costs_little(error: OSError, sent: int, received: int) -> None:
    assert in_vain(error) == Traffic(sent_bytes=sent, received_bytes=received)


# ---- the budget

MONTH = datetime(2026, 6, 1, tzinfo=UTC)
HOUR_S = 3600.0


class Site:
    """An agent's hours: what it sends, and what it says."""

    def __init__(self, cap_mb: float | None, *, per_hour: int = 50_000) -> None:
        self.budget = Budget(cap_bytes=None if cap_mb is None else round(cap_mb * MB))
        self.per_hour = per_hour
        self.total = Traffic()
        self.mono_s = 100.0
        self.wall_s = MONTH.timestamp()
        self.said: list[tuple[str, str]] = []

    def now(self) -> Moment:
        return Moment(mono_s=self.mono_s, wall_s=self.wall_s, synced=True)

    def spend(self, sent: int, received: int = 0) -> None:
        self.total += Traffic(sent_bytes=sent, received_bytes=received)
        self.look()

    def look(self) -> None:
        self.budget.spend(self.total, self.now())
        said = self.budget.decide(self.now())
        if said is not None:
            day = datetime.fromtimestamp(self.wall_s, UTC).date().isoformat()
            self.said.append((day, said.context))
            self.last = said

    def hours(self, n: float) -> None:
        """Hours as they usually are: saving makes them cheaper."""
        for _ in range(round(n * 4)):
            self.mono_s += HOUR_S / 4
            self.wall_s += HOUR_S / 4
            self.spend(round(self.per_hour / 4 * (1.0, 0.75, 0.6, 0.4)[self.budget.step]))

    def days(self, n: float) -> None:
        self.hours(24 * n)

    def restart(self, cap_mb: float | None) -> None:
        data = self.budget.to_bytes()
        self.budget, lost = Budget.from_bytes(data, None if cap_mb is None else round(cap_mb * MB))
        assert lost is None
        assert self.budget.to_bytes() == data
        self.total = Traffic()


def test_bytes_are_counted_by_day_and_month() -> None:
    site = Site(None)
    site.spend(1000, 200)
    site.days(1)
    site.spend(5, 6)
    account = site.budget.account(site.now())
    first, second = account.days
    assert first == ("2026-06-01", 1000 + 50_000 * 24 - 12_500, 200)
    assert second == ("2026-06-02", 12_505, 6)
    assert (account.today_bytes, account.month_bytes) == (12_511, 1200 + 24 * 50_000 + 11)
    assert site.said == []


def test_without_a_date_bytes_wait_and_go_to_the_first_day_that_is_known() -> None:
    site = Site(40)
    right = site.wall_s
    site.wall_s = 50.0
    site.days(3)
    account = site.budget.account(site.now())
    assert (account.days, account.undated_bytes, account.today_bytes) == ((), 3_600_000, 0)
    assert account.forecast_bytes is None
    site.restart(40)
    site.wall_s = right
    site.spend(100)
    account = site.budget.account(site.now())
    assert account.days == (("2026-06-01", 3_600_100, 0),)
    assert account.undated_bytes == 0


def test_a_clock_that_was_ahead_leaves_no_days_in_the_future() -> None:
    site = Site(None)
    site.spend(10)
    site.wall_s += 40 * 86400
    site.spend(100)
    site.wall_s -= 39 * 86400
    site.spend(1000)
    assert site.budget.account(site.now()).days == (("2026-06-01", 10, 0), ("2026-06-02", 1100, 0))


def test_a_site_within_its_cap_is_left_alone() -> None:
    site = Site(40)  # 36 MB are expected
    site.days(29)
    assert site.said == []
    forecast = site.budget.account(site.now()).forecast_bytes
    assert forecast == pytest.approx(36 * MB, rel=0.02)


def test_saving_begins_early_in_steps_and_ends_with_the_month() -> None:
    site = Site(25)
    site.days(29.9)
    assert [text for _day, text in site.said[:2]] == ["note.saving_1", "note.saving_2"]
    assert site.said[1][0] == "2026-06-01"
    assert site.said[2:] in ([], [("2026-06-26", "note.saving_1")]), "less is needed in the end"
    assert 20 * MB < site.budget.account(site.now()).month_bytes < 25 * MB
    site.days(0.2)
    assert site.said[-1] == ("2026-07-01", "note.saving_month")
    assert site.budget.step == 0
    assert site.budget.account(site.now()).forecast_bytes == pytest.approx(37 * MB, rel=0.1), "at full cost"


def test_the_last_step_holds_until_the_next_month_and_sends_no_history() -> None:
    site = Site(8)
    site.days(29)
    assert [text for _day, text in site.said] == [f"note.saving_{n}" for n in (1, 2, 3)]
    assert not site.budget.saving.history
    site.per_hour = 0
    site.days(1.5)
    assert site.said[3:] == [("2026-07-01", "note.saving_month")]


def test_a_burst_of_backlog_is_counted_but_not_extrapolated() -> None:
    site = Site(60)
    site.days(4)
    for _ in range(3):
        site.hours(1)
        site.spend(3 * MB)
    site.days(10)
    assert site.said == []
    assert site.budget.account(site.now()).month_bytes > 9 * MB


def test_what_is_nearly_used_up_needs_no_forecast() -> None:
    site = Site(20)
    site.look()
    site.spend(round(19.1 * MB))
    assert [text for _day, text in site.said] == ["note.saving_3"]
    assert site.last.values == {"used": 19, "forecast": 19, "cap": 20}
    last_day = Site(40)
    last_day.days(29.2)
    last_day.spend(round(38.5 * MB) - last_day.budget.account(last_day.now()).month_bytes)
    last_day.days(0.7)
    assert last_day.said == [], "near, but it will do"


def test_it_saves_less_again_when_the_site_has_become_cheaper() -> None:
    site = Site(30)
    site.days(2)
    assert site.budget.step == 1
    site.per_hour = 20_000
    site.days(4)
    assert [text for _day, text in site.said] == ["note.saving_1", "note.saving_0"]


def test_it_does_not_swing() -> None:
    """What a step brought is remembered: the dearer one is not tried again while it would not do."""
    site = Site(33)
    site.days(29.9)
    assert len(site.said) <= 2, site.said


def test_another_cap_counts_at_once() -> None:
    site = Site(12)
    site.days(3)
    assert site.budget.step == 3
    site.restart(None)
    site.look()
    assert site.said[-1][1] == "note.saving_off"
    assert site.budget.saving == STEPS[0]
    site.restart(12)
    site.days(1)
    assert site.budget.step >= 1


@pytest.mark.parametrize(
    ("step", "base_s", "poll_s", "flush_s"),
    [
        (0, 300, 60, 300),
        (1, 300, 60, 600),
        (2, 300, 60, 1200),
        (3, 300, 60, 3600),
        (3, 7200, 60, 7200),
        (2, 1800, 60, 3600),
        (3, 300, 1, 1000),
        (3, 10, 1, 120),
    ],
)
def test_how_often_reports_go_out(step: int, base_s: float, poll_s: float, flush_s: float) -> None:
    assert STEPS[step].flush_s(base_s, poll_s) == flush_s


def test_a_damaged_account_begins_anew_and_says_so() -> None:
    site = Site(25)
    site.days(3)
    data = site.budget.to_bytes()
    assert Budget.from_bytes(None, 5) == (Budget(cap_bytes=5), None)
    damaged = [data[:cut] for cut in range(len(data))]
    damaged += [b"[]", b"null", b"{}", data.replace(b'"v":1', b'"v":2'), data.replace(b"2026", b"xxxx")]
    damaged += [data.replace(b'"step":2', b'"step":9'), data.replace(b'"hour":[', b'"hour":[-')]
    for each in damaged:
        budget, lost = Budget.from_bytes(each, 5)
        assert budget == Budget(cap_bytes=5), each
        assert lost is not None
        assert lost.context == "note.budget_lost"


def test_every_sentence_about_saving_can_be_said() -> None:
    site = Site(25)
    site.days(0.5)
    values = site.last.values
    for context in [text for text in TEXTS if text.startswith(("note.saving", "note.budget"))]:
        said = say(Message(context, values))
        assert "{" not in said
        assert said != context


def test_the_account_stays_small() -> None:
    site = Site(1000)
    site.days(90)
    assert len(site.budget.days) == 62
    assert len(site.budget.to_bytes()) < 3000


# ---- the slow tier

ROOT = "1.3.6.1.4.1.99999"
BOX = (
    f"1.3.6.1.2.1.1.1.0|4|A box\n1.3.6.1.2.1.1.2.0|6|{ROOT}\n1.3.6.1.2.1.1.3.0|67|4200\n"
    f"{ROOT}.1.0|2|41\n{ROOT}.2.0|2|55\n"
    + "".join(f"{ROOT}.3.1.{column}.{row}|65|{100 * row}\n" for row in range(1, 31) for column in (1, 2))
)
PROFILE = f"""about: A box
identify: [{{object_id: {ROOT}}}]
root: {ROOT}
scalars:
  - {{oid: .1.0, group: sensor, item: a, metric: temperature_c, tier: slow}}
  - {{oid: .2.0, group: sensor, item: b, metric: temperature_c}}
tables:
  - entry: .3.1
    group: interface
    readings:
      - {{column: 1, metric: in_octets}}
      - {{column: 2, metric: in_ucast_pkts, tier: slow}}
"""


def boxed(folder: Path, monkeypatch: pytest.MonkeyPatch, **options: int) -> Poller:
    (folder / "profiles").mkdir()
    (folder / "profiles" / "box.yaml").write_text(PROFILE)
    monkeypatch.setenv("AYNI_CONFIGS", str(folder))
    return Poller("box", RecordedReader(MibView(parse_snmprec(BOX))), Profiles(), **options)


def counts(poller: Poller, polls: int, since_s: float = 0.0) -> list[int]:
    """How many readings each poll brought, a minute apart; without those that every poll has."""
    found = []
    for number in range(polls):
        poll = asyncio.run(poller.poll(since_s + 60.0 * number))
        assert poll.error is None
        found.append(sum(series.group != "system" for series in poll.values))
    return found


def test_the_slow_tier_is_asked_for_at_every_few_polls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    poller = boxed(tmp_path, monkeypatch, slow_every=5)
    everything, fast = 62, 31
    assert counts(poller, 10) == [everything, *[fast] * 4, everything, *[fast] * 4]
    assert not poller._changed, "what was not asked for is not missing"
    poller.slow_every = 3  # the budget may say so at any time
    assert counts(poller, 6, 600.0) == [everything, fast, fast, everything, fast, fast], "first a look-over"


def test_without_tiers_every_poll_brings_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert counts(boxed(tmp_path, monkeypatch), 4) == [62] * 4


def test_no_rule_looks_at_what_is_slow() -> None:
    watched = {rule.metric for rule in load_rules()} | {"signal_dbm", "if_oper", "uptime_s"}
    profiles = Profiles()
    for name in profiles.names():
        for part in profiles.load(name).parts:
            readings = [*part.scalars, *(reading for table in part.tables for reading in table.readings)]
            assert not {each.metric for each in readings if each.tier == "slow"} & watched, name


def test_no_copies_go_to_whoever_looks_while_data_is_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "agent.yaml").write_text("node: pi\nbroker: {}\ndevices: {}\n", encoding="utf-8")

    async def run() -> None:
        agent = Agent(set_up(tmp_path / "agent.yaml"), Profiles(), Service({}))
        copies: list[bytes] = []
        monkeypatch.setattr(agent._courier, "send_copy", copies.append)
        monkeypatch.setattr(agent._courier._client, "connected", True)
        poll = Poll(device="ap", at_s=clock.monotonic_s(), values={Series("system", "", "uptime_s"): 1})
        assert agent.watch(60)
        agent._on_poll(poll)
        assert len(copies) == 1
        agent._purse._budget.step = 1
        agent._on_poll(poll)
        assert not agent.watch(60)
        assert len(copies) == 1

    asyncio.run(run())
