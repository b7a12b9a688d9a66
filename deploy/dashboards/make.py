#!/usr/bin/env python3
"""Writes the dashboards for Grafana, `operations.json` and `marketing.json`, beside itself.

    python deploy/dashboards/make.py [--docs URL] [--into FOLDER]

With `--docs`, the address at which the folder `docs` is read, each panel links to its page; without it each names the
page. It needs Python alone. What is shown is below: helpers first, then one function a dashboard.
"""

import argparse
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, Required, TypedDict, Unpack

Json = dict[str, Any]

SCHEMA: Final = 41
"""The version of the format, that of Grafana 11.6 to 12.1; later releases bring it up to theirs as they read it."""
PLUGINS: Final = "11.6.0"
"""The release whose options of panels these are. Without it Grafana takes them for older ones, and converts them."""
COLUMNS: Final = 24
"""Of Grafana's grid."""

SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
WORKER: Final = 'job=~"$job"'
COLLECTOR: Final = 'job=~"$collector"'
WEBHOOKS: Final = 'job=~"$webhooks"'
EVERY: Final = 'job=~"$job|$collector|$webhooks"'
"""Selects what processes of each kind serve. Lag and batches are metrics of workers and of webhooks: by job alone they
are told apart."""
LIFECYCLE: Final = 'lifecycle=~"$lifecycle"'

GREEN, YELLOW, RED, BLUE = "green", "yellow", "red", "blue"


# Expressions


def select(metric: str, *conditions: str) -> str:
    """The series of a metric that fulfil all conditions."""
    return f"{metric}{{{','.join(conditions)}}}"


def summed(of: str, by: str = "") -> str:
    """The sum over all processes, for each of the labels `by`."""
    return f"sum by ({by}) ({of})" if by else f"sum({of})"


def rate(metric: str, *conditions: str, by: str = "") -> str:
    """How much a counter grows in a second, over all processes."""
    return summed(f"rate({select(metric, *conditions)}[$__rate_interval])", by)


def growth(metric: str, *conditions: str, by: str = "", within: str = "1h") -> str:
    """How much a counter has grown, over all processes."""
    return summed(f"increase({select(metric, *conditions)}[{within}])", by)


def quantile(share: float, histogram: str, *conditions: str, by: str = "") -> str:
    """What so large a share took at most, over all processes: their buckets are summed, quantiles cannot be."""
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({share}, {rate(f'{histogram}_bucket', *conditions, by=labels)})"


def by_partition(metric: str, condition: str = WORKER) -> str:
    """One value for each partition.

    While it moves, the worker that had it and the one that has it may both show it, until both were scraped.
    """
    return f"max by (job, partition) ({select(metric, condition)})"


def or_none(expression: str) -> str:
    """The same, 0 where there is nothing to count."""
    return f"({expression}) or vector(0)"


# Queries, panels, rows


def query(expression: str, legend: str = "") -> Json:
    """A line for each series, named by `legend`, in which `{{label}}` stands for a label's value."""
    return {"expr": expression, "legendFormat": legend, "range": True, "instant": False, "format": "time_series"}


def now(expression: str, legend: str = "") -> Json:
    """The values at the end of the time that is shown."""
    return {"expr": expression, "legendFormat": legend, "range": False, "instant": True, "format": "time_series"}


def row_of_table(expression: str) -> Json:
    """The values at the end of the time that is shown, a row of a table for each series."""
    return {"expr": expression, "legendFormat": "", "range": False, "instant": True, "format": "table"}


def cells_of_heatmap(expression: str) -> Json:
    """Buckets of a histogram over time."""
    return {"expr": expression, "legendFormat": "{{le}}", "range": True, "instant": False, "format": "heatmap"}


def how_long(histogram: str, condition: str, *, by: str = "") -> list[Json]:
    """Two lines, for each of the labels `by`: what half of all took at most, and 99 of 100."""
    of = f"{{{{{by}}}}}: " if by else ""
    shares = [(0.5, "half within"), (0.99, "99 of 100 within")]
    return [query(quantile(share, histogram, condition, by=by), of + words) for share, words in shares]


class About(TypedDict, total=False):
    """What is said of a panel."""

    shows: Required[str]
    """What it shows."""
    good: str
    """What it looks like when all is well."""
    page: Required[str]
    """Where in `docs` more stands."""
    width: int
    """In columns."""
    height: int
    """In rows."""
    min: float | None
    max: float
    """Ends of the axis; None: as the values are."""
    decimals: int
    base: str
    """Colour of values below all limits."""
    limits: Sequence[tuple[float, str]]
    """Values, with the colour from there on."""
    mappings: Sequence[Json]
    """Words for values."""
    overrides: Sequence[Json]
    """What holds for single columns."""
    nothing: str
    """What stands there when there is nothing."""


def panel(
    kind: str,
    title: str,
    unit: str,
    queries: Sequence[Json],
    options: Json,
    about: About,
    *,
    color: str = "palette-classic",
    custom: Json | None = None,
    transformations: Sequence[Json] = (),
) -> Json:
    """One panel."""
    defaults: Json = {
        "unit": unit,
        "color": {"mode": color},
        "thresholds": {
            "mode": "absolute",
            "steps": [
                {"color": about.get("base", GREEN), "value": None},
                *({"color": colour, "value": value} for value, colour in about.get("limits", ())),
            ],
        },
        "mappings": list(about.get("mappings", ())),
        "noValue": about.get("nothing", "nothing yet"),
        "custom": custom or {},
    }
    ends = {"min": about.get("min"), "max": about.get("max"), "decimals": about.get("decimals")}
    defaults |= {name: value for name, value in ends.items() if value is not None}
    targets = [
        {"refId": chr(ord("A") + number), "datasource": SOURCE, "editorMode": "code", **each}
        for number, each in enumerate(queries)
    ]
    return {
        "type": kind,
        "title": title,
        "description": about["shows"] + (f"\n\n**Good:** {about['good']}" if "good" in about else ""),
        "page": about["page"],
        "datasource": SOURCE,
        "pluginVersion": PLUGINS,
        "gridPos": {"w": about.get("width", 8), "h": about.get("height", 8)},
        "targets": targets,
        "fieldConfig": {"defaults": defaults, "overrides": list(about.get("overrides", ()))},
        "options": options,
        "transformations": list(transformations),
    }


def lines(title: str, unit: str, *queries: Json, stacked: bool = False, **about: Unpack[About]) -> Json:
    """Lines over time; `limits` are drawn. Lines are not drawn over gaps, since a gap says something."""
    custom = {
        "drawStyle": "line",
        "lineWidth": 1,
        "fillOpacity": 40 if stacked else 8,
        "showPoints": "auto",
        "spanNulls": False,
        "stacking": {"mode": "normal" if stacked else "none", "group": "A"},
        "thresholdsStyle": {"mode": "dashed" if about.get("limits") else "off"},
    }
    options = {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    return panel("timeseries", title, unit, queries, options, {"min": 0, **about}, custom=custom)


def _latest() -> Json:
    return {"calcs": ["lastNotNull"], "fields": "", "values": False}


def number(
    title: str, unit: str, *queries: Json, curve: bool = False, named: bool = False, **about: Unpack[About]
) -> Json:
    """One large number, or one for each series; coloured by `limits`, with a `curve` behind it, `named` or not."""
    options = {
        "reduceOptions": _latest(),
        "graphMode": "area" if curve else "none",
        "colorMode": "value",
        "justifyMode": "auto",
        "orientation": "auto",
        "textMode": "value_and_name" if named else "auto",
        "wideLayout": True,
        "showPercentChange": False,
        "percentChangeColorMode": "standard",
    }
    return panel("stat", title, unit, queries, options, {"width": 4, "height": 4, **about}, color="thresholds")


def bars(title: str, unit: str, *queries: Json, **about: Unpack[About]) -> Json:
    """A bar for each series, as it is now."""
    options = {
        "displayMode": "basic",
        "orientation": "horizontal",
        "valueMode": "text",
        "namePlacement": "auto",
        "showUnfilled": True,
        "sizing": "auto",
        "minVizWidth": 8,
        "minVizHeight": 16,
        "maxVizHeight": 32,
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": False, "calcs": []},
        "reduceOptions": _latest(),
    }
    return panel("bargauge", title, unit, queries, options, {"min": 0, **about})


def table(
    title: str,
    unit: str,
    columns: dict[str, str],
    *queries: Json,
    sort: str = "",
    descending: bool = True,
    **about: Unpack[About],
) -> Json:
    """Rows of values as they are now, sorted by the column `sort`. `columns` are their names, in order, by label.

    The values of the queries are `Value`, or, where they are several, `Value #A`, `Value #B` and so on.
    """
    joined = [{"id": "merge", "options": {}}] if len(queries) > 1 else []
    named = {
        "id": "organize",
        "options": {
            "excludeByName": {"Time": True},
            "indexByName": {label: place for place, label in enumerate(columns)},
            "renameByName": columns,
        },
    }
    options = {
        "showHeader": True,
        "cellHeight": "sm",
        "frameIndex": 0,
        "sortBy": [{"displayName": sort, "desc": descending}] if sort else [],
    }
    custom = {"align": "auto", "cellOptions": {"type": "auto"}, "filterable": False, "inspect": False}
    return panel("table", title, unit, queries, options, about, custom=custom, transformations=[*joined, named])


def unit_of(column: str, unit: str) -> Json:
    """A column of a table with a unit of its own."""
    return {"matcher": {"id": "byName", "options": column}, "properties": [{"id": "unit", "value": unit}]}


def heatmap(title: str, unit: str, *queries: Json, **about: Unpack[About]) -> Json:
    """How values spread over buckets, over time."""
    options = {
        "calculate": False,
        "color": {
            "mode": "scheme",
            "scheme": "Oranges",
            "fill": "dark-orange",
            "scale": "exponential",
            "exponent": 0.5,
            "steps": 64,
            "reverse": False,
        },
        "cellGap": 1,
        "filterValues": {"le": 1e-9},
        "rowsFrame": {"layout": "auto"},
        "showValue": "never",
        "yAxis": {"unit": unit, "axisPlacement": "left", "reverse": False},
        "legend": {"show": True},
        "tooltip": {"mode": "single", "yHistogram": False, "showColorScale": True},
        "exemplars": {"color": "rgba(255,0,255,0.7)"},
        "selectionMode": "x",
    }
    return panel("heatmap", title, unit, queries, options, about)


def row(title: str, *panels: Json, collapsed: bool = False) -> Json:
    """Panels under a heading, which may be closed until somebody opens it."""
    return {"type": "row", "title": title, "collapsed": collapsed, "panels": list(panels)}


# Variables and dashboards


def choice(name: str, label: str, values: str, *, several: bool = True, hidden: bool = False) -> Json:
    """What is chosen at the top of a dashboard, among the values that Prometheus has now."""
    chosen = {"current": {"text": ["All"], "value": ["$__all"], "selected": True}} if several else {}
    return {
        "type": "query",
        "name": name,
        "label": label,
        "datasource": SOURCE,
        "query": {"query": values, "refId": name},
        "refresh": 2,
        "sort": 1,
        "multi": several,
        "includeAll": several,
        "hide": 2 if hidden else 0,
        "regex": "",
        "skipUrlSync": False,
        "options": [],
        **chosen,
    }


PROMETHEUS: Final[Json] = {
    "type": "datasource",
    "name": "datasource",
    "label": "Prometheus",
    "query": "prometheus",
    "refresh": 1,
    "multi": False,
    "includeAll": False,
    "hide": 0,
    "regex": "",
    "skipUrlSync": False,
    "options": [],
}
# Each job by a metric that its processes have from their start, and no other's.
JOB: Final = "label_values(lifecycle_interactions_total, job)"
COLLECTOR_JOB: Final = "label_values(lifecycle_collector_pending_bytes, job)"
WEBHOOKS_JOB: Final = "label_values(lifecycle_webhook_waiting, job)"
LIFECYCLES: Final = 'label_values(lifecycle_info{job=~"$job"}, lifecycle)'


def dashboard(name: str, title: str, about: str, variables: Sequence[Json], rows: Iterable[Json], **times: str) -> Json:
    """The whole file, with every panel in its place."""
    return {
        "uid": f"lifecycle-{name}",
        "title": title,
        "description": about,
        "tags": ["lifecycle"],
        "schemaVersion": SCHEMA,
        "timezone": "browser",
        "editable": True,
        "graphTooltip": 1,
        "fiscalYearStartMonth": 0,
        "time": {"from": times["since"], "to": "now"},
        "refresh": times["refresh"],
        "timepicker": {},
        "templating": {"list": list(variables)},
        "annotations": {"list": []},
        "links": [
            {
                "type": "dashboards",
                "title": "Other dashboards",
                "icon": "external link",
                "tooltip": "",
                "tags": ["lifecycle"],
                "asDropdown": False,
                "targetBlank": False,
                "includeVars": False,
                "keepTime": True,
            }
        ],
        "panels": placed(rows),
    }


def placed(rows: Iterable[Json]) -> list[Json]:
    """The panels of all rows, each with its number and its place in the grid, from left to right and down."""
    found: list[Json] = []
    top = count = 0
    for heading in rows:
        inside: list[Json] = []
        count += 1
        head = {**heading, "id": count, "gridPos": {"h": 1, "w": COLUMNS, "x": 0, "y": top}, "panels": inside}
        top += 1
        left = tallest = 0
        for each in heading["panels"]:
            wide, high = each["gridPos"]["w"], each["gridPos"]["h"]
            if left + wide > COLUMNS:
                top, left, tallest = top + tallest, 0, 0
            count += 1
            inside.append({**each, "id": count, "gridPos": {"h": high, "w": wide, "x": left, "y": top}})
            left, tallest = left + wide, max(tallest, high)
        top += tallest
        # The panels of an open row stand beside it, those of a closed one in it.
        if heading["collapsed"]:
            found.append(head)
        else:
            found += [{**head, "panels": []}, *inside]
    return found


# Operations


def operations() -> Json:
    """For whoever is on call: what is wrong, where, and which page says what to do."""
    return dashboard(
        "operations",
        "Lifecycle: operations",
        "Workers, the collector and webhooks. Read the first row from left to right: what is not green is where to "
        "look. Each panel says what good looks like, and which page says what to do otherwise.",
        [
            PROMETHEUS,
            choice("job", "Workers", JOB),
            choice("collector", "Collector", COLLECTOR_JOB),
            choice("webhooks", "Webhooks", WEBHOOKS_JOB),
            choice("lifecycle", "Lifecycle", LIFECYCLES),
        ],
        [
            at_a_glance(),
            traffic(),
            lag(),
            latency(),
            dead_letters(),
            deadlines(),
            batches(),
            partitions(),
            lookup(),
            collector(),
            webhooks(),
            processes(),
        ],
        since="now-3h",
        refresh="30s",
    )


YES_OR_NO: Final = [{"type": "value", "options": {"0": {"text": "no"}, "1": {"text": "yes"}}}]
RATIO: Final = by_partition("lifecycle_recovery_ratio")


def at_a_glance() -> Json:
    """What is wrong, if anything is."""
    bugs = [
        growth("lifecycle_dead_letters_total", WORKER, 'reason="unprocessable"'),
        growth("lifecycle_quarantined_customers_total", WORKER),
    ]
    return row(
        "At a glance",
        number(
            "Workers",
            "short",
            now(or_none(f"count({select('lifecycle_build_info', WORKER)})")),
            shows="Workers that Prometheus reaches.",
            good="as many as you started. One that is missing is down, or too busy to answer.",
            page="roles.md#health",
            base=RED,
            limits=[(1, GREEN)],
        ),
        number(
            "Kafka answers",
            "short",
            now(f"min({select('lifecycle_kafka_up', EVERY)})"),
            shows="Whether Kafka answered every process of ours within the last four seconds.",
            good="yes. Otherwise processes wait, and go on by themselves once it answers.",
            page="incidents.md#when-kafka-is-away",
            mappings=YES_OR_NO,
            base=RED,
            limits=[(1, GREEN)],
        ),
        number(
            "Interactions that wait",
            "short",
            now(f"sum({by_partition('lifecycle_lag_records')})"),
            shows="Records of all partitions that are not processed yet, as last known.",
            good="near 0, and falling again after a rush. Believe it only while its age, beside it, is low.",
            page="metrics.md#kafka-and-partitions",
            limits=[(10_000, YELLOW), (100_000, RED)],
        ),
        number(
            "Age of that number",
            "s",
            now(f"max({by_partition('lifecycle_lag_age_seconds')})"),
            shows="For how long no broker has said where the log of some partition ends.",
            good="a few seconds. Above a minute nobody knows how many interactions wait.",
            page="incidents.md#when-kafka-is-away",
            limits=[(60, RED)],
        ),
        number(
            "Stage change known within",
            "s",
            query(quantile(0.99, "lifecycle_end_to_end_latency_seconds", WORKER)),
            shows="99 of 100 stage changes were committed within this time after the interaction that caused them.",
            good="well below a second; more while interactions wait. 10 s means that long or longer. Without stage "
            "changes it is that of the latest.",
            page="metrics.md#interactions-and-stage-changes",
            limits=[(1, YELLOW), (10, RED)],
        ),
        number(
            "Dead letters, last hour",
            "short",
            now(growth("lifecycle_dead_letters_total", WORKER)),
            shows="Interactions that could not be read or processed. They are kept for 30 days.",
            good="0, or the few that you know of.",
            page="incidents.md#dead-letters",
            decimals=0,
            limits=[(1, YELLOW), (1_000, RED)],
        ),
        number(
            "Partitions that do not run",
            "short",
            now(f"max({select('lifecycle_topic_partitions', WORKER)}) - ({or_none(f'count({RATIO} == 1)')})"),
            shows="Partitions of the topic that no worker processes now.",
            good="0. Some for seconds to minutes, while workers start or stop and state is read back.",
            page="architecture.md#a-partition",
            limits=[(1, RED)],
        ),
        number(
            "Blocked",
            "short",
            now(or_none(f"sum({by_partition('lifecycle_partition_blocked')})")),
            shows="Partitions whose next batch cannot be read: they stand still until somebody acts.",
            good="0.",
            page="incidents.md#a-batch-that-cannot-be-read",
            limits=[(1, RED)],
        ),
        number(
            "Bugs of ours, last hour",
            "short",
            now(" + ".join(bugs)),
            shows="Interactions and customers' deadlines on which our code failed. Each is kept, none is lost.",
            good="0. Otherwise see the log, report it, and replay after the upgrade that mends it.",
            page="metrics.md#kinds-of-failures",
            decimals=0,
            limits=[(1, RED)],
        ),
        number(
            "Partitions started over",
            "short",
            now(growth("lifecycle_partition_failures_total", WORKER)),
            shows="How often a partition began anew from its last commit, in the last hour.",
            good="0, or a few when a worker is replaced.",
            page="metrics.md#kinds-of-failures",
            decimals=0,
            limits=[(1, YELLOW), (20, RED)],
        ),
        number(
            "Editions of a lifecycle",
            "short",
            now(f"max({select('lifecycle_group_versions', WORKER, LIFECYCLE)})"),
            shows="How many versions of one lifecycle file the workers of the group have.",
            good="1, and 2 while workers are replaced one by one.",
            page="upgrade.md#edit-a-lifecycle-file",
            limits=[(2, YELLOW)],
        ),
        number(
            "Endpoints disabled",
            "short",
            now(or_none(f"sum({each_endpoint('lifecycle_webhook_disabled')})")),
            shows="Endpoints of webhooks that get nothing any more, until somebody resumes them.",
            good="0.",
            page="incidents.md#an-endpoint-that-is-disabled",
            limits=[(1, RED)],
        ),
    )


def traffic() -> Json:
    """What comes in and what goes out."""
    odd = [("late", "before their customer's clock"), ("ahead", "ahead of their broker's time")]
    return row(
        "Traffic",
        lines(
            "Interactions",
            "recps",
            query(rate("lifecycle_interactions_total", WORKER, by="result"), "{{result}}"),
            stacked=True,
            shows="Records of the topic of interactions that were processed, by what became of them.",
            good="the usual curve of the day, nearly all of it `applied`. A wave of `duplicate` is a sender that "
            "repeats itself, of `rejected` one that sends rubbish. None at all: do producers send?",
            page="metrics.md#results",
        ),
        lines(
            "Stage changes",
            "eps",
            query(rate("lifecycle_stage_changes_total", WORKER, LIFECYCLE, by="lifecycle"), "{{lifecycle}}"),
            query(rate("lifecycle_stage_changes_published_total", WORKER), "written to the topic, of all lifecycles"),
            shows="Stage changes, and those of them that subscribers see.",
            good="they follow the interactions. Fewer are written than happen only while history is imported.",
            page="import.md#going-live-on-old-data",
        ),
        lines(
            "Odd interactions",
            "recps",
            *(query(rate(f"lifecycle_{name}_interactions_total", WORKER), words) for name, words in odd),
            query(rate("lifecycle_misplaced_interactions_total", WORKER), "on a wrong partition"),
            query(rate("lifecycle_flaws_total", WORKER, by="flaw"), "with a flaw: {{flaw}}"),
            shows="Interactions that were applied though something about them was odd.",
            good="a few late ones. **On a wrong partition** must be 0: such a customer has a life on each partition; "
            "the log names the likely cause.",
            page="guarantees.md#one-customer-one-partition",
        ),
        lines(
            "Gathered from several topics",
            "recps",
            query(rate("lifecycle_gathered_interactions_total", WORKER, by="topic"), "{{topic}}"),
            shows="Interactions by the topic that they were sent to, where the setting `interactions` names several.",
            good="each topic has its usual share. Empty where interactions come from one topic.",
            page="topics.md#several-topics-of-interactions",
            nothing="one topic alone",
        ),
        lines(
            "What signals and facts could not use",
            "eps",
            query(rate("lifecycle_unusable_properties_total", WORKER, LIFECYCLE, by="lifecycle, name"), UNUSABLE),
            query(rate("lifecycle_dropped_entries_total", WORKER, LIFECYCLE, by="lifecycle, name"), DROPPED),
            query(rate("lifecycle_unread_elements_total", WORKER, LIFECYCLE, by="lifecycle, name"), UNREAD),
            shows="Properties that are absent or of a wrong type, entries that `keep` dropped before their time, and "
            "elements of lists beyond the first 1,000: what was to be added was not.",
            good="0. One that rises after a release of a shop or an app tells what that release changed.",
            page="language.md#what-is-kept-of-a-customer",
        ),
        lines(
            "Event names that no word covers",
            "eps",
            query(rate("lifecycle_unmatched_interactions_total", WORKER, LIFECYCLE, by="lifecycle, name"), NAMES),
            shows="Interactions whose name no word of the lifecycle covers and no condition names.",
            good="the names that you do not use. A name that is nearly one of yours is a typing error.",
            page="metrics.md#event-names-that-no-word-covers",
        ),
    )


UNUSABLE: Final = "{{lifecycle}} {{name}}: not usable"
DROPPED: Final = "{{lifecycle}} {{name}}: dropped early"
UNREAD: Final = "{{lifecycle}} {{name}}: too long a list"
NAMES: Final = "{{lifecycle}}: {{name}}"


def lag() -> Json:
    """How far behind, and whether that is known."""
    return row(
        "Lag",
        lines(
            "Interactions that wait, by partition",
            "short",
            query(by_partition("lifecycle_lag_records"), "partition {{partition}}"),
            stacked=True,
            width=12,
            shows="Records not yet processed, to the end of the log; the last known number where Kafka is away.",
            good="near 0. All partitions that grow: workers are too few or Kafka is slow. One that grows alone: it is "
            "blocked, a transaction is open in it, or its worker is ill. A partition that moves is not shown.",
            page="metrics.md#kafka-and-partitions",
        ),
        lines(
            "Age of the lag, by partition",
            "s",
            query(by_partition("lifecycle_lag_age_seconds"), "partition {{partition}}"),
            width=12,
            limits=[(60, RED)],
            shows="Since a broker last said where the log of the partition ends.",
            good="a few seconds. Above a minute the lag is not known, whatever its curve shows.",
            page="metrics.md#what-to-alert-on",
        ),
        lines(
            "Time to catch up",
            "s",
            query(
                f"sum({by_partition('lifecycle_lag_records')}) / {rate('lifecycle_interactions_total', WORKER)}",
                "at the rate of now",
            ),
            shows="How long it would take to process what waits, as fast as it is processed now.",
            good="below a second. Much, and falling: it catches up. Much, and rising: more comes than is processed.",
            page="guarantees.md#overload",
        ),
        lines(
            "Open transactions of producers",
            "s",
            query(by_partition("lifecycle_open_transaction_seconds"), "partition {{partition}}"),
            limits=[(300, RED)],
            shows="For how long a producer's transaction has been open; nothing after it can be read.",
            good="0, or as long as your producers' transactions take. Minutes: one hangs, and everybody waits.",
            page="metrics.md#kafka-and-partitions",
        ),
        lines(
            "Since Kafka's last answer",
            "s",
            query(f"max by (job, instance) ({select('lifecycle_kafka_answer_age_seconds', EVERY)})", "{{instance}}"),
            limits=[(4, RED)],
            shows="For each process of ours, how long ago Kafka answered it last.",
            good="below four seconds everywhere. One process alone: its network. All: Kafka.",
            page="incidents.md#when-kafka-is-away",
        ),
    )


def latency() -> Json:
    """From an interaction to its stage change."""
    end_to_end = "lifecycle_end_to_end_latency_seconds"
    return row(
        "From interaction to stage change",
        lines(
            "Latency",
            "s",
            *how_long(end_to_end, WORKER),
            width=12,
            shows="From the broker's time of an interaction to the commit of the stage change that it caused.",
            good="99 of 100 well below a second. It rises with the lag, and while history is imported.",
            page="metrics.md#interactions-and-stage-changes",
        ),
        heatmap(
            "Latency, all of it",
            "s",
            cells_of_heatmap(growth(f"{end_to_end}_bucket", WORKER, by="le", within="$__rate_interval")),
            width=12,
            shows="How many stage changes took how long: the darker, the more.",
            good="one dark band below a second. A second band higher up is a worker, or a partition, that is slow.",
            page="metrics.md#interactions-and-stage-changes",
        ),
    )


def dead_letters() -> Json:
    """What could not be taken."""
    return row(
        "Dead letters",
        lines(
            "Dead letters, by reason",
            "recps",
            query(rate("lifecycle_dead_letters_total", WORKER, by="reason"), "{{reason}}"),
            stacked=True,
            shows="Interactions that could not be read or processed.",
            good="none, or the few that you know of. `unprocessable` is a bug of ours. "
            "`lifecycle dead-letters list` shows what they are.",
            page="topics.md#reasons",
        ),
        bars(
            "In the time shown, by reason",
            "short",
            now(growth("lifecycle_dead_letters_total", WORKER, by="reason", within="$__range") + " > 0", "{{reason}}"),
            shows="How many dead letters of each reason came in the time that is shown.",
            good="empty, or what you know of. Replay them once the cause is mended.",
            page="incidents.md#dead-letters",
            decimals=0,
            nothing="none",
        ),
        lines(
            "Share of the last minute",
            "percentunit",
            query(f"max({select('lifecycle_dead_letter_share', WORKER)})", "worst worker"),
            max=1,
            limits=[(0.5, RED)],
            shows="Share of a worker's interactions that became dead letters, of the worker that has the most; 0 where "
            "it had fewer than 1,000.",
            good="0. Above the setting `dead_letter_share` a sender or a setting is wrong, and `/readyz` says what.",
            page="roles.md#health",
        ),
    )


def deadlines() -> Json:
    """What happens by time alone."""
    lateness = "lifecycle_deadline_lateness_seconds"
    return row(
        "Deadlines",
        lines(
            "Deadlines fired",
            "eps",
            query(rate("lifecycle_deadlines_fired_total", WORKER), "fired"),
            shows="Deadlines of customers whose time had come.",
            good="the usual curve of the day; many at once after a long stop.",
            page="metrics.md#deadlines",
        ),
        lines(
            "How late they fire",
            "s",
            *how_long(lateness, WORKER),
            shows="From a deadline's time to its firing. With the clock `stream` this is the age of the data.",
            good="seconds. Empty where none fired. Late for long: the partition is behind, see the lag.",
            page="guarantees.md#time",
        ),
        lines(
            "Lives that wait, customers set aside",
            "eps",
            query(rate("lifecycle_waiting_lives_total", WORKER), "wait for an interaction"),
            query(rate("lifecycle_quarantined_customers_total", WORKER), "set aside: a bug of ours"),
            shows="Lives that had 64 deadlines without an interaction, and customers whose deadlines made our code "
            "fail and are not fired any more.",
            good="nobody set aside. Lives that wait show a lifecycle that sends people round in circles.",
            page="metrics.md#deadlines",
        ),
    )


def batches() -> Json:
    """The engine's own pace."""
    in_kafka = rate("lifecycle_transaction_seconds_sum", WORKER)
    whole = rate("lifecycle_batch_seconds_sum", WORKER)
    each = rate("lifecycle_batch_seconds_count", WORKER)
    return row(
        "Batches and transactions",
        lines(
            "One batch, from fetch to commit",
            "s",
            *how_long("lifecycle_batch_seconds", WORKER),
            shows="How long a batch takes. Each is one transaction.",
            good="milliseconds to some tenths of a second, growing with the size of batches.",
            page="metrics.md#kafka-and-partitions",
        ),
        lines(
            "The part of it that Kafka needs",
            "s",
            *how_long("lifecycle_transaction_seconds", WORKER),
            shows="How long it takes to write a batch and to commit it.",
            good="milliseconds. Seconds: look at the brokers, their disks and the replicas that are not in sync.",
            page="metrics.md#kafka-and-partitions",
        ),
        lines(
            "Share of the time in Kafka",
            "percentunit",
            query(f"{in_kafka} / {whole}", "in Kafka"),
            max=1,
            shows="Of the time that batches take, the share that Kafka needs.",
            good="steady. When it rises Kafka became slower, when it falls our own work grew.",
            page="architecture.md#what-makes-it-fast",
        ),
        lines(
            "Batches",
            "ops",
            query(each, "batches"),
            width=12,
            shows="Transactions in a second, of all workers.",
            good="some for each partition with traffic. None while interactions wait: transactions fail, see the "
            "partitions that start over.",
            page="architecture.md#what-makes-it-fast",
        ),
        lines(
            "Records in a batch",
            "short",
            query(f"{rate('lifecycle_interactions_total', WORKER)} / {each}", "on average"),
            width=12,
            shows="How many records one transaction takes, on average.",
            good="few in quiet hours, more under load: that is how workers keep up.",
            page="architecture.md#what-makes-it-fast",
        ),
    )


def partitions() -> Json:
    """Who has what, what starts over, what recovers."""
    seconds = "lifecycle_recovery_seconds"
    by_instance = [f"sum by (instance) ({select(f'{seconds}_count', WORKER)})"]
    by_instance.append(f"sum by (instance) ({select(f'{seconds}_sum', WORKER)}) / ({by_instance[0]} > 0)")
    by_instance.append(f"sum by (instance) ({select('lifecycle_recovered_records_total', WORKER)})")
    return row(
        "Partitions: state, failures, recovery",
        lines(
            "Partitions by state",
            "short",
            query(or_none(f"count({RATIO} == 1)"), "run"),
            query(or_none(f"count({RATIO} < 1)"), "recover"),
            query(or_none(f"sum({by_partition('lifecycle_partition_blocked')})"), "blocked"),
            shows="Partitions that workers have, by state.",
            good="all run. The rest recovers or is on its way from one worker to another, for seconds.",
            page="architecture.md#a-partition",
            decimals=0,
        ),
        lines(
            "Partitions of each worker",
            "short",
            query(f"count by (job, instance) ({select('lifecycle_recovery_ratio', WORKER)})", "{{instance}}"),
            stacked=True,
            shows="How many partitions each worker has.",
            good="nearly the same for all, and still. Steps are rebalances; steps without a reason are workers that "
            "come and go.",
            page="architecture.md#a-worker",
            decimals=0,
        ),
        lines(
            "Partitions that start over, by kind",
            "short",
            query(growth("lifecycle_partition_failures_total", WORKER, by="kind", within="5m"), "{{kind}}"),
            stacked=True,
            shows="How often partitions began anew from their last commit, in the five minutes before.",
            good="none. `kafka` and `fenced` pass by themselves; `record`, `deadline` and `bug` are bugs of ours; "
            "after `fatal` the worker ends, and its log says what helps.",
            page="metrics.md#kinds-of-failures",
        ),
        lines(
            "Recovery, by partition",
            "percentunit",
            query(RATIO, "partition {{partition}}"),
            max=1,
            shows="Which share of a partition's changelog was read. It runs at 100 %.",
            good="100 %, and after a move up to there within seconds to minutes, by how many customers it has.",
            page="architecture.md#a-partition",
        ),
        lines(
            "Records read in recovery",
            "recps",
            query(rate("lifecycle_recovered_records_total", WORKER, by="job, instance"), "{{instance}}"),
            shows="How fast state is read back.",
            good="0 but for recoveries, then as fast as disks and network allow. Low for long: look at the brokers.",
            page="architecture.md#a-partition",
        ),
        table(
            "Recoveries of each worker since it started",
            "short",
            {"instance": "worker", "Value #A": "recoveries", "Value #B": "seconds each", "Value #C": "records"},
            *map(row_of_table, by_instance),
            overrides=[unit_of("seconds each", "s")],
            shows="How many partitions each worker recovered, how long one took on average, and the records read. "
            "Totals of the process, since most recoveries end before it is scraped for the first time.",
            good="a recovery for each partition that a worker got, and the same seconds as last time.",
            page="metrics.md#kafka-and-partitions",
        ),
    )


def lookup() -> Json:
    """Questions over HTTP."""
    return row(
        "Lookup and live stage changes",
        lines(
            "Questions",
            "reqps",
            query(rate("lifecycle_lookup_requests_total", WORKER, by="kind, status"), "{{kind}} {{status}}"),
            shows="Questions to workers over HTTP, by what was asked for and the status of the answer.",
            good="status 200, and 404 for who is not known. 503 for a moment while a partition moves.",
            page="lookup.md#what-an-answer-promises",
        ),
        lines(
            "Time to answer",
            "s",
            query(quantile(0.5, "lifecycle_lookup_seconds", WORKER), "all: half within"),
            query(quantile(0.99, "lifecycle_lookup_seconds", WORKER, by="kind"), "{{kind}}: 99 of 100 within"),
            shows="From a question to its answer, that of another worker included.",
            good="milliseconds for one customer. Long lists take as long as they are read.",
            page="lookup.md#what-an-answer-promises",
        ),
        lines(
            "Readers of live stage changes",
            "short",
            query(f"sum({select('lifecycle_live_readers', WORKER)})", "connected"),
            query(growth("lifecycle_live_readers_cut_off_total", WORKER, within="5m"), "cut off"),
            shows="Connections that read stage changes as they happen, and those that were cut off for reading slowly, "
            "in the five minutes before.",
            good="as many as you have readers, none cut off.",
            page="subscribe.md#over-http",
        ),
    )


def collector() -> Json:
    """Interactions over HTTP."""
    took = "lifecycle_collector_acknowledge_seconds"
    return row(
        "Collector",
        lines(
            "Requests, by status",
            "reqps",
            query(rate("lifecycle_collector_requests_total", COLLECTOR, by="path, status"), "{{path}} {{status}}"),
            shows="Requests that were answered, by kind of path and status.",
            good="200 nearly everywhere.",
            page="collector.md#answers",
        ),
        lines(
            "Requests turned away, by code",
            "reqps",
            query(rate("lifecycle_collector_refused_requests_total", COLLECTOR, by="code"), "{{code}}"),
            stacked=True,
            shows="Requests that were not taken. Well-made senders send them again.",
            good="none. `busy`, `slow`, `kafka_away` and `not_acknowledged` for minutes: Kafka or the collector cannot "
            "keep up. The rest: a sender is wrong.",
            page="collector.md#answers",
            nothing="none",
        ),
        lines(
            "Interactions taken, by source",
            "recps",
            query(rate("lifecycle_collector_interactions_total", COLLECTOR, by="source, format"), TAKEN),
            stacked=True,
            shows="Interactions that Kafka acknowledged, by the source of the write key and the kind of path.",
            good="each source has its usual share.",
            page="collector.md#write-keys",
        ),
        lines(
            "Time until Kafka has them",
            "s",
            *how_long(took, COLLECTOR),
            shows="From the items of a request to Kafka's acknowledgement of all of them.",
            good="milliseconds to some hundredths of a second.",
            page="metrics.md#the-collector",
        ),
        lines(
            "Bytes that wait for Kafka",
            "bytes",
            query(f"sum by (instance) ({select('lifecycle_collector_pending_bytes', COLLECTOR)})", "{{instance}}"),
            limits=[(64 * 1024 * 1024, RED)],
            shows="Bytes that are read and not yet acknowledged.",
            good="far below 64 MiB, from where on senders are told to come back.",
            page="metrics.md#the-collector",
        ),
        lines(
            "Dead letters of the collector",
            "recps",
            query(rate("lifecycle_collector_dead_letters_total", COLLECTOR, by="source, reason"), BY_REASON),
            stacked=True,
            shows="Items of requests that could not be read, by source and reason.",
            good="none. The source says whom to ask.",
            page="collector.md#what-becomes-of-an-item",
            nothing="none",
        ),
        lines(
            "Bytes received",
            "binBps",
            query(rate("lifecycle_collector_body_bytes_total", COLLECTOR), "bodies"),
            width=12,
            shows="Bytes of bodies, unpacked.",
            good="it follows the requests. Much more for each request: somebody sends large properties.",
            page="metrics.md#the-collector",
        ),
        lines(
            "Collectors that run",
            "short",
            query(or_none(f"count({select('lifecycle_build_info', COLLECTOR)})"), "collectors"),
            width=12,
            shows="Collectors that Prometheus reaches.",
            good="as many as you started; 0 where you have none.",
            page="collector.md#run-it",
            decimals=0,
        ),
    )


TAKEN: Final = "{{source}} by {{format}}"
BY_REASON: Final = "{{source}}: {{reason}}"


def each_endpoint(gauge: str) -> str:
    """What the worst process says of each endpoint."""
    return f"max by (job, endpoint) ({select(gauge, WEBHOOKS)})"


def webhooks() -> Json:
    """Stage changes on their way to other tools."""
    delay = "lifecycle_webhook_delay_seconds"
    return row(
        "Webhooks",
        lines(
            "Deliveries that wait",
            "short",
            query(f"sum by (endpoint) ({select('lifecycle_webhook_waiting', WEBHOOKS)})", "{{endpoint}}"),
            shows="Deliveries that wait for each endpoint, those under way included.",
            good="near 0. One endpoint that grows: its tool is away or slow. All: our processes, or Kafka.",
            page="incidents.md#webhooks-that-are-late",
        ),
        lines(
            "The oldest that waits",
            "s",
            query(each_endpoint("lifecycle_webhook_oldest_seconds"), "{{endpoint}}"),
            limits=[(3_600, RED)],
            shows="For how long the oldest delivery of each endpoint has waited.",
            good="seconds, or as long as an outage of the tool may last.",
            page="incidents.md#webhooks-that-are-late",
        ),
        lines(
            "Attempts, by what came of them",
            "reqps",
            query(rate("lifecycle_webhook_attempts_total", WEBHOOKS, by="endpoint, verdict"), ENDED),
            shows="Requests to the endpoints whose outcome is written down.",
            good="`delivered`. Many of `again`: the tool fails. `refused`: it will never take them. `gone`: it wants "
            "no more, and is disabled.",
            page="metrics.md#verdicts",
        ),
        lines(
            "Delay",
            "s",
            *how_long(delay, WEBHOOKS, by="endpoint"),
            shows="From when a change began to wait to the beginning of the attempt that was taken.",
            good="below a second while the tool answers.",
            page="incidents.md#webhooks-that-are-late",
        ),
        lines(
            "Given up",
            "short",
            query(growth("lifecycle_webhook_given_up_total", WEBHOOKS, by="endpoint, reason"), GIVEN_UP),
            stacked=True,
            shows="Deliveries that became dead letters, in the hour before.",
            good="none. They are kept, and can be replayed.",
            page="webhooks.md#what-is-given-up",
            decimals=0,
        ),
        lines(
            "Attempts under way",
            "short",
            query(f"sum by (endpoint) ({select('lifecycle_webhook_sending', WEBHOOKS)})", "{{endpoint}}"),
            shows="Requests that an endpoint has not answered yet.",
            good="below its `concurrency`. There for long: the tool is slower than changes come.",
            page="metrics.md#webhooks",
        ),
        lines(
            "Changes that come, and those replaced",
            "eps",
            query(rate("lifecycle_webhook_changes_total", WEBHOOKS, by="endpoint"), "{{endpoint}}"),
            query(rate("lifecycle_webhook_superseded_total", WEBHOOKS, by="endpoint"), "{{endpoint}}: replaced"),
            shows="Stage changes that began to wait for each endpoint; of those with `only: latest`, how often a later "
            "change of the customer took the place of one that waited.",
            good="as many as your conditions let through.",
            page="metrics.md#webhooks",
        ),
        table(
            "Endpoints that stand still",
            "short",
            {"endpoint": "endpoint", "Value #A": "disabled", "Value #B": "paused"},
            row_of_table(f"max by (endpoint) ({select('lifecycle_webhook_disabled', WEBHOOKS)})"),
            row_of_table(f"max by (endpoint) ({select('lifecycle_webhook_paused', WEBHOOKS)})"),
            mappings=YES_OR_NO,
            shows="Endpoints that were disabled, by a 410 or after five days of failure, or that somebody paused.",
            good="no everywhere. What waits for a paused endpoint grows up to its `most_waiting`.",
            page="incidents.md#an-endpoint-that-is-disabled",
        ),
        lines(
            "Stage changes not read yet",
            "short",
            query(by_partition("lifecycle_lag_records", WEBHOOKS), "partition {{partition}}"),
            stacked=True,
            shows="How far the processes of webhooks are behind on the topic of stage changes.",
            good="near 0.",
            page="metrics.md#webhooks",
        ),
        lines(
            "Partitions of webhooks",
            "short",
            query(or_none(f"count({by_partition('lifecycle_recovery_ratio', WEBHOOKS)} == 1)"), "run"),
            query(or_none(f"count({by_partition('lifecycle_recovery_ratio', WEBHOOKS)} < 1)"), "recover"),
            query(or_none(f"sum({by_partition('lifecycle_partition_blocked', WEBHOOKS)})"), "blocked"),
            shows="Partitions of the topic of stage changes, by state; 0 where you have no webhooks.",
            good="all run.",
            page="architecture.md#webhooks-on-the-same-engine",
            decimals=0,
        ),
        lines(
            "Their partitions that start over",
            "short",
            query(growth("lifecycle_partition_failures_total", WEBHOOKS, by="kind", within="5m"), KIND),
            stacked=True,
            shows="How often partitions of webhooks began anew from their last commit, in the five minutes before.",
            good="none.",
            page="metrics.md#kinds-of-failures",
        ),
        lines(
            "Their transactions",
            "s",
            *how_long("lifecycle_transaction_seconds", WEBHOOKS),
            shows="How long it takes to write down what came and what was delivered.",
            good="milliseconds.",
            page="metrics.md#webhooks",
        ),
    )


ENDED: Final = "{{endpoint}}: {{verdict}}"
GIVEN_UP: Final = "{{endpoint}}: {{reason}}"
KIND: Final = "{{kind}}"


def processes() -> Json:
    """Memory, CPU and files of each process, and what it is."""
    of_each = "{{job}} {{instance}}"
    started = select("process_start_time_seconds", EVERY)
    build = f"max by (job, instance, version, build, python) ({select('lifecycle_build_info', EVERY)})"
    return row(
        "Processes",
        lines(
            "Ready",
            "short",
            query(select("lifecycle_ready", EVERY), of_each),
            max=1,
            decimals=0,
            shows="1 where a process does its work, as `/readyz` has it.",
            good="1 for all. 0 for seconds to minutes while one starts and loads state.",
            page="runbooks.md#not-ready-and-why",
        ),
        lines(
            "Phases",
            "short",
            query(f"sum by (job, phase) ({select('lifecycle_phase', EVERY)}) > 0", "{{job}}: {{phase}}"),
            decimals=0,
            shows="How many processes of workers and of webhooks are in which phase.",
            good="all run. `joining` and `rebalancing` last for seconds.",
            page="runbooks.md#not-ready-and-why",
        ),
        lines(
            "Memory",
            "bytes",
            query(select("process_resident_memory_bytes", EVERY), of_each),
            shows="Memory that each process holds.",
            good="it grows with the customers of a worker's partitions, steps up when it gets more of them, and is "
            "flat otherwise. Leave room for the partitions of a worker that fails.",
            page="metrics.md#verdicts",
        ),
        lines(
            "CPU",
            "percentunit",
            query(f"rate({select('process_cpu_seconds_total', EVERY)}[$__rate_interval])", of_each),
            shows="How much of one core each process uses. One at 100 % is at its limit: more of them help, as long as "
            "there are partitions for them.",
            good="below 100 % at the busiest hour, with room for the partitions of a worker that fails.",
            page="metrics.md#verdicts",
        ),
        lines(
            "Open files",
            "percentunit",
            query(f"{select('process_open_fds', EVERY)} / {select('process_max_fds', EVERY)}", of_each),
            max=1,
            limits=[(0.8, RED)],
            shows="Open files and connections, as a share of what the system allows the process.",
            good="a few percent, and flat.",
            page="metrics.md#verdicts",
        ),
        table(
            "What runs, and since when",
            "dtdurations",
            {
                "job": "job",
                "instance": "process",
                "version": "release",
                "build": "build",
                "python": "Python",
                "Value": "runs for",
            },
            row_of_table(f"{build} * on (job, instance) group_left () (time() - {started})"),
            width=12,
            sort="runs for",
            descending=False,
            shows="Release, build, version of Python and age of each process.",
            good="one release everywhere, `compiled`, and no process younger than the last time you started it.",
            page="metrics.md#what-runs",
        ),
        table(
            "Lifecycles of the workers",
            "short",
            {"lifecycle": "lifecycle", "version": "version", "digest": "digest", "Value": "workers"},
            row_of_table(f"count by (lifecycle, version, digest) ({select('lifecycle_info', WORKER, LIFECYCLE)})"),
            width=12,
            shows="Which lifecycle files workers have. `lifecycle validate FILE` shows the digest of a file.",
            good="one digest for each lifecycle, at all workers.",
            page="upgrade.md#edit-a-lifecycle-file",
        ),
    )


# Marketing


CHOSEN: Final = 'lifecycle="$lifecycle"'
HERE: Final = (WORKER, CHOSEN)
# Of the recording rules in deploy/alerts/recording.yaml, which are of all workers: without dips where partitions move.
CUSTOMERS: Final = f"sum by (stage) ({select('lifecycle:customers', CHOSEN)})"
CHANGES: Final = "lifecycle:stage_changes:rate5m"
TO_A_STAGE: Final = 'to!=""'
FROM_A_STAGE: Final = 'from!=""'


def marketing() -> Json:
    """For whoever decides whom to write to: where customers are, where they go, and what makes them go."""
    return dashboard(
        "marketing",
        "Lifecycle: customers",
        "Where customers are, where they go, and what they do. Numbers over a time are close, not exact to the last "
        "one; exact ones are in the console and in reports.",
        [
            PROMETHEUS,
            choice("job", "Workers", JOB, hidden=True),
            choice("lifecycle", "Lifecycle", LIFECYCLES, several=False),
        ],
        [customers(), moves(), behaviour(), today(), questions()],
        since="now-24h",
        refresh="1m",
    )


def customers() -> Json:
    """Who is where."""
    late = by_partition("lifecycle_lag_records")
    latency_of = "lifecycle_end_to_end_latency_seconds"
    return row(
        "Customers",
        number(
            "Customers",
            "locale",
            query(f"sum({CUSTOMERS})"),
            height=6,
            curve=True,
            base=BLUE,
            shows="Everybody who is in some stage now. Whoever was forgotten is not among them.",
            page="metrics.md#customers-by-stage-recording-rules",
        ),
        bars(
            "Customers in each stage now",
            "locale",
            now(CUSTOMERS, "{{stage}}"),
            width=10,
            height=6,
            shows="How many customers are in each stage at this moment.",
            page="metrics.md#customers-by-stage-recording-rules",
        ),
        number(
            "New in the time shown",
            "locale",
            now(during("lifecycle_stage_changes_total", 'from=""')),
            height=6,
            decimals=0,
            base=BLUE,
            shows="People who were seen for the first time, or again after they had been forgotten.",
            page="metrics.md#interactions-and-stage-changes",
        ),
        number(
            "Not counted yet",
            "locale",
            now(f"sum({late})"),
            width=3,
            height=6,
            limits=[(10_000, YELLOW)],
            shows="What customers did and what is not in these numbers yet.",
            good="near 0. When it is large for more than some minutes, tell whoever runs the system.",
            page="guarantees.md#overload",
        ),
        number(
            "Known within",
            "s",
            query(quantile(0.99, latency_of, WORKER)),
            width=3,
            height=6,
            limits=[(10, YELLOW)],
            shows="Of 100 customers who change their stage by what they do, 99 are in the new one this long after.",
            good="about a second. 10 s means that long or longer.",
            page="metrics.md#interactions-and-stage-changes",
        ),
        lines(
            "Customers by stage",
            "locale",
            query(CUSTOMERS, "{{stage}}"),
            stacked=True,
            width=16,
            height=10,
            shows="How many customers were in each stage over time. Gaps are moments in which it was not known.",
            page="metrics.md#customers-by-stage-recording-rules",
        ),
        bars(
            "Grown or shrunk in the time shown",
            "locale",
            now(f"{CUSTOMERS} - sum by (stage) ({select('lifecycle:customers', CHOSEN)} offset $__range)", "{{stage}}"),
            min=None,
            height=10,
            shows="How many customers each stage has more, or fewer, than at the beginning of the time that is shown. "
            "Empty where that is before your records begin.",
            page="metrics.md#customers-by-stage-recording-rules",
            nothing="not known for so long",
        ),
    )


def during(counter: str, *conditions: str, by: str = "") -> str:
    """How often something happened in the time that is shown, in whole numbers."""
    return f"round({growth(counter, *HERE, *conditions, by=by, within='$__range')})"


def named_ends(moves_between: str) -> str:
    """Where a life begins or ends there is no stage, and a label that is empty: the words for it."""
    begun = f'label_replace({moves_between}, "from", "(new)", "from", "")'
    return f'label_replace({begun}, "to", "(forgotten)", "to", "")'


def moves() -> Json:
    """Who goes where."""
    return row(
        "Moves between stages",
        table(
            "From where to where, in the time shown",
            "locale",
            {"from": "from", "to": "to", "Value": "customers"},
            row_of_table(named_ends(during("lifecycle_stage_changes_total", by="from, to") + " > 0")),
            width=10,
            height=10,
            sort="customers",
            shows="How many customers moved from one stage to another. Who moves twice is counted twice.",
            page="metrics.md#interactions-and-stage-changes",
        ),
        lines(
            "Moves in an hour",
            "locale",
            query(named_ends(f"sum by (from, to) ({select(CHANGES, CHOSEN)}) * 3600 > 0"), "{{from}} → {{to}}"),
            width=14,
            height=10,
            shows="How many customers move in an hour, at the pace of each moment.",
            good="the usual curve of a day. One that jumps or stops after an edit of the lifecycle, or after a release "
            "of the shop, deserves a look.",
            page="metrics.md#customers-by-stage-recording-rules",
        ),
        lines(
            "Moves into each stage, in an hour",
            "locale",
            query(f"sum by (to) ({select(CHANGES, CHOSEN, TO_A_STAGE)}) * 3600", "{{to}}"),
            width=12,
            shows="How many customers enter each stage in an hour.",
            page="metrics.md#customers-by-stage-recording-rules",
        ),
        lines(
            "Moves out of each stage, in an hour",
            "locale",
            query(f"sum by (from) ({select(CHANGES, CHOSEN, FROM_A_STAGE)}) * 3600", "{{from}}"),
            width=12,
            shows="How many customers leave each stage in an hour.",
            page="metrics.md#customers-by-stage-recording-rules",
        ),
    )


def behaviour() -> Json:
    """What customers do, as the lifecycle counts it."""
    each_signal = rate("lifecycle_signals_total", *HERE, by="signal")
    return row(
        "What customers do",
        bars(
            "Signals in the time shown",
            "locale",
            now(during("lifecycle_signals_total", by="signal"), "{{signal}}"),
            width=10,
            height=10,
            shows="How often each signal of the lifecycle counted. One that stays at 0 is never sent, or is named "
            "otherwise in the lifecycle than where it comes from.",
            page="language.md#signals",
        ),
        lines(
            "Signals in an hour",
            "locale",
            query(f"{each_signal} * 3600", "{{signal}}"),
            width=14,
            height=10,
            shows="How often each signal counts in an hour, at the pace of each moment.",
            good="the usual curve of a day.",
            page="language.md#signals",
        ),
    )


def today() -> Json:
    """What the lifecycle file sums up day by day."""
    figures = f"sum by (figure) ({select('lifecycle:figure_today', CHOSEN)})"
    return row(
        "Today",
        number(
            "Figures of today",
            "locale",
            now(figures, "{{figure}}"),
            width=10,
            height=8,
            base=BLUE,
            named=True,
            nothing="no figures",
            shows="Each figure of the lifecycle file, today so far. The day is one of the lifecycle's time zone.",
            page="figures.md#what-a-figure-is",
        ),
        lines(
            "Figures over the day",
            "locale",
            query(figures, "{{figure}}"),
            width=14,
            min=None,
            nothing="no figures",
            shows="How each figure grew; it begins anew at midnight. A short gap is a part of the customers that "
            "moves from one machine to another: nothing is lost.",
            page="figures.md#what-a-figure-is",
        ),
    )


def questions() -> Json:
    """What may be missing in the numbers above."""
    unmatched = "lifecycle_unmatched_interactions_total"
    unusable = "lifecycle_unusable_properties_total"
    dropped = "lifecycle_dropped_entries_total"
    return row(
        "What may be missing",
        table(
            "Names that the lifecycle does not know",
            "locale",
            {"name": "name", "Value": "times"},
            row_of_table(f"{summed(select(unmatched, *HERE), 'name')} > 0"),
            sort="times",
            shows="What customers did under a name that the lifecycle has no word for, since the system was last "
            "started. It changed nobody's stage. `other` are names that are too many, or could hold somebody's data.",
            good="names that you do not need. One that is nearly one of yours is a typing error; one that you do need "
            "is a word to add.",
            page="metrics.md#event-names-that-no-word-covers",
            nothing="none",
        ),
        bars(
            "Values that could not be used, in the time shown",
            "locale",
            now(f"{during(unusable, by='name')} > 0", "{{name}}"),
            shows="How often a signal, fact or figure was to add a value that was not there, or was no number.",
            good="empty. Ask whoever sends it: an order without its total adds nothing.",
            page="figures.md#what-a-figure-is",
            nothing="none",
        ),
        bars(
            "Scores that are too low, in the time shown",
            "locale",
            now(f"{during(dropped, by='name')} > 0", "{{name}}"),
            shows="How often points or amounts were dropped before their time, since a customer had more of them than "
            "`keep` allows.",
            good="empty. Otherwise give the signal or fact of this name a larger `keep`.",
            page="language.md#what-is-kept-of-a-customer",
            nothing="none",
        ),
        table(
            "Edition of the lifecycle",
            "locale",
            {"version": "version", "digest": "digest", "Value": "workers"},
            row_of_table(f"count by (version, digest) ({select('lifecycle_info', *HERE)})"),
            width=12,
            height=5,
            shows="Which edition of the lifecycle file is at work. Two at a time: it is being replaced.",
            page="upgrade.md#edit-a-lifecycle-file",
        ),
        bars(
            "Came too late for its day, in the time shown",
            "locale",
            now(growth("lifecycle_closed_figure_changes_total", WORKER, within="$__range"), "older than 800 days"),
            now(growth("lifecycle_other_segment_changes_total", WORKER, within="$__range"), "too many segments"),
            width=12,
            height=5,
            decimals=0,
            shows="Changes of figures that were not counted since their day is too long ago, and those that stand "
            "under `other` since a day has more than 1,000 values of a fact. Of all lifecycles together.",
            good="0.",
            page="figures.md#what-does-not-change-any-more",
        ),
    )


# Files


def with_pages(made: Json, docs: str | None) -> Json:
    """Each panel with where more stands: a link where it is known where the pages are read, else their names."""
    return made | {"panels": [_with_page(each, docs) for each in made["panels"]]}


def _with_page(made: Json, docs: str | None) -> Json:
    if made["type"] == "row":
        return made | {"panels": [_with_page(each, docs) for each in made["panels"]]}
    page = made["page"]
    rest = {name: value for name, value in made.items() if name != "page"}
    if docs is None:
        return rest | {"description": f"{made['description']}\n\n**More:** docs/{page}"}
    url = f"{docs.rstrip('/')}/{page}"
    link = {
        "type": "link",
        "title": f"docs/{page}",
        "icon": "doc",
        "tooltip": "",
        "url": url,
        "tags": [],
        "asDropdown": False,
        "targetBlank": True,
        "includeVars": False,
        "keepTime": False,
    }
    return rest | {"description": f"{made['description']}\n\n**More:** [docs/{page}]({url})", "links": [link]}


def files(docs: str | None = None) -> dict[str, str]:
    """The text of each file by its name."""
    made = (("operations.json", operations()), ("marketing.json", marketing()))
    return {name: json.dumps(with_pages(each, docs), indent=2, ensure_ascii=False) + "\n" for name, each in made}


def main() -> None:
    """Write them."""
    parser = argparse.ArgumentParser(description="Write the dashboards for Grafana.")
    parser.add_argument("--docs", metavar="URL", help="where the folder docs is read, for links to it")
    parser.add_argument(
        "--into", metavar="FOLDER", type=Path, default=Path(__file__).parent, help="beside this program"
    )
    given = parser.parse_args()
    for name, text in files(given.docs).items():
        (given.into / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
