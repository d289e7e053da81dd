"""Speed of our backends, beside pynenc's own and plain sqlite3, measured in one run.

Absolute times say as much about the machine as about the code; the ratios between the
contenders of one run are the result.
"""
