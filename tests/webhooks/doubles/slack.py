"""An incoming webhook of Slack, as `slack-sdk` speaks to it."""

import msgspec

from tests.webhooks.doubles.double import Double, Kept, Refusal, Reply

PATH = "/services/T000/B000/XXXX"


class Message(msgspec.Struct, forbid_unknown_fields=True):
    text: str


class Slack(Double):
    """Says what is wrong as plain text."""

    routes = (("POST", r"/services/(\w+)/(\w+)/(\w+)", "post"),)
    credentials = ()

    def refuse(self, status: int, message: str) -> Reply:
        said = {400: "invalid_payload", 404: "no_service"}.get(status, message)
        return Reply(status, said.encode(), {"Content-Type": "text/html"})

    def post(self, kept: Kept, *_: str) -> Reply:
        if kept.path != PATH:
            raise Refusal(404, "no_service")
        message = self.shaped(kept, Message)
        if not message.text or "<!" in message.text:
            raise Refusal(400, "no_text")
        return Reply(200, b"ok", {"Content-Type": "text/html"})
