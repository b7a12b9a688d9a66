"""`deploy/alerts`: the rules are good, each alert fires on its trouble, and `docs/runbooks.md` says what to do.

What fires is tested by promtool, Prometheus' own tool, on what real processes said in the incidents of
`tests/incidents`. That it does not fire before its time, nor on what only looks like it, and what nothing was recorded
of, is tested on the series of `deploy/alerts/tests`, which were written by hand.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from ruamel.yaml import YAML

from stream.engine.error_policy import FailureKind
from tests.docs.markdown import anchors, blocks, page, rows, section
from tests.incidents.catalogue import NOT_BROUGHT_ABOUT, incidents
from tests.incidents.incident import Incident
from tests.incidents.recording import FOLDER, load
from tests.incidents.replay import NORMAL, incident_test, normal_day, write

pytestmark = pytest.mark.operators

ALERTS: Final = Path(__file__).parents[2] / "deploy" / "alerts"
RULE_FILES: Final = sorted(ALERTS.glob("*.yaml"))
TEST_FILES: Final = sorted((ALERTS / "tests").glob("*.yaml"))
RUNBOOKS: Final = page("docs/runbooks.md")
URL: Final = "docs/runbooks.md#"
PARTS: Final = ("Means", "Users notice", "First look", "Likely causes", "Mend", "Over")
"""What each runbook has, in this order, each in bold at the beginning of a paragraph."""
OF_PROMETHEUS: Final = {
    "up": {"instance"},
    "process_start_time_seconds": {"instance"},
    "process_resident_memory_bytes": {"instance"},
    "process_cpu_seconds_total": {"instance"},
}
"""What Prometheus and its library make of every process, with the labels that are asked for."""
OF_OTHERS: Final = {
    "kminion_kafka_topic_log_dir_size_total_bytes": {"topic_name"},
    "kubelet_volume_stats_available_bytes": {"persistentvolumeclaim"},
    "kubelet_volume_stats_capacity_bytes": {"persistentvolumeclaim"},
    "node_filesystem_avail_bytes": {"mountpoint"},
    "node_filesystem_size_bytes": {"mountpoint"},
}
"""What other exporters have, as their documents say: for `kafka-disk.yaml` alone."""
WORDS: Final = {"and", "or", "unless", "bool", "offset"}


def read(path: Path) -> Any:
    return YAML(typ="safe").load(path.read_text(encoding="utf-8"))


def rules() -> Iterator[tuple[Path, dict[str, Any]]]:
    for path in RULE_FILES:
        for group in read(path)["groups"]:
            yield from ((path, rule) for rule in group["rules"])


ALERT_RULES: Final = {rule["alert"]: (path, rule) for path, rule in rules() if "alert" in rule}
RECORDED: Final = {rule["record"] for _, rule in rules() if "record" in rule}


def promtool(*arguments: str | Path) -> str:
    """What it prints; fails the test where it is not content."""
    tool = shutil.which("promtool")
    if tool is None:
        pytest.fail("promtool is missing: apt-get install prometheus (Debian), or Prometheus' own download")
    ran = subprocess.run([tool, *arguments], capture_output=True, text=True, check=False, timeout=300)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def metrics_of_the_page() -> dict[str, set[str]]:
    """The labels of each series that `docs/metrics.md` has; of a histogram those that rules ask for."""
    found: dict[str, set[str]] = {}
    for cells in rows(page("docs/metrics.md")):
        if len(cells) == 4 and cells[0].startswith("`lifecycle_"):
            name, labels = cells[0].strip("`"), set(re.findall(r"`(\w+)`", cells[2]))
            if cells[1] == "histogram":
                found |= {name + "_bucket": labels | {"le"}, name + "_count": labels, name + "_sum": labels}
            else:
                found[name] = labels
    return found


KNOWN: Final = {**metrics_of_the_page(), **OF_PROMETHEUS}


def selectors(expression: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Each metric that PromQL names, with what its labels must be."""
    lists = r"\b(?:by|on|without|ignoring|group_left|group_right)\s*\([^)]*\)"
    text = re.sub(lists, " ", expression)
    for match in re.finditer(r"(?<![\w:\"])(?P<name>[a-zA-Z_:][\w:]*)(?P<call>\s*\()?(?:\{(?P<labels>[^}]*)\})?", text):
        inside = text[: match.start()].count("{") > text[: match.start()].count("}")
        if not (inside or match["call"] or match["name"] in WORDS):
            yield match["name"], dict(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"([^\"]*)\"", match["labels"] or ""))


def unknown(expression: str, known: dict[str, set[str]]) -> list[str]:
    """What of PromQL no series of ours has."""
    wrong = []
    for name, labels in selectors(expression):
        if name in RECORDED:
            continue
        if name not in known:
            wrong.append(name)
            continue
        wrong += [f"{name}.{label}" for label in labels if label not in known[name] | {"job"}]
    return wrong


def fired() -> set[str]:
    """Alerts that the tests of promtool see firing."""
    found: set[str] = set()
    for path in TEST_FILES:
        for test in read(path)["tests"]:
            for each in test.get("promql_expr_test", ()):
                labels = " ".join(sample["labels"] for sample in each["exp_samples"])
                if 'alertstate="firing"' in each["expr"]:
                    found |= set(re.findall(r'alertname="(\w+)"', labels))
    return found


def test_promtool_takes_all_rules() -> None:
    assert "FAILED" not in promtool("check", "rules", *RULE_FILES)


@pytest.mark.parametrize("path", TEST_FILES, ids=lambda path: path.stem)
def test_each_alert_fires_at_its_time_and_none_on_a_normal_day(path: Path) -> None:
    assert "SUCCESS" in promtool("test", "rules", path)


@pytest.mark.parametrize("incident", incidents(), ids=lambda incident: incident.name)
def test_alerts_fire_on_what_was_recorded_of_their_incident(incident: Incident, tmp_path: Path) -> None:
    """At their real durations, on series with the labels of real processes; before and afterwards they do not."""
    write(tmp_path / "incident.yaml", incident_test(incident.name, incident.alerts))
    assert "SUCCESS" in promtool("test", "rules", tmp_path / "incident.yaml")


def test_no_alert_fires_on_a_day_and_a_half_of_recorded_normal_traffic(tmp_path: Path) -> None:
    write(tmp_path / "normal.yaml", normal_day())
    assert "SUCCESS" in promtool("test", "rules", tmp_path / "normal.yaml")


def test_every_alert_has_an_incident_or_a_reason_why_it_has_none() -> None:
    brought_about = {alert for each in incidents() for alert in each.alerts}
    assert brought_about | set(NOT_BROUGHT_ABOUT) == set(ALERT_RULES)
    assert brought_about & set(NOT_BROUGHT_ABOUT) == set()


def test_every_alert_is_made_to_fire_by_hand_too_at_its_time() -> None:
    assert set(ALERT_RULES) - fired() == set()


def test_recordings_are_of_incidents_and_name_no_machine() -> None:
    names = {NORMAL, *(each.name for each in incidents())}
    assert {path.name for path in FOLDER.iterdir()} == {f"{name}.txt.gz" for name in names}
    instances = {
        found
        for path in FOLDER.iterdir()
        for series in load(path)
        for found in re.findall(r'instance="([^"]*)"', series)
    }
    assert instances == {"worker-1", "worker-2", "collector-1", "webhooks-1"}


def test_the_normal_day_has_what_every_alert_on_our_metrics_looks_at() -> None:
    """An alert is quiet where there is nothing to look at, whatever it says."""
    (normal,) = read(ALERTS / "tests" / "normal-day.yaml")["tests"]
    there = {each["series"].partition("{")[0] for each in normal["input_series"]}
    asked = {name for _, rule in ALERT_RULES.values() for name, _ in selectors(rule["expr"])}
    recorded = {rule["record"]: rule["expr"] for _, rule in rules() if "record" in rule}
    asked |= {name for each in asked & RECORDED for name, _ in selectors(recorded[each])}
    assert asked - RECORDED - there == {"node_filesystem_avail_bytes", "node_filesystem_size_bytes"}


@pytest.mark.parametrize("name", ALERT_RULES)
def test_an_alert_says_how_urgent_it_is_what_is_wrong_and_where_to_read_on(name: str) -> None:
    path, rule = ALERT_RULES[name]
    assert set(rule["labels"]) == {"severity"}
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
    assert rule["annotations"]["runbook_url"] == URL + name.lower()
    assert name.lower() in anchors(RUNBOOKS)
    lines = path.read_text(encoding="utf-8").splitlines()
    before = lines[lines.index(f"      - alert: {name}") - 1]
    assert before.strip().startswith("#"), "its numbers need a reason"


@pytest.mark.parametrize("name", ALERT_RULES)
def test_a_runbook_has_all_its_parts_and_says_how_urgent_it_is(name: str) -> None:
    text = section(RUNBOOKS, f"### {name}")
    assert tuple(re.findall(r"^\*\*([A-Z][a-z ]+)\.\*\*", text, re.MULTILINE)) == PARTS
    assert f"*{ALERT_RULES[name][1]['labels']['severity'].capitalize()}.*" in text


def test_every_runbook_is_of_an_alert() -> None:
    assert set(re.findall(r"^### (Lifecycle\w+)$", RUNBOOKS, re.MULTILINE)) == set(ALERT_RULES)


def test_the_rules_ask_for_series_that_there_are() -> None:
    """A name or a label that is wrong would be silent for ever."""
    for path, rule in rules():
        known = {**KNOWN, **OF_OTHERS} if path.stem == "kafka-disk" else KNOWN
        assert unknown(rule["expr"], known) == [], rule.get("alert") or rule["record"]


def test_the_kinds_of_failures_that_have_an_alert_of_their_own_exist() -> None:
    named = re.findall(r'kind!?~?="([a-z|]+)"', (ALERTS / "partitions.yaml").read_text(encoding="utf-8"))
    kinds = {kind for each in named for kind in each.split("|")}
    assert kinds == {FailureKind.KAFKA, FailureKind.FENCED}


def test_wrong_names_and_labels_would_be_noticed() -> None:
    rule = 'sum by (x) (rate(lifecycle_lag{partition="1"}[5m])) / lifecycle_lag_records{topic="a",job="b"} > 1e6 or up'
    assert unknown(rule, KNOWN) == ["lifecycle_lag", "lifecycle_lag_records.topic"]


def test_the_queries_of_the_runbooks_can_be_asked(tmp_path: Path) -> None:
    queries = [query for block in blocks(RUNBOOKS, "promql") for query in block.split("\n\n")]
    assert len(queries) > 20
    assert [wrong for query in queries for wrong in unknown(query, {**KNOWN, **OF_OTHERS})] == []
    rule_file = tmp_path / "queries.yaml"
    made = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(queries)]
    YAML().dump({"groups": [{"name": "queries", "rules": made}]}, rule_file)
    promtool("check", "rules", rule_file)


def test_what_alertmanager_is_told_names_alerts_that_there_are() -> None:
    (text,) = [block for block in blocks(RUNBOOKS, "yaml") if "inhibit_rules" in block]
    named = set(re.findall(r"Lifecycle\w+", text))
    assert len(named) > 5
    assert named - set(ALERT_RULES) == set()
