"""Text from anywhere, fit for a terminal."""


def plain(text: str) -> str:
    """Spell out what would steer a terminal: ids, headers and values are whatever somebody sent."""
    return text if text.isprintable() else text.encode("unicode_escape").decode()
