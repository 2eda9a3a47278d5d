"""What is put on a disk."""
