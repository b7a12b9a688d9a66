"""Template files: those of the product, users' own, and what is said of one that cannot be used."""

import hashlib
from pathlib import Path

import orjson
import pytest

from stream.webhooks.endpoint import Template
from stream.webhooks.exchange import Answer, Verdict
from stream.webhooks.templating.template_file import (
    FileTemplate,
    TemplateFileError,
    load_template,
    parse_template,
    template_names,
    template_text,
)
from stream.webhooks.templating.template_values import ValueKind
from tests.webhooks.tool_changes import change

OWN = """\
template: our-crm
title: Our CRM
values:
  url: {help: its address}
  key: {secret: true, help: its key}
  person: {kind: field, default: customer_id, help: who it is}
  ranks: {kind: stages, required: false, help: ranks of stages}
  fields: {kind: fields, default: "stage=to, since=at | iso, points=scores.engagement | whole", help: what is set}
requests:
  - method: PUT
    url: "{values.url}/people/{values.person}?key={values.key}&rank={to | in values.ranks | or 0}"
    headers: {X-Change: "{id}", X-Word: "{facts.word | or -}"}
    json:
      ...: "{values.fields}"
      final: "{final}"
      list: ["{to}", "{facts.none}", 7, true, {deep: "{facts.none}"}]
      hash: "{facts.email | lower | sha256}"
      braces: "{{to}}"
      nothing: "{facts.none}"
      mixed: "{to} {facts.none}"
answers:
  success: [200]
  refused: [409]
  message: [/problem/0/text, /a~1b]
"""


def reading(text: str, name: str = "own.yaml") -> str:
    with pytest.raises(TemplateFileError) as caught:
        parse_template(text, name)
    return str(caught.value)


def one(template: FileTemplate, **values: str) -> tuple[str, dict[str, str], object]:
    (request,) = template.requests(change(facts={"word": "Zoë\r\nX: 1", "email": "A@B.c"}), "id-1", values)
    return request.url, dict(request.headers), orjson.loads(request.body)


def test_a_file_of_ones_own_lies_beside_the_file_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(OWN, encoding="utf-8")
    for source in ("./own.yaml", "own.yaml", str(tmp_path / "own.yaml")):
        template: Template = load_template(source, tmp_path)
        assert template.name == "our-crm"
        assert template.host({"url": "https://crm.example:8443/api"}) == "crm.example:8443"


def test_a_request_has_what_the_template_says_and_leaves_out_what_is_not_there() -> None:
    url, headers, body = one(parse_template(OWN, "own.yaml"), url="https://crm.example/", key="k&y", ranks="customer=3")
    assert url == "https://crm.example/people/5?key=k%26y&rank=3"
    assert headers == {"X-Change": "id-1", "X-Word": "Zo%C3%AB%0D%0AX: 1", "Content-Type": "application/json"}
    assert body == {
        "stage": "customer",
        "since": "2026-01-01T10:00:00.000Z",
        "points": 42,
        "final": True,
        "list": ["customer", 7, True],
        "hash": hashlib.sha256(b"a@b.c").hexdigest(),
        "braces": "{to}",
    }


def test_answers_mean_what_the_template_says() -> None:
    outcome = parse_template(OWN, "own.yaml").outcome
    assert outcome(Answer(200, {}, b"")).verdict is Verdict.DELIVERED
    assert outcome(Answer(202, {}, b"")).verdict is Verdict.AGAIN
    assert outcome(Answer(410, {}, b"")).verdict is Verdict.GONE
    assert outcome(Answer(409, {}, b'{"a/b": {"c": 1}}'))[:2] == (Verdict.REFUSED, '409 {"c":1}')
    assert outcome(Answer(500, {}, b'{"problem": [{"text": "too\\n\\u0007 late"}]}')).reason == "500 too late"
    assert outcome(Answer(500, {}, b'{"problem": [], "a/b": ""}')).reason == "500"
    assert outcome(Answer(500, {}, b'{"problem": {"0": "x"')).reason == "500"
    long = outcome(Answer(500, {}, orjson.dumps({"a/b": "é" * 500}))).reason
    assert len(long) == 200
    assert long.endswith("…")


@pytest.mark.parametrize("name", template_names())
def test_every_template_of_the_product_is_named_as_its_file_and_says_what_it_wants(name: str) -> None:
    template = load_template(name, Path())
    assert template.name == name
    assert template.definition.title
    assert template.definition.about
    assert template.definition.limits
    for value in template.values:
        assert value.help
        assert not (value.required and value.default is not None)
        assert value.name not in ("key", "token", "api_key", "password", "write_key") or value.secret
        if value.example:
            assert value.problem(value.example) == ""


def test_a_template_of_the_product_can_be_copied(tmp_path: Path) -> None:
    for name in template_names():
        (tmp_path / f"my-{name}.yaml").write_text(template_text(name), encoding="utf-8")
        assert load_template(f"./my-{name}.yaml", tmp_path).definition == load_template(name, tmp_path).definition


def test_an_unknown_template_is_named_with_the_nearest_that_there_is(tmp_path: Path) -> None:
    with pytest.raises(TemplateFileError, match="unknown template 'hubpsot'; did you mean 'hubspot'"):
        load_template("hubpsot", tmp_path)
    with pytest.raises(TemplateFileError, match=r"^\./none\.yaml:1:1: cannot be read: No such file"):
        load_template("./none.yaml", tmp_path)
    (tmp_path / "latin.yaml").write_bytes(b"template: caf\xe9")
    with pytest.raises(TemplateFileError, match="not UTF-8"):
        load_template("latin.yaml", tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("template: our-crm\n", "", "own.yaml:1:1: template: is missing: its name, such as our-crm"),
        ("template: our-crm", "template: Our CRM", "1:11: a name has lower-case letters, digits and -"),
        ("title: Our", "tilte: Our", "2:1: unknown key 'tilte'; did you mean 'title'?"),
        ("{help: its address}", "{}", "4:3: help: is missing"),
        ("kind: field,", "kind: feild,", "6:18: one of text, url, field, email, fields, stages, message was expected"),
        ("secret: true", "secret: 'yes'", "true or false was expected, not the text 'yes'"),
        ("default: customer_id", "default: costumer_id", "unknown field of a stage change 'costumer_id'; did you mean"),
        ("stage=to, since", "stage, since", "'stage' is no pair; write pairs with commas between them"),
        ("since=at", "stage=at", "'stage' stands there twice"),
        ("method: PUT", "method: GET", "one of POST, PUT, PATCH, DELETE was expected"),
        ("{values.url}/people", "https://{to}/people", "a URL begins with {values.url}, or with https:// and a host"),
        ("{values.url}/people", "{values.key}/people", "a URL begins with {values.url}, or with https:// and a host"),
        ("{values.person}", "{values.preson}", "unknown value of this template 'preson'; did you mean 'person'?"),
        ("in values.ranks", "in values.fields", "values.fields is not of the kind stages"),
        ("in values.ranks", "in ranks", "the filter in asks for a value of the endpoint: write in values.ranks"),
        ("X-Change:", "Content-Length:", "Content-Length is set by whoever sends"),
        ("X-Change:", "webhook-id:", "webhook-id is set by whoever sends"),
        ("X-Change:", "'X Change':", "'X Change' is no name of a header"),
        ('...: "{values.fields}"', '...: "{values.key}"', "behind ... stands one value of the kind fields"),
        ('"{final}"', '"{finale}"', "unknown field of a stage change 'finale'; did you mean 'final'?"),
        ('"{final}"', '"{final"', "a { that belongs to nothing"),
        ('"{final}"', '"{}"', "'' is no placeholder"),
        ('"{final}"', '"{final | }"', "'final |' is no placeholder"),
        ('"{final}"', '"{final | uper}"', "unknown filter 'uper'"),
        ('"{final}"', '"{final | or}"', "the filter or is written or TEXT"),
        ('"{final}"', '"{facts}"', "unknown field of a stage change 'facts'"),
        ('"{final}"', "2026-01-01", "a text, number, true or false, list or mapping was expected"),
        ('"{final}"', "", "was expected, not nothing"),
        ("success: [200]", "success: [99]", "a whole number from 200 to 599 was expected"),
        ("[/problem/0/text", "[problem", "a JSON pointer begins with /, as in /problem"),
        ("requests:", "at_least_one: [none]\nrequests:", "unknown value of this template 'none'"),
        ("method: PUT", "only_if: [{present: to, absent: to}]", "a condition is one of present, absent and backwards"),
        ("method: PUT", "only_if: [{backwards: to}]", "backwards asks for a value of the kind stages"),
        ("method: PUT", "basic: [a]", "a list of two was expected: user, password"),
        ("answers:", "answers: [", "not YAML"),
    ],
)
def test_what_is_wrong_is_said_with_its_place_and_what_would_be_right(old: str, new: str, said: str) -> None:
    assert old in OWN
    assert said in reading(OWN.replace(old, new, 1))


def test_every_problem_is_told_at_once() -> None:
    text = OWN.replace("method: PUT", "method: GET").replace("{final}", "{finale}")
    assert [line.split(":")[1] for line in reading(text).splitlines()] == ["10", "15"]


ODD = (
    "",
    "[]",
    "{}",
    "[[]]",
    "{a: {b: 1}}",
    "1",
    "1.5",
    "true",
    "null",
    "2026-01-01",
    "'{'",
    "'{a|b}'",
    "'a=to'",
    "!!set {a}",
)


def test_whatever_stands_in_a_place_is_read_or_refused_and_nothing_else_happens() -> None:
    """Each value of the file in turn becomes something that nobody would write there."""
    lines = OWN.splitlines()
    refused = 0
    for number, line in enumerate(lines):
        indent, key = line[: len(line) - len(line.lstrip())], line.strip().partition(":")[0]
        for odd in ODD:
            text = "\n".join([*lines[:number], f"{indent}{key}: {odd}", *lines[number + 1 :]])
            try:
                parse_template(text, "own.yaml")
            except TemplateFileError:
                refused += 1
    assert refused > 100


def test_a_file_without_requests_and_one_that_is_no_mapping_are_refused() -> None:
    assert "requests" in reading("template: a\n")
    assert "a mapping was expected" in reading("- a\n")
    assert "a mapping was expected" in reading("")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("url", "ftp://example.com", "a URL was expected"),
        ("url", "https://", "a URL was expected"),
        ("url", "https://a b.example", "a URL was expected"),
        ("url", "https://x.example:99999/", "a URL was expected"),
        ("url", "https://me:secret@x.example/", "a URL holds no user name and password"),
        ("url", "https://x.example/#part", "no part behind a #"),
        ("url", "https://x.example/a?b=c", "a path is put behind this URL, so it has no part behind a ?"),
        ("key", "abc\n", "a control character"),
        ("person", "facts.", "'facts.' names none of the facts; write facts.NAME"),
        ("person", "{to}", "unknown field of a stage change '{to}'; did you mean 'to'?"),
        ("person", "values.key", "only fields of the change can stand here"),
        ("ranks", "", "no pair is there"),
        ("fields", "a=b", "unknown field of a stage change 'b'"),
        ("persn", "to", "unknown value of the template our-crm 'persn'; did you mean 'person'?"),
    ],
)
def test_what_is_wrong_with_an_endpoints_value_is_said(name: str, text: str, said: str) -> None:
    problems = parse_template(OWN, "own.yaml").problems({name: text})
    assert list(problems) == [name]
    assert said in problems[name]


def test_one_of_several_values_must_be_given_where_the_template_says_so() -> None:
    template = load_template("hubspot", Path())
    needed = "the template hubspot needs at least one of fields, stages"
    assert template.problems({"token": "t"}) == {"fields": needed}
    assert template.problems({"token": "t", "stages": "lead=lead"}) == {}


def test_only_what_is_pairs_may_be_written_as_a_mapping() -> None:
    pairs = {value.name for value in parse_template(OWN, "own.yaml").values if value.takes_pairs}
    assert pairs == {"ranks", "fields"}


def test_kinds_are_described_for_documents() -> None:
    assert {value.kind for name in template_names() for value in load_template(name, Path()).values} == set(ValueKind)
