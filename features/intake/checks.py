"""Text cells against the specification: the rows that can be taken, typed, and everything wrong with the others.

Columns are judged value by value, on the different texts of a column only; what concerns several cells (known before
it happened, an exit before the hire) is judged on whole rows. A row that breaks one rule is told all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from features.intake.parsing import Reading, comma_is_decimal, date_order, means_nothing, parse
from features.intake.periods import period_days
from features.intake.rules import EARLIEST, LATEST
from features.intake.synonyms import plain, values_by_name
from features.intake.units import header_factor
from features.mapping import TableMapping
from features.tables import PEOPLE, TABLES, Column, OwnColumn, complete, with_dates

INDEX = "__index"
"""Position of a row in its import; ``_seq`` is counted from it, for good and bad rows alike."""

_UNREADABLE = {
    "date": "date",
    "timestamp": "timestamp",
    "int": "whole_number",
    "float": "number",
    "bool": "yes_no",
}
_OFFSET = r"\d:\d{2}\S*(?:Z|[+-]\d{2}:?\d{2})$"


@dataclass(frozen=True)
class Checked:
    """``good``: canonical rows with ``__index``. ``problems``: one row per broken rule (__index, column, value, rule)
    in the order in which they should be told. ``warnings``: what was taken, yet should be looked at."""

    good: pl.DataFrame
    problems: pl.DataFrame
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Known:
    """What a row is held against: everyone with the ``first_hired``, and the day of the import if that is told."""

    people: pl.DataFrame
    today: date | None = None


def specs(table_name: str, columns: Sequence[str], own: Sequence[OwnColumn]) -> tuple[Column, ...]:
    """The specification of every column of a file: the table's, ``known_on``, own ones, and the free ones of
    ``protected``."""
    table = TABLES[table_name]
    listed = [table.column(name) for name in table.names() if name in columns]
    if "known_on" in columns:
        listed.append(Column("known_on", "date", False, "first day on which it was known", "获知日期", unit="date"))
    declared = {c.name: c for c in own if c.table == table_name}
    for name in columns:
        if name in declared:
            kind = "float" if declared[name].kind == "number" else "text"
            listed.append(Column(name, kind, False, declared[name].words_en, declared[name].words_zh))  # type: ignore[arg-type]
        elif table_name == "protected" and name not in ("employee_id", "known_on"):
            listed.append(Column(name, "text", False, "protected attribute", "受保护属性"))
    return tuple(listed)


def decide(
    cells: pl.DataFrame, columns: Sequence[Column], mapping: TableMapping, *, headers: Mapping[str, str]
) -> tuple[Reading, list[str]]:
    """How this file writes dates and numbers, and a sentence for each date column that does not tell.

    ``headers``: column → the header it stands under, which may name another unit (``工作时长(分钟)``).
    """
    dates, decimals, factors, unclear = {}, {}, {}, []
    for column in columns:
        texts = cells[column.name].drop_nulls().unique(maintain_order=True)
        if column.kind in ("date", "timestamp"):
            form = mapping.dates.get(column.name) or mapping.date_format or date_order(texts)
            if form == "?":
                unclear.append(
                    f'{column.name}: dates like 03/04/2023 can be read in two ways; write date_format = "%d/%m/%Y" or '
                    '"%m/%d/%Y" into the mapping of this table'
                )
            if form:
                dates[column.name] = {"%d/%m/%Y": "dmy", "%m/%d/%Y": "mdy"}.get(form, form)
        if column.kind in ("int", "float") and (mapping.decimal == "," if mapping.decimal else comma_is_decimal(texts)):
            decimals[column.name] = ","
        factor = header_factor(headers.get(column.name, ""), column.unit)
        if column.kind in ("int", "float") and factor is not None and factor != 1.0:
            factors[column.name] = factor
    return Reading(dates, decimals, mapping.values, mapping.time_zone, factors), unclear


def shorten(
    cells: pl.DataFrame, table_name: str, columns: Sequence[Column], mapping: TableMapping
) -> tuple[pl.DataFrame, list[str]]:
    """Columns that know an ``otherwise`` hold listed values only from here on, and a remark on each that had others.

    Done before anything is kept: a free wording (why somebody left) must not even get into the quarantine.
    """
    remarks = []
    for column in (column for column in columns if column.otherwise is not None):
        texts = cells[column.name].drop_nulls().unique()
        named = mapping.values.get(column.name, {})
        told = texts.replace(list(named), list(named.values())) if named else texts
        values = _one_of(told, table_name, column)
        other = values.is_null() & ~means_nothing(told, column) & (told != "")
        if other.any():
            remarks.append(
                f"{column.name}: values off the list are kept as `{column.otherwise}` ({other.sum()} wordings)"
            )
        short = pl.select(pl.when(other).then(pl.lit(column.otherwise)).otherwise(values)).to_series()
        cells = cells.with_columns(pl.col(column.name).replace_strict(texts, short, default=None))
    return cells, remarks


def check(cells: pl.DataFrame, table_name: str, columns: Sequence[Column], reading: Reading, known: Known) -> Checked:
    """Good rows and problems of one table. ``cells`` has String columns and ``__index``."""
    typed, problems, warnings = _typed(cells, table_name, columns, reading)
    if table_name == "interactions":
        typed = _day_or_clock(typed)
    typed = with_dates(table_name, complete(table_name, typed.with_columns(pl.col(INDEX).alias("_seq"))))
    judged = typed
    if "employee_id" in typed.columns and table_name != "employees":
        judged = typed.join(known.people, on="employee_id", how="left", maintain_order="left")
    for column, rule, breaks in _row_rules(table_name, known.today):
        mask = judged.select(breaks.fill_null(False)).to_series()
        if mask.any():
            problems.append(_told(cells, mask, column, rule))
    everything = pl.concat([_told(cells, pl.repeat(False, cells.height, eager=True), "", ""), *problems])
    good = typed.join(everything, on=INDEX, how="anti", maintain_order="left")
    return Checked(good, everything, (*warnings, *_strangers(good, known.people)))


def _typed(
    cells: pl.DataFrame, table_name: str, columns: Sequence[Column], reading: Reading
) -> tuple[pl.DataFrame, list[pl.DataFrame], list[str]]:
    """Every column in its dtype, what is wrong with single cells, and what was taken with a remark."""
    typed, problems, warnings = [cells[INDEX]], [], []
    for column in columns:
        texts = cells[column.name].unique()
        few = 2 * len(texts) < cells.height
        lookup, remark = _judged(texts if few else cells[column.name], table_name, column, reading)
        if remark:
            warnings.append(f"{column.name}: {remark}")
        if few and lookup["rule"].is_null().all() and lookup["value"].equals(lookup["text"], check_dtypes=True):
            values, rules = cells[column.name], pl.repeat(None, cells.height, dtype=pl.String, eager=True)
        else:
            if few:
                words = cells.select(text=column.name)
                lookup = words.join(lookup, on="text", how="left", nulls_equal=True, maintain_order="left")
            values, rules = lookup["value"].alias(column.name), lookup["rule"]
        if column.required:
            rules = rules.set(values.is_null() & rules.is_null(), "missing")
        typed.append(values)
        for rule in rules.drop_nulls().unique().sort() if rules.null_count() < len(rules) else ():
            problems.append(_told(cells, (rules == rule).fill_null(False), column.name, rule))
    return pl.DataFrame(typed), problems, warnings


def _judged(texts: pl.Series, table_name: str, column: Column, reading: Reading) -> tuple[pl.DataFrame, str]:
    """For each text of a column its value or the rule that it breaks; both null for an empty cell."""
    named = reading.values.get(column.name, {})
    told = texts.replace(list(named), list(named.values())) if named else texts
    values, remark = parse(told, column, reading), ""
    if column.allowed:
        values = _one_of(told, table_name, column)
    if column.kind == "timestamp" and reading.time_zone is None and told.str.contains(_OFFSET).any():
        remark = "clock times with an offset are kept as written; time_zone in the mapping would convert them"
    if column.kind == "date" and period_days(_not_days(told), begins=True).is_not_null().any():
        remark = f"a month or quarter stands for its {'first' if column.begins else 'last'} day"
    value, unreadable = pl.col("value"), _UNREADABLE.get(column.kind, "allowed")
    breaks = [(pl.col("told").str.contains("\ufffd", literal=True), "unreadable"), (value.is_null(), unreadable)]
    if column.minimum is not None or column.maximum is not None:
        low, high = pl.lit(column.minimum, dtype=pl.Float64), pl.lit(column.maximum, dtype=pl.Float64)
        number = value.cast(pl.Float64)
        breaks.append(((number < low) | (number > high), "range"))
    if column.kind in ("date", "timestamp"):
        breaks.append(((value.dt.year() < EARLIEST) | (value.dt.year() > LATEST), "impossible_date"))
    rule = pl.coalesce([pl.when(broken).then(pl.lit(name)) for broken, name in breaks])
    empty = means_nothing(pl.col("told"), column) | (pl.col("told") == "") | pl.col("told").is_null()
    frame = pl.DataFrame({"text": texts, "told": told, "value": values})
    frame = frame.with_columns(rule=pl.when(~empty).then(rule), empty=empty)
    taken = pl.col("rule").is_null() & ~pl.col("empty")
    return frame.select("text", pl.when(taken).then("value").alias("value"), "rule"), remark


def _not_days(texts: pl.Series) -> pl.Series:
    """Without what is a day beyond doubt: it need not be looked at for being a month or a quarter."""
    return texts.filter(~texts.str.contains(r"^\d{4}-\d{2}-\d{2}$").fill_null(False))


def _one_of(texts: pl.Series, table_name: str, column: Column) -> pl.Series:
    """Each text as one of the allowed values, by our word or a usual synonym; null for any other."""
    by_name = values_by_name(table_name, column.name) | {plain(value): value for value in column.allowed}
    return pl.Series(texts.name, [text and by_name.get(plain(text)) for text in texts], dtype=pl.String)


def _day_or_clock(typed: pl.DataFrame) -> pl.DataFrame:
    """A clock time of exactly midnight is a day without a clock time: that is how systems write a bare date, and two
    equal rows of that kind are two acts, not one row handed over twice."""
    if "happened_at" not in typed.columns:
        return typed
    bare = pl.col("happened_at").dt.time() == pl.time(0)
    day = pl.col("happened_at").dt.date()
    given = pl.col("happened_on") if "happened_on" in typed.columns else pl.lit(None, dtype=pl.Date)
    return typed.with_columns(happened_on=pl.coalesce(given, day), happened_at=pl.when(~bare).then("happened_at"))


def _row_rules(table_name: str, today: date | None) -> Iterator[tuple[str, str, pl.Expr]]:
    """Column, rule, and the expression that is true where a typed row breaks it (null counts as false)."""
    table = TABLES[table_name]
    if table.one_of:
        yield table.one_of[0], "missing", pl.all_horizontal(pl.col(table.one_of).is_null())
    if "employee_id" in table.names() and table_name != "employees":
        stranger = pl.col("employee_id").is_not_null() & pl.col("first_hired").is_null()
        yield "employee_id", "unknown_employee", stranger
    if table_name == "exits":
        yield "happened_on", "exit_before_hire", pl.col("happened_on") < pl.col("first_hired")
    if table.event and not table.known_ahead:
        yield "known_on", "known_before", pl.col("known_on") < pl.col(table.event)
        if today is not None:
            yield table.event, "future", pl.col(table.event) > today
    if today is not None:
        yield "known_on", "future", pl.col("known_on_given") & (pl.col("known_on") > today)
    if table_name == "surveys":
        outside = (pl.col("score") < pl.col("scale_min")) | (pl.col("score") > pl.col("scale_max"))
        yield "score", "scale", outside
    if table_name == "reviews":
        yield "rating", "scale", pl.col("rating") > pl.col("scale_max")


def _told(cells: pl.DataFrame, mask: pl.Series, column: str, rule: str) -> pl.DataFrame:
    """One problem for each row of the mask, with the text that stands in the cell."""
    value = pl.col(column) if column in cells.columns else pl.lit(None, dtype=pl.String)
    return cells.filter(mask).select(INDEX, column=pl.lit(column), value=value, rule=pl.lit(rule))


def _strangers(good: pl.DataFrame, people: pl.DataFrame) -> Iterator[str]:
    """Remarks on references to somebody who is not in employees: taken, because agencies and leavers are common."""
    for column in PEOPLE:
        if column in good.columns:
            ids = good[column].drop_nulls()
            n_rows = int((~ids.is_in(people["employee_id"].implode())).sum())
            if n_rows:
                yield f"{column}: {n_rows} rows name somebody who is not in employees"
