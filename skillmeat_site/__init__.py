"""The composition root on top (settings, urls, quickstart) and the ground under all apps at the bottom."""
