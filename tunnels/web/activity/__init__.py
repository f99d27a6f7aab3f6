"""The activity page: everything that anybody did."""
