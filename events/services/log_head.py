"""The head of the log: whoever holds it, sequences; its position is that of the newest event."""

from events.models import LogHead


def take_head() -> LogHead | None:
    """The head, locked until the transaction ends; None where somebody else holds it."""
    _make_sure()
    return LogHead.objects.select_for_update(skip_locked=True).filter(pk=1).first()


def hold_head() -> LogHead:
    """The head, locked until the transaction ends, however long others hold it: nobody sequences meanwhile.

    Subscribers are locked after it, never before, as the sequencer does.
    """
    _make_sure()
    return LogHead.objects.select_for_update().get(pk=1)


def newest_position() -> int:
    """The position of the newest event that is sequenced and committed; 0 where there is none."""
    return LogHead.objects.filter(pk=1).values_list("position", flat=True).first() or 0


def _make_sure() -> None:
    if not LogHead.objects.filter(pk=1).exists():
        LogHead.objects.bulk_create([LogHead(pk=1)], ignore_conflicts=True)
