"""Questions to the store for the plan of an organisation: who could be offered what, and who is cared for already."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from sqlalchemy import and_, or_, select

from serving import store_said
from serving.store import Transaction
from serving.store_people import Sight, standing_overrides, visible
from serving.store_tables import care_case, employee, plain, score

CARED_FOR_DAYS = 90
"""For so long after something was agreed nobody else is planned for: care needs time to work."""


def candidates(tx: Transaction, sight: Sight, run_id: int, *, today: date) -> list[dict[str, Any]]:
    """Return everybody within sight with an assessment that may be read, by number, with the options of their plan.

    Left out: people whose assessment somebody set aside or called calm, and those for whom something was agreed or done
    within ``CARED_FOR_DAYS``.
    """
    seen, said = visible(sight).subquery(), standing_overrides(today)
    since = today - timedelta(days=CARED_FOR_DAYS)
    busy = select(care_case.c.employee_id).where(
        care_case.c.status.in_(("agreed", "done", "closed")),
        or_(care_case.c.agreed_on >= since, care_case.c.done_on >= since),
    )
    query = (
        select(employee, score.c.run_id, score.c.said, score.c.plan, score.c.risk_at_reference)
        .join(seen, seen.c.id == employee.c.id)
        .join(score, and_(score.c.employee_id == employee.c.id, score.c.run_id == run_id))
        .outerjoin(said, said.c.employee_id == employee.c.id)
        .where(score.c.valid_until >= today, score.c.band != "cannot_judge")
        .where(or_(said.c.decision.is_(None), said.c.decision.not_in(("disregard", "calm"))))
        .where(employee.c.id.not_in(busy))
        .order_by(employee.c.id)
    )
    return [store_said.options(tx, plain(row)) for row in tx.execute(query).all()]
