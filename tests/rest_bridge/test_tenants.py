"""Virtual clusters, topic mappings and user mappings in the reference's words."""

import json

import pytest
from werkzeug.test import Client

from rest_bridge.client import SidecarClient
from rest_bridge.wsgi import Bridge
from tests.rest_bridge.harness import INTERCEPTORS, PLUGIN, Http, interceptor
from tests.sidecar.api.harness import Control, basic, running

VCLUSTERS = "/admin/vclusters/v1"
TOPICS = f"{VCLUSTERS}/vcluster/london/topics"
USERS = "/admin/userMappings/v1"
TOKEN = f"{VCLUSTERS}/vcluster/london/username/sa"
VIEWER = basic("viewer", "looks")
ORDERS = '{"physicalTopicName":"orders","readOnly":false,"type":"alias"}'
ECHO = (
    '{"logicalTopicName":"in","clusterId":"main","physicalTopicName":"orders",'
    '"readOnly":false,"type":"ALIAS"}'
)


# Virtual clusters and their topics


def test_a_fresh_sidecar_lists_nothing(http: Http) -> None:
    for path in (VCLUSTERS, f"{VCLUSTERS}/"):
        answer = http("GET", path)
        assert (answer.status_code, answer.text) == (200, '{"vclusters":[]}')
    answer = http("GET", TOPICS)
    assert (answer.status_code, answer.text) == (200, "[]")


def test_a_token_alone_does_not_make_a_vcluster_listed(http: Http) -> None:
    assert http("POST", TOKEN, '{"lifeTimeSeconds":60}').status_code == 201

    assert http("GET", VCLUSTERS).text == '{"vclusters":[]}'
    assert http("GET", TOPICS).text == "[]"


@pytest.mark.parametrize("slash", ["", "/"])
def test_the_life_of_a_topic_mapping(http: Http, control: Control, slash: str) -> None:
    made = http("POST", f"{TOPICS}/in{slash}", ORDERS)

    assert (made.status_code, made.text) == (201, ECHO)
    assert http("GET", f"{VCLUSTERS}{slash}").text == '{"vclusters":["london"]}'
    assert http("GET", f"{TOPICS}{slash}").text == f"[{ECHO}]"
    [alias] = control.published[-1].alias_topics
    assert (alias.logical_name, alias.physical_name) == ("in", "orders")

    gone = http("DELETE", f"{TOPICS}/in{slash}")
    assert (gone.status_code, gone.text) == (204, "")
    assert http("DELETE", f"{TOPICS}/in{slash}").status_code == 404
    assert http("GET", VCLUSTERS).text == '{"vclusters":[]}'
    assert http("GET", f"{TOPICS}{slash}").text == "[]"


def test_deleting_all_topic_mappings_of_a_vcluster(http: Http) -> None:
    assert http.told("DELETE", TOPICS) == (404, 'there is no topic mapping in vcluster "london"')
    http("POST", f"{TOPICS}/in", ORDERS)
    http("POST", f"{TOPICS}/out", '{"physicalTopicName":"shared"}')
    http("POST", f"{VCLUSTERS}/vcluster/paris/topics/in", ORDERS)

    answer = http("DELETE", TOPICS)

    assert (answer.status_code, answer.text) == (204, "")
    assert http("GET", VCLUSTERS).text == '{"vclusters":["paris"]}'


def test_the_same_mapping_again_is_no_conflict(http: Http, control: Control) -> None:
    assert http("PUT", f"{TOPICS}/in", ORDERS).status_code == 201
    for method, status in (("POST", 201), ("PUT", 200)):
        answer = http(method, f"{TOPICS}/in", ORDERS)
        assert (answer.status_code, answer.text) == (status, ECHO)

    assert len(control.published) == 1


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_topic_mapping_does_not_move(http: Http, method: str) -> None:
    http("POST", f"{TOPICS}/in", ORDERS)

    assert http.told(method, f"{TOPICS}/in", '{"physicalTopicName":"shared"}') == (
        409,
        "You can't update the physicalTopicName for an existing topic mapping.",
    )


def test_other_conflicts_keep_their_own_words(http: Http) -> None:
    http("POST", f"{TOPICS}/in", ORDERS)

    status, message = http.told("POST", f"{TOPICS}/again", ORDERS)
    assert (status, message.split(":")[0]) == (
        409,
        "virtual cluster 'london' reaches topic 'orders' as 'in' already",
    )
    status, message = http.told("POST", f"{VCLUSTERS}/vcluster/lon/topics/in", ORDERS)
    assert status == 409
    assert message.startswith("virtual cluster 'lon' cannot stand beside 'london'")
    path = f"{VCLUSTERS}/vcluster/londonA/username/sa"
    status, message = http.told("POST", path, '{"lifeTimeSeconds":60}')
    assert status == 409
    assert message.startswith("virtual cluster 'londonA' cannot stand beside 'london'")


def test_the_physical_topic_must_exist(http: Http, control: Control) -> None:
    control.around.topics["dark"] = None

    assert http.told("POST", f"{TOPICS}/in", '{"physicalTopicName":"realTopic"}') == (
        400,
        "Physical topic named realTopic does not exist in your kafka cluster",
    )
    assert http.told("POST", f"{TOPICS}/in", '{"physicalTopicName":"dark"}') == (
        503,
        "Error when calling backend kafka to verify if topic named dark exists",
    )


BAD_TOPICS = [
    ("{}", "physicalTopicName is required"),
    ('{"physicalTopicName":7}', "physicalTopicName is 7, a string is needed"),
    (
        '{"physicalTopicName":"a b"}',
        "physicalTopicName is 'a b', allowed are letters, digits, '.', '_' and '-'",
    ),
    (
        '{"physicalTopicName":"__consumer_offsets"}',
        "physicalTopicName is '__consumer_offsets', no alias leads to names that begin with '_':"
        " those of Kafka's internal topics do",
    ),
    (
        '{"physicalTopicName":"londonX"}',
        "physicalTopicName is 'londonX', which virtual cluster 'london' has already:"
        " its clients call it 'X'",
    ),
    (
        '{"physicalTopicName":"orders","readOnly":true}',
        "readOnly is true, allowed are false",
    ),
    (
        '{"physicalTopicName":"orders","readOnly":0}',
        "readOnly is 0, allowed are false",
    ),
    (
        '{"physicalTopicName":"orders","autoManaged":true}',
        "autoManaged is true, allowed are false",
    ),
    (
        '{"physicalTopicName":"orders","type":"concentrated"}',
        'type is "concentrated", allowed are ALIAS',
    ),
    (
        '{"physicalTopicName":"orders","type":"al\u0131as"}',
        'type is "al\u0131as", allowed are ALIAS',
    ),
    ('{"physicalTopicName":"orders","type":null}', "type is null, a string is needed"),
    (
        '{"physicalTopicName":"orders","clusterId":"other"}',
        'clusterId is "other", allowed are main',
    ),
    (
        '{"physicalTopicName":"orders","concentrated":false}',
        "concentrated is not known, allowed are physicalTopicName, readOnly, type, autoManaged,"
        " clusterId",
    ),
    ("[]", "the body is [], a JSON object is needed"),
]


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize(("body", "message"), BAD_TOPICS)
def test_bad_topic_mappings(
    http: Http, control: Control, method: str, body: str, message: str
) -> None:
    assert http.told(method, f"{TOPICS}/in", body) == (400, message)
    assert control.published == []


@pytest.mark.parametrize("kind", ["ALIAS", "Alias", "alias"])
def test_the_type_is_taken_in_any_case_and_told_in_capitals(http: Http, kind: str) -> None:
    body = json.dumps(
        {
            "physicalTopicName": "orders",
            "type": kind,
            "autoManaged": False,
            "clusterId": "main",
        }
    )

    assert http("POST", f"{TOPICS}/in", body).text == ECHO


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (
            f"{VCLUSTERS}/vcluster/passthrough/topics/in",
            "vcluster is 'passthrough', which sees the cluster as it is:"
            " alias topics need another virtual cluster",
        ),
        (
            f"{VCLUSTERS}/vcluster/_schemas/topics/in",
            "vcluster is '_schemas', names that begin with '_' are reserved:"
            " those of Kafka's internal topics do",
        ),
        (
            f"{TOPICS}/a b",
            "logicalTopicName is 'a b', allowed are letters, digits, '.', '_' and '-'",
        ),
        (f"{TOPICS}/{'x' * 250}", "logicalTopicName has 250 characters, at most 249 are allowed"),
    ],
)
def test_bad_names_in_the_path_are_named(http: Http, path: str, message: str) -> None:
    assert http.told("POST", path, ORDERS) == (400, message)


def test_only_configured_vclusters_may_be_used() -> None:
    with running(configured=("teamA",)) as control:
        http = Http(Client(Bridge(SidecarClient(control.channel, "sidecar:50051"))))

        message = "vcluster is 'london', GATEWAY_VCLUSTERS allows teamA"
        assert http.told("POST", f"{TOPICS}/in", ORDERS) == (400, message)
        assert http.told("POST", TOKEN, '{"lifeTimeSeconds":60}') == (400, message)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_concentration_rules_are_not_there(http: Http, method: str) -> None:
    path = f"{VCLUSTERS}/vcluster/london/concentration-rules"

    assert http.told(method, path) == (
        501,
        "concentration rules are not supported, only topic mappings of type ALIAS",
    )
    assert http(method, path, authorization=None).status_code == 401
    assert http(method, path, authorization=basic("admin", "wrong")).status_code == 401


# User mappings


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize(
    ("base", "vcluster"),
    [(USERS, "passthrough"), (f"{USERS}/vcluster/teamA", "teamA")],
)
def test_the_life_of_a_user_mapping(http: Http, base: str, vcluster: str, slash: str) -> None:
    item = f"{base}/username/conduktor{slash}"
    assert http("GET", base + slash).text == "[]"

    made = http("POST", base + slash, '{"username":"conduktor","groups":["b","a"]}')
    assert (made.status_code, made.text) == (201, '{"message":"User mapping is created"}')
    assert http("GET", base + slash).text == '["conduktor"]'
    found = http("GET", item)
    assert found.status_code == 200
    assert found.text == (
        f'{{"vcluster":"{vcluster}","username":"conduktor","principal":"conduktor",'
        '"groups":["a","b"]}'
    )

    put = http("PUT", item, '{"username":"conduktor","principal":"CN=c","groups":["c"]}')
    assert (put.status_code, put.text) == (204, "")
    changed = json.loads(http("GET", item).text)
    assert (changed["principal"], changed["groups"]) == ("CN=c", ["c"])

    gone = http("DELETE", item)
    assert (gone.status_code, gone.text) == (204, "")
    assert http("GET", base + slash).text == "[]"
    missing = f"there is no user mapping 'conduktor' in virtual cluster '{vcluster}'"
    assert http.told("DELETE", item) == (404, missing)
    assert http.told("GET", item) == (404, missing)


def test_put_creates_a_user_mapping(http: Http) -> None:
    answer = http("PUT", f"{USERS}/vcluster/teamA/username/alice", "{}")

    assert (answer.status_code, answer.text) == (201, '{"message":"User mapping is created"}')
    assert http("GET", f"{USERS}/vcluster/teamA").text == '["alice"]'


def test_passthrough_by_name_is_passthrough(http: Http) -> None:
    http("POST", f"{USERS}/vcluster/passthrough", '{"username":"alice"}')

    assert http("GET", USERS).text == '["alice"]'


def test_a_user_is_mapped_once(http: Http) -> None:
    http("POST", USERS, '{"username":"alice"}')

    assert http.told("POST", USERS, '{"username":"alice"}') == (
        409,
        "user mapping 'alice' in virtual cluster 'passthrough' exists",
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("{}", "username is required"),
        ('{"username":null}', "username is null, a string is needed"),
        ('{"username":""}', "username must not be empty"),
        ('{"username":"a/b"}', "username is 'a/b', allowed are printable characters without '/'"),
        ('{"username":"a","principal":""}', "principal must not be empty"),
        ('{"username":"a","principal":7}', "principal is 7, a string is needed"),
        ('{"username":"a","groups":"dev"}', 'groups is "dev", a list of strings is needed'),
        ('{"username":"a","groups":["dev",7]}', "groups[1] is 7, a string is needed"),
        ('{"username":"a","groups":["dev",""]}', "groups[1] must not be empty"),
        (
            '{"username":"a","groups":["y/z","\\u0000"]}',
            "groups[0] is 'y/z', allowed are printable characters without '/';"
            " groups[1] is '\\x00', allowed are printable characters without '/'",
        ),
        (
            '{"username":"a","group":"dev"}',
            "group is not known, allowed are username, principal, groups",
        ),
    ],
)
def test_bad_user_mappings(http: Http, control: Control, body: str, message: str) -> None:
    assert http.told("POST", USERS, body) == (400, message)
    assert control.published == []


def test_body_and_path_must_not_name_different_users(http: Http) -> None:
    assert http.told("PUT", f"{USERS}/username/alice", '{"username":"bob"}') == (
        400,
        'username is "bob", but the path says "alice"',
    )


def test_user_mappings_decide_what_resolves(http: Http) -> None:
    http("POST", f"{INTERCEPTORS}/vcluster/teamA/group/dev/interceptor/x", interceptor())
    body = '{"vcluster":"teamA","username":"alice"}'
    assert http("POST", f"{INTERCEPTORS}/resolve", body).text == "[]"

    http("POST", f"{USERS}/vcluster/teamA", '{"username":"alice","groups":["dev"]}')

    [found] = json.loads(http("POST", f"{INTERCEPTORS}/resolve", body).text)
    assert (found["configName"], found["scope"], found["group"]) == ("x", "GROUP", "dev")


# Both


WRITES = [
    ("POST", f"{TOPICS}/in", ORDERS),
    ("PUT", f"{TOPICS}/in", ORDERS),
    ("DELETE", f"{TOPICS}/in", None),
    ("DELETE", TOPICS, None),
    ("POST", USERS, '{"username":"a"}'),
    ("PUT", f"{USERS}/username/a", "{}"),
    ("DELETE", f"{USERS}/username/a", None),
]
READS = [VCLUSTERS, TOPICS, USERS, f"{USERS}/vcluster/teamA"]


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
def test_viewers_and_strangers_may_not_write(
    http: Http, control: Control, method: str, path: str, body: str | None
) -> None:
    viewer = http(method, path, body, authorization=VIEWER)

    assert viewer.status_code == 403
    assert json.loads(viewer.text)["message"].startswith("You do not have permission")
    for stranger in (None, basic("admin", "wrong")):
        assert http(method, path, body, authorization=stranger).status_code == 401
    assert control.published == []


@pytest.mark.parametrize("path", READS)
def test_viewers_may_read_and_strangers_not(http: Http, path: str) -> None:
    assert http("GET", path, authorization=VIEWER).status_code == 200
    assert http("GET", path, authorization=None).status_code == 401


def test_plugins_tell_about_themselves(http: Http) -> None:
    answer = http("GET", "/admin/plugins/v1/extended")

    assert answer.status_code == 200
    plugin, *_ = json.loads(answer.text)["plugins"]
    assert list(plugin) == ["plugin", "pluginId", "tags", "readme"]
    assert list(plugin["tags"]) == ["parent", "license", "description", "title", "version"]
    assert (plugin["plugin"], plugin["tags"]["version"]) == (PLUGIN, "1.2.3")
    assert "| `rateInPercent` |" in plugin["readme"]
    assert http("GET", "/admin/plugins/v1/extended", authorization=None).status_code == 401
