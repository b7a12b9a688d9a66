"""The page's files: they fit together, and hold nothing by which what comes from outside becomes markup or code."""

import re
from pathlib import Path

import pytest

SITE = Path(__file__).parents[2] / "stream" / "web" / "console" / "site"
MODULES = sorted(each for each in SITE.glob("*.js") if each.name != "colours.js")
FILES = sorted(SITE.iterdir())
INDEX = (SITE / "index.html").read_text(encoding="utf-8")
_IMPORT = re.compile(r'^import \{([^}]*)\} from "\./([a-z_]+\.js)";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?:async )?(?:function|const|class) (\w+)", re.MULTILINE)
MARKUP = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser|srcdoc")
"""What makes markup or code of text."""


def text_of(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def imports(module: Path) -> list[tuple[str, str]]:
    """Each name, and the module that it comes from."""
    return [(name, of) for names, of in _IMPORT.findall(text_of(module)) for name in re.findall(r"\w+", names)]


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name)
def test_a_module_imports_what_there_is_and_what_it_uses(module: Path) -> None:
    body = _IMPORT.sub("", text_of(module))
    assert "import " not in re.sub(r"//.*|/\*.*?\*/|`[^`]*`|\"[^\"]*\"", "", body, flags=re.DOTALL)
    for name, of in imports(module):
        assert name in _EXPORT.findall(text_of(SITE / of)), f"{of} has no {name}"
        assert re.search(rf"\b{name}\b", body), f"{name} is not used"


def test_what_a_module_exports_another_one_imports() -> None:
    used = {(of, name) for module in MODULES for name, of in imports(module)}
    exported = {(module.name, name) for module in MODULES for name in _EXPORT.findall(text_of(module))}
    assert exported - used == set()


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.name)
def test_no_file_makes_markup_of_text_or_names_another_host(file: Path) -> None:
    text = text_of(file).replace("http://www.w3.org/2000/svg", "")
    assert MARKUP.findall(text) == []
    assert re.findall(r"(?:https?:|wss?:|[\"'(])//[^/\s]", text) == []


def test_nothing_is_written_into_the_page_itself() -> None:
    """No script, style or handler that a strict policy would not run."""
    assert re.findall(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\bsrc=)", INDEX) == []


def test_the_page_names_every_module_so_that_none_is_found_late() -> None:
    assert sorted(re.findall(r'rel="modulepreload" href="console/([^"]+)"', INDEX)) == [
        each.name for each in MODULES if each.name != "main.js"
    ]


def test_a_module_is_one_idea() -> None:
    assert [each.name for each in FILES if each.suffix == ".js" and len(text_of(each).splitlines()) > 330] == []
