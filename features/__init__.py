"""What was known on a date: records → tables → one row per (employee, as_of)."""
