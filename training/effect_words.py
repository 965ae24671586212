"""What is said about effects, in English and Chinese: texts by key from ``locales/``, filled with their values."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from features.errors import FixableError

LANGUAGES = ("en", "zh")


@cache
def texts(language: str) -> dict[str, str]:
    """Return every text of a language by its key ``section.name``."""
    file = Path(__file__).parent / "locales" / f"{language}.toml"
    sections = tomllib.loads(file.read_text(encoding="utf-8"))
    return {f"{section}.{name}": text for section, names in sections.items() for name, text in names.items()}


@dataclass(frozen=True)
class Told:
    """Something that is said with its values, read in either language; ``str`` reads it in English."""

    key: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def said(self, language: str) -> str:
        """Return it in ``language``."""
        return texts(language)[self.key].format(**self.values)

    def __str__(self) -> str:
        """Return it in English."""
        return self.said("en")

    def __contains__(self, words: str) -> bool:
        """Return whether the English text holds these words."""
        return words in str(self)


def told(key: str, **values: Any) -> Told:
    """Return something to be said; an unknown key is a bug.

    >>> str(told("refused.constant"))
    'holds one value or none'
    """
    if key not in texts("en"):
        raise KeyError(key)
    return Told(key, values)


def language_of(asked: str | None, locale: str) -> str:
    """Return the language asked for, or that of ``locale`` (as in LANG), or English. Raises ``FixableError``."""
    if asked is not None and asked not in LANGUAGES:
        raise FixableError(f"--language must be one of {', '.join(LANGUAGES)}.", [f"got {asked!r}"])
    return asked or ("zh" if locale.lower().startswith("zh") else "en")
