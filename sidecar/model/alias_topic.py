"""Topics that a virtual cluster sees under another name."""

from dataclasses import dataclass

from sidecar.model.errors import FieldViolation, InvalidArgument
from sidecar.model.names import PASSTHROUGH, topic_name, virtual_cluster_name


@dataclass(frozen=True, slots=True)
class AliasTopic:
    """A topic of the cluster that clients of one virtual cluster reach by a name of its own.

    Args:
        virtual_cluster: whose clients; not ``passthrough``, which sees the cluster as it is.
        logical_name: what they call the topic.
        physical_name: what the cluster calls it; neither an internal topic (``_...``) nor one that
            the virtual cluster reaches by its prefix, which would have two names.

    Raises:
        InvalidArgument: a name is not one of these; all of them are reported at once.
    """

    virtual_cluster: str
    logical_name: str
    physical_name: str

    def __post_init__(self) -> None:
        violations: list[FieldViolation] = []
        for check in (self._check_virtual_cluster, self._check_logical, self._check_physical):
            try:
                check()
            except InvalidArgument as error:
                violations += error.violations
        if violations:
            raise InvalidArgument(*violations)

    def _check_virtual_cluster(self) -> None:
        if virtual_cluster_name(self.virtual_cluster) == PASSTHROUGH:
            raise InvalidArgument.of(
                "virtual_cluster",
                f"virtual_cluster is {PASSTHROUGH!r}, which sees the cluster as it is:"
                " alias topics need another virtual cluster",
            )

    def _check_logical(self) -> None:
        topic_name(self.logical_name, "logical_name")

    def _check_physical(self) -> None:
        name = topic_name(self.physical_name, "physical_name")
        if name.startswith("_"):
            raise InvalidArgument.of(
                "physical_name",
                f"physical_name is {name!r}, no alias leads to names that begin with '_':"
                " those of Kafka's internal topics do",
            )
        prefix = self.virtual_cluster
        if prefix and name.startswith(prefix):
            raise InvalidArgument.of(
                "physical_name",
                f"physical_name is {name!r}, which virtual cluster {prefix!r} has already:"
                f" its clients call it {name.removeprefix(prefix)!r}",
            )
