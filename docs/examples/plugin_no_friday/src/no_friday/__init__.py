"""A plugin for seatrial: a risk rule, a latency model and an observer."""
