"""Is the service well, and what is done when it is not: health, resources, anomalies, recovery, shutdown."""
