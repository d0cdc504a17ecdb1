"""An S3-compatible server in this process, with a bucket `results`, that only knows the keys of one user."""

import json

import boto3
import requests
from moto.server import ThreadedMotoServer

ANYTHING_IN_S3 = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}


class S3Server:
    """Serves from `with` on; `keys` are the environment of a client that may use it."""

    def __init__(self):
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)

    def __enter__(self):
        self._server.start()
        self.address = "http://{}:{}".format(*self._server.get_host_and_port())
        self._ask_for_keys("inf")
        iam = self._client("iam")
        iam.create_user(UserName="team")
        iam.put_user_policy(UserName="team", PolicyName="s3", PolicyDocument=json.dumps(ANYTHING_IN_S3))
        key = iam.create_access_key(UserName="team")["AccessKey"]
        self._client("s3").create_bucket(Bucket="results")
        self._ask_for_keys("0")
        self.keys = {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
                     "AWS_DEFAULT_REGION": "us-east-1", "AWS_MAX_ATTEMPTS": "1", "AWS_EC2_METADATA_DISABLED": "true"}
        return self

    def __exit__(self, *_):
        self._ask_for_keys("inf")
        self._server.stop()

    def names(self):
        """The names of all objects in the bucket, {name: first bytes}."""
        s3 = self._client("s3", **{f"aws_{name}": self.keys[f"AWS_{name.upper()}"]
                                   for name in ("access_key_id", "secret_access_key")})
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket="results")
        names = [entry["Key"] for page in pages for entry in page["Contents"]]
        return {name: s3.get_object(Bucket="results", Key=name, Range="bytes=0-15")["Body"].read() for name in names}

    def _client(self, service, **keys):
        keys = keys or {"aws_access_key_id": "first", "aws_secret_access_key": "first"}
        return boto3.client(service, endpoint_url=self.address, region_name="us-east-1", **keys)

    def _ask_for_keys(self, actions):
        """Let that many actions pass without a check of the keys."""
        requests.post(f"{self.address}/moto-api/reset-auth", data=actions, timeout=60).raise_for_status()

