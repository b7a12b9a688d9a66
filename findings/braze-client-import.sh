#!/usr/bin/env bash
# braze-client 2.3.3 (its latest) on Python 3.11 and newer: `from braze.client import BrazeClient`.
#
# Expected: pip installs it on every Python that its metadata allow (>= 2.7, without an upper bound), so that it imports.
# Seen: pip installs it and says nothing, `pip check` finds no fault, and the import raises AttributeError: module 'asyncio'
# has no attribute 'coroutine'. The release asks for tenacity >= 5, < 6, of which the last, 5.1.5, uses a decorator that
# Python 3.11 took away. The client itself needs nothing of 5.x: with tenacity 9.1.4, installed over what pip resolves, the
# same call sends its request. So a job that moved to 3.11 fails at start, and a lock file made by a resolver cannot mend it.
set -euo pipefail
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "needs Python 3.11 or newer" >&2; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
pip=("$folder/venv/bin/python" -m pip --quiet --disable-pip-version-check)
"${pip[@]}" install braze-client==2.3.3
"${pip[@]}" check
cat >"$folder/try.py" <<'PYTHON'
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version

kept = []


class Api(BaseHTTPRequestHandler):
    def do_POST(self):
        kept.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(201)
        self.end_headers()
        self.wfile.write(b'{"message": "success"}')

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), Api)
threading.Thread(target=server.serve_forever, daemon=True).start()
try:
    from braze.client import BrazeClient

    BrazeClient("key", f"http://127.0.0.1:{server.server_port}").user_track(attributes=[{"external_id": "5"}])
    said = f"sent {len(kept)}"
except AttributeError as error:
    said = f"AttributeError: {error}".split(". ")[0]
print(f"tenacity {version('tenacity')}: {said}")
PYTHON
seen=$("$folder/venv/bin/python" "$folder/try.py")
"${pip[@]}" install tenacity==9.1.4 2>/dev/null
mended=$("$folder/venv/bin/python" "$folder/try.py")
printf '%s\n%s\n' "$seen" "$mended"
[[ $seen == "tenacity 5.1.5: AttributeError: module 'asyncio' has no attribute 'coroutine'"* ]]
[[ $mended == "tenacity 9.1.4: sent 1" ]]
