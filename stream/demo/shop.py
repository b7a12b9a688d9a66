"""A simulated shop: what some 2,000 people do at it in 18 months, week by week; nobody of them exists.

They come by advertisements, anonymous and on two devices; some leave an address for the newsletter, fill carts,
leave or buy them, send goods back, complain, praise us, bring friends, stay away for months and are won back.
"""

from collections.abc import Iterator
from heapq import heappop, heappush
from typing import Final

from stream.core.interaction import Interaction
from stream.demo.chance import Chance
from stream.demo.diary import WEEK
from stream.demo.shopper import Shopper

SHOP_OPENED: Final = 1_735_689_600_000
"""2025-01-01, midnight UTC, in epoch milliseconds."""
WEEKS: Final = 78
PEOPLE: Final = 2_000
SHOP_CLOSED: Final = SHOP_OPENED + WEEKS * WEEK
"""Nothing happens from this moment on."""


def shop_interactions(people: int = PEOPLE, seed: int = 1) -> Iterator[Interaction]:
    """Yield what `people` do at the shop, by ascending time.

    The same for the same seed, on every machine and Python; fewer people do what the first of more people do.
    """
    shoppers = [Shopper(number, Chance(seed * 1_000_003 + number), SHOP_OPENED) for number in range(1, people + 1)]
    waiting: list[tuple[int, int, Interaction]] = []
    count = 0
    for begin in range(SHOP_OPENED, SHOP_CLOSED, WEEK):
        for shopper in shoppers:
            for interaction in shopper.week(begin):
                count += 1
                heappush(waiting, (interaction.time, count, interaction))
        while waiting and waiting[0][0] < begin + WEEK:
            yield heappop(waiting)[2]
