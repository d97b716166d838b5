"""The declared messages: one module for each API, named after it.

To add an API:

1. Write `codec/messages/<name>.py` with `<Name>Request(Request, key=..., versions=...)` and
   `<Name>Response(Response, ...)`. `versions` says which ones the table covers, newest included.
   The module's docstring names key, versions, the first flexible one, and the quirks.
2. Declare the fields in wire order, in snake_case of Kafka's names, each with the versions that
   have it: `throttle_time_ms = int32("1+")`. Struct classes stand inside the class that uses them,
   before its fields, under the names of Kafka's message definitions; one that is used in two
   places stands at the top of the module.
   - `nullable` gives the versions in which null is allowed, `default` what an absent field holds.
   - Tagged fields have `tag`, and their place among the others does not matter.
   - `role` marks what a proxy has to rename or hide: topics, groups, transactional ids, patterns
     over such names, topic ids, error texts, bytes with names in them, and each field of a
     broker's node id, host, port triple. Check the whole message for them: a role left out is a
     name that leaks. A text, bytes or an id without one has to be named in
     tests/codec/test_roles.py, with the reason.
   - `sparse=True` is for fields that are nearly always null (if they may be) or empty, and stand
     between others of fixed size. It changes speed only.
3. Add a line to the table in codec.registry, in the order of keys. Its first flexible version is
   in codec.api_keys already.
4. Add the vectors of Kafka's own classes for it to tests/vectors, and their number to the tests.
   Everything else is tested by walking the registry.

A declaration can say whatever Kafka's message definitions say of requests and responses, but for
a tagged struct that may be null, which no message has.
"""
