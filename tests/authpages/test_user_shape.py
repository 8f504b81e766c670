"""How a person is shown: by hand, and exactly as the schema says."""

from datetime import UTC, datetime

import pytest

from authpages.api.serializers import UserResponse
from authpages.models import Role, User
from authpages.shown_users import show_user


@pytest.mark.parametrize("last_login_at", [None, datetime(2026, 11, 24, 6, 5, 21, 123456, tzinfo=UTC)])
def test_a_person_is_shown_as_the_schema_says(db: None, last_login_at: datetime | None) -> None:
    user = User.objects.create(
        email="Ann@example.com",
        email_key="ann@example.com",
        first_name="Ann",
        locale="en",
        metadata={"plan": ["a", 1, None]},
        last_login_at=last_login_at,
    )
    user.roles.add(*(Role.objects.create(name=name, name_key=name) for name in ("b", "a")))

    assert show_user(user) == UserResponse(user).data
