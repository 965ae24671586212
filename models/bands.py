"""Bands of risk: what people are told instead of a probability.

Apart from the rest so that the service, which only tells what was computed, starts without the libraries that compute.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Band = Literal["calm", "watch", "act", "cannot_judge"]


def band_of(risk: float, bands: Mapping[str, float]) -> Band:
    """Return the band of a risk at the reference horizon.

    >>> band_of(0.12, {"watch": 0.1, "act": 0.2})
    'watch'
    """
    return "act" if risk >= bands["act"] else "watch" if risk >= bands["watch"] else "calm"
