"""The question that is asked most, as few statements as can be: what is said of these people, and who is the token.

Statements are built once and filled in afterwards; building them costs more than asking them.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, bindparam, func, insert, select, update

from models.tell import Teller
from serving import store_said
from serving.store import Transaction
from serving.store_access import STOPPED
from serving.store_people import Sight, visible
from serving.store_tables import audit_entry, audit_head, audit_subject, employee, override, plain, score, score_run

RUN_ID = select(score_run.c.id).where(score_run.c.is_current)
SHOWN = select(STOPPED.label("stopped"), RUN_ID.scalar_subquery().label("run_id"))
TOKENS = select(audit_subject.c.employee_id, audit_subject.c.token).where(
    audit_subject.c.employee_id.in_(bindparam("people", expanding=True))
)
MOVE_HEAD = update(audit_head).where(audit_head.c.id == 1).values(sequence=bindparam("last"), hash=bindparam("seal"))
ADD_ENTRY, ADD_SUBJECT = insert(audit_entry), insert(audit_subject)


def shown(tx: Transaction) -> tuple[bool, int | None]:
    """Return whether the stop holds, and the number of the batch that is shown."""
    row = tx.execute(SHOWN).one()
    return bool(row.stopped), row.run_id


@lru_cache(maxsize=256)
def _said(sight: Sight) -> Select[Any]:
    seen = visible(sight).subquery()
    later = override.alias()
    newest = (
        select(func.max(later.c.id))
        .where(later.c.employee_id == employee.c.id, later.c.valid_until >= bindparam("today"))
        .scalar_subquery()
    )
    over = [override.c[name].label(f"override_{name}") for name in override.c.keys()]  # noqa: SIM118
    return (
        select(*store_said.OF_ONE, employee.c.name, employee.c.job, employee.c.team, employee.c.department, *over)
        .add_columns(seen.c.reason.label("seen_because"), audit_subject.c.token)
        .join(employee, employee.c.id == score.c.employee_id)
        .join(seen, seen.c.id == employee.c.id)
        .outerjoin(audit_subject, audit_subject.c.employee_id == employee.c.id)
        .outerjoin(override, override.c.id == newest)
        .where(score.c.run_id == bindparam("run"), employee.c.id.in_(bindparam("people", expanding=True)))
    )


@dataclass(frozen=True)
class Untold:
    """A row of the batch as it is stored, and what tells it; telling asks the store for nothing more.

    ``token`` stands for the person in the audit log, if the log has named them before.
    """

    row: dict[str, Any]
    told_by: Teller | None
    token: str | None

    def tell(self) -> dict[str, Any]:
        """Return the row in words; ``override`` is the word of a person that stands, or ``None``."""
        return _apart(store_said.in_words(self.told_by, self.row))


def untold(tx: Transaction, sight: Sight, run_id: int, people: Collection[str], *, today: date) -> dict[str, Untold]:
    """Return what the batch holds of those of ``people`` who are within sight, expired or not.

    Hidden and unknown people are absent alike.
    """
    found = tx.execute(_said(sight), {"run": run_id, "people": sorted(set(people)), "today": today}).all()
    told_by = store_said.teller(tx, run_id) if any(row.said is not None for row in found) else None
    rows = [plain(row) for row in found]
    return {row["employee_id"]: Untold(row, told_by, row.pop("token")) for row in rows}


def said(
    tx: Transaction, sight: Sight, run_id: int, people: Collection[str], *, today: date
) -> dict[str, dict[str, Any]]:
    """Return ``untold`` in words."""
    return {one: row.tell() for one, row in untold(tx, sight, run_id, people, today=today).items()}


def _apart(row: dict[str, Any]) -> dict[str, Any]:
    over = {name: row.pop(f"override_{name}") for name in override.c.keys()}  # noqa: SIM118
    stands = over["id"] is not None and over["decision"] != "follow"
    return {**row, "override": over if stands else None}


def subject_tokens(tx: Transaction, people: Collection[str]) -> dict[str, str]:
    """Return the random tokens that stand for these people in the audit log, made at the first mention."""
    wanted = sorted(set(people))
    known = {row.employee_id: str(row.token) for row in tx.execute(TOKENS, {"people": wanted})} if wanted else {}
    made = {one: secrets.token_hex(16) for one in wanted if one not in known}
    if made:
        tx.execute(ADD_SUBJECT, [{"token": token, "employee_id": one} for one, token in made.items()])
    return known | made


def add_entries(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """Append sealed entries, oldest first, and move the end of the chain to the last."""
    tx.execute(ADD_ENTRY, [dict(row) for row in rows])
    tx.execute(MOVE_HEAD, {"last": rows[-1]["sequence"], "seal": rows[-1]["hash"]})
