"""Effects are told in English and Chinese, with the same keys and the same places for values."""

import re

import pytest

from features.errors import FixableError
from training.effect_verdict import VERDICTS, why_told
from training.effect_words import LANGUAGES, language_of, texts, told


def test_both_languages_say_the_same_things_with_the_same_values():
    places = {lang: {k: sorted(re.findall(r"{(\w+)", t)) for k, t in texts(lang).items()} for lang in LANGUAGES}
    assert places["en"] == places["zh"]


def test_every_verdict_and_every_reason_has_its_words():
    for language in LANGUAGES:
        assert all(texts(language)[f"verdict.{word}"] for word in VERDICTS)
        reasons = [key.split(".")[1] for key in texts(language) if key.startswith("why.")]
        assert all(why_told(key).said(language) for key in reasons)


def test_chinese_texts_are_chinese():
    assert [k for k, t in texts("zh").items() if not re.search(r"[一-鿿：。、（]|^(p|n|95 %)$", t)] == []


def test_a_language_is_asked_for_or_that_of_the_machine():
    assert (language_of("en", "zh_CN.UTF-8"), language_of(None, "zh_CN"), language_of(None, "")) == ("en", "zh", "en")
    with pytest.raises(FixableError, match="one of en, zh"):
        language_of("fr", "")
    with pytest.raises(KeyError):
        told("no.such")
