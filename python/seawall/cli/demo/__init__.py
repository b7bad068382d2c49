"""`seawall demo`: an unreliable service with and without guards, under five patterns of load."""
