"""How long a text or a page may be, where several areas have to agree on it."""

LONGEST_EMAIL = 254  # RFC 5321, erratum 1690
LONGEST_URL = 2000  # what browsers, proxies and mail programs all take
PAGE_DEFAULT = 50
PAGE_MAX = 200
