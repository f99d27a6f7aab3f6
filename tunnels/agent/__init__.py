"""The agent: beside charon on each VPN gateway it makes true what the console wants, and says what it sees.

observe → plan (pure) → apply → report. It knows the contract and the domain, and never Django.
"""
