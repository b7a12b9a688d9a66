"""One person at the simulated shop, week by week: visits, mails, staying away, and being won back."""

from collections.abc import Iterable
from itertools import accumulate
from typing import Final

from stream.core.interaction import Interaction
from stream.demo.aftersales import after_order
from stream.demo.catalogue import LARGE, SMALL
from stream.demo.chance import Chance
from stream.demo.diary import DAY, DEVICES, HOUR, MINUTE, WEEK, Diary
from stream.demo.orders import Order, cart_properties, fill_cart, product_properties
from stream.demo.temperaments import TEMPERAMENTS, Temperament

_FIRST_WEEKS: Final = 52
"""Everybody comes for the first time within these."""
_NEWSLETTER_WEEKS: Final = 4
_PATIENCE_WEEKS: Final = 9
"""After so many weeks away we try to win somebody back."""
_KEEN_WEEKS: Final = 5
"""For so long they come and buy more, once we did."""
_MAIL_HOUR: Final = 9 * HOUR


class Shopper:
    """Plays one person; `week` is to be called for each week in turn."""

    def __init__(self, number: int, chance: Chance, opened: int) -> None:
        self._chance = chance
        self._diary = Diary(number)
        self._temperament = _temperament(chance.share())
        # Half of the first visits fall into the first quarter of that time: the shop is news.
        early = chance.share()
        self._first = opened + int(early * early * _FIRST_WEEKS) * WEEK
        self._subscribed = False
        self._unsubscribed = False
        self._orders = 0
        self._away_since: int | None = None
        self._keen_until = 0

    def week(self, begin: int) -> Iterable[Interaction]:
        """What begins in the week from `begin` on, and what follows from it, also later."""
        if begin >= self._first:
            weeks = (begin - self._first) // WEEK
            if weeks and weeks % _NEWSLETTER_WEEKS == 0:
                self._mailing(begin + _MAIL_HOUR, weeks // _NEWSLETTER_WEEKS)
            if self._away_since is None:
                self._active_week(begin, first=weeks == 0)
        written, self._diary.entries = self._diary.entries, []
        return written

    def _active_week(self, begin: int, *, first: bool) -> None:
        keen = begin < self._keen_until
        visits = self._chance.number(self._temperament.visits * (2 if keen else 1))
        for day in sorted(self._chance.between(0, 6) for _ in range(max(visits, first))):
            self._visit(begin + day * DAY + self._chance.between(8 * 60, 22 * 60) * MINUTE, keen=keen)
        if not keen and self._chance.happens(self._temperament.leaves):
            self._away_since = begin

    def _mailing(self, time: int, number: int) -> None:
        """The newsletter; to those who stayed away for long, a coupon by mail or in an advertisement."""
        away = self._away_since is not None
        long_away = self._away_since is not None and time - self._away_since >= _PATIENCE_WEEKS * WEEK
        won = long_away and self._chance.happens(self._temperament.returning)
        campaign = "we-miss-you" if long_away else f"newsletter-{number}"
        if self._subscribed:
            clicked = self._mail(time, campaign, opens=0.15 if away else 0.4, sure=won)
            if clicked and not away:
                self._visit(time + 3 * HOUR, keen=False, campaign=campaign)
            if not won and self._chance.happens(0.01):
                self._leave_newsletter(time + 4 * HOUR, spam=self._chance.happens(0.2))
        if won:
            self._away_since = None
            self._keen_until = time + _KEEN_WEEKS * WEEK
            self._visit(time + 5 * HOUR, keen=True, campaign=campaign)

    def _mail(self, time: int, campaign: str, *, opens: float, sure: bool) -> bool:
        """Send an e-mail; whether they clicked on it."""
        about: dict[str, object] = {"email_id": campaign, "campaign_name": campaign}
        if self._chance.happens(0.02) and not sure:
            self._diary.note(time, "Email Bounced", about)
            return False
        self._diary.note(time, "Email Delivered", about)
        opened = time + self._chance.between(10, 150) * MINUTE
        if not (sure or self._chance.happens(opens)):
            return False
        self._diary.note(opened, "Email Opened", about)
        if not (sure or self._chance.happens(0.3)):
            return False
        self._diary.note(opened + MINUTE, "Email Link Clicked", about)
        return True

    def _leave_newsletter(self, time: int, *, spam: bool) -> None:
        self._diary.note(time, "Email Marked as Spam" if spam else "Unsubscribed", {"list_id": "newsletter"})
        self._subscribed, self._unsubscribed = False, True

    def _visit(self, time: int, *, keen: bool, campaign: str | None = None) -> None:
        chance, diary, kind = self._chance, self._diary, self._temperament
        device = DEVICES[chance.happens(0.4)]
        if campaign is None and chance.happens(0.4 if keen else 0.12):
            campaign = "spring-advertisement"
            diary.note(
                time,
                "Promotion Clicked",
                {"promotion_id": campaign, "cost": chance.between(20, 90) / 100},
                device=device,
                campaign=campaign,
            )
        diary.note(time + MINUTE, "page", {"path": "/"}, device=device, campaign=campaign)
        if diary.known and chance.happens(0.5) and device not in diary.signed_in:
            diary.identify(time + 2 * MINUTE, device)
            diary.note(time + 2 * MINUTE, "Signed In", device=device)
        self._browse(time + 3 * MINUTE, device, keen=keen)
        if not self._subscribed and not self._unsubscribed and chance.happens(kind.subscribes):
            diary.identify(time + 12 * MINUTE, device)
            diary.note(time + 12 * MINUTE, "Lead Captured", {"form_id": "newsletter"}, device=device)
            self._subscribed = True
        if chance.happens(min(1.0, kind.carts * (2.5 if keen else 1))):
            self._cart(time + 15 * MINUTE, device, keen=keen)
        if self._orders and chance.happens(kind.recommends):
            name = chance.one_of(("Product Shared", "Invite Sent", "Cart Shared"))
            diary.note(time + 40 * MINUTE, name, {"share_via": "email"}, device=device)

    def _browse(self, time: int, device: str, *, keen: bool) -> None:
        chance, diary = self._chance, self._diary
        if chance.happens(0.25):
            diary.note(time, "Products Searched", {"query": chance.one_of(SMALL).name.lower()}, device=device)
        shelf = LARGE if chance.happens(self._temperament.large) else SMALL
        for look in range(chance.between(1, 3)):
            product = product_properties(chance.one_of(shelf))
            diary.note(time + (look + 1) * 2 * MINUTE, "Product Viewed", product, device=device)
        if chance.happens(0.5 if keen else 0.04):
            product = {"wishlist_id": f"w-{diary.customer_id}", **product_properties(chance.one_of(shelf))}
            diary.note(time + 8 * MINUTE, "Product Added to Wishlist", product, device=device)

    def _cart(self, time: int, device: str, *, keen: bool) -> None:
        """Fill a cart, and buy it or leave it; of one that was left, a mail reminds them the day after."""
        chance, diary = self._chance, self._diary
        lines = fill_cart(chance, self._temperament.large)
        number = f"{diary.customer_id[1:]}-{time // MINUTE}"
        for line in lines:
            diary.note(time, "Product Added", {"cart_id": f"cart-{number}", **line.properties}, device=device)
        if len(lines) > 1 and chance.happens(0.1):
            removed = lines.pop()
            diary.note(time + MINUTE, "Product Removed", removed.properties, device=device)
        cart = cart_properties(f"cart-{number}", lines)
        diary.note(time + 2 * MINUTE, "Cart Viewed", cart, device=device)
        if chance.happens(min(0.95, self._temperament.buys * (1.4 if keen else 1))):
            diary.note(time + 3 * MINUTE, "Checkout Started", cart, device=device)
            self._buy(time + 5 * MINUTE, device, Order(f"order-{number}", lines, *_coupon(chance, keen=keen)))
            return
        if chance.happens(0.4):
            diary.note(time + 3 * MINUTE, "Checkout Started", cart, device=device)
        if self._subscribed and self._mail(time + DAY, "your-cart", opens=0.5, sure=False):
            diary.note(time + DAY + 4 * HOUR, "Cart Viewed", cart, device=device)

    def _buy(self, time: int, device: str, order: Order) -> None:
        chance, diary = self._chance, self._diary
        guest = device not in diary.signed_in and chance.happens(0.3)
        if device not in diary.signed_in and not guest:
            if not diary.known:
                diary.identify(time, device)
                diary.note(time, "Signed Up", {"method": "email"}, device=device)
            else:
                diary.identify(time, device)
                diary.note(time, "Signed In", device=device)
        if order.coupon is not None:
            coupon = {"order_id": order.id, "coupon_id": order.coupon, "discount": order.discount}
            diary.note(time + MINUTE, "Coupon Applied", coupon, device=device)
        diary.note(time + 2 * MINUTE, "Payment Info Entered", {"order_id": order.id}, device=device)
        diary.note(time + 3 * MINUTE, "Order Completed", order.completed(), device=device)
        self._orders += 1
        by = device if guest else None
        if not after_order(chance, diary, self._temperament, order, time + 3 * MINUTE, by):
            if self._subscribed and chance.happens(0.15):
                self._leave_newsletter(time + 21 * DAY, spam=chance.happens(0.2))
            if chance.happens(0.3):
                self._away_since = time


def _temperament(share: float) -> Temperament:
    bounds = accumulate(each.share for each in TEMPERAMENTS)
    return next((each for each, bound in zip(TEMPERAMENTS, bounds, strict=True) if share < bound), TEMPERAMENTS[-1])


def _coupon(chance: Chance, *, keen: bool) -> tuple[str | None, int]:
    """The code and the per cents; most orders have none, those of people who were won back all do."""
    return ("WELCOME-BACK", 15) if keen else ("TEN", 10) if chance.happens(0.15) else (None, 0)
