"""What browser SDKs ask their vendor for before they send anything: here, to send to this collector, and nothing else.

`@segment/analytics-next` asks where `cdnURL` is changed, too; RudderStack's where `configUrl` is.
"""

from typing import Any

from aiohttp import web

from stream.web.collector.access import Access
from stream.web.collector.sender_address import SenderAddress


class SdkSettings:
    """Answers them."""

    def __init__(self, access: Access, proxies: SenderAddress) -> None:
        """`proxies` are believed in which protocol browsers speak with them."""
        self._access, self._proxies = access, proxies

    async def of_segment(self, request: web.Request) -> web.StreamResponse:
        """For `GET /v1/projects/{key}/settings`. Raises Refused: 401 for a key that is nobody's, 403 by origin."""
        key = request.match_info["key"]
        self._access.of_key(request, key)
        ours = {"apiKey": key, "apiHost": f"{request.host}/v1", "protocol": self._protocol(request)}
        return web.json_response(
            {
                "integrations": {"Segment.io": {**ours, "unbundledIntegrations": [], "addBundledMetadata": False}},
                "plan": {"track": {"__default": {"enabled": True, "integrations": {}}}},
                "edgeFunction": {},
                "analyticsNextEnabled": True,
                "enabledMiddleware": {},
                "remotePlugins": [],
                "metrics": {"sampleRate": 0},  # else it reports its own errors to its vendor
            }
        )

    async def of_rudderstack(self, request: web.Request) -> web.StreamResponse:
        """For `GET /sourceConfig`; raises as `of_segment`."""
        source = self._access.required(request)
        off = {"enabled": False}
        about: dict[str, Any] = {
            "id": source.name or "collector",
            "name": source.name or "collector",
            "writeKey": request.query.get("writeKey", ""),
            "enabled": True,
            "workspaceId": "collector",
            "config": {"statsCollection": {"errors": off, "metrics": off}},
            "dataplanes": {},
            "destinations": [],
        }
        return web.json_response({"source": about, "updatedAt": "1970-01-01T00:00:00.000Z"})

    def _protocol(self, request: web.Request) -> str:
        forwarded = request.headers.get("X-Forwarded-Proto", "").partition(",")[0].strip().lower()
        if forwarded in ("http", "https") and self._proxies.trusts_peer_of(request):
            return forwarded
        return request.scheme
