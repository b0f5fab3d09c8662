"""Makes srp_vectors.json's second half with pycognito: `pip install pycognito`, then `python3 make_vectors.py`."""
import base64
import hashlib
import json
import os

from pycognito import aws_srp
from pycognito.aws_srp import AWSSRP

PEOPLE = [
    ("us-east-1_AbCdEfGhI", "ann", "Correct-horse7"),
    ("eu-central-1_123456789", "e4b8a418-7011-70aa-3f5c-0123456789ab", "Pässwörter sind 1 Übel!"),
    ("us-east-1_zzzzzzzzz", "bob@example.com", "x" * 256),
    ("us-east-1_POOLNAME1", "名前", "パスワード1aA!"),
]
N = int(aws_srp.N_HEX, 16)


def vector(pool_id, user, password):
    pool = pool_id.split("_")[1]
    client = AWSSRP(username=user, password=password, pool_id=pool_id, client_id="c", client=object())
    salt = bytearray(os.urandom(16))
    salt[0] = 0x40 | (salt[0] & 0x3F)
    inner = hashlib.sha256(f"{pool}{user}:{password}".encode()).digest()
    x = int(hashlib.sha256(bytes(salt) + inner).hexdigest(), 16)
    b = os.urandom(32)
    srp_b = (client.val_k * pow(2, x, N) + pow(2, int.from_bytes(b, "big"), N)) % N
    block = os.urandom(64)
    timestamp = "Sat Nov 21 01:02:03 UTC 2026"
    key = client.get_password_authentication_key(user, password, srp_b, bytes(salt).hex())
    client.get_cognito_formatted_timestamp = lambda _now: timestamp
    answer = client.process_challenge(
        {"USER_ID_FOR_SRP": user, "SALT": bytes(salt).hex(), "SRP_B": f"{srp_b:x}",
         "SECRET_BLOCK": base64.b64encode(block).decode()}, {"USERNAME": user})
    return {
        "client": "pycognito", "pool": pool, "user": user, "password": password, "salt": bytes(salt).hex(),
        "srp_a": f"{client.large_a_value:x}", "b": b.hex(), "srp_b": f"{srp_b:x}", "key": key.hex(),
        "secret_block": block.hex(), "timestamp": answer["TIMESTAMP"],
        "signature": base64.b64decode(answer["PASSWORD_CLAIM_SIGNATURE"]).hex(),
    }


print(json.dumps([vector(*person) for person in PEOPLE * 2], indent=1))
