"""Survey answers on one scale: 0 is the worst, 1 the best answer that the question offers."""

from __future__ import annotations

import narwhals.stable.v2 as nw

from features.cards import Driver
from features.engine import Frame, quotient

FEWEST_ANSWERS = 4
"""With the person asked about a group of five: fewer would let others' answers be worked out."""

ITEMS: dict[str, tuple[Driver, int, str, str]] = {
    "engagement": ("engagement", -1, "engagement", "敬业度"),
    "growth": ("growth", -1, "growth", "成长"),
    "recognition": ("recognition", -1, "recognition", "认可"),
    "belonging": ("belonging", -1, "belonging", "归属感"),
    "workload": ("workload", -1, "the workload", "工作量"),
    "pay": ("pay", -1, "pay", "薪酬"),
    "manager": ("manager", -1, "the manager", "上级"),
    "fairness": ("fairness", -1, "fairness", "公平"),
    "wellbeing": ("workload", -1, "wellbeing", "身心状态"),
    "enps": ("engagement", -1, "recommending the employer", "雇主推荐意愿"),
    "intent_to_stay": ("engagement", -1, "the wish to stay", "留任意愿"),
    "other": ("engagement", 0, "the organisation's own questions", "自设题目"),
}
"""item -> driver, expected direction, words in en and zh; items of the organisation's own are taken together."""


def scaled(surveys: Frame) -> Frame:
    """Answers with ``score`` on 0 to 1, in thousandths, so that squares stay exact; own items become ``other``."""
    low, high = nw.col("scale_min"), nw.col("scale_max")
    share = quotient(nw.col("score") - low, high - low).clip(0.0, 1.0)
    known = nw.when(nw.col("item").is_in([item for item in ITEMS if item != "other"])).then(nw.col("item"))
    usable = surveys.filter(high > low, ~nw.col("score").is_null())
    return usable.with_columns(
        quotient((share * 1000).round(0), 1000.0).alias("score"), known.fill_null("other").alias("item")
    )
