"""Which model may speak: gates that a new model passes before it becomes the champion.

A gate answers with the evidence. A model that fails stays *challenger*; a person may promote it by name
(``retention-train promote VERSION``), which is recorded by the catalogue.
"""

from __future__ import annotations

from dataclasses import dataclass

from training.evaluate import Interval

LEVEL_RANGE = (0.5, 2.0)


@dataclass(frozen=True)
class Gate:
    """One question put to a model: did it pass, and on what evidence."""

    name: str
    passed: bool
    evidence: str


def published_gates(chosen: dict[str, Interval] | None, n_exits: int) -> tuple[Gate, ...]:
    """Return the gates of the published effects, which need no proof of this organisation, only no contradiction.

    ``chosen`` is None when nobody left in the test snapshots: nothing can contradict them then.
    """
    name = "published effects are not contradicted"
    if chosen is None:
        return (Gate(name, True, "nobody left in the test snapshots"),)
    auc, level = chosen["auc"], chosen["observed_over_expected"]
    possible = level.low < LEVEL_RANGE[1] and level.high > LEVEL_RANGE[0]
    return (
        Gate(name, not auc.high < 0.5, f"AUC {auc} with {n_exits} people who left, its upper end must reach .5"),
        Gate("right in the large", possible, f"observed / expected {level}, must reach into {LEVEL_RANGE}"),
    )


def gates(
    chosen: dict[str, Interval], base: dict[str, Interval], n_exits: int, *, fewest_exits: int = 20
) -> tuple[Gate, ...]:
    """Return the gates at the reference horizon for the out-of-time table of the chosen kind and of the base rate."""
    auc, level = chosen["auc"], chosen["observed_over_expected"]
    better = chosen["brier"].value <= base["brier"].value
    return (
        Gate("enough exits out of time", n_exits >= fewest_exits, f"{n_exits} people left, {fewest_exits} are needed"),
        Gate("ranks better than chance", auc.low > 0.5, f"AUC {auc}, its lower end must lie above .5"),
        Gate(
            "forecasts better than the base rate",
            better,
            f"Brier {chosen['brier'].value:.4f} against {base['brier'].value:.4f}",
        ),
        Gate(
            "right in the large",
            level.low < LEVEL_RANGE[1] and level.high > LEVEL_RANGE[0],
            f"observed / expected {level}, must reach into {LEVEL_RANGE}",
        ),
    )
