"""Whole installations as one stream: saved from a database, verified, and restored into an empty one of either kind."""
