"""SNMP messages: one table both ways, cut and mutated; pysnmp as the oracle; layouts agree with the codec."""

from __future__ import annotations

import random

import pytest
from pyasn1.codec.ber import decoder, encoder
from pysnmp.proto import rfc1902, rfc1905
from pysnmp.proto.api import v1 as p1
from pysnmp.proto.api import v2c as p2

from ayni_core.ber import BerError, encode_oid, tlv
from ayni_core.snmp import (
    BIT_STRING,
    COUNTER32,
    COUNTER64,
    END_OF_MIB_VIEW,
    GAUGE32,
    GET,
    GET_BULK,
    GET_NEXT,
    INTEGER,
    IP_ADDRESS,
    MAX_REQUEST_ID,
    MIN_REQUEST_ID,
    NO_SUCH_INSTANCE,
    NO_SUCH_NAME,
    NO_SUCH_OBJECT,
    NSAP_ADDRESS,
    NULL,
    OCTET_STRING,
    OID,
    OPAQUE,
    RESPONSE,
    SET,
    TIME_TICKS,
    UINTEGER32,
    V1,
    V2C,
    Binds,
    CommunityEnvelope,
    Message,
    Pdu,
    SnmpDecodeError,
    VarBind,
    decode_pdu,
    decode_request,
    decode_response,
    decode_value,
    encode_response,
    encode_value,
    encode_varbind,
    frame_message,
    frame_pdu,
    request_template,
    status_name,
)
from ayni_core.snmplayout import Layouts

NAME = encode_oid("1.3.6.1.4.1.41112.1.4.5.1.5.1")
OBJECT_ID = encode_oid("1.3.6.1.4.1.14988.1")

VALUES: list[tuple[int, int | bytes | None, str]] = [
    (INTEGER, 0, "020100"),
    (INTEGER, -61, "0201c3"),
    (INTEGER, -(2**31), "020480000000"),
    (INTEGER, 2**31 - 1, "02047fffffff"),
    (OCTET_STRING, b"", "0400"),
    (OCTET_STRING, b"wlan0", "0405776c616e30"),
    (OCTET_STRING, bytes(200), "0481c8" + "00" * 200),
    (NULL, None, "0500"),
    (OID, OBJECT_ID, "06082b06010401f50c01"),
    (IP_ADDRESS, bytes((10, 1, 2, 3)), "40040a010203"),
    (COUNTER32, 2**32 - 1, "410500ffffffff"),
    (GAUGE32, 0, "420100"),
    (TIME_TICKS, 128, "43020080"),
    (OPAQUE, bytes.fromhex("9f780442280000"), "44079f780442280000"),
    (COUNTER64, 0, "460100"),
    (COUNTER64, 10**12, "460600e8d4a51000"),
    (COUNTER64, 2**64 - 1, "460900ffffffffffffffff"),
    (UINTEGER32, 300, "4702012c"),
    (BIT_STRING, b"\x00\x80", "03020080"),
    (NSAP_ADDRESS, b"\x01\x02", "45020102"),
    (NO_SUCH_OBJECT, None, "8000"),
    (NO_SUCH_INSTANCE, None, "8100"),
    (END_OF_MIB_VIEW, None, "8200"),
]

OTHER_READINGS = [  # accepted, though we would not write them so
    ("4104ffffffff", 2**32 - 1),  # agents that leave out the zero in front
    ("4608ffffffffffffffff", 2**64 - 1),
    ("42020001", 1),
    ("0205ff80000000", -(2**31)),  # pyasn1 writes it so
    ("02050000000001", 1),
]

BAD_VALUES = [
    "0200",
    "02050080000000",
    "0205ff7fffffff",
    "0206000000000001",
    "4100",
    "41050100000000",
    "4106000000000001",
    "4600",
    "4609010000000000000000",
    "460a00000000000000000001",
    "4003010203",
    "40050102030405",
    "4000",
    "0600",
    "060180",
    "06032b8001",
    "050100",
    "800100",
    "820100",
    "8300",
    "0700",
    "4800",
    "30020500",
    "2403040141",
]

UNSENDABLE: list[tuple[int, int | bytes | None]] = [
    (INTEGER, 2**31),
    (INTEGER, None),
    (INTEGER, b"1"),
    (COUNTER32, -1),
    (COUNTER64, 2**64),
    (OCTET_STRING, 1),
    (OCTET_STRING, None),
    (IP_ADDRESS, b"123"),
    (OID, b""),
    (NULL, 0),
    (0x07, b""),
    (0x83, None),
]


def response(*varbinds: VarBind, version: int = V2C, community: bytes = b"public") -> bytes:
    request = Message(version, community, Pdu(GET, 77_000_000, 0, 0, []))
    return encode_response(request, 0, 0, varbinds)


def one(value: str) -> bytes:
    """A response whose only value are these octets."""
    varbind = tlv(0x30, tlv(0x06, NAME) + bytes.fromhex(value))
    return frame_message(V2C, b"public", frame_pdu(RESPONSE, 77_000_000, 0, 0, [varbind]))


SAMPLES = {
    "every type": response(*((NAME, tag, value) for tag, value, _ in VALUES)),
    "short": response((NAME, INTEGER, 1)),
    "empty": response(),
    "v1": response((NAME, COUNTER32, 1), version=V1, community=b""),
    "error": encode_response(Message(V1, b"x", Pdu(GET, 5, 0, 0, [])), NO_SUCH_NAME, 1, [(NAME, NULL, None)]),
    "get": CommunityEnvelope(V2C, b"public").seal(request_template(GET, (NAME, OBJECT_ID)), 2**24),
    "bulk": CommunityEnvelope(V2C, b"public").seal(request_template(GET_BULK, (NAME,) * 13, 1, 24), 2**24),
}


@pytest.mark.parametrize(("tag", "value", "octets"), VALUES)
def test_values_both_ways(tag: int, value: int | bytes | None, octets: str) -> None:
    assert encode_value(tag, value).hex() == octets
    assert decode_response(response((NAME, tag, value))).varbinds == [(NAME, tag, value)]
    header = 3 if octets[2:4] == "81" else 2
    assert decode_value(tag, bytes.fromhex(octets)[header:]) == value


@pytest.mark.parametrize(("octets", "value"), OTHER_READINGS)
def test_values_as_some_agents_write_them(octets: str, value: int) -> None:
    assert decode_response(one(octets)).varbinds == [(NAME, int(octets[:2], 16), value)]


@pytest.mark.parametrize("octets", BAD_VALUES)
def test_a_value_of_a_wrong_size_or_type_fails_the_message(octets: str) -> None:
    with pytest.raises(SnmpDecodeError) as failure:
        decode_response(one(octets))
    assert failure.value.request_id == 77_000_000


@pytest.mark.parametrize(("tag", "value"), UNSENDABLE)
def test_what_cannot_be_sent_is_refused(tag: int, value: int | bytes | None) -> None:
    with pytest.raises(BerError):
        encode_varbind(NAME, tag, value)


def decode_either(data: bytes) -> None:
    """Both directions; whatever these octets are, nothing but SnmpDecodeError comes out."""
    for decode in (decode_response, decode_request):
        try:
            decode(data)
        except SnmpDecodeError:
            continue


@pytest.mark.parametrize("name", SAMPLES)
def test_every_truncation_is_refused(name: str) -> None:
    data = SAMPLES[name]
    for length in range(len(data)):
        with pytest.raises(SnmpDecodeError):
            decode_response(data[:length])
        with pytest.raises(SnmpDecodeError):
            decode_request(data[:length])


@pytest.mark.parametrize("name", SAMPLES)
def test_mutations_raise_one_error_or_none(name: str) -> None:
    rng = random.Random(name)
    layouts = Layouts()
    request = request_template(GET, (NAME,))
    for _ in range(2000):
        data = bytearray(SAMPLES[name])
        for _ in range(rng.randrange(1, 4)):
            at = rng.randrange(len(data))
            match rng.randrange(4):
                case 0:
                    data[at] = rng.getrandbits(8)
                case 1:
                    data[at] ^= 1 << rng.randrange(8)
                case 2:
                    del data[at : at + rng.randrange(1, 9)]
                    data += b"\x00"
                case _:
                    data[at:at] = rng.randbytes(rng.randrange(1, 9))
        decode_either(bytes(data))
        try:
            octets, pos, end = CommunityEnvelope(V2C, b"public").open(bytes(data))
            straight = decode_pdu(octets, pos, end)
        except SnmpDecodeError:
            continue
        assert layouts.decode(request, octets, pos, end)[:5] == straight[:5]


def test_random_octets_raise_one_error_or_none() -> None:
    rng = random.Random(3)
    for _ in range(3000):
        decode_either(rng.randbytes(rng.randrange(80)))


@pytest.mark.parametrize(
    ("what", "data"),
    [
        ("nothing", b""),
        ("version 3", frame_message(3, b"public", frame_pdu(RESPONSE, 1, 0, 0, []))),
        ("a request", SAMPLES["get"]),
        ("trap of v1", frame_message(V1, b"public", tlv(0xA4, b"\x06\x01\x00"))),
        ("no community", tlv(0x30, b"\x02\x01\x01\x05\x00" + frame_pdu(RESPONSE, 1, 0, 0, []))),
        ("octets behind the PDU", frame_message(V2C, b"", frame_pdu(RESPONSE, 1, 0, 0, []) + b"\x00")),
        ("request-id of five octets", frame_message(V2C, b"", tlv(0xA2, b"\x02\x05" + bytes(5)))),
        ("set for a list", frame_message(V2C, b"", tlv(0xA2, b"\x02\x01\x01" * 3 + b"\x31\x00"))),
        ("name missing", one("")[:-1] + b"\x00"),
        ("nesting", tlv(0x30, b"\x30\x80" * 3000)),
        ("length of 4 GiB", b"\x30\x84\xff\xff\xff\xff" + SAMPLES["short"][2:]),
    ],
)
def test_what_is_no_response(what: str, data: bytes) -> None:
    with pytest.raises(SnmpDecodeError):
        decode_response(data)


def test_octets_behind_the_message_are_let_pass() -> None:
    assert decode_response(SAMPLES["short"] + b"\x00\x00").varbinds == [(NAME, INTEGER, 1)]


def test_bulk_is_no_request_of_v1() -> None:
    with pytest.raises(SnmpDecodeError):
        decode_request(
            CommunityEnvelope(V1, b"public").seal(request_template(GET_BULK, (NAME,), 0, 5), 2**24)
        )


def test_an_answer_in_another_version_is_refused() -> None:
    assert CommunityEnvelope(V1, b"public").open(SAMPLES["v1"])
    with pytest.raises(SnmpDecodeError):
        CommunityEnvelope(V2C, b"public").open(SAMPLES["v1"])


def test_request_and_response_mirror_each_other() -> None:
    request = decode_request(SAMPLES["bulk"])
    assert (request.version, request.community) == (V2C, b"public")
    assert request.pdu == Pdu(GET_BULK, 2**24, 1, 24, [(NAME, NULL, None)] * 13)
    answer = decode_response(encode_response(request, 5, 2, [(NAME, INTEGER, 9)]))
    assert answer == Pdu(RESPONSE, 2**24, 5, 2, [(NAME, INTEGER, 9)])
    assert status_name(answer.error_status) == "genErr"
    assert status_name(18) == "inconsistentName"
    assert status_name(99) == "error-status 99"


def test_the_community_shows_in_no_repr() -> None:
    envelope = CommunityEnvelope(V2C, b"s3cret")
    sealed = decode_request(envelope.seal(request_template(GET, (NAME,)), 2**24))
    for shown in (repr(envelope), repr(sealed), str(sealed)):
        assert "s3cret" not in shown


def test_a_template_is_the_same_object_for_the_same_request() -> None:
    assert request_template(GET, (NAME,)) is request_template(GET, (bytes(NAME),))


# ---- pysnmp as the oracle


def oracle_value(tag: int, value: int | bytes | None) -> object:
    kinds = {
        INTEGER: rfc1902.Integer32,
        OCTET_STRING: rfc1902.OctetString,
        COUNTER32: rfc1902.Counter32,
        GAUGE32: rfc1902.Gauge32,
        TIME_TICKS: rfc1902.TimeTicks,
        OPAQUE: rfc1902.Opaque,
        COUNTER64: rfc1902.Counter64,
        IP_ADDRESS: rfc1902.IpAddress,
    }
    if tag == OID:
        return rfc1902.ObjectName("1.3.6.1.4.1.14988.1")
    if tag == NULL:
        return p2.null
    exceptions = {0x80: rfc1905.noSuchObject, 0x81: rfc1905.noSuchInstance, 0x82: rfc1905.endOfMibView}
    return exceptions[tag] if tag in exceptions else kinds[tag](value)


KNOWN_TO_THE_ORACLE = [row for row in VALUES if row[0] not in (BIT_STRING, NSAP_ADDRESS, UINTEGER32)]


@pytest.mark.parametrize(("tag", "value", "octets"), KNOWN_TO_THE_ORACLE)
def test_pysnmp_reads_and_writes_the_same_responses(tag: int, value: int | bytes | None, octets: str) -> None:
    pdu = p2.GetResponsePDU()
    p2.apiPDU.set_defaults(pdu)
    p2.apiPDU.set_request_id(pdu, 77_000_000)
    name = rfc1902.ObjectName("1.3.6.1.4.1.41112.1.4.5.1.5.1")
    p2.apiPDU.set_varbinds(pdu, [(name, oracle_value(tag, value))])
    message = p2.Message()
    p2.apiMessage.set_defaults(message)
    p2.apiMessage.set_community(message, b"public")
    p2.apiMessage.set_pdu(message, pdu)
    theirs = encoder.encode(message)
    assert decode_response(theirs) == Pdu(RESPONSE, 77_000_000, 0, 0, [(NAME, tag, value)])

    ours, rest = decoder.decode(response((NAME, tag, value)), asn1Spec=p2.Message())
    assert not rest
    ((their_name, their_value),) = p2.apiPDU.get_varbinds(p2.apiMessage.get_pdu(ours))
    assert tuple(their_name) == tuple(name)
    assert their_value == oracle_value(tag, value)


@pytest.mark.parametrize("version", [V1, V2C])
@pytest.mark.parametrize("kind", [GET, GET_NEXT])
def test_pysnmp_reads_our_requests_and_we_read_its(version: int, kind: int) -> None:
    api = p1 if version == V1 else p2
    ours = CommunityEnvelope(version, b"public").seal(
        request_template(kind, (NAME, OBJECT_ID)), MAX_REQUEST_ID
    )
    message, rest = decoder.decode(ours, asn1Spec=api.Message())
    assert not rest
    pdu = api.apiMessage.get_pdu(message)
    assert isinstance(pdu, api.GetRequestPDU if kind == GET else api.GetNextRequestPDU)
    assert api.apiPDU.get_request_id(pdu) == MAX_REQUEST_ID
    assert [str(name) for name, _ in api.apiPDU.get_varbinds(pdu)] == [
        "1.3.6.1.4.1.41112.1.4.5.1.5.1",
        "1.3.6.1.4.1.14988.1",
    ]
    assert encoder.encode(message) == ours
    assert decode_request(encoder.encode(message)) == decode_request(ours)


def test_pysnmp_reads_our_bulk_request() -> None:
    message, _ = decoder.decode(SAMPLES["bulk"], asn1Spec=p2.Message())
    pdu = p2.apiMessage.get_pdu(message)
    assert p2.apiBulkPDU.get_non_repeaters(pdu) == 1
    assert p2.apiBulkPDU.get_max_repetitions(pdu) == 24
    assert encoder.encode(message) == SAMPLES["bulk"]


def test_request_ids_fill_four_octets() -> None:
    # X.690, 8.3.2: the first nine bits are not all alike, so a strict agent takes our fixed length.
    assert MIN_REQUEST_ID.to_bytes(4, "big").hex() == "00800000"
    data = CommunityEnvelope(V2C, b"public").seal(request_template(SET, (NAME,)), MIN_REQUEST_ID)
    assert encoder.encode(decoder.decode(data, asn1Spec=p2.Message())[0]) == data


# ---- layouts


def framed(*varbinds: VarBind, request_id: int = 2**24) -> tuple[bytes, int, int]:
    pdu = frame_pdu(RESPONSE, request_id, 0, 0, [encode_varbind(*varbind) for varbind in varbinds])
    return b"**" + pdu + b"*", 2, 2 + len(pdu)


def test_an_answer_like_the_last_one_is_read_by_its_layout() -> None:
    layouts = Layouts()
    request = request_template(GET, (NAME,))
    kinds = [(tag, value) for tag, value, _ in VALUES]
    for turn in range(4):
        answer = framed(*((NAME, tag, value) for tag, value in kinds), request_id=2**24 + turn)
        pdu = layouts.decode(request, *answer)
        assert pdu[:5] == decode_pdu(*answer)[:5]
        assert isinstance(pdu.varbinds, Binds) == (turn >= 2), (
            "learnt the second time, used from the third on"
        )


def test_a_layout_follows_every_value_that_fits_it() -> None:
    rng = random.Random(4)
    layouts = Layouts()
    request = request_template(GET, (NAME,))
    used = 0
    for _ in range(400):
        answer = framed(
            (NAME, INTEGER, rng.choice((-1, 200, 70000, -(2**31)))),
            (NAME, COUNTER64, rng.getrandbits(rng.choice((16, 17, 40, 64)))),
            (NAME, COUNTER32, rng.getrandbits(rng.choice((24, 32)))),
            (NAME, OCTET_STRING, rng.randbytes(3)),
            (NAME, IP_ADDRESS, rng.randbytes(4)),
            (NAME, OID, encode_oid((1, 3, rng.randrange(100)))),
        )
        pdu = layouts.decode(request, *answer)
        used += isinstance(pdu.varbinds, Binds)
        assert pdu[:5] == decode_pdu(*answer)[:5]
    assert used


def test_a_layout_refuses_what_the_codec_refuses() -> None:
    layouts = Layouts()
    request = request_template(GET, (NAME,))
    good = framed((NAME, OID, encode_oid("1.3.6")), (NAME, COUNTER64, 2**64 - 1))
    for _ in range(3):
        pdu = layouts.decode(request, *good)
    assert isinstance(pdu.varbinds, Binds)
    for spoilt in (
        good[0].replace(b"\x06\x02\x2b\x06", b"\x06\x02\x2b\x86"),
        good[0].replace(b"\x46\x09\x00", b"\x46\x09\x01"),
    ):
        assert spoilt != good[0]
        with pytest.raises(SnmpDecodeError):
            layouts.decode(request, spoilt, *good[1:])


def test_layouts_of_a_long_walk_do_not_pile_up() -> None:
    layouts = Layouts()
    for number in range(1000):
        layouts.decode(request_template(GET, (NAME + bytes((number % 128, number // 128)),)), *framed())
    assert len(layouts._known) <= Layouts.MOST_REQUESTS
