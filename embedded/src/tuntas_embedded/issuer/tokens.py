"""The signing key of the development issuer, and tokens signed with it."""

import hashlib
import time
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from tuntas_embedded.folder import write_private
from tuntas_operations.errors import StackError

AUDIENCE = "tuntas"
ALGORITHM = "ES256"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An ES256 key of one issuer. `issuer` is the URL in `iss`."""

    issuer: str
    key_id: str
    private: ec.EllipticCurvePrivateKey

    @classmethod
    def of_file(cls, file: Path, issuer: str) -> "SigningKey":
        """The key kept in a file (PEM, 0600), made at the first asking.

        Raises:
            StackError: the file holds something else.
        """
        if not file.exists():
            made = ec.generate_private_key(ec.SECP256R1())
            pem = made.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
            write_private(file, pem.decode("ascii"))
        try:
            private = serialization.load_pem_private_key(file.read_bytes(), password=None)
        except (OSError, ValueError) as error:
            raise StackError(f"{file} holds no readable signing key ({error}): remove it to have a new one") from error
        if not isinstance(private, ec.EllipticCurvePrivateKey):
            raise StackError(f"{file} holds a key of another kind than ES256 needs: remove it to have a new one")
        point = private.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint)
        return cls(issuer, hashlib.sha256(point).hexdigest()[:16], private)

    def public_jwk(self) -> dict[str, Any]:
        """The public half as a JSON Web Key (RFC 7517)."""
        jwk: dict[str, Any] = ECAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        return jwk | {"kid": self.key_id, "use": "sig", "alg": ALGORITHM}


def mint_token(
    key: SigningKey,
    *,
    sub: str,
    roles: Collection[str],
    agency: str | None = None,
    name: str | None = None,
    ttl_s: int = 3600,
) -> str:
    """A signed bearer token, good for `ttl_s` seconds of real time from now (negative: already expired)."""
    now = int(time.time())
    claims: dict[str, Any] = {
        "iss": key.issuer,
        "aud": AUDIENCE,
        "sub": sub,
        "iat": min(now, now + ttl_s),
        "exp": now + ttl_s,
        "jti": str(uuid.uuid4()),
        "roles": sorted(roles),
        "name": name or sub,
    }
    if agency is not None:
        claims["agency"] = agency
    return jwt.encode(claims, key.private, algorithm=ALGORITHM, headers={"kid": key.key_id, "typ": "at+jwt"})
