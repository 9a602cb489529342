"""The broker's door: TLS only, rights by delivery, and a node that is shut out at once."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

from checks import check, expect, until
from lab import ACCOUNTS, ADDRESSES, BIN, CERRO, HUB, TORRE, Lab

_HERE = Path(__file__).parent
_BUCKET = f"{zlib.crc32(TORRE.encode()) % 64:02d}"
_T, _C, _H, _A, _L = f"n-{TORRE}", f"n-{CERRO}", "h-hub", "p-ana", "p-luis"
_PEOPLE = {_A, _L}
_DOOR = {"port_1883": False, "plain_mqtt": False, "tls": True, "worlds_authorities": False, "tls_1_1": False}
_RIGHTS: dict[str, tuple[set[str], set[str]]] = {
    # topic: who may write there, who has to hear it (others must not)
    f"ayni/v1/in/{_BUCKET}/{TORRE}/live": ({_T}, {_H}),
    f"ayni/v1/in/{_BUCKET}/{TORRE}/else": (set(), set()),
    f"ayni/v1/state/{TORRE}": ({_T}, {_H, *_PEOPLE}),
    f"ayni/v1/ack/{TORRE}": ({_H}, {_T}),
    f"ayni/v1/cmd/{TORRE}": ({_H}, {_T}),
    "ayni/v1/alert/knock": ({_H}, _PEOPLE),
    "ayni/v1/ask/ana/s/knock": ({_A}, {_H}),
    "ayni/v1/answer/ana/s/knock": ({_H}, {_A}),
    "ayni/v1/elsewhere": (set(), set()),
    "$CONTROL/dynamic-security/v1": (set(), set()),
    "other/topic": (set(), set()),
}
_MAY_HEAR = {f"ayni/v1/ack/{TORRE}": {_H}, "ayni/v1/alert/knock": {_H}}
"""Who may hear it beside those who have to."""


@check("nobody gets to the broker without TLS, nor with another authority", short=True)
def tls_only(lab: Lab) -> None:
    """From the network: no port 1883, no plain MQTT on 8883, no TLS 1.1, no stranger's certificate."""
    told = json.loads(lab.desk(BIN / "python", _HERE / "door.py", ADDRESSES[HUB], lab.valley / "pki/ca.crt"))
    expect(told == _DOOR, f"the door: {told}, expected {_DOOR}")


@check("each account hears and writes what it may, and nothing else (by delivery)", short=True)
def rights(lab: Lab) -> str:
    """Short form of tests/test_rights_matrix.py through the deployed broker, with wildcards and `$share`."""
    accounts = {name: lab.secret(name) for name in (_T, _C, _H, _A, _L)}
    asked = {"host": ADDRESSES[HUB], "port": 8883, "ca": str(lab.valley / "pki/ca.crt"),
             "accounts": {**accounts, "n-nobody": "wrong"}, "topics": list(_RIGHTS)}  # fmt: skip
    found = json.loads(lab.desk(BIN / "python", _HERE / "knock.py", stdin=json.dumps(asked)))
    expect(found["refused"] == ["n-nobody"], f"not let in: {found['refused']}, expected a stranger only")
    delivered = 0
    for topic, (writers, hearers) in _RIGHTS.items():
        for writer in accounts:
            heard = set(found["heard"][topic].get(writer, ()))
            if writer not in writers:
                expect(not heard, f"{writer} wrote to {topic}, heard by {sorted(heard)}")
                continue
            delivered += len(heard)
            expect(
                hearers <= heard,
                f"{topic}: {sorted(hearers - heard)} did not hear {writer}: the check itself fails",
            )
            extra = heard - hearers - _MAY_HEAR.get(topic, set()) - {writer}
            expect(not extra, f"{topic}: {sorted(extra)} heard {writer}")
    expect(delivered >= 9, f"only {delivered} deliveries: the check cannot fail")
    return f"{len(_RIGHTS) * len(accounts) ** 2} ways tried, {delivered} deliveries"


@check("a node that is shut out loses its session at once, and is let in again", short=True)
def revoked(lab: Lab) -> str:
    """`ayni hub accounts --apply --disable`; then `--enable`."""
    lab.wait_for_central(CERRO)
    words = [*ACCOUNTS, "--apply"]
    lab.on(HUB, *words, "--disable", f"n-{CERRO}")
    try:
        took = until(
            lambda: not lab.status(CERRO)["hub"]["connected"], 20, "it still has its session", every_s=0.1
        )
    finally:
        lab.on(HUB, *words, "--enable", f"n-{CERRO}")
    expect(lab.has_central(TORRE), "the other node lost its session, too")
    back = lab.wait_for_central(CERRO, 120)
    return f"out after {took:.1f} s, in again after {back:.0f} s"
