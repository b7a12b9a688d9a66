#!/usr/bin/env bash
# Runs the subscriber in Java: run.sh SERVERS GROUP [COUNT]
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

mvn --quiet --batch-mode --file "$here/pom.xml" package >&2
javac -d "$here/target/classes" -cp "$here/target/jars/*" "$here"/*.java
exec java -cp "$here/target/classes:$here/target/jars/*" Subscriber "$@"
