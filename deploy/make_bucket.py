"""`python -m deploy.make_bucket`: make the bucket of `SHELFPRICE_LAKE` unless it is there."""

import sys
from urllib.parse import urlsplit

from catalog.settings import Settings, read_settings


def make_bucket(settings: Settings) -> str:
    """Make the bucket of the lake in the object store that the settings name, and return its name."""
    import boto3
    from botocore.exceptions import ClientError

    bucket = urlsplit(settings.lake_address or "").netloc
    if not bucket:
        raise SystemExit(f"SHELFPRICE_LAKE: expected s3://bucket/prefix, found {settings.lake_address}")
    client = boto3.client(
        "s3",
        endpoint_url=settings.s3_endpoint,
        region_name=settings.s3_region,
        aws_access_key_id=settings.s3_key,
        aws_secret_access_key=settings.s3_secret.get_secret_value() if settings.s3_secret else None,
    )
    try:
        client.head_bucket(Bucket=bucket)
    except ClientError:
        client.create_bucket(Bucket=bucket)
    finally:
        client.close()
    return bucket


if __name__ == "__main__":
    sys.stdout.write(f"the bucket {make_bucket(read_settings())} is there\n")
