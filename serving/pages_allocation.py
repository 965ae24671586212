"""The page on which HR tries budgets: per department what would be done, what it costs, and what it prevents."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from serving import allocation
from serving.allocation import MOST_EACH, Asked
from serving.guard import desk
from serving.pages import Let, language, page

router = APIRouter(include_in_schema=False)

MONEY_STEP = 10_000


@router.get("/allocation")
def allocated(
    request: Request,
    who: Let,
    budget: Annotated[float, Query(ge=0, le=1e12)] = 0,
    hours: Annotated[float, Query(ge=0, le=200)] = 2,
    most_each: Annotated[int, Query(ge=1, le=MOST_EACH)] = 1,
) -> Response:
    """The plan of the organisation for this budget and these hours; no names."""
    at, words = desk(request), language(request)
    asked = Asked(budget, hours, most_each, at.settings.month_pay)
    seen = allocation.organisation_plan(at.store, who, asked, catalog=at.actions, min_group=at.settings.min_group)
    context = {
        "run": seen.run,
        "seen": seen,
        "titles": {entry["action"]: words.of(entry, "title") for entry in at.catalog},
        "money": lambda amount: f"{amount:,.0f}",
        "number": lambda value: f"{value:.1f}",
        "whole": lambda value: f"{value:g}",
        "min_group": at.settings.min_group,
        "money_step": f"{MONEY_STEP:,}",
        "valid_until": seen.run.computed_at.date() + timedelta(days=at.settings.score_valid_days),
    }
    return page(request, "allocation.html", context, who=who)
