"""An invented clinic group whose hazards are known: records in the form of the tables contract, the truth elsewhere."""

from features.company.hazard import Company
from features.company.invent import invent, invent_company
from features.company.oracle import true_risk
from features.company.regimes import REGIMES, Regime, regime_named

__all__ = ["REGIMES", "Company", "Regime", "invent", "invent_company", "regime_named", "true_risk"]
