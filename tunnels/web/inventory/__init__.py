"""Pages to manage regions, VPCs, CCNs, VPN gateways and customer gateways."""
