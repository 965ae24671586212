"""The hiring ledger as people and systems get it: groups alone, the same for everybody, written down."""

from __future__ import annotations

import csv
from datetime import date
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from features.leaving import notices
from features.tables import canonical
from models.hiring import LEDGER_COLUMNS
from serving import export, outlook, service, store_people
from serving.outlook import Expected, missed
from serving.store import Store
from serving.store_people import Sight
from serving.store_tables import score_run


def test_a_system_reads_the_ledger_without_a_total_and_the_look_is_written_down(client: TestClient, key, made) -> None:
    answer = client.get("/v1/forecast", headers=key("hr_system")).json()
    assert [(line["department"], line["job"], line["hires"]) for line in answer["lines"]] == [
        ("Care", "nurse", 4),
        ("*", "*", 0),
    ]
    assert answer["smallest_group"] == 5
    assert not {"total", "sum", "notices", "expected"} & set(answer), "what the level is followed by is shown to nobody"
    last = made.entries()[-1]
    assert (last["action"], last["result"], last["employee_id"]) == ("forecast.read", "shown", None)


@pytest.mark.parametrize("kind", ["manager", "team"])
def test_who_sees_only_a_team_or_a_line_of_reports_gets_no_ledger(kind, client, key, signed_in) -> None:
    sight = Sight(kind, "M1" if kind == "manager" else "Nursing B")
    assert client.get("/v1/forecast", headers=key("hr_system", sight)).status_code == 404
    assert signed_in("hr", sight).get("/forecast").status_code == 404
    assert "/forecast" not in signed_in("hr", sight).get("/").text


def test_who_sees_a_department_gets_its_lines_as_they_were_cut_for_all(client, key) -> None:
    lines = client.get("/v1/forecast", headers=key("hr_system", Sight("department", "Care"))).json()["lines"]
    assert [line["department"] for line in lines] == ["Care"]
    assert client.get("/v1/forecast", headers=key("hr_system", Sight("department", "Elsewhere"))).json()["lines"] == []


def test_a_manager_has_no_ledger_and_no_link_to_one(signed_in) -> None:
    browser = signed_in("manager")
    assert browser.get("/forecast").status_code == 403
    assert "/forecast" not in browser.get("/").text


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("en", ("Hire", "1 to 5", "30 Nov 2026", "Several small ones")),
        ("zh", ("需招聘", "1 至 5", "若干人数较少的合计")),
    ],
)
def test_the_page_says_how_many_by_when_and_how_to_read_it(lang: str, words, signed_in) -> None:
    page = signed_in("hr").get("/forecast", params={"lang": lang})
    assert page.status_code == 200
    assert all(word in page.text for word in words)
    assert "1.25" not in page.text
    assert page.text.count('data-shown="') == 8
    assert "<script" not in page.text
    assert "style=" not in page.text


def test_an_expired_ledger_is_gone_and_purged(client, key, clock, store, made) -> None:
    clock.pass_days(91)
    assert client.get("/v1/forecast", headers=key("hr_system")).status_code == 410
    with store.begin() as tx:
        gone = store_people.purge(tx, today=clock.now.date(), notes_before=made.AS_OF)
        assert gone["forecasts"] == 1
        assert tx.execute(select(score_run.c.forecast)).scalar() is None
        assert store_people.expectations(tx)[0]["notices"] == 1.25


def test_when_the_smallest_group_was_raised_the_old_cut_is_not_shown(store: Store, made) -> None:
    from serving.access import ROLES, Viewer, Visit
    from serving.problems import Problem

    role = ROLES["hr_system"]
    viewer = Viewer("key 1", "x", "hr_system", role.scopes, role.purposes, Sight("everyone"), door="key")
    visit = Visit(viewer, "none", made.NOW, "1")
    assert service.forecast(store, visit, min_group=5).lines
    with pytest.raises(Problem, match="not_found"):
        service.forecast(store, visit, min_group=10)


def test_the_ledger_as_csv_has_no_formula_and_every_column() -> None:
    line = {
        "department": "=1+1",
        "job": "nurse",
        "n_people": 9,
        "n_going": 0,
        "expected": 1,
        "low": 0,
        "high": 2,
        "hires": 2,
        "search_from": "2026-11-01",
        "fill_days": 30,
        "fill_from": "job",
        "months": [{"until": "2026-11-30", "hires": 1}, {"until": "2026-12-31", "hires": 2}],
    }
    file = StringIO()
    assert export.write_ledger([line], file) == 2
    rows = list(csv.DictReader(StringIO(file.getvalue())))
    assert tuple(rows[0]) == LEDGER_COLUMNS
    assert rows[0]["department"] == "'=1+1"
    assert [row["search_from"] for row in rows] == ["2026-11-01", "2026-12-01"]


def test_the_level_follows_what_earlier_batches_expected_each_month_once() -> None:
    rows = [(f"p{i}", date(2026, 8, 31), "voluntary", date(2026, 8, 10)) for i in range(12)]
    schema = ["employee_id", "happened_on", "kind", "known_on"]
    records = canonical({"exits": pl.DataFrame(rows, schema=schema, orient="row")})
    as_of, july, august = date(2026, 9, 30), date(2026, 7, 31), date(2026, 8, 31)
    past = [Expected(july, august, 10.0), Expected(date(2026, 8, 15), august, 5.0), Expected(august, as_of, 9.0)]
    assert notices(records, as_of, start=july, end=august) == 12
    assert missed(past, records, as_of=as_of) == (12.0, 19.0)
    assert missed(past, records, as_of=date(2026, 9, 15)) == (12.0, 10.0), "September is not over"
    assert missed([], records, as_of=as_of) == (0.0, 0.0)
    assert outlook.read(outlook.plain(past[0])) == past[0]


def small_batch(n=24):
    """A champion that knows nothing but a rate, and so many nurses in two teams, two of them going."""
    from dataclasses import replace as changed

    from features.matrix import Matrix
    from models.bundle import Bundle
    from models.calibration import identity
    from models.card import ModelCard
    from models.encode import Codes
    from models.risk import Hazard, RiskModel
    from models.scores import BaseScore

    codes = Codes.fit(pd.DataFrame({"x": [0.0, 1.0]}), ["x"])
    hazard = Hazard(((1.0, BaseScore(np.log([0.02, 0.04, 0.06]))),), identity(3))
    other = changed(hazard, parts=((1.0, BaseScore(np.full(3, -9.0))),))
    model = RiskModel(codes, (30, 90, 180), 180, hazard, other)
    card = ModelCard(
        "m", "base", "", "", (30, 90, 180), 180, {30: 0.02, 90: 0.06, 180: 0.11}, {}, {}, {}, {}, (), {}, 1, 1
    )
    as_of = date(2026, 10, 31)
    ids = [f"p{i}" for i in range(n)]
    frame = pl.DataFrame({"employee_id": ids[2:], "as_of": [as_of] * (n - 2), "x": [0.5] * (n - 2)})
    people = [{"id": e, "department": "Care", "team": f"t{i % 2}", "job": "nurse"} for i, e in enumerate(ids)]
    from features.cards import Card

    cards = (Card("x", "context", "count", "", "{value}", "{value}"),)
    gone = [("p0", date(2026, 11, 15), "voluntary", date(2026, 10, 1))]
    gone += [("p1", date(2027, 1, 31), "retirement", date(2026, 1, 1))]
    schema = ["employee_id", "happened_on", "kind", "known_on"]
    records = canonical({"exits": pl.DataFrame(gone, schema=schema, orient="row")})
    return outlook.Batch(Bundle(model, card, "1", "0"), Matrix(frame, cards), people, [True] * (n - 2), as_of), records


def test_a_batch_becomes_lines_of_groups_with_those_who_go_in_their_months() -> None:
    batch, records = small_batch()
    told, expected = outlook.forecast(batch, records, past=(), min_group=5)
    (line,) = told["lines"]
    assert (line["department"], line["job"], line["n_people"], line["n_going"]) == ("Care", "nurse", 24, 2)
    assert line["months"][0]["low"] >= 1
    assert line["months"][2]["low"] >= 2
    assert told["until"] == "2027-04-30"
    assert expected.until == date(2026, 11, 30)
    assert expected.notices == pytest.approx(22 * 0.02, rel=0.05)


def test_nothing_is_shown_of_an_organisation_that_is_one_small_group() -> None:
    batch, records = small_batch(n=6)
    told, _ = outlook.forecast(batch, records, past=(), min_group=5)
    assert told["lines"] == []


def test_the_command_shows_and_writes_the_ledger(tmp_path: Path, filled: Path) -> None:
    import shutil

    from typer.testing import CliRunner

    from serving.cli import app

    shutil.copy(filled, tmp_path / "retention.db")
    shown = CliRunner().invoke(app, ["forecast", "--state", str(tmp_path), "--lang", "zh"])
    assert shown.exit_code == 0
    assert "招聘台账" in shown.stdout
    file = tmp_path / "ledger.csv"
    written = CliRunner().invoke(app, ["forecast", "--state", str(tmp_path), "--csv", str(file), "--lang", "en"])
    assert written.exit_code == 0
    assert file.read_text(encoding="utf-8-sig").startswith("department,job,")
