"""Transactions over several services: sagas, TCC, choreography, commit protocols, and the barrier of effects."""
