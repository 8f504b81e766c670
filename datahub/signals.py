"""What happens to tables. Each signal carries `table_id` (UUID), `name`, `description` (never None) and `origin`."""

from django.dispatch import Signal

table_created = Signal()
table_updated = Signal()
table_emptied = Signal()
table_deleted = Signal()
