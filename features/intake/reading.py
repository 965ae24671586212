"""A file as it was handed over: every cell as text, nothing judged yet.

The trap is that a reader which mends silently loses rows. A line with a cell too many or too few is kept apart as
*broken*, a quote that never closes spoils its own line only, and bytes that are no characters spoil their own cell
(they show as U+FFFD and are refused later).
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from features.errors import FixableError

ROW = "__row"
FILE = "__file"
SEPARATORS = (",", ";", "\t", "|")
_MOST_TITLES, _FEWEST_HEADERS = 3, 3


@dataclass(frozen=True)
class Broken:
    """A line that cannot be laid out in columns: its row number and the cells it fell into."""

    row: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class RawFile:
    """``frame`` has one String column per header, ``__row`` (the line in the file, header = 1) and ``__file``.

    A Parquet file has no header line; its first row is row 1. Empty cells are null. ``sha256`` names the content.
    """

    name: str
    headers: tuple[str, ...]
    frame: pl.DataFrame
    sha256: str
    broken: tuple[Broken, ...] = ()
    notes: tuple[str, ...] = field(default=())


def read(path: Path, name: str, *, encoding: str | None = None) -> RawFile:
    """Any file or folder of Parquet parts that a table can come in. Raises FixableError when it is none."""
    try:
        if path.is_dir() or path.suffix.lower() == ".parquet":
            return _read_parquet(path, name)
        return _read_csv(path, name, encoding)
    except (OSError, LookupError, UnicodeError) as error:
        raise FixableError(f"{name} cannot be read: {type(error).__name__}") from error


def decode(data: bytes) -> tuple[str, str]:
    """The text of a file and the encoding it was found to be in.

    UTF-8 with a few damaged bytes stays UTF-8: read as GB18030 it would turn every name into other characters.
    """
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if data.startswith(mark):
            return data.decode(encoding, errors="replace"), encoding
    try:
        return data.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError:
        utf8 = data.decode("utf-8-sig", errors="replace")
        damaged, whole = utf8.count("\ufffd"), sum(1 for c in utf8 if c > "\x7f") - utf8.count("\ufffd")
        if whole > 10 * damaged:
            return utf8, "utf-8"
        return data.decode("gb18030", errors="replace"), "gb18030"


def _read_csv(path: Path, name: str, encoding: str | None) -> RawFile:
    data = path.read_bytes()
    text, found = (data.decode(encoding, errors="replace"), encoding) if encoding else decode(data)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = text.rstrip("\n")
    above = len(text) - len(text.lstrip("\n"))
    first = text[above:].partition("\n")[0]
    if not first.strip():
        return RawFile(name, (), pl.DataFrame(), _sha256(data), notes=("the file is empty",))
    separator = max(SEPARATORS, key=first.count)
    titles = _titles(text[above:])
    if titles:
        above += titles
        first = text.split("\n", above + 1)[above]
        separator = max(SEPARATORS, key=first.count)
    headers = _headers(next(csv.reader([first], delimiter=separator)))
    lines = pl.Series([text]).str.split("\n").explode().slice(above + 1)
    frame, broken = _split(lines, above + 2, separator=separator, headers=headers)
    frame = _blank_to_null(frame).with_columns(pl.lit(name).alias(FILE))
    frame, headers = _without_empty_tail(frame, headers)
    notes: tuple[str, ...] = (f"read as {found}",) if found != "utf-8" and not encoding else ()
    notes += (f"lines above the header: {titles} (a title)",) if titles else ()
    return RawFile(name, headers, frame, _sha256(data), tuple(broken), notes)


def _titles(text: str) -> int:
    """How many lines stand above the header: a title is one cell alone over a line of at least three."""
    lines = text.split("\n", _MOST_TITLES + 1)
    for n, line in enumerate(lines[: _MOST_TITLES + 1]):
        filled = [sum(bool(cell.strip(' "')) for cell in line.split(separator)) for separator in SEPARATORS]
        if max(filled) >= _FEWEST_HEADERS:
            return n
        if max(filled) > 1:
            return 0
    return 0


def _split(
    lines: pl.Series, first_row: int, *, separator: str, headers: tuple[str, ...]
) -> tuple[pl.DataFrame, list[Broken]]:
    """Lines to columns. Every line is held against the number of cells first, because the reader would not tell."""
    rows = pl.int_range(first_row, first_row + len(lines), dtype=pl.Int64, eager=True)
    bare, quoted = lines, bool(lines.str.contains('"', literal=True).any())
    if quoted:
        if not lines.str.contains(_line_pattern(separator, "*")).all():
            return _split_by_records(lines.to_list(), first_row, separator=separator, headers=headers)
        bare = lines.str.replace_all('"[^"]*"', "Q")
    whole = bare.str.count_matches(separator, literal=True) == len(headers) - 1
    if len(headers) == 1:
        whole &= bare.str.strip_chars() != ""
    frame = pl.DataFrame(schema=dict.fromkeys(headers, pl.String))
    if whole.any():
        frame = pl.read_csv(
            lines.filter(whole).str.join("\n").item().encode(),
            has_header=False,
            new_columns=list(headers),
            separator=separator,
            quote_char='"' if quoted else None,
            infer_schema=False,
        )
        if frame.height != whole.sum():
            return _split_by_records(lines.to_list(), first_row, separator=separator, headers=headers)
    bad = pl.DataFrame({"line": lines, ROW: rows}).filter(~whole & (lines.str.strip_chars() != ""))
    broken = [Broken(row, tuple(line.split(separator))) for line, row in bad.iter_rows()]
    return frame.with_columns(rows.filter(whole).alias(ROW)), broken


def _split_by_records(
    lines: Sequence[str], first_row: int, *, separator: str, headers: tuple[str, ...]
) -> tuple[pl.DataFrame, list[Broken]]:
    """The careful way, for text where a quoted cell holds line ends, or a quote stands where it should not."""
    rows: list[int] = []
    records: list[list[str]] = []
    broken: list[Broken] = []
    for index, cells in _records(lines, separator=separator, width=len(headers)):
        if len(cells) == len(headers):
            rows.append(first_row + index)
            records.append(cells)
        else:
            broken.append(Broken(first_row + index, tuple(cells)))
    columns = list(zip(*records, strict=True)) or [()] * len(headers)
    frame = pl.DataFrame([pl.Series(h, c, dtype=pl.String) for h, c in zip(headers, columns, strict=True)])
    return frame.with_columns(pl.Series(ROW, rows, dtype=pl.Int64)), broken


def _records(lines: Sequence[str], *, separator: str, width: int) -> Iterator[tuple[int, list[str]]]:
    """Position and cells of each record. A quote that never closes costs its own line, not those after it: a record
    over several lines counts only when none of the later ones is a whole record by itself."""
    whole = re.compile(_line_pattern(separator, f"{{{width - 1}}}"))
    start = 0
    while start < len(lines):
        done = start
        rest = (f"{lines[k]}\n" for k in range(start, len(lines)))
        reader = csv.reader(rest, delimiter=separator, strict=True)
        try:
            for cells in reader:
                after = start + reader.line_num
                if after - done > 1 and (len(cells) != width or any(map(whole.match, lines[done + 1 : after]))):
                    break
                if len(cells) > 1 or any(cell.strip() for cell in cells):
                    yield done, cells
                done = after
            else:
                return
        except csv.Error:  # a quote in the wrong place, or one that is still open at the end
            pass
        cells = lines[done].split(separator)
        yield done, cells if len(cells) != width else [*cells, ""]
        start = done + 1


def _line_pattern(separator: str, repeat: str) -> str:
    """A line whose quotes all open and close where they should."""
    cell = f'(?:"[^"]*(?:""[^"]*)*"|[^"{separator}]*)'
    return f"^{cell}(?:[{separator}]{cell}){repeat}$"


def _read_parquet(path: Path, name: str) -> RawFile:
    parts = sorted(path.rglob("*.parquet")) if path.is_dir() else [path]
    frames, digest, left_out = [], hashlib.sha256(), set()
    for part in parts:
        digest.update(part.read_bytes())
        label = f"{name}/{part.relative_to(path).as_posix()}" if path.is_dir() else name
        try:
            frame = pl.read_parquet(part, hive_partitioning=False)
        except pl.exceptions.PolarsError as error:
            raise FixableError(f"{label} is not a readable Parquet file") from error
        texts = {column: _as_text(frame[column]) for column in frame.columns}
        left_out |= {column for column, text in texts.items() if text is None}
        frame = pl.DataFrame([text for text in texts.values() if text is not None])
        rows = pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias(ROW)
        frames.append(_blank_to_null(frame).with_columns(rows, pl.lit(label).alias(FILE)))
    whole = pl.concat(frames, how="diagonal")
    headers = tuple(column for column in whole.columns if column not in (ROW, FILE))
    notes = [f"column {column}: nested, binary or duration values are not taken" for column in sorted(left_out)]
    return RawFile(name, headers, whole, digest.hexdigest(), notes=tuple(notes))


def _as_text(column: pl.Series) -> pl.Series | None:
    """A typed column as text that the checks read back to the same values (``1001.0`` as a number is the id 1001);
    None for a type that no column of ours can hold."""
    dtype = column.dtype
    if isinstance(dtype, pl.List | pl.Array) and not dtype.inner.is_nested():  # type: ignore[union-attr]
        return column.cast(pl.List(pl.String)).list.join(";")
    if dtype.is_nested() or dtype in (pl.Binary, pl.Duration, pl.Object):
        return None
    if dtype.is_float():
        column = column.fill_nan(None)
        if (column.is_null() | (column == column.round())).all() and (column.abs() < 2**53).all():
            return column.cast(pl.Int64).cast(pl.String)
    if isinstance(dtype, pl.Datetime):
        return column.dt.to_string("%Y-%m-%d %H:%M:%S%.6f" + ("%:z" if dtype.time_zone else ""))
    return column.cast(pl.String)


def _blank_to_null(frame: pl.DataFrame) -> pl.DataFrame:
    """Spaces around a cell mean nothing, and a cell of spaces is an empty one."""
    ragged = [
        name
        for name, dtype in frame.schema.items()
        if dtype == pl.String and frame[name].str.contains(r"^[ \t\x{3000}\x{a0}]|[ \t\n\x{3000}\x{a0}]$").any()
    ]
    frame = frame.with_columns(pl.col(ragged).str.strip_chars(" \t\n\u3000\xa0"))
    return frame.with_columns(pl.when(pl.col(pl.String) != "").then(pl.col(pl.String)))


def _headers(cells: Sequence[str]) -> tuple[str, ...]:
    """Header texts, made different from one another: a repeated one gets ``#2``, an empty one its position."""
    seen: dict[str, int] = {}
    names = []
    for position, cell in enumerate(cells, start=1):
        name = cell.strip(" \t\u3000\xa0\ufeff") or f"column {position}"
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return tuple(names)


def _without_empty_tail(frame: pl.DataFrame, headers: tuple[str, ...]) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Spreadsheets like to append unnamed empty columns; those are no columns."""
    kept = tuple(name for i, name in enumerate(headers, 1) if name != f"column {i}" or not frame[name].is_null().all())
    return frame.drop([name for name in headers if name not in kept]), kept


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
