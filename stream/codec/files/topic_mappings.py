"""The setting `map`: one mapping for all topics of interactions, or one for each."""

import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple, Self

from stream.codec.files.column_mapping import ColumnMapping
from stream.errors import InputFileError

_FOR: Final = re.compile(r"\s*([A-Za-z0-9._-]+)\s*:")
_PIECE: Final = re.compile(r"""[^;'"]+|'[^']*'|"[^"]*"|['"]""")
"""What stands between the semicolons that separate; in quotes they are part of a name or a constant."""


class TopicMappings(NamedTuple):
    """How interactions of another shape are read."""

    others: ColumnMapping | None
    """Of topics that have no mapping of their own."""
    by_topic: Mapping[str, ColumnMapping]
    """By topic, without prefix."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `customer_id=user.id, type=event` or `crm: customer_id=contact; web: type=name`.

        Raises InputFileError.
        """
        others: ColumnMapping | None = None
        by_topic: dict[str, ColumnMapping] = {}
        for part in _parts(text):
            topic = _FOR.match(part)
            mapping = ColumnMapping.parse([part if topic is None else part[topic.end() :]], complete=False)
            if topic is None and others is None:
                others = mapping
            elif topic is not None and topic[1] not in by_topic:
                by_topic[topic[1]] = mapping
            else:
                which = "for no topic in particular" if topic is None else f"for the topic {topic[1]}"
                raise InputFileError(f"there are two {which}; put a comma, not a semicolon, between the pairs of one")
        return cls(others, by_topic)

    @property
    def text(self) -> str:
        """As a person writes it, the same for all that mean the same."""
        parts = [] if self.others is None else [self.others.text]
        parts += [f"{topic}: {mapping.text}" for topic, mapping in sorted(self.by_topic.items())]
        return "; ".join(parts)


NO_MAPPINGS: Final = TopicMappings(None, {})


def _parts(text: str) -> Iterator[str]:
    part = ""
    position = 0
    while position < len(text):
        piece = _PIECE.match(text, position)
        if piece is None:
            yield part
            part = ""
            position += 1
        else:
            part += piece[0]
            position = piece.end()
    if part.strip() or not text.strip():
        yield part
