"""What other systems send and get, shown: one example per body of ``schemas_exchange``, about nobody who exists."""

from __future__ import annotations

from typing import Any

from serving.schema_examples import EXAMPLES
from serving.schemas import NOTICE_EN, NOTICE_ZH
from serving.schemas_exchange import WHAT_IF_EN, WHAT_IF_ZH

_NOTICE = {"notice_en": NOTICE_EN, "notice_zh": NOTICE_ZH}
_RISK = EXAMPLES["RiskAnswer"]
_LINE = {
    "employee_id": "E0042",
    "team": "Nursing B",
    "department": "Care",
    "band": "act",
    "decided_by_person": False,
    "valid_until": "2027-01-30",
}
_FAULT = {
    "column": "happened_on",
    "value": "31/12/26",
    "rule": "date",
    "wrong_en": "not a date",
    "wrong_zh": "不是日期",
    "fix_en": "write it as 2023-04-01",
    "fix_zh": "请写成 2023-04-01",
}
_REFUSED = {"table": "positions", "row": 1, "faults": [_FAULT]}
_PERSON = {
    "employee_id": "E0042",
    **{
        name: _RISK[name]
        for name in ("band", "risk", "may_be", "cannot_judge_en", "cannot_judge_zh", "reasons", "plan")
    },
    "rows_left_out": 0,
}
_ENDPOINT = {
    "endpoint_id": "wh_5b1c9e0f6a7d4c2b8e3f1a0d9c8b7a65",
    "url": "https://hr.example.com/hooks/retention",
    "kinds": ["scores.updated"],
    "created_at": "2026-11-03T08:12:44Z",
    "former_until": None,
    "disabled_at": None,
}
_MADE = {**_ENDPOINT, "secret": "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"}
_DELIVERY = {
    "event_id": "msg_2fd4e1c67a2d28fced849ee1",
    "kind": "scores.updated",
    "at": "2026-11-03T02:00:00Z",
    "state": "delivered",
    "attempts": 1,
    "next_at": "2026-11-03T02:01:00Z",
    "last_result": "204",
}
_SIDE = {"may_be": None, "cannot_judge_en": None, "cannot_judge_zh": None}

EXCHANGED: dict[str, Any] = {
    "PeopleAnswer": {
        "as_of": "2026-10-31",
        "computed_at": "2026-11-01T02:00:00Z",
        "model": _RISK["model"],
        "people": [_LINE],
        "next_cursor": None,
        **_NOTICE,
    },
    "ExportLine": {
        "export": "export-5d1f2a9c0e7b4a68",
        "as_of": "2026-10-31",
        "model_version": "7",
        **_LINE,
        "risk": _RISK["risk"],
    },
    "RecordsAnswer": {
        "table": "positions",
        "batch": "7a65c9e0f6a7d4c2b8e3f1a0d9c8b5b1",
        "received": 2,
        "accepted": 1,
        "corrected": 0,
        "duplicates": 0,
        "quarantined": 1,
        "refused": 0,
        "rows": [
            {"row": 0, "state": "accepted", "quarantine_id": None, "faults": []},
            {"row": 1, "state": "quarantined", "quarantine_id": "51ce51ce51ce51ce", "faults": [_FAULT]},
        ],
    },
    "ScoresAnswer": {
        "as_of": "2026-10-31",
        "model": _RISK["model"],
        "people": [_PERSON],
        "absent": [],
        "refused": [_REFUSED],
        **_NOTICE,
    },
    "JobAnswer": {
        "job_id": "job_5b1c9e0f6a7d4c2b8e3f1a0d9c8b7a65",
        "state": "running",
        "done": 400,
        "total": 1200,
        "why": None,
        "created_at": "2026-11-03T08:12:44Z",
        "finished_at": None,
        "expires_at": "2026-11-04T08:12:44Z",
    },
    "JobLine": {"line": "person", "refused": None, "employee_id": "E0042", "person": _PERSON},
    "ActionableAnswer": {
        "model": _RISK["model"],
        "columns": [
            {
                "column": "overtime_hours_90d",
                "driver": "workload",
                "unit": "hours",
                "meaning": "hours of overtime in the last 90 days",
                "words_en": "{value} hours of overtime in the last 90 days",
                "words_zh": "近 90 天加班 {value} 小时",
                "levels": None,
            }
        ],
    },
    "WhatIfAnswer": {
        "employee_id": "E0042",
        "as_of": "2026-10-31",
        "valid_until": "2027-01-30",
        "model": _RISK["model"],
        "changes": {"overtime_hours_90d": 10.0},
        "now": {"band": "act", "risk": _RISK["risk"], **_SIDE},
        "then": {"band": "watch", "risk": _RISK["risk"], **_SIDE},
        "drivers": ["workload"],
        "what_it_is_en": WHAT_IF_EN,
        "what_it_is_zh": WHAT_IF_ZH,
        **_NOTICE,
    },
    "EndpointsAnswer": {"endpoints": [_ENDPOINT]},
    "EndpointMade": _MADE,
    "DeliveriesAnswer": {"deliveries": [_DELIVERY]},
    "DeliveryLine": _DELIVERY,
}
"""One answer per operation."""

_ROWS = {
    "employees": [{"employee_id": "E0042", "hired_on": "2021-03-01"}],
    "positions": [
        {"employee_id": "E0042", "happened_on": "2021-03-01", "department": "Care", "team": "Nursing B", "job": "nurse"}
    ],
}
ASKS: dict[str, Any] = {
    "RecordsAsk": {"rows": _ROWS["positions"]},
    "ScoresAsk": {"as_of": "2026-10-31", "records": _ROWS, "employees": ["E0042"]},
    "WhatIfAsk": {"changes": {"overtime_hours_90d": 10}},
    "NewCase": {"employee_id": "E0042", "action": "career_talk", "decided_by": "M0007", "step": "agree"},
    "NewStep": {"step": "note", "decided_by": "M0007", "note": "We talk on Thursday."},
    "NewAchievement": {"kind": "rescue", "happened_on": "2026-10-01", "note": "Kept the night shift running."},
    "Hide": {"hidden": True},
    "NeededSkills": {"needs": [{"skill": "triage", "level": 3, "people": 2}]},
    "StopRequest": {"reason": "Inputs have drifted."},
    "EndpointAsk": {"url": "https://hr.example.com/hooks/retention", "kinds": ["scores.updated"]},
}
"""One body per operation that takes one."""
