#!/usr/bin/env bash
# Runs the receiver in Python: WEBHOOK_SECRET=whsec_… receive.sh PORT [COUNT]
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
installed=$here/target

[[ -x $installed/bin/python ]] || python3 -m venv "$installed"
"$installed/bin/pip" install --quiet --disable-pip-version-check --requirement "$here/requirements.txt"
exec "$installed/bin/python" "$here/receiver.py" "$@"
