"""The tables of a ratings store.

``ratings`` is append-only: what a rater said, in the order that it was said. ``leases`` is the working state: which
item lies before which rater, and which row of ``ratings`` counts. Items, raters and rules belong to a study; a store
may hold several. Times are seconds since 1970, UTC.
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
    text,
)

metadata = MetaData()
OPEN, RATED, SKIPPED, EXPIRED = "open", "rated", "skipped", "expired"
"""States of a lease."""

ITEM, CONTROL, TRAINING = "item", "control", "training"
"""Kinds of items."""

_SERIAL = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up INTEGER keys only

studies = Table(
    "zgbench_studies",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("name", String(80), nullable=False, unique=True),
    Column("key", String(16), nullable=False),  # drawn: tells studies of one name apart, as cookies must
    Column("settings", Text, nullable=False),  # JSON
    Column("created", Double, nullable=False),
)

items = Table(
    "zgbench_items",
    metadata,
    Column("id", String(32), primary_key=True),  # follows from study and content; in the first study it is the content
    Column("study", Integer, ForeignKey("zgbench_studies.id"), nullable=False),
    Column("content", String(32), nullable=False),  # hash of dataset, image, mask, label and question
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
    Column("place", Integer, nullable=False),  # of its image in the order of all; of a training item: its round
    Column("position", BigInteger, nullable=False),  # among the items of its image, or of its round
    Column("mirrored", BigInteger, nullable=False),  # the same from the other end
    Column("added", Double, nullable=False),
    *(
        Index(name, "study", "place", position, sqlite_where=text(which), postgresql_where=text(which))
        for name, position, which in (
            ("zgbench_items_open", "position", "kind = 'item' AND free > 0"),
            ("zgbench_items_back", "mirrored", "kind = 'item' AND free > 0"),
            ("zgbench_items_controls", "position", "kind = 'control'"),
        )
    ),
)

raters = Table(
    "zgbench_raters",
    metadata,
    Column("id", String(12), primary_key=True),
    Column("study", Integer, ForeignKey("zgbench_studies.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("role", String(8), nullable=False),  # rater, admin; or open: an invitation that makes raters
    Column("seed", BigInteger, nullable=False),
    Column("served", Integer, nullable=False),  # leases that this rater was given; raters that an invitation made
    Column("place", Integer, nullable=False),  # of the image that was given last
    Column("owed", Integer, nullable=False),  # control items whose turn has come, but not yet a photo to hide them in
    Column("round", Integer, nullable=False),  # of practice, from 0
    Column("participant", Text),  # what their link called them: told, never trusted
    Column("consented", Double),
    Column("trained", Double),
    Column("shut_out", Double),
    Column("identity", String(64)),  # hash of an OpenID issuer and subject
    Column("created", Double, nullable=False),
    UniqueConstraint("study", "name", name="zgbench_raters_name"),
    UniqueConstraint("study", "identity", name="zgbench_raters_identity"),
)

tokens = Table(
    "zgbench_tokens",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("rater_id", String(12), ForeignKey("zgbench_raters.id"), nullable=False),
    Column("created", Double, nullable=False),
    Column("expires", Double),
    Column("revoked", Double),
    Column("places", Integer),  # raters that it may make; NULL: an invitation of one person
)

sessions = Table(
    "zgbench_sessions",
    metadata,
    Column("hash", String(64), primary_key=True),  # of the secret in the browser's cookie
    Column("rater_id", String(12), ForeignKey("zgbench_raters.id"), nullable=False),
    Column("token", String(64), ForeignKey("zgbench_tokens.hash")),  # NULL: signed in with an account
    Column("created", Double, nullable=False),
    Column("ended", Double),
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
    Column("round", Integer, nullable=False),
    Column("at", Double, nullable=False),
    Index("zgbench_training_rater", "rater_id", "seq"),
)

comments = Table(
    "zgbench_comments",
    metadata,
    Column("seq", _SERIAL, primary_key=True, autoincrement=True),
    Column("rater_id", String(12), ForeignKey("zgbench_raters.id"), nullable=False),
    Column("item_id", String(32), ForeignKey("zgbench_items.id"), nullable=False),
    Column("text", Text, nullable=False),
    Column("at", Double, nullable=False),
    Index("zgbench_comments_item", "item_id"),
)

sources = Table(
    "zgbench_sources",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("study", Integer, ForeignKey("zgbench_studies.id"), nullable=False),
    Column("name", Text, nullable=False),  # of a method; never shown to raters
    Column("question", String(2), nullable=False),
    Column("at", Double, nullable=False),
    UniqueConstraint("study", "name", "question", name="zgbench_sources_name"),
)

item_sources = Table(
    "zgbench_item_sources",
    metadata,
    Column("source", Integer, ForeignKey("zgbench_sources.id"), primary_key=True),
    Column("item_id", String(32), ForeignKey("zgbench_items.id"), primary_key=True),
)

exclusions = Table(
    "zgbench_exclusions",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("study", Integer, ForeignKey("zgbench_studies.id"), nullable=False),
    Column("text", Text, nullable=False),
    Column("created", Double, nullable=False),
    Column("revoked", Double),
)
