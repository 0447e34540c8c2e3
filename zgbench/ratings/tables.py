"""The tables of a ratings store.

``ratings`` is append-only: what a rater said, in the order that it was said. ``leases`` is the working state: which
item lies before which rater, and which row of ``ratings`` counts. Times are seconds since 1970, UTC.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()
_SERIAL = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up INTEGER keys only

settings = Table(
    "zgbench_settings", metadata, Column("key", String(32), primary_key=True), Column("value", Double, nullable=False)
)

items = Table(
    "zgbench_items",
    metadata,
    Column("id", String(32), primary_key=True),  # hash of dataset, image, mask, label and question
    Column("kind", String(8), nullable=False),  # item, control or training
    Column("dataset", String(16), nullable=False),
    Column("image_id", Text, nullable=False),
    Column("height", Integer, nullable=False),
    Column("width", Integer, nullable=False),
    Column("counts", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("question", String(2), nullable=False),
    Column("known", SmallInteger),  # answer of a control or training item
    Column("why", Text),  # explains it, in training
    Column("wanted", Integer, nullable=False),  # raters wanted
    Column("free", Integer, nullable=False),  # of these, neither leased nor answered
    Column("position", BigInteger, nullable=False),  # place on the ring that raters draw from
    Column("added", Double, nullable=False),
    Index("zgbench_items_open", "kind", "free", "position"),
)

raters = Table(
    "zgbench_raters",
    metadata,
    Column("id", String(12), primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("role", String(8), nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("served", Integer, nullable=False),  # leases that this rater was given
    Column("trained", Double),
    Column("shut_out", Double),
    Column("identity", String(64), unique=True),  # hash of an OpenID issuer and subject
    Column("created", Double, nullable=False),
)

tokens = Table(
    "zgbench_tokens",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("rater_id", String(12), ForeignKey("zgbench_raters.id"), nullable=False),
    Column("created", Double, nullable=False),
    Column("expires", Double),
    Column("revoked", Double),
)

ratings = Table(
    "zgbench_ratings",
    metadata,
    Column("seq", _SERIAL, primary_key=True, autoincrement=True),
    Column("ticket", String(64), nullable=False, unique=True),  # the showing that it answers: one answer each
    Column("rater_id", String(12), ForeignKey("zgbench_raters.id"), nullable=False),
    Column("item_id", String(32), ForeignKey("zgbench_items.id"), nullable=False),
    Column("answer", String(12), nullable=False),  # score, cannot_tell, skipped or withdrawn
    Column("score", SmallInteger),
    Column("note", Text),  # why it was skipped
    Column("seconds", Double),
    Column("at", Double, nullable=False),
    Index("zgbench_ratings_rater", "rater_id", "seq"),
    Index("zgbench_ratings_at", "at"),
)

leases = Table(
    "zgbench_leases",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("rater_id", String(12), ForeignKey("zgbench_raters.id"), nullable=False),
    Column("item_id", String(32), ForeignKey("zgbench_items.id"), nullable=False),
    Column("state", String(8), nullable=False),  # open, rated, skipped or expired
    Column("round", Integer, nullable=False),  # showings before this one
    Column("seen", SmallInteger, nullable=False),  # 1: it came back by undo
    Column("turn", Integer, nullable=False),  # order of the open ones
    Column("shown", Double),
    Column("expires", Double, nullable=False),
    Column("rating", _SERIAL, ForeignKey("zgbench_ratings.seq")),  # the row that counts
    UniqueConstraint("rater_id", "item_id"),
    Index("zgbench_leases_state", "state", "expires"),
    Index("zgbench_leases_rater", "rater_id", "state", "turn"),
    Index("zgbench_leases_item", "item_id", "state"),
)

training_answers = Table(
    "zgbench_training_answers",
    metadata,
    Column("seq", _SERIAL, primary_key=True, autoincrement=True),
    Column("rater_id", String(12), ForeignKey("zgbench_raters.id"), nullable=False),
    Column("item_id", String(32), ForeignKey("zgbench_items.id"), nullable=False),
    Column("score", SmallInteger, nullable=False),
    Column("at", Double, nullable=False),
    Index("zgbench_training_rater", "rater_id", "seq"),
)

exclusions = Table(
    "zgbench_exclusions",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("text", Text, nullable=False),
    Column("created", Double, nullable=False),
    Column("revoked", Double),
)
