"""Sight: metrics, traces, logs, alerts, profiles and a dashboard of the running service."""
