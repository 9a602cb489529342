"""BER primitives: a table both ways, the bounds, and pyasn1 as the oracle."""

from __future__ import annotations

import random

import pytest
from pyasn1.codec.ber import decoder, encoder
from pyasn1.type import univ

from ayni_core.ber import (
    MAX_ARCS,
    BerError,
    decode_oid,
    encode_integer,
    encode_length,
    encode_oid,
    follows,
    long_length,
    oid_text,
    read_header,
    tlv,
    valid_oid,
)

OIDS = [
    ("0.0", "00"),
    ("0.39", "27"),
    ("1.0", "28"),
    ("1.39", "4f"),
    ("2.0", "50"),
    ("2.47", "7f"),
    ("2.48", "8100"),
    ("2.999.3", "883703"),
    ("2.4294967295", "908080804f"),
    ("1.3.6.1.2.1.1.3.0", "2b06010201010300"),
    ("1.3.6.1.4.1.41112.1.4", "2b0601040182c1180104"),
    ("1.3.127.128.16383.16384", "2b7f8100ff7f818000"),
    ("1.3.4294967295", "2b8fffffff7f"),
]

INTEGERS = [
    (0, "00"),
    (1, "01"),
    (-1, "ff"),
    (127, "7f"),
    (128, "0080"),
    (-128, "80"),
    (-129, "ff7f"),
    (255, "00ff"),
    (256, "0100"),
    (2**31 - 1, "7fffffff"),
    (-(2**31), "80000000"),
    (2**32 - 1, "00ffffffff"),
    (2**64 - 1, "00ffffffffffffffff"),
]

NO_OIDS = [
    "",  # no sub-identifier at all
    "80",  # nothing but "more follows"
    "2b80",
    "2b8001",  # padded in front (X.690, 8.19.2)
    "2b9080808000",  # 2**32
    "908080808050",  # first sub-identifier above 2.4294967295
    "2bffffffffff7f",
    "2b" + "01" * MAX_ARCS,  # one arc too many
    "2b" + "8101" * MAX_ARCS,
]


@pytest.mark.parametrize(("text", "octets"), OIDS)
def test_oid_both_ways(text: str, octets: str) -> None:
    body = bytes.fromhex(octets)
    assert encode_oid(text) == body
    assert encode_oid("." + text) == body
    assert encode_oid(tuple(map(int, text.split(".")))) == body
    assert oid_text(body) == text
    assert valid_oid(body)


@pytest.mark.parametrize("octets", NO_OIDS)
def test_what_is_no_oid_body_is_refused(octets: str) -> None:
    assert not valid_oid(bytes.fromhex(octets))
    with pytest.raises(BerError):
        decode_oid(bytes.fromhex(octets))


@pytest.mark.parametrize(
    "text", ["", "1", ".", "1.", "1..3", "3.1", "1.40", "0.40", "1.3.4294967296", "1.-3", "1.٣"]
)
def test_what_is_no_oid_text_is_refused(text: str) -> None:
    with pytest.raises(BerError):
        encode_oid(text)


def test_longest_oid() -> None:
    longest = (1, 3) + (200,) * (MAX_ARCS - 2)
    assert decode_oid(encode_oid(longest)) == longest
    with pytest.raises(BerError):
        encode_oid((*longest, 1))


@pytest.mark.parametrize(("number", "octets"), INTEGERS)
def test_integers_take_the_shortest_form(number: int, octets: str) -> None:
    assert encode_integer(number).hex() == octets
    assert decoder.decode(tlv(0x02, bytes.fromhex(octets)))[0] == number


@pytest.mark.parametrize(
    ("length", "octets"),
    [(0, "00"), (127, "7f"), (128, "8180"), (255, "81ff"), (256, "820100"), (70000, "83011170")],
)
def test_lengths_both_ways(length: int, octets: str) -> None:
    assert encode_length(length).hex() == octets
    data = tlv(0x04, bytes(length))
    assert read_header(data, 0, len(data)) == (0x04, len(data) - length, len(data))


def test_a_length_may_take_more_octets_than_it_needs() -> None:
    assert read_header(bytes.fromhex("0482000141"), 0, 5) == (0x04, 4, 5)


@pytest.mark.parametrize(
    "octets",
    ["", "04", "0401", "0480", "048041", "0485000000000141", "0484ffffffff41", "0481", "048200"],
)
def test_headers_that_lie_or_end_are_refused(octets: str) -> None:
    with pytest.raises(BerError):
        read_header(bytes.fromhex(octets), 0, len(octets) // 2)


def test_indefinite_length_is_refused() -> None:
    with pytest.raises(BerError):
        long_length(b"\x80\x00\x00", 1, 0x80)


def test_oids_agree_with_pyasn1() -> None:
    rng = random.Random(1)
    for _ in range(500):
        first = rng.randrange(3)
        second = rng.randrange(40 if first < 2 else 2**20)
        oid = (first, second, *(rng.getrandbits(rng.randrange(1, 33)) for _ in range(rng.randrange(14))))
        encoded = encoder.encode(univ.ObjectIdentifier(oid))
        assert tlv(0x06, encode_oid(oid)) == encoded
        assert decode_oid(encode_oid(oid)) == tuple(decoder.decode(encoded)[0])


def test_octet_order_is_not_oid_order_and_follows_knows() -> None:
    rng = random.Random(2)
    arcs = [1, 127, 128, 255, 16383, 16384, 2**21 - 1, 2**21, 2**32 - 1]
    for _ in range(3000):
        one = (1, 3, *rng.choices(arcs, k=rng.randrange(1, 4)))
        other = (1, 3, *rng.choices(arcs, k=rng.randrange(1, 4)))
        assert follows(encode_oid(one), encode_oid(other)) == (other > one), (one, other)
