"""The page of one VPN gateway: its facts, its tunnels, and the agent that makes them real."""
