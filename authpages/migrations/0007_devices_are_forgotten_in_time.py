from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("authpages", "0006_names_have_their_keys")]

    operations = [
        migrations.AddIndex("knowndevice", models.Index(fields=["last_seen_at"], name="devices_to_forget")),
    ]
