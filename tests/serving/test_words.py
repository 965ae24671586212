"""Both languages say everything, with the same places to fill."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest

import serving
from serving.access import PURPOSES
from serving.words import Words, choose, texts

HERE = Path(serving.__file__).parent


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_english_and_chinese_have_the_same_keys_and_places() -> None:
    en, zh = texts("en"), texts("zh")
    assert set(en) == set(zh)
    assert {key: places(text) for key, text in en.items()} == {key: places(text) for key, text in zh.items()}
    assert [key for key in en if not (en[key].strip() and zh[key].strip())] == ["site.gap"]


def test_chinese_is_chinese() -> None:
    same = [key for key, text in texts("zh").items() if text == texts("en")[key]]
    assert same == []
    assert all(
        re.search(r"[一-鿿、]|English", text)
        for key, text in texts("zh").items()
        if key not in ("site.gap", "site.colon")
    )


FILES = (*HERE.glob("templates/*.html"), *HERE.glob("*.py"))


def said() -> tuple[set[str], set[str]]:
    """Return the keys in the code, and the beginnings that are completed while running (``"band." ~ band``)."""
    code = "".join(file.read_text(encoding="utf-8") for file in FILES)
    whole = set(re.findall(r"""(?:\bt|words|self)\(\s*["']([a-z_]+\.[a-z_0-9]+)["'][,)]""", code))
    begun = set(re.findall(r"""["']([a-z_]+\.[a-z_]*)["'] ~""", code)) | set(re.findall(r'f"([a-z_]+\.)\{', code))
    return whole | set(re.findall(r'"(console\.[a-z_]+)"', code)), begun


def test_every_key_that_a_page_or_the_console_uses_exists() -> None:
    whole, _ = said()
    assert whole <= set(texts("en"))
    assert len(whole) > 80


def test_no_text_is_kept_that_nothing_says() -> None:
    whole, begun = said()
    assert [key for key in texts("en") if key not in whole and not key.startswith(tuple(begun))] == []


def test_every_purpose_and_band_has_a_name() -> None:
    for purpose in (*PURPOSES, "none"):
        assert Words("zh")(f"purpose.{purpose}")
    for band in ("act", "watch", "calm", "cannot_judge", "disregard"):
        assert Words("en")(f"band.{band}")


@pytest.mark.parametrize(
    ("wanted", "accepted", "expected"),
    [
        ("zh", "en", "zh"),
        ("fr", "fr,zh;q=0.5", "zh"),
        (None, "", "en"),
        (None, "de-DE", "en"),
        (None, "zh_CN.UTF-8", "zh"),
    ],
)
def test_the_language_is_the_chosen_one_or_the_first_known(wanted, accepted, expected) -> None:
    assert choose(wanted, accepted) == expected


def test_likelihoods_are_told_as_frequencies_with_their_range_and_never_without_experience() -> None:
    card = {"reference_horizon_days": 90, "band_evidence": {"act": {"n": 0}}, "base_rate": {"90": 0.035}, "metrics": {}}
    words = Words("en")
    assert words.evidence(card, "act") == words("about.no_evidence")
    assert "about 4 gave notice within three months" in words.evidence(card, None)
    assert words.accuracy(card) == words("about.no_accuracy")
