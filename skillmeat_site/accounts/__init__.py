"""Who people are, which projects they share, and what they may do there."""
