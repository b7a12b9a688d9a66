#!/usr/bin/env bash
# Makes Apache Kafka runnable from this checkout: Java 17 or newer, Maven, and Kafka's jars.
# Leaves deploy/kafka/target/java, a link to the Java that was found, deploy/kafka/target/jars, and beside them
# classes.jsa: Kafka's classes as Java had them in memory, with which a node starts in two thirds of the time.
# Missing programs are installed by the system's package manager where that needs no password;
# otherwise it names the command to run, and fails.
set -euo pipefail
cd "$(dirname "$0")"

readonly OLDEST_JAVA=17

java_is_recent() { # PROGRAM
  local major
  major=$("$1" -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1) || return 1
  [[ -n $major ]] && ((major >= OLDEST_JAVA))
}

find_java() {
  local candidate
  for candidate in "${JAVA_HOME:+$JAVA_HOME/bin/java}" "$(command -v java || true)" \
    /usr/lib/jvm/*/bin/java /opt/homebrew/opt/openjdk*/bin/java /usr/local/opt/openjdk*/bin/java; do
    if [[ -x $candidate ]] && java_is_recent "$candidate"; then
      echo "$candidate"
      return
    fi
  done
  return 1
}

ready() {
  find_java >/dev/null && command -v mvn >/dev/null
}

# One shell command that installs what is missing; nothing where no package manager is known.
install_command() {
  if command -v apt-get >/dev/null; then
    # Each release of Debian and Ubuntu has at least one of the two.
    echo "apt-get update -qq && (apt-get install -y -qq openjdk-17-jre-headless maven" \
      "|| apt-get install -y -qq openjdk-21-jre-headless maven)"
  elif command -v dnf >/dev/null; then
    echo "dnf install -y -q java-21-openjdk-headless maven"
  elif command -v brew >/dev/null; then
    echo "brew install openjdk maven"
  fi
}

fail() {
  printf 'error: Apache Kafka needs Java %s or newer and Maven. %s\n' "$OLDEST_JAVA" "$1" >&2
  exit 1
}

install_java_and_maven() {
  local command log as=()
  command=$(install_command)
  [[ -n $command ]] || fail "Install both, see that 'java' and 'mvn' are on the PATH, and run this again."
  if [[ $command != brew* && $(id -u) != 0 ]]; then
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
      as=(sudo)
    else
      fail "Run this as root, then try again:  $command"
    fi
  fi
  echo "Installing Java and Maven: $command"
  log=$(mktemp)
  if ! ${as[@]+"${as[@]}"} env DEBIAN_FRONTEND=noninteractive sh -c "$command" >"$log" 2>&1 </dev/null; then
    tail -n 20 "$log" >&2
    fail "Installing them failed, see above. Install both by hand and run this again."
  fi
  rm -f "$log"
  ready || fail "They were installed and still cannot be found; set JAVA_HOME or the PATH to them."
}

ready || install_java_and_maven

mkdir -p target
ln -sfn "$(find_java)" target/java

wanted=$(cksum <pom.xml)
if [[ $(cat target/jars/.pom 2>/dev/null) != "$wanted" ]]; then
  echo "Fetching Kafka's jars with Maven"
  rm -rf target/jars
  mvn --batch-mode --quiet --file pom.xml package
  echo "$wanted" >target/jars/.pom
fi

# Java makes it of what a node has used when it ends; where that fails, Kafka starts as slowly as without it.
wanted="$wanted $(target/java -version 2>&1 | cksum)"
if [[ $(cat target/classes.of 2>/dev/null) != "$wanted" ]]; then
  echo "Starting Kafka once, to keep its classes for faster starts"
  ./class_archive.sh || echo "Kafka's classes could not be kept: it will start more slowly"
  echo "$wanted" >target/classes.of
fi
