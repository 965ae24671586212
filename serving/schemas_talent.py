"""What the API of growth answers and takes, field by field, with an example of each answer about nobody who exists."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from serving.schemas import Answer

Kind = Literal["customer_praise", "improvement", "cost_saving", "rescue", "peer_thanks", "award"]
PLAIN_TEXT = r"^[^\x00-\x1f\x7f]+$"
NOTICE_EN = "For growing people. Never use it for ratings, pay or dismissal; records may be incomplete."
NOTICE_ZH = "仅用于人才发展。绝不用于考评、薪酬或辞退；记录可能不完整。"


class GrowthItem(Answer):
    """One point of a report and how it stands, where that is known."""

    head: str
    lines: list[str]
    mark: Literal["", "head", "met", "missing", "unknown"]


class GrowthSection(Answer):
    """One part of a report, in one language."""

    key: str
    title: str
    intro: str
    items: list[GrowthItem]


class GrowthAnswer(Answer):
    """One person's growth file in words; before the first batch ``as_of`` is null and only achievements are told."""

    employee_id: str
    as_of: date | None
    valid_until: date | None
    needs: list[str]
    en: list[GrowthSection]
    zh: list[GrowthSection]
    notice_en: str = NOTICE_EN
    notice_zh: str = NOTICE_ZH


class AchievementLine(Answer):
    """A moment worth seeing. What the person has hidden is not in any list."""

    id: int
    happened_on: date
    kind: Kind
    note: str | None
    given_by: str | None
    source: Literal["import", "page", "api"]
    recorded_by: str


class AchievementsAnswer(Answer):
    """One person's achievements, the newest first."""

    employee_id: str
    achievements: list[AchievementLine]


class NewAchievement(BaseModel):
    """What is recorded: no health, family or beliefs in the note."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind
    happened_on: date
    note: Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$")] = ""
    given_by: Annotated[str | None, Field(min_length=1, max_length=200, pattern=PLAIN_TEXT)] = None


class AchievementMade(Answer):
    """The number of the new entry."""

    id: int


class Hide(BaseModel):
    """The person's own word about an entry."""

    model_config = ConfigDict(extra="forbid")

    hidden: bool


class NeedCount(Answer):
    """How many people within sight have a need, and where."""

    need: str
    words_en: str
    words_zh: str
    n_people: int
    departments: dict[str, int]


class RemindersAnswer(Answer):
    """Who needs what: numbers first; with ``need`` also the people who have it."""

    as_of: date | None
    needs: list[NeedCount]
    need: str | None
    people: list[str]
    next_cursor: str | None


class ShortlistPerson(Answer):
    """Somebody who could be asked about a post: contributions first."""

    employee_id: str
    contributions: dict[str, int]
    wishes: bool
    skills_met: float | None
    missing: list[tuple[str, float | None, float]]
    good_reviews: int | None
    months_in_level: int | None


class ShortlistAnswer(Answer):
    """People for an opening, most contributions first. A shortlist for talks, not a decision."""

    as_of: date | None
    job: str
    level: int
    people: list[ShortlistPerson]
    notice_en: str = NOTICE_EN
    notice_zh: str = NOTICE_ZH


class NeededSkill(BaseModel):
    """A skill that the organisation will need."""

    model_config = ConfigDict(extra="forbid")

    skill: Annotated[str, Field(min_length=1, max_length=100, pattern=PLAIN_TEXT)]
    level: Annotated[float, Field(gt=0, le=5)]
    people: Annotated[int, Field(ge=1, le=100)] = 1


class NeededSkills(BaseModel):
    """A list of needs."""

    model_config = ConfigDict(extra="forbid")

    needs: Annotated[list[NeededSkill], Field(min_length=1, max_length=20)]


class GrowInto(Answer):
    """Somebody who could grow into a skill, by courses and practice."""

    employee_id: str
    held: float | None
    hours: float
    practice_hours: float
    courses: list[str]
    reasons: list[str]


class NeededMatch(Answer):
    """One need: how many hold it, how many could grow into it, and who is proposed."""

    skill: str
    level: float
    people: int
    n_holding: int
    n_possible: int
    proposed: list[GrowInto]


class NeededAnswer(Answer):
    """New business needs and the people who could grow into them, in the fewest hours together."""

    as_of: date | None
    needs: list[NeededMatch]


class DigestLine(Answer):
    """One achievement of the month."""

    employee_id: str
    happened_on: date
    kind: Kind
    note: str | None


class DigestAnswer(Answer):
    """The achievements of one month, by kind."""

    month: str
    achievements: list[DigestLine]


_SECTION = {
    "key": "present",
    "title": "For the present post: nurse, level 3",
    "intro": "4 of 5 asked skills are met.",
    "items": [{"head": "triage", "lines": ["Now 2, asked 3. Closed by the course below."], "mark": "missing"}],
}
_SECTION_ZH = {
    "key": "present",
    "title": "现岗位：护士，3 级",
    "intro": "所需 5 项技能中已达到 4 项。",
    "items": [{"head": "triage", "lines": ["现为 2 级，要求 3 级。下列课程可补足。"], "mark": "missing"}],
}
GROWTH_EXAMPLES: dict[str, dict[str, Any]] = {
    "GrowthAnswer": {
        "employee_id": "E0042",
        "as_of": "2026-10-31",
        "valid_until": "2027-01-30",
        "needs": ["course"],
        "en": [_SECTION],
        "zh": [_SECTION_ZH],
        "notice_en": NOTICE_EN,
        "notice_zh": NOTICE_ZH,
    },
    "AchievementsAnswer": {
        "employee_id": "E0042",
        "achievements": [
            {
                "id": 7,
                "happened_on": "2026-10-12",
                "kind": "improvement",
                "note": "A new list for the night shift",
                "given_by": "E0007",
                "source": "page",
                "recorded_by": "Li Na",
            }
        ],
    },
    "AchievementMade": {"id": 7},
    "RemindersAnswer": {
        "as_of": "2026-10-31",
        "needs": [
            {
                "need": "course",
                "words_en": "a course that closes a gap",
                "words_zh": "可补足差距的课程",
                "n_people": 14,
                "departments": {"Care": 9, "Laboratory": 5},
            }
        ],
        "need": None,
        "people": [],
        "next_cursor": None,
    },
    "ShortlistAnswer": {
        "as_of": "2026-10-31",
        "job": "nurse",
        "level": 4,
        "people": [
            {
                "employee_id": "E0042",
                "contributions": {"customer_praise": 3, "improvement": 1},
                "wishes": True,
                "skills_met": 0.8,
                "missing": [["triage", 3.0, 4.0]],
                "good_reviews": 2,
                "months_in_level": 26,
            }
        ],
        "notice_en": NOTICE_EN,
        "notice_zh": NOTICE_ZH,
    },
    "NeededAnswer": {
        "as_of": "2026-10-31",
        "needs": [
            {
                "skill": "ultrasound",
                "level": 3.0,
                "people": 1,
                "n_holding": 2,
                "n_possible": 11,
                "proposed": [
                    {
                        "employee_id": "E0042",
                        "held": 2.0,
                        "hours": 12.0,
                        "practice_hours": 0.0,
                        "courses": ["ultrasound, advanced"],
                        "reasons": ["wishes_it", "knows_some"],
                    }
                ],
            }
        ],
    },
    "DigestAnswer": {
        "month": "2026-10",
        "achievements": [
            {"employee_id": "E0042", "happened_on": "2026-10-12", "kind": "improvement", "note": "A new list"}
        ],
    },
}
