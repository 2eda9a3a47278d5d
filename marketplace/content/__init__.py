"""The content store: files by SHA-256 behind Django's storage API; knows neither artifacts nor repositories."""
