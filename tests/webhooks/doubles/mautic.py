"""Mautic's API, as `node-mautic` 1.2.7 and Mautic's own routes have it."""

from tests.webhooks.doubles.double import Double, Kept, Refusal, Reply, basic, json_reply

USER, PASSWORD = "lifecycle", "mautic-password"


class Mautic(Double):
    """Knows the contact 7, the stages 2 and 3."""

    routes = (
        ("PATCH", r"/api/contacts/(\d+)/edit", "edit"),
        ("POST", r"/api/contacts/new", "new"),
        ("POST", r"/api/stages/(\d+)/contact/(\d+)/add", "stage"),
        ("POST", r"/api/contacts/(\d+)/points/plus/(\d+)", "points"),
    )
    credentials = (("authorization", basic(USER, PASSWORD)),)

    def __init__(self) -> None:
        super().__init__()
        self.points_of_7 = 0

    def refuse(self, status: int, message: str) -> Reply:
        return json_reply(status, {"errors": [{"code": status, "message": message, "details": []}]})

    def edit(self, kept: Kept, contact: str) -> Reply:
        self._known(contact)
        self._fields(kept)
        return json_reply(200, {"contact": {"id": 7}})

    def new(self, kept: Kept) -> Reply:
        if "email" not in self._fields(kept):
            raise Refusal(400, "email: This value should not be blank.")
        return json_reply(201, {"contact": {"id": 7}})

    def stage(self, kept: Kept, stage: str, contact: str) -> Reply:
        self._known(contact)
        if stage not in ("2", "3"):
            raise Refusal(404, "Item was not found.")
        return self._empty(kept)

    def points(self, kept: Kept, contact: str, delta: str) -> Reply:
        self._known(contact)
        self.points_of_7 += int(delta)
        return self._empty(kept)

    def _known(self, contact: str) -> None:
        if contact != "7":
            raise Refusal(404, "Item was not found.")

    def _fields(self, kept: Kept) -> dict[str, object]:
        fields = self.shaped(kept, dict[str, str | float | list[str]])
        if not isinstance(fields.get("tags", []), list):
            raise Refusal(400, "tags: a list was expected")
        return dict(fields)

    def _empty(self, kept: Kept) -> Reply:
        if kept.body:
            raise Refusal(400, "nothing was expected")
        return json_reply(200, {"success": 1})
