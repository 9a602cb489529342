"""Views that are decoded when somebody looks: the last told counts, the order is that of arrival."""

from __future__ import annotations

import pytest

from ayni_core.onlooking.late import Late
from ayni_core.wire.errors import WireError


def decode(payload: bytes) -> int:
    if not payload.isdigit():
        raise WireError("no number")
    decoded.append(payload)
    return int(payload)


decoded: list[bytes] = []


@pytest.fixture
def late() -> Late[int]:
    decoded.clear()
    found = Late(decode)
    for name, payload in (("b", b"1"), ("a", b"2"), ("bad", b"x"), ("c", b"3"), ("b", b"4")):
        found.put(name, payload)
    return found


def test_nothing_is_decoded_before_it_is_looked_at_and_what_was_told_anew_never(late: Late[int]) -> None:
    assert late.names() == {"a", "b", "bad", "c"}
    assert decoded == []
    assert late["c"] == 3
    assert decoded == [b"3"]
    assert dict(late) == {"b": 4, "a": 2, "c": 3}
    assert sorted(decoded) == [b"2", b"3", b"4"]


def test_the_order_is_that_of_arrival_whatever_was_looked_at_first(late: Late[int]) -> None:
    assert late["a"] == 2
    assert list(late) == ["b", "a", "c"]
    late.put("b", b"5")
    assert list(late.items()) == [("b", 5), ("a", 2), ("c", 3)]


def test_what_cannot_be_read_is_counted_and_what_was_read_before_stays(late: Late[int]) -> None:
    assert "bad" not in late
    late.put("c", b"nothing")
    assert "c" not in late, "the good one before was never looked at"
    late.put("a", b"7")
    assert late["a"] == 7
    late.put("a", b"nothing")
    assert (late["a"], late.refused) == (7, 3)


def test_what_is_taken_away_is_gone_read_or_not(late: Late[int]) -> None:
    assert late["a"] == 2
    for name in ("a", "c", "bad"):
        del late[name]
    assert list(late) == ["b"]
    with pytest.raises(KeyError):
        del late["a"]
