"""Happyforce (Kaggle ``harriken/employeeturnover``) → the tables of this service, one Parquet file each.

    python examples/happyforce/convert.py SOURCE TARGET

The dates decide whether the result is worth anything:

- Nobody recorded when people left, only that they were gone at the extraction. The last participation stands for the
  last day and for the notice. On a day without a vote in the 30 days before, "gone" is therefore not a forecast any
  more; the plan leaves such rows out.
- A like has no date. It is dated ``LIKE_DELAY_DAYS`` after its comment, when nearly all likes had come: dated with the
  comment it would let a person who is going to stay be liked from the future.
- What would be known only after the extraction is left out.

Not carried over: negative ids (deleted accounts), the second copy of each comment, likes for one's own comment; and
dislikes and the length of comments, which make no forecast better.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

import polars as pl

LIKE_DELAY_DAYS = 14
FILES = ("churn.csv", "votes.parquet", "comments.parquet", "comment_interactions.parquet")

Tables = dict[str, pl.DataFrame]


def main() -> None:
    """Read SOURCE, write TARGET, say how many rows each table has."""
    parser = argparse.ArgumentParser(description="Happyforce files → a data folder that can be imported.")
    parser.add_argument("source", type=Path, help=f"folder with {', '.join(FILES)}")
    parser.add_argument("target", type=Path, help="folder to write")
    asked = parser.parse_args()
    missing = [name for name in FILES if not (asked.source / name).is_file()]
    if missing:
        parser.error(f"{asked.source} lacks {', '.join(missing)}")
    write(tables(read(asked.source)), asked.target)


def read(source: Path) -> Tables:
    """The four files as they came, by name without the ending."""
    return {
        Path(name).stem: pl.read_csv(source / name) if name.endswith(".csv") else pl.read_parquet(source / name)
        for name in FILES
    }


def tables(raw: Mapping[str, pl.DataFrame]) -> Tables:
    """The service's tables, each row with the day on which it was known."""
    churn, votes, comments, likes = (with_person(raw[Path(name).stem]) for name in FILES)
    votes = votes.select("employee_id", "company", "vote", at=moment("voteDate"))
    comments = comments.with_columns(at=moment("commentDate")).drop_nulls("at").unique("commentId", maintain_order=True)
    extracted_on = pl.concat([votes["at"], comments["at"]]).dt.date().max()
    people = last_seen(churn).join(first_seen(votes, comments), on="employee_id", how="inner").sort("employee_id")
    liked = dated_likes(likes, comments).filter(pl.col("happened_on") <= extracted_on)
    return {
        "employees": people.select("employee_id", "hired_on"),
        "exits": exits(people),
        "positions": people.select(
            "employee_id", happened_on="hired_on", department="company", team="company", known_on="hired_on"
        ),
        "surveys": surveys(votes),
        "interactions": interactions(comments, liked),
        "recognitions": recognitions(liked),
    }


def with_person(frame: pl.DataFrame) -> pl.DataFrame:
    """Rows of accounts that still exist. The id is unique within a company only, so the company belongs to it."""
    return frame.filter(pl.col("employee") >= 0).with_columns(
        pl.col("companyAlias").alias("company"),
        employee_id=pl.concat_str("companyAlias", pl.lit("-"), pl.col("employee").cast(pl.String)),
    )


def moment(column: str) -> pl.Expr:
    """``Mon Mar 20 19:00:17 CET 2017`` as local clock time."""
    local = pl.col(column).str.replace(r" CES?T ", " ")
    return local.str.to_datetime("%a %b %d %H:%M:%S %Y", time_unit="us", strict=False)


def last_seen(churn: pl.DataFrame) -> pl.DataFrame:
    """One row per person: the company, the last participation, still there or not.

    41 people stand twice; the row with the later participation is the later state of the account.
    """
    dated = churn.select(
        "employee_id",
        "company",
        last_on=moment("lastParticipationDate").dt.date(),
        gone=pl.col("stillExists").cast(pl.String).str.to_lowercase() == "false",
    )
    return dated.sort("last_on", maintain_order=True).unique("employee_id", keep="last", maintain_order=True)


def first_seen(votes: pl.DataFrame, comments: pl.DataFrame) -> pl.DataFrame:
    """The first day on which a person voted or wrote; hiring dates are not in the data."""
    seen = pl.concat([votes.select("employee_id", "at"), comments.select("employee_id", "at")])
    return seen.group_by("employee_id").agg(hired_on=pl.col("at").min().dt.date())


def exits(people: pl.DataFrame) -> pl.DataFrame:
    """The last participation of those who were gone; whether they chose to go is not in the data."""
    gone = people.filter("gone")
    return gone.select("employee_id", happened_on="last_on", kind=pl.lit("voluntary"), known_on="last_on")


def surveys(votes: pl.DataFrame) -> pl.DataFrame:
    """The daily question how happy one is at work, 1 to 4; known at once."""
    return votes.select(
        "employee_id",
        happened_on=pl.col("at").dt.date(),
        item=pl.lit("engagement"),
        score="vote",
        scale_min=pl.lit(1),
        scale_max=pl.lit(4),
        known_on=pl.col("at").dt.date(),
    )


def dated_likes(likes: pl.DataFrame, comments: pl.DataFrame) -> pl.DataFrame:
    """Who liked whose comment, on the day on which it is taken to have been known; own comments do not count."""
    written = comments.select("commentId", author="employee_id", written_on=pl.col("at").dt.date())
    # In the file a Boolean stands as a value of its own or as a word.
    liked = likes.filter(pl.col("liked").cast(pl.String).str.to_lowercase() == "true")
    pairs = liked.select("employee_id", "commentId").unique(maintain_order=True).join(written, on="commentId")
    pairs = pairs.filter(pl.col("employee_id") != pl.col("author"))
    return pairs.with_columns(happened_on=pl.col("written_on").dt.offset_by(f"{LIKE_DELAY_DAYS}d"))


def interactions(comments: pl.DataFrame, liked: pl.DataFrame) -> pl.DataFrame:
    """Comments (to nobody in particular) and likes (to the author)."""
    written = comments.select(
        "employee_id",
        happened_at="at",
        happened_on=pl.col("at").dt.date(),
        kind=pl.lit("message"),
        counterpart_id=pl.lit(None, dtype=pl.String),
        known_on=pl.col("at").dt.date(),
    )
    given = liked.select(
        "employee_id", "happened_on", kind=pl.lit("message"), counterpart_id="author", known_on="happened_on"
    )
    return pl.concat([written, given], how="diagonal")


def recognitions(liked: pl.DataFrame) -> pl.DataFrame:
    """The same likes as small thanks to the author; several from one colleague on one day count once."""
    thanks = liked.select(
        pl.col("author").alias("employee_id"),
        "happened_on",
        kind=pl.lit("peer_thanks"),
        given_by="employee_id",
        known_on="happened_on",
    )
    return thanks.unique(maintain_order=True)


def write(converted: Mapping[str, pl.DataFrame], target: Path) -> None:
    """One Parquet file per table."""
    target.mkdir(parents=True, exist_ok=True)
    for name, frame in converted.items():
        frame.write_parquet(target / f"{name}.parquet")
        print(f"{name:13} {frame.height:>8,} rows")


if __name__ == "__main__":
    main()
