"""Spoilt octets for all that reads from a network: a few thousand here, a million by `scripts/soak`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from ayni_core.ber import encode_oid
from ayni_core.snmp import (
    COUNTER64,
    OCTET_STRING,
    RESPONSE,
    V2C,
    decode_response,
    encode_value,
    encode_varbind,
    frame_message,
    frame_pdu,
)

sys.path.append(str(Path(__file__).parent.parent / "bench"))  # behind all else: nothing of it comes first
import soak
import soak_paths
import spoil

HOW_MANY = {"answers": 1200, "messages": 1900, "sealed": 900, "readings": 500, "polls": 120, "frames": 400}
NAME = encode_oid("1.3.6.1.2.1.1.5.0")
GOOD = frame_message(
    V2C, b"public", frame_pdu(RESPONSE, 7, 0, 0, [encode_varbind(NAME, OCTET_STRING, bytes(200))] * 2)
)


@pytest.mark.parametrize("name", soak.PATHS)
def test_what_is_spoilt_is_refused_as_documented_or_taken_for_what_it_is(name: str) -> None:
    """Each path knows what must not come of it; see there."""
    path = soak.PATHS[name](Random(name), lambda spoilt: None)
    while path.fed < HOW_MANY[name]:
        path.feed()
    assert 0 < path.taken < path.fed, "some of it is good all the same, most is not"


def test_a_seed_gives_the_same_octets_every_time() -> None:
    def told(seed: int) -> list[bytes]:
        found: list[bytes] = []
        path = soak_paths.Readings(Random(seed), found.append)
        while path.fed < 50:
            path.feed()
        return found

    assert told(1) == told(1) != told(2)


def test_an_exchanged_element_leaves_all_lengths_right() -> None:
    """So that what is behind the codec gets to see it."""
    known = spoil.elements(GOOD)
    value = max(known, key=lambda element: element[1])  # what begins last
    large = encode_value(COUNTER64, 2**64 - 1)
    octets = spoil.exchanged(GOOD, known, value, large)
    assert decode_response(octets).varbinds[1] == (NAME, COUNTER64, 2**64 - 1)
    assert spoil.exchanged(GOOD, known, value, GOOD[value[0] - 1 : value[2]]) == GOOD


# ---- the soak test itself


class Planted(soak_paths.Path):
    """Is fed one octet at a time; at the hundredth something happens."""

    name = "planted"

    def feed(self) -> None:
        self.note(b"%c" % self.fed)
        self.taken += 1
        if self.fed == 100:
            self.happen()

    def happen(self) -> None:
        """What a good path does: nothing."""


class Raises(Planted):
    def happen(self) -> None:
        raise KeyError("nobody documented this")


class Hangs(Planted):
    def happen(self) -> None:
        10 ** (10**10)  # where no Python runs, and no signal is heard


class Devours(Planted):
    def happen(self) -> None:
        bytes(2**30)


class Leaks(Planted):
    kept: list[bytes] = []  # noqa: RUF012

    def happen(self) -> None:
        self.kept.append(b"x" * 10 * 2**20)


def run(path: Callable[..., soak_paths.Path], **more: object) -> soak.Summary:
    fed = soak.Soak(5, 4000, paths={"planted": path}, turns=("planted",), batch=200, **more)  # type: ignore[arg-type,dict-item]
    return fed.run()


def test_nothing_found_is_all_fed() -> None:
    summary = run(Planted)
    assert (summary.failure, summary.mutations, summary.taken) == (None, 4000, {"planted": 4000})
    assert 5 < summary.peak_mb < 1000


@pytest.mark.parametrize(
    ("path", "cause"),
    [
        (Raises, "KeyError: 'nobody documented this'"),
        (Hangs, "no end within 0.5 s"),
        (Devours, "MemoryError"),
        (Leaks, "memory grew from "),
    ],
)
def test_what_goes_wrong_is_told_with_the_seed_and_the_octets(
    path: type[Planted], cause: str, capfd: pytest.CaptureFixture[str]
) -> None:
    failure = run(path, patience_s=0.5).failure
    assert failure is not None
    assert cause in failure.cause
    assert failure.seed == 5
    assert "seed 5, batch" in str(failure)
    if path is not Leaks:
        assert failure.input == "63"


def test_the_command_says_what_it_did(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert soak.main(["--mutations", "200", "--seed", "3", "--json"]) == 0
    figures = {each["key"]: each["value"] for each in json.loads(capsys.readouterr().out)["figures"]}
    assert figures["soak_mutations"] >= 200
    assert figures["soak_rejected"] + figures["soak_accepted"] == figures["soak_mutations"]
    monkeypatch.setattr(soak, "Soak", lambda seed, mutations: soak_of(Raises, seed, mutations))
    assert soak.main(["--mutations", "200", "--seed", "3", "--json"]) == 1
    said = capsys.readouterr()
    assert json.loads(said.out)["failure"]["input"] == "63"
    assert "seed 3, batch 0" in said.err


def soak_of(path: type[Planted], seed: int, mutations: int) -> soak.Soak:
    return SOAK(seed, mutations, paths={"planted": path}, turns=("planted",))


SOAK = soak.Soak
