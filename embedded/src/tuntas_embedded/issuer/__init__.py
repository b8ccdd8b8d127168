"""A token issuer for development: OIDC discovery, JWKS, client credentials. Its time is real, never the simulated clock."""

from tuntas_embedded.issuer.tokens import AUDIENCE, SigningKey, mint_token

__all__ = ["AUDIENCE", "SigningKey", "mint_token"]
