"""Finding devices: sockets that ask and listen. What octets mean is in `ayni_core.discovery`."""
