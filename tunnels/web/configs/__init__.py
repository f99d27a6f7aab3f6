"""The file for the device at the other end: choose the device, see the file, download it."""
