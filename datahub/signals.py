"""What happens to tables and rows, told inside the transaction of the change.

Those of tables carry `table_id` (UUID), `name`, `description` (never None) and `origin`. Those of rows, sent only for
tables that want it, carry `table_id`, `row_id` (UUID), `values` (by key, as JSON shows them) and `origin`.
"""

from django.dispatch import Signal

table_created = Signal()
table_updated = Signal()
table_emptied = Signal()
table_deleted = Signal()
table_imported = Signal()
table_import_undone = Signal()
row_created = Signal()
row_updated = Signal()
row_deleted = Signal()
