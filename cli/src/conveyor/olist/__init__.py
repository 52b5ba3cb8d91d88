"""Feeds the Olist marketing funnel through the station APIs, in time order, as its clients lived it."""
