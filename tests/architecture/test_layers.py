"""The stack of packages and the one door to each danger, held by reading every import in the product."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("features", "models", "training", "serving")
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def imports(path):
    """Every module a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


IMPORTS = {path: imports(path) for path in FILES}


def importers(*modules):
    return {
        path.relative_to(ROOT).as_posix()
        for path, found in IMPORTS.items()
        if any(name == m or name.startswith(f"{m}.") for name in found for m in modules)
    }


@pytest.mark.parametrize(
    ("package", "must_not"),
    [
        ("features", ("models", "training", "serving")),
        ("models", ("training", "serving")),
        ("training", ("serving",)),
        ("serving", ("training",)),
    ],
)
def test_packages_import_downwards_only(package, must_not):
    assert {file for file in importers(*must_not) if file.startswith(f"{package}/")} == set()


def test_each_danger_has_one_door():
    assert importers("mlflow") == {"models/registry.py"}
    assert importers("deltalake") == {"features/lake.py"}
    assert importers("shap") <= {"models/explain.py"}
    speaking = {file for file in importers("sqlalchemy") if "migrations" not in file}
    assert {file for file in speaking if not file.startswith("serving/store")} == set()


def test_nothing_can_unpickle_and_nothing_runs_text():
    assert importers("pickle", "joblib", "dill", "cloudpickle", "shelve", "marshal") == set()
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("eval", "exec"), f"{path}:{node.lineno}"
            if isinstance(node, ast.Attribute):
                assert node.attr != "load_model", f"{path}:{node.lineno}: MLflow hands over files, it never loads"


def test_only_one_file_looks_ahead():
    assert importers("training.labels") == {"training/fit.py"}
    assert {file for file in importers("features.company") if not file.startswith("features/")} <= {
        "training/cli.py",
        "training/truth.py",
    }


def test_nothing_that_learns_scores_or_serves_can_open_the_truth_of_the_invented_company():
    """Only the command that invents, and the one that compares, know that folder; records are read without it."""
    from features.company.truth import FILES as TRUTH

    doors = {"training/cli.py", "training/truth.py"}
    for path in FILES:
        name = path.relative_to(ROOT).as_posix()
        if name.startswith("features/company/") or name in doors:
            continue
        text = path.read_text(encoding="utf-8")
        assert "features.company" not in text, name
        assert not [file for file in TRUTH if file in text], name
    assert importers("features.company") - {f for f in importers("features") if "features/company/" in f} == doors
    assert importers("training.truth") == {"training/cli.py"}


def test_no_feature_reads_a_protected_attribute():
    blocks = [path for path in FILES if path.parent.name == "features" and "CARDS" in path.read_text(encoding="utf-8")]
    assert len(blocks) >= 8
    for path in blocks:
        assert '"protected"' not in path.read_text(encoding="utf-8"), path


def test_the_clock_is_read_at_the_edge_only():
    clocks = {("date", "today"), ("datetime", "now"), ("datetime", "utcnow"), ("time", "time")}
    allowed = {"training/cli.py", "serving/cli.py", "serving/app.py"}
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = (getattr(getattr(node, "value", None), "id", ""), getattr(node, "attr", ""))
            if isinstance(node, ast.Attribute) and name in clocks:
                assert path.relative_to(ROOT).as_posix() in allowed, f"{path}:{node.lineno} reads the clock"


def test_no_broad_except_and_no_cupboards():
    for path in FILES:
        assert path.stem not in ("utils", "common", "core", "base", "helpers", "misc"), path
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ExceptHandler):
                names = {getattr(t, "id", "") for t in getattr(node.type, "elts", [node.type])}
                assert node.type is not None, f"{path}:{node.lineno}"
                assert not names & {"Exception", "BaseException"}, f"{path}:{node.lineno}"


def test_gpl_packages_stay_out_of_the_product():
    assert importers("sksurv", "SurvSet", "igraph") == set()
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8").lower()
    for name in ("scikit-survival", "survset", "igraph", "python-igraph"):
        assert f"\n{name}==" not in text


def test_the_locks_name_no_host():
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "://" not in text, name
        assert "--index" not in text, name
