#!/usr/bin/env bash
# Starts one node of Apache Kafka on this machine, for development; see --help.
set -euo pipefail

usage() {
  cat <<'USAGE'
Usage: deploy/kafka/start.sh [OPTIONS]

Start one node of Apache Kafka on this machine and run it until Ctrl-C. For development: without security,
and with one copy of everything. The first start fetches Java and Kafka where they are missing. What does
not stop within 30 s of a Ctrl-C, or at a second one, is ended by SIGKILL.

  --port PORT     Port for clients, 9092 by default. Clients reach it from this machine only.
  --data FOLDER   Where topics are kept from one start to the next; by default deploy/kafka/target/data,
                  which `make clean` removes.
  --temporary     Keep nothing: the topics are gone when it stops.
  --help          Show this and exit.
USAGE
}

fail() { # PROBLEM [STATUS]
  printf 'error: %s\n' "$1" >&2
  exit "${2:-1}"
}

wrong() { # PROBLEM
  fail "$1; deploy/kafka/start.sh --help lists the options" 2
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here HOST=127.0.0.1 START_SECONDS=60 STOP_SECONDS=30
# Of every folder that this script made, so that it knows the data of another Kafka.
readonly CLUSTER_ID=bGlmZWN5Y2xlLWRldmVsbw

port=9092 data='' temporary=''
while (($#)); do
  case $1 in
    --port | --data)
      [[ $# -ge 2 && -n $2 ]] || wrong "$1 needs a value"
      if [[ $1 == --port ]]; then port=$2; else data=$2; fi
      shift 2
      ;;
    --temporary) temporary=yes && shift ;;
    -h | --help) usage && exit ;;
    *) wrong "unknown option '$1'" ;;
  esac
done
[[ $port =~ ^[1-9][0-9]{0,4}$ ]] && ((port < 65535)) || wrong "--port '$port' is no port from 1 to 65534"
[[ -z $temporary || -z $data ]] || wrong "--temporary keeps no data, so that it does not go with --data"

listens() { # PORT
  (exec 3<>"/dev/tcp/$HOST/$1") 2>/dev/null
}

if listens "$port"; then
  fail "port $port is in use on this machine: stop what listens there, or choose another with --port"
fi
controller=$((port + 1))
while listens "$controller"; do
  ((++controller <= 65535)) || fail "no port above $port is free for Kafka's controller; choose another with --port"
done

"$here/jars.sh"

pid='' interrupted=''
clean_up() {
  trap 'interrupted=yes' INT TERM HUP
  if [[ -n $pid ]] && kill "$pid" 2>/dev/null; then
    echo "Stopping Apache Kafka. Ctrl-C again ends it at once."
    for ((tenths = 0; tenths < STOP_SECONDS * 10; tenths++)); do
      if [[ -n $interrupted ]] || ! kill -0 "$pid" 2>/dev/null; then break; fi
      sleep 0.1 || true # Ctrl-C reaches it too
    done
    if kill -KILL "$pid" 2>/dev/null; then
      reason="it did not stop within $STOP_SECONDS s"
      if [[ -n $interrupted ]]; then reason="it was interrupted again"; fi
      echo "Ended Apache Kafka by SIGKILL: $reason."
    fi
    wait "$pid" 2>/dev/null || true
  fi
  if [[ -n $temporary ]]; then rm -rf "$data"; fi
}
trap clean_up EXIT
trap 'exit 0' INT TERM HUP

if [[ -n $temporary ]]; then
  data=$(mktemp -d "${TMPDIR:-/tmp}/lifecycle-kafka-XXXXXX")
else
  data=${data:-$here/target/data}
  mkdir -p "$data" || fail "folder $data cannot be created"
  data=$(cd "$data" && pwd)
  if [[ -n $(ls -A "$data") && ! -e $data/server.properties ]]; then
    fail "folder $data holds something else, no data of this script: choose an empty or new one with --data"
  fi
fi
# From here on paths are relative: those in server.properties may have no comma, and no letter beyond Latin-1.
cd "$data"

if [[ -e topics/meta.properties ]] && ! grep -qx "cluster.id=$CLUSTER_ID" topics/meta.properties; then
  other=$(sed -n 's/^cluster.id=//p' topics/meta.properties)
  fail "folder $data holds data of another Kafka cluster, ${other:-of unknown id}: choose another with --data"
fi

# Kafka's own lock does not stop it early enough: the second one would overwrite settings and log of the first.
if [[ -e kafka.pid && $(ps -ww -o args= -p "$(<kafka.pid)" 2>/dev/null) == *"kafka.Kafka server.properties"* ]]; then
  fail "another Kafka runs on folder $data: stop it, or choose another with --data"
fi

{
  echo "# Written again at each start by deploy/kafka/start.sh."
  cat "$here/development.properties"
  echo "listeners=PLAINTEXT://$HOST:$port,CONTROLLER://$HOST:$controller"
  echo "advertised.listeners=PLAINTEXT://$HOST:$port"
  echo "controller.quorum.voters=1@$HOST:$controller"
  echo "log.dirs=topics"
} >server.properties

java=("$here/target/java" "-XX:SharedArchiveFile=$here/target/classes.jsa"
  "-Dlog4j2.configurationFile=$here/log4j2.properties" -cp "$here/target/jars/*")
if [[ ! -e topics/meta.properties ]]; then
  "${java[@]}" kafka.tools.StorageTool format --config server.properties --cluster-id "$CLUSTER_ID" >kafka.log 2>&1 ||
    { tail -n 20 kafka.log >&2 && fail "Kafka could not prepare $data, see above"; }
fi

# In the background, where Ctrl-C does not reach it: it is stopped once, in order, by this script.
"${java[@]}" -Xms256m -Xmx512m kafka.Kafka server.properties >kafka.log 2>&1 &
pid=$!
echo "$pid" >kafka.pid
for ((tenths = 0; ; tenths++)); do
  if ! kill -0 "$pid" 2>/dev/null; then
    pid=''
    tail -n 20 kafka.log >&2
    fail "Kafka ended while it started, see above; all of its log is $data/kafka.log"
  fi
  if listens "$port"; then break; fi
  ((tenths < START_SECONDS * 10)) || fail "Kafka does not answer after $START_SECONDS s, see $data/kafka.log"
  sleep 0.1
done

echo "Apache Kafka answers on $HOST:$port. Ctrl-C stops it."
if [[ -n $temporary ]]; then
  echo "Its topics are gone then."
else
  echo "Its topics are kept in $data, its log is kafka.log there."
fi

status=0
wait "$pid" || status=$?
pid=''
fail "Kafka ended by itself with exit code $status; its log is $data/kafka.log"
