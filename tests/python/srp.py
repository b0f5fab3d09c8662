"""Sign-in by SRP as Cognito's clients do it: the password never leaves the client."""

import base64
import datetime
import hashlib
import hmac
import secrets

# RFC 3526, section 4.
N = int(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
    "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F"
    "83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B"
    "E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510"
    "15728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7"
    "ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C"
    "BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF",
    16,
)
G = 2


def padded(number):
    """Big endian, with a zero in front where the first bit is set."""
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


def hashed(*parts):
    return int.from_bytes(hashlib.sha256(b"".join(parts)).digest(), "big")


K = hashed(padded(N), padded(G))


class SignIn:
    """One sign-in, in its two steps, which may go to different nodes."""

    def __init__(self, pool, name, password):
        self.pool, self.name, self.password = pool, name, password
        self.secret = secrets.randbits(1024)
        self.public = pow(G, self.secret, N)

    def begin(self, client):
        given = {"USERNAME": self.name, "SRP_A": f"{self.public:x}"}
        asked = client.initiate_auth(ClientId=self.pool.app, AuthFlow="USER_SRP_AUTH", AuthParameters=given)
        self.challenge = asked["ChallengeParameters"]
        return self

    def finish(self, client):
        """`IdToken`, `AccessToken` and `RefreshToken`."""
        given = self.challenge
        now = datetime.datetime.now(datetime.timezone.utc)
        stamp = f"{now:%a %b} {now.day} {now:%H:%M:%S} UTC {now:%Y}"
        place = self.pool.id.split("_")[1]
        said = f"{place}{given['USER_ID_FOR_SRP']}".encode()
        said += base64.b64decode(given["SECRET_BLOCK"]) + stamp.encode()
        signature = hmac.new(self.key(place), said, hashlib.sha256).digest()
        answer = client.respond_to_auth_challenge(
            ClientId=self.pool.app,
            ChallengeName="PASSWORD_VERIFIER",
            ChallengeResponses={
                "USERNAME": given["USER_ID_FOR_SRP"],
                "PASSWORD_CLAIM_SECRET_BLOCK": given["SECRET_BLOCK"],
                "PASSWORD_CLAIM_SIGNATURE": base64.b64encode(signature).decode(),
                "TIMESTAMP": stamp,
            },
        )
        return answer["AuthenticationResult"]

    def key(self, place):
        theirs, salt = int(self.challenge["SRP_B"], 16), int(self.challenge["SALT"], 16)
        scrambling = hashed(padded(self.public), padded(theirs))
        identity = f"{place}{self.challenge['USER_ID_FOR_SRP']}:{self.password}".encode()
        x = hashed(padded(salt), hashlib.sha256(identity).digest())
        shared = pow(theirs - K * pow(G, x, N), self.secret + scrambling * x, N)
        extracted = hmac.new(padded(scrambling), padded(shared), hashlib.sha256).digest()
        return hmac.new(extracted, b"Caldera Derived Key\x01", hashlib.sha256).digest()[:16]
