"""Sagas by orchestration."""

__all__: list[str] = []
