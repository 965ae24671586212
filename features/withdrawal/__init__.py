"""Withdrawal: somebody does clearly less than is usual for that person, season, leave, company and team removed.

``weeks`` lays the records on weeks, ``chart`` scores them, ``columns`` reads the scores into the matrix, ``limit``
finds how low is too low, ``alarms`` tells whom to reach out to.
"""

from features.withdrawal.columns import CARDS, columns

__all__ = ["CARDS", "columns"]
