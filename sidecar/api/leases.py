"""LeaseService: translate, call control, translate back."""

import grpc

from sidecar.api import controls
from sidecar.api.violations import below
from sidecar.control.leases import LeaseService
from sidecar.gen.kafka.chaos.v1 import lease_service_pb2 as lpb
from sidecar.gen.kafka.chaos.v1 import lease_service_pb2_grpc as lpb_grpc

Context = grpc.ServicerContext


class LeaseServicer(lpb_grpc.LeaseServiceServicer):
    """The door to the leases."""

    def __init__(self, leases: LeaseService) -> None:
        self._leases = leases

    def CreateLease(
        self, request: lpb.CreateLeaseRequest, context: Context
    ) -> lpb.CreateLeaseResponse:
        """Create, as the proto says."""
        with below("lease"):
            wanted = controls.lease_from_proto(request.lease)
        view = self._leases.create(wanted)
        return lpb.CreateLeaseResponse(lease=controls.lease_to_proto(view))

    def RenewLease(
        self, request: lpb.RenewLeaseRequest, context: Context
    ) -> lpb.RenewLeaseResponse:
        """Renew, as the proto says."""
        given = request.HasField("duration")
        duration = controls.seconds_of(request.duration) if given else None
        view = self._leases.renew(request.name, duration)
        return lpb.RenewLeaseResponse(lease=controls.lease_to_proto(view))

    def ReleaseLease(
        self, request: lpb.ReleaseLeaseRequest, context: Context
    ) -> lpb.ReleaseLeaseResponse:
        """Release, as the proto says."""
        self._leases.release(request.name, allow_missing=request.allow_missing)
        return lpb.ReleaseLeaseResponse()

    def ListLeases(
        self, request: lpb.ListLeasesRequest, context: Context
    ) -> lpb.ListLeasesResponse:
        """List, as the proto says."""
        views = self._leases.list()
        return lpb.ListLeasesResponse(leases=[controls.lease_to_proto(view) for view in views])
