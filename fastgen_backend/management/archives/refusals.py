"""Why nothing was saved or restored."""


class Refused(Exception):
    """In plain sentences, for the person at the command line; nothing was changed."""
