"""What people said they would like next, how near they are to it, and what came of it."""

from __future__ import annotations

import narwhals.stable.v2 as nw

from features import engine, windows
from features.cards import Card
from features.engine import Frame, held
from features.skill_gaps import gaps, levels, summed_up
from features.snapshots import Panel
from features.tables import ALWAYS

READY = 0.8
"""Who meets at least this share of the skills of the wished post counts as ready for it."""

CARDS: tuple[Card, ...] = (
    Card(
        "wish",
        "growth",
        "category",
        "what the person last said to want: promotion, transfer, skill, flexibility, none",
        "last stated wish: {value}",
        "最近表达的意愿：{value}",
        kind="category",
    ),
    Card(
        "wish_unanswered_days",
        "growth",
        "days",
        "days since a wish was stated with no promotion or move after it; unknown when none is open",
        "a wish unanswered for {value}",
        "提出的意愿已有 {value} 未得到回应",
        expected=1,
        source="Griffeth 2000: promotion chances r = -.16",
    ),
    Card(
        "wishes_since_step",
        "growth",
        "count",
        "times that a wish (other than none) was stated since the last promotion or move",
        "wishes stated {value} times since the last step",
        "自上次晋升或调动以来提出意愿 {value} 次",
        expected=1,
        source="Griffeth 2000: promotion chances r = -.16",
    ),
    Card(
        "wished_skill_gap",
        "growth",
        "score",
        "mean number of levels missing over the skills of the wished post, where the level is known; the wished post "
        "is the target job, or the present job one level up when a promotion is wished for and no job is named",
        "{value} skill levels missing on average for the wished post",
        "与期望岗位要求平均相差 {value} 个技能等级",
    ),
    Card(
        "wished_skills_met_share",
        "growth",
        "share",
        "share of the skills of the wished post that are met, where the level is known",
        "{value} of the skills of the wished post met",
        "已达到期望岗位 {value} 的技能要求",
    ),
    Card(
        "ready_and_waiting",
        "growth",
        "flag",
        "wishes for a promotion that has not come although at least four fifths of the known skills of the wished post "
        "are met; unknown without such a wish or without known skills",
        "a promotion wished for and not given, with the skills for it",
        "技能已达要求、希望晋升但尚未实现",
        expected=1,
        source="Griffeth 2000: promotion chances r = -.16",
    ),
    Card(
        "liked_activities_180d",
        "engagement",
        "count",
        "activities of the last 180 days that serve an interest the person last stated",
        "{value} activities in the last 180 days that match a stated interest",
        "近 180 天符合本人兴趣的活动 {value} 次",
        window_days=180,
    ),
    Card(
        "liked_activities_ahead_180d",
        "engagement",
        "count",
        "activities of the next 180 days, announced by a day that is on record, that serve an interest the person last "
        "stated",
        "{value} announced activities that match a stated interest",
        "未来 180 天已公布的符合本人兴趣的活动 {value} 次",
        window_days=180,
    ),
)


def columns(panel: Panel) -> Frame:
    """One row per (employee_id, place) with the columns of ``CARDS``."""
    keys = ["employee_id", "place"]
    rows = panel.rows.select(*keys)
    for part in (_wishes(panel), _activities(panel)):
        rows = rows.join(part, on=keys, how="left")
    return rows


def _wishes(panel: Panel) -> Frame:
    keys = ["employee_id", "place"]
    told = panel.facts["aspirations"].filter(~nw.col("wants").is_null())
    stated = held(windows.history(told, panel.as_of).select(*keys, "wants", "happened_on"))
    wish = windows.latest(told, panel.as_of, ["employee_id"]).select(*keys, "wants", "happened_on")
    step = held(_last_step(panel))
    rows = panel.rows.select(*keys, "as_of").join(wish, on=keys, how="left").join(step, on=keys, how="left")
    count = stated.join(step, on=keys, how="left").group_by(*keys).agg(_unanswered().cast(nw.Int64).sum().alias("_n"))
    rows = rows.join(count, on=keys, how="left").join(_wished_post(panel), on=keys, how="left")
    waiting = (nw.col("as_of") - nw.col("happened_on")).cast(nw.Float64)
    ready = (_unanswered() & (nw.col("met") >= READY)).cast(nw.Float64)
    return rows.select(
        *keys,
        nw.col("wants").alias("wish"),
        nw.when(_unanswered()).then(waiting).alias("wish_unanswered_days"),
        nw.col("_n").cast(nw.Float64).alias("wishes_since_step"),
        nw.col("gap").alias("wished_skill_gap"),
        nw.col("met").alias("wished_skills_met_share"),
        nw.when(nw.col("wants") == "promotion", ~nw.col("met").is_null()).then(ready).alias("ready_and_waiting"),
    )


def _unanswered() -> nw.Expr:
    return (nw.col("wants") != "none") & ~(nw.col("_step") > nw.col("happened_on")).fill_null(False)


def _last_step(panel: Panel) -> Frame:
    """The day of the last promotion or move."""
    steps = panel.history.with_columns(
        nw.when(nw.any_horizontal("promoted", "moved", ignore_nulls=True)).then(nw.col("happened_on")).alias("_step")
    )
    return steps.group_by("employee_id", "place").agg(nw.col("_step").max())


def _wished_post(panel: Panel) -> Frame:
    """How far the known skills reach for the post that the person last named, by job or as a promotion."""
    keys = ["employee_id", "place"]
    named = ~nw.col("wants").is_null() | ~nw.col("target_job").is_null()
    last = windows.latest(panel.facts["aspirations"].filter(named), panel.as_of, ["employee_id"])
    last = last.filter((nw.col("wants") != "none").fill_null(True)).select(*keys, "wants", "target_job")
    posts = panel.rows.select(*keys, "job", "level").join(last, on=keys, how="inner")
    up, target = (nw.col("wants") == "promotion").fill_null(False), nw.col("target_job")
    posts = posts.select(
        *keys,
        nw.when(target.is_null() & up).then(nw.col("job")).otherwise(target).alias("job"),
        nw.when(up).then(nw.col("level") + 1).otherwise(nw.col("level")).alias("level"),
    )
    return summed_up(gaps(panel, posts, levels(panel)))


def _activities(panel: Panel) -> Frame:
    """Activities that serve a stated interest. An activity whose announcement has no day of its own counts only once
    it has taken place: a calendar that is known "all along" would let last year's snapshots see this year's plans."""
    keys = ["employee_id", "place"]
    told = panel.facts["aspirations"].filter(~nw.col("interests").is_null())
    liked = windows.latest(told, panel.as_of, ["employee_id"])
    liked = liked.select(*keys, nw.col("interests").str.split(";").alias("interest")).explode("interest")
    liked = held(liked.with_columns(nw.col("interest").str.strip_chars()).unique())
    held_on = windows.history(panel.facts["activities"].rename({"happened_on": "held_on"}), panel.as_of)
    activities = held(held_on.select("place", "interest", "held_on", "known_on").filter(~nw.col("held_on").is_null()))
    both = liked.join(activities, on=["place", "interest"], how="inner")
    both = both.join(panel.rows.select(*keys, "as_of"), on=keys, how="inner")
    age = nw.col("as_of") - nw.col("held_on")
    announced = nw.col("known_on") > engine.day_number(ALWAYS)
    counts = both.group_by(*keys).agg(
        ((age >= 0) & (age < 180)).cast(nw.Int64).sum().alias("_past"),
        ((age < 0) & (age >= -180) & announced).cast(nw.Int64).sum().alias("_ahead"),
    )
    asked = liked.select(*keys).unique().join(activities.select("place").unique(), on="place", how="semi")
    rows = asked.join(counts, on=keys, how="left")
    return rows.select(
        *keys,
        nw.col("_past").cast(nw.Float64).fill_null(0.0).alias("liked_activities_180d"),
        nw.col("_ahead").cast(nw.Float64).fill_null(0.0).alias("liked_activities_ahead_180d"),
    )
