"""The reference's admin API v2: resources with kind, apiVersion, metadata and spec.

They are upserted by PUT, which `dryMode` makes a rehearsal, and deleted by what is in the body
where a name alone does not tell which one is meant. What is not known of the reference, and what is
different here, is told in docs/rest-v2.md.
"""
