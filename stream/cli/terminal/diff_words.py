"""What a comparison of two lifecycles says, in words; for the terminal and the page alike.

Everything is taken from the document that `schemas/diff.schema.json` describes, and made fit for a terminal.
"""

from collections.abc import Iterator

from stream.cli.terminal.amounts import amount
from stream.cli.terminal.explanation_words import Json, comparison_words, guard_words, number, value_words, when
from stream.codec.plain import plain

SIDES = ("old", "new")
DIFFERENCES = {
    "elsewhere": "end in another stage",
    "another_way": "end in the same stage, by another way",
    "other_times": "go the same way, at other times",
    "same": "do the same",
}
_SHOWN_STAGES = 8
"""Of a customer's way, so many stages are told."""


def history_words(document: Json) -> str:
    """What both were run on: how many records, from when to when, and what of them did not count."""
    history = document["history"]
    left_out = [
        f"{history[key]:,} {words}"
        for key, words in (
            ("rejected", "could not be read"),
            ("duplicates", "duplicates"),
            ("known", "known from the same file before"),
            ("ahead", "of the future, counted as of now"),
        )
        if history[key]
    ]
    said = amount(history["records"], "record") + (f" ({', '.join(left_out)})" if left_out else "")
    if history["first"] is not None:
        said += f", from {when(history['first'])} to {when(history['last'])}"
    return said if history["until"] is None else f"{said}; then time passes until {when(history['until'])}"


def nothing_moved(document: Json) -> str | None:
    """What to think of where nobody went from stage to stage in either of the two; None: somebody did."""
    ways = [each for side in SIDES for each in document[side]["ways"]]
    if any(each["times"] for each in ways if each["from"] is not None and each["to"] is not None):
        return None
    return (
        "Nobody ever left the first stage, in neither of the two: are the events called otherwise? "
        "`lifecycle simulate` says what did not match."
    )


def stage_title(document: Json, side: str, stage: str | None) -> str:
    """A stage as people call it, `forgotten` where there is none. A stage that the side has not is its name."""
    if stage is None:
        return "forgotten"
    titles = {each["stage"]: each["title"] for each in document[side]["stages"]}
    return plain(titles.get(stage, stage))


def in_old(document: Json, stage: str | None) -> str | None:
    """The name in the old lifecycle of a stage of the new one."""
    back = {new: old for old, new in document["renamed"].items()}
    return None if stage is None else back.get(stage, stage)


def edit_words(edit: Json, document: Json) -> str:
    """One difference between the files."""
    change, part, key = edit["change"], edit["part"], edit["key"]
    old, new = (None if edit[side] is None else plain(edit[side]) for side in SIDES)
    name = plain(edit["name"])
    if part == "file":
        return f"{name}: {old or 'nothing'} → {new or 'nothing'}"
    if change == "moved":
        if part == "stage":
            return f"customers begin in {new}, no longer in {old}"
        title = stage_title(document, "new", edit["name"])
        return f"ways out of {title} are tried in another order: to {old} → to {new}"
    if change == "renamed":
        return f"{part} {old} is called {name}"
    if part == "transition" and change == "changed":
        return f"transition {name}: when {old} → when {new}"
    if change == "changed":
        what = f" {plain(key)}" if key is not None else ""
        return f"{part} {name}:{what} {old or 'nothing'} → {new or 'nothing'}"
    content = (new if change == "added" else old) or ""
    content = f"when {content}" if part == "transition" else "" if content == "{}" else content
    return f"{part} {name} {change}{': ' if content else ''}{content}"


def move_words(move: Json | None, document: Json, side: str) -> str:
    """What one of the two did with a customer when they parted."""
    if move is None:
        return "stays"
    if move["to"] is None:
        return "is forgotten"
    title = stage_title(document, side, move["to"])
    if move["transition"] is None:
        return f"begins in {title}"
    return f"goes to {title}, when {_one_line(move['transition'])}"


def cause_words(parting: Json) -> str:
    """What made them part: an interaction, or time."""
    triggers = [parting[side]["trigger"] for side in SIDES if parting[side] is not None]
    trigger = triggers[0]
    if trigger["kind"] != "interaction":
        return "as time passed"
    return f"upon {plain(trigger['type'])}" if trigger["type"] else "upon an interaction"


def source_words(parting: Json, document: Json) -> str:
    """Where they part."""
    return "at the beginning" if parting["from"] is None else f"in {stage_title(document, 'new', parting['from'])}"


def ending_words(customer: Json, document: Json) -> str:
    """Where a customer ends, and how the two differ on it."""
    told = {side: customer[side]["explanation"] for side in SIDES}
    old, new = (stage_title(document, side, told[side] and told[side]["stage"]) for side in SIDES)
    if customer["difference"] == "elsewhere":
        return f"{old} → {new}"
    return f"{new}, by another way" if customer["difference"] == "another_way" else f"{new}, at other times"


def why_lines(customer: Json, document: Json) -> Iterator[tuple[str, list[str]]]:
    """Why old and new part on a customer: what each does then, and what the one that stays lacks; what differs."""
    parted = customer["parted"]
    for side, other in (SIDES, SIDES[::-1]):
        move = parted[side]
        stays = move is None and parted[other] is not None
        lacked = list(_what_it_lacked(parted, document, side, other)) if stays else []
        yield f"{side}: {move_words(move, document, side)}", lacked
    yield from ((line, []) for line in _what_differs(parted))


def now_words(customer: Json, document: Json, side: str) -> str:
    """Where a customer stands at the end, and since when."""
    told = customer[side]["explanation"]
    if told is None:
        return "forgotten"
    return f"{stage_title(document, side, told['stage'])} since {when(told['entered'])}"


def way_words(customer: Json, document: Json, side: str) -> str:
    """The stages that a customer went through since it parted, beginning where it was then."""
    ways = {each: [stop["stage"] for stop in customer[each]["way"]] for each in SIDES}
    renamed = [document["renamed"].get(stage, stage) for stage in ways["old"]]
    pairs = enumerate(zip(renamed, ways["new"], strict=False))
    shared = next((place for place, (old, new) in pairs if old != new), min(map(len, ways.values())))
    way = [stage_title(document, side, stage) for stage in ways[side][max(0, shared - 1) :]]
    return " → ".join(way[:_SHOWN_STAGES] + (["…"] if len(way) > _SHOWN_STAGES else []))


def who(customer: Json) -> tuple[str, bool]:
    """The id, fit for a terminal, and whether it is that of a visitor who never said who they are."""
    anonymous = "anonymous_id" in customer
    return plain(customer["anonymous_id" if anonymous else "customer_id"]), anonymous


def _what_it_lacked(parted: Json, document: Json, side: str, other: str) -> Iterator[str]:
    """Why the one that stays did not go where the other went."""
    told, target = parted[f"{side}_explanation"], parted[other]["to"]
    if told is None or target is None:
        return
    name = in_old(document, target) if side == "old" else document["renamed"].get(target, target)
    ways = [each for each in told["transitions"] if each["to"] == name]
    if not ways:
        known = any(each["stage"] == name for each in document[side]["stages"])
        title = stage_title(document, other, target)
        yield f"there is no way from {plain(told['stage_title'])} to {title}" if known else f"there is no stage {title}"
    for way in ways:
        yield from (comparison_words(each) for each in _decisive(way["condition"]))
        yield from (guard_words(each) for each in way["guards"] if not each["holds"])


def _decisive(part: Json) -> Iterator[Json]:
    if not part["decisive"]:
        return
    if part["kind"] == "comparison":
        yield part
    else:
        for each in part["parts"]:
            yield from _decisive(each)


def _what_differs(parted: Json) -> Iterator[str]:
    """Scores and facts of the same name that were not the same at that moment."""
    old, new = (parted[f"{side}_explanation"] for side in SIDES)
    if old is None or new is None:
        return
    for name, value in old["scores"].items():
        other = new["scores"].get(name)
        if other is not None and number(value) != number(other):
            yield f"{plain(name)} was {number(value)} in old, {number(other)} in new"
    for name, value in old["facts"].items():
        unit = "time" if name in old["times"] else None
        other = new["facts"].get(name)
        if other is not None and other != value:
            yield f"{plain(name)} was {value_words(value, unit)} in old, {value_words(other, unit)} in new"


def _one_line(text: str) -> str:
    return " ".join(plain(text).split())
