"""Synthetic people and registry exams, made from a seed; nothing here describes a real person."""
