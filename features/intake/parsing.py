"""Text to values: dates, clock times, numbers, yes and no. What cannot be read becomes null; nothing is guessed.

Everything here works on the *different* texts of a column, so that a million rows cost as much as their few hundred
dates. The one real danger is 03/04/2023: the order of day and month is decided per column by the values that leave no
choice (25/04/2023), and asked for when none does.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TypeVar

import polars as pl

from features.intake.periods import period_days
from features.intake.synonyms import NO, YES, plain
from features.intake.units import without_units
from features.tables import PEOPLE, Column

_NULLS = frozenset(("null", "na", "n/a", "nan", "none", "-", "--", "—", "\\n", "#n/a", "无", "空", "/"))
_TEXT_NULLS = frozenset(("null", "\\n", "#n/a"))

_SLASHED = r"^(\d{1,2})[-/](\d{1,2})[-/](\d{4})(?:\D.*)?$"
_DOTTED = r"^(\d{1,2})\.(\d{1,2})\.(\d{4})(?:\D.*)?$"
_CLOCK = (
    r"^(.*?\d.*?)(?:[T ]\s*)(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*([AaPp][Mm])?\s*(Z|[+-]\d{2}:?\d{2})?$"
)
_WORDED = ("%d %b %Y", "%d-%b-%Y", "%b %d, %Y", "%b %d %Y")


@dataclass(frozen=True)
class Reading:
    """How the cells of one table are written: decided once per file, kept with each quarantined row.

    ``dates``: column → ``dmy``, ``mdy`` or a strptime format. ``decimals``: column → ``,`` where that marks decimals.
    ``values``: column → text → value. ``time_zone``: clock times that carry an offset are told in this zone; without
    it they are kept as written. ``factors``: column → how many of its unit the unit of the header is (minutes: 1/60).
    """

    dates: dict[str, str] = field(default_factory=dict)
    decimals: dict[str, str] = field(default_factory=dict)
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    time_zone: str | None = None
    factors: dict[str, float] = field(default_factory=dict)

    @classmethod
    def from_json(cls, text: str) -> Reading:
        """A reading that was kept with a quarantined row."""
        return cls(**json.loads(text))


def parse(texts: pl.Series, column: Column, reading: Reading) -> pl.Series:
    """Values of one column in its own dtype; null where a text cannot be read as its kind, or means "nothing"."""
    if column.kind in ("date", "timestamp"):
        form = reading.dates.get(column.name)
        moments = parse_moments(texts, form, reading.time_zone)
        if column.kind == "timestamp":
            return moments
        days = moments.dt.date()
        if form and "%" in form and "%d" not in form and not column.begins:  # a month told by its first day
            months = (texts + "-01").str.to_date(f"{form}-%d", strict=False)
            days = months.dt.month_end().fill_null(days)
        return days.fill_null(period_days(texts, begins=column.begins)) if days.null_count() else days
    if column.kind in ("int", "float"):
        bare, factor = without_units(texts, column.unit, reading.factors.get(column.name, 1.0))
        numbers = parse_numbers(bare, comma_decimals=reading.decimals.get(column.name) == ",") * factor
        if column.kind == "int":
            fits = (numbers == numbers.round()) & (numbers.abs() < 2**53)
            return numbers.set(~fits.fill_null(False), None).cast(pl.Int64)
        return numbers
    if column.kind == "bool":
        return texts.map_elements(_yes_or_no, return_dtype=pl.Boolean, skip_nulls=True)
    if column.name.endswith("_id") or column.name in PEOPLE:  # 1001.0 is what a number column makes of 1001
        return texts.str.normalize("NFKC").str.replace(r"^(\d+)\.0$", "${1}")
    if column.kind == "list":
        return texts.str.replace_all("[；;、]\\s*", ";")
    return texts


Texts = TypeVar("Texts", pl.Series, pl.Expr)


def means_nothing(texts: Texts, column: Column) -> Texts:
    """Which texts are just a way of writing an empty cell. In free text only what a program writes (``NULL``)."""
    nulls = _TEXT_NULLS if column.kind in ("text", "list") and not column.allowed else _NULLS
    return texts.str.to_lowercase().is_in(list(nulls - set(column.allowed)))


def date_order(texts: pl.Series) -> str | None:
    """``dmy`` or ``mdy`` for dates like 25/04/2023, None when there are none, ``?`` when the values do not tell.

    A value above 12 cannot be a month. One slip does not turn the column round: a side with at least 20 times as many
    such values wins.
    """
    texts = texts.filter(texts.str.contains(_SLASHED))
    parts = texts.str.extract_groups(_SLASHED).struct.unnest().cast(pl.Int64)
    parts.columns = ["a", "b", "year"]
    first, second = int((parts["a"] > 12).sum()), int((parts["b"] > 12).sum())
    if not int((parts["a"] != parts["b"]).sum()):
        return None
    if first > 20 * second or (first and not second):
        return "dmy"
    if second > 20 * first or (second and not first):
        return "mdy"
    return "?"


def comma_is_decimal(texts: pl.Series) -> bool:
    """Whether a comma marks decimals: some number (``3,75``) cannot be read with commas between thousands."""
    comma = texts.str.contains(r"^[-+]?\d+,(?:\d{1,2}|\d{4,})\D?$|^[-+]?\d{1,3}(?:\.\d{3})+,\d+\D?$|^[-+]?0,\d+$").sum()
    point = texts.str.contains(r"^[-+]?\d+\.(?:\d{1,2}|\d{4,})\D?$|,\d{3}\.\d+$").sum()
    return int(comma) > int(point)


def parse_numbers(texts: pl.Series, *, comma_decimals: bool = False) -> pl.Series:
    """Float64. Takes 12,000.5, 12 000, １２, ¥12,000, 12000元 and 85% (0.85); null for anything else."""
    clean = texts.str.normalize("NFKC").str.replace_all(r"^\s*[¥￥$€£]\s*|\s*(?:元|[¥€])\s*$", "")
    clean = clean.str.replace_all(r"[\s'’]", "").str.replace("−", "-", literal=True)
    if comma_decimals:
        grouped = clean.str.contains(r"^[-+]?\d{1,3}(?:\.\d{3})+(?:,\d+)?%?$")
        clean = clean.set(grouped.fill_null(False), None).fill_null(clean.str.replace_all(".", "", literal=True))
        clean = clean.str.replace(",", ".", literal=True)
    else:
        grouped = clean.str.contains(r"^[-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?%?$")
        clean = clean.set(grouped.fill_null(False), None).fill_null(clean.str.replace_all(",", "", literal=True))
    percent = clean.str.ends_with("%").fill_null(False)
    clean = clean.str.strip_suffix("%")
    plainly = clean.str.contains(r"^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?$").fill_null(False)
    numbers = clean.set(~plainly, None).cast(pl.Float64)
    numbers = numbers.set(~numbers.is_finite().fill_null(False), None)
    return numbers.set(percent, None).fill_null(numbers / 100)


def parse_moments(texts: pl.Series, form: str | None, time_zone: str | None = None) -> pl.Series:
    """Local clock times (a bare date is midnight), naive. ``form`` is ``dmy``, ``mdy`` or a strptime format."""
    texts = texts.rename("text")
    found = _with_format(texts, form)
    for quick in ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S%.f"):
        if found.null_count():
            found = found.fill_null(texts.str.to_datetime(quick, time_unit="us", strict=False))
    left = texts.filter(found.is_null()).unique().drop_nulls()
    if not len(left):
        return found
    slow = pl.DataFrame({"text": left, "moment": _slowly(left.str.normalize("NFKC"), form, time_zone)})
    late = texts.to_frame().join(slow, on="text", how="left", maintain_order="left")["moment"]
    return found.fill_null(late)


def _with_format(texts: pl.Series, form: str | None) -> pl.Series:
    if form is None or form in ("dmy", "mdy"):
        return pl.Series("text", [None] * len(texts), dtype=pl.Datetime("us"))
    if "%d" not in form:  # a month stands for its first day
        texts, form = texts + "-01", form + "-%d"
    if re.search(r"%[HIMSTR]", form):
        return texts.str.to_datetime(form, time_unit="us", strict=False)
    return texts.str.to_date(form, strict=False).cast(pl.Datetime("us"))


def _slowly(texts: pl.Series, form: str | None, time_zone: str | None) -> pl.Series:
    """Every other usual way of writing a moment: date part, clock part and offset, each read by itself."""
    parts = texts.str.extract_groups(_CLOCK).struct.unnest()
    parts.columns = ["day", "hour", "minute", "second", "fraction", "half", "offset"]
    dates = _dates(parts["day"].fill_null(texts).str.strip_chars(), form)
    hour, half = parts["hour"].cast(pl.Int64), parts["half"].str.to_lowercase().fill_null("")
    frame = parts.select(
        date=dates.cast(pl.Datetime("us")),
        hour=hour % 12 + 12 * (half == "pm").cast(pl.Int64) if (half != "").any() else hour,
        minute=pl.col("minute").cast(pl.Int64),
        second=pl.col("second").cast(pl.Int64),
        micro=pl.col("fraction").str.pad_end(6, "0").str.slice(0, 6).cast(pl.Int64),
        offset="offset",
        plain_hour=hour,
        half=half,
    ).with_columns(hour=pl.when(pl.col("half") == "").then("plain_hour").otherwise("hour"))
    possible = (
        (pl.col("hour").fill_null(0) < 24) & (pl.col("minute").fill_null(0) < 60) & (pl.col("second").fill_null(0) < 60)
    )
    clock = pl.duration(
        hours=pl.col("hour").fill_null(0),
        minutes=pl.col("minute").fill_null(0),
        seconds=pl.col("second").fill_null(0),
        microseconds=pl.col("micro").fill_null(0),
    )
    frame = frame.with_columns(moment=pl.when(possible).then((pl.col("date") + clock).cast(pl.Datetime("us"))))
    return _in_zone(frame, time_zone)["moment"]


def _in_zone(frame: pl.DataFrame, time_zone: str | None) -> pl.DataFrame:
    """Moments that carry an offset, told in the zone of the organisation; as written when no zone is given."""
    if time_zone is None or frame["offset"].is_null().all():
        return frame
    digits = pl.col("offset").str.replace("Z", "+0000").str.replace(":", "")
    minutes = digits.str.slice(1, 2).cast(pl.Int64) * 60 + digits.str.slice(3, 2).cast(pl.Int64)
    signed = pl.when(digits.str.starts_with("-")).then(-minutes).otherwise(minutes)
    local = (
        (pl.col("moment") - pl.duration(minutes=signed))
        .dt.replace_time_zone("UTC")
        .dt.convert_time_zone(time_zone)
        .dt.replace_time_zone(None)
    )
    return frame.with_columns(moment=pl.when(pl.col("offset").is_null()).then("moment").otherwise(local))


def _dates(texts: pl.Series, form: str | None) -> pl.Series:
    """2023-04-01, 2023/4/1, 2023.4.1, 2023年4月1日, 20230401, 01.04.2023, 1 Apr 2023, the day number of a spreadsheet
    (45017) and, when the order is known, 01/04/2023."""
    found = _from_parts(texts, r"^(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?$", "ymd")
    found = found.fill_null(_from_parts(texts, r"^(\d{4})(\d{2})(\d{2})$", "ymd"))
    found = found.fill_null(_from_parts(texts, _DOTTED, "dmy"))
    if form in ("dmy", "mdy"):
        found = found.fill_null(_from_parts(texts, _SLASHED, form))
    else:  # 05/05/2023 is the same day either way
        either = _from_parts(texts, _SLASHED, "dmy")
        found = found.fill_null(either.set((either != _from_parts(texts, _SLASHED, "mdy")).fill_null(True), None))
    short_months = texts.str.replace(r"([A-Za-z]{3})[a-z]*\.?", "${1}")
    for worded in _WORDED:
        found = found.fill_null(short_months.str.to_date(worded, strict=False))
    serial = texts.str.extract(r"^(\d{5})(?:\.0*)?$").cast(pl.Int64).to_frame("days")
    return found.fill_null(serial.select(pl.date(1899, 12, 30) + pl.duration(days="days")).to_series().cast(pl.Date))


def _from_parts(texts: pl.Series, pattern: str, order: str) -> pl.Series:
    """Dates put together from the three groups of a pattern; null where there is no such day (31 April)."""
    parts = texts.str.extract_groups(pattern).struct.unnest()
    parts.columns = list(order)
    iso = parts.select(pl.concat_str(pl.col("y"), pl.col("m").str.zfill(2), pl.col("d").str.zfill(2), separator="-"))
    return iso.to_series().str.to_date("%Y-%m-%d", strict=False)


def _yes_or_no(text: str) -> bool | None:
    bare = plain(text) or text.strip()
    return True if bare in YES or text in YES else False if bare in NO or text in NO else None
