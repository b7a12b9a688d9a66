#!/usr/bin/env bash
# One compiled wheel for Linux, of the source distribution alone, for release.sh: compile.sh BUILD PYTHON ARCHITECTURE
# SDIST FOLDER. On x86-64 and on arm64 for either of the two.
set -euo pipefail

readonly BUILD=$1 VERSION=$2 ARCHITECTURE=$3 SDIST=$4 FOLDER=$5
# The oldest that exists for both, of 2012.
readonly GLIBC=2.17
python=$BUILD/compile-$VERSION/bin/python
work=$(mktemp -d "$BUILD/work-XXXXXX")

# The headers of Python are the same on both, but for four macros that no extension module reads. Debian has those of the
# machine in a folder of its architecture, and looks for them in the folder of the one that is compiled for.
headers=$("$python" -c 'import sysconfig; print(sysconfig.get_path("include"))')
of_machine=$headers/../$(uname -m)-linux-gnu/python$VERSION/pyconfig.h
[[ -e $of_machine ]] || of_machine=$headers/pyconfig.h
mkdir -p "$work/include/$ARCHITECTURE-linux-gnu/python$VERSION"
cp "$of_machine" "$work/include/$ARCHITECTURE-linux-gnu/python$VERSION"

# Without -s there are symbols for debuggers of what C libraries bring; without -fno-sanitize, below -O1, checks. Scores must
# be those of Python to the last bit: a product and a sum in one instruction, which arm64 has, would round once, and exp2,
# which clang takes for a power of 2, rounds otherwise.
cat >"$work/cc" <<END
#!/bin/sh
exec "$BUILD/tools/bin/python" -m ziglang cc -target $ARCHITECTURE-linux-gnu.$GLIBC -fno-sanitize=undefined \
  -ffp-contract=off -fno-builtin-pow -idirafter "$work/include" "\$@"
END
chmod +x "$work/cc"
export CC=$work/cc LDSHARED="$work/cc -shared -s" ZIG_GLOBAL_CACHE_DIR=$BUILD/zig ZIG_LOCAL_CACHE_DIR=$BUILD/zig

tar -xzf "$SDIST" -C "$work"
source=$(echo "$work"/*-*/)
if [[ -n ${OPTIMISE:-} ]]; then
  sed -i "s/opt_level = \"3\"/opt_level = \"$OPTIMISE\"/" "$source/pyproject.toml"
fi

# Without isolation, for a package index would be asked for what runs on the other architecture.
unset PIP_BUILD_CONSTRAINT # pip takes it for a mistake then
# The first is read by Python itself and by what names the wheel, the second by what names the modules.
HATCH_BUILD_HOOK_ENABLE_MYPYC=1 _PYTHON_HOST_PLATFORM=linux-$ARCHITECTURE \
  SETUPTOOLS_EXT_SUFFIX=.cpython-${VERSION/./}-$ARCHITECTURE-linux-gnu.so \
  "$python" -m pip wheel --quiet --disable-pip-version-check --no-build-isolation --no-deps \
  --wheel-dir "$work/wheel" "$source"

# It calls patchelf, and names the wheel by what the modules really use.
PATH=$BUILD/tools/bin:$PATH auditwheel repair --only-plat --wheel-dir "$FOLDER" "$work"/wheel/*.whl \
  >"$work/auditwheel.log" 2>&1 || { cat "$work/auditwheel.log" >&2; exit 1; }
compgen -G "$FOLDER/*-cp${VERSION/./}-manylinux*_${GLIBC/./_}_$ARCHITECTURE.whl" >/dev/null ||
  { echo "error: the wheel for $ARCHITECTURE is not for glibc $GLIBC: $(ls "$FOLDER")" >&2; exit 1; }
