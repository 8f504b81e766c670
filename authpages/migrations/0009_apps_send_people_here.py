import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import fastgen_backend.ids


class Migration(migrations.Migration):
    dependencies = [
        ("authpages", "0008_sessions_are_found_by_their_end"),
    ]

    operations = [
        migrations.AddField(
            model_name="authrequest",
            name="next_path",
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AddField(
            model_name="onetimelink",
            name="next_path",
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AddField(
            model_name="session",
            name="authenticated_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="signingkey",
            name="retired_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="signingkey",
            name="public_key",
            field=models.BinaryField(null=True),
        ),
        migrations.AlterField(
            model_name="signingkey",
            name="private_key",
            field=models.BinaryField(null=True),
        ),
        migrations.AddConstraint(
            model_name="signingkey",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("private_key__isnull", False), ("public_key", None)),
                    models.Q(("is_current", False), ("private_key", None), ("public_key__isnull", False)),
                    _connector="OR",
                ),
                name="a_key_that_signs_has_its_private_half",
            ),
        ),
        migrations.CreateModel(
            name="App",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=fastgen_backend.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=100)),
                (
                    "type",
                    models.CharField(choices=[("public", "Public"), ("confidential", "Confidential")], max_length=12),
                ),
                ("first_party", models.BooleanField(default=True)),
                ("is_default", models.BooleanField(default=False)),
                ("redirect_uris", models.JSONField(default=list)),
                ("post_logout_redirect_uris", models.JSONField(default=list)),
                ("secret_hash", models.BinaryField(max_length=32, null=True)),
                ("former_secret_hash", models.BinaryField(max_length=32, null=True)),
                ("former_secret_until", models.DateTimeField(null=True)),
                ("scopes", models.JSONField(default=list)),
                (
                    "scopes_given_by",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="apps_given_scopes",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("id_token_algorithm", models.CharField(default="RS256", max_length=10)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("is_default", True)),
                        fields=("is_default",),
                        name="there_is_one_default_app",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("secret_hash", None), ("type", "public")),
                            models.Q(("secret_hash__isnull", False), ("type", "confidential")),
                            _connector="OR",
                        ),
                        name="a_confidential_app_has_a_secret",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AppSession",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=fastgen_backend.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("scope", models.CharField(blank=True, max_length=500)),
                ("authenticated_at", models.DateTimeField()),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("ends_at", models.DateTimeField()),
                (
                    "app",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="app_sessions",
                        to="authpages.app",
                    ),
                ),
                (
                    "session",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="app_sessions",
                        to="authpages.session",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="refreshtoken",
            name="app_session",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="refresh_tokens",
                to="authpages.appsession",
            ),
        ),
        migrations.CreateModel(
            name="AuthorizationCode",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("hash", models.BinaryField(max_length=32, unique=True)),
                ("redirect_uri", models.CharField(max_length=2000)),
                ("scope", models.CharField(blank=True, max_length=500)),
                ("nonce", models.CharField(blank=True, max_length=500)),
                ("code_challenge", models.CharField(max_length=128)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("expires_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(null=True)),
                ("app", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="authpages.app")),
                (
                    "session",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="codes", to="authpages.session"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="AuthorizationRequest",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("parameters", models.JSONField()),
                ("person", models.UUIDField(null=True)),
                ("login", models.UUIDField(null=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("expires_at", models.DateTimeField()),
                ("answered_at", models.DateTimeField(null=True)),
                ("app", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="authpages.app")),
            ],
        ),
        migrations.CreateModel(
            name="Consent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("scope", models.CharField(blank=True, max_length=500)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "app",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="consents", to="authpages.app"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="consents",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RefusedRedirect",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reference", models.CharField(max_length=12, unique=True)),
                ("client_id", models.CharField(blank=True, max_length=100)),
                ("uri", models.CharField(blank=True, max_length=2000)),
                ("uri_hash", models.BinaryField(max_length=32)),
                ("for_logout", models.BooleanField(default=False)),
                ("count", models.PositiveIntegerField(default=1)),
                ("first_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("last_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "app",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="refused_redirects",
                        to="authpages.app",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="appsession",
            index=models.Index(fields=["session", "app", "id"], name="what_apps_hold_of_a_session"),
        ),
        migrations.AddIndex(
            model_name="appsession",
            index=models.Index(fields=["app", "id", "session"], name="what_an_app_holds"),
        ),
        migrations.AddIndex(
            model_name="appsession",
            index=models.Index(fields=["ends_at"], name="app_sessions_to_forget"),
        ),
        migrations.AddIndex(
            model_name="authorizationcode",
            index=models.Index(fields=["expires_at"], name="codes_to_forget"),
        ),
        migrations.AddIndex(
            model_name="authorizationrequest",
            index=models.Index(fields=["expires_at"], name="authorizations_to_forget"),
        ),
        migrations.AddConstraint(
            model_name="consent",
            constraint=models.UniqueConstraint(fields=("user", "app"), name="a_person_agrees_to_an_app_once"),
        ),
        migrations.AddIndex(
            model_name="refusedredirect",
            index=models.Index(fields=["last_at"], name="refused_redirects_to_forget"),
        ),
        migrations.AddConstraint(
            model_name="refusedredirect",
            constraint=models.UniqueConstraint(
                fields=("client_id", "uri_hash", "for_logout"), name="a_redirect_is_refused_once"
            ),
        ),
    ]
