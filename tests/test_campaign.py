"""Nothing is lost when programs are killed on a bad link: the campaign in its short form, and its law."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import parts
import pytest

BENCH = Path(__file__).resolve().parent.parent / "bench"
KILLS = 12


@pytest.fixture(autouse=True)
def _bench_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCH))


def test_a_dozen_kills_on_a_bad_link_lose_and_double_nothing(tmp_path: Path) -> None:
    parts.need("mosquitto")
    pace = ("--every", "0.8", "--calm", "2", "--drain", "30")
    command = [sys.executable, str(BENCH / "campaign.py"), "--json", "--kills", str(KILLS), "--seed", "7"]
    done = subprocess.run(
        [*command, *pace, "--keep", str(tmp_path / "town")], capture_output=True, text=True, timeout=150
    )
    assert done.returncode == 0, done.stderr[-2000:] + done.stdout[-3000:]
    figures = {each["key"]: each["value"] for each in json.loads(done.stdout)["figures"]}
    killed = sum(figures[f"campaign_kills_{name}"] for name in ("agent", "hub", "broker"))
    assert killed == KILLS
    assert figures["campaign_polls_read"] > 30, "there was something to lose"
    assert figures["campaign_lost"] == figures["campaign_doubled"] == 0


FATES = {
    "the next poll of the same start proves that this one was read": (
        "P 1 a 1 10.0, O 1 a 1 10.1, P 1 a 2 11.0", {1: 11.1}, {1: "read", 2: "air"},
    ),
    "a check follows a poll that failed": ("P 1 a 1 10.0, C 1 a 1 10.6, P 1 a 2 11.0", {1: 19.0},
                                           {1: "failed", 2: "read"}),
    "what is followed by silence before the kill was read": (
        "P 1 a 1 10.0, O 1 a 1 10.1", {1: 10.9}, {1: "read"},
    ),
    "what was under way at the kill is in the air": ("P 1 a 1 10.0, O 1 a 1 10.3", {1: 10.9}, {1: "air"}),
    "another start proves nothing": ("P 1 a 1 10.0, P 2 a 2 10.4, P 2 a 3 11.4", {1: 10.3, 2: 11.5},
                                     {1: "air", 2: "read", 3: "air"}),
    "nor does another device": ("P 1 a 1 10.0, P 1 b 1 10.1, P 1 b 2 10.4", {1: 10.5}, {1: "air"}),
    "a mute device: the poll before was read, what was asked of it is no poll": (
        "P 1 a 1 10.0, p 1 a 1 11.0, c 1 a 1 11.2", {}, {1: "read"},
    ),
    "muted in the middle of a poll": ("P 1 a 1 10.0, o 1 a 1 10.1, c 1 a 1 10.7", {}, {1: "failed"}),
}  # fmt: skip


@pytest.mark.parametrize("what", FATES)
def test_what_counts_as_read(what: str, tmp_path: Path) -> None:
    import counted_site
    import poll_count

    lines, ended, expected = FATES[what]
    (tmp_path / "polls.log").write_text("".join(f"{line}\n" for line in lines.split(", ")) + "P 1 a 9")
    found = poll_count.fates(counted_site.read_log(tmp_path), ended)
    assert {serial: fate for (device, serial), fate in found.items() if device == "a"} == expected


def test_the_count_finds_what_must_not_happen(tmp_path: Path) -> None:
    import counted_site
    import poll_count

    from ayni_hub.embedded import EmbeddedStore

    def stored(at: float, serial: int, octets_of: int | None = None) -> None:
        samples = [("a", counted_site.UPTIME, at, counted_site.uptime_s(serial))]
        for row in range(1, counted_site.INTERFACES + 1):
            octets = counted_site.octets(row, octets_of or serial)
            samples.append(("a", counted_site.octets_series(row), at, octets))
        store.write(samples)

    asked = [counted_site.Asked("P", False, 1, "a", serial, 10.0 + serial) for serial in range(1, 8)]
    store = EmbeddedStore(tmp_path / "store.db")
    stored(11.0, 1)
    stored(13.1, 3)
    stored(13.2, 2)
    stored(14.0, 4)
    stored(14.01, 4)
    stored(15.0, 5, octets_of=6)
    stored(17.0, 77)
    found = poll_count.count(asked, {1: 17.1}, store)
    store.close()
    assert found.doubled == [("a", 4)]
    assert found.disordered == [("a", 2)]
    assert found.torn == [("a", 5)]
    assert found.alien == [("a", 77)]
    assert found.lost == [("a", 6)], "7 was in the air"
    assert found.off_s == pytest.approx(1.2)


def test_the_tap_tells_a_resend_and_a_change() -> None:
    from wire_tap import WireTap

    from ayni_core.readings import Series
    from ayni_core.wire import codec, topics
    from ayni_core.wire.frame import DevicePolls, Frame

    def publication(seq: int, value: int) -> bytes:
        polls = DevicePolls()
        polls.add(0.0, {Series("system", "", "uptime_s"): value})
        frame = Frame(node="pi", epoch="e", seq=seq, boot="b", mono_s=1.0, wall_s=1.0, synced=True,
                      next_by_s=10.0, devices={"a": polls})  # fmt: skip
        topic = topics.frame("pi", "live").encode()
        body = len(topic).to_bytes(2, "big") + topic + b"\x00\x07" + b"\x00" + codec.encode(frame, "field")
        return b"\x32" + bytes((len(body) & 0x7F | 0x80, len(body) >> 7)) + body

    tap = WireTap()
    stream = b"\xc0\x00" + publication(1, 5) + publication(2, 5) + publication(1, 5) + publication(2, 6)
    for place in range(0, len(stream), 7):
        tap(1, stream[place : place + 7])
    tap(2, publication(3, 5)[:-1])
    assert (tap.published, tap.resent, tap.changed) == (4, 2, {("e", 2)})
