"""The ACR Connect authentication service: an OpenID Connect provider on OAuth 2.0 (facts N1.1 to N1.33, U1 to U8).

`blueprint` gives its endpoints, `openapi` their description; `tokens.authenticate_bearer` guards the registry APIs.
"""

from __future__ import annotations

from mockserver.auth.openapi import openapi
from mockserver.auth.views import blueprint

__all__ = ["blueprint", "openapi"]
