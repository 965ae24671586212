"""The themes of the twin, second half: answers, ties, hours, and the people around."""

from __future__ import annotations

from datetime import timedelta
from functools import cache

from tests.features.twin import Columns, Feed, Row, Then, both, feed, minus, over, since, spread

KINDS = {
    "message": "messages",
    "email": "emails",
    "meeting": "meetings",
    "one_on_one": "one_on_ones",
    "project": "projects",
    "help_given": "help_given",
}
ITEMS = [
    "engagement",
    "growth",
    "recognition",
    "belonging",
    "workload",
    "pay",
    "manager",
    "fairness",
    "wellbeing",
    "enps",
    "intent_to_stay",
]


def engagement(then: Then, one: str) -> Columns:
    answers: list[Row] = []
    for r in then.facts("surveys"):
        share = (r["score"] - r["scale_min"]) / (r["scale_max"] - r["scale_min"])
        item = r["item"] if r["item"] in ITEMS else "other"
        answers.append(r | {"item": item, "share": round(min(1.0, max(0.0, share)), 3)})

    def asked(who: str, item: str | None = None) -> Feed:
        return feed(then, who, answers, lambda r: r["share"] if item in (None, r["item"]) else None)

    @cache
    def days(who: str) -> Feed:
        """One fact per person and day: several answers on a day are one day."""
        seen = {(r["employee_id"], r["happened_on"]): r for r in answers}
        return feed(then, who, list(seen.values()), lambda r: 1)

    latest = {r["item"]: r["share"] for r in answers if r["employee_id"] == one}
    year = [[r["share"] for r in answers if r["employee_id"] == one and r["item"] == i and then.age(r) < 365]
            for i in (*ITEMS, "other")]  # fmt: skip
    mine, every = asked(one), days(one)
    department = then.others_mean(one, lambda o: days(o).total(90), "department")
    colleagues = then.others_mean(one, lambda o: days(o).total(90)) if department is None else department
    around = then.others_mean(one, lambda o: asked(o).mean(90), "team", fewest=4)
    told: Columns = {
        "survey_mean_30d": mine.mean(30),
        "survey_mean_90d": mine.mean(90),
        "survey_mean_365d": mine.mean(365),
        "survey_change_30d": mine.change(30, 365),
        "survey_sd_365d": spread(year),
        "survey_vs_team_90d": minus(mine.mean(90), around),
        **{f"survey_days_{d}d": every.total(d) for d in (30, 90, 365)},
        "survey_days_ratio_30d": every.ratio(30, 210),
        "survey_days_vs_others_90d": over(every.total(90), colleagues),
        "days_since_survey": since(then, [r["happened_on"] for r in answers if r["employee_id"] == one]),
        "survey_team_mean_90d": around,
        "survey_manager_by_others_365d": then.others_mean(
            one, lambda o: asked(o, "manager").mean(365), "manager_id", fewest=4
        ),
    }
    for item in (*ITEMS, "other"):
        told[f"survey_{item}_latest"] = latest.get(item)
        told[f"survey_{item}_mean_365d"] = asked(one, item).mean(365)
        told[f"survey_{item}_change_90d"] = asked(one, item).change(90, 365)
    return told


def interactions(then: Then, one: str) -> Columns:
    rows = [r for r in then.facts("interactions") if r["counterpart_id"] != r["employee_id"]]
    met = [r for r in rows if r["counterpart_id"] is not None and r["n"] > 0]

    def did(who: str, *kinds: str) -> Feed:
        return feed(then, who, rows, lambda r: r["n"] if not kinds or r["kind"] in kinds else None)

    def usual(who: str) -> float | None:
        return did(who).ratio(30, 210)

    heard = feed(then, one, met, lambda r: r["n"], who="counterpart_id")
    made, received = did(one).total(90), heard.total(90)
    return {
        "interactions_made_30d": did(one).total(30),
        "interactions_made_90d": made,
        **{f"{name}_90d": did(one, kind).total(90) for kind, name in KINDS.items()},
        "interactions_received_30d": heard.total(30),
        "interactions_received_90d": received,
        "interactions_made_ratio_30d": usual(one),
        "interactions_made_ratio_vs_team": minus(usual(one), then.others_mean(one, usual, "team")),
        "interactions_received_ratio_30d": heard.ratio(30, 210),
        "talk_ratio_30d": did(one, "message", "email").ratio(30, 210),
        "initiative_ratio_90d": did(one, "project", "help_given").ratio(90, 365),
        "interactions_made_vs_team_90d": over(made, then.others_mean(one, lambda o: did(o).total(90), "team")),
        "received_share_90d": over(received, made + received) if both(made, received) else None,
        "days_since_interaction": since(then, [r["happened_on"] for r in rows if r["employee_id"] == one]),
        **_ties(then, one, met, heard),
    }


def _ties(then: Then, one: str, met: list[Row], heard: Feed) -> Columns:
    def turned_to(who: object, days: int) -> set[object]:
        return {r["counterpart_id"] for r in met if r["employee_id"] == who and then.age(r) < days}

    inward = {r["employee_id"] for r in met if r["counterpart_id"] == one and then.age(r) < 90}
    outward, mine = turned_to(one, 90), then.post(one)["team"]
    teams = [then.post(o)["team"] for o in outward if o in then.people]
    placed = [t for t in teams if t is not None] if mine is not None else []
    leaving = {e["employee_id"] for e in then.exits if e["kind"] == "voluntary" and then.age(e, "notice_on") < 90}
    boss = then.post(one)["manager_id"]
    talks = [r for r in met if r["kind"] == "one_on_one"]
    with_boss = [r for r in talks if boss and {r["employee_id"], r["counterpart_id"]} == {one, boss}]
    told = feed(then, one, [*talks], lambda r: r["n"])
    both_ways = float(sum(r["n"] for r in with_boss if then.age(r) < 90))

    def if_told(days: int, number: float) -> float | None:
        return float(number) if heard.covered(days) else None

    return {
        "contacts_30d": if_told(30, len(turned_to(one, 30))),
        "contacts_90d": if_told(90, len(outward)),
        "contacts_in_90d": if_told(90, len(inward)),
        "reciprocity_90d": len(outward & inward) / len(outward) if outward else None,
        "contacts_outside_team_share_90d": sum(t != mine for t in placed) / len(placed) if placed else None,
        "contacts_leaving_90d": if_told(90, len(outward & leaving)),
        "one_on_ones_with_manager_90d": both_ways if boss is not None and told.covered(90) else None,
        "days_since_one_on_one": since(then, [r["happened_on"] for r in with_boss]),
    }


def workload(then: Then, one: str) -> Columns:
    days, rows = then.facts("attendance"), then.facts("interactions")

    def over_hours(who: str) -> float | None:
        return feed(then, who, days, lambda r: r["overtime_hours"]).total(90, dense=True)

    overtime = feed(then, one, days, lambda r: r["overtime_hours"])
    leave = feed(then, one, days, lambda r: r["leave_days"])
    late = feed(then, one, days, lambda r: r["late_minutes"])
    hours = feed(then, one, days, lambda r: r["hours"]).total(90, dense=True)
    after = feed(then, one, rows, lambda r: r["after_hours"])
    sits = ("meeting", "one_on_one")
    meeting = feed(then, one, rows, lambda r: r["minutes"] / 60 if r["kind"] in sits and r["minutes"] else None)
    rest = [r["happened_on"] for r in days if r["employee_id"] == one and r["leave_days"]]
    weeks = min(90, (then.as_of - then.hired[one]).days + 1) / 7
    agreed = then.post(one)["weekly_hours"]
    return {
        "overtime_hours_30d": overtime.total(30, dense=True),
        "overtime_hours_90d": over_hours(one),
        "overtime_ratio_30d": overtime.ratio(30, 210, dense=True),
        "overtime_vs_team_90d": minus(over_hours(one), then.others_mean(one, over_hours, "team")),
        "hours_vs_contract_90d": over(hours, weeks * agreed) if agreed is not None else None,
        "late_minutes_90d": late.total(90, dense=True),
        "leave_days_30d": leave.total(30, dense=True),
        "leave_days_365d": leave.total(365, dense=True),
        "leave_ratio_90d": leave.ratio(90, 365, dense=True),
        "days_since_leave": since(then, rest),
        "after_hours_share_90d": after.mean(90),
        "after_hours_change_90d": after.change(90, 365),
        "meeting_hours_30d": meeting.total(30),
        "meeting_ratio_30d": meeting.ratio(30, 210),
    }


def team(then: Then, one: str) -> Columns:
    post = then.post(one)
    gone = [e for e in then.exits if e["employee_id"] not in then.people]
    first = min((e["notice_on"] for e in then.exits), default=None)

    def told(days: int) -> bool:
        return first is not None and first <= then.as_of - timedelta(days - 1)

    def left(group: str, days: int, *, chosen: bool = True) -> float | None:
        if post[group] is None or not told(days):
            return None
        near = [e for e in gone if then.post(e["employee_id"])[group] == post[group]]
        return float(sum((e["kind"] == "voluntary") == chosen and then.age(e, "notice_on") < days for e in near))

    def size(group: str) -> float | None:
        same = [o for o in then.people if then.post(o)[group] == post[group]]
        return None if post[group] is None else float(len(same))

    def share(group: str) -> float | None:
        number = left(group, 365)
        return None if number is None else number / (number + size(group))

    def tenure(who: str) -> float:
        return float((then.as_of - then.hired[who]).days)

    steps = then.steps.get(one, [])
    ended = [*(s["happened_on"] for s in steps[1:]), None]
    bosses = {s["manager_id"] for s, end in zip(steps, ended, strict=False) if not end or (then.as_of - end).days < 180}
    leaving = {e["employee_id"] for e in then.exits if then.age(e, "notice_on") < 180}
    return {
        "team_size": size("team"),
        "team_exits_90d": left("team", 90),
        "team_exits_180d": left("team", 180),
        "team_other_exits_180d": left("team", 180, chosen=False),
        "team_exit_share_365d": share("team"),
        "department_exit_share_365d": share("department"),
        "manager_exit_share_365d": share("manager_id"),
        "manager_span": size("manager_id"),
        "manager_left_180d": float(bool(bosses & leaving)) if post["manager_id"] is not None and told(180) else None,
        "team_tenure_days": then.others_mean(one, tenure, "team"),
        "team_new_share_180d": then.others_mean(one, lambda o: float(tenure(o) < 180), "team"),
    }
