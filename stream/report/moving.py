"""How customers move between the stages: who is where, who came and went, where they stay, get stuck and are lost."""

from collections.abc import Iterator
from typing import Final, NamedTuple

import polars as pl

from stream.report.local_calendar import Period
from stream.report.material import Material
from stream.report.tables import Bars, Cell, Flow, Section, Table, change, count, ratio, share, span

_NEW: Final = "new"
_GONE: Final = "forgotten"


class StageCounts(NamedTuple):
    """One stage in one period."""

    start: int
    """Customers in it when the period began."""
    entered: int
    left: int
    end: int


def stage_counts(material: Material, period: Period) -> dict[str, StageCounts]:
    """By stage. Customers who entered twice count twice as entered and left, once at the end."""
    changes = material.changes
    assert changes is not None
    first, end = material.calendar.start(period.first), material.calendar.start(period.end)
    before = _balance(changes.filter(pl.col("at") < first))
    inside = changes.filter((pl.col("at") >= first) & (pl.col("at") < end))
    entered, left = _counts(inside, "to"), _counts(inside, "from")
    found = {}
    for stage in material.lifecycle.stages:
        start, came, went = before.get(stage, 0), entered.get(stage, 0), left.get(stage, 0)
        found[stage] = StageCounts(start, came, went, start + came - went)
    return found


def _counts(changes: pl.DataFrame, column: str) -> dict[str, int]:
    counted = changes.group_by(column).len().filter(pl.col(column).is_not_null())
    return dict(zip(counted[column].cast(pl.String), counted["len"], strict=True))


def _balance(changes: pl.DataFrame) -> dict[str, int]:
    entered, left = _counts(changes, "to"), _counts(changes, "from")
    return {stage: number - left.get(stage, 0) for stage, number in entered.items()}


def moving(material: Material) -> Section:
    """The section."""
    return Section(
        "moving",
        "Where customers are, and where they move",
        "Stages of the lifecycle file. A customer is whoever has a record: a customer id or, before it is known, an "
        "anonymous id, which is a customer of its own here.",
        [_stages(material), _flow(material)],
    )


def _stages(material: Material) -> Table:
    now, before = stage_counts(material, material.period), stage_counts(material, material.before)
    rows: list[list[Cell]] = []
    for stage, mine in now.items():
        theirs = before[stage]
        rows.append(
            [
                material.title(stage),
                count(mine.start),
                count(mine.entered),
                count(mine.left),
                count(mine.end),
                change(count(mine.end), count(mine.start)),
                count(theirs.entered),
                count(theirs.left),
            ]
        )
    return Table(
        "stages",
        "Stages",
        f"How many were in each stage when {material.period.label} began and ended, and how many came and went in it; "
        f"the last two columns are those of {material.before.label}. Who came twice counts twice.",
        ("Stage", "At the start", "Entered", "Left", "At the end", "Change", "Entered before", "Left before"),
        rows,
        Bars(
            [material.title(stage) for stage in now],
            [count(each.end) for each in now.values()],
            [count(each.start) for each in now.values()],
            key=("at the end", "at the start"),
        ),
    )


def _flow(material: Material) -> Table:
    changes = material.changes
    assert changes is not None
    now, before = (_links(changes.filter(material.within(each, "at"))) for each in (material.period, material.before))
    order = [None, *material.lifecycle.stages]
    ways = sorted({*now, *before}, key=lambda way: (-now.get(way, (0, 0))[0], order.index(way[0]), str(way[1])))
    entered = {stage: of.entered + of.start for stage, of in stage_counts(material, material.period).items()}
    rows: list[list[Cell]] = []
    for source, target in ways:
        times, stay = now.get((source, target), (0, None))
        mine, theirs = count(times), count(before.get((source, target), (0, None))[0])
        part = None if source is None else share(ratio(times, entered[source]))
        names = _name(material, source, _NEW), _name(material, target, _GONE)
        rows.append([*names, mine, theirs, change(mine, theirs), part, span(stay)])
    stages = [material.title(stage) for stage in material.lifecycle.stages]
    links = [
        (_name(material, source, _NEW), _name(material, target, _GONE), times)
        for (source, target), (times, _) in now.items()
        if source is not None
    ]
    return Table(
        "flow",
        "From stage to stage",
        "How often customers went each way. Share: of all who were in the stage at the start or entered it in the "
        "period. Median stay: how long those who went had been there, half of them at most.",
        ("From", "To", "Times", "Before", "Change", "Share", "Median stay"),
        rows,
        Flow(stages, [*stages, _GONE], links),
    )


def _links(changes: pl.DataFrame) -> dict[tuple[str | None, str | None], tuple[int, float | None]]:
    counted = changes.group_by(pl.col("from", "to").cast(pl.String)).agg(
        pl.len().alias("times"), (pl.col("at") - pl.col("entered")).median().alias("stay")
    )
    return {(row["from"], row["to"]): (row["times"], row["stay"]) for row in counted.iter_rows(named=True)}


def _name(material: Material, stage: str | None, otherwise: str) -> str:
    return otherwise if stage is None else material.title(stage)


def staying(material: Material) -> Section:
    """How long customers stay in each stage, and who is stuck."""
    return Section(
        "staying",
        "How long they stay, and where they get stuck",
        "A stay is one customer in one stage, from entering it to leaving it.",
        [_stays(material)],
    )


def _stays(material: Material) -> Table:
    changes = material.changes
    assert changes is not None
    end = material.calendar.start(material.period.end)
    known = changes.filter(pl.col("at") < end)
    # A life's last change before the end: who is still in that stage, and since when.
    last = known.group_by("who", "born").agg(pl.col("to", "at").last())
    open_ = last.filter(pl.col("to").is_not_null()).select("to", stay=end - pl.col("at"))
    ended = known.filter(pl.col("from").is_not_null()).select(
        pl.col("from"), stay=pl.col("at") - pl.col("entered"), gone=pl.col("to").is_null()
    )
    rows: list[list[Cell]] = []
    for stage in material.lifecycle.stages:
        done = ended.filter(pl.col("from") == stage)
        on = done.filter(~pl.col("gone"))["stay"]
        there = open_.filter(pl.col("to") == stage)["stay"]
        p90 = on.quantile(0.9, "linear")
        stuck = None if p90 is None else int((there > p90).sum())
        median = kaplan_meier_median(on, pl.concat([there, done.filter("gone")["stay"]]))
        rows.append(
            [
                material.title(stage),
                count(done.height + there.len()),
                share(ratio(on.len(), done.height + there.len())),
                span(on.median()),  # type: ignore[arg-type]
                span(p90),
                span(median) if median is not None else "not reached",
                count(there.len()),
                count(stuck),
            ]
        )
    return Table(
        "stays",
        "Time in stage",
        f"All stays up to the end of {material.period.label}. Went on: the share of them that ended in another stage. "
        "Median and p90 are of those that went on; the median of all takes those who are still there, or were "
        "forgotten, into account (Kaplan and Meier), and is not reached where fewer than half went on. Stuck: who is "
        "still there, longer than nine of ten of those who went on had been.",
        ("Stage", "Stays", "Went on", "Median", "p90", "Median of all", "There now", "Stuck"),
        rows,
    )


def kaplan_meier_median(ended: pl.Series, open_: pl.Series) -> float | None:
    """When half of all would have gone on, by Kaplan and Meier (1958): open ones count for as long as they are known.

    None where fewer than half would have.
    """
    stays = (
        pl.concat(
            [
                each.cast(pl.Int64).alias("stay").to_frame().with_columns(ended=pl.lit(value=is_ended))
                for each, is_ended in ((ended, True), (open_, False))
            ]
        )
        .group_by("stay")
        .agg(pl.col("ended").sum(), pl.len())
        .sort("stay")
        .with_columns(at_risk=pl.col("len").cum_sum(reverse=True))
        .with_columns(left=(1 - pl.col("ended") / pl.col("at_risk")).cum_prod())
    )
    reached = stays.filter((pl.col("left") <= 0.5 + 1e-12) & (pl.col("ended") > 0))["stay"]
    return reached[0] if len(reached) else None


_LONGEST_PATH: Final = 8


def paths(material: Material, top: int) -> Section:
    """The most frequent ways through the stages."""
    changes = material.changes
    assert changes is not None
    end = material.calendar.start(material.period.end)
    known = changes.filter((pl.col("at") < end) & pl.col("to").is_not_null())
    lives = known.group_by("who", "born").agg(
        pl.col("to").to_physical().head(_LONGEST_PATH), steps=pl.len(), begun=pl.col("at").min()
    )
    inside = lives.filter(material.within(material.period, "begun"))
    tables = []
    for id_, title, of, said in (
        ("paths", "Most frequent paths", lives, "of everybody so far"),
        (
            "paths_begun",
            "Paths of those who came in the period",
            inside,
            f"of lives that began in {material.period.label}",
        ),
    ):
        counted = (
            of.group_by("to", longer=pl.col("steps") > _LONGEST_PATH)
            .len()
            .with_columns(name=pl.col("to").list.eval(pl.element().cast(pl.String)).list.join(" "))
            .sort([pl.col("len"), pl.col("to").list.len(), pl.col("name")], descending=[True, False, False])
        )
        rows: list[list[Cell]] = [
            [
                " → ".join(_path_names(material, row["to"], row["longer"])),
                count(row["len"]),
                share(ratio(row["len"], of.height)),
            ]
            for row in counted.head(top).iter_rows(named=True)
        ]
        tables.append(
            Table(
                id_,
                title,
                f"Which stages customers went through one after another, up to {_LONGEST_PATH} of them, {said}, and "
                f"how many did exactly that; {counted.height:,} different ones.",
                ("Path", "Customers", "Share"),
                rows,
            )
        )
    return Section("paths", "Paths", "From the first stage of a life to where it is now.", tables)


def _path_names(material: Material, stages: list[int], longer: bool) -> Iterator[str]:
    names = list(material.lifecycle.stages)
    for each in stages:
        yield material.title(names[each])
    if longer:
        yield "…"
