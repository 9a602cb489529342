"""A view of objects answers as a good agent does, and recordings become views. Peers: net-snmp, pysnmp."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable

import pytest
from parts import UdpAgent, need

from ayni_core.ber import BerError, decode_oid, encode_oid, oid_text
from ayni_core.mibview import MibView
from ayni_core.snmp import (
    COUNTER64,
    END_OF_MIB_VIEW,
    GAUGE32,
    GET,
    GET_BULK,
    GET_NEXT,
    INTEGER,
    IP_ADDRESS,
    NO_SUCH_INSTANCE,
    NO_SUCH_NAME,
    NO_SUCH_OBJECT,
    NOT_WRITABLE,
    NULL,
    OCTET_STRING,
    OID,
    OPAQUE,
    SET,
    TIME_TICKS,
    TOO_BIG,
    V1,
    V2C,
    CommunityEnvelope,
    Pdu,
    SnmpDecodeError,
    VarBind,
    decode_request,
    decode_response,
    frame_message,
    frame_pdu,
    request_template,
)
from ayni_core.snmprec import SnmprecError, parse_snmprec

RECORDING = """\
1.3.6.1.2.1.1.1.0|4|Linux | with bars
1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.8072.3.2.10
1.3.6.1.2.1.1.3.0|67|172800
1.3.6.1.2.1.2.2.1.6.1|4x|64d154f2a416
1.3.6.1.2.1.2.2.1.6.2|4x|
1.3.6.1.2.1.2.2.1.10.1|65|4294967295
1.3.6.1.2.1.2.2.1.10.2|65|7
1.3.6.1.2.1.4.20.1.1.10.0.0.1|64|10.0.0.1
1.3.6.1.2.1.4.20.1.1.10.0.0.2|64x|0a000002
1.3.6.1.2.1.25.1.7.0|5|
1.3.6.1.2.1.31.1.1.1.6.1|70|1000000000000
1.3.6.1.2.1.31.1.1.1.6.2|70|5
1.3.6.1.2.1.31.1.1.1.15.1|66|1000
1.3.6.1.4.1.2021.10.1.6.1|68x|9f780442280000
1.3.6.1.4.1.41112.1.4.5.1.5.1|2|-61
"""

IN = encode_oid("1.3.6.1.2.1.2.2.1.10")
HC_IN = encode_oid("1.3.6.1.2.1.31.1.1.1.6")
DESCR = encode_oid("1.3.6.1.2.1.1.1.0")
LAST = encode_oid("1.3.6.1.4.1.41112.1.4.5.1.5.1")
ABSENT = encode_oid("1.3.6.1.3.9.1.0")


@pytest.fixture
def view() -> MibView:
    return MibView(parse_snmprec(RECORDING))


def ask(
    view: MibView,
    kind: int,
    *oids: bytes,
    version: int = V2C,
    bulk: tuple[int, int] = (0, 0),
    size: int = 65507,
) -> Pdu:
    request = CommunityEnvelope(version, b"public").seal(request_template(kind, oids, *bulk), 2**24)
    answer = view.answer(decode_request(request), size)
    assert answer is not None
    assert len(answer) <= size
    return decode_response(answer)


def texts(varbinds: Iterable[VarBind]) -> list[str]:
    return [oid_text(name) for name, _, _ in varbinds]


# ---- recordings


def test_a_recording_becomes_objects() -> None:
    objects = parse_snmprec(RECORDING)
    by_text = {oid_text(oid): value for oid, value in objects.items()}
    assert by_text["1.3.6.1.2.1.1.1.0"] == (OCTET_STRING, b"Linux | with bars")
    assert by_text["1.3.6.1.2.1.1.2.0"] == (OID, encode_oid("1.3.6.1.4.1.8072.3.2.10"))
    assert by_text["1.3.6.1.2.1.1.3.0"] == (TIME_TICKS, 172800)
    assert by_text["1.3.6.1.2.1.2.2.1.6.1"] == (OCTET_STRING, bytes.fromhex("64d154f2a416"))
    assert by_text["1.3.6.1.2.1.2.2.1.6.2"] == (OCTET_STRING, b"")
    assert by_text["1.3.6.1.2.1.4.20.1.1.10.0.0.1"] == (IP_ADDRESS, bytes((10, 0, 0, 1)))
    assert by_text["1.3.6.1.2.1.4.20.1.1.10.0.0.2"] == (IP_ADDRESS, bytes((10, 0, 0, 2)))
    assert by_text["1.3.6.1.2.1.25.1.7.0"] == (NULL, None)
    assert by_text["1.3.6.1.4.1.2021.10.1.6.1"] == (OPAQUE, bytes.fromhex("9f780442280000"))
    assert by_text["1.3.6.1.4.1.41112.1.4.5.1.5.1"] == (INTEGER, -61)


def test_of_a_doubled_line_the_last_counts_and_dos_line_ends_are_fine() -> None:
    assert parse_snmprec("1.3.6|2|1\r\n\r\n1.3.6|2|2\r\n") == {encode_oid("1.3.6"): (INTEGER, 2)}


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("1.3.6.1", "OID|type|value expected"),
        ("1.3.6|2", "OID|type|value expected"),
        ("1.3.x|2|1", "not an OID"),
        ("1.3.6|2|one", "one"),
        ("1.3.6|2|4294967296", "number from"),
        ("1.3.6|65|-1", "number from"),
        ("1.3.6|64|10.0.0", "4 octets"),
        ("1.3.6|64|10.0.0.256", "256"),
        ("1.3.6|4x|abc", "hex"),
        ("1.3.6|2x|0a", "no hexadecimal form"),
        ("1.3.6|2:numeric|rate=1", "unknown type"),
        ("1.3.6|99|1", "no SNMP type"),
    ],
)
def test_a_bad_line_is_named(line: str, cause: str) -> None:
    with pytest.raises(SnmprecError, match=r"^line 2: ") as failure:
        parse_snmprec("1.3.6.1|2|1\n" + line)
    assert cause in str(failure.value)


# ---- the view


def test_objects_are_in_oid_order_not_in_octet_order() -> None:
    view = MibView({(1, 3, arc): (INTEGER, 1) for arc in (16384, 5, 16383, 128, 127)})
    assert texts(view) == ["1.3.5", "1.3.127", "1.3.128", "1.3.16383", "1.3.16384"]


def test_get_and_next(view: MibView) -> None:
    assert view.get(IN + b"\x02") == (IN + b"\x02", 0x41, 7)
    assert view.get(IN) is None
    assert view.next(IN) == (IN + b"\x01", 0x41, 4294967295)
    assert view.next(LAST) is None
    assert len(view) == 15
    assert LAST in view


def test_next_agrees_with_a_plain_search() -> None:
    rng = random.Random(5)
    arcs = [1, 2, 127, 128, 16383, 16384]
    objects = {(1, 3, *rng.choices(arcs, k=rng.randrange(1, 5))): (INTEGER, 1) for _ in range(150)}
    view = MibView(objects)
    for _ in range(300):
        asked = (1, 3, *rng.choices(arcs, k=rng.randrange(0, 5)))
        found = view.next(encode_oid(asked))
        expected = min((oid for oid in objects if oid > asked), default=None)
        assert (decode_oid(found[0]) if found else None) == expected


def test_values_change_in_place_and_answers_follow(view: MibView) -> None:
    assert ask(view, GET, LAST).varbinds == [(LAST, INTEGER, -61)]
    view.set(LAST, -70)
    assert ask(view, GET, LAST).varbinds == [(LAST, INTEGER, -70)]
    with pytest.raises(BerError):
        view.set(LAST, 2**31)
    with pytest.raises(KeyError):
        view.set(ABSENT, 1)
    assert ask(view, GET, LAST).varbinds == [(LAST, INTEGER, -70)]


def test_objects_come_and_go(view: MibView) -> None:
    view.put(IN + b"\x03", GAUGE32, 9)
    assert view.next(IN + b"\x02") == (IN + b"\x03", GAUGE32, 9)
    view.put(IN + b"\x03", COUNTER64, 10)
    assert ask(view, GET, IN + b"\x03").varbinds == [(IN + b"\x03", COUNTER64, 10)]
    view.remove(IN + b"\x03")
    assert texts(ask(view, GET_NEXT, IN + b"\x02").varbinds) == ["1.3.6.1.2.1.4.20.1.1.10.0.0.1"]


def test_what_cannot_be_sent_does_not_get_in() -> None:
    with pytest.raises(BerError):
        MibView({(1, 3, 6): (INTEGER, 2**40)})


# ---- answers


def test_v2c_says_what_is_missing_by_exceptions(view: MibView) -> None:
    beside = IN + b"\x09"
    assert ask(view, GET, DESCR, beside, ABSENT) == (
        0xA2,
        2**24,
        0,
        0,
        [
            (DESCR, OCTET_STRING, b"Linux | with bars"),
            (beside, NO_SUCH_INSTANCE, None),
            (ABSENT, NO_SUCH_OBJECT, None),
        ],
    )
    assert ask(view, GET_NEXT, LAST).varbinds == [(LAST, END_OF_MIB_VIEW, None)]


def test_v1_fails_the_whole_pdu_and_names_the_object(view: MibView) -> None:
    answer = ask(view, GET, DESCR, ABSENT, IN, version=V1)
    assert (answer.error_status, answer.error_index) == (NO_SUCH_NAME, 2)
    assert answer.varbinds == [(DESCR, NULL, None), (ABSENT, NULL, None), (IN, NULL, None)]
    answer = ask(view, GET_NEXT, IN, LAST, version=V1)
    assert (answer.error_status, answer.error_index) == (NO_SUCH_NAME, 2)


def test_v1_never_sees_a_counter64(view: MibView) -> None:
    assert ask(view, GET, HC_IN + b"\x01", version=V1).error_status == NO_SUCH_NAME
    assert texts(ask(view, GET_NEXT, HC_IN, version=V1).varbinds) == ["1.3.6.1.2.1.31.1.1.1.15.1"]


def test_nothing_can_be_written(view: MibView) -> None:
    for version, status in ((V1, NO_SUCH_NAME), (V2C, NOT_WRITABLE)):
        answer = ask(view, SET, DESCR, version=version)
        assert (answer.error_status, answer.error_index) == (status, 1)


def test_bulk_takes_non_repeaters_once_and_columns_in_turn(view: MibView) -> None:
    answer = ask(view, GET_BULK, encode_oid("1.3.6.1.2.1.1.2"), IN, HC_IN, bulk=(1, 2))
    assert texts(answer.varbinds) == [
        "1.3.6.1.2.1.1.2.0",
        "1.3.6.1.2.1.2.2.1.10.1",
        "1.3.6.1.2.1.31.1.1.1.6.1",
        "1.3.6.1.2.1.2.2.1.10.2",
        "1.3.6.1.2.1.31.1.1.1.6.2",
    ]


def test_bulk_ends_when_every_column_has_ended(view: MibView) -> None:
    answer = ask(view, GET_BULK, LAST, LAST, bulk=(0, 2**31 - 1))
    assert answer.varbinds == [(LAST, END_OF_MIB_VIEW, None)] * 2
    assert not ask(view, GET_BULK, LAST, bulk=(-5, -5)).varbinds
    assert len(ask(view, GET_BULK, LAST, IN, bulk=(9, 9)).varbinds) == 2, "more non-repeaters than names"


def test_a_message_never_exceeds_what_the_asker_takes(view: MibView) -> None:
    whole = ask(view, GET_BULK, IN, HC_IN, bulk=(0, 10))
    for size in range(80, 400, 7):
        answer = ask(view, GET_BULK, IN, HC_IN, bulk=(0, 10), size=size)
        assert answer.error_status == (0 if answer.varbinds else TOO_BIG)
        assert answer.varbinds == whole.varbinds[: len(answer.varbinds)]
    answer = ask(view, GET, *([DESCR] * 10), size=300)
    assert answer[2:5] == (TOO_BIG, 0, [])
    answer = ask(view, GET, *([DESCR] * 10), size=300, version=V1)
    assert answer[2:5] == (TOO_BIG, 0, [(DESCR, NULL, None)] * 10)


def test_what_is_no_request_gets_no_answer(view: MibView) -> None:
    with pytest.raises(SnmpDecodeError):
        decode_request(frame_message(V2C, b"public", frame_pdu(0xA7, 1, 0, 0, [])))


# ---- read by others


def serve(view: MibView, data: bytes) -> list[bytes]:
    try:
        request = decode_request(data)
    except SnmpDecodeError:
        return []
    answer = view.answer(request, 1472) if request.community == b"public" else None
    return [] if answer is None else [answer]


@pytest.mark.real("snmp")
@pytest.mark.parametrize("version", ["1", "2c"])
def test_net_snmp_walks_the_view(view: MibView, version: str) -> None:
    program = need("snmpbulkwalk" if version == "2c" else "snmpwalk")

    async def walk() -> str:
        async with UdpAgent.serving(lambda data: serve(view, data)) as agent:
            options = f"-v{version} -c public -On -Oe -t 2 127.0.0.1:{agent.port} 1.3.6.1".split()
            process = await asyncio.create_subprocess_exec(program, *options, stdout=asyncio.subprocess.PIPE)
            output, _ = await process.communicate()
            return output.decode()

    lines = [line for line in asyncio.run(walk()).splitlines() if "No more variables" not in line]
    expected = [object_ for object_ in view if version == "2c" or object_[1] != COUNTER64]
    by_oid = dict(line.split(" = ", 1) for line in lines if line.startswith("."))
    assert [name.lstrip(".") for name in by_oid] == texts(expected)
    assert by_oid[".1.3.6.1.4.1.41112.1.4.5.1.5.1"] == "INTEGER: -61"
    assert by_oid[".1.3.6.1.2.1.2.2.1.10.1"] == "Counter32: 4294967295"
    assert by_oid[".1.3.6.1.2.1.4.20.1.1.10.0.0.2"] == "IpAddress: 10.0.0.2"
    assert by_oid[".1.3.6.1.4.1.2021.10.1.6.1"] == "Opaque: Float: 42.000000"
    if version == "2c":
        assert by_oid[".1.3.6.1.2.1.31.1.1.1.6.1"] == "Counter64: 1000000000000"


def test_pysnmp_walks_the_view(view: MibView) -> None:
    from pysnmp.hlapi.v1arch import asyncio as hlapi

    async def walk() -> list[str]:
        found: list[str] = []
        async with UdpAgent.serving(lambda data: serve(view, data)) as agent:
            target = await hlapi.UdpTransportTarget.create(("127.0.0.1", agent.port), timeout=2, retries=0)
            async with asyncio.timeout(10):
                async for failed, status, _, varbinds in hlapi.bulk_walk_cmd(
                    hlapi.SnmpDispatcher(),
                    hlapi.CommunityData("public", mpModel=1),
                    target,
                    0,
                    6,
                    hlapi.ObjectType(hlapi.ObjectIdentity("1.3.6.1")),
                    lookupMib=False,
                ):
                    assert not failed
                    assert not status
                    found += [str(name) for name, _ in varbinds]
        return found

    assert asyncio.run(walk()) == texts(view)
