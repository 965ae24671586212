"""The themes of the twin, first half: what is on file about a person, told in the plainest way."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, timedelta

from features.tables import OwnColumn
from tests.features.twin import Columns, Feed, Row, Then, feed, minus, over, since
from tests.features.twin_people import people
from tests.features.twin_records import records, silence
from tests.features.twin_rewards import rewards
from tests.features.twin_signals import engagement, interactions, team, workload
from tests.features.twin_withdrawal import withdrawal


def row(then: Then, one: str, own: Sequence[OwnColumn]) -> Columns:
    """Every column of one person."""
    told: Columns = {}
    for block in (career, pay, growth, recognition, engagement, interactions, workload, team, fairness):
        told |= block(then, one)
    for block in (people, records, rewards, withdrawal):
        told |= block(then, one)
    return told | own_columns(then, one, own)


def career(then: Then, one: str) -> Columns:
    hired, steps, post = then.hired[one], then.steps.get(one, []), then.post(one)
    tenure = (then.as_of - hired).days

    def waited(who: str, flag: str = "promoted", known: str = "level") -> float | None:
        if then.post(who)[known] is None:
            return None
        return since(then, [then.hired[who], *(s["happened_on"] for s in then.steps[who] if s[flag])])

    def recent(flag: str, days: int, known: str) -> float | None:
        if post[known] is None:
            return None
        return float(sum(1 for step in steps if step[flag] and then.age(step) < days))

    angle = 2 * math.pi * (((then.as_of - date(1970, 1, 1)).days / 365.2425) % 1)
    any_manager = any(then.post(o)["manager_id"] is not None for o in then.people)
    moved = [hired, *(s["happened_on"] for s in steps if s["moved"])]
    return {
        "tenure_days": float(tenure),
        "first_90d": float(tenure < 90),
        "days_to_anniversary": 365.25 - tenure % 365.25,
        "rehired": float(any(e["employee_id"] == one and e["happened_on"] < hired for e in then.exits)),
        "level": post["level"],
        "days_since_promotion": waited(one),
        "promotion_wait_vs_level": over(waited(one), then.others_mean(one, waited, "level")),
        "promotions_730d": recent("promoted", 730, "level"),
        "days_since_move": since(then, moved) if steps else None,
        "days_since_manager_change": waited(one, "manager_changed", "manager_id"),
        "manager_changes_365d": recent("manager_changed", 365, "manager_id"),
        "direct_reports": float(sum(then.post(o)["manager_id"] == one for o in then.people)) if any_manager else None,
        "season_sin": math.sin(angle),
        "season_cos": math.cos(angle),
        **{x: post[x] for x in ["weekly_hours", "department", "location", "job_family", "ladder", "employment_type"]},
    }


def pay(then: Then, one: str) -> Columns:
    post, steps, hired = then.post(one), then.steps.get(one, []), then.hired[one]

    def against(*groups: str) -> float | None:
        mine = [post[group] for group in groups]
        if None in mine:
            return None
        peers = [then.post(o) for o in then.people if o != one]
        peers = [p for p in peers if p["currency"] == post["currency"] and [p[g] for g in groups] == mine]
        pays = [p["pay"] for p in peers if p["pay"] is not None]
        return over(post["pay"], sum(pays) / len(pays)) if len(pays) >= 2 else None

    def growth_of(who: str) -> float | None:
        then_before = then.as_of - timedelta(365)
        old = [r for r in then.facts("positions", employee_id=who) if r["happened_on"] <= then_before]
        pays = [r["pay"] for r in old if r["pay"] is not None]
        money = [r["currency"] for r in old if r["currency"] is not None]
        now = then.post(who)
        if not pays or now["pay"] is None or then.hired[who] > then_before:
            return None
        return now["pay"] / pays[-1] - 1 if (money[-1] if money else None) == now["currency"] else None

    raises = [s for s in steps if s["raise_share"] is not None and s["raise_share"] > 0]
    cuts = [s for s in steps if s["raise_share"] is not None and s["raise_share"] < 0 and then.age(s) < 365]
    paid = post["pay"] is not None
    return {
        "compa_ratio": over(post["pay"], post["pay_midpoint"]),
        "pay_vs_job": against("job"),
        "pay_vs_team": against("team"),
        "pay_vs_level": against("level"),
        "pay_vs_company": against(),
        "days_since_raise": since(then, [hired, *(s["happened_on"] for s in raises)]) if paid else None,
        "last_raise_share": raises[-1]["raise_share"] if raises else None,
        "pay_growth_365d": growth_of(one),
        "pay_growth_vs_company_365d": minus(growth_of(one), then.others_mean(one, growth_of)),
        "pay_cuts_365d": float(len(cuts)) if paid else None,
    }


def growth(then: Then, one: str) -> Columns:
    courses = then.facts("learning")
    mine = [r for r in courses if r["employee_id"] == one]
    done = [r for r in mine if r["status"] == "completed"]
    last_status = {r["course_id"]: r for r in mine}.values()
    unfinished = [r for r in last_status if r["status"] in ("assigned", "started") and then.age(r) < 365]
    told = feed(then, one, courses, lambda r: 1).covered(365)
    completed = feed(then, one, courses, lambda r: 1 if r["status"] == "completed" else None)
    hours = feed(then, one, courses, lambda r: r["hours"] if r["status"] == "completed" else None)
    return {
        "courses_completed_365d": completed.total(365),
        "courses_open_365d": float(len(unfinished)) if told else None,
        "learning_hours_180d": hours.total(180),
        "days_since_learning": since(then, [r["happened_on"] for r in done]),
        **_skills(then, one),
        **_goals(then, one),
        **_wish(then, one),
    }


def _skills(then: Then, one: str) -> Columns:
    post = then.post(one)
    needed: dict[object, float] = {}
    for r in then.facts("job_skills", job=post["job"]) if post["job"] is not None else []:
        if r["level"] is None or r["level"] == post["level"]:
            needed[r["skill"]] = max(needed.get(r["skill"], 0.0), r["required_level"])
    held = {r["skill"]: r["level"] for r in then.facts("skills", employee_id=one)}
    gaps = [max(0.0, level - held[skill]) for skill, level in needed.items() if skill in held]
    return {
        "skill_gap": sum(gaps) / len(gaps) if gaps else None,
        "skills_met_share": gaps.count(0.0) / len(gaps) if gaps else None,
    }


def _goals(then: Then, one: str) -> Columns:
    every = then.facts("goals")
    goals = {r["goal_id"] for r in every}
    told = feed(then, one, every, lambda r: 1).covered(365)
    overdue, behind, unfinished, progress, updated = 0, 0, 0, [], []
    for goal in goals:
        rows = [r for r in every if r["goal_id"] == goal]
        newest = rows[-1]
        if newest["employee_id"] != one:
            continue
        due = [r["due_on"] for r in rows if r["due_on"] is not None]
        begun = min(r["happened_on"] for r in rows)
        updated.append(newest["happened_on"])
        if then.age(newest) >= 365:
            continue
        progress.append(newest["progress"])
        if newest["progress"] >= 1:
            continue
        unfinished += 1
        if due:
            overdue += due[-1] < then.as_of
            time = (due[-1] - begun).days
            behind += time > 0 and newest["progress"] < (then.as_of - begun).days / time - 0.1
    return {
        "goals_open": float(unfinished) if told else None,
        "goals_overdue": float(overdue) if told else None,
        "goals_behind": float(behind) if told else None,
        "goals_progress": sum(progress) / len(progress) if progress else None,
        "days_since_goal_update": since(then, updated),
    }


def _wish(then: Then, one: str) -> Columns:
    told = [r for r in then.facts("aspirations", employee_id=one) if r["wants"] is not None]
    if not told:
        return {"wish": None, "wish_unanswered_days": None}
    wish = told[-1]
    steps = [s for s in then.steps.get(one, []) if s["promoted"] or s["moved"]]
    waiting = wish["wants"] != "none" and not any(s["happened_on"] > wish["happened_on"] for s in steps)
    return {"wish": wish["wants"], "wish_unanswered_days": float(then.age(wish)) if waiting else None}


def _manager_ratings(then: Then, one: str) -> list[Row]:
    rows = then.facts("reviews", employee_id=one)
    return [r for r in rows if r["source"] in (None, "manager") and r["rating"] is not None]


def recognition(then: Then, one: str) -> Columns:
    thanks = [r for r in then.facts("recognitions") if r["given_by"] != r["employee_id"]]

    def got(who: str, kind: str | None = None) -> Feed:
        return feed(then, who, thanks, lambda r: 1 if kind in (None, r["kind"]) else None)

    def rated(who: str) -> float | None:
        rows = _manager_ratings(then, who)
        return rows[-1]["rating"] / rows[-1]["scale_max"] if rows else None

    ratings = _manager_ratings(then, one)
    two = [r["rating"] / r["scale_max"] for r in ratings[-2:]]
    by_others = [r for r in then.facts("reviews") if r["source"] != "self"]
    given = feed(then, one, [r for r in thanks if r["given_by"] is not None], lambda r: 1, who="given_by")
    year = got(one).total(365)
    return {
        "recognitions_90d": got(one).total(90),
        "recognitions_365d": year,
        "customer_praise_365d": got(one, "customer_praise").total(365),
        "awards_365d": got(one, "award").total(365),
        "recognitions_vs_team_365d": minus(year, then.others_mean(one, lambda o: got(o).total(365), "team")),
        "days_since_recognition": since(then, [r["happened_on"] for r in thanks if r["employee_id"] == one]),
        "recognitions_given_365d": given.total(365),
        "review_latest": rated(one),
        "review_change": two[1] - two[0] if len(two) == 2 else None,
        "review_mean_730d": feed(then, one, by_others, lambda r: r["rating"] / r["scale_max"]).mean(730),
        "review_vs_team": minus(rated(one), then.others_mean(one, rated, "team")),
        "days_since_review": since(then, [r["happened_on"] for r in ratings]),
    }


def fairness(then: Then, one: str) -> Columns:
    def share(r: Row) -> float:
        return round(r["rating"] / r["scale_max"], 3)

    def latest(who: str) -> Row | None:
        rows = _manager_ratings(then, who)
        return rows[-1] if rows else None

    last = latest(one)
    own = [r for r in then.facts("reviews", employee_id=one) if r["source"] == "self"]
    mates = [share(r) for o in then.team_mates(one, "team") if (r := latest(o))]
    told: Columns = {
        "review_vs_reviewer": None,
        "review_self_gap": share(own[-1]) - share(last) if own and last else None,
        "high_review_unrewarded_days": None,
        "team_review_spread": None,
    }
    if len(mates) >= 2:
        centre = sum(mates) / len(mates)
        told["team_review_spread"] = math.sqrt(sum((x - centre) ** 2 for x in mates) / len(mates))
    if last is None:
        return told
    given = [r for r in then.facts("reviews", reviewer_id=last["reviewer_id"]) if r["source"] in (None, "manager")]
    others = [share(r) for r in given if r["employee_id"] != one and then.age(r) < 730]
    if last["reviewer_id"] is not None and len(others) >= 2:
        told["review_vs_reviewer"] = share(last) - sum(others) / len(others)
    steps = then.steps.get(one, [])
    better = [s for s in steps if s["promoted"] or (s["raise_share"] is not None and s["raise_share"] > 0)]
    if share(last) >= 0.8 and not any(s["happened_on"] > last["happened_on"] for s in better):
        told["high_review_unrewarded_days"] = float(then.age(last))
    return told


def own_columns(then: Then, one: str, own: Sequence[OwnColumn]) -> Columns:
    told: Columns = {}
    for column in own:
        date_of = "hired_on" if column.table == "employees" else "happened_on"
        rows = [r | {"happened_on": r[date_of]} for r in then.facts(column.table)]
        said = [r[column.name] for r in rows if r["employee_id"] == one and r.get(column.name) is not None]
        latest = said[-1] if said else None
        if column.kind == "category":
            told[column.name] = latest
            continue
        level = feed(then, one, rows, lambda r, name=column.name: r.get(name))
        told[f"{column.name}_latest"] = latest
        told |= {f"{column.name}_mean_{d}d": level.mean(d) for d in (90, 180, 365)}
        told |= {f"{column.name}_change_{d}d": level.change(d, 365) for d in (90, 180)}
        told[f"{column.name}_silence_vs_usual"] = silence(then, level)
    return told
