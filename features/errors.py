"""Mistakes that a person can fix; anything else that is raised is a bug."""

from __future__ import annotations

from collections.abc import Iterable


class FixableError(Exception):
    """Something the person at the keyboard can mend; the message says what, where and how.

    ``problems`` lists everything that is wrong at once, one sentence each, so that nobody mends a file
    line by line over ten runs.
    """

    def __init__(self, summary: str, problems: Iterable[str] = ()) -> None:
        self.summary = summary
        self.problems = tuple(problems)
        super().__init__("\n  - ".join((summary, *self.problems)))
