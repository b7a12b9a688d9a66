"""What follows an order at the simulated shop: parcels, use, returns, questions, answers and complaints."""

from stream.demo.chance import Chance
from stream.demo.diary import DAY, HOUR, Diary
from stream.demo.orders import Line, Order, fill_cart
from stream.demo.temperaments import Temperament


def after_order(
    chance: Chance, diary: Diary, temperament: Temperament, order: Order, time: int, device: str | None
) -> bool:
    """Note what follows an order of `time`; return whether they are content.

    `device` is that of a guest, who is known by it only; None: a customer.
    """
    if chance.happens(0.03):
        diary.note(time + 3 * HOUR, "Order Cancelled", order.completed(), device=device)
        diary.note(time + 4 * HOUR, "Order Refunded", order.refunded(order.lines), device=device)
        return True
    if chance.happens(0.08):
        order.lines = [*order.lines, *_more(chance, order)]
        diary.note(time + 5 * HOUR, "Order Updated", {**order.completed(), "status": "changed"}, device=device)
    arrived = time + chance.between(2, 5) * DAY
    diary.note(arrived, "Order Updated", {**order.completed(), "status": "delivered"}, device=device)
    if chance.happens(temperament.returns):
        back = time + chance.between(7, 20) * DAY
        diary.note(back, "Order Refunded", order.refunded(_sent_back(chance, order)), device=device)
    content = chance.happens(temperament.content)
    if device is None:
        _use(chance, diary, arrived, content=content)
        _questions(chance, diary, arrived + DAY, content=content)
        _answers(chance, diary, arrived + 9 * DAY, content=content)
    return content


def _more(chance: Chance, order: Order) -> list[Line]:
    """Small articles that are not in the order yet."""
    there = {line.product.id for line in order.lines}
    return [line for line in fill_cart(chance, 0) if line.product.id not in there]


def _sent_back(chance: Chance, order: Order) -> list[Line]:
    """All of the order, or one line of it: that which is worth most."""
    if len(order.lines) == 1 or chance.happens(0.3):
        return order.lines
    return [max(order.lines, key=lambda line: line.product.price * line.quantity)]


def _use(chance: Chance, diary: Diary, time: int, *, content: bool) -> None:
    """They open the shop's application, where guides for what they bought are."""
    for _ in range(chance.between(3, 4) if content and chance.happens(0.5) else chance.between(0, 1)):
        time += chance.between(1, 5) * DAY + chance.between(0, 6) * HOUR
        diary.note(time, "Application Opened")


def _questions(chance: Chance, diary: Diary, time: int, *, content: bool) -> None:
    """A ticket or a chat, and how they liked the help; who is not content may complain."""
    if chance.happens(0.12 if content else 0.5):
        ticket: dict[str, object] = {"ticket_id": f"t-{diary.customer_id[1:]}-{time // HOUR}"}
        diary.note(time, chance.one_of(("Ticket Opened", "Live Chat Conversation Started")), ticket)
        if chance.happens(0.7):
            score = chance.between(4, 5) if content else chance.between(1, 3)
            diary.note(time + DAY, "CSAT Answered", {**ticket, "score": score})
    if not content and chance.happens(0.1):
        diary.note(time + 3 * DAY, "Complaint Filed", {"reason": "quality"})


def _answers(chance: Chance, diary: Diary, time: int, *, content: bool) -> None:
    """A review, the answer to the survey, a reward that is redeemed."""
    if chance.happens(0.15):
        rating = chance.between(4, 5) if content else chance.between(1, 2)
        diary.note(time, "Product Reviewed", {"rating": rating})
    if chance.happens(0.4):
        score = chance.between(8, 10) if content else chance.between(0, 6)
        diary.note(time + 2 * DAY, "NPS Answered", {"score": score})
    if content and chance.happens(0.1):
        diary.note(time + 4 * DAY, "Reward Redeemed", {"reward_id": "points"})
