"""Files that are imported in tests, by a worker that is at nothing else."""

import uuid
from typing import Any

from datahub.services.jobs import claim_job
from datahub.services.work import Working
from events.services.leases import living_workers
from tests.conftest import Api

CSV = "text/csv"
NDJSON = "application/x-ndjson"


def send(api: Api, query: str, content: str | bytes, type: str = CSV) -> Any:
    """The answer to an import."""
    body = content.encode() if isinstance(content, str) else content
    headers = {"authorization": f"Bearer {api.token}"}
    return api.client.generic("POST", f"/api/v1/imports?{query}", body, type, headers=headers)


def do_jobs(portions: int = 1_000_000) -> None:
    """Do what there is to do, or so many portions of it, and then die without a word."""
    worker = uuid.uuid4()
    while (lease := claim_job(worker=worker, living=living_workers)) is not None:
        working = Working(lease)
        goes_on = True
        while goes_on:
            if not portions:
                return
            portions -= 1
            goes_on = working.step()


def imported(api: Api, query: str, content: str | bytes, type: str = CSV) -> dict[str, Any]:
    """What became of an import."""
    answer = send(api, query, content, type)
    assert answer.status_code == 202, answer.content
    do_jobs()
    return state_of(api, answer.json()["id"])


def state_of(api: Api, id: str) -> dict[str, Any]:
    answer = api.get(f"/imports/{id}")
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def undone(api: Api, id: str) -> dict[str, Any]:
    """What became of an undo."""
    answer = api.post(f"/imports/{id}/undo")
    assert answer.status_code == 202, answer.content
    do_jobs()
    return state_of(api, id)


def rows_of(api: Api, table: str, *keys: str) -> list[list[Any]]:
    """The values of these members, of all rows in the order they were made."""
    answer = api.get(f"/tables/{table}/rows?limit=200")
    assert answer.status_code == 200, answer.content
    return [[row[key] for key in keys] for row in answer.json()["items"]]
