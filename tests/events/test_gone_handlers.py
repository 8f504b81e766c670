"""A handler whose function is gone is taken out by `manage.py remove_handler`, and the log is held no longer."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from events.handlers import on_event, sync_handlers
from events.models import Attempt, Delivery, Event, FinishedDelivery, Subscriber
from events.services import taking_back
from events.services.gone_handlers import remove_handler
from events.services.inspection import inspect
from events.services.retention import forget_some
from events.services.sequencing import sequence_events
from tests.events.conftest import happen
from tests.events.test_outages import Subscribe

pytestmark = pytest.mark.django_db(transaction=True)
PATH = "app.event_handlers.gone"


@pytest.fixture
def gone(monkeypatch: pytest.MonkeyPatch) -> Subscriber:
    """A handler that was told of one event, and has still to be told of five."""
    monkeypatch.setattr(taking_back, "BITE", 2)
    handler = Subscriber.objects.create(kind="handler", handler=PATH, filters=["*"])
    for _ in range(6):
        happen()
    while sequence_events():
        pass
    told = Delivery.objects.earliest("sequence")
    Attempt.objects.create(delivery_id=told.pk, at=timezone.now(), duration_ms=1)
    FinishedDelivery.objects.create(
        id=told.pk, subscriber=handler, event=told.event, sequence=told.sequence, state="delivered"
    )
    told.delete()
    sync_handlers()
    return handler


def remove(*arguments: str) -> str:
    """What the command says; of a refusal, why."""
    out = StringIO()
    try:
        call_command("remove_handler", *arguments, stdout=out)
    except SystemExit as end:
        return str(end.code)
    return out.getvalue().strip()


def handle(event: dict[str, Any]) -> None:
    pass


def test_it_says_first_what_is_lost(gone: Subscriber):
    said = remove(PATH)

    assert said == f"{PATH} has still to be told of 5 events. With --yes it is taken out, and never is."
    assert (Delivery.objects.count(), Subscriber.objects.count()) == (5, 1)


def test_it_is_taken_out_with_all_it_was_promised(gone: Subscriber, subscribe: Subscribe):
    other = subscribe("/hook", "custom.*")
    happen()
    sequence_events()

    said = remove(PATH, "--yes")

    assert said == f"{PATH} is taken out. It was never told of 5 events."
    assert [each.subscriber_id for each in Delivery.objects.all()] == [other.pk]
    assert not FinishedDelivery.objects.exists()
    assert inspect(at_rest=True).flaws == []


def test_the_log_is_held_no_longer(gone: Subscriber):
    Event.objects.update(created_at=timezone.now() - timedelta(days=400))
    kept = (forget_some(), Event.objects.count())

    remove(PATH, "--yes")
    forget_some()

    assert kept == (False, 5)
    assert Event.objects.count() == 1  # the newest, by which readers go on


def test_one_that_is_registered_or_unknown_is_not_taken_out(gone: Subscriber):
    on_event("custom.*")(handle)

    registered, unknown = remove(f"{__name__}.handle", "--yes"), remove("app.other", "--yes")

    assert registered.endswith("is registered. Take the function out first, and restart the workers.")
    assert unknown == f"There is no such handler. Those whose functions are gone: {PATH}."
    assert Subscriber.objects.count() == 1


def test_whoever_dies_amid_it_leaves_it_to_be_done_again(gone: Subscriber, monkeypatch: pytest.MonkeyPatch):
    with monkeypatch.context() as amid:
        delete_some = taking_back._delete
        amid.setattr(
            taking_back, "_delete", lambda *those: delete_some(*those) if Delivery.objects.count() > 3 else 1 / 0
        )
        with pytest.raises(ZeroDivisionError):
            remove_handler(PATH)

    assert inspect(at_rest=True).flaws == []
    assert (Delivery.objects.count(), remove_handler(PATH), Subscriber.objects.count()) == (3, 3, 0)


def test_one_that_comes_back_meanwhile_is_kept_with_what_it_is_still_promised(
    gone: Subscriber, monkeypatch: pytest.MonkeyPatch
):
    delete_some = taking_back._delete

    def come_back(handler: Subscriber, deliveries: taking_back.Deliveries) -> int:
        taken = delete_some(handler, deliveries)
        Subscriber.objects.filter(pk=handler.pk).update(enabled=True)
        return taken

    monkeypatch.setattr(taking_back, "_delete", come_back)

    said = remove(PATH, "--yes")

    assert said.startswith("A worker that was started meanwhile has its function. Of 2 events it is never told.")
    assert (Subscriber.objects.filter(enabled=True).count(), Delivery.objects.count()) == (1, 3)
    assert inspect(at_rest=True).flaws == []


def test_one_that_a_worker_has_is_not_taken_out_where_its_function_is_unknown(gone: Subscriber):
    Subscriber.objects.update(enabled=True)

    said = [remove(PATH), remove(PATH, "--yes")]

    assert said == ["The worker that was started last has its function. Those whose functions are gone: none."] * 2
    assert (Subscriber.objects.filter(enabled=True).count(), Delivery.objects.count()) == (1, 5)
