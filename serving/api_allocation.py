"""The plan of the organisation for other systems: in groups for HR, and by person for those who may see names."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from serving import allocation
from serving.allocation import MOST_EACH, Asked, OrganisationPlan
from serving.api import LOCKED, Let, documented, model_ref
from serving.guard import desk
from serving.schemas import (
    ActionCount,
    AllocationAnswer,
    AllocationLine,
    AvoidedAnswer,
    PlannedPeopleAnswer,
    PlannedPerson,
    Purpose,
)

router = APIRouter()

Budget = Annotated[float, Query(ge=0, le=1e12, description="Money for this round, in the local currency.")]
Hours = Annotated[float, Query(ge=0, le=200, description="Hours of each manager in this round.")]
MostEach = Annotated[int, Query(ge=1, le=MOST_EACH, description="Actions per person at most.")]


@router.get(
    "/v1/care-plans/allocation",
    responses=documented(AllocationAnswer, *LOCKED, "not_found"),
    openapi_extra={"security": [{"key": []}]},
)
def allocated(request: Request, who: Let, budget: Budget = 0, hours: Hours = 2, most_each: MostEach = 1) -> Any:
    """What would be done per department within money and hours, what it prevents, and what a little more would add."""
    at = desk(request)
    asked = Asked(budget, hours, most_each, at.settings.month_pay)
    return _answer(
        allocation.organisation_plan(at.store, who, asked, catalog=at.actions, min_group=at.settings.min_group),
        at.settings.min_group,
    )


@router.get(
    "/v1/care-plans/people",
    responses=documented(PlannedPeopleAnswer, *LOCKED, "not_found"),
    openapi_extra={"security": [{"key": []}]},
)
def planned_people(
    request: Request, who: Let, purpose: Purpose, budget: Budget = 0, hours: Hours = 2, most_each: MostEach = 1
) -> PlannedPeopleAnswer:
    """Who would be offered what. Each person is one entry in the audit log."""
    at = desk(request)
    asked = Asked(budget, hours, most_each, at.settings.month_pay)
    run, found = allocation.planned_people(at.store, who, asked, catalog=at.actions)
    told = [PlannedPerson(**{name: getattr(one, name) for name in PlannedPerson.model_fields}) for one in found]
    return PlannedPeopleAnswer(as_of=run.as_of, model=model_ref(run), people=told)


def _answer(seen: OrganisationPlan, smallest_group: int) -> AllocationAnswer:
    lines = [
        AllocationLine(
            department=line.department,
            n_people=line.n_people,
            n_planned=line.n_planned,
            actions=[ActionCount(action=action, n_people=n) for action, n in line.actions],
            money=round(line.money, 2),
            hours=round(line.hours, 1),
            avoided=_avoided(line.avoided) if line.avoided else None,
        )
        for line in seen.lines
    ]
    return AllocationAnswer(
        as_of=seen.run.as_of,
        model=model_ref(seen.run),
        smallest_group=smallest_group,
        budget=seen.asked.budget,
        manager_hours=seen.asked.hours,
        most_each=seen.asked.most_each,
        n_planned=seen.n_planned,
        money=round(seen.money, 2),
        hours=round(seen.hours, 1),
        avoided=_avoided(seen.avoided) if seen.avoided else None,
        gap=seen.gap,
        more_money=seen.more_money,
        more_hour=seen.more_hour,
        lines=lines,
    )


def _avoided(told: allocation.Avoided) -> AvoidedAnswer:
    return AvoidedAnswer(expected=told.expected, low=told.low, high=told.high)
