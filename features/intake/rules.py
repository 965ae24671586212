"""What a row is refused for, in words: the rule, and how to mend it. Facts, no behaviour (see ``checks.py``).

No text here takes a value of the row: a hint can be shown and logged without showing what a person's record says.
"""

from __future__ import annotations

from dataclasses import dataclass

from features.tables import Column

EARLIEST, LATEST = 1950, 2100
"""No fact about a person at work lies outside of these years."""


@dataclass(frozen=True)
class Rule:
    """One rule: what is wrong, and what to do about it; ``{allowed}``, ``{low}``, ``{high}`` come from the column."""

    name: str
    wrong_en: str
    wrong_zh: str
    hint_en: str
    hint_zh: str


_ALL = (
    Rule(
        "cells",
        "the line does not have as many cells as the header",
        "该行的单元格数与表头不符",
        "look for a separator or a quote too many or too few; put each value under its column, or write ok in _do",
        "检查多余或缺少的分隔符与引号;把每个值放到对应的列,或在 _do 列写 ok",
    ),
    Rule("missing", "a required value is missing", "缺少必填值", "fill in the cell", "请填写该单元格"),
    Rule(
        "unreadable",
        "the cell holds damaged characters",
        "单元格含有损坏的字符",
        "type the value again, and export the file as UTF-8",
        "请重新输入,并以 UTF-8 编码导出文件",
    ),
    Rule("date", "not a date", "不是日期", "write it as 2023-04-01", "请写成 2023-04-01"),
    Rule(
        "timestamp",
        "not a date with a clock time",
        "不是日期时间",
        "write it as 2023-04-01 08:30:00",
        "请写成 2023-04-01 08:30:00",
    ),
    Rule(
        "number",
        "not a number",
        "不是数字",
        "write digits only, as 12000.5; words (a grade) get their number in the mapping file",
        "只写数字,如 12000.5;文字(如等级)在映射文件中对应数字",
    ),
    Rule(
        "whole_number",
        "not a whole number",
        "不是整数",
        "write digits only, as 12; words (P6) get their number in the mapping file",
        "只写整数,如 12;文字(如 P6)在映射文件中对应数字",
    ),
    Rule("yes_no", "neither yes nor no", "不是“是”或“否”", "write true or false (是 / 否)", "请写 是 或 否"),
    Rule(
        "range", "outside of the possible range", "超出可能范围", "must be {low} to {high}", "应在 {low} 到 {high} 之间"
    ),
    Rule(
        "allowed",
        "not one of the allowed values",
        "不在允许的取值之中",
        "use one of {allowed}, or map the value in the mapping file",
        "请用其中之一:{allowed};或在映射文件中对应该值",
    ),
    Rule(
        "impossible_date",
        "a year that cannot be",
        "年份不可能",
        f"the year must lie between {EARLIEST} and {LATEST}",
        f"年份应在 {EARLIEST} 到 {LATEST} 之间",
    ),
    Rule(
        "future",
        "dated after the day of the import",
        "日期晚于导入日",
        "correct the date; this table holds what has happened",
        "请更正日期;本表只记录已发生的事",
    ),
    Rule(
        "known_before",
        "known before it happened",
        "获知日期早于发生日期",
        "correct known_on, or leave it empty",
        "请更正 known_on,或留空",
    ),
    Rule(
        "unknown_employee",
        "employee_id is not in employees",
        "工号不在员工表中",
        "correct employee_id, or add the person to employees and repair again",
        "请更正工号,或把此人加入员工表后再修复",
    ),
    Rule(
        "exit_before_hire",
        "the exit is before the first working day",
        "离职早于入职",
        "correct one of the dates; of a person who was hired twice, employees needs the first hiring date",
        "请更正日期;再次入职者,员工表需填首次入职日期",
    ),
    Rule(
        "scale",
        "outside of the scale",
        "超出量表范围",
        "correct the value, or give scale_min and scale_max (as columns, or as constants in the mapping file)",
        "请更正该值,或给出 scale_min 与 scale_max(列,或映射文件中的常量)",
    ),
)

RULES: dict[str, Rule] = {rule.name: rule for rule in _ALL}


def hints(rule: str, column: Column | None) -> tuple[str, str]:
    """How to mend a cell of this column that broke this rule, in English and Chinese."""
    low = high = allowed = "…"
    if column is not None:
        low = "…" if column.minimum is None else f"{column.minimum:g}"
        high = "…" if column.maximum is None else f"{column.maximum:g}"
        allowed = ", ".join(column.allowed)
    words = {"low": low, "high": high, "allowed": allowed}
    return RULES[rule].hint_en.format(**words), RULES[rule].hint_zh.format(**words)
