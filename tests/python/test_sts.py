"""Who am I: the first call that anybody makes."""

import pytest
from botocore import UNSIGNED
from botocore.exceptions import ClientError


def test_the_administrator_is_known_by_its_keys(homeport):
    identity = homeport.client("sts").get_caller_identity()
    assert len(identity["Account"]) == 12
    assert identity["Arn"] == f"arn:aws:iam::{identity['Account']}:user/administrator"
    assert identity["UserId"].startswith("AIDA")


def test_a_wrong_secret_is_refused(homeport):
    own = homeport.credentials()
    sts = homeport.client("sts", own["accessKeyId"], "x" * 40)
    with pytest.raises(ClientError) as refused:
        sts.get_caller_identity()
    assert refused.value.response["Error"]["Code"] == "SignatureDoesNotMatch"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_an_unknown_key_is_refused(homeport):
    sts = homeport.client("sts", "AKIAAAAAAAAAAAAAAAAA", "x" * 40)
    with pytest.raises(ClientError) as refused:
        sts.get_caller_identity()
    assert refused.value.response["Error"]["Code"] == "InvalidClientTokenId"


def test_no_signature_is_refused(homeport):
    sts = homeport.client("sts", signature_version=UNSIGNED)
    with pytest.raises(ClientError) as refused:
        sts.get_caller_identity()
    assert refused.value.response["Error"]["Code"] == "MissingAuthenticationToken"
