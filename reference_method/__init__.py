"""The ICCV 2023 reference method as a submission maker (not part of this version)."""
