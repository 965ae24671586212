"""A record and its dictionary: readable for good, whole, and told by templates that have a version."""

from __future__ import annotations

import hashlib
import json
from math import nan

import numpy as np
import pytest

from models.record import TEMPLATES, Column, Dictionary, Layout
from models.tell import Teller, sentence

TOLD_BY = {1: "cc7d"}
"""The first signs of what the sentences below read as, by version. Another text is another version."""

COLUMNS = (
    Column("overtime", "hours", "{value} of overtime", "加班 {value}", 12.0),
    Column("site", "category", "works at {value}", "工作地点 {value}", None),
)
SUGGESTION = {"action": "gone_since", "driver": "workload", "title_en": "Less overtime", "title_zh": "减少加班"}


def dictionary() -> Dictionary:
    layout = Layout(horizons=2, drivers=1)
    planned, levels = {"gone_since workload": SUGGESTION}, {"site": ["north", "south"]}
    empty = (("calm", "平稳"),)
    rest = (("workload",), COLUMNS, levels, ("pay", "workload"), ("gone_since",), planned, empty)
    return Dictionary(layout, (90, 180), -2.0, *rest)


def record(known: Dictionary) -> bytes:
    one = np.zeros(1, dtype=known.layout.dtype)
    codes, numbers = one["codes"][0], one["numbers"][0]
    codes[:5], numbers[known.layout.numbers["values"]] = [1, 2, 0, 1, 2], [46.0, 1.0, 0.0, 46.0, nan]
    numbers[known.layout.numbers["adds"]] = [0.4, -0.1, 0.0, 0.4, 0.2]
    numbers[known.layout.numbers["sums"]] = 0.5
    numbers[known.layout.numbers["risk"]], numbers[known.layout.numbers["low"]] = [0.1, 0.2], nan
    codes[known.layout.codes["actions"].start] = 1
    codes[known.layout.codes["through"].start] = 2
    return one[0].tobytes()


def test_a_dictionary_that_went_through_the_store_tells_the_same() -> None:
    known = dictionary()
    again = Dictionary.from_dict(json.loads(json.dumps(known.to_dict(), allow_nan=False)))
    first, second = (Teller(one).all_of(record(known), judged=True) for one in (known, again))
    assert first == second
    assert first["risk"] == {"90": 0.1, "180": 0.2}
    assert first["interval"] is None
    (reason,) = first["reasons"]
    assert [(fact["column"], fact["value"]) for fact in reason["facts"]] == [("overtime", 46.0), ("site", "south")]
    assert "nothing recorded for “works at …”" in reason["text_en"]


def test_an_action_that_left_the_catalog_is_told_as_it_was() -> None:
    known = dictionary()
    assert Teller(known).all_of(record(known), judged=True)["plan"]["actions"] == [SUGGESTION]


def test_of_whom_nobody_can_judge_no_number_is_told() -> None:
    known = dictionary()
    told = Teller(known).all_of(record(known), judged=False)
    assert (told["risk"], told["reasons"]) == ({"90": None, "180": None}, [])


def test_a_record_of_another_form_is_refused() -> None:
    with pytest.raises(ValueError, match="bytes"):
        dictionary().read(b"too short")


def test_other_sentences_are_another_version_of_the_templates() -> None:
    known = dictionary()
    (reason,) = Teller(known).all_of(record(known), judged=True)["reasons"]
    told = [(one["text_en"], one["text_zh"]) for one in (reason, *reason["facts"])]
    told += [sentence("pay", x, [(x, "a", "b")] * n) for x in (-3.0, -0.3, 0.01, 0.3, 3.0) for n in range(3)]
    seen = hashlib.sha256(json.dumps(told, ensure_ascii=False).encode()).hexdigest()
    assert seen[:4] == TOLD_BY[TEMPLATES], "the sentences changed: raise record.TEMPLATES and note it here"
