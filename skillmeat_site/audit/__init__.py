"""What was done, by whom and when: events that outlive what they speak of."""
