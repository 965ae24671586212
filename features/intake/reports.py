"""What an import or a repair did, in numbers and in plain words."""

from __future__ import annotations

from dataclasses import dataclass

from features.intake.refused import Refusal
from features.intake.rules import RULES


@dataclass(frozen=True)
class FileReport:
    """One file: received = accepted + quarantined + duplicates. ``problems``: why the file was not imported at all.

    ``corrections`` are among the accepted ones. ``rules``: (column, rule, rows) of the quarantined rows, by the first
    thing wrong with each. ``unknown``: (header, hint) of columns that were not taken.
    """

    file: str
    table: str
    received: int = 0
    accepted: int = 0
    quarantined: int = 0
    duplicates: int = 0
    corrections: int = 0
    rules: tuple[tuple[str, str, int], ...] = ()
    refused: tuple[Refusal, ...] = ()
    unknown: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """The file in plain words."""
        head = self.file if self.file.split(".")[0] == self.table else f"{self.file} ({self.table})"
        if self.problems:
            return [f"{head}: {self.problems[0]}", *(f"    {problem}" for problem in self.problems[1:])]
        lines = [f"{head}: {_sum(self.received, self.accepted, self.quarantined, self.duplicates)}"]
        if self.corrections:
            lines.append(f"    {self.corrections:,} of the accepted rows correct an earlier one with the same key")
        for column, rule, n in self.rules:
            where = f"{column}: " if column else ""
            lines.append(f"    quarantined {n:,} × {where}{RULES[rule].wrong_en}")
        lines += [f"    refused, nothing of it stored: {r.header} ({r.topic}: {r.reason_en})" for r in self.refused]
        lines += [f"    column not taken: {header} ({hint})" for header, hint in self.unknown]
        return lines + [f"    note: {note}" for note in self.notes]


@dataclass(frozen=True)
class ImportReport:
    """All files of one import, and (name, reason) of the files that were left aside."""

    files: tuple[FileReport, ...]
    aside: tuple[tuple[str, str], ...] = ()

    @property
    def received(self) -> int:
        """Rows in all files that could be read."""
        return sum(file.received for file in self.files)

    @property
    def accepted(self) -> int:
        """Rows that are new in the lake."""
        return sum(file.accepted for file in self.files)

    @property
    def quarantined(self) -> int:
        """Rows that wait for repair."""
        return sum(file.quarantined for file in self.files)

    @property
    def duplicates(self) -> int:
        """Rows that were there already."""
        return sum(file.duplicates for file in self.files)

    @property
    def problems(self) -> tuple[str, ...]:
        """What kept whole files from being imported; empty when every file was."""
        return tuple(f"{file.file}: {problem}" for file in self.files for problem in file.problems)

    def text(self) -> str:
        """The report in plain words."""
        total = _sum(self.received, self.accepted, self.quarantined, self.duplicates)
        lines = [f"{len(self.files)} files: {total}"]
        lines += [line for file in self.files for line in file.lines()]
        lines += [f"{name}: left aside, {why}" for name, why in self.aside]
        if self.quarantined:
            lines.append("Quarantined rows are kept: export them, mend them in a spreadsheet, and repair.")
        return "\n".join(lines)


@dataclass(frozen=True)
class RepairReport:
    """What became of the quarantined rows. ``not_waiting``: edited rows that were not in the quarantine any more."""

    accepted: int = 0
    duplicates: int = 0
    dropped: int = 0
    still_waiting: int = 0
    not_waiting: int = 0

    def __add__(self, other: RepairReport) -> RepairReport:
        return RepairReport(
            self.accepted + other.accepted,
            self.duplicates + other.duplicates,
            self.dropped + other.dropped,
            self.still_waiting + other.still_waiting,
            self.not_waiting + other.not_waiting,
        )

    def text(self) -> str:
        """The report in plain words."""
        lines = [
            f"{self.accepted:,} rows accepted, {self.duplicates:,} were there already, {self.dropped:,} dropped, "
            f"{self.still_waiting:,} still wait for repair."
        ]
        if self.not_waiting:
            lines.append(f"{self.not_waiting:,} edited rows are not in the quarantine (any more) and were passed over.")
        return "\n".join(lines)


def _sum(received: int, accepted: int, quarantined: int, duplicates: int) -> str:
    return (
        f"{received:,} rows received = {accepted:,} accepted + {quarantined:,} quarantined + "
        f"{duplicates:,} exact duplicates"
    )
