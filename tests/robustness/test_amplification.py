"""What a request may cost for its size, where the cost is more than its bytes."""

import time

from codec.api_keys import ApiKey
from codec.messages.create_topics import CreateTopicsRequest, CreateTopicsResponse
from codec.registry import SUPPORTED
from tests.support.messages import read_response, response
from tests.support.sessions import Client, to_client


def test_many_names_quoted_in_many_messages_do_not_stop_the_hub() -> None:
    """The work is to grow with the answer, not with its square."""
    speaks = {key: (api.min_version, api.max_version) for key, api in SUPPORTED.items()}
    client = Client(secured=True, upstream=[speaks])
    client.authenticates()
    names = [f"topic-{n}" for n in range(20_000)]
    wanted = [CreateTopicsRequest.CreatableTopic(name=name) for name in names]
    client.sends(CreateTopicsRequest(topics=wanted), 5, 1)
    results = [
        CreateTopicsResponse.CreatableTopicResult(
            name=f"teamA{name}", error_code=36, error_message=f"Topic 'teamA{name}' exists."
        )
        for name in names
    ]
    answer = response(CreateTopicsResponse(topics=results), 5, 1)
    began = time.perf_counter()
    actions = client.broker_answers(answer)
    assert time.perf_counter() - began < 3  # a quadratic one takes a minute
    [data] = to_client(actions)
    _, mapped = read_response(ApiKey.CREATE_TOPICS, 5, data)
    assert [topic.error_message for topic in mapped.topics] == [
        f"Topic '{name}' exists." for name in names
    ]
