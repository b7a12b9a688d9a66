"""What customers say of us: NPS and CSAT, of answers with a `score`."""

from math import sqrt
from typing import Final

import polars as pl

from stream.report.local_calendar import Period
from stream.report.material import Interactions, Material
from stream.report.tables import Compared, Section, Table, Value, comparison, count, number, ratio, share

_Z: Final = 1.96
"""Standard deviations on both sides that hold 95 % of a normal distribution."""
_SATISFIED: Final = 4


def opinions(material: Material) -> Section | None:
    """The section; None where nobody answered."""
    found = material.interactions
    assert found is not None
    tables = [each for each in (_nps(material, found), _csat(material, found)) if each is not None]
    meaning = "Answers to surveys, each on its own day; whoever answers twice counts twice."
    return Section("opinions", "What customers say", meaning, tables) if tables else None


def _scores(material: Material, found: Interactions, role: str, period: Period, low: int, high: int) -> pl.Series:
    word = pl.col("word").cast(pl.String).is_in(list(material.meanings.words(role)))
    return found.answers.filter(word & material.within(period) & pl.col("score").is_between(low, high))["score"]


def _nps(material: Material, found: Interactions) -> Table | None:
    scores = [_scores(material, found, "nps", each, 0, 10) for each in (material.period, material.before)]
    if not sum(map(len, scores)):
        return None
    now, before = map(_nps_of, scores)
    margin = _margin(now)
    sure = "" if margin is None else f" The NPS of so few answers may be {margin:.0f} points off (95 %)."

    def part(name: str, place: int, meaning: str, *, good: bool | None) -> Compared:
        mine, theirs = (share(ratio(each[place], sum(each))) for each in (now, before))
        return Compared(name, mine, theirs, meaning, good)

    return comparison(
        "nps",
        "Net promoter score",
        f"“Would you recommend us?”, 0 to 10.{sure}",
        material.labels,
        [
            Compared("NPS", _points(now), _points(before), "Promoters less detractors, in points from -100 to 100"),
            Compared("Answers", count(sum(now)), count(sum(before)), "Answers of 0 to 10", None),
            part("Promoters", 0, "9 and 10", good=True),
            part("Passives", 1, "7 and 8", good=None),
            part("Detractors", 2, "0 to 6", good=False),
        ],
    )


def _nps_of(scores: pl.Series) -> tuple[int, int, int]:
    """Promoters, passives and detractors."""
    promoters, detractors = int((scores >= 9).sum()), int((scores <= 6).sum())
    return promoters, len(scores) - promoters - detractors, detractors


def _points(of: tuple[int, int, int]) -> Value | None:
    found = ratio(of[0] - of[2], sum(of))
    return None if found is None else Value("points", found)


def _margin(of: tuple[int, int, int]) -> float | None:
    """Half of the interval that holds the true score with 95 %: of the mean of answers that are 1, 0 or -1."""
    answers = sum(of)
    if answers < 2:
        return None
    mean = (of[0] - of[2]) / answers
    variance = (of[0] + of[2]) / answers - mean * mean
    return _Z * sqrt(variance / answers) * 100


def _csat(material: Material, found: Interactions) -> Table | None:
    now, before = (_scores(material, found, "csat", each, 1, 5) for each in (material.period, material.before))
    if not len(now) + len(before):
        return None
    figures = [
        Compared(name, _csat_of(name, now), _csat_of(name, before), said, good)
        for name, said, good in (
            ("CSAT", "Share of the answers that are 4 or 5", True),
            ("Average", "The other usual reading: the mean of the answers", True),
            ("Answers", "Answers of 1 to 5", None),
        )
    ]
    meaning = "“How satisfied were you?”, 1 to 5."
    return comparison("csat", "Customer satisfaction", meaning, material.labels, figures)


def _csat_of(name: str, scores: pl.Series) -> Value | None:
    if name == "Answers":
        return count(len(scores))
    if name == "CSAT":
        return share(ratio(int((scores >= _SATISFIED).sum()), len(scores)))
    mean = scores.mean()
    return number(float(mean)) if isinstance(mean, int | float) else None
