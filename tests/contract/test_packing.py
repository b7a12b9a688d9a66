"""MessagePack as we write it: what msgspec writes of the same values, byte for byte."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from librt.strings import BytesWriter

from stream.codec.state.packing import (
    pack_array,
    pack_bytes,
    pack_count,
    pack_float,
    pack_int,
    pack_large,
    pack_scalar,
    pack_text,
)

EDGES = [
    sign * (1 << bits) + near for bits in (0, 5, 7, 8, 15, 16, 31, 32, 62) for near in (-1, 0, 1) for sign in (1, -1)
]
whole = st.integers(-(2**63), 2**63 - 1) | st.sampled_from([*EDGES, -(2**63), 2**63 - 1])
texts = st.text(st.characters(exclude_categories=["Cs"]))


@given(number=whole)
def test_whole_numbers_take_the_fewest_bytes(number: int) -> None:
    """At every border between two lengths."""
    out = BytesWriter()
    pack_int(out, number)
    pack_large(out, number)
    pack_scalar(out, number)
    assert out.getvalue() == 3 * msgspec.msgpack.encode(number)


@given(number=st.integers(2**63) | st.integers(max_value=-(2**63) - 1))
def test_a_number_beyond_64_bits_is_its_text(number: int) -> None:
    """However large."""
    out = BytesWriter()
    pack_large(out, number)
    assert out.getvalue() == msgspec.msgpack.encode(str(number))


@given(number=whole)
def test_a_count_beyond_64_bits_which_wraps_to_a_negative_number_is_refused(number: int) -> None:
    """So that it is never written."""
    out = BytesWriter()
    if number < 0:
        with pytest.raises(OverflowError):
            pack_count(out, number)
        assert out.getvalue() == b""
    else:
        pack_count(out, number)
        assert out.getvalue() == msgspec.msgpack.encode(number)


@given(number=st.floats(), text=texts, flag=st.booleans())
def test_scalars(number: float, text: str, flag: bool) -> None:
    """NaN and the infinities too."""
    out = BytesWriter()
    pack_float(out, number)
    pack_text(out, text)
    for value in (number, text, flag):
        pack_scalar(out, value)
    expected = [number, text, number, text, flag]
    assert out.getvalue() == b"".join(map(msgspec.msgpack.encode, expected))


@pytest.mark.parametrize("length", [0, 1, 15, 16, 31, 32, 255, 256, 65_535, 65_536, 70_001])
def test_lengths(length: int) -> None:
    """Of texts, bytes and lists, on both sides of every border."""
    out = BytesWriter()
    pack_text(out, "x" * length)
    pack_bytes(out, b"x" * length)
    pack_array(out, length)
    out.write(b"\x00" * length)
    expected = ["x" * length, b"x" * length, [0] * length]
    assert out.getvalue() == b"".join(map(msgspec.msgpack.encode, expected))
