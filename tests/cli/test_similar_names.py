"""Which of two event names are probably one."""

import pytest

from stream.cli.terminal.similar_names import meant, nearest_spelling, share_words


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("Mail Clicked", "Email Link Clicked"),
        ("Email Clicked", "Email Link Clicked"),
        ("mail_clicked", "emailClicked"),
        ("Order Placed", "Orders Placed"),
        ("Form Submitted", "Contact Form Submitted"),
    ],
)
def test_names_of_the_same_words_are_probably_one(one: str, two: str) -> None:
    """Whichever of the two is in the file."""
    assert share_words(one, two)
    assert share_words(two, one)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("Clicked", "Email Link Clicked"),  # one word is in too many names
        ("Mail Clicked", "Email Opened"),
        ("Mail Clicked", "Email Footer Link Clicked"),
        ("Clicked Mail", "Mail Link Clicked"),
        ("Cart Viewed", "Chart Viewed"),
        ("Order Completed", "Checkout Completed"),
        ("", "Order Completed"),
    ],
)
def test_names_that_share_less_are_two(one: str, two: str) -> None:
    """A wrong suggestion is worse than none."""
    assert not share_words(one, two)
    assert not share_words(two, one)


def test_a_name_of_the_same_words_is_suggested_once_and_one_of_the_same_letters_always() -> None:
    """Of several with the same words, for the one that is most alike."""
    came = ["Email Banner Clicked", "Email Link Clicked", "order-completed", "Order_Completed"]
    assert meant(came, ["Mail Link Clicked", "Order Completed"]) == {
        "Email Link Clicked": "Mail Link Clicked",
        "order-completed": "Order Completed",
        "Order_Completed": "Order Completed",
    }
    assert meant(["Email Footer Clicked", "Email Link Clicked"], ["Mail Clicked"]) == {
        "Email Link Clicked": "Mail Clicked"
    }


def test_another_spelling_is_found_and_another_thing_is_not() -> None:
    """By the letters alone."""
    assert nearest_spelling("order_completed", ["Order Completed", "page"]) == "Order Completed"
    assert nearest_spelling("Order Refunded", ["Order Completed", "page"]) is None
