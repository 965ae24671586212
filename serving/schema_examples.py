"""What the API answers, shown: one example per answer of ``schemas``, about nobody who exists."""

from __future__ import annotations

from typing import Any

from serving.schemas import NOTICE_EN, NOTICE_ZH
from serving.schemas_cases import EXAMPLES as CASES

_MODEL = {"name": "retention-risk", "version": "7", "sha256": "9f2c" * 16}
_REASON = {
    "driver": "growth",
    "direction": "raises",
    "text_en": "Growth: 31 months since the last promotion (typical here: 14) goes with a clearly higher risk.",
    "text_zh": "成长发展：距上次晋升 31 个月（这里常见为 14），往往伴随明显较高的离职风险。",
    "contribution": 0.42,
    "factor": 1.52,
    "facts": [],
}
EXAMPLES: dict[str, dict[str, Any]] = {
    "RiskAnswer": {
        "employee_id": "E0042",
        "as_of": "2026-10-31",
        "computed_at": "2026-11-01T02:00:00Z",
        "valid_until": "2027-01-30",
        "model": _MODEL,
        "band": "act",
        "risk": [
            {"horizon_days": 30, "voluntary": 0.04, "other": 0.002, "low": 0.01, "high": 0.09},
            {"horizon_days": 90, "voluntary": 0.11, "other": 0.006, "low": 0.04, "high": 0.22},
            {"horizon_days": 180, "voluntary": 0.21, "other": 0.012, "low": 0.08, "high": 0.38},
            {"horizon_days": 365, "voluntary": 0.35, "other": 0.025, "low": 0.15, "high": 0.57},
        ],
        "may_be": ["calm", "act"],
        "cannot_judge_en": None,
        "cannot_judge_zh": None,
        "reasons": [_REASON],
        "plan": {
            "actions": [{"action": "career_talk", "title_en": "Career talk", "title_zh": "职业发展面谈", "days": 14}],
            "empty_because_en": None,
            "empty_because_zh": None,
        },
        "override": None,
        "limits": {
            "evidence": {
                "n": 240,
                "left": 53,
                "rate": 0.22,
                "low": 0.15,
                "high": 0.3,
                "text_en": "Of 100 people with signs like these, about 22 gave notice within half a year (15–30).",
                "text_zh": "过去有类似迹象的人，每 100 人中大约有 22 人在半年内提出离职（15–30 人）。",
            },
            "accuracy_en": "It put a later leaver above a stayer 74 times out of 100; guessing gets 50.",
            "accuracy_zh": "100 次中有 74 次把后来离职的人排在留下的人前面；随意猜是 50 次。",
            "notice_en": NOTICE_EN,
            "notice_zh": NOTICE_ZH,
            "disagree_at": "/people/E0042#disagree",
        },
    },
    "TeamsAnswer": {
        "as_of": "2026-10-31",
        "model": _MODEL,
        "horizon_days": 180,
        "smallest_group": 5,
        "teams": [
            {
                "team": "Nursing B",
                "department": "Care",
                "n_people": 14,
                "n_judged": 13,
                "expected_exits": 2,
                "expected_low": 1,
                "expected_high": 4,
                "needs": [{"driver": "growth", "share": 0.41, "words_en": "Growth", "words_zh": "成长发展"}],
            }
        ],
    },
    "ForecastAnswer": {
        "as_of": "2026-10-31",
        "model": _MODEL,
        "until": "2027-04-30",
        "valid_until": "2027-01-30",
        "service_level": 0.8,
        "smallest_group": 5,
        "lines": [
            {
                "department": "Care",
                "job": "nurse",
                "n_people": 31,
                "n_going": 1,
                "expected": 3,
                "low": 2,
                "high": 5,
                "hires": 5,
                "needed_by": "2026-11-30",
                "search_from": "2026-10-31",
                "fill_days": 45,
                "fill_from": "job",
                "months": [{"until": "2026-11-30", "low": 1, "high": 1, "hires": 1}],
            }
        ],
    },
    "WithdrawalAnswer": {
        "events": [
            {
                "employee_id": "E0042",
                "team": "Nursing B",
                "week": "2026-10-25",
                "since": "2026-09-14",
                "weeks": 6,
                "stream": "all",
                "usual_a_week": 62.0,
                "now_a_week": 35.0,
                "false_share": 0.2,
                "due_on": "2026-11-08",
                "valid_until": "2027-01-30",
                "status": "open",
                "decided_by": None,
                "text_en": "For six weeks fewer messages, meetings, projects and help than usual for this person.",
                "text_zh": "近六周的消息、会议、项目和帮助同事少于本人平常。",
            }
        ],
        "notice_en": NOTICE_EN,
        "notice_zh": NOTICE_ZH,
    },
    "FlaggedAnswer": {
        "as_of": "2026-10-31",
        "model": _MODEL,
        "team": "Nursing B",
        "people": [
            {
                "employee_id": "E0042",
                "band": "act",
                "drivers": ["growth"],
                "first_action": "career_talk",
                "valid_until": "2027-01-30",
            }
        ],
        "next_cursor": None,
        "notice_en": NOTICE_EN,
        "notice_zh": NOTICE_ZH,
    },
    "ModelAnswer": {
        "model": _MODEL,
        "as_of": "2026-10-31",
        "computed_at": "2026-11-01T02:00:00Z",
        "data_versions": {"employees": 4, "surveys": 12},
        "card": {"reference_horizon_days": 180, "model_kind": "boosted", "base_rate": {"180": 0.09}},
    },
    "CatalogAnswer": {
        "actions": [{"action": "career_talk", "title_en": "Career talk", "title_zh": "职业发展面谈", "days": 14}]
    },
    "AuditAnswer": {
        "entries": [
            {
                "sequence": 812,
                "at": "2026-11-03T08:12:44Z",
                "actor": "person 12 Li Na",
                "action": "risk.read",
                "purpose": "retention_care",
                "employee_id": "E0042",
                "model_version": "7",
                "result": "shown",
                "request_id": "5d1f2a9c0e7b4a68",
                "hash": "51ce" * 16,
            }
        ],
        "next_cursor": None,
    },
    "AllocationAnswer": {
        "as_of": "2026-10-31",
        "model": _MODEL,
        "smallest_group": 5,
        "budget": 50000,
        "manager_hours": 2,
        "most_each": 1,
        "n_planned": 48,
        "money": 31200,
        "hours": 61.5,
        "avoided": {"expected": 3, "low": 1, "high": 5},
        "gap": 0.001,
        "more_money": 0.1,
        "more_hour": 0.01,
        "lines": [
            {
                "department": "Care",
                "n_people": 131,
                "n_planned": 22,
                "actions": [
                    {"action": "voice_and_follow_up", "n_people": 14},
                    {"action": "skill_course", "n_people": 8},
                ],
                "money": 12400,
                "hours": 27.5,
                "avoided": {"expected": 1, "low": 0, "high": 2},
            }
        ],
    },
    "PlannedPeopleAnswer": {
        "as_of": "2026-10-31",
        "model": _MODEL,
        "people": [
            {
                "employee_id": "E0042",
                "department": "Care",
                "team": "Nursing B",
                "manager_id": "M1",
                "action": "career_talk",
            }
        ],
    },
    "State": {"status": "ok"},
    **CASES,
}
"""One answer per operation, shown in the OpenAPI document and held to the schema by a test."""
