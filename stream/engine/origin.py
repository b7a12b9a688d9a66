"""Where a partition's state comes from: what a verification needs in order to make it again."""

from stream.codec.positions import Position


class Origin:
    """The offsets at which a state began, and from which on the present lifecycles and settings made it."""

    def __init__(self, lifecycles: dict[str, str], settings: dict[str, str]) -> None:
        self.lifecycles = lifecycles
        """Digest by lifecycle, in hex."""
        self.settings = settings
        self.begun: int | None = None
        self.since: int | None = None
        self.changes_from: dict[str, int] = {}
        self._kept = False

    def resume(self, position: Position, offset: int | None) -> None:
        """Go on from a position at `offset`; after a reset that has no lifecycles."""
        self.changes_from = position.changes_from
        self._kept = bool(position.lifecycles)
        if self._kept:
            same = position.lifecycles == self.lifecycles and position.settings == self.settings
            self.begun, self.since = position.begun, position.since if same else offset

    def begin(self, offset: int) -> None:
        """The first record that is taken is at `offset`, or would be."""
        if self.since is None:
            self.since = offset
            if not self._kept:
                self.begun = offset
