"""The API for people: a page that is served whole from here, and examples that work as they stand in the document."""

import json
import re
import shlex
from collections.abc import Callable, Iterator
from string import Template
from typing import Any

from django.contrib.staticfiles.finders import find

from authpages.api.examples import EXAMPLES as OF_ACCOUNTS
from authpages.services.auth_requests import resolve_due
from datahub.api.examples import EXAMPLES as OF_TABLES
from events.api.examples import EXAMPLES as OF_EVENTS
from events.services.sequencing import sequence_events
from fastgen_backend.openapi import _document
from tests.authpages.conftest import Visitor
from tests.conftest import Api
from tests.datahub.importing import do_jobs

DOCUMENT = json.loads(_document())
OPERATIONS = {each["operationId"]: each for methods in DOCUMENT["paths"].values() for each in methods.values()}
EXAMPLES = OF_ACCOUNTS | OF_TABLES | OF_EVENTS


class Shell:
    """Does what our examples ask of a shell and of curl, in an installation that is new; a worker is at hand."""

    def __init__(self, key: str) -> None:
        self.variables = {"API": "/api/v1", "KEY": key}
        self.client = Api().client

    def paste(self, commands: str) -> Any:
        """The answer to the last request."""
        answer = None
        for words in _statements(commands):
            if words[0].endswith("curl"):
                words[-1] = words[-1].removesuffix(")") if words[0].startswith("ANSWER=") else words[-1]
                answer = self._curl(words[1:])
                self.variables["ANSWER"] = answer.getvalue().decode()
            elif words[0] == "export":
                [member] = re.findall(r'"(\w+)":"\[\^"\]\*', " ".join(words))
                [found] = re.findall(rf'"{member}":"([^"]*)', self.variables["ANSWER"])[:1]
                self.variables[words[1].partition("=")[0]] = found
        return answer

    def _curl(self, words: list[str]) -> Any:
        options, [url] = _options(words)
        [data] = options.get("-d") or options.get("--data-binary") or [""]
        headers = dict(each.split(": ", 1) for each in options.get("-H", []))
        [method] = options.get("-X", ["POST" if data else "GET"])
        resolve_due()
        do_jobs()
        sequence_events()
        body = self._expanded(data).encode()
        kind = headers.pop("Content-Type", "application/octet-stream")
        headers = {name: self._expanded(value) for name, value in headers.items()}
        return self.client.generic(method, self._expanded(url), body, kind, headers=headers)

    def _expanded(self, text: str) -> str:
        return Template(text).substitute(self.variables)


def test_every_operation_has_an_example_and_no_other_has() -> None:
    assert set(OPERATIONS) == set(EXAMPLES)


def test_every_example_works_when_it_is_pasted_after_those_before_it(key: Callable[..., Api]) -> None:
    shell = Shell(key("*").token)

    answers = {id: shell.paste(_example_in(OPERATIONS[id])) for id in EXAMPLES}

    failed = {id: answer.getvalue()[:300] for id, answer in answers.items() if answer.status_code >= 300}
    assert failed == {}
    assert [id for id, answer in answers.items() if str(answer.status_code) not in OPERATIONS[id]["responses"]] == []


def test_what_an_example_needs_is_kept_by_another_that_is_named() -> None:
    needed = {name for each in EXAMPLES.values() for name in each.needs()}
    kept = {name for each in EXAMPLES.values() for name in each.keeps}

    assert needed <= kept
    assert "`$WEBHOOK` is kept by “Create a webhook”." in OPERATIONS["getWebhook"]["description"]


def test_the_document_is_light() -> None:
    assert len(_document()) < 400_000


def test_the_page_is_made_of_files_of_ours_under_the_policy_of_every_page(db: None) -> None:
    visitor = Visitor()

    answer = visitor.get("/api/docs")

    page = answer.content.decode()
    files = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert "unsafe" not in answer["Content-Security-Policy"]
    assert not re.search(r"<style|\sstyle=|<script(?![^>]*\ssrc=)", page)
    assert [file for file in files if not file.startswith(("/", "data:,")) or file.startswith("//")] == []
    assert all(find(file.removeprefix("/static/")) for file in files if file.startswith("/static/"))


def _example_in(operation: dict[str, Any]) -> str:
    [example] = re.findall(r"^```sh\n(.*?)\n```$", operation["description"], re.DOTALL | re.MULTILINE)
    return str(example)


def _statements(commands: str) -> Iterator[list[str]]:
    """The words of each command; one goes on in the next line where a quote is open, or after a backslash."""
    begun = ""
    for line in commands.split("\n"):
        begun += line
        try:
            words = shlex.split(begun)
        except ValueError:
            begun += "\n"
        else:
            yield words
            begun = ""
    assert not begun


def _options(words: list[str]) -> tuple[dict[str, list[str]], list[str]]:
    """curl's options that take a value, and what is none."""
    options: dict[str, list[str]] = {}
    plain = []
    rest = iter(words)
    for word in rest:
        if word in {"-X", "-H", "-d", "--data-binary"}:
            options.setdefault(word, []).append(next(rest))
        elif word != "-s":
            plain.append(word.strip("\n"))
    return options, [each for each in plain if each]
