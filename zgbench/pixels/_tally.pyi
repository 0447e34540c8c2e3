from typing import Any

def count(
    pixels: Any, height: int, width: int, table: Any, starts: Any, ends: Any, owners: Any,
    base: int, nobody: int, owners_in: int, /,
) -> tuple[bytearray, bytearray, bytearray, bytearray] | None: ...  # fmt: skip
