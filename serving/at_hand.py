"""What the service holds ready: the model behind the scores that are shown, and places for heavy work.

The model is the verified local copy that the last scoring used, found by its checksum: no catalogue is asked, and an
answer on demand comes from the same model as the one in the list. With a new batch the next request takes the new one.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from features.lake import Lake
from features.plans import Plans
from models.bundle import Bundle, BundleError, load_bundle
from models.care import Catalog
from serving.brakes import Heavy
from serving.problems import Problem
from serving.seen import Run
from serving.settings import Settings


@dataclass
class AtHand:
    """Put on the application once. One thread loads; a loaded model is shared, because it never changes."""

    catalog: Catalog
    heavy: Heavy = field(default_factory=Heavy)
    plans: Plans = field(default_factory=Plans)
    _bundle: Bundle | None = None
    _loading: threading.Lock = field(default_factory=threading.Lock)

    def bundle(self, run: Run, settings: Settings) -> Bundle:
        """Return the model of a batch; a problem when its copy is gone or is not the file that was signed off."""
        held = self._bundle
        if held is not None and held.sha256 == run.bundle_sha256:
            return held
        with self._loading:
            held = self._bundle
            if held is None or held.sha256 != run.bundle_sha256:
                folder = settings.state / "champion" / run.bundle_sha256
                try:
                    held = load_bundle(folder, version=run.model_version, expected_sha256=run.bundle_sha256)
                except (BundleError, OSError):
                    raise Problem("no_model") from None
                self._bundle = held
        return held


def lake_of(settings: Settings) -> Lake:
    """Return the records of this installation."""
    return Lake(settings.state / "lake")
