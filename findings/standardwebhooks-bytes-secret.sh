#!/usr/bin/env bash
# standardwebhooks 1.1.0 (PyPI): a secret `whsec_…` as bytes, as it is read from a mounted file or `os.environb`.
#
# Expected: the same key as of the same secret as str; or an error, as the npm package of that name (1.1.1) has one.
# Seen: no error, and another key: bytes are taken as the key itself, prefix and base64 and all. What is signed so nobody
# verifies who has the secret as text, and the other way round: WebhookVerificationError, No matching signature found.
# npm refuses a Buffer: "Expected secret to be of type string". Fails if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check standardwebhooks==1.1.0
npm install --silent --no-audit --no-fund --no-package-lock standardwebhooks@1.1.1 >/dev/null

cat >ask.py <<'CODE'
from datetime import datetime, timezone

from standardwebhooks import Webhook, WebhookVerificationError

SECRET = "whsec_c2V2ZW50ZWVuIGJ5dGVzIG1ha2UgYSBrZXkgaGVyZQ=="
now = datetime.now(timezone.utc)
signature = Webhook(SECRET.encode()).sign("id-1", now, "{}")
headers = {"webhook-id": "id-1", "webhook-timestamp": str(int(now.timestamp())), "webhook-signature": signature}
for secret in (SECRET.encode(), SECRET):
    try:
        said = Webhook(secret).verify("{}", headers)
    except WebhookVerificationError as error:
        said = error
    print(f"{type(secret).__name__}: {said}", end="; ")
CODE
cat >ask.mjs <<'CODE'
import { Webhook } from "standardwebhooks";

try {
  new Webhook(Buffer.from("whsec_c2V2ZW50ZWVuIGJ5dGVzIG1ha2UgYSBrZXkgaGVyZQ=="));
  console.log("taken");
} catch (error) {
  console.log(error.message);
}
CODE
python=$(venv/bin/python ask.py)
node=$(node ask.mjs)
echo "Python, signed with the secret as bytes, verified with it as $python"
echo "npm, the secret as a Buffer: $node"
[[ $python == "bytes: {}; str: No matching signature found; " && $node == "Expected secret to be of type string" ]]
