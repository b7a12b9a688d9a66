"""`lifecycle validate`, as people and editors meet it."""

import subprocess
from pathlib import Path

import pytest
from rich.cells import cell_len

from stream.codec.lifecycle_yaml.lifecycle_files import load, presets
from tests.cli.commands import Run

SHOP = """\
lifecycle: shop
title: Online shop
interactions:
  purchase: [Order Completed]
  opt_out: [unsubscribe]
scores:
  engagement: {half_life: 14d, max: 100}
signals:
  asked: {each: form, add: {engagement: 10}, once: true}
facts:
  orders: {count: purchase}
stages:
  visitor: {}
  lead: {title: Warm lead, channels: [email, ads], actions: [welcome_series]}
  customer: {}
  ended: {}
transitions:
  - {from: visitor, to: lead, when: engagement >= 10}
  - {from: [visitor, lead], to: customer, when: orders >= 1 and idle < 90d}
  - {from: customer, to: lead, when: idle >= 90d}
  - {from: "*", to: ended, when: event.type == "opt_out"}
"""

HOSTILE = r"""
lifecycle: hostile
title: 'A "B" <b>C</b> &amp; \N 1. x'
stages:
  end: {title: '1. Say "hi" \n <i>&lt;</i>', channels: ['a|b', 'c]d'], actions: ['{f}', '#35;', '😀']}
  default: {title: '`md`'}
transitions:
  - {from: end, to: default, when: 'event.name == "a\"b\\c]|}{<br/>&amp;%%" or properties["a b"] == "-->"'}
"""

LEDGER = """\
lifecycle: ledger
ledgers:
  sales: {each: purchase, by: properties.order_id, amount: properties.total, minus: [refund, cancelled]}
scores: {heat: {}}
signals: {bought: {each: purchase, ledger: sales, add: {heat: 1}, at_most: {times: 1, per: day}}}
facts:
  orders: {count: sales}
  year: {sum: sales, within: 365d}
  minutes: {sum: properties.minutes * 2, each: watched, within: 30d}
stages: {a: {}, b: {}}
transitions: [{from: a, to: b, when: orders >= 1 and year >= 2 and minutes >= 3}]
"""

FACTS = """\
lifecycle: counted
interactions:
  purchase: [Order Completed]
facts:
  orders: {count: purchase, minus: refund}
  unused: {count: page}
  busy: {count: [page, visit], within: 7d, keep: 5}
  revenue: {sum: properties.total, each: purchase, minus: refund, where: properties.total > 5}
  country: {latest: context.country}
  code: {latest: 'properties["a b"]', each: page, where: context.shop == "de"}
  arrived: {first: purchase}
  left: {last: [purchase, refund]}
stages: {a: {}, b: {}, c: {}}
transitions:
  - {from: a, to: b, when: 'not (orders < 1) and (revenue > 9 or 3 <= busy) and country == "DE"'}
  - {from: b, to: c, when: 'code == "x" and since(arrived) > 1d and exists(left)'}
"""

WARNED = """\
lifecycle: warned
facts:
  bought: {last: purchase}
stages: {a: {}, b: {}}
transitions:
  - {from: a, to: b, when: not (since(bought) < 90d)}
"""


def lines_of(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines()]


def test_an_error_names_file_line_and_column_and_points_into_the_source(lifecycle: Run, tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(SHOP.replace("when: engagement >= 10", "when: engagment >= 10"))

    result = lifecycle("validate", "shop.yaml")

    assert result.returncode == 1
    assert result.stdout == ""
    assert lines_of(result.stderr) == [
        "shop.yaml:18:37: error: unknown name 'engagment'; did you mean 'engagement'?",
        "    18 |   - {from: visitor, to: lead, when: engagment >= 10}",
        "       |                                     ^",
        "1 error, 0 warnings",
    ]


def test_the_caret_stands_below_the_column_after_tabs_and_wide_characters(lifecycle: Run, tmp_path: Path) -> None:
    (tmp_path / "wide.yaml").write_text('{lifecycle: x, title: "日本", stages: {a: {}},\ttransitions: 5}\n')

    lines = lines_of(lifecycle("validate", "wide.yaml").stderr)

    assert lines[0].startswith("wide.yaml:1:59: error: a list was expected")
    assert lines[1].endswith("transitions: 5}")
    assert cell_len(lines[1].removesuffix("5}")) == lines[2].index("^")


def test_all_errors_of_all_files_are_told_and_the_good_files_are_still_drawn(lifecycle: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("lifecycle: bad\nscores: 5\nstages: {a: {colour: red}}\n")
    (tmp_path / "good.yaml").write_text(SHOP)

    result = lifecycle("validate", "bad.yaml", "missing.yaml", "good.yaml")

    assert result.returncode == 1
    assert "bad.yaml:2:9: error: " in result.stderr
    assert "bad.yaml:3:14: error: unknown key 'colour'" in result.stderr
    assert "missing.yaml:1:1: error: cannot be read: No such file or directory" in result.stderr
    assert result.stderr.endswith("3 errors, 0 warnings\n")
    assert "Online shop" in result.stdout


def test_a_warning_fails_only_with_strict(lifecycle: Run, tmp_path: Path) -> None:
    (tmp_path / "warned.yaml").write_text(WARNED)

    plain, strict = lifecycle("validate", "warned.yaml"), lifecycle("validate", "warned.yaml", "--strict")

    assert (plain.returncode, strict.returncode) == (0, 1)
    assert plain.stderr.startswith("warned.yaml:6:28: warning: `not` of a comparison with since(bought)")
    assert plain.stderr == strict.stderr


def test_the_picture_shows_stages_in_order_with_their_ways_on_past_and_back(lifecycle: Run, tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(SHOP)

    result = lifecycle("validate", "shop.yaml")

    assert (result.returncode, result.stderr) == (0, "")
    assert lines_of(result.stdout)[3:] == [
        "╭─ 1 visitor ────────────────────────────────╮",
        "│ everyone starts here                       │",
        "╰────────────────────────────────────────────╯",
        "   ├─▼ Warm lead  engagement >= 10",
        "   ├─▶ customer   orders >= 1 and idle < 90d",
        "   │",
        "╭─ 2 Warm lead (lead) ───────────────────────╮",
        "│ channels  email, ads                       │",
        "│ actions   welcome_series                   │",
        "╰────────────────────────────────────────────╯",
        "   ├─▼ customer  orders >= 1 and idle < 90d",
        "   │",
        "╭─ 3 customer ───────────────────────────────╮",
        "╰────────────────────────────────────────────╯",
        "   └─▲ Warm lead  idle >= 90d ◷",
        "",
        "╭─ 4 ended ──────────────────────────────────╮",
        "╰────────────────────────────────────────────╯",
        "",
        "From any stage, tried after the others",
        '   └─▶ ended  event.type == "opt_out"',
        "",
        "▼ on to the next   ▶ past it   ▲ back   ◷ comes by time alone   tried from top to bottom",
        "",
        "engagement  halves every 14d, max 100",
        "   +10  asked  each form, once",
        "",
        "facts  that conditions name",
        "   orders  count of each purchase",
        "",
    ]


def test_the_picture_says_what_each_fact_is_that_a_transition_names(lifecycle: Run, tmp_path: Path) -> None:
    (tmp_path / "facts.yaml").write_text(FACTS)

    lines = lines_of(lifecycle("validate", "facts.yaml").stdout)

    assert lines[lines.index("facts  that conditions name") + 1 :] == [
        "   orders   count of each purchase, minus each refund",
        "   busy     count of each page or visit within 7d, at most 5",
        "   revenue  sum properties.total of each purchase, minus each refund, where properties.total > 5",
        "   country  latest context.country of any interaction",
        '   code     latest properties["a b"] of each page where context.shop == "de"',
        "   arrived  time of the first purchase",
        "   left     time of the last purchase or refund",
        "",
    ]


def test_the_picture_says_what_facts_and_signals_take_from_a_ledger(lifecycle: Run, tmp_path: Path) -> None:
    (tmp_path / "ledger.yaml").write_text(LEDGER)

    lines = lines_of(lifecycle("validate", "ledger.yaml").stdout)

    assert "   +1  bought  each purchase new to sales, at most 1 per day" in lines
    assert lines[lines.index("facts  that conditions name") + 1 :] == [
        "   orders   count of sales: each purchase, minus each refund or cancelled",
        "   year     sum of sales: each purchase, minus each refund or cancelled within 365d, at most 64",
        "   minutes  sum properties.minutes * 2 of each watched within 30d, at most 64",
        "",
    ]


def test_facts_that_no_transition_names_are_not_drawn(lifecycle: Run, tmp_path: Path) -> None:
    (tmp_path / "facts.yaml").write_text(FACTS.partition("transitions:")[0])

    assert "facts  that" not in lifecycle("validate", "facts.yaml").stdout


def test_a_lifecycle_without_a_title_is_named_once(lifecycle: Run, tmp_path: Path) -> None:
    (tmp_path / "facts.yaml").write_text(FACTS)
    (tmp_path / "shop.yaml").write_text(SHOP)

    assert lifecycle("validate", "facts.yaml").stdout.startswith("counted  version 1 ──")
    assert lifecycle("validate", "shop.yaml").stdout.startswith("Online shop  shop, version 1 ──")


@pytest.mark.parametrize(
    ("condition", "comes"),
    [
        ("idle >= 1d", True),
        ("1d <= idle", True),
        ("not in_stage < 1d", True),
        ("since(bought) < 1d", False),
        ("heat >= 1", False),
        ("heat < 1", True),
        ("not heat >= 1", True),
        ("heat < 0", False),
        ("heat <= 0", True),
        ("heat > -1", True),
        ("busy >= 3", False),
        ("busy == 3", True),
        ("points < 1", False),
        ('event.type == "x" and idle > 1d', False),
    ],
)
def test_the_clock_marks_exactly_what_time_alone_can_make_true(
    lifecycle: Run, tmp_path: Path, condition: str, comes: bool
) -> None:
    (tmp_path / "time.yaml").write_text(
        "lifecycle: time\n"
        "scores: {heat: {half_life: 1d}, points: {}}\n"
        "facts: {bought: {last: purchase}, busy: {count: visit, within: 7d}}\n"
        "stages: {a: {}, b: {}}\n"
        f"transitions:\n  - from: a\n    to: b\n    when: '{condition}'\n"
    )

    result = lifecycle("validate", "time.yaml")

    assert f"{condition} ◷" in result.stdout if comes else "◷" not in result.stdout


def test_a_long_condition_wraps_beside_its_branch(lifecycle: Run, tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(SHOP)

    result = lifecycle("validate", "shop.yaml", environment={"COLUMNS": "42"})

    assert "   ├─▶ customer   orders >= 1 and idle <\n   │              90d\n" in result.stdout
    assert max(map(len, lines_of(result.stdout))) <= 42


@pytest.mark.parametrize("text", [SHOP, HOSTILE], ids=["shop", "hostile"])
def test_graphviz_reads_the_graph_and_shows_every_title_as_it_is_written(
    lifecycle: Run, tmp_path: Path, text: str
) -> None:
    (tmp_path / "x.yaml").write_text(text)

    graph = lifecycle("validate", "x.yaml", "--dot")
    drawn = subprocess.run(
        ["dot", "-Tsvg"],  # noqa: S607 - wherever it is installed
        input=graph.stdout,
        capture_output=True,
        text=True,
        check=True,
    )

    assert (graph.returncode, graph.stderr, drawn.stderr) == (0, "", "")
    shown = drawn.stdout.replace("&#160;", " ").replace("&quot;", '"').replace("&#45;", "-")
    shown = shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    expected = ["Warm lead", "actions: welcome_series", 'event.type == "opt_out"']
    if text == HOSTILE:
        expected = [
            '1. Say "hi" \\n <i>&lt;</i>',
            "`md`",
            "channels: a|b, c]d",
            "actions: {f}, #35;, 😀",
            r'"a\"b\\c]|}',
        ]
    for each in expected:
        assert f">{each}" in shown


def test_mermaid_gets_every_special_character_as_its_code(lifecycle: Run, tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(HOSTILE)

    result = lifecycle("validate", "x.yaml", "--mermaid")

    assert (result.returncode, result.stderr) == (0, "")
    title = "1#46; Say #34;hi#34; #92;n #60;i#62;#38;lt#59;#60;/i#62;"
    words = "<br/>channels#58; a#124;b, c#93;d<br/>actions#58; #123;f#125;, #35;35#59;, #128512;"
    text = "#34;a#92;#34;b#92;#92;c#93;#124;#125;#123;#60;br/#62;#38;amp#59;#37;#37;#34;"
    property_text = "properties#91;#34;a b#34;#93; == #34;#45;#45;#62;#34;"
    assert lines_of(result.stdout) == [
        "flowchart TD",
        f'  s1("{title}{words}")',
        '  s2("#96;md#96;")',
        f'  s1 -->|"event.name == {text} or {property_text}"| s2',
    ]


def test_mermaid_draws_back_ways_dashed_and_any_stage_once(lifecycle: Run, tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(SHOP)

    lines = lines_of(lifecycle("validate", "shop.yaml", "--mermaid").stdout)

    assert '  s3 -.->|"idle #62;= 90d"| s2' in lines
    assert '  any(["any stage"])' in lines
    assert [line for line in lines if line.endswith("| s4")] == ['  any -.->|"event.type == #34;opt_out#34;"| s4']


def test_a_bad_file_gives_no_graph(lifecycle: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("lifecycle: bad\n")

    result = lifecycle("validate", "bad.yaml", "--dot")

    assert (result.returncode, result.stdout) == (1, "")


def test_two_graphs_at_once_are_a_usage_error(lifecycle: Run, tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(SHOP)

    assert lifecycle("validate", "shop.yaml", "shop.yaml", "--dot").returncode == 2
    assert lifecycle("validate", "shop.yaml", "--dot", "--mermaid").returncode == 2
    assert lifecycle("validate").returncode == 2


@pytest.mark.parametrize("preset", presets())
def test_every_preset_is_valid_by_its_name_without_a_warning(lifecycle: Run, preset: str) -> None:
    result = lifecycle("validate", preset, "--strict")

    assert (result.returncode, result.stderr) == (0, "")
    assert "everyone starts here" in result.stdout


def test_the_settings_table_as_markdown_has_a_row_for_each_setting(lifecycle: Run) -> None:
    lines = lines_of(lifecycle("settings", "--markdown").stdout)

    assert lines[:2] == ["| Setting | Environment variable | Default | Meaning |", "|---|---|---|---|"]
    assert "| `web_port` | `LIFECYCLE_WEB_PORT` | `6066` | port of these; 0 takes a free one |" in lines


def test_the_digest_of_each_file_is_shown_so_that_a_state_or_a_worker_can_be_matched_to_it(
    lifecycle: Run, tmp_path: Path
) -> None:
    """However long the title is, which is cut off."""
    text = SHOP.replace("Online shop", "A shop with a long title. " * 9)
    files = [tmp_path / "shop.yaml", tmp_path / "edited.yaml"]
    files[0].write_text(text)
    files[1].write_text(text.replace("90d", "91d"))
    digests = [load(str(file)).lifecycle.digest.hex() for file in files]
    assert digests[0] != digests[1]
    lines = lines_of(lifecycle("validate", "shop.yaml", "edited.yaml").stdout)
    assert [line for line in lines if line.startswith("digest ")] == [f"digest {digest}" for digest in digests]
