"""The shared rim: MQTT, SNMP, files, command line, process set-up."""
