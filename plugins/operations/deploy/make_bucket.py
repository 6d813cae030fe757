"""Make the bucket of `SHELFPRICE_LAKE` if it is missing, and check that it can be read.

A store that starts again may list its objects before it finds their bytes. So one small object is kept in the bucket:
once it can be read, the others can.
"""

import sys
import time
from typing import Any
from urllib.parse import urlsplit

from catalog.settings import Settings, read_settings

KEPT = ".readable"  # beside the lake, not in it
_WITHIN = 60.0  # seconds
_LOOK_EVERY = 0.5  # seconds


def is_usable(client: Any, bucket: str) -> bool:
    """Make the bucket and the small object in it unless they are there, and tell whether the object can be read."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        if bucket not in {entry["Name"] for entry in client.list_buckets()["Buckets"]}:
            client.create_bucket(Bucket=bucket)
        if client.list_objects_v2(Bucket=bucket, Prefix=KEPT)["KeyCount"] == 0:
            client.put_object(Bucket=bucket, Key=KEPT, Body=b"1")
        return bool(client.get_object(Bucket=bucket, Key=KEPT)["Body"].read() == b"1")
    except (BotoCoreError, ClientError):
        return False


def client_of(settings: Settings, timeout: float, attempts: int = 1) -> Any:
    """Return a client of the object store that the settings name; it waits so many seconds for each answer."""
    import boto3
    from botocore.config import Config

    return boto3.client(
        "s3",
        endpoint_url=settings.s3_endpoint,
        region_name=settings.s3_region,
        aws_access_key_id=settings.s3_key,
        aws_secret_access_key=settings.s3_secret.get_secret_value() if settings.s3_secret else None,
        config=Config(connect_timeout=timeout, read_timeout=timeout, retries={"total_max_attempts": attempts}),
    )


def main() -> None:
    """Wait until the bucket can be used; exit 1 when it cannot."""
    settings = read_settings()
    bucket = urlsplit(settings.lake_address or "").netloc
    if not bucket:
        sys.exit(f"SHELFPRICE_LAKE: expected s3://bucket/prefix, found {settings.lake_address}")
    client = client_of(settings, timeout=5)
    limit = time.monotonic() + _WITHIN
    while not is_usable(client, bucket):
        if time.monotonic() > limit:
            sys.exit(f"{settings.s3_endpoint or 'S3'}: expected the bucket {bucket}, cannot make it or read from it")
        time.sleep(_LOOK_EVERY)
    sys.stdout.write(f"the bucket {bucket} can be used\n")


if __name__ == "__main__":
    main()
