"""How often Python looks for objects that refer to each other in circles.

By default after every 700 new objects. A batch makes millions of reasons and facts and an answer thousands, none of
them in a circle: the looking took a third of the time of a batch (26.6 s of processor time per 100,000 people
instead of 17.3).
"""

from __future__ import annotations

import gc

NEW_OBJECTS, ROUNDS = 50_000, 20


def seldom() -> None:
    """Look seldom from now on, and never again at what was made by now: modules, settings, the model."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, ROUNDS, ROUNDS)
