"""What is recorded of many people, column by column: numbers in one array, texts beside it.

Asking a hundred thousand people one after the other costs more than the model. All that is said of people is worked
out from this; a person alone is an array of one row, so there is no second way that could say something else.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

INDEX = ("employee_id", "as_of")
FEW = 32
"""Up to so many rows are read one by one: a table takes milliseconds to turn hundreds of columns into an array."""


@dataclass(frozen=True)
class Known:
    """``numbers`` (n, p) holds what is recorded, NaN where nothing is or where it is a text; a column is one piece of
    memory, because all that follows works on whole columns. Columns of texts alone stand last, and not in ``numbers``.

    ``texts`` holds by column one text per person, or ``None``, of the columns in which anybody has one.
    """

    columns: tuple[str, ...]
    numbers: np.ndarray
    texts: Mapping[str, Sequence[str | None]]

    @classmethod
    def of_frame(cls, frame: pl.DataFrame, *, only: Collection[str] | None = None) -> Known:
        """Return the columns of a matrix but its index; ``only`` those of these names that are there."""
        columns = [name for name in frame.columns if name not in INDEX and (only is None or name in only)]
        if frame.height <= FEW:
            return cls.of_people(frame.rows(named=True), columns)
        kinds = frame.schema  # asked for once: it is made anew each time
        texts = {name: frame[name].to_list() for name in columns if kinds[name] == pl.String}
        columns = [name for name in columns if name not in texts]
        cast = [pl.col(name).cast(pl.Float64) for name in columns if kinds[name] != pl.Float64]
        plain = frame.select(columns).with_columns(cast) if cast else frame.select(columns)
        numbers = plain.to_numpy(order="fortran") if columns else np.zeros((frame.height, 0))
        return cls((*columns, *texts), numbers, texts)

    @classmethod
    def of_people(cls, people: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> Known:
        """Return the same of people as mappings from column to value; absent and null are unknown."""
        rows = [[person.get(column) for column in columns] for person in people]
        found = {j for row in rows for j, value in enumerate(row) if isinstance(value, str)}
        texts = {columns[j]: [row[j] if isinstance(row[j], str) else None for row in rows] for j in sorted(found)}
        plain = [[None if isinstance(value, str) else value for value in row] for row in rows] if found else rows
        numbers = np.array(plain, dtype=float).reshape(len(people), len(columns))
        return cls(tuple(columns), np.asfortranarray(numbers), texts)

    def __len__(self) -> int:
        """Return how many people."""
        return len(self.numbers)

    @cached_property
    def place(self) -> dict[str, int]:
        """Where each column is."""
        return {column: j for j, column in enumerate(self.columns)}

    @cached_property
    def finite(self) -> np.ndarray:
        """Whether a number is recorded (n, p)."""
        return np.isfinite(self.numbers)

    @cached_property
    def anything(self) -> np.ndarray:
        """Whether anything is recorded (n, p)."""
        found = np.zeros((len(self.columns), len(self)), dtype=bool)
        found[: self.numbers.shape[1]] = self.finite.T
        for column, told in self.texts.items():
            found[self.place[column]] |= [one is not None for one in told]
        return found.T

    def of(self, columns: Sequence[str]) -> np.ndarray:
        """Return (n, len(columns)) the numbers of these columns, NaN for one that is not there."""
        return self._picked(self.numbers, columns, np.nan)

    def has(self, columns: Sequence[str]) -> np.ndarray:
        """Return (n, len(columns)) whether anything is recorded in these columns."""
        return self._picked(self.anything, columns, False)

    def _picked(self, cells: np.ndarray, columns: Sequence[str], nothing: Any) -> np.ndarray:
        at = np.array([self.place.get(column, -1) for column in columns], dtype=np.intp)
        absent = (at < 0) | (at >= cells.shape[1])
        if not cells.shape[1]:
            return np.full((len(columns), len(self)), nothing).T
        out = cells.T.take(np.where(absent, 0, at), axis=0)
        if absent.any():
            out[absent] = nothing
        return out.T

    def only(self, columns: Sequence[str]) -> Known:
        """Return the same people with these columns alone; one that is not there holds nothing."""
        texts = {column: self.texts[column] for column in columns if column in self.texts}
        return Known(tuple(columns), self.of(columns), texts)

    def value(self, i: int, column: str) -> float | str | None:
        """Return what is recorded of one person in one column; ``None`` where nothing that could be told is."""
        j = self.place.get(column)
        if j is None:
            return None
        text = self.texts[column][i] if column in self.texts else None
        if text is not None or j >= self.numbers.shape[1]:
            return text
        return float(self.numbers[i, j]) if self.finite[i, j] else None
