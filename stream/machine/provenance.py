"""What a partition's state was made from: what a verification needs to make it again."""

from stream.codec.state.positions import Position


class Provenance:
    """The offsets at which a state began, and from which on the present lifecycles and settings made it."""

    def __init__(self, lifecycles: dict[str, str], settings: dict[str, str]) -> None:
        self.lifecycles = lifecycles
        """Digest by lifecycle, in hex."""
        self.settings = settings
        self.begun: int | None = None
        self.since: int | None = None
        self.changes_from: dict[str, int] = {}
        self.given: int | None = None
        self.edited: dict[str, str | None] = {}
        """Lifecycles that are others than those that the state was last written with, and the digests of those, in hex;
        None: there was none of that name."""
        self.differs = False
        """The position that is kept names other lifecycles or settings."""
        self._last_written: dict[str, str] = {}
        self._kept = False

    def resume(self, position: Position, offset: int | None) -> None:
        """Go on from a position at `offset`; after a reset that has no lifecycles."""
        self.changes_from = position.changes_from
        self.given = position.given_generation
        self._kept = bool(position.lifecycles)
        if self._kept:
            self.differs = position.lifecycles != self.lifecycles or position.settings != self.settings
            self.begun, self.since = position.begun, offset if self.differs else position.since
            self._last_written = position.lifecycles
            self.edited = {
                name: position.lifecycles.get(name)
                for name, digest in self.lifecycles.items()
                if position.lifecycles.get(name) != digest
            }

    def remedy(self, digest: str) -> str:
        """What to do where the layout of `digest` is missing: which file to start with, as far as it is known."""
        name = next((name for name, written in self._last_written.items() if written == digest), None)
        which = "the lifecycle file" if name is None else f"the file of lifecycle {name}"
        return (
            f". Start a worker once with {which} as it was when its digest was {digest} (`lifecycle validate` shows "
            "it): that keeps the layout. Then start with the file of now"
        )

    def begin(self, offset: int) -> None:
        """Processing begins, or goes on, at `offset`."""
        if self.since is None:
            self.since = offset
            if not self._kept:
                self.begun = offset
