"""Names of one thing in two spellings, such as `order_completed`, or two wordings, such as `Email Link Clicked`."""

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import SequenceMatcher, get_close_matches
from typing import Final

_BETWEEN: Final = re.compile(r"[\s_.:/-]+")
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_LIKE: Final = 0.8
"""How much of a name must be the same, from 0 to 1, for another to have been meant."""
_SHORTEST: Final = 4
"""Letters of a part of a word that say something: `mail` of `email`."""
_MOST: Final = 200
"""Names on each side of which the words are compared."""


def nearest_spelling(name: str, known: Iterable[str]) -> str | None:
    """The known name that is the same but for a few letters, case and what separates its words."""
    by_letters = {_letters(each): each for each in known}
    found = get_close_matches(_letters(name), by_letters, 1, _LIKE)
    return by_letters[found[0]] if found else None


def meant(names: Sequence[str], known: Iterable[str]) -> Mapping[str, str]:
    """By name the known one that was probably meant, by its letters, else by its words: each known one then once."""
    left = sorted(known)
    found = {name: near for name in names if (near := nearest_spelling(name, left))}
    ranked = sorted(
        (
            (-SequenceMatcher(None, _letters(name), _letters(each)).ratio(), place, name, each)
            for place, name in enumerate(names[:_MOST])
            if name not in found
            for each in left[:_MOST]
            if each not in found.values() and share_words(name, each)
        )
    )
    taken: set[str] = set()
    for _likeness, _place, name, each in ranked:
        if name not in found and each not in taken:
            found[name] = each
            taken.add(each)
    return found


def share_words(one: str, two: str) -> bool:
    """Whether the shorter name, of at least two words, has a like of each of its words in the other, in their order.

    The other may have one word more; else it says something else.
    """
    few, many = sorted((_words(one), _words(two)), key=len)
    if len(few) < 2 or len(many) > len(few) + 1:
        return False
    rest = iter(many)
    return all(any(_alike(word, other) for other in rest) for word in few)


def _alike(one: str, two: str) -> bool:
    short, long = sorted((one, two), key=len)
    if short == long:
        return True
    return len(short) >= _SHORTEST and len(long) - len(short) <= 2 and (long.startswith(short) or long.endswith(short))


def _words(name: str) -> list[str]:
    return [word.casefold() for part in _BETWEEN.split(name) for word in _HUMP.split(part) if word]


def _letters(name: str) -> str:
    """What two spellings of one name share."""
    return _BETWEEN.sub("", name).casefold()
