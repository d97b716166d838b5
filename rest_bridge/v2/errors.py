"""The shape of v2's errors, and what its requests call the fields of our API."""

from rest_bridge.errors import Refusal, Words
from rest_bridge.json_body import Json

WORDS = Words(
    {
        # Both are kept in the annotations, whose size is limited.
        "interceptor.annotations": "spec.comment with spec.config",
        "interceptor.priority": "spec.priority",
        "interceptor.name": "metadata.name",
        "interceptor.ttl": "spec.control.ttlSeconds",
        "interceptor.expire_time": "spec.control.expireTime",
        "interceptor.lease": "spec.control.lease",
        "interceptor.scope.virtual_cluster": "metadata.scope.vCluster",
        "interceptor.scope.group": "metadata.scope.group",
        "interceptor.scope.username": "metadata.scope.username",
        "scope.virtual_cluster": "vCluster",
        "scope.group": "group",
        "scope.username": "username",
        "user_mapping.virtual_cluster": "metadata.vCluster",
        "user_mapping.username": "metadata.name",
        "user_mapping.principal": "spec.externalNames[0]",
        "alias_topic.virtual_cluster": "metadata.vCluster",
        "alias_topic.logical_name": "metadata.name",
        "alias_topic.physical_name": "spec.physicalName",
        "virtual_cluster.name": "metadata.name",
        "group.name": "metadata.name",
        "group.members": "spec.members",
        "virtual_cluster": "vCluster",
        "lifetime_seconds": "lifeTimeSeconds",
    },
    "spec.config",
    "spec.control",
)

_NOUNS = {
    "interceptor": "interceptor",
    "virtual-cluster": "virtual cluster",
    "alias-topic": "alias topic",
    "service-account": "service account",
    "group": "group",
}
"""What the first part of a path below /gateway/v2 is about."""

_TITLES = {
    400: "The request is not valid",
    401: "The given credentials are not valid",
    403: "The given user may only read",
    405: "The method is not allowed",
    409: "The request conflicts with what is there",
    413: "The body is too long",
    429: "There is no room for more",
    501: "This is not supported",
    503: "The sidecar cannot do this now",
    504: "The sidecar did not answer in time",
}
_UNEXPECTED = "An unexpected error occurred in the server"


def body(refusal: Refusal, method: str, path: str) -> dict[str, Json]:
    """Return what the caller is told of a refusal to do `method` at `path`."""
    if refusal.status == 401:  # known of the reference to the letter
        return {"title": _TITLES[401]}
    title = _TITLES.get(refusal.status, _UNEXPECTED)
    if refusal.status == 404:
        title = _missing(refusal, method, path)
    return {"title": title, "msg": str(refusal)}


def _missing(refusal: Refusal, method: str, path: str) -> str:
    noun = _NOUNS.get(f"{path}///".split("/")[3])
    if refusal.code is None or noun is None:
        return "There is no such path"
    if method == "PUT":
        return "The request refers to what does not exist"
    return f"The given {noun} does not exist"
