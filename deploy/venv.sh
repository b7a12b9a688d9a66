#!/usr/bin/env bash
# Makes .venv ready: deploy/venv.sh, or with the name of an extra, `dev` for what the tests need besides.
# Does nothing where it was made for this very pyproject.toml before.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly EXTRA=${1:-}
readonly STAMP=.venv/installed${EXTRA:+-$EXTRA}
wanted=$(cksum <pyproject.toml)

is_current() { # STAMP
  [[ $(cat "$1" 2>/dev/null) == "$wanted" ]]
}

is_recent_enough() { # PROGRAM
  "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
  local candidate
  for candidate in python3.11 python3.12 python3.13 python3.14 python3 python; do
    if is_recent_enough "$candidate"; then
      echo "$candidate"
      return
    fi
  done
  return 1
}

fail() {
  printf 'error: %s\n' "$1" >&2
  exit 1
}

make_venv() {
  local python version
  python=$(find_python) || fail "Python 3.11 or newer is needed and was not found on the PATH."
  # Debian and Ubuntu ship the two apart from Python.
  if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    fail "$python cannot make virtual environments. On Debian or Ubuntu: apt-get install python$version-venv"
  fi
  echo "Making .venv with $("$python" --version)"
  rm -rf .venv
  "$python" -m venv .venv
}

# A minute of silence looks like an error: one line says what pip is at. Where it fails, all that it said follows.
install() { # WHAT TO INSTALL, for pip
  local log=.venv/install.log
  if ! .venv/bin/python -m pip install --disable-pip-version-check --progress-bar off "$@" 2>&1 |
    tee "$log" | show_progress; then
    cat "$log" >&2
    fail "the installation failed; what pip said stands above"
  fi
}

show_progress() {
  local number=0 line
  while IFS= read -r line; do
    case $line in
      Collecting*) number=$((number + 1)) line="$number: ${line#Collecting }" ;;
      *Downloading* | Installing*) line=${line%%,*} ;;
      *) continue ;;
    esac
    if [[ -t 1 ]]; then
      printf '\r\033[K  %.56s' "$line"
    elif ((number % 10 == 1)) && [[ $line == "$number:"* ]]; then
      printf '  %s\n' "$line"
    fi
  done
  if [[ -t 1 ]]; then printf '\r\033[K'; fi
}

# What the tests need includes what the product and the demo need.
if is_current "$STAMP" || is_current .venv/installed-dev; then exit 0; fi
if [[ -z $EXTRA ]] && is_current .venv/installed-demo; then exit 0; fi

is_recent_enough .venv/bin/python || make_venv

echo "Installing the dependencies${EXTRA:+ and those of \`$EXTRA\`} into .venv (once; a minute or so)"
install --editable ".${EXTRA:+[$EXTRA]}"
echo "$wanted" >"$STAMP"
