"""The steps of an import, from bytes to rows that are taken or told why not; ``features.ingest`` is the recipe."""
