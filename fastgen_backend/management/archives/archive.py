"""The format of an archive: a gzipped tar file that is written and read from end to end in bounded memory.

`manifest.json` comes first: `{product, format, version, madeAt, migrations: [[app, name]…], checkValue,
tables: [{table, columns: [[name, kind]…]}…], numbers: {table: the last id}}`. Then `tables/<name>/<number>.ndjson`:
rows in parts of about a megabyte, each a JSON array of the values of its columns, as `kinds` has them. `seal.json` is
the end: `{tables: {name: {rows, sha256}}, seal}`, where `seal` is the HMAC-SHA-256 of all the above under a key made
from SECRET_KEY. Without it the archive is not whole, and with another one it was made, or changed, by somebody who does
not have the key. The archive does not hold SECRET_KEY, and the secrets in it are sealed by that.
"""

import gzip
import hashlib
import hmac
import io
import json
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from fastgen_backend.management.archives.refusals import Refused
from fastgen_backend.vault import keyed_hashes

PRODUCT, FORMAT = "fastgen-backend", 1
MANIFEST, SEAL = "manifest.json", "seal.json"
PART_BYTES = 1_000_000
PART_MAX = 256_000_000  # a part of one row, which has 32 MB at most as the database keeps it
COMPRESSION = 4  # twice as quick as the usual 6, and hardly larger
GZIP = b"\x1f\x8b"  # how it begins (RFC 1952, 2.3.1)
NOT_WHOLE = "The archive is cut off or damaged; nothing was restored."
DAMAGES = (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, ValueError, LookupError, TypeError)


@dataclass
class Tally:
    """How many rows of a table there are, and what they are."""

    rows: int = 0
    digest: Any = field(default_factory=hashlib.sha256)

    def add(self, part: bytes) -> None:
        self.rows += part.count(b"\n")
        self.digest.update(part)

    def told(self) -> dict[str, Any]:
        return {"rows": self.rows, "sha256": self.digest.hexdigest()}


class Writer:
    """Writes one archive to a stream."""

    def __init__(self, stream: BinaryIO, manifest: dict[str, Any], *, compress: bool = True) -> None:
        self._gzip = gzip.GzipFile(fileobj=stream, mode="wb", compresslevel=COMPRESSION if compress else 0)
        self._tar = tarfile.TarFile(fileobj=self._gzip, mode="w")
        self._tallies: dict[str, Tally] = {}
        self._manifest = _json({"product": PRODUCT, "format": FORMAT, **manifest})
        self._add(MANIFEST, self._manifest)

    def write_table(self, table: str, rows: Iterator[list[Any]]) -> int:
        """Write all rows of a table; tells how many."""
        tally = self._tallies[table] = Tally()
        for number, part in enumerate(_parts(rows)):
            tally.add(part)
            self._add(f"tables/{table}/{number:06}.ndjson", part)
        return tally.rows

    def finish(self) -> None:
        """The end, without which the archive is of no use."""
        tables = {table: tally.told() for table, tally in self._tallies.items()}
        self._add(SEAL, _json({"tables": tables, "seal": _seals(self._manifest, tables)[0].hex()}))
        self._tar.close()
        self._gzip.close()

    def _add(self, name: str, content: bytes) -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mode = len(content), 0o600
        self._tar.addfile(member, io.BytesIO(content))
        _forget_members(self._tar)


class Reader:
    """Reads one archive from a stream; what it gave is to be believed only once `parts` has come to its end."""

    def __init__(self, stream: io.BufferedReader) -> None:
        source: Any = gzip.GzipFile(fileobj=stream) if stream.peek(2)[:2] == GZIP else stream
        try:
            self._tar = tarfile.open(fileobj=source, mode="r|")  # noqa: SIM115  the stream is the caller's
            name, self._manifest = next(self._members())
            self.manifest: dict[str, Any] = json.loads(self._manifest) if name == MANIFEST else {}
        except (*DAMAGES, StopIteration):
            raise Refused("This is no archive of Fastgen backend, or it is damaged; nothing was restored.") from None
        self.tallies: dict[str, Tally] = {}
        _check_product(self.manifest)

    def parts(self) -> Iterator[tuple[str, list[list[Any]]]]:
        """The rows, part by part, each with its table; raises `Refused` where they are not what was once written."""
        try:
            tables = {each["table"] for each in self.manifest["tables"]}
            for name, content in self._members():
                if name == SEAL:
                    self._verify(json.loads(content))
                    return
                table = name.split("/")[1] if name.startswith("tables/") else ""
                if table not in tables:
                    raise Refused(NOT_WHOLE)
                self.tallies.setdefault(table, Tally()).add(content)
                yield table, [json.loads(line) for line in content.splitlines()]
        except DAMAGES:
            raise Refused(NOT_WHOLE) from None
        raise Refused(NOT_WHOLE)

    def verify(self) -> None:
        """Read everything and keep nothing; raises `Refused`."""
        for _table, _rows in self.parts():
            pass

    def _members(self) -> Iterator[tuple[str, bytes]]:
        while member := self._tar.next():
            content = self._tar.extractfile(member) if member.isreg() and member.size <= PART_MAX else None
            if content is None:
                raise Refused(NOT_WHOLE)
            yield member.name, content.read()
            _forget_members(self._tar)

    def _verify(self, end: dict[str, Any]) -> None:
        for each in self.manifest["tables"]:
            self.tallies.setdefault(each["table"], Tally())  # one without rows
        tables = {table: tally.told() for table, tally in self.tallies.items()}
        given = bytes.fromhex(end["seal"])
        if tables != end["tables"] or not any(
            hmac.compare_digest(given, ours) for ours in _seals(self._manifest, tables)
        ):
            raise Refused(
                "The archive was changed after it was made, or made with another SECRET_KEY; nothing was restored."
            )


def _forget_members(tar: Any) -> None:
    """It would remember every part, for a list that nobody asks for."""
    tar.members.clear()


def _check_product(manifest: dict[str, Any]) -> None:
    if manifest.get("product") != PRODUCT:
        raise Refused("This is no archive of Fastgen backend; nothing was restored.")
    if manifest.get("format") != FORMAT:
        raise Refused(
            f"The archive was made by a newer version of Fastgen backend ({manifest.get('version')}); use that one."
        )


def _seals(manifest: bytes, tables: dict[str, Any]) -> list[bytes]:
    """By the key of today first, then by each older one."""
    content = hashlib.sha256(manifest).digest() + hashlib.sha256(_json(tables)).digest()
    return keyed_hashes("backup", content)


def _parts(rows: Iterator[list[Any]]) -> Iterator[bytes]:
    part = bytearray()
    for row in rows:
        part += json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        if len(part) >= PART_BYTES:
            yield bytes(part)
            part.clear()
    if part:
        yield bytes(part)


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True).encode()
