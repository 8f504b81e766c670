"""Imports: a file is taken in by `upload`, made into rows by `loading`, and its rows are taken out again by `undo`."""
