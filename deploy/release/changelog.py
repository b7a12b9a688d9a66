"""Whether CHANGELOG.md is ready for the release that pyproject.toml names: `python changelog.py [FOLDER]`.

Ready means: the release has a section with a date and with content, which stands before those of all earlier ones, and
nothing is left under "Unreleased". Ends with 1 and says what would be right where it is not.
"""

import datetime as dt
import re
import sys
import tomllib
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

_HEADING = re.compile(r"^## (.*)$", re.MULTILINE)
_RELEASE = re.compile(r"\[(?P<version>[^\]]+)\](?: - (?P<date>\S+))?")
_VERSION = re.compile(r"\d+\.\d+\.\d+")
_UNRELEASED = "Unreleased"


class NotReady(Exception):
    """What is wrong with the changelog, and what would be right."""


@dataclass(frozen=True)
class _Section:
    """What stands below one heading of the second level."""

    heading: str
    version: str
    date: str | None
    lines: tuple[str, ...]
    """Without headings of kinds of changes and without empty lines."""


def check_changelog(text: str, version: str, today: dt.date) -> None:
    """Raise NotReady where the changelog is not one of this release, to be made on this day."""
    sections = _sections(text)
    if not sections or sections[0].version != _UNRELEASED:
        raise NotReady("the first section must be '## [Unreleased]', for what comes after this release")
    wanted = f"'## [{version}] - {today.isoformat()}'"
    by_version = {section.version: section for section in sections}
    if len(by_version) < len(sections):
        raise NotReady("a version has two sections: it must have one")
    release = by_version.get(version)
    if release is None:
        raise NotReady(
            f"version {version} of pyproject.toml has no section: write {wanted} below '## [Unreleased]' and above "
            "what this release changes; where another version is meant, say so in pyproject.toml"
        )
    _check_date(release, wanted, today)
    if not release.lines:
        raise NotReady(f"'## {release.heading}' has no content: say what this release changes for who uses it")
    if forgotten := sections[0].lines:
        raise NotReady(
            f"'## [Unreleased]' still has {len(forgotten)} lines, the first is '{forgotten[0]}': what is in this "
            f"release belongs below '## {release.heading}', and the rest not into this commit"
        )
    _check_order(sections[1:], release)


def _sections(text: str) -> list[_Section]:
    parts = _HEADING.split(text)[1:]
    return [_section(heading.strip(), body) for heading, body in zip(parts[::2], parts[1::2], strict=True)]


def _section(heading: str, body: str) -> _Section:
    if (match := _RELEASE.fullmatch(heading)) is None:
        raise NotReady(f"'## {heading}' is not understood: write '## [1.2.3] - 2026-01-31'")
    lines = (line.strip() for line in body.splitlines())
    kept = tuple(line for line in lines if line and not line.startswith("#"))
    return _Section(heading, match["version"], match["date"], kept)


def _check_date(release: _Section, wanted: str, today: dt.date) -> None:
    try:
        date = dt.date.fromisoformat(release.date or "")
    except ValueError:
        raise NotReady(f"'## {release.heading}' has no date of the form 2026-01-31: write {wanted}") from None
    if date > today:
        raise NotReady(f"'## {release.heading}' is of a day that has not come: write {wanted}")


def _check_order(sections: list[_Section], release: _Section) -> None:
    for section in sections:
        if not _VERSION.fullmatch(section.version):
            raise NotReady(f"'## {section.heading}' names no version of the form 1.2.3")
    versions = [tuple(map(int, section.version.split("."))) for section in sections]
    if any(later <= earlier for later, earlier in pairwise(versions)):
        raise NotReady("the sections must stand in order, the latest version first")
    if sections[0] is not release:
        raise NotReady(
            f"pyproject.toml has version {release.version}, and the changelog has {sections[0].version} already: raise "
            "the version in pyproject.toml"
        )


def main(arguments: list[str]) -> int:
    """0: ready, 1: not."""
    folder = Path(arguments[0] if arguments else ".")
    version = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    try:
        check_changelog(
            (folder / "CHANGELOG.md").read_text(encoding="utf-8"), version, dt.datetime.now(tz=dt.UTC).date()
        )
    except NotReady as error:
        print(f"error: CHANGELOG.md: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
