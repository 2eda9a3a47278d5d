"""Long work: rows that are the truth, a queue that only wakes workers up, and who watches over both."""
