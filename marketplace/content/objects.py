"""Contents as objects of S3 or of a server that speaks like it. Imported only where the settings say so."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files.base import ContentFile, File

from marketplace.content.storage import AT_ONCE, BlobStorage, ContentUnavailable, at_once

MANY = 1_000  # what one DeleteObjects takes
CLIENT = {
    "signature_version": "s3v4",
    "connect_timeout": 5,
    "read_timeout": 30,
    "retries": {"mode": "standard", "total_max_attempts": 3},
    "max_pool_connections": AT_ONCE,
    # Not every server knows the newer checksums; each blob is checked by its SHA-256 whenever it is read.
    "request_checksum_calculation": "when_required",
    "response_checksum_validation": "when_required",
}
ABSENT = {"NoSuchKey", "404"}  # an answer to HEAD has no body that could say more


class ObjectStorage(BlobStorage):
    """One request for each object, a few at a time. An object is never seen half written."""

    def __init__(
        self, *, bucket: str, prefix: str, endpoint: str | None, region: str | None, addressing: str
    ) -> None:
        self._bucket, self._prefix = bucket, f"{prefix}/" if prefix else ""
        self._endpoint, self._region, self._addressing = endpoint, region, addressing

    @cached_property
    def client(self) -> Any:
        """One for all threads, made when first needed: it takes half a second and must not be forked."""
        config = Config(s3={"addressing_style": self._addressing}, **CLIENT)
        return boto3.client("s3", endpoint_url=self._endpoint, region_name=self._region, config=config)

    def save_all(self, contents: Mapping[str, bytes]) -> None:
        def put(item: tuple[str, bytes]) -> None:
            self.client.put_object(**self._at(item[0]), Body=item[1])

        with _translated():
            at_once(put, contents.items())

    def _open(self, name: str, mode: str = "rb") -> "File[bytes]":
        """All of it. Raises FileNotFoundError."""
        with _translated():
            return ContentFile(self.client.get_object(**self._at(name))["Body"].read(), name=name)

    def exists(self, name: str) -> bool:
        try:
            with _translated():
                self.client.head_object(**self._at(name))
        except FileNotFoundError:
            return False
        return True

    def delete_all(self, names: Collection[str]) -> None:
        keys = [{"Key": self._at(name)["Key"]} for name in names]
        for start in range(0, len(keys), MANY):
            with _translated():
                answer = self.client.delete_objects(
                    Bucket=self._bucket, Delete={"Objects": keys[start : start + MANY], "Quiet": True}
                )
            if faults := answer.get("Errors"):
                raise ContentUnavailable(
                    f"The content store did not delete objects ({faults[0].get('Code')})."
                )

    def _at(self, name: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": f"{self._prefix}{name}"}


@contextmanager
def _translated() -> Iterator[None]:
    """Faults in the content store's words; those of the library may quote more than belongs into a log."""
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code in ABSENT:
            raise FileNotFoundError(code) from None
        raise ContentUnavailable(f"The content store refused a request ({code}).") from None
    except BotoCoreError as error:
        raise ContentUnavailable(f"The content store could not be asked ({type(error).__name__}).") from None
