"""What version 2 of Segment's e-commerce spec says: the properties of each event and their types, as JSON Schema."""

from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}


def _texts(*names: str) -> dict[str, Schema]:
    return dict.fromkeys(names, TEXT)


def _numbers(*names: str) -> dict[str, Schema]:
    return dict.fromkeys(names, NUMBER)


def _objects(properties: dict[str, Schema]) -> Schema:
    return {"type": "array", "items": {"type": "object", "properties": properties, "additionalProperties": False}}


_SHARED_PRODUCT = {
    **_texts("product_id", "sku", "category", "name", "brand", "variant", "url", "image_url"),
    **_numbers("price"),
}
_PRODUCT = {**_SHARED_PRODUCT, **_texts("coupon"), **_numbers("quantity", "position")}
_PRODUCTS = {"products": _objects(_PRODUCT)}
_CHOICES = _objects(_texts("type", "value"))
_PROMOTION = _texts("promotion_id", "creative", "name", "position")
_AMOUNTS = {
    **_texts("order_id", "affiliation", "coupon", "currency"),
    **_numbers("revenue", "shipping", "tax", "discount"),
}
_ORDER = {**_AMOUNTS, **_numbers("total"), **_PRODUCTS}
_CHECKOUT_STEP = {**_texts("checkout_id", "shipping_method", "payment_method"), **_numbers("step")}
_COUPON = _texts("order_id", "cart_id", "coupon_id")
_WISHLIST = {**_texts("wishlist_id", "wishlist_name"), **_PRODUCT}
_SHARING = _texts("share_via", "share_message", "recipient")

EVENTS: dict[str, dict[str, Schema]] = {
    "Products Searched": {"query": {"type": ["string", "object"]}},
    "Product List Viewed": {**_texts("list_id", "category"), **_PRODUCTS},
    "Product List Filtered": {**_texts("list_id", "category"), "filters": _CHOICES, "sorts": _CHOICES, **_PRODUCTS},
    "Promotion Viewed": _PROMOTION,
    "Promotion Clicked": _PROMOTION,
    "Product Clicked": _PRODUCT,
    "Product Viewed": {**_PRODUCT, **_texts("currency"), **_numbers("value")},
    "Product Added": {**_texts("cart_id"), **_PRODUCT},
    "Product Removed": {**_texts("cart_id"), **_PRODUCT},
    "Cart Viewed": {**_texts("cart_id"), **_PRODUCTS},
    "Checkout Started": {**_AMOUNTS, **_numbers("value"), **_PRODUCTS},
    "Checkout Step Viewed": _CHECKOUT_STEP,
    "Checkout Step Completed": _CHECKOUT_STEP,
    "Payment Info Entered": {**_CHECKOUT_STEP, **_texts("order_id")},
    "Order Completed": {**_texts("checkout_id"), **_ORDER, **_numbers("subtotal")},
    "Order Updated": _ORDER,
    # The table names the order's id alone, the text above it all that the order had.
    "Order Refunded": _ORDER,
    "Order Cancelled": _ORDER,
    "Coupon Entered": _COUPON,
    "Coupon Applied": {**_COUPON, **_texts("coupon_name"), **_numbers("discount")},
    "Coupon Denied": {**_COUPON, **_texts("coupon_name", "reason")},
    "Coupon Removed": {**_COUPON, **_texts("coupon_name"), **_numbers("discount")},
    "Product Added to Wishlist": _WISHLIST,
    "Product Removed from Wishlist": _WISHLIST,
    "Wishlist Product Added to Cart": {**_texts("cart_id"), **_WISHLIST},
    "Product Shared": {**_SHARING, **_SHARED_PRODUCT},
    "Cart Shared": {**_SHARING, **_texts("cart_id"), "products": _objects(_texts("product_id"))},
    "Product Reviewed": _texts("product_id", "review_id", "review_body", "rating"),
}
"""Each event's name, and its properties by name; senders leave out what they do not have."""


def schema_of(event: str) -> Schema:
    """What passes the properties of this event: any of those that the spec names, and no others."""
    return {"type": "object", "properties": EVENTS[event], "additionalProperties": False}
