"""The small models that make the preset ``mini`` complete, and how they were trained: see README.md."""
