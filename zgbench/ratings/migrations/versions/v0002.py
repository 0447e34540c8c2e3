"""Several studies in a store; images in an order; sessions, comments, and whose the items are."""

import json
import secrets
import time

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_OPEN = sa.text("kind = 'item' AND free > 0")
_FIRST = "main"  # what was in the store is its first study


def upgrade() -> None:
    """Change the tables, and keep all that is in them."""
    connection = op.get_bind()
    kept = {row.key: row.value for row in connection.execute(sa.text("SELECT key, value FROM zgbench_settings"))}
    op.create_table(
        "zgbench_studies",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("name", sa.String(80), nullable=False, unique=True),
        sa.Column("key", sa.String(16), nullable=False),
        sa.Column("settings", sa.Text, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
    )
    connection.execute(
        sa.text("INSERT INTO zgbench_studies (name, key, settings, created) VALUES (:name, :key, :settings, :now)"),
        {"name": _FIRST, "key": secrets.token_hex(8), "settings": json.dumps(kept), "now": time.time()},
    )
    study = connection.execute(sa.text("SELECT id FROM zgbench_studies")).scalar_one()
    op.drop_table("zgbench_settings")
    _items(study)
    _raters(study)
    op.add_column("zgbench_tokens", sa.Column("places", sa.Integer))
    _add("zgbench_training_answers", "round", "INTEGER", "0")
    _of_study("zgbench_exclusions", study)
    _new_tables()


def _add(table: str, column: str, kind: str, value: str, references: str = "") -> None:
    """Add a column that is never NULL. The default fills old rows; then it goes (SQLite keeps it, which harms nothing)."""
    op.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind} NOT NULL DEFAULT {value} {references}")
    if op.get_bind().dialect.name != "sqlite":
        op.alter_column(table, column, server_default=None)


def _of_study(table: str, study: int) -> None:
    _add(table, "study", "INTEGER", str(study), "REFERENCES zgbench_studies (id)")


def _items(study: int) -> None:
    op.drop_index("zgbench_items_open", "zgbench_items")
    _add("zgbench_items", "content", "VARCHAR(32)", "''")
    _add("zgbench_items", "place", "INTEGER", "0")
    _add("zgbench_items", "mirrored", "BIGINT", "0")
    _of_study("zgbench_items", study)
    op.execute(f"UPDATE zgbench_items SET content = id, mirrored = {(1 << 31) - 1} - position")
    _number_the_images()
    for name, position, which in (
        ("zgbench_items_open", "position", _OPEN),
        ("zgbench_items_back", "mirrored", _OPEN),
        ("zgbench_items_controls", "position", sa.text("kind = 'control'")),
    ):
        columns = ["study", "place", position]
        op.create_index(name, "zgbench_items", columns, sqlite_where=which, postgresql_where=which)


def _number_the_images() -> None:
    """Images in the order in which their items were put in, those to be rated first; then by their oldest item."""
    connection = op.get_bind()
    images = connection.execute(
        sa.text(
            "SELECT dataset, image_id, MIN(CASE WHEN kind = 'item' THEN 0 ELSE 1 END) AS later, MIN(added) AS since, "
            "MIN(position) AS first FROM zgbench_items WHERE kind <> 'training' GROUP BY dataset, image_id "
            "ORDER BY later, since, first"
        )
    ).all()
    if images:
        connection.execute(
            sa.text(
                "UPDATE zgbench_items SET place = :place WHERE dataset = :dataset AND image_id = :image AND kind <> 'training'"
            ),
            [{"place": n, "dataset": row.dataset, "image": row.image_id} for n, row in enumerate(images, 1)],
        )


def _raters(study: int) -> None:
    """A name and an account are one rater in a study, no longer in the whole store."""
    before = sa.Table(
        "zgbench_raters",
        sa.MetaData(),
        sa.Column("id", sa.String(12), primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("role", sa.String(8), nullable=False),
        sa.Column("seed", sa.BigInteger, nullable=False),
        sa.Column("served", sa.Integer, nullable=False),
        sa.Column("trained", sa.Double),
        sa.Column("shut_out", sa.Double),
        sa.Column("identity", sa.String(64)),
        sa.Column("created", sa.Double, nullable=False),
    )
    if op.get_bind().dialect.name != "sqlite":
        op.drop_constraint("zgbench_raters_name_key", "zgbench_raters")
        op.drop_constraint("zgbench_raters_identity_key", "zgbench_raters")
    else:  # a copy of the table, without the old constraints
        with op.batch_alter_table("zgbench_raters", copy_from=before, recreate="always"):
            pass
    _of_study("zgbench_raters", study)
    for column in ("place", "owed", "round"):
        _add("zgbench_raters", column, "INTEGER", "0")
    op.add_column("zgbench_raters", sa.Column("participant", sa.Text))
    op.add_column("zgbench_raters", sa.Column("consented", sa.Double))
    with op.batch_alter_table("zgbench_raters") as batch:
        batch.create_unique_constraint("zgbench_raters_name", ["study", "name"])
        batch.create_unique_constraint("zgbench_raters_identity", ["study", "identity"])
    op.execute("UPDATE zgbench_raters SET consented = trained")  # they rate already


def _new_tables() -> None:
    op.create_table(
        "zgbench_sessions",
        sa.Column("hash", sa.String(64), primary_key=True),
        sa.Column("rater_id", sa.String(12), sa.ForeignKey("zgbench_raters.id"), nullable=False),
        sa.Column("token", sa.String(64), sa.ForeignKey("zgbench_tokens.hash")),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("ended", sa.Double),
    )
    op.create_table(
        "zgbench_comments",
        sa.Column("seq", _SERIAL, primary_key=True, autoincrement=True),
        sa.Column("rater_id", sa.String(12), sa.ForeignKey("zgbench_raters.id"), nullable=False),
        sa.Column("item_id", sa.String(32), sa.ForeignKey("zgbench_items.id"), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
    )
    op.create_index("zgbench_comments_item", "zgbench_comments", ["item_id"])
    op.create_table(
        "zgbench_sources",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("study", sa.Integer, sa.ForeignKey("zgbench_studies.id"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("question", sa.String(2), nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.UniqueConstraint("study", "name", "question", name="zgbench_sources_name"),
    )
    op.create_table(
        "zgbench_item_sources",
        sa.Column("source", sa.Integer, sa.ForeignKey("zgbench_sources.id"), primary_key=True),
        sa.Column("item_id", sa.String(32), sa.ForeignKey("zgbench_items.id"), primary_key=True),
    )
