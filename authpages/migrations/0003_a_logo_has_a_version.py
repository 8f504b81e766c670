from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("authpages", "0002_what_is_over_is_found_by_its_age"),
    ]

    operations = [
        migrations.AddField(
            model_name="hostedauthsettings",
            name="logo_version",
            field=models.CharField(blank=True, max_length=16),
        ),
    ]
