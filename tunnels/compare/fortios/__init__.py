"""Reader of FortiOS configurations, as `show` and `show full-configuration` print them."""
