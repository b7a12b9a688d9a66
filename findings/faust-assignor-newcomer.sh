#!/usr/bin/env bash
# faust-streaming 0.15.3: a worker that joins a group may get next to nothing. Its assignor, which says of itself that it
# results in a balanced assignment, takes from each worker down to the least that anybody should have, and deals what it
# took in turns, to those who had some as well: the fifth of five workers gets 1 of 16 partitions, the third of three 4.
# Even would be 4 3 3 3 3 and 6 5 5. It stays so until somebody comes or goes.
# Seen: 4 4 4 3 1 and 6 6 4. Fails if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check faust-streaming==0.15.3 "click<8.4"

cat >"$folder/join.py" <<'CODE'
import sys

from faust.assignor.client_assignment import CopartitionedAssignment
from faust.assignor.copartitioned_assignor import CopartitionedAssignor

owned = []
for _ in range(int(sys.argv[1])):
    owned.append(set())
    members = {f"worker {n}": CopartitionedAssignment(actives=each, topics={"orders"}) for n, each in enumerate(owned)}
    assignor = CopartitionedAssignor({"orders"}, members, num_partitions=16, replicas=0)
    owned = [each.actives for each in assignor.get_assignment().values()]
print(*map(len, owned))
CODE
five=$("$folder/venv/bin/python" "$folder/join.py" 5)
three=$("$folder/venv/bin/python" "$folder/join.py" 3)
echo "16 partitions, workers that join one after the other: $five; $three"
[[ $five == "4 4 4 3 1" && $three == "6 6 4" ]]
