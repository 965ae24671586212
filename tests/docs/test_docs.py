"""The words are true: pages are current, commands exist, links lead somewhere, both languages say the same."""

import importlib.util
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "README.zh.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/*.md"))]
PAGES += sorted(ROOT.glob("examples/*/README.md"))


def generated():
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.pages()


@pytest.fixture(scope="module")
def pages():
    return generated()


@pytest.mark.parametrize("name", ["tables.md", "features.md", "care.md", "commands.md"])
def test_reference_pages_are_what_the_code_says(name, pages):
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == pages[name], "run: make docs"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_links_within_the_repository_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
    broken = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_every_command_named_in_the_words_exists(page, pages):
    named = re.findall(r"retention-(train|serve) ([a-z][a-z-]+)", page.read_text(encoding="utf-8"))
    known = set(re.findall(r"^## `retention-(train|serve) ([a-z-]+)", pages["commands.md"], flags=re.MULTILINE))
    assert set(named) <= known


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_every_make_target_named_in_the_words_exists(page):
    named = set(re.findall(r"`?make ([a-z-]+)", page.read_text(encoding="utf-8")))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    ordinary_words = {"a", "the", "it", "sure", "them", "up"}
    assert named - ordinary_words <= targets


def test_the_readme_names_the_two_commands_the_limits_and_every_folder():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for needed in ("make demo", "make test", "never", "README.zh.md", "pay, rating or dismissal"):
        assert needed in text, needed
    for folder in ("features", "models", "training", "serving", "notebooks", "tests", "examples", "docs"):
        assert f"`{folder}/`" in text, folder


def test_both_readmes_have_the_same_sections_and_figures():
    english, chinese = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh.md"))
    sections = [len(re.findall(r"^## ", text, flags=re.MULTILINE)) for text in (english, chinese)]
    assert sections[0] == sections[1]
    figures = [sorted(re.findall(r"\.\d{3}\b", text)) for text in (english, chinese)]
    assert figures[0] == figures[1], "a figure was renewed in one language only"


def test_the_version_is_the_same_everywhere():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert f"## {version}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_no_machine_path_stands_in_the_repository():
    for path in ROOT.rglob("*.md"):
        if ".venv" not in path.parts and "var" not in path.parts:
            assert not re.search(r"(?<![\w.])/(home|root|work|Users)/", path.read_text(encoding="utf-8")), path
