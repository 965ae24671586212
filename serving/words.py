"""What is said on pages and in the console: texts from ``locales/``, dates and likelihoods in words.

A probability is told as a natural frequency ("of 100 people …"), with its range, because that is what people
understand; and it is told about people with signs like these, never about the one person on the page.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from models.phrases import DRIVER_WORDS

LANGUAGES = ("en", "zh")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
HORIZONS = {
    30: ("a month", "一个月"),
    90: ("three months", "三个月"),
    180: ("half a year", "半年"),
    365: ("a year", "一年"),
}


@cache
def texts(language: str) -> dict[str, str]:
    """Return every text of a language by its key ``section.name``."""
    file = Path(__file__).parent / "locales" / f"{language}.toml"
    sections = tomllib.loads(file.read_text(encoding="utf-8"))
    return {f"{section}.{name}": text for section, names in sections.items() for name, text in names.items()}


FEWEST_SEEN = 20
"""People out of time in a band before a share of them is told as a frequency."""


@dataclass(frozen=True)
class Words:
    """One language. Called with a key and the values of its places: ``words("team.people", n=14)``."""

    language: str

    def __call__(self, key: str, **values: Any) -> str:
        """Return the text of ``key``; an unknown key is a bug."""
        return texts(self.language)[key].format(**values)

    def of(self, facts: Mapping[str, Any], name: str) -> Any:
        """Return the field ``name`` of something that carries its own words: ``title_en`` or ``title_zh``."""
        return facts.get(f"{name}_{self.language}")

    def driver(self, driver: str) -> str:
        """Return the name of a driver."""
        return DRIVER_WORDS[driver][LANGUAGES.index(self.language)]

    def day(self, day: date) -> str:
        """Return a day: ``31 Oct 2026``."""
        if self.language == "zh":
            return f"{day.year}年{day.month}月{day.day}日"
        return f"{day.day} {MONTHS[day.month - 1]} {day.year}"

    def moment(self, moment: datetime) -> str:
        """Return a moment in UTC, to the minute."""
        return f"{self.day(moment.date())} {moment:%H:%M} UTC"

    def horizon(self, days: int) -> str:
        """Return a horizon: ``half a year``."""
        if days in HORIZONS:
            return HORIZONS[days][LANGUAGES.index(self.language)]
        return f"{days} days" if self.language == "en" else f"{days} 天"

    def because(self, reason: str) -> str:
        """Return why the viewer sees a person; ``reason`` comes from ``store_people.visible``."""
        kind, _, value = reason.partition(" ")
        return self(f"because.{kind}", value=value.removeprefix("to "))

    def withdrawal(self, event: Mapping[str, Any]) -> str:
        """Return what has become fewer, in counts: never a feeling, never a reason."""
        weeks = self(f"withdrawal_weeks.{event['weeks']}")
        if event["usual"] is None:
            return self("withdrawal.team_told", weeks=weeks, level=round(10 * event["level"]) * 10)  # a group, coarsely
        stream = self(f"withdrawal_stream.{event['stream']}")
        counts = {"now": round(event["now"]), "usual": round(event["usual"])}
        return self("withdrawal.told", weeks=weeks, stream=stream, **counts)

    def expected(self, low: int, high: int) -> str:
        """Return a range of a count of people: ``1 to 3``."""
        return str(low) if low == high else self("team.range", low=low, high=high)

    def evidence(self, card: Mapping[str, Any], band: str | None) -> str:
        """Return what became of people in this band out of time, as a frequency with its range.

        Without a band (a page about many people) it is the share among everybody the model learned from.
        """
        if band is None:
            return self.base_rate(card)
        found = card.get("band_evidence", {}).get(band)
        if not found or found.get("n", 0) < FEWEST_SEEN:
            return self("about.no_evidence")
        return self(
            "about.evidence",
            rate=round(100 * found["rate"]),
            low=round(100 * found["low"]),
            high=round(100 * found["high"]),
            n=found["n"],
            horizon=self.horizon(card["reference_horizon_days"]),
        )

    def base_rate(self, card: Mapping[str, Any]) -> str:
        """Return how many left within the reference horizon among all people the model learned from."""
        days = card["reference_horizon_days"]
        rate = card.get("base_rate", {}).get(str(days))
        if rate is None:
            return self("about.no_evidence")
        return self("about.base", rate=round(100 * rate), horizon=self.horizon(days))

    def accuracy(self, card: Mapping[str, Any]) -> str:
        """Return how well the model told leavers from stayers on later months of this very organisation."""
        reference = str(card["reference_horizon_days"])
        auc = card.get("metrics", {}).get("chosen", {}).get(reference, {}).get("auc", {})
        if auc.get("value") is None:
            return self("about.no_accuracy")
        low, high = (auc.get(end) if auc.get(end) is not None else auc["value"] for end in ("low", "high"))
        horizon = self.horizon(card["reference_horizon_days"])
        of_100 = {"times": round(100 * auc["value"]), "low": round(100 * low), "high": round(100 * high)}
        return self("about.accuracy", **of_100, horizon=horizon)


def choose(wanted: str | None, accepted: str) -> str:
    """Return the language asked for, or the first known one of an ``Accept-Language`` header, or English.

    >>> choose(None, "zh-CN,zh;q=0.9,en;q=0.8")
    'zh'
    """
    if wanted in LANGUAGES:
        return str(wanted)
    heads = (part.split(";")[0].strip()[:2].lower() for part in accepted.split(","))
    return next((head for head in heads if head in LANGUAGES), "en")
