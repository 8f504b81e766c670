"""Names have keys, searched by their beginnings; every filter of the list of people has an index in its order."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q

import authpages.models.search_keys

USER_ROLE = migrations.CreateModel(  # the table that Django made for `User.roles`, by a name of ours
    name="UserRole",
    fields=[
        ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
        ("user", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL)),
        ("role", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="authpages.role")),
    ],
    options={"db_table": "authpages_user_roles", "unique_together": {("user", "role")}},
)
ROLES = migrations.AlterField(
    model_name="user",
    name="roles",
    field=models.ManyToManyField(blank=True, related_name="users", through="authpages.UserRole", to="authpages.role"),
)


class Migration(migrations.Migration):
    dependencies = [("authpages", "0004_people_are_known_by_their_devices")]

    operations = [
        migrations.AddField(
            "user", "name_key", authpages.models.search_keys.SearchKeyField(of=("first_name", "last_name"))
        ),
        migrations.AddField("user", "last_name_key", authpages.models.search_keys.SearchKeyField(of=("last_name",))),
        migrations.AlterField("user", "email_key", authpages.models.search_keys.KeyField(max_length=254, unique=True)),
        migrations.SeparateDatabaseAndState(state_operations=[USER_ROLE, ROLES]),
        migrations.AlterField(
            "userrole",
            "role",
            models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to="authpages.role"),
        ),
        migrations.AddIndex("userrole", models.Index(fields=["role", "user"], name="users_of_a_role")),
        migrations.AddIndex("user", models.Index(fields=["name_key"], name="users_by_name")),
        migrations.AddIndex("user", models.Index(fields=["last_name_key"], name="users_by_last_name")),
        migrations.AddIndex(
            "user", models.Index(fields=["id"], condition=Q(email_verified=True), name="users_who_are_verified")
        ),
        migrations.AddIndex(
            "user", models.Index(fields=["id"], condition=Q(email_verified=False), name="users_who_are_unverified")
        ),
        migrations.AddIndex(
            "user", models.Index(fields=["id"], condition=Q(blocked=True), name="users_who_are_blocked")
        ),
        migrations.RemoveIndex("user", "users_who_are_admins"),
        migrations.AddIndex(
            "user", models.Index(fields=["id"], condition=Q(is_superuser=True), name="users_who_are_admins")
        ),
    ]
