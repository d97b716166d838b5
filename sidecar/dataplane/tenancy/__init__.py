"""A virtual cluster: logical names for its clients, physical ones on the cluster, others' hidden.

`names` says how a name is spelled on either side, `topic_ids` whose an id is. Messages are
rewritten wire to wire by the roles their fields have in the codec's tables (`hooks`); what no role
can say, such as a name whose kind another field tells, is edited first (`edits`). `policy` tells
which APIs a virtual cluster has; `mapping` puts it together.
"""

from sidecar.dataplane.tenancy.exchange import NAME_LIMIT, Exchange
from sidecar.dataplane.tenancy.hooks import Advertise
from sidecar.dataplane.tenancy.mapping import Mapped, Tenancy
from sidecar.dataplane.tenancy.names import Names
from sidecar.dataplane.tenancy.topic_ids import TopicDirectory

__all__ = ["NAME_LIMIT", "Advertise", "Exchange", "Mapped", "Names", "Tenancy", "TopicDirectory"]
