"""Records of growth for the made-up organisation of the store."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from features.tables import canonical

DAY = date(2026, 10, 31)
PRAISED = ("E0001", "E0003", "E0013")


def records(people: tuple[dict, ...]) -> dict[str, pl.LazyFrame]:
    """The organisation of the store, with skills, a wish, praise and courses."""
    ids = [row["id"] for row in people]
    tables = {
        "employees": [{"employee_id": one, "hired_on": DAY - timedelta(900 if one != "E0012" else 20)} for one in ids],
        "positions": [
            {
                "employee_id": row["id"],
                "happened_on": DAY - timedelta(800),
                **{name: row[name] for name in ("department", "team", "location", "job", "manager_id")},
                "ladder": "management" if row["job"] == "lead" else "professional",
                "level": 3 if row["job"] == "lead" else 2,
            }
            for row in people
        ],
        "skills": [
            {"employee_id": one, "happened_on": DAY - timedelta(90), "skill": "triage", "level": float(i % 4 + 1)}
            for i, one in enumerate(ids)
        ],
        "recognitions": [
            {
                "employee_id": one,
                "happened_on": date(2026, 10, 5),
                "kind": "rescue",
                "given_by": "M1",
                "note": f"By {one}",
            }
            for one in PRAISED
        ],
        "aspirations": [
            {"employee_id": "E0001", "happened_on": DAY - timedelta(200), "wants": "promotion", "interests": "choir"}
        ],
        "job_skills": [
            {"job": "nurse", "level": 2, "skill": "triage", "required_level": 3.0},
            {"job": "nurse", "level": 3, "skill": "triage", "required_level": 4.0},
        ],
        "courses": [{"course_id": "C1", "title": "Triage for all", "skill": "triage", "to_level": 3.0, "hours": 6.0}],
        "activities": [
            {"activity_id": "A", "title": "Choir night", "interest": "choir", "happened_on": DAY + timedelta(9)}
        ],
    }
    return {name: frame.lazy() for name, frame in canonical({n: pl.DataFrame(r) for n, r in tables.items()}).items()}
