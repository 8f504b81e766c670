"""Imports: `upload` takes a file in, `retries` only once; `loading` makes rows of it, `undo` takes them out again."""
