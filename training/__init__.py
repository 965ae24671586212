"""Learn and judge: the only package that looks ahead, and only in ``labels``."""
