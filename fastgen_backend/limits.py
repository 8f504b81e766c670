"""How long a text may be, where several areas have to agree on it."""

LONGEST_EMAIL = 254  # RFC 5321, erratum 1690
LONGEST_URL = 2000  # what browsers, proxies and mail programs all take
