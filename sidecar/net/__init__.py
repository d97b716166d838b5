"""Sockets: everything here runs on the gevent hub and carries out what the data plane decides."""
