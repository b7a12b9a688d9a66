"""What `make release` makes: all of the product, nothing else, the same each time; and what it refuses.

Those that build all of it are for `make operators`: they compile, and fetch from the package index what that needs.
"""

import csv
import datetime as dt
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import util
from pathlib import Path
from types import ModuleType
from typing import Any
from zipfile import ZipFile

import pytest
from packaging.utils import parse_wheel_filename

ROOT = Path(__file__).parents[2]
RELEASE = ROOT / "deploy" / "release"
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
VERSION: str = PROJECT["project"]["version"]
NAME = f"customer_lifecycle-{VERSION}"
GIT, MAKE = shutil.which("git") or "git", shutil.which("make") or "make"
LARGEST = 2_000_000
"""Bytes of a source distribution: more would be something that does not belong into it."""
TODAY = dt.date(2026, 11, 29)
READY = """# Changelog

## [Unreleased]

## [1.2.0] - 2026-11-28

### Added

- What is new.

## [1.1.0] - 2026-10-01

- What was new.
"""


def _module(path: Path) -> ModuleType:
    """A program that no package has."""
    specification = util.spec_from_file_location(path.stem + "_of_release", path)
    assert specification is not None
    assert specification.loader is not None
    module = util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


CHANGELOG = _module(RELEASE / "changelog.py")
LICENCES = _module(RELEASE / "licences.py")


def test_a_changelog_with_a_dated_section_of_the_version_and_nothing_left_over_is_ready() -> None:
    CHANGELOG.check_changelog(READY, "1.2.0", TODAY)


@pytest.mark.parametrize(
    ("was", "becomes", "right"),
    [
        ("## [1.2.0] - 2026-11-28\n", "", "write '## [1.2.0] - 2026-11-29' below '## [Unreleased]'"),
        ("## [1.2.0] - 2026-11-28", "## [1.2.0]", "has no date of the form 2026-01-31"),
        ("2026-11-28", "28.11.2026", "has no date of the form 2026-01-31"),
        ("2026-11-28", "2026-11-30", "is of a day that has not come: write '## [1.2.0] - 2026-11-29'"),
        ("\n- What is new.\n", "", "has no content: say what this release changes"),
        ("## [Unreleased]\n", "## [Unreleased]\n\n- Late.\n", "the first is '- Late.'"),
        ("## [Unreleased]\n", "", "the first section must be '## [Unreleased]'"),
        ("## [1.1.0]", "## [1.2.0]", "has two sections"),
        ("## [1.1.0]", "## [1.3.0]", "the latest version first"),
        ("## [1.1.0]", "## [1.1]", "names no version of the form 1.2.3"),
        ("## [1.1.0]", "## 1.1.0", "is not understood: write '## [1.2.3] - 2026-01-31'"),
        ("## [1.2.0]", "## [1.3.0] - 2026-11-28\n\n- More.\n\n## [1.2.0]", "raise the version in pyproject.toml"),
    ],
)
def test_a_changelog_that_is_not_ready_is_told_what_would_be_right(was: str, becomes: str, right: str) -> None:
    assert was in READY
    with pytest.raises(CHANGELOG.NotReady) as refusal:
        CHANGELOG.check_changelog(READY.replace(was, becomes, 1), "1.2.0", TODAY)
    assert right in str(refusal.value)


def test_the_changelog_of_the_product_lacks_nothing_but_the_heading_of_the_next_release() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    if f"## [{VERSION}]" not in text:
        text = text.replace("## [Unreleased]", f"## [Unreleased]\n\n## [{VERSION}] - {TODAY.isoformat()}", 1)
    CHANGELOG.check_changelog(text, VERSION, dt.datetime.now(tz=dt.UTC).date())


def component(*licences: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": "some", "version": "1.0", "licenses": licences}


def by_name(name: str) -> dict[str, Any]:
    return {"license": {"name": name}}


POLICY = LICENCES.Policy(frozenset({"MIT", "BSD-3-Clause"}), {"some": {"says": "BSD License", "is": "BSD-3-Clause"}})
NOTHING_READ = LICENCES.Policy(POLICY.allowed, {})


def test_a_licence_is_an_expression_of_spdx_and_of_several_each_holds() -> None:
    assert LICENCES.licence_of(component({"license": {"id": "MIT"}}), NOTHING_READ) == "MIT"
    assert LICENCES.licence_of(component({"expression": "mit OR BSD-3-Clause"}), NOTHING_READ) == "MIT OR BSD-3-Clause"
    both = component({"license": {"id": "MIT"}}, {"license": {"id": "BSD-3-Clause"}})
    assert LICENCES.licence_of(both, NOTHING_READ) == "MIT AND BSD-3-Clause"


def test_what_somebody_read_counts_as_long_as_the_metadata_say_the_same() -> None:
    assert LICENCES.licence_of(component(by_name("BSD License")), POLICY) == "BSD-3-Clause"
    with pytest.raises(LICENCES.Unclear, match=r"says 'BSD', and \[read.some\] was written when it said 'BSD License'"):
        LICENCES.licence_of(component(by_name("BSD")), POLICY)


@pytest.mark.parametrize(
    ("licences", "wrong"),
    [
        ([], r"says 'nothing', .* write it down as \[read.some\]"),
        ([by_name("Proprietary")], r"says 'Proprietary', no expression of SPDX"),
        (
            [{"license": {"id": "GPL-3.0-only"}}],
            r"has the licence GPL-3.0-only, and GPL-3.0-only is not among 'allowed'",
        ),
        ([{"expression": "MIT AND (GPL-2.0-only OR BSD-3-Clause)"}], "and GPL-2.0-only is not among 'allowed'"),
        ([{"expression": "MIT WITH Classpath-exception-2.0"}], "and Classpath-exception-2.0 is not among 'allowed'"),
    ],
)
def test_a_dependency_without_a_licence_that_was_decided_on_is_an_error(licences: list[Any], wrong: str) -> None:
    with pytest.raises(LICENCES.Unclear, match=wrong):
        LICENCES.licence_of(component(*licences), NOTHING_READ)


@cache
def files_of_git(*folders: str) -> frozenset[str]:
    """What git knows or would take, as it is in the work tree now."""
    listed = subprocess.run(
        [GIT, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *folders],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return frozenset(name for name in listed.split("\0") if name and (ROOT / name).is_file())


def copy_to(folder: Path, *parts: str) -> Path:
    for name in files_of_git(*parts):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return folder


def build(kind: str, tree: Path, target: Path) -> Path:
    """The distribution of this kind, built from a folder as [build-system] says."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", kind, "--directory", str(target)]
    done = subprocess.run(command, cwd=tree, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (made,) = target.iterdir()
    return made


def unpacked(sdist: Path, folder: Path) -> Path:
    with tarfile.open(sdist) as tar:
        tar.extractall(folder, filter="data")
    (tree,) = folder.iterdir()
    return tree


def test_a_source_distribution_is_whole_has_nothing_else_and_gives_the_same_wheel_wherever_it_is_built(
    tmp_path: Path,
) -> None:
    tree, other = copy_to(tmp_path / "tree"), copy_to(tmp_path / "other")
    sdist = build("sdist", tree, tmp_path / "sdist")
    assert sdist.name == f"{NAME}.tar.gz"
    assert sdist.read_bytes() == build("sdist", other, tmp_path / "again").read_bytes()
    assert sdist.stat().st_size < LARGEST

    alone = unpacked(sdist, tmp_path / "alone")
    schemas = {name for name in files_of_git("schemas") if not name.startswith("schemas/examples/")}
    of_hatchling = {".gitignore", "PKG-INFO"}
    files = {path.relative_to(alone).as_posix() for path in alone.rglob("*") if path.is_file()}
    assert files == {
        *files_of_git("stream", "CHANGELOG.md", "LICENSE", "README.md", "pyproject.toml"),
        *schemas,
        *of_hatchling,
    }
    wheel = build("wheel", alone, tmp_path / "wheel")
    assert wheel.read_bytes() == build("wheel", tree, tmp_path / "of-tree").read_bytes()
    with ZipFile(wheel) as archive:
        product = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert product == {*files_of_git("stream"), *(f"stream/{name}" for name in schemas)}


def commit_copy(folder: Path, changelog: str) -> Path:
    """A repository of its own with the work tree as it is, but for the changelog."""
    copy_to(folder)
    (folder / "CHANGELOG.md").write_text(changelog, encoding="utf-8")
    author = ["-c", "user.name=Release", "-c", "user.email=release@example.com"]
    for command in (["init", "--quiet"], ["add", "--all"], [*author, "commit", "--quiet", "--message", "All of it"]):
        subprocess.run([GIT, *command], cwd=folder, check=True)
    return folder


def ready_changelog() -> str:
    today = dt.datetime.now(tz=dt.UTC).date().isoformat()
    return f"# Changelog\n\n## [Unreleased]\n\n## [{VERSION}] - {today}\n\n- All of it.\n"


def release(folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    assignments = [f"{name}={value}" for name, value in settings.items()]
    return subprocess.run(
        [MAKE, "--no-print-directory", "release", *assignments],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
    )


def test_a_release_is_refused_before_anything_is_built_where_something_is_not_ready(tmp_path: Path) -> None:
    ours = ".".join(map(str, sys.version_info[:2]))
    copy = commit_copy(tmp_path / "copy", ready_changelog().replace(f"## [{VERSION}]", "## [0.0.1]"))
    refused = release(copy, PYTHONS="2.6")
    assert refused.returncode != 0
    assert "error: Python 2.6 is neither on the PATH nor among pyenv's: install it with its headers" in refused.stderr
    refused = release(copy, PYTHONS=ours)
    assert refused.returncode != 0
    assert f"error: CHANGELOG.md: version {VERSION} of pyproject.toml has no section" in refused.stderr
    (copy / "README.md").write_text("edited", encoding="utf-8")
    refused = release(copy, PYTHONS=ours)
    assert refused.returncode != 0
    assert "error: there are edits that are not committed" in refused.stderr
    assert not (copy / "dist").exists()


@pytest.mark.release
@pytest.mark.slow
def test_a_release_holds_wheels_the_source_the_bill_of_materials_licences_and_checksums(tmp_path: Path) -> None:
    copy = commit_copy(tmp_path / "copy", ready_changelog())
    ours = ".".join(map(str, sys.version_info[:2]))
    done = release(copy, PYTHONS=ours, OPTIMISE="1")  # as far as compilers take one function for another
    assert done.returncode == 0, done.stdout + done.stderr
    dist = copy / "dist"

    tag = f"cp{ours.replace('.', '')}"
    platforms = {"x86_64", "aarch64"}
    compiled = {
        architecture: dist / f"{NAME}-{tag}-{tag}-manylinux2014_{architecture}.manylinux_2_17_{architecture}.whl"
        for architecture in platforms
    }
    pure = dist / f"{NAME}-py3-none-any.whl"
    bill, table = dist / f"{NAME}.cdx.json", dist / f"{NAME}.licences.csv"
    expected = {*compiled.values(), pure, dist / f"{NAME}.tar.gz", bill, table, dist / "SHA256SUMS"}
    assert set(dist.iterdir()) == expected

    lines = [line.split("  ") for line in (dist / "SHA256SUMS").read_text(encoding="utf-8").splitlines()]
    sums = {name: checksum for checksum, name in lines}
    assert {dist / name for name in sums} == expected - {dist / "SHA256SUMS"}
    for name, checksum in sums.items():
        assert hashlib.sha256((dist / name).read_bytes()).hexdigest() == checksum

    compiled_modules(compiled, pure, tag)
    for architecture, wheel in compiled.items():
        assert what_pip_takes(dist, ours, f"manylinux_2_17_{architecture}") == wheel.name
        assert what_pip_takes(dist, "3.99", f"manylinux_2_17_{architecture}") == pure.name
        assert what_pip_takes(dist, ours, f"musllinux_1_2_{architecture}") == pure.name
    assert what_pip_takes(dist, ours, "macosx_14_0_arm64") == pure.name

    document = json.loads(bill.read_text(encoding="utf-8"))
    assert document["bomFormat"] == "CycloneDX"
    root = document["metadata"]["component"]
    assert (root["name"], root["version"]) == ("customer-lifecycle", VERSION)
    pins = (ROOT / "deploy" / "image" / "constraints.txt").read_text(encoding="utf-8").splitlines()
    listed = {f"{each['name'].lower().replace('_', '-')}=={each['version']}" for each in document["components"]}
    assert listed <= {pin.replace("_", "-") for pin in pins}
    assert {"faust-streaming", "aiokafka", "orjson"} <= {each["name"] for each in document["components"]}
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {(row["name"], row["version"]) for row in rows} == {
        (each["name"], each["version"]) for each in document["components"]
    }
    assert all(row["licence"] for row in rows)


def what_pip_takes(dist: Path, version: str, platform: str) -> str:
    """The name of the wheel that would be installed by this Python on this platform."""
    target = dist.parent / f"taken-{version}-{platform}"
    options = ["--no-index", "--no-deps", "--only-binary=:all:", "--python-version", version, "--platform", platform]
    command = [sys.executable, "-m", "pip", "download", *options, "--find-links", str(dist), "--dest", str(target)]
    subprocess.run([*command, "customer-lifecycle"], check=True, capture_output=True)
    (taken,) = target.iterdir()
    return taken.name


def compiled_modules(wheels: Mapping[str, Path], pure: Path, tag: str) -> None:
    """Each wheel is of its architecture alone, and has as modules all that pyproject.toml names."""
    machines = {"x86_64": 62, "aarch64": 183}  # of ELF
    hook = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["hooks"]["mypyc"]
    named = {path for pattern in hook["include"] for path in ROOT.glob(pattern.lstrip("/"))}
    left = {path for pattern in hook["exclude"] for path in ROOT.glob(pattern.lstrip("/"))}
    wanted = {path.relative_to(ROOT).with_suffix("").as_posix() for path in named - left}
    with ZipFile(pure) as archive:
        product = {name for name in archive.namelist() if name.startswith("stream/")}
    for architecture, wheel in wheels.items():
        assert {each.platform for each in parse_wheel_filename(wheel.name)[3]} == {
            f"manylinux2014_{architecture}",
            f"manylinux_2_17_{architecture}",
        }
        suffix = f".cpython-{tag.removeprefix('cp')}-{architecture}-linux-gnu.so"
        with ZipFile(wheel) as archive:
            modules = {name for name in archive.namelist() if name.endswith(".so")}
            for name in modules:
                head = archive.read(name)[:20]
                assert (head[:4], int.from_bytes(head[18:20], "little")) == (b"\x7fELF", machines[architecture])
            assert product <= set(archive.namelist())
            assert not any(str(ROOT).encode() in archive.read(name) for name in modules)
            (shared,) = (name for name in modules if "__mypyc" in name)
            # Half-lives are powers of 2: exp2 in their place would differ from Python in the last bit.
            assert b"\0pow\0" in archive.read(shared)
            assert b"\0exp2\0" not in archive.read(shared)
        assert {name.removesuffix(suffix) for name in modules - {shared}} == wanted
