#!/usr/bin/env bash
# Makes a release of the last commit, into dist: deploy/release/release.sh, or `make release`. docs/release.md says what it
# holds. PYTHONS are the versions that get compiled wheels, each for x86-64 and for arm64; each must be found here. What is
# in dist is replaced at the end, if all went well. OPTIMISE is for tests: from 0 to 3, less is ready sooner.
set -euo pipefail
cd "$(dirname "$0")/../.."

# Nothing of who makes it: neither their modules, nor how files and times are on this machine.
unset PYTHONPATH PYTHONHOME CFLAGS CPPFLAGS LDFLAGS
export LC_ALL=C.UTF-8 TZ=UTC
umask 022

readonly PYTHONS=${PYTHONS:-3.11 3.12 3.13 3.14} ARCHITECTURES="x86_64 aarch64"
# Outside of the repository: mypy would read the pyproject.toml of a folder above.
BUILD=$(mktemp -d)
trap 'rm -rf "$BUILD"' EXIT
readonly BUILD OUT=$BUILD/dist

fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

pip() { # PIP'S ARGUMENTS: into another environment with --python
  "$BUILD"/tools/bin/python -m pip --disable-pip-version-check --no-input --quiet "$@"
}

# All that can be wrong before anything is built, first.
[[ $(uname -s) == Linux ]] || fail "a release is made on Linux: there it can be tried"
git diff --quiet HEAD -- || fail "there are edits that are not committed: a release is made of a commit; commit them"
declare -A python
for version in $PYTHONS; do
  python[$version]=$(deploy/find_python.sh "$version") ||
    fail "Python $version is neither on the PATH nor among pyenv's: install it with its headers (on Debian and Ubuntu" \
      "python$version-dev), or name those that shall have a compiled wheel: make release PYTHONS=\"3.11 3.13\""
  headers=$("${python[$version]}" -c 'import sysconfig; print(sysconfig.get_path("include"))')
  [[ -e $headers/Python.h ]] || fail "Python $version has no headers: install them (Debian, Ubuntu: python$version-dev)"
done
readonly FIRST=${PYTHONS%% *}
"${python[$FIRST]}" deploy/release/changelog.py

echo "Installing what makes a release, for this once"
mkdir "$OUT" "$BUILD/tree"
"${python[$FIRST]}" -m venv "$BUILD/tools"
pip install --requirement deploy/release/tools.txt

# Times in the files are those of the commit, so that whoever builds it again gets the same.
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
PIP_CONSTRAINT=$PWD/deploy/image/constraints.txt
PIP_BUILD_CONSTRAINT=$PIP_CONSTRAINT
export SOURCE_DATE_EPOCH PIP_CONSTRAINT PIP_BUILD_CONSTRAINT

echo "Building the source distribution, and from it alone the wheel for any Python and system"
git archive HEAD | tar -x -C "$BUILD/tree"
"$BUILD"/tools/bin/python -m build --sdist --outdir "$OUT" "$BUILD/tree" >"$BUILD/sdist.log" 2>&1 ||
  { cat "$BUILD/sdist.log" >&2; fail "the source distribution could not be built"; }
sdist=$(echo "$OUT"/*.tar.gz)
pip wheel --no-deps --wheel-dir "$OUT" "$sdist"
pure=$(echo "$OUT"/*-none-any.whl)

# Before the minutes of compiling: here a new dependency is noticed.
echo "Listing what the product depends on, and under which licences"
name=${pure##*/} name=${name%-py3-none-any.whl}
"${python[$FIRST]}" -m venv --without-pip "$BUILD/product"
pip --python "$BUILD/product/bin/python" install --no-compile --prefer-binary "$pure"
"$BUILD"/tools/bin/cyclonedx-py environment "$BUILD/product/bin/python" --pyproject pyproject.toml \
  --mc-type application --output-reproducible --validate --output-format JSON --output-file "$OUT/$name.cdx.json"
"$BUILD"/tools/bin/python deploy/release/licences.py "$OUT/$name.cdx.json" "$OUT/$name.licences.csv"

for version in $PYTHONS; do
  # What compiles runs in the Python that the wheel is for; as everywhere, no library of the product is there.
  "${python[$version]}" -m venv --without-pip "$BUILD/compile-$version"
  pip --python "$BUILD/compile-$version/bin/python" install hatchling hatch-mypyc mypy setuptools pip
  for architecture in $ARCHITECTURES; do
    echo "Compiling for Python $version on $architecture (two minutes)"
    deploy/release/compile.sh "$BUILD" "$version" "$architecture" "$sdist" "$OUT"
  done
done

echo "Checking what an index would ask of the files"
"$BUILD"/tools/bin/twine check --strict "$OUT"/*.whl "$sdist" >"$BUILD/twine.log" ||
  { cat "$BUILD/twine.log" >&2; fail "an index would not take them"; }

for version in $PYTHONS; do
  echo "Trying the wheel that pip takes for Python $version"
  "${python[$version]}" -m venv --without-pip "$BUILD/try-$version"
  deploy/release/try.sh "$BUILD" "$version" "$OUT" "$pure"
done

(cd "$OUT" && sha256sum -- * >"$BUILD/SHA256SUMS" && mv "$BUILD/SHA256SUMS" .)
rm -rf dist && mv "$OUT" dist
echo "The release ${name#*-} of $(git rev-parse --short HEAD) is in dist:"
ls -1 dist
