"""The fixed furniture of the invented company: places, jobs, skills, courses, names. Nothing here is drawn by chance
except names, and nothing here acts on anybody's hazard."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl


@dataclass(frozen=True)
class Job:
    """A job, its family, the market median pay per month (CNY) at level 1, and the skills it asks for."""

    name: str
    family: str
    pay: float
    skills: tuple[str, ...]
    writes_email: bool = False


JOBS: tuple[Job, ...] = (
    Job("护士 Nurse", "nursing", 6500, ("wound_care", "triage", "patient_talk", "infection_control", "child_care")),
    Job("医生 Physician", "medical", 14000, ("diagnosis", "patient_talk", "chronic_care", "ultrasound"), True),
    Job("牙医 Dentist", "medical", 13000, ("implants", "orthodontics", "patient_talk", "diagnosis"), True),
    Job("牙科助理 Dental assistant", "nursing", 5500, ("infection_control", "patient_talk", "imaging")),
    Job("治疗师 Therapist", "therapy", 7500, ("manual_therapy", "exercise_plans", "patient_talk", "acupuncture")),
    Job("技师 Technician", "technical", 7000, ("imaging", "laboratory", "ultrasound", "quality")),
    Job("药师 Pharmacist", "technical", 7500, ("dispensing", "drug_safety", "patient_talk"), True),
    Job("前台 Receptionist", "service", 5000, ("booking", "patient_talk", "complaints", "insurance_rules")),
    Job("会计 Accountant", "office", 8000, ("bookkeeping", "insurance_rules", "spreadsheets"), True),
    Job("人事 HR specialist", "office", 8000, ("hiring", "labour_law", "spreadsheets"), True),
    Job("工程师 IT engineer", "office", 11000, ("databases", "networks", "quality"), True),
)

DEPARTMENTS: tuple[tuple[str, tuple[int, ...], tuple[float, ...]], ...] = (
    ("内科 Internal medicine", (0, 1, 7), (0.55, 0.3, 0.15)),
    ("口腔科 Dentistry", (2, 3, 7), (0.35, 0.45, 0.2)),
    ("客户服务 Patient service", (7, 0), (0.8, 0.2)),
    ("儿科 Paediatrics", (0, 1, 7), (0.55, 0.3, 0.15)),
    ("康复科 Rehabilitation", (4, 0), (0.75, 0.25)),
    ("检验影像 Imaging and laboratory", (5, 0), (0.85, 0.15)),
    ("药房 Pharmacy", (6, 7), (0.85, 0.15)),
    ("财务人事 Finance and HR", (8, 9), (0.55, 0.45)),
    ("信息 IT", (10, 5), (0.8, 0.2)),
)
"""Name, the jobs found there (index into JOBS), and their shares. A small company has the first few only."""

LOCATIONS: tuple[tuple[str, float], ...] = (
    ("上海 Shanghai", 1.15),
    ("杭州 Hangzhou", 1.0),
    ("苏州 Suzhou", 0.95),
    ("南京 Nanjing", 0.92),
)
"""Place, and how its market pay compares with the group's."""

INTERESTS: tuple[str, ...] = ("badminton", "choir", "reading", "hiking", "cooking", "photography", "volunteering")

SURNAMES_ZH = (
    "王wang 李li 张zhang 刘liu 陈chen 杨yang 赵zhao 黄huang 周zhou 吴wu 徐xu 孙sun 马ma 朱zhu 胡hu 林lin 郭guo 何he"
)
GIVEN_ZH = (
    "伟wei 芳fang 娜na 敏min 静jing 丽li 强qiang 磊lei 军jun 洋yang 勇yong 艳yan "
    "杰jie 娟juan 涛tao 明ming 霞xia 平ping 文wen 华hua 玉yu 建jian 春chun 梅mei "
    "晨chen 思si 佳jia 宇yu 浩hao 欣xin 雨yu 婷ting 志zhi 海hai 慧hui 凯kai"
)
GIVEN_EN = (
    "Anna Ben Clara David Emma Frank Grace Henry Iris Jack Kate Leo Mia Noah Olivia Paul Ruth Sam Tessa Victor Wendy "
    "Adam Bella Colin Diana Eric Fiona Hugo Ivy Jonas Lena Martin Nora Oscar Peter Rosa Simon Tina Walter Zoe"
)
SURNAMES_EN = (
    "Adams Baker Carter Dixon Ellis Fisher Grant Hughes Irwin Jensen Keller Lopez Meyer Novak Owens Parker Quinn Reed "
    "Silva Turner Usher Vance Walsh Young Bennett Cole Dunn Frost Gibson Hart Kim Lang Moore Nash Price Rossi Stone"
)


def _syllables(text: str) -> list[tuple[str, str]]:
    return [(word[0], word[1:]) for word in text.split()]


def names(rng: np.random.Generator, n: int) -> tuple[list[str], list[str]]:
    """Display names, about half Chinese and half English, and an e-mail address for each that no other one has."""
    zh_family, zh_given = _syllables(SURNAMES_ZH), _syllables(GIVEN_ZH)
    en_family, en_given = SURNAMES_EN.split(), GIVEN_EN.split()
    shown: list[str] = []
    addresses: list[str] = []
    seen: dict[str, int] = {}
    for chinese, a, b, c in zip(rng.random(n) < 0.5, *rng.integers(0, 10**6, (3, n)), strict=True):
        if chinese:
            family, first = zh_family[a % len(zh_family)], zh_given[b % len(zh_given)]
            second = zh_given[c % len(zh_given)] if c % 4 else ("", "")
            name, handle = family[0] + first[0] + second[0], f"{first[1]}{second[1]}.{family[1]}"
        else:
            given, surname = en_given[a % len(en_given)], en_family[b % len(en_family)]
            name, handle = f"{given} {surname}", f"{given}.{surname}".lower()
        seen[handle] = seen.get(handle, 0) + 1
        number = seen[handle]
        shown.append(name)
        addresses.append(f"{handle}{number if number > 1 else ''}@clinics.example")
    return shown, addresses


def all_skills() -> list[str]:
    """Every skill that some job asks for, once, in the order of the jobs."""
    return list(dict.fromkeys(skill for job in JOBS for skill in job.skills))


def job_skills() -> pl.DataFrame:
    """What each job asks for at each level: the table ``job_skills``."""
    rows = [
        (job.name, level, skill, min(5, level + (1 if place < 2 else 0)))
        for job in JOBS
        for level in range(1, 6)
        for place, skill in enumerate(job.skills)
    ]
    return pl.DataFrame(rows, schema=["job", "level", "skill", "required_level"], orient="row")


def courses() -> pl.DataFrame:
    """Two courses for each skill, a basic and an advanced one: the table ``courses``."""
    kinds = (("基础 basics", 2, 6.0, "online"), ("进阶 advanced", 4, 12.0, "class"))
    rows = [
        (f"C{2 * i + half:03d}", f"{skill.replace('_', ' ')} {word}", skill, level, hours, mode)
        for i, skill in enumerate(all_skills())
        for half, (word, level, hours, mode) in enumerate(kinds)
    ]
    return pl.DataFrame(rows, schema=["course_id", "title", "skill", "to_level", "hours", "mode"], orient="row")


def activities(dates: np.ndarray) -> pl.DataFrame:
    """One staff activity on each of the given dates: the table ``activities``."""
    n = len(dates)
    interests = [INTERESTS[i % len(INTERESTS)] for i in range(n)]
    return pl.DataFrame(
        {
            "activity_id": [f"A{i:03d}" for i in range(n)],
            "title": [f"{interest} evening" for interest in interests],
            "interest": interests,
            "happened_on": dates.astype("datetime64[D]"),
            "place": [LOCATIONS[i % len(LOCATIONS)][0] for i in range(n)],
        }
    )
