"""An S3 server on loopback that checks signatures and rights: moto's, over real HTTP."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import httpx
import pytest
import s3fs
from moto.server import ThreadedMotoServer

REGION = "eu-central-1"


@dataclass
class Store:
    """The server at `url`, its bucket, and the key of a user who may use that bucket and no other."""

    url: str
    bucket: str
    key: str
    secret: str

    @property
    def root(self) -> str:
        """The address below which rasters go."""
        return f"s3://{self.bucket}/of/minecam"

    @property
    def environment(self) -> dict[str, str]:
        """The variables that lead there."""
        return {
            "MINECAM_RASTERS": self.root, "AWS_ENDPOINT_URL": self.url, "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": self.key, "AWS_SECRET_ACCESS_KEY": self.secret, "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_MAX_ATTEMPTS": "1",
        }  # fmt: skip

    def client(self) -> Any:
        """Return a client of the user."""
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=self.key,
            aws_secret_access_key=self.secret,
        )  # fmt: skip

    def objects(self) -> list[str]:
        """Return the names of what lies in the bucket."""
        found = self.client().list_objects_v2(Bucket=self.bucket).get("Contents", [])
        return [one["Key"] for one in found]

    def content(self, key: str) -> bytes:
        """Return the bytes of an object."""
        return self.client().get_object(Bucket=self.bucket, Key=key)["Body"].read()


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """An empty store that the settings and the standard AWS variables point at."""
    anybody: dict[str, Any] = {
        "endpoint_url": s3_server, "region_name": REGION, "aws_access_key_id": "x", "aws_secret_access_key": "x"
    }  # fmt: skip
    httpx.post(f"{s3_server}/moto-api/reset").raise_for_status()
    httpx.post(f"{s3_server}/moto-api/reset-auth", content=b"1000").raise_for_status()
    boto3.client("s3", **anybody).create_bucket(
        Bucket="rasters", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    people = boto3.client("iam", **anybody)
    people.create_user(UserName="minecam")
    allowed = {"Effect": "Allow", "Action": "s3:*", "Resource": ["arn:aws:s3:::rasters", "arn:aws:s3:::rasters/*"]}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    people.put_user_policy(UserName="minecam", PolicyName="own", PolicyDocument=policy)
    key = people.create_access_key(UserName="minecam")["AccessKey"]
    httpx.post(f"{s3_server}/moto-api/reset-auth", content=b"0").raise_for_status()
    store = Store(s3_server, "rasters", key["AccessKeyId"], key["SecretAccessKey"])
    for name, value in store.environment.items():
        monkeypatch.setenv(name, value)
    forget()
    yield store
    forget()


def forget() -> None:
    """Let what is opened next read the environment anew, as another process would."""
    s3fs.S3FileSystem.clear_instance_cache()
