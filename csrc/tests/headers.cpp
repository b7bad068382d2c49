// Nothing: its target has the precompiled headers that all others take from it.
