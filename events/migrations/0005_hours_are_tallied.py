from typing import Any

from django.db import migrations, models
from django.db.models import Count
from django.db.models.functions import TruncHour

COUNTED = {"auth.user_signedUp": "signUps", "auth.user_loggedIn": "logins", "auth.login_failed": "failedLogins"}


def tally_the_log(apps: Any, schema_editor: Any) -> None:
    """What was sequenced before there were tallies; what is not, is tallied when it is."""
    happened = apps.get_model("events", "Event").objects.filter(position__isnull=False, type__in=COUNTED)
    hours = happened.annotate(hour=TruncHour("created_at")).order_by().values_list("type", "hour").annotate(Count("id"))
    tally = apps.get_model("events", "Tally")
    tally.objects.bulk_create(tally(what=COUNTED[type], hour=hour, count=count) for type, hour, count in hours)


class Migration(migrations.Migration):
    dependencies = [("events", "0004_webhooks_keep_an_order_and_a_pace")]

    operations = [
        migrations.CreateModel(
            name="Tally",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "what",
                    models.CharField(
                        choices=[
                            ("signUps", "Sign Ups"),
                            ("logins", "Logins"),
                            ("failedLogins", "Failed Logins"),
                            ("delivered", "Delivered"),
                            ("failedCalls", "Failed Calls"),
                        ],
                        max_length=20,
                    ),
                ),
                ("hour", models.DateTimeField()),
                ("count", models.BigIntegerField()),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("what", "hour"), name="an_hour_is_tallied_once")],
            },
        ),
        migrations.RunPython(tally_the_log, migrations.RunPython.noop),
    ]
