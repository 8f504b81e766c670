"""Settings: what is told about them, and what Django thinks of those of a public installation."""

import re

from tests.processes import PROJECT, run

READ = re.compile(r'\b(?:env\.\w+|number|numbers|switch|proxies|log_level)\(\s*"([A-Z0-9_]+)"')
LISTED = re.compile(r"^#([A-Z0-9_]+)=", re.MULTILINE)


def test_the_example_lists_every_variable_that_is_read():
    sources = [PROJECT / "fastgen_backend" / name for name in ("settings.py", "environment.py")]

    read = {name for source in sources for name in READ.findall(source.read_text())}

    assert set(LISTED.findall((PROJECT / ".env.example").read_text())) == read


def test_a_public_installation_passes_the_deployment_checks():
    result = run(
        "check",
        "--deploy",
        "--fail-level=WARNING",
        BASE_URL="https://auth.example.com",
        EMAIL_URL="smtp+tls://fastgen:secret@mail.example.com:587",
        DATABASE_URL="postgres://fastgen:secret@db.example.com:5432/fastgen",
        SECRET_KEY="an-Example-of-a-0123456789-key-that-nobody-has-used-anywhere-else",
    )

    assert result.returncode == 0, result.stderr
