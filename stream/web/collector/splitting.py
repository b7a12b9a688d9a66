"""Find the items of a body, each as its own bytes, so that one that cannot be read costs none of its neighbours.

The strict reader is fast. Where it refuses the body (`NaN`, a lone surrogate, nested too deep), a lenient one looks for
brackets, commas and texts alone: that finds the same items, and what each holds is judged by itself later.
"""

import re
from typing import Final, NamedTuple

import msgspec
import orjson

from stream.web.collector.answers import Refused

Raw = msgspec.Raw
Members = dict[str, msgspec.Raw]
"""What stands in an object, by key; of a key that stands twice, the last."""

_BOM: Final = b"\xef\xbb\xbf"
_OBJECT: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LIST: Final = msgspec.json.Decoder(list[msgspec.Raw])


class _Batch(msgspec.Struct):
    """What is looked at of a batch, read at once."""

    batch: list[msgspec.Raw] | msgspec.UnsetType = msgspec.UNSET
    sentAt: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET  # noqa: N815 - as SDKs send it
    context: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    writeKey: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET  # noqa: N815


_BATCH: Final = msgspec.json.Decoder(_Batch)
_STRICT_ERRORS: Final = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)
# A text that is never closed goes on to the end, so that each byte is looked at once.
_TOKEN: Final = re.compile(rb'"(?:[^"\\]+|\\.)*+"?|[{}\[\],:]', re.DOTALL)
_QUOTE, _COMMA, _OPENING, _CLOSING = ord('"'), ord(","), b"{[", b"}]"
NULL: Final = b"null"


class Calls(NamedTuple):
    """What a request to a path of Segment's holds."""

    items: list[bytes]
    batch: Members
    """What stands beside the items of a batch and is asked for; nothing where the body is one call."""
    single: Members | None = None
    """What stands in the one call."""


def split_calls(body: bytes) -> Calls:
    """One call, a batch of them, or a list. Raises Refused, 400, where it is none of these."""
    body = body.removeprefix(_BOM)
    start = body.lstrip()[:1]
    if start == b"[":
        return Calls(_elements_or_refuse(body), {})
    if start != b"{":
        raise _unreadable("it is a JSON object")
    try:
        found = _BATCH.decode(body)
    except _STRICT_ERRORS:
        pass
    else:
        if not isinstance(found.batch, msgspec.UnsetType):
            return Calls([bytes(each) for each in found.batch], _beside(found))
    members = members_of(body)
    if members is None:
        raise _unreadable("it is a JSON object, which this is not, or not whole")
    batch = members.pop("batch", None)
    if batch is None:
        return Calls([body.strip()], {}, members)
    items = elements_of(bytes(batch))
    if items is None:
        raise _unreadable("its `batch` is a list")
    return Calls(items, members)


def _beside(found: _Batch) -> Members:
    beside = {"sentAt": found.sentAt, "context": found.context, "writeKey": found.writeKey}
    return {key: value for key, value in beside.items() if not isinstance(value, msgspec.UnsetType)}


def split_interactions(body: bytes) -> list[bytes]:
    """The items of one object, of a list, or of lines with an object each. Raises Refused, 400, for anything else."""
    body = body.removeprefix(_BOM).strip()
    if body[:1] == b"[":
        return _elements_or_refuse(body)
    if body[:1] != b"{":
        raise _unreadable("it is a JSON object, a list of them, or one in each line")
    if body[-1:] == b"}" and (b"\n" not in body or is_one_object(body)):
        return [body]
    lines = [line for each in body.split(b"\n") if (line := each.strip())]
    if not any(line[:1] == b"{" and line[-1:] == b"}" for line in lines):
        raise _unreadable("it is a JSON object, a list of them, or one in each line, and whole")
    return lines


def is_one_object(body: bytes) -> bool:
    """Whether the body is an object, and nothing stands behind it."""
    try:
        _OBJECT.decode(body)
    except _STRICT_ERRORS:
        return _parts_of(body, b"{") is not None
    return True


def members_of(item: bytes) -> Members | None:
    """What stands in an object; None where its bytes are none, or one that cannot be taken apart."""
    try:
        return _OBJECT.decode(item)
    except _STRICT_ERRORS:
        return _members_leniently(item)


def elements_of(value: bytes) -> list[bytes] | None:
    """The items of a list; None where it is none."""
    try:
        return [bytes(each) for each in _LIST.decode(value)]
    except _STRICT_ERRORS:
        parts = _parts_of(value, b"[")
        return None if parts is None else [value[begin:end].strip() for begin, _colon, end in parts]


def _elements_or_refuse(body: bytes) -> list[bytes]:
    found = elements_of(body)
    if found is None:
        raise _unreadable("it begins as a list and does not end as one")
    return found


def _members_leniently(item: bytes) -> Members | None:
    parts = _parts_of(item, b"{")
    if parts is None:
        return None
    members: Members = {}
    for begin, colon, end in parts:
        if colon < 0:
            return None
        try:
            key = orjson.loads(item[begin:colon])
        except orjson.JSONDecodeError:
            return None
        value = item[colon + 1 : end].strip()
        if not isinstance(key, str) or not value:
            return None
        members[key] = Raw(value)
    return members


def _parts_of(data: bytes, opening: bytes) -> list[tuple[int, int, int]] | None:
    """What commas separate in an object or list: where each part begins, has its first colon (or -1) and ends.

    None where the bytes do not begin with `opening`, are not closed, or go on behind that.
    """
    start = len(data) - len(data.lstrip())
    if data[start : start + 1] != opening:
        return None
    parts: list[tuple[int, int, int]] = []
    depth, begin, colon = 0, start + 1, -1
    for found in _TOKEN.finditer(data, start):
        sign = data[found.start()]
        if sign == _QUOTE:
            continue
        if sign in _OPENING:
            depth += 1
        elif sign in _CLOSING:
            depth -= 1
            if depth == 0:
                parts.append((begin, colon, found.start()))
                if data[found.end() :].strip():
                    return None
                return [part for part in parts if data[part[0] : part[2]].strip()]
        elif depth == 1:
            if sign == _COMMA:
                parts.append((begin, colon, found.start()))
                begin, colon = found.end(), -1
            elif colon < 0:
                colon = found.start()
    return None


def _unreadable(wanted: str) -> Refused:
    return Refused(400, "unreadable", f"the body cannot be read: {wanted}")
