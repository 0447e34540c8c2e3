"""Run by alembic: migrates over the connection, and in the transaction, that it is handed."""

from alembic import context

from zgbench.ratings.migrate import VERSION_TABLE
from zgbench.ratings.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    render_as_batch=True,
)
context.run_migrations()
