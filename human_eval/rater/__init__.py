"""Parts of the rater's page."""
