"""TLS: keys and certificates from files, contexts that follow them, and sockets for the relay.

`stores` reads what is in a file, `contexts` makes an `ssl.SSLContext` of it and makes it anew when
the files change, `principals` says who a client's certificate is of. `net.secure` has the sockets.
"""
