"""W3C's trace context in headers: taken where it is valid, and nothing where it is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from stream.codec.trace_context import TraceContext, context_in, context_of

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
VALID = f"00-{TRACE}-{SPAN}-01".encode()
LOWER_HEX = "0123456789abcdef"


def test_a_valid_context_is_taken_as_it_is() -> None:
    context = context_in([("traceparent", VALID), ("tracestate", b"a=1,b=2"), ("other", b"x")])
    assert context == TraceContext(VALID, b"a=1,b=2")
    assert (context.trace_id, context.span_id, context.is_sampled) == (TRACE, SPAN, True)
    assert context.headers == [("traceparent", VALID), ("tracestate", b"a=1,b=2")]
    assert TraceContext(VALID).headers == [("traceparent", VALID)]
    unsampled = context_of(f"00-{TRACE}-{SPAN}-00".encode())
    assert unsampled is not None
    assert not unsampled.is_sampled


def test_a_later_version_is_read_as_far_as_this_one_goes() -> None:
    """As W3C asks for: what it adds stands behind."""
    assert context_of(f"cc-{TRACE}-{SPAN}-01-more".encode()) == TraceContext(VALID)
    assert context_of(f"cc-{TRACE}-{SPAN}-01".encode()) == TraceContext(VALID)


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        b"rubbish",
        b"\xff\xfe",
        VALID[:-1],
        VALID + b"-more",
        VALID + b"\n",
        b" " + VALID,
        VALID.upper(),
        f"ff-{TRACE}-{SPAN}-01".encode(),
        f"cc-{TRACE}-{SPAN}-01more".encode(),
        f"00-{'0' * 32}-{SPAN}-01".encode(),
        f"00-{TRACE}-{'0' * 16}-01".encode(),
        f"00-{TRACE}-{SPAN}-0x".encode(),
    ],
)
def test_what_is_no_context_is_none(wrong: bytes) -> None:
    assert context_of(wrong) is None
    assert context_in([("traceparent", wrong), ("tracestate", b"a=1")]) is None


def test_without_a_parent_there_is_none_and_the_last_of_two_counts() -> None:
    assert context_in([]) is None
    assert context_in([("tracestate", b"a=1")]) is None
    assert context_in([("traceparent", None)]) is None
    assert context_in([("traceparent", b"rubbish"), ("traceparent", VALID)]) == TraceContext(VALID)
    assert context_in([("traceparent", VALID), ("traceparent", None)]) is None


@pytest.mark.parametrize("state", [b"a=" + b"x" * 511, b"a=\xff", b"a=1\n", b""])
def test_a_state_that_is_too_long_or_no_text_is_left_out(state: bytes) -> None:
    assert context_of(VALID, state) == TraceContext(VALID)


@given(
    st.text(LOWER_HEX, min_size=2, max_size=2),
    st.text(LOWER_HEX, min_size=32, max_size=32),
    st.text(LOWER_HEX, min_size=16, max_size=16),
    st.text(LOWER_HEX, min_size=2, max_size=2),
    st.sampled_from(["", "-", "-x"]),
)
def test_it_is_read_as_opentelemetry_reads_it(version: str, trace_id: str, span: str, flags: str, rest: str) -> None:
    text = f"{version}-{trace_id}-{span}-{flags}{rest}"
    theirs = trace.get_current_span(TraceContextTextMapPropagator().extract({"traceparent": text}, Context()))
    found, wanted = context_of(text.encode()), theirs.get_span_context()
    assert (found is not None) == wanted.is_valid
    if found is not None:
        assert (int(found.trace_id, 16), int(found.span_id, 16)) == (wanted.trace_id, wanted.span_id)
        assert found.is_sampled == wanted.trace_flags.sampled


@given(st.lists(st.tuples(st.sampled_from(["traceparent", "tracestate", "x"]), st.none() | st.binary(max_size=60))))
def test_no_headers_whatever_raise(headers: list[tuple[str, bytes | None]]) -> None:
    context_in(headers)
