"""Of credentials people see the last four characters, wherever they stand."""

import json
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from stream.webhooks.endpoints.hidden_texts import header_without, last_four, without

SECRETS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zs"]), min_size=12, max_size=40)


def test_the_end_of_a_long_secret_is_shown_and_nothing_of_a_short_one() -> None:
    assert last_four("pat-eu1-0123456789") == "…6789"
    assert last_four("hunter2") == "…"


@given(SECRETS, st.sampled_from([str, json.dumps, lambda text: quote(text, safe=""), quote]))
def test_a_secret_is_not_shown_as_it_is_nor_in_json_or_a_url(secret: str, form: object) -> None:
    text = f"before {form(secret)} after"  # type: ignore[operator]
    shown = without(text, [secret])
    assert secret not in shown
    assert shown.replace('"', "") == f"before {last_four(secret)} after"


def test_of_two_secrets_one_of_which_holds_the_other_both_are_hidden() -> None:
    assert without("abcdefghijkl abcdefgh", ["abcdefgh", "abcdefghijkl"]) == "…ijkl …"


def test_of_a_url_that_is_a_secret_the_host_is_shown() -> None:
    hook = "https://hooks.example.com/services/T0/B0/xyzxyzxyz/"
    assert (
        without("https://hooks.example.com/services/T0/B0/xyzxyzxyz?a=b", [hook])
        == "https://hooks.example.com…zxyz?a=b"
    )


def test_a_credential_behind_a_scheme_is_hidden_whatever_it_was_made_of() -> None:
    assert header_without("Authorization", "Basic YWRhOnNlY3JldC1rZXk=", []) == "Basic …ZXk="
    assert header_without("X-Api-Key", "k-0123456789", ["k-0123456789"]) == "…6789"
    assert header_without("Content-Type", "application/json", []) == "application/json"
