"""The model's own facts: what it read, from when, how good it proved to be, and what its words rest on.

Serving reads them here and nowhere else, so that a page can never claim more than the bundle it shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from features.cards import Card


@dataclass(frozen=True)
class ModelCard:
    """Facts that travel with a model.

    ``base_rate`` is the share who left voluntarily within each horizon (days) among the rows it learned from.
    ``bands`` are absolute risks at the reference horizon above which a person is in *watch* or *act*.
    ``band_evidence`` says, for each band, how many people out of time stood in it, how many of them left within the
    reference horizon, and the 90 % interval of that share. ``typical`` is the median or commonest value per column and
    ``missing_share`` the share unknown, both among the latest rows it learned from. ``data_versions`` name the lake's
    versions; ``eligible`` are the rules outside which nobody gets a score (a column with ``minimum``, ``maximum`` or
    ``values``); ``metrics`` is the out-of-time table. ``accepted`` are columns that looked as if they knew the future,
    with the reason a person gave for keeping them; ``remarks`` is what the guards of the training run had to say of the
    data. ``feed_shares`` is the share of the contributions that rests on each input table. ``forecast`` is what counts
    of exits rest on: the spread of the shocks (``models.forecast.Shock``) and ``days_to_fill``, the plan's, where
    records do not tell.
    """

    name: str
    model_kind: str
    trained_on: str
    labels_closed_on: str
    horizons_days: tuple[int, ...]
    reference_horizon_days: int
    base_rate: Mapping[int, float]
    bands: Mapping[str, float]
    band_evidence: Mapping[str, Mapping[str, float]]
    typical: Mapping[str, float | str | None]
    missing_share: Mapping[str, float]
    cards: tuple[Card, ...]
    data_versions: Mapping[str, int]
    n_people: int
    n_exits: int
    eligible: tuple[Mapping[str, Any], ...] = ()
    metrics: Mapping[str, Any] = field(default_factory=dict)
    accepted: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    feed_shares: Mapping[str, float] = field(default_factory=dict)
    forecast: Mapping[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for the bundle."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ModelCard:
        """Return what ``to_dict`` wrote, after a way through JSON."""
        known = {f.name: data[f.name] for f in fields(cls) if f.name in data}  # what came later has a default
        known["horizons_days"] = tuple(known["horizons_days"])
        known["base_rate"] = {int(days): rate for days, rate in known["base_rate"].items()}
        known["eligible"] = tuple(known["eligible"])
        known["remarks"] = tuple(known.get("remarks", ()))
        known["cards"] = tuple(Card(**card) for card in known["cards"])
        return cls(**known)
