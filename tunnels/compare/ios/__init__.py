"""Reader of Cisco IOS and IOS-XE configurations, as `show running-config` prints them."""
