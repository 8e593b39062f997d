"""The control API: how a person, a run or a test moves the simulated ACR; by token, on JSON, never judged."""

from mockserver.control.blueprint import blueprint
from mockserver.control.describe import openapi

__all__ = ["blueprint", "openapi"]
