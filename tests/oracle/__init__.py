"""An independent, slow scorer: whole masks, loops and exact fractions, and nothing of zgbench."""
