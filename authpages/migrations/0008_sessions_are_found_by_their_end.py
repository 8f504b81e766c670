from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("authpages", "0007_devices_are_forgotten_in_time")]

    operations = [
        migrations.AddIndex("session", models.Index(fields=["user", "ended_at"], name="sessions_of_a_person_by_end")),
    ]
