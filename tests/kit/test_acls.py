"""The reading of what a document grants: nothing that is written there is overlooked."""

from pathlib import Path

import pytest

from tests.kit.acls import Acl, documented

DOCUMENT = """
```sh
grant() {
  kafka-acls.sh --bootstrap-server b --command-config c --add "$@"
}
```
### First
```sh
for topic in a b; do
  grant --allow-principal User:u --operation Read --operation DescribeConfigs --topic "$topic"  # why
done
```
### Second
```sh
grant --allow-principal User:v --operation Write \\
  --transactional-id v- --resource-pattern-type prefixed
```
### Third
```sh
grant --allow-principal User:v --operation Write --topics t
```
"""


@pytest.fixture
def document(tmp_path: Path) -> Path:
    made = tmp_path / "security.md"
    made.write_text(DOCUMENT)
    return made


def test_the_commands_below_a_heading_are_run_by_a_shell(document: Path) -> None:
    """Loops, several operations, commands of several lines; the next heading ends it."""
    assert documented(document, "First") == [
        Acl("User:u", operation, "topic", name) for name in "ab" for operation in ("Read", "DescribeConfigs")
    ]
    assert documented(document, "Second") == [Acl("User:v", "Write", "transactional-id", "v-", "prefixed")]


def test_an_option_that_kafka_does_not_know_and_a_heading_that_is_not_there_are_errors(document: Path) -> None:
    """Instead of granting nothing."""
    with pytest.raises(SystemExit):
        documented(document, "Third")
    with pytest.raises(LookupError, match="'Fourth'"):
        documented(document, "Fourth")
