"""One row → risk → reasons → care plan."""
