"""Bodies are unpacked as they come, to a bound; what is truncated, damaged or followed by something else is refused."""

import gzip
import zlib
from contextlib import suppress

import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from stream.web.collector.answers import Refused
from stream.web.collector.unpacking import unpacker_for

LIMIT = 100_000
BODY = b'{"batch":[' + b'{"type":"page","userId":"42"},' * 900 + b"5]}"


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


PACKERS = {"gzip": gzip.compress, "x-gzip": gzip.compress, "deflate": zlib.compress, "zstd": zstd.compress}
ALL = [*PACKERS.items(), ("deflate", raw_deflate)]
WAYS = pytest.mark.parametrize(("encoding", "pack"), ALL, ids=[*PACKERS, "raw deflate"])


def unpacked(encoding: str, packed: bytes, step: int = 1_000, limit: int = LIMIT) -> bytes:
    unpacker = unpacker_for(encoding, limit)
    assert unpacker is not None
    out = [part for at in range(0, len(packed), step) for part in unpacker.feed(packed[at : at + step])]
    unpacker.end()
    return b"".join(out)


def refused(encoding: str, packed: bytes, step: int = 1_000) -> int:
    with pytest.raises(Refused) as raised:
        unpacked(encoding, packed, step)
    return raised.value.status


@WAYS
@pytest.mark.parametrize("step", [1, 7, 1 << 20])
def test_a_body_is_what_it_was_before_however_it_comes(encoding: str, pack, step: int) -> None:
    assert unpacked(encoding, pack(BODY), step) == BODY
    assert unpacked(encoding.upper() + " ", pack(BODY), step) == BODY
    assert unpacked(encoding, pack(b""), step) == b""


@WAYS
def test_a_body_whose_end_is_missing_is_refused_wherever_it_ends(encoding: str, pack) -> None:
    packed = pack(BODY)
    assert {refused(encoding, packed[:length]) for length in range(len(packed))} == {400}


@WAYS
def test_a_damaged_body_is_refused(encoding: str, pack) -> None:
    packed = pack(BODY)
    half = len(packed) // 2
    assert refused(encoding, packed[:half] + b"\xff" * half) == 400


@WAYS
def test_what_stands_behind_the_end_is_refused(encoding: str, pack) -> None:
    for step in (1, 1 << 20):
        assert refused(encoding, pack(BODY) + b"more", step) == 400


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_one_of_several_parts_is_all_of_them(encoding: str) -> None:
    pack = PACKERS[encoding]
    for step in (1, 13, 1 << 20):
        assert unpacked(encoding, pack(b"one ") + pack(b"") + pack(b"two"), step) == b"one two"


@WAYS
def test_a_bomb_is_refused_before_it_is_unpacked(encoding: str, pack) -> None:
    """100 MB of zeros: what is unpacked of it stays near the limit."""
    unpacker, seen = unpacker_for(encoding, LIMIT), 0
    assert unpacker is not None
    packed = pack(bytes(100 << 20))
    with pytest.raises(Refused) as raised:
        for at in range(0, len(packed), 1_000):
            seen += sum(map(len, unpacker.feed(packed[at : at + 1_000])))
    assert raised.value.status == 413
    assert seen <= LIMIT


@WAYS
def test_a_body_of_exactly_the_limit_is_taken_and_one_byte_more_is_not(encoding: str, pack) -> None:
    assert len(unpacked(encoding, pack(bytes(LIMIT)))) == LIMIT
    assert refused(encoding, pack(bytes(LIMIT + 1))) == 413


def test_a_sender_cannot_ask_for_much_memory() -> None:
    """A window of zstd is memory that is held for as long as it takes to unpack."""
    packer = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: 26})
    assert refused("zstd", packer.compress(BODY) + packer.flush()) == 400


@pytest.mark.parametrize("encoding", ["", "identity", " Identity "])
def test_what_is_not_packed_is_not_unpacked(encoding: str) -> None:
    assert unpacker_for(encoding, LIMIT) is None


@pytest.mark.parametrize("encoding", ["br", "compress", "gzip, gzip", "gzip, identity", "*"])
def test_an_encoding_that_nobody_knows_is_refused_with_those_that_are_known(encoding: str) -> None:
    with pytest.raises(Refused, match="unknown_encoding") as raised:
        unpacker_for(encoding, LIMIT)
    assert raised.value.status == 415
    assert "gzip, deflate, zstd" in raised.value.message


@given(st.binary(max_size=200), st.sampled_from([each for each, _pack in ALL]), st.integers(1, 50))
def test_any_bytes_are_unpacked_or_refused(packed: bytes, encoding: str, step: int) -> None:
    with suppress(Refused):
        assert len(unpacked(encoding, packed, step)) <= LIMIT
