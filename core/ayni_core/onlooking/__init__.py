"""What an onlooker knows of the network, and what of it needs somebody: for console and phone page."""
