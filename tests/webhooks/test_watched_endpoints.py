"""Endpoints are read again when their file changes, or a file that it names; what cannot be used changes nothing."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from stream.watched_file import WatchedFiles
from stream.webhooks.endpoint import Endpoint
from stream.webhooks.endpoints.endpoint_file import EndpointFileError, watched_endpoints
from stream.webhooks.endpoints.signing_secrets import written
from tests.webhooks.templates import Contacts, Silent, load_template

FILE = """\
endpoints:
  crm:
    template: ./mine.yaml
    secrets: [{file: secret.txt}]
"""
OLD, NEW = bytes(24), bytes(range(32))
Watched = WatchedFiles[tuple[Endpoint, ...]]
Write = Callable[[str, str], None]


@pytest.fixture(autouse=True)
def _looks_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stream.watched_file._LOOK_EVERY", 0.0)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Put another file in the place of one, as editors and mounted secrets do."""

    def put(name: str, text: str) -> None:
        (tmp_path / "new").write_text(text, encoding="utf-8")
        os.replace(tmp_path / "new", tmp_path / name)  # noqa: PTH105 - as Path.replace

    return put


@pytest.fixture
def watched(tmp_path: Path, write: Write) -> Watched:
    for name, text in {"webhooks.yaml": FILE, "mine.yaml": "silent", "secret.txt": written(OLD)}.items():
        write(name, text)
    return watched_endpoints(tmp_path / "webhooks.yaml", load_template)


def test_nothing_is_read_again_while_nothing_changes(watched: Watched) -> None:
    before = watched.value
    assert watched.value is before


def test_an_endpoint_that_is_added_is_there_without_a_restart(watched: Watched, write: Write) -> None:
    write("webhooks.yaml", FILE + "  chat: {template: silent}\n")
    assert [each.name for each in watched.value] == ["crm", "chat"]


def test_a_new_secret_signs_as_soon_as_its_file_has_it(watched: Watched, write: Write) -> None:
    assert watched.value[0].secrets == (OLD,)
    write("secret.txt", written(NEW) + "\n")
    assert watched.value[0].secrets == (NEW,)


def test_a_template_of_ones_own_is_used_as_its_file_now_is(watched: Watched, write: Write) -> None:
    assert isinstance(watched.value[0].template, Silent)
    write("webhooks.yaml", FILE + '    values: {url: "https://x.example", token: {file: secret.txt}}\n')
    write("mine.yaml", "contacts")
    assert watched.value[0].template == Contacts()


def test_a_change_that_cannot_be_used_is_logged_once_and_what_was_before_stays(
    watched: Watched, write: Write, caplog: pytest.LogCaptureFixture
) -> None:
    before = watched.value
    for name, text in (("webhooks.yaml", FILE.replace("secrets", "secret")), ("secret.txt", "whsec_abcdefgh")):
        write(name, text)
        assert watched.value is before
        assert watched.value is before
    kept = [record.getMessage() for record in caplog.records if "stays in force" in record.getMessage()]
    assert len(kept) == 1, "the second file is named by nobody as long as the first is wrong"
    assert "webhooks.yaml:4:5: unknown key 'secret'; did you mean 'secrets'?" in kept[0]
    write("webhooks.yaml", FILE)
    assert watched.value is before
    assert "abcdefgh" not in caplog.text
    write("secret.txt", written(NEW))
    assert watched.value[0].secrets == (NEW,)


def test_a_file_that_was_missing_is_used_once_it_is_there(
    watched: Watched, write: Write, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "secret.txt").unlink()
    before = watched.value
    assert before[0].secrets == (OLD,)
    assert watched.value is before
    assert caplog.text.count("stays in force") == 1
    write("secret.txt", written(NEW))
    assert watched.value[0].secrets == (NEW,)


def test_what_cannot_be_used_at_the_start_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EndpointFileError, match=r"webhooks\.yaml:1:1: cannot be read"):
        watched_endpoints(tmp_path / "webhooks.yaml", load_template)
