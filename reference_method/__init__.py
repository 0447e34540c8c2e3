"""The four-stage method of the ICCV 2023 paper as a submission maker, its ablations, and GroupViT as a baseline."""
