"""A customer's own device configuration, read and compared with the tunnel. Nothing here stores or echoes it."""
