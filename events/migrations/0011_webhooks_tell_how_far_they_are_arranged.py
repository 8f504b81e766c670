from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("events", "0010_what_is_off_misses_what_comes")]

    operations = [
        migrations.AddField(
            model_name="webhook",
            name="arranged_up_to",
            field=models.BigIntegerField(null=True),
        ),
    ]
