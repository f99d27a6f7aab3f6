"""What step 1 offers: the gateways, each list narrowed by the choices before it."""

from __future__ import annotations

from dataclasses import dataclass

from tunnels.models import CustomerGateway, GatewayType, Region, Vpc, VpnGateway


@dataclass(frozen=True, kw_only=True)
class Offers:
    """All gateways, read in two queries. Only regions and VPCs that have a VPN gateway are worth choosing."""

    vpn_gateways: tuple[VpnGateway, ...]
    customer_gateways: dict[str, CustomerGateway]

    @classmethod
    def read(cls) -> Offers:
        """The gateways as they are now."""
        gateways = VpnGateway.objects.select_related("region", "vpc__region", "ccn")
        customers = CustomerGateway.objects.all()
        return cls(
            vpn_gateways=tuple(gateways),
            customer_gateways={customer.public_id: customer for customer in customers},
        )

    def regions(self) -> dict[str, Region]:
        """Regions by code, in the order of their names."""
        found = {gateway.region.code: gateway.region for gateway in self.vpn_gateways}
        return dict(sorted(found.items(), key=lambda item: item[1].name))

    def vpcs(self, region: str) -> dict[str, Vpc]:
        """The region's VPCs by public id."""
        return {
            gateway.vpc.public_id: gateway.vpc
            for gateway in self.vpn_gateways
            if gateway.vpc and gateway.region.code == region
        }

    def gateways(self, region: str, kind: str, vpc: str) -> dict[str, VpnGateway]:
        """VPN gateways by public id: of the region and type, and of the VPC when the type is VPC."""
        return {
            gateway.public_id: gateway
            for gateway in self.vpn_gateways
            if gateway.region.code == region
            and gateway.type == kind
            and (kind == GatewayType.CCN or (gateway.vpc and gateway.vpc.public_id == vpc))
        }
