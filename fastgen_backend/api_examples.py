"""How each endpoint is called by curl: told in its description, to be pasted, and tried by a test as it stands there.

Examples build on each other in the order in which an app names them. What one needs of the answer to another waits in
a variable of the shell; `$API` and `$KEY` are the installation's own.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Document = dict[str, Any]
JSON = "application/json"
VARIABLE = re.compile(r"\$([A-Z]+)")
OF_EVERYBODY = {"API", "KEY"}


@dataclass(frozen=True, slots=True)
class Example:
    """One request. A `$NAME` in its path or body is a variable of the shell.

    `caller` names the one that holds the token (empty: nobody calls), `keeps` the members of the answer to keep, by
    the variable to keep them in, and `first` what has to be asked before, each time anew.
    """

    method: str
    path: str
    body: Any = None
    caller: str = "KEY"
    keeps: Mapping[str, str] = field(default_factory=dict)
    first: tuple["Example", ...] = ()
    content_type: str = JSON

    def commands(self) -> str:
        """What to paste into a shell."""
        return "\n".join([*(each.commands() for each in self.first), *self._own_commands()])

    def needs(self) -> set[str]:
        """The variables that other examples have to keep before this one."""
        own = set(VARIABLE.findall(self.commands())) | {self.caller} - {""}
        kept = {name for each in (*self.first, self) for name in each.keeps}
        return own - kept - OF_EVERYBODY - {"ANSWER"}

    def _own_commands(self) -> Iterator[str]:
        curl = " ".join(self._curl())
        if not self.keeps:
            yield curl
            return
        yield f"ANSWER=$({curl})"
        yield 'echo "$ANSWER"'
        for name, member in self.keeps.items():
            yield f"""export {name}=$(echo "$ANSWER" | grep -o '"{member}":"[^"]*' | head -1 | cut -d'"' -f4)"""

    def _curl(self) -> Iterator[str]:
        yield "curl -s"
        if self.method != ("GET" if self.body is None else "POST"):
            yield f"-X {self.method}"
        yield f'"$API{self.path}"'
        if self.caller:
            yield f'-H "Authorization: Bearer ${self.caller}"'
        if self.body is not None:
            yield f"-H 'Content-Type: {self.content_type}' \\\n     {_data(self.body)}"


def add_examples(document: Document, examples: Mapping[str, Example]) -> None:
    """Tell in the document how its operations are called; `examples` are by their ids."""
    operations = {each["operationId"]: each for methods in document["paths"].values() for each in methods.values()}
    keepers: dict[str, str] = {}
    for id, example in examples.items():
        operation = operations.get(id)
        if operation is None:
            continue
        needed = sorted(example.needs())
        from_others = [f"`${name}` is kept by “{keepers[name]}”." for name in needed if name in keepers]
        parts = [operation.get("description", ""), f"```sh\n{example.commands()}\n```", " ".join(from_others)]
        operation["description"] = "\n\n".join(part for part in parts if part)
        if example.body is not None and example.content_type == JSON:
            operation["requestBody"]["content"][JSON]["example"] = example.body
        keepers |= dict.fromkeys(example.keeps, operation["summary"])


def _data(body: Any) -> str:
    """The argument of curl that sends `body`; only where there are variables may the shell look into it."""
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    if not VARIABLE.search(text):
        return "--data-binary '{}'".format(text.replace("'", "'\\''")) if isinstance(body, str) else f"-d '{text}'"
    return '-d "{}"'.format(text.replace("\\", "\\\\").replace('"', '\\"'))
