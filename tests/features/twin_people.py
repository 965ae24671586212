"""The themes of the twin about people and signals: ties, contagion, newcomers, managers, weeks, speaking up."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from functools import cache

from tests.features.twin import Columns, Feed, Row, Then, feed, minus, over, since


def people(then: Then, one: str) -> Columns:
    told: Columns = {}
    for theme in (ties, contagion, newcomer, manager, load, weeks, voice):
        told |= theme(then, one)
    return told


@cache
def met(then: Then) -> list[Row]:
    rows = then.facts("interactions")
    return [r for r in rows if r["counterpart_id"] not in (None, r["employee_id"]) and r["n"] > 0]


@cache
def acts(then: Then, one: str, days: int, after: int = 0) -> tuple[Counter, Counter]:
    """What the person began and what others began: other → acts, after so many days ago."""
    rows = [r for r in met(then) if after <= then.age(r) < days]
    made, heard = Counter(), Counter()
    for r in rows:
        if r["employee_id"] == one:
            made[r["counterpart_id"]] += r["n"]
        if r["counterpart_id"] == one:
            heard[r["employee_id"]] += r["n"]
    return made, heard


@cache
def told_all(then: Then, one: str, days: int, kind: str | None = None) -> bool:
    rows = [r for r in met(then) if kind in (None, r["kind"])]
    return feed(then, one, rows, lambda r: 1).covered(days)


def if_(condition: bool, value: float | None) -> float | None:
    return None if value is None or not condition else float(value)


def share(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None


def ties(then: Then, one: str) -> Columns:
    made, heard = acts(then, one, 90)
    made_old, heard_old = acts(then, one, 180, 90)
    now, old = made + heard, made_old + heard_old
    post, weight = then.post(one), sum((made + heard).values())

    def placed(others: Counter) -> list[str]:
        known = [o for o in others if o in then.people and then.post(o)["team"] is not None]
        return known if post["team"] is not None else []

    def outside(others: Counter) -> list[str]:
        return [o for o in placed(others) if then.post(o)["team"] != post["team"]]

    levels = [then.post(o)["level"] for o in now if o in then.people and then.post(o)["level"] is not None]
    levels = levels if post["level"] is not None else []
    stayed = [o for o in old if o in then.people]
    silent = [o for o in stayed if o not in now]
    half, quarter = told_all(then, one, 180), told_all(then, one, 90)
    helped = [r for r in met(then) if r["kind"] == "help_given" and then.age(r) < 90]
    gave = sum(r["n"] for r in helped if r["employee_id"] == one)
    got = sum(r["n"] for r in helped if r["counterpart_id"] == one)
    first_now = share(sum(made.values()), weight)
    first_old = share(sum(made_old.values()), sum(old.values()))

    def addressed(who: str) -> float | None:
        return if_(told_all(then, who, 90), sum(acts(then, who, 90)[1].values()))

    return {
        "ties_90d": if_(quarter, len(now)),
        "acts_per_tie_90d": share(weight, len(now)),
        "strongest_ties_share_90d": share(sum(sorted(now.values())[-3:]), weight),
        "tie_concentration_90d": share(sum(w * w for w in now.values()), weight**2),
        "ties_silent_90d": if_(half, len(silent)),
        "ties_silent_share_90d": if_(half, share(len(silent), len(stayed))),
        "ties_new_share_90d": if_(half and bool(old), share(sum(o not in old for o in now), len(now))),
        "tie_weight_kept_90d": if_(half, share(sum(min(old[o], now[o]) for o in stayed), sum(old[o] for o in stayed))),
        "outside_team_weight_share_90d": share(sum(now[o] for o in outside(now)), sum(now[o] for o in placed(now))),
        "outside_team_change_90d": minus(
            share(len(outside(now)), len(placed(now))), share(len(outside(old)), len(placed(old)))
        ),
        "ties_upward_share_90d": share(sum(level > post["level"] for level in levels), len(levels)),
        "initiated_share_change_90d": minus(first_now, first_old),
        "answered_share_90d": share(len(set(made) & set(heard)), len(heard)),
        "help_received_90d": if_(told_all(then, one, 90, "help_given"), got),
        "help_given_share_90d": share(gave, gave + got),
        "received_vs_company_90d": over(addressed(one), then.others_mean(one, addressed)),
        "incoming_centrality_90d": if_(quarter, central(then)[one]),
    }


@cache
def central(then: Then) -> dict[str, float]:
    score = dict.fromkeys(then.people, 1.0)
    turned = {(r["employee_id"], r["counterpart_id"]) for r in met(then) if then.age(r) < 90}
    for _ in range(4):
        given = {o: score[o] + sum(score[j] for j in then.people if (j, o) in turned) for o in then.people}
        level = sum(given.values()) / len(given)
        score = {o: round(value / level, 6) for o, value in given.items()}
    return score


KERNEL = [(30, 0.3), (60, 1.0), (90, 0.9), (120, 0.4)]


def kernel(age: int) -> float:
    return next((weight for below, weight in KERNEL if age < below), 0.0)


@cache
def leavers(then: Then) -> dict[str, int]:
    """Who chose to go → days since the latest notice."""
    ages: dict[str, int] = {}
    for e in then.exits:
        if e["employee_id"] not in then.people and e["kind"] == "voluntary":
            ages[e["employee_id"]] = min(then.age(e, "notice_on"), ages.get(e["employee_id"], 10**6))
    return ages


def recorded(then: Then, days: int) -> bool:
    first = min((e["notice_on"] for e in then.exits), default=None)
    return first is not None and first <= then.as_of - timedelta(days - 1)


def contagion(then: Then, one: str) -> Columns:
    made, heard = acts(then, one, 180)
    weights, left, post = made + heard, leavers(then), then.post(one)
    gone = {e["employee_id"] for e in then.exits if then.age(e, "notice_on") < 180} - set(then.people)
    total = sum(weights.values())
    along = recorded(then, 180) and told_all(then, one, 180) and len(weights) >= 3
    mates = [o for o in left if post["team"] is not None and then.post(o)["team"] == post["team"]]
    former = [o for o in left if o not in mates and shared_team(then, one, o)]
    near = [o for o in then.hired if o != one and abs((then.hired[o] - then.hired[one]).days) <= 30]
    wave = [o for o in near if o in left and left[o] < 365]
    came = [o for o in near if o in then.people]
    same = then.team_mates(one, "department", "job")
    alike = [o for o in then.team_mates(one, "department", "job", among=left) if left[o] < 180]
    return {
        "contact_exits_weighted": if_(
            along, share(sum(w * kernel(left[o]) for o, w in weights.items() if o in left), total)
        ),
        "tie_weight_gone_180d": if_(along, share(sum(w for o, w in weights.items() if o in gone), total)),
        "team_exits_weighted": if_(
            recorded(then, 120) and len(then.team_mates(one, "team")) >= 3, sum(kernel(left[o]) for o in mates)
        ),
        "former_team_exits_weighted": if_(
            recorded(then, 120) and post["team"] is not None, sum(kernel(left[o]) for o in former)
        ),
        "hire_wave_exit_share_365d": if_(
            recorded(then, 365) and len(wave) + len(came) >= 3, share(len(wave), len(wave) + len(came))
        ),
        "same_role_exit_share_180d": if_(
            recorded(then, 180) and len(same) + len(alike) >= 3, share(len(alike), len(same) + len(alike))
        ),
    }


@cache
def spells(then: Then, one: str) -> list[tuple[str, set[date]]]:
    """The team and the days of each post in the last 365 days."""
    steps = then.steps.get(one, [])
    ends = [*(s["happened_on"] for s in steps[1:]), then.as_of + timedelta(1)]
    year = [then.as_of - timedelta(d) for d in range(365)]
    found = [(s["team"], {d for d in year if s["happened_on"] <= d < end}) for s, end in zip(steps, ends, strict=False)]
    return [(team, days) for team, days in found if team is not None]


def shared_team(then: Then, one: str, other: str) -> bool:
    return any(a == b and days & more for a, days in spells(then, one) for b, more in spells(then, other))


@cache
def with_boss(then: Then, one: str) -> list[Row]:
    boss = then.post(one)["manager_id"]
    talks = [r for r in met(then) if r["kind"] == "one_on_one"]
    return [r for r in talks if boss is not None and {r["employee_id"], r["counterpart_id"]} == {one, boss}]


def newcomer(then: Then, one: str) -> Columns:
    tenure = (then.as_of - then.hired[one]).days
    boss, mates = then.post(one)["manager_id"], then.team_mates(one, "team")
    known = set().union(*acts(then, one, 180))
    talks = with_boss(then, one)

    def pace(who: str) -> float | None:
        days = (then.as_of - then.hired[who]).days
        new = days < 180 and told_all(then, who, 180)
        return if_(new, len(set().union(*acts(then, who, 180))) / ((days + 1) / 7))

    def noted(who: str) -> float | None:
        """Values are compared in whole millionths."""
        return None if pace(who) is None else round(pace(who), 6)

    talked = tenure < 180 and told_all(then, one, 180, "one_on_one") and boss is not None
    until = min((r["happened_on"] for r in talks), default=then.as_of)
    return {
        "newcomer_contacts_per_week": pace(one),
        "newcomer_contacts_vs_others": over(pace(one), then.others_mean(one, noted)),
        "newcomer_team_met_share": if_(pace(one) is not None, share(len(known & set(mates)), len(mates))),
        "newcomer_one_on_ones": if_(talked, sum(r["n"] for r in talks if then.age(r) < 180)),
        "newcomer_days_to_one_on_one": if_(talked, max(0, (until - then.hired[one]).days)),
    }


def manager(then: Then, one: str) -> Columns:
    boss, talks = then.post(one)["manager_id"], with_boss(then, one)
    all_talks = [r for r in met(then) if r["kind"] == "one_on_one"]
    gap = since(then, [r["happened_on"] for r in talks])
    told: Columns = dict.fromkeys(
        ["one_on_one_gap_ratio", "one_on_one_ratio_90d", "manager_span_change_180d", "manager_exit_history",
         "manager_notice_days", "manager_experience_days", "skip_level_changed_180d"]
    )  # fmt: skip

    def attention(who: str) -> float | None:
        known = then.post(who)["manager_id"] is not None and feed(then, who, all_talks, lambda r: 1).covered(90)
        return if_(known, sum(r["n"] for r in with_boss(then, who) if then.age(r) < 90))

    reports = then.team_mates(one, "manager_id")
    told["one_on_ones_vs_reports_90d"] = minus(attention(one), then.others_mean(one, attention, "manager_id"))
    load = None if attention(one) is None else sum(attention(o) or 0 for o in [one, *reports])
    told["manager_one_on_ones_90d"] = load
    if boss is None:
        return told
    steps = [s for s in then.steps[one] if s["manager_id"] is not None]
    under = max([steps[0]["happened_on"], *(s["happened_on"] for s in steps if s["manager_changed"])])
    if all_talks:
        begins = max(then.as_of - timedelta(364), then.hired[one], min(r["happened_on"] for r in all_talks))
        n = sum(then.age(r) < 365 for r in talks)
        if n >= 3 and (then.as_of - under).days >= 90:
            told["one_on_one_gap_ratio"] = gap * n / ((then.as_of - begins).days + 1)
    everybody = [(one if r in talks else "others", r, float(r["n"])) for r in all_talks]
    told["one_on_one_ratio_90d"] = Feed(then, max(then.hired[one], under), everybody, one).ratio(90, 365)
    before = span_then(then, boss)
    told["manager_span_change_180d"] = float(len(reports) + 1 - before) if before else None
    told["manager_exit_history"] = under_boss(then)[boss] if recorded(then, 365) else None
    notices = [e["notice_on"] for e in then.exits if e["employee_id"] == boss and boss not in then.people]
    told["manager_notice_days"] = since(then, notices)
    led = [s["happened_on"] for steps in then.steps.values() for s in steps if s["manager_id"] == boss]
    told["manager_experience_days"] = float((then.as_of - min(led)).days)
    if then.post(boss)["manager_id"] is not None:
        new = [s for s in then.steps[boss] if s["manager_changed"] and then.age(s) < 180]
        told["skip_level_changed_180d"] = float(bool(new))
    return told


def span_then(then: Then, boss: str) -> int:
    day, n = then.as_of - timedelta(180), 0
    for who, steps in then.steps.items():
        past = [s for s in steps if s["happened_on"] <= day]
        hired = then.hired.get(who)
        if past and hired and hired <= day and past[-1]["manager_id"] == boss:
            exits = [e for e in then.exits if e["employee_id"] == who and e["happened_on"] >= hired]
            n += not any(e["notice_on"] <= day for e in exits)
    return n


@cache
def under_boss(then: Then) -> dict[str, float]:
    """Exits under everybody who ever led somebody, against those expected, eight added to both."""
    first = min(e["notice_on"] for e in then.exits)
    exits: Counter = Counter()
    days: Counter = Counter()
    for who, steps in then.steps.items():
        mine = [e for e in then.exits if e["employee_id"] == who]
        last = then.as_of if who in then.people else max((e["notice_on"] for e in mine), default=None)
        for step, until in zip(steps, [*(s["happened_on"] for s in steps[1:]), None], strict=True):
            begin = step["happened_on"]
            inside = [e for e in mine if begin <= e["notice_on"] and (until is None or e["notice_on"] < until)]
            stops = [d for d in [*(e["notice_on"] for e in inside), until or last] if d is not None]
            if step["manager_id"] is not None and stops:
                days[step["manager_id"]] += max(0, (min(stops) - max(begin, first)).days)
                exits[step["manager_id"]] += any(e["kind"] == "voluntary" for e in inside)
            elif step["manager_id"] is not None:
                days[step["manager_id"]] += 0
    rate = sum(exits.values()) / max(1, sum(days.values()))
    return {boss: (exits[boss] + 8) / (days[boss] * rate + 8) for boss in days}


def load(then: Then, one: str) -> Columns:
    days, rows = then.facts("attendance"), then.facts("interactions")

    def hours(who: str) -> float | None:
        return feed(then, who, days, lambda r: r["overtime_hours"]).total(90, dense=True)

    def leave(who: str) -> float | None:
        return feed(then, who, days, lambda r: r["leave_days"]).total(365, dense=True)

    def meetings(who: str) -> float | None:
        sits = ("meeting", "one_on_one")
        return feed(then, who, rows, lambda r: r["minutes"] / 60 if r["kind"] in sits and r["minutes"] else None).total(
            30
        )

    inside = [h for o in then.team_mates(one, "team") if (h := hours(o)) is not None]
    mine, shares, spread = hours(one), None, None
    if len(inside) >= 2:
        mean = sum(inside) / len(inside)
        spread = (sum((h - mean) ** 2 for h in inside) / len(inside)) ** 0.5
        shares = over(mine, (sum(inside) + mine) / (len(inside) + 1)) if mine is not None else None
    weekend = feed(then, one, rows, lambda r: float(r["happened_on"].weekday() >= 5))
    return {
        "overtime_ratio_90d": feed(then, one, days, lambda r: r["overtime_hours"]).ratio(90, 365, dense=True),
        "overtime_vs_equal_share_90d": shares,
        "team_overtime_spread_90d": spread,
        "leave_vs_department_365d": minus(leave(one), then.others_mean(one, leave, "department")),
        "weekend_share_90d": weekend.mean(90),
        "weekend_change_90d": weekend.change(90, 365),
        "meeting_vs_team_30d": minus(meetings(one), then.others_mean(one, meetings, "team")),
    }


def weeks(then: Then, one: str) -> Columns:
    sunday = then.as_of - timedelta((then.as_of.weekday() + 1) % 7)
    last = [{sunday - timedelta(7 * week + day) for day in range(7)} for week in range(8)]

    def run(full: list[bool]) -> float:
        return float(full.index(False) if False in full else 8)

    entered = [r for r in then.facts("attendance", employee_id=one) if r["overtime_hours"] is not None]
    overtime = [[r["overtime_hours"] for r in entered if r["happened_on"] in week] for week in last]
    sits = [r for r in then.facts("interactions") if r["kind"] in ("meeting", "one_on_one") and r["minutes"]]
    mine = [[r["minutes"] / 60 for r in sits if r["employee_id"] == one and r["happened_on"] in w] for w in last]
    long, met_full = [sum(w) >= 5 for w in overtime], [sum(w) >= 15 for w in mine]
    known = sum(bool(w) for w in overtime) >= 6
    fed = feed(then, one, sits, lambda r: r["minutes"]).covered(63)
    return {
        "overtime_weeks_56d": if_(known, sum(long)),
        "overtime_weeks_in_a_row": if_(known, run(long)),
        "meeting_weeks_56d": if_(fed, sum(met_full)),
        "meeting_weeks_in_a_row": if_(fed, run(met_full)),
    }


def voice(then: Then, one: str) -> Columns:
    answers = then.facts("surveys")

    def scaled(r: Row) -> float:
        return round(min(1.0, max(0.0, (r["score"] - r["scale_min"]) / (r["scale_max"] - r["scale_min"]))), 3)

    def change(who: str) -> float | None:
        return feed(then, who, answers, scaled).change(90, 365)

    def answered(who: str, days: int = 90, after: int = 0) -> float | None:
        mine = [r for r in answers if r["employee_id"] == who and after <= then.age(r) < days]
        return float(bool(mine)) if answers else None

    mine = feed(then, one, answers, scaled)
    department = then.post(one)["department"]
    around = then.team_mates(one, *(["department"] if department is not None else []))
    asked = answered(one) or sum(answered(o) or 0 for o in around) >= 2
    rate = then.others_mean(one, answered, "department")
    silent = answered(one, 365, 90) and asked
    low = feed(then, one, answers, lambda r: float(scaled(r) <= 0.25))
    length = feed(then, one, answers, lambda r: None if r["comment_length"] is None else min(2000, r["comment_length"]))
    return {
        "survey_change_90d": mine.change(90, 365),
        "survey_trend_180d": mine.change(180, 365),
        "survey_low_share_365d": low.mean(365),
        "survey_comment_length_365d": length.mean(365),
        "survey_comment_change_90d": length.change(90, 365),
        "survey_silent_90d": 1.0 - answered(one) if silent else None,
        "survey_answering_others_90d": then.others_mean(one, answered) if rate is None else rate,
        "survey_team_change_90d": then.others_mean(one, change, "team", fewest=4),
        **taking_part(then, one),
    }


def taking_part(then: Then, one: str) -> Columns:
    rows = then.facts("interactions")
    thanks = [r for r in then.facts("recognitions") if r["given_by"] is not None]
    ways = [
        feed(then, one, then.facts("learning"), lambda r: 1),
        feed(then, one, [r for r in rows if r["kind"] == "project"], lambda r: 1),
        feed(then, one, [r for r in rows if r["kind"] == "help_given"], lambda r: 1),
        feed(then, one, thanks, lambda r: 1, who="given_by"),
    ]

    def used(among: list[Feed], days: int, after: int = 0) -> float | None:
        return sum(bool(w.values(days, after=after)) for w in among) / len(among) if len(among) >= 2 else None

    lasting = [w for w in ways if w.covered(180)]
    return {
        "taking_part_share_90d": used([w for w in ways if w.covered(90)], 90),
        "taking_part_change_90d": minus(used(lasting, 90), used(lasting, 180, 90)),
    }
