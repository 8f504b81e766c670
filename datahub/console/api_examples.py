"""What programs can do with a table, as commands and scripts that work when they are pasted, one after the other."""

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from datahub.column_types.column_type import COMPARING, SEARCHING
from datahub.console.example_values import Examples
from datahub.dynamic import Definition, Member

LANGUAGES = {"curl": "curl", "python": "Python", "javascript": "JavaScript"}
WIDTH = 50  # of an object that stands on one line
NUMBERS = {"integer", "float", "decimal"}


@dataclass(frozen=True, slots=True)
class Example:
    """One thing to do: `code` by language."""

    name: str
    title: str | Promise
    text: str | Promise
    code: dict[str, str]


def examples_of(definition: Definition, api: str) -> list[Example]:
    """The examples of this table, for the API at the address `api`; the first is what the others stand on."""
    return list(_Writer(definition, api).examples())


class _Writer:
    def __init__(self, definition: Definition, api: str) -> None:
        self._definition = definition
        self._api = api
        self._values = Examples(definition)
        self._rows = f"/tables/{definition.table.key}/rows"
        self._csv = f"{definition.table.key}.csv"

    def examples(self) -> Iterator[Example]:
        yield self._begin()
        row = self._values.row()
        yield self._list(row)
        yield self._create(row, self._values.missing(row))
        if row:
            yield self._change(self._values.change(row))
        yield self._delete()
        if unique := next((each for each in self._definition.uniques if each.key in row), None):
            yield self._upsert(unique.key, self._values.row())
        yield self._export()
        if row:
            yield self._import(self._values.row())

    def _begin(self) -> Example:
        python = f"""\
            import json, os, urllib.error, urllib.request

            API = "{self._api}"

            KEY = os.environ["FASTGEN_KEY"]

            def call(method, path, body=None, type="application/json", headers={{}}):
                headers = {{"Authorization": f"Bearer {{KEY}}", "Content-Type": type, **headers}}
                data = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
                request = urllib.request.Request(API + path, data, headers, method=method)
                try:
                    with urllib.request.urlopen(request) as answer:
                        is_json = answer.headers["Content-Type"] == "application/json"
                        return json.load(answer) if is_json else answer.read()
                except urllib.error.HTTPError as error:
                    raise SystemExit(error.read().decode())
            """
        javascript = f"""\
            const API = "{self._api}";
            // In a browser: the access token of the person who is logged in.
            const KEY = globalThis.process?.env.FASTGEN_KEY;

            async function call(method, path, body, type = "application/json", headers = {{}}) {{
              headers = {{ Authorization: `Bearer ${{KEY}}`, "Content-Type": type, ...headers }};
              if (typeof body === "object") body = JSON.stringify(body);
              const answer = await fetch(API + path, {{ method, headers, body }});
              if (!answer.ok) throw new Error(await answer.text());
              const isJson = answer.headers.get("Content-Type") === "application/json";
              return isJson ? answer.json() : answer.text();
            }}
            """
        curl = f"""\
            API={self._api}
            call() {{
              curl --silent --show-error --fail-with-body \\
                --header "Authorization: Bearer $FASTGEN_KEY" "$@"
            }}
            """
        code = {"curl": _dedented(curl), "python": _dedented(python), "javascript": _dedented(javascript)}
        return Example("begin", _("Begin"), _("Paste this first; what follows stands on it."), code)

    def _list(self, row: dict[str, Any]) -> Example:
        path = f"{self._rows}?{self._query(row)}"
        code = {
            "curl": f'call "$API{path}"',
            "python": f'page = call("GET", "{path}")\nfor row in page["items"]:\n    print(row)\n',
            "javascript": f'const page = await call("GET", "{path}");\nconsole.log(page.items, page.nextCursor);',
        }
        text = _("With a filter and a sort. The next page is at ?cursor= with the nextCursor of this one.")
        return Example("list", _("List"), text, code)

    def _create(self, row: dict[str, Any], missing: list[Member]) -> Example:
        code = {
            "curl": f'row=$(call "$API{self._rows}" {_json_of_curl(row)})\n'
            'id=$(grep -o \'"id":"[^"]*\' <<< "$row" | head -1 | cut -d \'"\' -f 4)\n'
            'revision=$(grep -o \'"revision":[0-9]*\' <<< "$row" | head -1 | cut -d : -f 2)\n'
            'echo "$row"',
            "python": f'row = call("POST", "{self._rows}", {_python(row)})\nprint(row["id"], row["revision"])',
            "javascript": f'const row = await call("POST", "{self._rows}", {_javascript(row)});\n'
            "console.log(row.id, row.revision);",
        }
        text = _("One row, or an array of up to 1,000: all or nothing.")
        if missing:
            told = _("First make a row that it can refer to, and name that by its id as {columns}.")
            text = format_lazy(told, columns=", ".join(member.key for member in missing))
        return Example("create", _("Create"), text, code)

    def _change(self, changes: dict[str, Any]) -> Example:
        code = {
            "curl": f'call --request PATCH "$API{self._rows}/$id" \\\n'
            f'  --header "If-Match: \\"$revision\\"" \\\n  {_json_of_curl(changes)}',
            "python": f"""seen = {{"If-Match": f'"{{row["revision"]}}"'}}\nchanges = {_python(changes)}\n"""
            f"""print(call("PATCH", f"{self._rows}/{{row['id']}}", changes, headers=seen))""",
            "javascript": f'const seen = {{ "If-Match": `"${{row.revision}}"` }};\n'
            f"const changes = {_javascript(changes)};\n"
            f'console.log(await call("PATCH", `{self._rows}/${{row.id}}`, changes, undefined, seen));',
        }
        text = _(
            "What you don’t send stays. Somebody else was quicker? Then If-Match makes it a 412, and nothing is lost."
        )
        return Example("change", _("Change"), text, code)

    def _delete(self) -> Example:
        code = {
            "curl": f'call --request DELETE "$API{self._rows}/$id"',
            "python": f'call("DELETE", f"{self._rows}/{{row[\'id\']}}")',
            "javascript": f'await call("DELETE", `{self._rows}/${{row.id}}`);',
        }
        return Example("delete", _("Delete"), _("The row that was created above."), code)

    def _upsert(self, unique: str, row: dict[str, Any]) -> Example:
        path = f"{self._rows}?onConflict={unique}&resolution=merge"
        code = {
            "curl": f'call "$API{path}" {_json_of_curl(row)}',
            "python": f'print(call("POST", "{path}", {_python(row)}))',
            "javascript": f'console.log(await call("POST", "{path}", {_javascript(row)}));',
        }
        text = _("Creates the row, or changes the one that has this value in the unique column already.")
        return Example("upsert", _("Upsert"), text, code)

    def _export(self) -> Example:
        path = f"{self._rows}.csv"
        code = {
            "curl": f'call "$API{path}" --output {self._csv}',
            "python": f'with open("{self._csv}", "wb") as file:\n    file.write(call("GET", "{path}"))\n',
            "javascript": f'const csv = await call("GET", "{path}");\nconsole.log(csv);',
        }
        text = _("All rows, streamed; filters, order and fields as in a list. There is rows.ndjson as well.")
        return Example("export", _("Export as CSV"), text, code)

    def _import(self, row: dict[str, Any]) -> Example:
        path = f"/imports?table={self._definition.table.key}"
        lines = [",".join(row), ",".join(map(_cell, self._values.written(row)))]
        text = "\n".join(lines) + "\n"
        code = {
            "curl": f"printf '%s\\n' {' '.join(map(shlex.quote, lines))} > new-rows.csv\n"
            f'call "$API{path}" --header "Content-Type: text/csv" --data-binary @new-rows.csv',
            "python": f'csv = {_text(text)}\nprint(call("POST", "{path}", csv.encode(), "text/csv"))',
            "javascript": f'const file = {_text(text)};\nconsole.log(await call("POST", "{path}", file, "text/csv"));',
        }
        told = _("In the background, up to 1 GB. How far it is: GET /imports/ and the id that this answers.")
        return Example("import", _("Import CSV"), told, code)

    def _query(self, row: dict[str, Any]) -> str:
        """A filter and a sort by columns that allow it."""
        own = list(self._definition.own.values())
        parts = [_filter(each, row) for each in own]
        sorts = [each.key for each in own if each.type.is_sortable and each.type.operators >= COMPARING]
        order = f"-{sorts[0]}" if sorts else "-createdAt"
        return "&".join([*[part for part in parts if part][:1], f"order={order}", "limit=10"])


def _filter(member: Member, row: dict[str, Any]) -> str:
    value = row.get(member.key) if member.type.name in NUMBERS else None
    if value is not None:
        return f"{member.key}__gte={quote(str(value))}"
    return f"{member.key}__icontains=a" if member.type.operators == SEARCHING else ""


def _json_of_curl(value: dict[str, Any]) -> str:
    return f'--header "Content-Type: application/json" \\\n  --data {shlex.quote(_javascript(value))}'


def _javascript(value: dict[str, Any]) -> str:
    """The object as JSON, which JavaScript reads as well; on lines of its own where it is long."""
    short = _text(value)
    return short if len(short) <= WIDTH else json.dumps(value, ensure_ascii=False, indent=2)


def _python(value: dict[str, Any]) -> str:
    """The same for Python: texts are written alike, what is true, false or nothing is not."""
    members = [f"{_text(key)}: {repr(each) if isinstance(each, bool) else _text(each)}" for key, each in value.items()]
    short = f"{{{', '.join(members)}}}"
    return short if len(short) <= WIDTH else "{\n    " + ",\n    ".join(members) + ",\n}"


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _cell(text: str) -> str:
    """A cell of CSV (RFC 4180, 2)."""
    return f'"{text.replace(chr(34), chr(34) * 2)}"' if any(each in text for each in '",\n\r') else text


def _dedented(text: str) -> str:
    return "\n".join(line.removeprefix(" " * 12) for line in text.rstrip().split("\n"))
