"""Alembic's entry: runs the steps on the connection that ``serving.store.migrate`` hands over."""

from __future__ import annotations

from alembic import context

from serving import store_exchange_tables, store_tables_access, store_talent_tables  # each adds its tables
from serving.store_tables import metadata

MODULES = (store_exchange_tables, store_tables_access, store_talent_tables)


def run() -> None:
    """Run every step in the transaction that is already open."""
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=metadata,
        render_as_batch=True,
        compare_type=True,
        compare_server_default=True,
        transactional_ddl=True,
    )
    context.run_migrations()


if hasattr(context, "config"):  # absent when the file is imported by anything but Alembic
    run()
