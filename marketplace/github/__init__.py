"""The one speaker of GitHub: everything about its REST API, its URLs and its archives."""
