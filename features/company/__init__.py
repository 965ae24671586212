"""An invented clinic group whose hazards are known: records in the form of the tables contract, the truth elsewhere."""

from features.company.hazard import Company
from features.company.invent import invent, invent_company
from features.company.truth import true_risk

__all__ = ["Company", "invent", "invent_company", "true_risk"]
