"""What the README shows, to be run as it stands there."""

import contextlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from tests.processes import PROJECT, free_port, wait_for

README = (PROJECT / "README.md").read_text()


def block(language: str, word: str) -> str:
    """The one code block of the README that is in this language and holds this word, without its indentation."""
    blocks = re.findall(rf"^( *)```{language}\n(.*?)^ *```$", README, re.DOTALL | re.MULTILINE)
    (found,) = [re.sub(rf"^{indent}", "", code, flags=re.MULTILINE) for indent, code in blocks if word in code]
    return str(found)


def bodies(word: str) -> list[dict[str, Any]]:
    """What the commands of the block that holds this word send as JSON."""
    return [json.loads(body) for body in re.findall(r"-d '(\{.*?\})'", block("sh", word), re.DOTALL)]


@contextlib.contextmanager
def server_app(folder: Path, issuer: str, api: httpx.Client, **changes: Any) -> Iterator[str]:
    """The README's server app, run as it says; its address. `changes` are what is said otherwise of the app."""
    (body,) = bodies('"Notes", "type": "confidential"')
    made = api.post("/apps", json=body | changes).raise_for_status().json()
    code = block("python", "authorize_redirect").replace("http://127.0.0.1:8000", issuer)
    (folder / "app.py").write_text(code.replace("<id>", made["id"]).replace("<secret>", made["secret"]))
    port, log = free_port(), folder / "flask"
    line = [sys.executable, "-m", "flask", "--app", "app", "run", "--port", str(port)]
    with log.open("wb") as out:
        process = subprocess.Popen(line, cwd=folder, stdout=out, stderr=out, env={"PATH": os.environ["PATH"]})
    try:
        assert wait_for(lambda: "Running on" in log.read_text()), log.read_text()
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()
