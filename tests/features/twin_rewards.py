"""The themes of the twin, fourth part: pay and what is fair, against peers, new hires and the market."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta

from tests.features.twin import Columns, Then, Value, minus, over, since


def rewards(then: Then, one: str) -> Columns:
    """The columns of this file for one person."""
    return pay(then, one) | raise_month(then, one) | appointments(then, one) | fairness(then, one)


def growth(then: Then, who: str, days: int) -> float | None:
    """Pay now against pay so many days ago, in the same currency, for who was here then."""
    before = then.as_of - timedelta(days)
    old = [r for r in then.facts("positions", employee_id=who) if r["happened_on"] <= before]
    pays = [r["pay"] for r in old if r["pay"] is not None]
    money = [r["currency"] for r in old if r["currency"] is not None]
    now = then.post(who)
    if not pays or now["pay"] is None or then.hired[who] > before:
        return None
    return now["pay"] / pays[-1] - 1 if (money[-1] if money else None) == now["currency"] else None


def pay(then: Then, one: str) -> Columns:
    post = then.post(one)

    def tenure(who: str) -> int:
        return (then.as_of - then.hired[who]).days

    def against(mine: Value, value: Callable[[str], Value], *groups: str) -> float | None:
        peers = [o for o in then.team_mates(one, *groups) if then.post(o)["currency"] == post["currency"]]
        values = [v for o in peers if (v := value(o)) is not None]
        return over(mine, sum(values) / len(values)) if len(values) >= 2 else None

    def hourly(who: str) -> float | None:
        return over(then.post(who)["pay"], then.post(who)["weekly_hours"])

    def paid(who: str) -> Value:
        return then.post(who)["pay"]

    def newly(who: str) -> Value:
        return paid(who) if tenure(who) < 365 else None

    def without_raise(who: str) -> float | None:
        raised = [s["happened_on"] for s in then.steps.get(who, []) if (s["raise_share"] or 0) > 0]
        return since(then, [then.hired[who], *raised]) if paid(who) is not None else None

    def vs_job(days: int) -> float | None:
        return minus(growth(then, one, days), then.others_mean(one, lambda o: growth(then, o, days), "job"))

    compa = over(post["pay"], post["pay_midpoint"])
    old = [r for r in then.facts("positions", employee_id=one) if then.age(r) >= 365]
    before = [[r[x] for r in old if r[x] is not None] for x in ("pay", "pay_midpoint")]
    compa_before = over(before[0][-1], before[1][-1]) if all(before) and tenure(one) >= 365 else None
    return {
        "pay_vs_job_site": against(paid(one), paid, "job", "location"),
        "hourly_pay_vs_job": against(hourly(one), hourly, "job"),
        "pay_vs_new_hires": against(paid(one), newly, "job") if tenure(one) >= 365 else None,
        "raise_wait_vs_job": over(without_raise(one), then.others_mean(one, without_raise, "job")),
        "pay_growth_vs_job_365d": vs_job(365),
        "pay_growth_730d": growth(then, one, 730),
        "pay_growth_vs_job_730d": vs_job(730),
        "compa_change_365d": minus(compa, compa_before),
        "below_market": None if compa is None else max(0.0, 1 - compa),
    }


def raise_month(then: Then, one: str) -> Columns:
    raises = [
        s["happened_on"].month
        for o in then.people
        for s in then.steps.get(o, [])
        if (s["raise_share"] or 0) > 0 and then.age(s) < 730
    ]
    counts = Counter(raises)
    most = max(counts.values(), default=0)
    if most < 5 or most < 0.25 * len(raises):
        return {"days_since_raise_month": None, "days_to_raise_month": None}
    from_march = [*range(3, 13), 1, 2]
    month = next(m for m in from_march if counts[m] == most)
    firsts = [date(then.as_of.year + shift, month, 1) for shift in (-1, 0, 1)]
    return {
        "days_since_raise_month": float(min((then.as_of - day).days for day in firsts if day <= then.as_of)),
        "days_to_raise_month": float(min((day - then.as_of).days for day in firsts if day > then.as_of)),
    }


def appointments(then: Then, one: str) -> Columns:
    told: Columns = {}
    steps = then.steps.get(one, [])
    for column, name in (
        ("probation_ends_on", "probation_end"),
        ("contract_ends_on", "contract_end"),
        ("bonus_on", "bonus"),
    ):
        day, passed = then.post(one)[column], []
        for i, step in enumerate(steps):
            named = step[column]
            replaced = i + 1 < len(steps) and named is not None and steps[i + 1]["happened_on"] <= named
            if named is not None and not replaced and max(step["happened_on"], then.hired[one]) <= named <= then.as_of:
                passed.append(named)
        told[f"days_to_{name}"] = float((day - then.as_of).days) if day is not None and day > then.as_of else None
        told[f"days_since_{name}"] = since(then, passed)
    return told


def fairness(then: Then, one: str) -> Columns:
    def rated(who: str) -> float | None:
        rows = [r for r in then.facts("reviews", employee_id=who) if r["source"] in (None, "manager")]
        return round(rows[-1]["rating"] / rows[-1]["scale_max"], 3) if rows else None

    def got(what: str, days: int, told: str) -> Callable[[str], float | None]:
        def happened(who: str) -> float | None:
            steps = [s for s in then.steps.get(who, []) if then.age(s) < days]
            return None if then.post(who)[told] is None else float(any((s[what] or 0) > 0 for s in steps))

        return happened

    def team_against(value: Callable[[str], float | None], fewest: int = 2) -> float | None:
        return minus(then.others_mean(one, value, "team", fewest=fewest), then.others_mean(one, value))

    def standing(value: Callable[[str], Value], *, same_money: bool = False) -> float | None:
        mates = then.team_mates(one, "job")
        if same_money:
            mates = [o for o in mates if then.post(o)["currency"] == then.post(one)["currency"]]
        mine, others = value(one), [v for o in mates if (v := value(o)) is not None]
        if mine is None or len(others) < 4:
            return None
        return sum((v < mine) + 0.5 * (v == mine) for v in others) / len(others)  # type: ignore[operator]

    review, paid = standing(rated), standing(lambda o: then.post(o)["pay"], same_money=True)
    return {
        "team_review_vs_company": team_against(rated, fewest=3),
        "team_raise_share_vs_company_365d": team_against(got("raise_share", 365, "pay")),
        "team_promotion_share_vs_company_730d": team_against(got("promoted", 730, "level")),
        "review_standing_in_job": review,
        "pay_standing_in_job": paid,
        "review_above_pay_in_job": minus(review, paid),
    }
