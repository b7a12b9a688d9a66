"""A zone is a place of the tz database; what people write else gets an answer that says what to write."""

import re
from pathlib import Path

import pytest
import tzdata
from hypothesis import given
from hypothesis import strategies as st

from stream.core.language.time_zones import UnknownTimeZoneError, database_version, time_zone
from stream.core.time_zone import UTC_ZONE
from tests.kit.times import HOUR, T0


def said_of(name: str) -> str:
    with pytest.raises(UnknownTimeZoneError) as caught:
        time_zone(name)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "hours"),
    [
        ("Europe/Paris", 1),
        ("America/Argentina/Buenos_Aires", -3),
        ("Etc/GMT+5", -5),
        ("Etc/UTC", 0),
        ("US/Eastern", -5),
        ("Asia/Calcutta", 5.5),
        ("Singapore", 8),
        ("Japan", 9),
    ],
)
def test_a_name_of_the_tz_database_is_that_zone(name: str, hours: float) -> None:
    """Old names of places and the countries among them, too."""
    assert time_zone(name).name == name
    assert time_zone(name).offset_at(T0) == hours * HOUR


def test_a_zone_is_read_once() -> None:
    """However many lifecycles name it; UTC is always the same one."""
    assert time_zone("Europe/Paris") is time_zone("Europe/Paris")
    assert time_zone("UTC") is UTC_ZONE


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("Europe/Pari", "Europe/Paris"),
        ("europe/paris", "Europe/Paris"),
        (" Europe/Paris ", "Europe/Paris"),
        ("Europe\\Paris", "Europe/Paris"),
        ("Paris", "Europe/Paris"),
        ("Berlin", "Europe/Berlin"),
        ("berlin", "Europe/Berlin"),
        ("Berln", "Europe/Berlin"),
        ("New York", "America/New_York"),
        ("Germany/Berlin", "Europe/Berlin"),
        ("America/NewYork", "America/New_York"),
        ("posix/Europe/Paris", "Europe/Paris"),
        ("Eastern", "Canada/Eastern or US/Eastern"),
        ("utc", "UTC"),
        ("Etc/utc", "Etc/UTC"),
        ("japan", "Japan"),
    ],
)
def test_the_nearest_zone_is_named(name: str, meant: str) -> None:
    """Slips of the hand, other cases, a town alone."""
    said = said_of(name)
    assert f"no time zone is called {name!r}; did you mean {meant}?" in said
    assert "a continent and a town, as in Europe/Paris or America/New_York, or UTC" in said


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("CET", "Europe/Berlin"),
        ("cest", "Europe/Berlin"),
        ("MEZ", "Europe/Berlin"),
        ("EST", "America/New_York"),
        ("EST5EDT", "America/New_York"),
        ("PST", "America/Los_Angeles"),
        ("GMT", "Europe/London"),
        ("BST", "Europe/London"),
        ("IST", "Asia/Kolkata"),
        ("HST", "Pacific/Honolulu"),
    ],
)
def test_an_abbreviation_is_no_zone_whether_the_database_has_it_or_not(name: str, place: str) -> None:
    """EST is there, and has no summer; who writes it means New York."""
    said = said_of(name)
    assert f"{name!r} is an abbreviation, not a place" in said
    assert place in said


@pytest.mark.parametrize(
    ("name", "fixed"),
    [
        ("+02:00", "2 h ahead of UTC is Etc/GMT-2"),
        ("GMT+2", "2 h ahead of UTC is Etc/GMT-2"),
        ("UTC+2", "2 h ahead of UTC is Etc/GMT-2"),
        ("utc +0200", "2 h ahead of UTC is Etc/GMT-2"),
        ("-5", "5 h behind UTC is Etc/GMT+5"),
        ("GMT-05:00", "5 h behind UTC is Etc/GMT+5"),
        ("+14", "14 h ahead of UTC is Etc/GMT-14"),
    ],
)
def test_an_offset_is_no_zone_and_the_fixed_clock_is_named(name: str, fixed: str) -> None:
    """The tz database has its sign the other way round, as POSIX has."""
    said = said_of(name)
    assert f"{name!r} is an offset, which knows no summer time" in said
    assert fixed in said
    found = re.search(r"Etc/GMT([+-][0-9]+)", said)
    assert found is not None
    assert time_zone(found[0]).offset_at(T0) == -int(found[1]) * HOUR


@pytest.mark.parametrize("name", ["+05:30", "-13", "+15", "GMT+0", "+00:00"])
def test_an_offset_that_no_fixed_clock_has_gets_no_name(name: str) -> None:
    """Half hours, more than there are, none."""
    said = said_of(name)
    assert "is an offset" in said
    assert "Etc/" not in said


@pytest.mark.parametrize(
    "name",
    [
        *("", " ", ".", "..", "/", "Europe", "Europe/", "/Europe/Paris", "Europe//Paris", "../zones"),
        *("../../tzdata/zones", "Europe/../Europe/Paris", "/etc/passwd", "Europe/Paris\0", "tzdata.zi", "__init__.py"),
        *("Factory", "local", "x" * 100_000, "Europe/" + "x" * 100_000, "\ud800", "\N{GREEK SMALL LETTER ALPHA}"),
    ],
)  # fmt: skip
def test_a_name_never_leads_to_a_file_that_is_no_zone(name: str) -> None:
    """Folders, other files of the package, ways out of it; and it is said in few words."""
    assert said_of(name).startswith("no time zone is called")
    assert len(said_of(name)) < 300


@given(st.text() | st.text("./\\EuropPais+-0123456789:GMTUC ", max_size=20))
def test_any_other_text_is_no_zone_and_one_sentence_says_so(name: str) -> None:
    """Whatever it is."""
    if name != "UTC":
        assert "time zone" in said_of(name) or "abbreviation" in said_of(name)


def test_the_version_is_that_of_the_installed_database() -> None:
    """As IANA names it: a year and a letter; the package counts the letters."""
    version = database_version()
    assert re.fullmatch(r"20[0-9]{2}[a-z]", version)
    assert tzdata.__version__ == f"{version[:4]}.{ord(version[4]) - ord('a') + 1}"


def test_one_release_of_the_product_has_one_version_of_the_database() -> None:
    """It is in the digest of lifecycles, so that workers with different ones would not have the same lifecycle."""
    project = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    assert f'"tzdata=={tzdata.__version__}",' in project
