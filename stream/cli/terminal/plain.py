"""Text from anywhere, fit for a terminal."""


def plain(text: str) -> str:
    """Ids come from anywhere: what would steer the terminal is spelled out."""
    return text if text.isprintable() else text.encode("unicode_escape").decode()
