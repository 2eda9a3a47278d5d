"""What is kept of artifacts: blobs by SHA-256, manifests that list them, and what a source remembers of its scan."""

from django.db import models

from marketplace.models.source import Source


class Blob(models.Model):
    """The bytes of one file, stored under their SHA-256. The row is there before the first of them."""

    digest = models.CharField(max_length=64, primary_key=True, editable=False)
    size = models.PositiveBigIntegerField()
    wanted_at = models.DateTimeField(db_index=True, help_text="When something last relied on it.")
    is_whole = models.BooleanField(
        default=False, help_text="All bytes are written, and no check found others."
    )

    def __str__(self) -> str:
        return self.digest


class Manifest(models.Model):
    """The files of one artifact in one state; never changed. What needs it holds a protecting foreign key."""

    digest = models.CharField(max_length=64, primary_key=True, editable=False)
    files = models.JSONField(help_text="As `marketplace.manifest.Manifest.rows` writes them.")
    size = models.PositiveBigIntegerField()
    wanted_at = models.DateTimeField(db_index=True, help_text="When something last relied on it.")

    def __str__(self) -> str:
        return self.digest


class SourceSnapshot(models.Model):
    """What the next scan of a source starts from: a piece of a packed `marketplace.snapshot.Snapshot`.

    It is cut into pieces because a database copies each value several times on the way into its file.
    """

    source = models.ForeignKey(Source, on_delete=models.CASCADE, db_index=False, related_name="+")
    number = models.PositiveIntegerField()
    packed = models.BinaryField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["source", "number"], name="snapshot_piece_once"),)

    def __str__(self) -> str:
        return f"piece {self.number} of the snapshot of {self.source_id}"
