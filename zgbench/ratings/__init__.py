"""Human ratings: the store, what it gives out and takes in, and the statistics of agreement.

Names are loaded when they are first used; SQLAlchemy comes with ``pip install 'zgbench[ratings]'``.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zgbench.ratings.by_part import Part, by_image, by_method
    from zgbench.ratings.disagreement import Disputed, disputed
    from zgbench.ratings.exporting import export_csv, export_parquet
    from zgbench.ratings.importing import import_table
    from zgbench.ratings.opening import open_store
    from zgbench.ratings.overview import Status, status
    from zgbench.ratings.payment import Payment, payment_csv, payments
    from zgbench.ratings.rater_quality import RaterQuality, quality
    from zgbench.ratings.records import Item, Outcome, Practice, Progress, Rater, TokenInfo, TrainingItem
    from zgbench.ratings.rule_preview import Preview, preview
    from zgbench.ratings.rules import Rule
    from zgbench.ratings.settings import Settings
    from zgbench.ratings.store import Store

_PLACES = {
    "Disputed": "disagreement",
    "Item": "records",
    "Outcome": "records",
    "Part": "by_part",
    "Payment": "payment",
    "Practice": "records",
    "Preview": "rule_preview",
    "Progress": "records",
    "Rater": "records",
    "RaterQuality": "rater_quality",
    "Rule": "rules",
    "Settings": "settings",
    "Status": "overview",
    "Store": "store",
    "TokenInfo": "records",
    "TrainingItem": "records",
    "by_image": "by_part",
    "by_method": "by_part",
    "disputed": "disagreement",
    "export_csv": "exporting",
    "export_parquet": "exporting",
    "import_table": "importing",
    "open_store": "opening",
    "payment_csv": "payment",
    "payments": "payment",
    "preview": "rule_preview",
    "quality": "rater_quality",
    "status": "overview",
}

__all__ = [
    "Disputed", "Item", "Outcome", "Part", "Payment", "Practice", "Preview", "Progress", "Rater", "RaterQuality", "Rule", "Settings", "Status", "Store", "TokenInfo", "TrainingItem", "by_image", "by_method", "disputed", "export_csv", "export_parquet", "import_table", "open_store", "payment_csv", "payments", "preview", "quality", "status",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'zgbench.ratings' has no attribute {name!r}")
    try:
        return getattr(import_module(f"zgbench.ratings.{_PLACES[name]}"), name)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("sqlalchemy", "alembic", "psycopg"):
            raise
        from zgbench.extras import need

        need("ratings", "the store of ratings")
        raise
