"""The leaderboard: stored results, what is worked out from them, and the queue of a self-hosted board."""
