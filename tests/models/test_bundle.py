"""A bundle is served only when it is, byte for byte and answer for answer, what was signed off."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from models.bundle import BundleError, check_in_child, load_bundle, save_bundle
from models.card import ModelCard
from models.learn import Settings, fit_hazards, plain_landmarks
from models.registry import Record, alias_version, load_champion, promote, publish

CARD = ModelCard(
    name="retention-risk",
    model_kind="blend",
    trained_on="2024-01-31",
    labels_closed_on="2024-12-31",
    horizons_days=(30, 90, 180, 365),
    reference_horizon_days=180,
    base_rate={180: 0.1},
    bands={"watch": 0.15, "act": 0.25},
    band_evidence={},
    typical={"a": 0.0, "site": "north"},
    missing_share={"a": 0.1, "site": 0.0},
    cards=(),
    data_versions={"employees": 3},
    n_people=400,
    n_exits=60,
)


def learned():
    """Return the models of every kind and the rows they were learned from; the same each time it is called."""
    generator = np.random.default_rng(0)
    x = pd.DataFrame({"a": generator.normal(size=500), "site": generator.choice(["north", "south"], 500)})
    x.loc[::9, "a"] = np.nan
    time = generator.exponential(300 * np.exp(-0.8 * x["a"].fillna(0)))
    data = plain_landmarks(x, np.minimum(time, 365), (time <= 365).astype(int))
    return fit_hazards(data, Settings(max_rounds=30, folds=2)).models, x


@pytest.fixture(scope="module")
def model_and_rows():
    models, rows = learned()
    return models["blend"], rows


@pytest.fixture
def saved(model_and_rows, tmp_path):
    sha256 = save_bundle(model_and_rows[0], CARD, model_and_rows[1], tmp_path / "bundle")
    return tmp_path / "bundle", sha256


def test_a_saved_bundle_comes_back_with_the_same_answers_and_facts(saved, model_and_rows):
    folder, sha256 = saved
    bundle = load_bundle(folder, version="7", expected_sha256=sha256)
    model, rows = model_and_rows
    np.testing.assert_allclose(bundle.model.log_odds(rows), model.log_odds(rows), atol=1e-12)
    assert bundle.card == CARD
    assert (bundle.version, bundle.sha256) == ("7", sha256)


def test_the_same_model_gives_the_same_bytes(model_and_rows, tmp_path):
    sums = {save_bundle(*model_and_rows[:1], CARD, model_and_rows[1], tmp_path / name) for name in ("one", "two")}
    assert len(sums) == 1


def test_two_trainings_on_the_same_data_give_the_same_bytes_of_every_kind(tmp_path):
    first, second = ({kind: (model, rows) for kind, model in models.items()} for models, rows in (learned(), learned()))
    assert set(first) == {"base", "prior", "linear", "blend", "boosted"}
    for kind in first:
        sums = {
            save_bundle(m, CARD, rows, tmp_path / f"{kind}{i}")
            for i, (m, rows) in enumerate((first[kind], second[kind]))
        }
        assert len(sums) == 1, kind


def test_no_golden_row_is_a_row_of_a_person(saved, model_and_rows):
    rows = json.loads((saved[0] / "golden.json").read_text())["rows"]
    people = {(a, s) for a, s in zip(model_and_rows[1]["a"], model_and_rows[1]["site"], strict=True) if a == a}
    copied = [pair for pair in zip(rows["a"], rows["site"], strict=True) if pair in people]
    assert len(copied) < len(rows["a"]), "cells are drawn column by column"


@pytest.mark.parametrize("name", ["model.json", "card.json", "golden.json", "trees-0.txt", "manifest.json"])
def test_one_changed_byte_in_any_file_is_refused(saved, name):
    folder, sha256 = saved
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(BundleError):
        load_bundle(folder, version="7", expected_sha256=sha256)


def test_a_model_signed_anew_by_a_stranger_is_refused_by_its_golden_rows(saved):
    import hashlib

    folder, _ = saved
    data = json.loads((folder / "model.json").read_text())
    data["voluntary"]["shift"][0] += 1e-3
    (folder / "model.json").write_text(json.dumps(data))
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["model.json"] = hashlib.sha256((folder / "model.json").read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match="golden"):
        load_bundle(folder, version="7")


def test_paths_out_of_the_bundle_and_links_are_refused(saved):
    folder, _ = saved
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({"files": {"../escape.txt": "0", **manifest["files"]}}))
    with pytest.raises(BundleError, match="outside"):
        load_bundle(folder, version="7")


def test_a_truncated_tree_file_ends_the_child_process_and_not_this_one(saved):
    folder, _ = saved
    (folder / "trees-0.txt").write_bytes((folder / "trees-0.txt").read_bytes()[:2000])
    with pytest.raises(BundleError):
        check_in_child(folder)


def test_the_champion_is_served_from_the_catalogue_and_from_the_last_good_copy_when_it_is_away(saved, tmp_path):
    folder, sha256 = saved
    uri, cache = f"sqlite:///{tmp_path}/mlflow.db", tmp_path / "cache"
    version = publish(uri, tmp_path / "artifacts", Record({"seed": 0}, {"auc": 0.7}, {"kind": "blend"}, folder, sha256))
    assert alias_version(uri, "challenger") == version
    assert alias_version(uri, "champion") is None
    promote(uri, version)
    bundle = load_champion(uri, cache=cache)
    assert (bundle.version, bundle.sha256, bundle.degraded) == (version, sha256, False)
    shutil.rmtree(tmp_path / "artifacts")
    assert load_champion(uri, cache=cache).degraded is False, "the verified local copy is enough"
    away = load_champion(f"sqlite:///{tmp_path}/other.db", cache=cache)
    assert (away.version, away.degraded) == (version, True)


def test_mutants_of_every_file_are_refused_and_end_no_process(saved):
    from benchmarks.bench_bundles import mutants

    told = mutants(saved[0], 60, resigned=3)
    assert sum(told.values()) >= 55
    assert told["refused by checksum"] >= 50


def test_a_catalogue_that_hands_over_another_model_leaves_the_last_good_one(saved, tmp_path, model_and_rows):
    folder, sha256 = saved
    uri, cache, artifacts = f"sqlite:///{tmp_path}/mlflow.db", tmp_path / "cache", tmp_path / "artifacts"
    promote(uri, publish(uri, artifacts, Record({}, {}, {}, folder, sha256)))
    good = load_champion(uri, cache=cache)
    other = save_bundle(model_and_rows[0], CARD, model_and_rows[1], tmp_path / "other", seed=9)
    promote(uri, publish(uri, artifacts, Record({}, {}, {}, folder, other)))  # the checksum of another bundle
    served = load_champion(uri, cache=cache)
    assert (served.sha256, served.version, served.degraded) == (good.sha256, good.version, True)


def test_a_catalogue_that_is_away_leaves_the_last_good_model(saved, tmp_path):
    folder, sha256 = saved
    uri, cache = f"sqlite:///{tmp_path}/mlflow.db", tmp_path / "cache"
    promote(uri, publish(uri, tmp_path / "artifacts", Record({}, {}, {}, folder, sha256)))
    load_champion(uri, cache=cache)
    assert load_champion("http://127.0.0.1:9", cache=cache).degraded
