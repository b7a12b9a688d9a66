"""Takes stage changes as webhooks: `receiver.py PORT [COUNT]`, with the endpoint's secret in WEBHOOK_SECRET."""

import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks import Webhook, WebhookVerificationError

LARGEST = 1_048_576  # bytes

webhook = Webhook(os.environ["WEBHOOK_SECRET"])
taken = set()  # in earnest a table of your database with unique ids, whose rows may go after a week
working = threading.Lock()


def process(event: dict) -> None:
    """Your work; one that takes long belongs in a queue of yours, since the answer is waited for."""
    change = event["data"]
    print(f"{event['id']} {change['from']} -> {change['to']}", flush=True)


class Receiver(BaseHTTPRequestHandler):
    """Answers 204 for what was taken, now or before, and 401 for what nobody signed who knows the secret."""

    protocol_version = "HTTP/1.1"  # so that connections are kept

    def do_POST(self) -> None:
        """One request."""
        length = int(self.headers.get("Content-Length", "0"))
        if length > LARGEST:
            self.close_connection = True
            self.answer(413)
            return
        body = self.rfile.read(length)  # the bytes as they came: JSON that was written anew has another signature
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            webhook.verify(body, headers, json_parse=False)
        except (WebhookVerificationError, ValueError):  # the latter where a header or the body makes no sense
            self.answer(401)
            return
        with working:  # in earnest a transaction, so that neither the work nor its id is there without the other
            if headers["webhook-id"] not in taken:
                process(json.loads(body))
                taken.add(headers["webhook-id"])
        self.answer(204)
        if len(taken) >= count:
            threading.Thread(target=server.shutdown).start()

    def answer(self, status: int) -> None:
        """Without a body."""
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing of single requests."""


port, count = int(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else float("inf")
server = ThreadingHTTPServer(("127.0.0.1", port), Receiver)
print(f"listening on 127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
