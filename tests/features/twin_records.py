"""The themes of the twin, third part: the way so far, wishes, goals, courses and being seen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from tests.features.twin import Columns, Row, Then, Value, feed, minus, over, since

YEAR = 365.25


def records(then: Then, one: str) -> Columns:
    """The columns of this file for one person."""
    told: Columns = {}
    for block in (clock, peers, courses, wishes, activities, goals, recognition, review_cycles, care, exit_voices):
        told |= block(then, one)
    return told


def waited(then: Then, who: str) -> float | None:
    """Days since promotion, else since hiring."""
    if then.post(who)["level"] is None:
        return None
    return since(then, [then.hired[who], *(s["happened_on"] for s in then.steps[who] if s["promoted"])])


def stayed(then: Then, who: str) -> float | None:
    """Days in the post, else since hiring."""
    if not then.steps.get(who):
        return None
    return since(then, [then.hired[who], *(s["happened_on"] for s in then.steps[who] if s["moved"])])


def clock(then: Then, one: str) -> Columns:
    def near(days: float | None) -> float | None:
        if days is None:
            return None
        nearest = max(1, round(days / YEAR))
        return float(abs(days - nearest * YEAR) <= 30)

    def stirred(who: str) -> float | None:
        steps = then.steps.get(who)
        if not steps:
            return None
        return float(any((s["moved"] or s["manager_changed"]) and then.age(s) < 90 for s in steps))

    tenure, in_post = (then.as_of - then.hired[one]).days, stayed(then, one)
    recent = [s for s in then.steps.get(one, []) if s["moved"] and then.age(s) < 1095]
    return {
        "three_months_in": float(60 <= tenure <= 120),
        "first_180d": float(tenure < 180),
        "near_anniversary": near(tenure),
        "days_to_role_anniversary": None if in_post is None else YEAR - in_post % YEAR,
        "near_role_anniversary": near(in_post),
        "team_reorganised_share_90d": then.others_mean(one, stirred, "team"),
        "department_reorganised_share_90d": then.others_mean(one, stirred, "department"),
        "moves_1095d": float(len(recent)) if then.steps.get(one) else None,
    }


def peers(then: Then, one: str) -> Columns:
    mates = [o for o in then.team_mates(one, "job_family") if abs((then.hired[o] - then.hired[one]).days) <= 180]

    def around(value: Callable[[str], Value]) -> float | None:
        values = [v for o in mates if (v := value(o)) is not None]
        return sum(values) / len(values) if len(values) >= 2 else None

    stays: list[tuple[object, object, int]] = []
    for other in then.people:
        begun = then.hired[other]
        for before, step in zip(then.steps.get(other, []), then.steps.get(other, [])[1:], strict=False):
            if step["promoted"] and step["happened_on"] > then.hired[other]:
                if other != one:
                    stays.append((before["ladder"], before["level"], (step["happened_on"] - begun).days))
                begun = step["happened_on"]
    usual, post = None, then.post(one)
    if len(stays) >= 4:
        general = sum(days for _, _, days in stays) / len(stays)
        here = [days for ladder, level, days in stays if (ladder, level) == (post["ladder"], post["level"])]
        usual = (sum(here) + 4 * general) / (len(here) + 4)
    return {
        "level_vs_cohort": minus(post["level"], around(lambda o: then.post(o)["level"])),
        "promotion_wait_vs_cohort": over(waited(then, one), around(lambda o: waited(then, o))),
        "post_wait_vs_cohort": over(stayed(then, one), around(lambda o: stayed(then, o))),
        "level_time_vs_usual": over(waited(then, one), usual),
    }


def held_levels(then: Then, one: str, *, days_ago: int = 0) -> dict[object, float]:
    rows = [r for r in then.facts("skills", employee_id=one) if then.age(r) >= days_ago]
    return {r["skill"]: r["level"] for r in rows}


def lacking(then: Then, one: str, job: object, level: object) -> dict[object, float]:
    """Levels missing for a post, per skill that it asks for and the person was rated in."""
    needed: dict[object, float] = {}
    for r in then.facts("job_skills", job=job) if job is not None else []:
        if r["level"] is None or r["level"] == level:
            needed[r["skill"]] = max(needed.get(r["skill"], 0.0), r["required_level"])
    mine = held_levels(then, one)
    return {skill: max(0.0, level - mine[skill]) for skill, level in needed.items() if skill in mine}


def courses(then: Then, one: str) -> Columns:
    every = then.facts("learning")

    def learned(who: str) -> float | None:
        return hours(who).total(180)

    def hours(who: str):
        return feed(then, who, every, lambda r: r["hours"] if r["status"] == "completed" else None)

    newest = {r["course_id"]: r for r in every if r["employee_id"] == one}
    waiting = [r for r in newest.values() if r["status"] in ("assigned", "started") and then.age(r) < 365]
    told = feed(then, one, every, lambda r: 1).covered(365)
    two_years = [r["status"] for r in newest.values() if r["status"] is not None and then.age(r) < 730]
    now, before = held_levels(then, one), held_levels(then, one, days_ago=365)
    rated_before = [now[skill] - before[skill] for skill in before]
    gaps = lacking(then, one, then.post(one)["job"], then.post(one)["level"])
    fitting = [
        c
        for c in then.facts("courses")
        if any(
            gaps.get(skill, 0) > 0 and (c["to_level"] is None or c["to_level"] > now[skill])
            for skill in (part.strip() for part in c["skill"].split(";"))
        )
        and c["course_id"] not in newest
    ]
    return {
        "courses_not_begun_365d": float(sum(r["status"] == "assigned" for r in waiting)) if told else None,
        "courses_finished_share_730d": two_years.count("completed") / len(two_years) if two_years else None,
        "oldest_open_course_days": float(max(then.age(r) for r in waiting)) if waiting else None,
        "learning_hours_ratio_180d": hours(one).ratio(180, 360),
        "learning_hours_vs_job_180d": minus(learned(one), then.others_mean(one, learned, "job")),
        "skills_gained_365d": sum(rated_before) if rated_before else None,
        "courses_closing_gap": float(len(fitting)) if gaps and then.facts("courses") else None,
    }


def wishes(then: Then, one: str) -> Columns:
    told: Columns = dict.fromkeys(
        ("wishes_since_step", "wished_skill_gap", "wished_skills_met_share", "ready_and_waiting")
    )
    every = then.facts("aspirations", employee_id=one)
    named = [r for r in every if r["wants"] is not None or r["target_job"] is not None]
    met = None
    if named and named[-1]["wants"] != "none":
        last, post = named[-1], then.post(one)
        up = last["wants"] == "promotion"
        job = last["target_job"] or (post["job"] if up else None)
        level = post["level"] + 1 if up and post["level"] is not None else post["level"]
        gaps = list(lacking(then, one, job, None if up and post["level"] is None else level).values())
        if gaps:
            met = gaps.count(0.0) / len(gaps)
            told |= {"wished_skill_gap": sum(gaps) / len(gaps), "wished_skills_met_share": met}
    stated = [r for r in every if r["wants"] is not None]
    if stated:
        steps = [s["happened_on"] for s in then.steps.get(one, []) if s["promoted"] or s["moved"]]
        since_step = [r for r in stated if r["wants"] != "none" and not any(day > r["happened_on"] for day in steps)]
        told["wishes_since_step"] = float(len(since_step))
        if stated[-1]["wants"] == "promotion" and met is not None:
            told["ready_and_waiting"] = float(stated[-1] in since_step and met >= 0.8)
    return told


def activities(then: Then, one: str) -> Columns:
    told = [r["interests"] for r in then.facts("aspirations", employee_id=one) if r["interests"] is not None]
    offered = [r for r in then.facts("activities") if r["happened_on"] is not None]
    if not told or not offered:
        return {"liked_activities_180d": None, "liked_activities_ahead_180d": None}
    liked = {text.strip() for text in told[-1].split(";")}
    ages = [(then.age(r), r["known_on"] > date(1900, 1, 1)) for r in offered if r["interest"] in liked]
    return {
        "liked_activities_180d": float(sum(0 <= age < 180 for age, _ in ages)),
        "liked_activities_ahead_180d": float(sum(-180 <= age < 0 and announced for age, announced in ages)),
    }


def _thanks(then: Then) -> list[Row]:
    return [r for r in then.facts("recognitions") if r["given_by"] != r["employee_id"]]


def goals(then: Then, one: str) -> Columns:
    every, thanks = then.facts("goals"), _thanks(then)
    told = feed(then, one, every, lambda r: 1).covered(365)
    thanks_told = feed(then, one, thanks, lambda r: 1).covered(365)
    seen = [r["happened_on"] for r in thanks if r["employee_id"] == one]
    lags, finished, unseen = [], 0, 0
    for goal in {r["goal_id"] for r in every}:
        rows = [r for r in every if r["goal_id"] == goal]
        newest, begun = rows[-1], rows[0]["happened_on"]
        if newest["employee_id"] != one or then.age(newest) >= 365:
            continue
        if newest["progress"] >= 1:
            finished += 1
            unseen += not any(day >= newest["happened_on"] for day in seen)
            continue
        due = [r["due_on"] for r in rows if r["due_on"] is not None]
        if due and due[-1] > begun:
            passed = (then.as_of - begun).days / (due[-1] - begun).days
            lags.append(min(1.0, passed) - newest["progress"])
    return {
        "goals_lag": sum(lags) / len(lags) if lags else None,
        "goals_finished_365d": float(finished) if told else None,
        "goals_finished_unrecognised_365d": float(unseen) if told and thanks_told else None,
    }


def silence(then: Then, told, *, days: int = 730) -> float | None:
    """Against the usual distance of two facts; ``told`` is the feed of one person."""
    if len(told.values(days)) < 3:
        return None
    begins = max(then.as_of - timedelta(days - 1), told.hired, told.first)
    usual = ((then.as_of - begins).days + 1) / len(told.values(days))
    return min(age for age, _ in told.mine) / usual


def recognition(then: Then, one: str) -> Columns:
    thanks = _thanks(then)

    def got(who: str, kind: str | None = None):
        return feed(then, who, thanks, lambda r: 1 if kind in (None, r["kind"]) else None)

    def year(who: str) -> float | None:
        return got(who).total(365)

    def praise(who: str) -> float | None:
        return got(who, "customer_praise").total(365)

    mine = [r for r in thanks if r["employee_id"] == one and then.age(r) < 365]
    givers = {r["given_by"] for r in mine if r["given_by"] is not None}
    return {
        "recognitions_vs_job_365d": minus(year(one), then.others_mean(one, year, "job")),
        "recognitions_ratio_180d": got(one).ratio(180, 730),
        "recognition_silence_vs_usual": silence(then, got(one)),
        "recognition_givers_365d": float(len(givers)) if got(one).covered(365) else None,
        "peer_thanks_365d": got(one, "peer_thanks").total(365),
        "customer_praise_vs_team_365d": minus(praise(one), then.others_mean(one, praise, "team")),
    }


def review_cycles(then: Then, one: str) -> Columns:
    told: Columns = dict.fromkeys(("review_trend", "good_cycles_unrewarded", "two_good_cycles_unrewarded"))
    by_day: dict[date, list[float]] = {}
    for r in then.facts("reviews", employee_id=one):
        if r["source"] in (None, "manager"):
            by_day.setdefault(r["happened_on"], []).append(r["rating"] / r["scale_max"])
    cycles = [(day, sum(given) / len(given)) for day, given in sorted(by_day.items())]
    if len(cycles) >= 3:
        told["review_trend"] = (cycles[-1][1] - cycles[-3][1]) / 2
    if not cycles:
        return told
    steps = then.steps.get(one, [])
    rewards = [s["happened_on"] for s in steps if s["promoted"] or (s["raise_share"] or 0) > 0]
    in_a_row = 0
    for day, rating in reversed(cycles):
        if rating < 0.8 - 1e-9 or any(reward > day for reward in rewards):
            break
        in_a_row += 1
    return told | {"good_cycles_unrewarded": float(in_a_row), "two_good_cycles_unrewarded": float(in_a_row >= 2)}


def care(then: Then, one: str) -> Columns:
    every = then.facts("care_actions")

    def count(status: str, days: int) -> float | None:
        return feed(then, one, every, lambda r: 1 if r["status"] == status else None).total(days)

    given = [r["happened_on"] for r in every if r["employee_id"] == one and r["status"] == "done"]
    return {
        "care_agreed_180d": count("agreed", 180),
        "care_done_180d": count("done", 180),
        "care_declined_365d": count("declined", 365),
        "days_since_care": since(then, given),
    }


def exit_voices(then: Then, one: str) -> Columns:
    leavers = {e["employee_id"] for e in then.exits}
    mine = then.post(one)["department"]
    last_words = {r["employee_id"]: r for r in then.facts("exit_interviews")}
    reasons = [
        r["reason"]
        for r in last_words.values()
        if then.age(r) < 365
        and r["employee_id"] in leavers - {one}
        and mine is not None
        and then.post(r["employee_id"])["department"] == mine
    ]
    return {
        f"exit_interviews_{x}_share_365d": reasons.count(x) / len(reasons) if len(reasons) >= 3 else None
        for x in ("pay", "growth", "manager", "workload")
    }
