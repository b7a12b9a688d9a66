#!/usr/bin/env bash
# Writes deploy/kafka/target/classes.jsa, Java's archive of the classes that a node of Kafka uses; called by jars.sh.
# A node starts, answers, and stops in order: then Java writes it. Fails where no archive is there afterwards.
set -euo pipefail
cd "$(dirname "$0")"

readonly HOST=127.0.0.1 START_SECONDS=60
folder=$(mktemp -d "${TMPDIR:-/tmp}/lifecycle-kafka-XXXXXX")
pid=''
clean_up() {
  if [[ -n $pid ]]; then kill -KILL "$pid" 2>/dev/null || true; fi
  rm -rf "$folder"
}
trap clean_up EXIT

listens() { # PORT
  (exec 3<>"/dev/tcp/$HOST/$1") 2>/dev/null
}

free_port() {
  local port
  while port=$((20000 + RANDOM % 10000)) && listens "$port"; do :; done
  echo "$port"
}

port=$(free_port)
controller=$((port + 10000))
rm -f target/classes.jsa
{
  cat development.properties
  echo "listeners=PLAINTEXT://$HOST:$port,CONTROLLER://$HOST:$controller"
  echo "advertised.listeners=PLAINTEXT://$HOST:$port"
  echo "controller.quorum.voters=1@$HOST:$controller"
  echo "log.dirs=$folder/topics"
} >"$folder/server.properties"

java=(target/java -XX:TieredStopAtLevel=1 "-Dlog4j2.configurationFile=$PWD/log4j2.properties" -cp "$PWD/target/jars/*")
"${java[@]}" kafka.tools.StorageTool format --config "$folder/server.properties" --cluster-id bGlmZWN5Y2xlLWNsYXNzZXM \
  >/dev/null 2>&1
"${java[@]}" -XX:ArchiveClassesAtExit=target/classes.jsa kafka.Kafka "$folder/server.properties" >/dev/null 2>&1 &
pid=$!
for ((tenths = 0; tenths < START_SECONDS * 10; tenths++)); do
  if listens "$port" || ! kill -0 "$pid" 2>/dev/null; then break; fi
  sleep 0.1
done
kill -TERM "$pid"
wait "$pid" || true # 143, as Java says after SIGTERM
pid=''
[[ -s target/classes.jsa ]]
