"""An assessment made on demand, told by the rights of the key: numbers for those who may see them, words for all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from models.assess import Assessment, band_of
from models.bundle import Bundle
from serving.posted import Refused
from serving.schemas import HorizonRisk, PlanAnswer, Told
from serving.schemas_exchange import Band, FaultAnswer, PostedRisk, RefusedRow, Side
from serving.seen import shown_plan
from serving.service import WORTH_SAYING


def posted_risk(one: Assessment, bundle: Bundle, *, numbers: bool, left_out: int) -> PostedRisk:
    """Return somebody's assessment, and how many of their rows it does not know."""
    facts = one.to_dict()
    told = facts["reasons"] if numbers else [r for r in facts["reasons"] if abs(r["contribution"]) >= WORTH_SAYING]
    words = ("driver", "direction", "text_en", "text_zh")
    reasons = [r if numbers else {name: r[name] for name in words} for r in told if r["text_en"]]
    return PostedRisk(
        employee_id=one.employee_id,
        band=one.band,
        risk=risks(one, numbers=numbers),
        may_be=may_be(one, bundle),
        cannot_judge_en=one.cannot_judge_en,
        cannot_judge_zh=one.cannot_judge_zh,
        reasons=[Told(**reason) for reason in reasons],
        plan=PlanAnswer(**shown_plan(facts["plan"])),
        rows_left_out=left_out,
    )


def side(one: Assessment, bundle: Bundle, *, numbers: bool) -> Side:
    """Return one side of a what-if."""
    why = {"cannot_judge_en": one.cannot_judge_en, "cannot_judge_zh": one.cannot_judge_zh}
    return Side(band=one.band, may_be=may_be(one, bundle), risk=risks(one, numbers=numbers), **why)


def risks(one: Assessment, *, numbers: bool) -> list[HorizonRisk] | None:
    """Return the risk over every horizon, for those who may see numbers and where something can be judged."""
    if not numbers or one.band == "cannot_judge":
        return None
    return [
        HorizonRisk(horizon_days=days, voluntary=one.risk[days], other=one.other[days], **_between(one, days))
        for days in sorted(one.risk)
    ]


def may_be(one: Assessment, bundle: Bundle) -> tuple[Band, Band] | None:
    """Return the bands of both ends of the interval, when they are different ones."""
    ends = one.interval.get(bundle.card.reference_horizon_days)
    if one.band == "cannot_judge" or ends is None:
        return None
    low, high = (band_of(end, bundle.card.bands) for end in ends)
    return None if low == high else (low, high)


def refused_row(one: Refused) -> RefusedRow:
    """Return a row that was left out, with what is wrong with it."""
    faults = [FaultAnswer(**asdict(fault)) for fault in one.faults]
    return RefusedRow(table=one.table, row=one.row, faults=faults)  # type: ignore[arg-type]


def _between(one: Assessment, days: int) -> Mapping[str, Any]:
    return dict(zip(("low", "high"), one.interval[days], strict=True)) if days in one.interval else {}
