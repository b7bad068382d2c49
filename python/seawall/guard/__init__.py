"""Guards: policies that decide whether, when and how a call is made."""
