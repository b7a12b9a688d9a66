"""`webhooks.yaml` as people write it: what it means, and what is said where it is wrong."""

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from stream.codec.lifecycle_yaml.lifecycle_files import parse as parse_lifecycle
from stream.webhooks.endpoint import Endpoint
from stream.webhooks.endpoints.change_names import names_of
from stream.webhooks.endpoints.endpoint_file import EndpointFileError, read_endpoints
from stream.webhooks.endpoints.signing_secrets import SecretError, read_secret, written
from tests.webhooks.changes import change_of, value_of
from tests.webhooks.templates import Contacts, load_template

SCHEMA = json.loads((Path(__file__).parents[2] / "schemas" / "webhooks.schema.json").read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)
KEY, OLD_KEY = bytes(range(24)), bytes(range(100, 164))
SECRET, OLD_SECRET = written(KEY), written(OLD_KEY)
ENVIRONMENT = {
    "CRM_SECRET": SECRET,
    "TOKEN": "pat-na1-0123456789",
    "HOOK": "https://hooks.example.com/T/B/xyzxyzxyz",
    "EMPTY": "",
    "SPACED": "abc ",
    "LINES": "a\nb",
    "WEAK": "whsec_" + base64.b64encode(b"short").decode(),
    "PLAIN_URL": "ftp://example.com/secret-path",
}
"""What the environment of a test has; nothing of it may be in a message."""
WHOLE = """\
endpoints:
  crm:
    template: contacts
    when: lifecycle == "shop" and to in ["customer", "vip"] and final
    secrets: [{env: CRM_SECRET}, {file: old-secret.txt}]
    values: {url: "https://api.example.com:8443/v3", token: {env: TOKEN}, note: lifecyclestage}
    headers: {X-Team: growth, X-Key: {file: key.txt}}
    only: latest
    rate: 100/m
    timeout: 1500ms
    concurrency: 2
    most_waiting: 7
    enabled: false
  chat:
    template: chat
    values: {url: {env: HOOK}}
"""
LEAST = """\
endpoints:
  crm:
    template: contacts
    values: {url: "https://x.example", token: {env: TOKEN}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "old-secret.txt").write_text(OLD_SECRET + "\n", encoding="utf-8")
    (tmp_path / "key.txt").write_text("k-0123456789\r\n", encoding="utf-8")
    (tmp_path / "latin.txt").write_bytes(b"gr\xfcn")
    (tmp_path / "mine.yaml").write_text("contacts", encoding="utf-8")
    return tmp_path


def read(folder: Path, text: str, **options: Any) -> dict[str, Endpoint]:
    path = folder / "webhooks.yaml"
    path.write_text(text, encoding="utf-8")
    found = read_endpoints(path, load_template, environment=ENVIRONMENT, **options)
    return {each.name: each for each in found}


def findings(folder: Path, text: str, **options: Any) -> list[str]:
    with pytest.raises(EndpointFileError) as caught:
        read(folder, text, **options)
    found = [f"{each.line}:{each.column}: {each.message}" for each in caught.value.findings]
    assert {each.file for each in caught.value.findings} == {str(folder / "webhooks.yaml")}
    assert not [secret for secret in ENVIRONMENT.values() if len(secret) > 4 and secret in str(caught.value)]
    return found


def plain(text: str) -> Any:
    """As an editor's reader of YAML hands it to a schema."""
    return YAML(typ="safe", pure=True).load(text)


def with_line(key: str, value: str) -> str:
    """The least file with one more key of its endpoint, or another value of one that is there."""
    kept = [line for line in LEAST.splitlines() if not line.startswith(f"    {key}:")]
    return "\n".join([*kept, f"    {key}: {value}", ""])


def test_every_key_of_a_file_is_read(folder: Path) -> None:
    found = read(folder, WHOLE)
    assert list(found) == ["crm", "chat"]
    crm = found["crm"]
    assert crm == Endpoint(
        name="crm",
        enabled=False,
        template=Contacts(),
        values={
            "url": "https://api.example.com:8443/v3",
            "token": "pat-na1-0123456789",
            "note": "lifecyclestage",
            "email": "facts.email",
        },
        headers=(("X-Team", "growth"), ("X-Key", "k-0123456789")),
        secrets=(KEY, OLD_KEY),
        when='lifecycle == "shop" and to in ["customer", "vip"] and final',
        only_latest=True,
        rate=100 / 60,
        timeout=1.5,
        concurrency=2,
        most_waiting=7,
        hidden=frozenset({SECRET, OLD_SECRET, "pat-na1-0123456789", "k-0123456789"}),
    )
    assert crm.wants(change_of(value_of()))
    assert not crm.wants(change_of(value_of(final=False)))
    assert VALIDATOR.is_valid(plain(WHOLE))


def test_what_a_file_leaves_out_has_its_default(folder: Path) -> None:
    crm = read(folder, LEAST)["crm"]
    assert (crm.enabled, crm.when, crm.secrets, crm.headers) == (True, None, (), ())
    assert (crm.only_latest, crm.rate, crm.timeout, crm.concurrency, crm.most_waiting) == (
        False,
        None,
        15.0,
        16,
        100_000,
    )
    assert crm.wants(change_of(value_of(to=None)))


@pytest.mark.parametrize("text", ["endpoints: {}\n", "endpoints:\n"])
def test_a_file_may_have_no_endpoint_yet(folder: Path, text: str) -> None:
    assert read(folder, text) == {}
    assert VALIDATOR.is_valid(plain(text))


def test_what_endpoints_share_may_stand_once_by_an_anchor(folder: Path) -> None:
    text = LEAST.replace("  crm:\n", "  crm: &crm\n") + "  other: {<<: *crm, only: latest}\n"
    found = read(folder, text)
    assert found["other"].values == found["crm"].values
    assert found["other"].only_latest


def test_a_template_may_be_a_file_beside_it(folder: Path) -> None:
    assert read(folder, LEAST.replace("template: contacts", "template: ./mine.yaml"))["crm"].template == Contacts()


def test_nothing_of_an_endpoint_that_may_be_secret_is_in_its_repr(folder: Path) -> None:
    shown = repr(read(folder, WHOLE))
    assert not [each for each in (*ENVIRONMENT.values(), "k-0123456789", OLD_SECRET) if len(each) > 4 and each in shown]


def test_pairs_may_be_written_as_a_mapping_where_the_template_takes_them(folder: Path) -> None:
    text = LEAST.replace("values: {", "values: {stages: {visitor: lead, customer: 21}, ")
    assert read(folder, text)["crm"].values["stages"] == "visitor=lead, customer=21"
    assert VALIDATOR.is_valid(plain(text))
    assert findings(folder, text.replace("21", "'a=b'")) == [
        "4:48: a comma, an equals sign or a quote is written in the text of all pairs: 'a=b, c=d'"
    ]
    assert findings(folder, LEAST.replace("values: {", "values: {note: {a: b}, ")) == [
        "4:20: one of both was expected: {env: NAME} or {file: PATH}"
    ]


def test_what_the_template_finds_wrong_with_a_value_is_told_at_its_place_without_a_secret(folder: Path) -> None:
    long = "a note of more than thirty characters"
    assert findings(folder, LEAST.replace("values: {", f"values: {{note: {long}, ")) == [f"4:20: '{long}' is too long"]
    assert findings(folder, LEAST.replace("values: {", "values: {note: {env: HOOK}, ")) == [
        "4:20: 'https://hooks.example.com…zxyz' is too long"
    ]


@pytest.mark.parametrize(
    ("rate", "seconds"), [("10/s", 10.0), ("100/m", 100 / 60), ("500/h", 500 / 3_600), ("999999/s", 999_999.0)]
)
def test_a_rate_is_of_requests_in_a_second_a_minute_or_an_hour(folder: Path, rate: str, seconds: float) -> None:
    assert read(folder, with_line("rate", rate))["crm"].rate == seconds


# --- what is wrong with a key: its value, what is said and where, and whether a schema can see it

URL = "url: https://x.example, "
WRONG = [
    ("template", "hubspott", "3:15: unknown template 'hubspott'; known are contacts, chat, silent", False),
    ("template", "contact", "3:15: unknown template 'contact'; did you mean 'contacts'?", False),
    ("template", "5", "3:15: a text was expected, not the number 5; quotes make a text of anything", True),
    ("template", "./no.yaml", "3:15: the template ./no.yaml cannot be read: No such file or directory", False),
    ("when", "too == 1 or", "5:22: a name or a constant was expected, not the end", False),
    (
        "when",
        "[final, late]",
        ("5:11: a condition is one text, not a list; join its parts by `and` or `or`: final and late"),
        True,
    ),
    ("when", "'from == 5'", '5:17: compares a text with a number; write "5"', False),
    ("when", "true", "5:11: a text was expected, not true; quotes make a text of anything", True),
    (
        "secrets",
        "[whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw]",
        ("5:15: a secret never stands in this file: name it, by {env: NAME} or {file: PATH}"),
        True,
    ),
    (
        "secrets",
        "{env: CRM_SECRET}",
        (
            "5:14: a list was expected that names the secrets, newest first: "
            "[{env: WEBHOOK_SECRET}, {file: old-secret.txt}]"
        ),
        True,
    ),
    (
        "secrets",
        "[{env: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw}]",
        ("5:21: the name of an environment variable was expected, not the secret itself"),
        False,
    ),
    (
        "secrets",
        "[{env: CRM_SECRET, file: old-secret.txt}]",
        ("5:15: one of both was expected: {env: NAME} or {file: PATH}"),
        True,
    ),
    ("secrets", "[{evn: CRM_SECRET}]", "5:15: one of both was expected: {env: NAME} or {file: PATH}", True),
    ("secrets", "[{}]", "5:15: one of both was expected: {env: NAME} or {file: PATH}", True),
    ("secrets", "[{env: 5}]", "5:21: the name of an environment variable was expected, not the secret itself", True),
    ("secrets", "[{env: NOT_SET}]", "5:21: this environment variable is not set", False),
    ("secrets", "[{env: EMPTY}]", "5:21: this environment variable is empty", False),
    ("secrets", "[{env: SPACED}]", "5:21: this environment variable begins or ends with white space", False),
    (
        "secrets",
        "[{env: LINES}]",
        "5:21: this environment variable holds a line break or another control character",
        False,
    ),
    (
        "secrets",
        "[{file: no.txt}]",
        ("5:22: this file cannot be read: No such file or directory; it is looked for in FOLDER"),
        False,
    ),
    ("secrets", "[{file: latin.txt}]", "5:22: this file is not UTF-8", False),
    (
        "secrets",
        "[{env: TOKEN}]",
        '5:15: a secret begins with whsec_, as echo "whsec_$(openssl rand -base64 32)" makes',
        False,
    ),
    (
        "secrets",
        "[{env: WEAK}]",
        ('5:15: a secret has 24 to 64 bytes, this one 5; make one as echo "whsec_$(openssl rand -base64 32)" makes'),
        False,
    ),
    ("secrets", "[{env: CRM_SECRET}, {env: CRM_SECRET}]", "5:34: the same secret as one before it", False),
    (
        "secrets",
        "[{env: A}, {env: A}, {env: A}, {env: A}, {env: A}]",
        "5:14: at most 4 secrets sign, these are 5",
        True,
    ),
    (
        "values",
        "{" + URL + "token: abc}",
        ("4:45: token is a secret, which never stands in this file: name it, by {env: NAME} or {file: PATH}"),
        False,
    ),
    ("values", "{" + URL + "tokn: {env: TOKEN}}", "4:38: unknown key 'tokn'; did you mean 'token'?", False),
    ("values", "{" + URL[:-2] + "}", "4:5: token: is missing among the values: the key of its private app", False),
    (
        "values",
        "{url: ftp://x.example, token: {env: TOKEN}}",
        ("4:19: a URL such as https://example.com/hook was expected"),
        False,
    ),
    (
        "values",
        "{url: {env: PLAIN_URL}, token: {env: TOKEN}}",
        ("4:19: a URL such as https://example.com/hook was expected"),
        False,
    ),
    (
        "values",
        "{url: 'https://ada:pw@x.example', token: {env: TOKEN}}",
        ("4:19: user and password do not stand in a URL, which proxies log; send them as a header"),
        False,
    ),
    (
        "values",
        "{url: 'https://x.example/a b', token: {env: TOKEN}}",
        ("4:19: a URL has ASCII characters without white space; others are written as %C3%A9, a host as xn--…"),
        False,
    ),
    (
        "values",
        "{url: 'https://x.example/#a', token: {env: TOKEN}}",
        "4:19: what follows # is never sent; leave it out",
        False,
    ),
    (
        "values",
        "{url: 5, token: {env: TOKEN}}",
        ("4:19: a text was expected, not the number 5; quotes make a text of anything"),
        True,
    ),
    ("values", "[1]", "4:13: a mapping was expected: names of values, and what they are", True),
    ("headers", "{X-Team: 5}", "5:23: a text was expected, not the number 5; quotes make a text of anything", True),
    ("headers", "{X Team: a}", "5:15: this is no name of a header: letters, digits and -", True),
    ("headers", "{Webhook-Id: a}", "5:15: Webhook-Id is set by us, for every request", False),
    ("headers", "{content-type: a}", "5:15: content-type is set by us, for every request", False),
    ("headers", "{HOST: a}", "5:15: HOST is set by us, for every request", False),
    (
        "headers",
        "{authorization: Bearer a}",
        (
            "5:30: authorization holds a secret, which never stands in this file: name "
            "it, by {env: NAME} or {file: PATH}"
        ),
        False,
    ),
    (
        "headers",
        "{X-A: a, x-a: b}",
        "5:23: the header x-a stands here a second time; capitals make no difference",
        False,
    ),
    (
        "headers",
        '{X-A: "a\\nb"}',
        ("5:20: the value of a header has printable ASCII characters, none of them white space at its ends"),
        True,
    ),
    (
        "headers",
        "{X-A: grün}",
        ("5:20: the value of a header has printable ASCII characters, none of them white space at its ends"),
        True,
    ),
    ("headers", "growth", "5:14: a mapping was expected: names of headers, and their values", True),
    ("only", "latst", "5:11: unknown choice 'latst'; did you mean 'latest'?", True),
    ("only", "true", "5:11: latest or all was expected, not true", True),
    ("rate", "10", "5:11: a rate such as 10/s, 100/m or 500/h was expected, not the number 10", True),
    ("rate", "0/s", "5:11: a rate such as 10/s, 100/m or 500/h was expected, not the text '0/s'", True),
    ("rate", "10 / s", "5:11: a rate such as 10/s, 100/m or 500/h was expected, not the text '10 / s'", True),
    ("timeout", "15", "5:14: a duration from 100ms to 5m was expected, not the number 15", True),
    ("timeout", "1h", "5:14: a duration from 100ms to 5m was expected, not the text '1h'", True),
    ("timeout", "99ms", "5:14: a duration from 100ms to 5m was expected, not the text '99ms'", False),
    ("concurrency", "0", "5:18: a whole number from 1 to 1,000 was expected, not the number 0", True),
    (
        "most_waiting",
        "'7'",
        ("5:19: a whole number from 1 to 10,000,000 was expected, not the text '7'; write 7 without quotes"),
        True,
    ),
    ("enabled", "yes", "5:14: true or false was expected, not the text 'yes'", True),
    ("tempalte", "x", "5:5: unknown key 'tempalte'; did you mean 'template'?", True),
]


@pytest.mark.parametrize(("key", "value", "finding", "in_schema"), WRONG, ids=lambda each: str(each)[:40])
def test_a_wrong_value_is_told_with_its_place_and_what_would_be_right(
    folder: Path, key: str, value: str, finding: str, in_schema: bool
) -> None:
    text = with_line(key, value)
    if key == "template":
        text = LEAST.replace("template: contacts", f"template: {value}")
    assert findings(folder, text) == [finding.replace("FOLDER", str(folder))]
    assert VALIDATOR.is_valid(plain(text)) is not in_schema


@pytest.mark.parametrize(
    ("text", "finding", "in_schema"),
    [
        ("", "1:1: a mapping was expected (the keys endpoints), not nothing", True),
        ("endpoint: {}\n", "1:1: unknown key 'endpoint'; did you mean 'endpoints'?", True),
        ("{}\n", "1:1: endpoints: is missing: a name and its settings for each", True),
        (
            "endpoints: [a]\n",
            (
                "1:12: a mapping was expected (a name and its settings for each), not a list; write `name: "
                "value`, without - and [ ]"
            ),
            True,
        ),
        (
            "endpoints: {CRM: {template: silent}}\n",
            ("1:13: 'CRM' is no name of an endpoint: a to z, 0 to 9 and -, a letter first, at most 64"),
            True,
        ),
        (
            "endpoints: {crm: https://x.example/secret}\n",
            (
                "1:18: a mapping was expected: the keys template, when, "
                "secrets, values, headers, only, rate, timeout, concurrency, most_waiting, enabled"
            ),
            True,
        ),
        (
            "endpoints: {crm: {only: all}}\n",
            ("1:13: template: is missing: the tool that is told, such as hubspot or generic, or ./file.yaml"),
            True,
        ),
        (
            "endpoints: {crm: {template: silent, values: {a: b}}}\n",
            "1:37: the template silent asks for no values",
            False,
        ),
        ("endpoints:\n  chat: {template: chat}\n", "2:3: url: is missing among the values: the hook", False),
    ],
)
def test_a_file_that_is_wrong_as_a_whole_is_told_so(folder: Path, text: str, finding: str, in_schema: bool) -> None:
    found = findings(folder, text)
    assert found[0] == finding
    assert VALIDATOR.is_valid(plain(text)) is not in_schema


def test_all_problems_of_a_file_are_told_at_once_in_the_order_of_the_text(folder: Path) -> None:
    text = LEAST.replace("template: contacts", "template: contact").replace("TOKEN", "NOPE") + "    only: both\n"
    assert [each.partition(": ")[0] for each in findings(folder, text)] == ["3:15", "4:53", "5:11"]


def test_a_file_that_is_not_yaml_repeats_no_secret(folder: Path) -> None:
    text = "endpoints:\n  crm:\n    whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n    template: x\n"
    (found,) = findings(folder, text)
    assert found.startswith("3:5: not YAML: ")
    assert "MfKQ" not in found


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(EndpointFileError) as caught:
        read_endpoints(tmp_path / "no.yaml", load_template)
    assert str(caught.value) == f"{tmp_path}/no.yaml:1:1: cannot be read: No such file or directory"


def test_more_endpoints_than_anybody_has_are_refused(folder: Path) -> None:
    text = "endpoints:\n" + "".join(f"  e{number}: {{template: silent}}\n" for number in range(257))
    assert findings(folder, text) == ["2:3: a file has at most 256 endpoints, this one 257"]
    assert not VALIDATOR.is_valid(plain(text))


def test_conditions_are_checked_against_the_lifecycles_at_hand(folder: Path) -> None:
    shop = parse_lifecycle("lifecycle: shop\nfacts: {orders: {count: order}}\nstages: {a: {}}\n", "shop.yaml")
    text = with_line("when", "ordres > 3")
    assert list(read(folder, text)) == ["crm"]
    assert findings(folder, text, known=names_of([shop.lifecycle])) == [
        "5:11: unknown name 'ordres'; did you mean 'orders'?"
    ]


# --- secrets


@given(st.binary(min_size=24, max_size=64))
def test_a_secret_of_24_to_64_bytes_is_read_as_it_was_written(key: bytes) -> None:
    assert read_secret(written(key)) == key


@pytest.mark.parametrize(
    "change",
    [
        lambda secret: secret.removeprefix("whsec_"),
        lambda secret: secret.replace("whsec_", "WHSEC_"),
        lambda secret: secret.replace("whsec_", "whsk_"),
        lambda secret: secret + "\n",
        lambda secret: secret + "=",
        lambda secret: secret.rstrip("="),
        lambda secret: secret.replace("+", "-").replace("/", "_"),
        lambda secret: secret[:10] + " " + secret[10:],
        lambda secret: secret[:-2] + "9=",  # bits that stand for nothing
        lambda _secret: "whsec_a plain passphrase of many words, long enough",
        lambda _secret: written(bytes(23)),
        lambda _secret: written(bytes(65)),
        lambda _secret: "whsec_",
    ],
)
def test_a_secret_that_a_library_would_read_as_another_key_is_refused(change: Any) -> None:
    wrong = change(written(b"\xfb\xef\xff" * 10 + b"\xff\xff"))
    with pytest.raises(SecretError) as caught:
        read_secret(wrong)
    assert not re.search(re.escape(wrong[8:20] or "never"), str(caught.value))


# --- whatever is read, an editor must not mark


@given(
    st.fixed_dictionaries(
        {"template": st.sampled_from(["silent", "contacts"])},
        optional={
            "when": st.sampled_from(["final", "", 5, None, 'to == "a"']),
            "secrets": st.sampled_from([[], None, [{"env": "CRM_SECRET"}], [{}], {}, "x"]),
            "headers": st.sampled_from([{}, None, {"X-A": "b"}, {"X-A": ""}, {"X-A": {"env": "TOKEN"}}, {"": "b"}]),
            "values": st.sampled_from([{}, None, {"url": "http://a.example", "token": {"env": "TOKEN"}}, {"url": ""}]),
            "only": st.sampled_from(["all", "latest", None, "none"]),
            "rate": st.sampled_from(["1/s", "1/d", None, 1]),
            "timeout": st.sampled_from(["1s", "5m", "6m", "0001m", None, 1]),
            "concurrency": st.sampled_from([1, 1000, 1001, 1.0, True, None]),
            "most_waiting": st.sampled_from([1, 10**7, 10**7 + 1, "1"]),
            "enabled": st.sampled_from([True, False, "no", None]),
        },
    )
)
def test_the_schema_passes_whatever_is_read(tmp_path_factory: pytest.TempPathFactory, endpoint: dict[str, Any]) -> None:
    text = json.dumps({"endpoints": {"crm": endpoint}})
    try:
        read(tmp_path_factory.getbasetemp(), text)
    except EndpointFileError:
        return
    assert list(VALIDATOR.iter_errors(json.loads(text))) == []


def test_the_schema_is_one_and_describes_every_key() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    keys = SCHEMA["$defs"]["endpoint"]["properties"]
    assert all(each["description"] for each in keys.values())
