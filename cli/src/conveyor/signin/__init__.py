"""The sign-in of a development machine: OpenID Connect's code flow, where one picks who one is.

clients.py: who may ask, and where answers go; asking.py: a request to sign in; once.py: what holds once, not for long;
exchange.py: a code for tokens; people.py: who can be picked; page.py: what is shown; app.py: the doors.
"""
