"""The stories for analysts can be told: each runs from top to bottom, and carries nothing of an earlier run."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import nbformat
import pytest
from ipykernel.kernelspec import write_kernel_spec
from nbclient import NotebookClient
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SECONDS = 900

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


def code(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a kernel that is this very interpreter, whatever kernels the machine has."""
    write_kernel_spec(tmp_path / "jupyter" / "kernels" / "python3")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    for name in ("JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "IPYTHONDIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return "python3"


def test_there_is_a_story_and_the_list_names_every_one() -> None:
    listed = (ROOT / "notebooks" / "README.md").read_text(encoding="utf-8")
    assert NOTEBOOKS
    assert [path.name for path in NOTEBOOKS if f"({path.name})" not in listed] == []


@each_notebook
def test_a_notebook_is_valid_and_carries_nothing_of_an_earlier_run(path: Path) -> None:
    notebook = read(path)
    nbformat.validate(notebook)
    assert [cell.id for cell in code(notebook) if cell.outputs or cell.execution_count is not None] == []
    assert notebook.metadata.kernelspec.name == "python3"
    assert not re.search(r"(?<![\w.])/(home|root|work|Users|tmp)/|[A-Z]:\\\\", path.read_text(encoding="utf-8"))


@each_notebook
def test_a_notebook_begins_with_words_and_ends_without_a_trace(path: Path) -> None:
    notebook = read(path)
    assert notebook.cells[0].cell_type == "markdown"
    assert notebook.cells[0].source.startswith("# ")
    assert "cleanup()" in code(notebook)[-1].source


@pytest.mark.slow
@each_notebook
def test_a_notebook_runs_from_top_to_bottom(path: Path, kernel: str, tmp_path: Path) -> None:
    notebook, folder = read(path), tmp_path / "somewhere"
    folder.mkdir()
    which = nbformat.v4.new_code_cell("import sys; print(sys.executable)")
    notebook.cells.append(which)
    NotebookClient(notebook, timeout=SECONDS, kernel_name=kernel, resources={"metadata": {"path": folder}}).execute()
    said = [output for cell in code(notebook) for output in cell.outputs]
    assert [output for output in said if output.output_type == "error"] == []
    assert [output.text for output in said if output.get("name") == "stderr"] == []
    assert which.outputs[0].text.strip() == sys.executable
    assert list(folder.iterdir()) == []
