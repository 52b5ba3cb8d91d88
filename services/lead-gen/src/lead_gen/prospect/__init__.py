"""The prospect: one stream a client, from the first entry until it is handed over. Read: commands, events, state,
decide (what happens when), offering (how a lead leaves), evolve.
"""
