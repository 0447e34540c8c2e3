"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "zgbench_settings",
        sa.Column("key", sa.String(32), primary_key=True),
        sa.Column("value", sa.Double, nullable=False),
    )
    op.create_table(
        "zgbench_items",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("dataset", sa.String(16), nullable=False),
        sa.Column("image_id", sa.Text, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("counts", sa.Text, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("question", sa.String(2), nullable=False),
        sa.Column("known", sa.SmallInteger),
        sa.Column("why", sa.Text),
        sa.Column("wanted", sa.Integer, nullable=False),
        sa.Column("free", sa.Integer, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("added", sa.Double, nullable=False),
    )
    op.create_index("zgbench_items_open", "zgbench_items", ["kind", "free", "position"])
    op.create_table(
        "zgbench_raters",
        sa.Column("id", sa.String(12), primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("role", sa.String(8), nullable=False),
        sa.Column("seed", sa.BigInteger, nullable=False),
        sa.Column("served", sa.Integer, nullable=False),
        sa.Column("trained", sa.Double),
        sa.Column("shut_out", sa.Double),
        sa.Column("identity", sa.String(64), unique=True),
        sa.Column("created", sa.Double, nullable=False),
    )
    op.create_table(
        "zgbench_tokens",
        sa.Column("hash", sa.String(64), primary_key=True),
        sa.Column("rater_id", sa.String(12), sa.ForeignKey("zgbench_raters.id"), nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("expires", sa.Double),
        sa.Column("revoked", sa.Double),
    )
    op.create_table(
        "zgbench_ratings",
        sa.Column("seq", _SERIAL, primary_key=True, autoincrement=True),
        sa.Column("ticket", sa.String(64), nullable=False, unique=True),
        sa.Column("rater_id", sa.String(12), sa.ForeignKey("zgbench_raters.id"), nullable=False),
        sa.Column("item_id", sa.String(32), sa.ForeignKey("zgbench_items.id"), nullable=False),
        sa.Column("answer", sa.String(12), nullable=False),
        sa.Column("score", sa.SmallInteger),
        sa.Column("note", sa.Text),
        sa.Column("seconds", sa.Double),
        sa.Column("at", sa.Double, nullable=False),
    )
    op.create_index("zgbench_ratings_rater", "zgbench_ratings", ["rater_id", "seq"])
    op.create_index("zgbench_ratings_at", "zgbench_ratings", ["at"])
    op.create_table(
        "zgbench_leases",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("rater_id", sa.String(12), sa.ForeignKey("zgbench_raters.id"), nullable=False),
        sa.Column("item_id", sa.String(32), sa.ForeignKey("zgbench_items.id"), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("seen", sa.SmallInteger, nullable=False),
        sa.Column("turn", sa.Integer, nullable=False),
        sa.Column("shown", sa.Double),
        sa.Column("expires", sa.Double, nullable=False),
        sa.Column("rating", _SERIAL, sa.ForeignKey("zgbench_ratings.seq")),
        sa.UniqueConstraint("rater_id", "item_id"),
    )
    op.create_index("zgbench_leases_state", "zgbench_leases", ["state", "expires"])
    op.create_index("zgbench_leases_rater", "zgbench_leases", ["rater_id", "state", "turn"])
    op.create_index("zgbench_leases_item", "zgbench_leases", ["item_id", "state"])
    op.create_table(
        "zgbench_training_answers",
        sa.Column("seq", _SERIAL, primary_key=True, autoincrement=True),
        sa.Column("rater_id", sa.String(12), sa.ForeignKey("zgbench_raters.id"), nullable=False),
        sa.Column("item_id", sa.String(32), sa.ForeignKey("zgbench_items.id"), nullable=False),
        sa.Column("score", sa.SmallInteger, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
    )
    op.create_index("zgbench_training_rater", "zgbench_training_answers", ["rater_id", "seq"])
    op.create_table(
        "zgbench_exclusions",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("revoked", sa.Double),
    )
