"""Onboarding: how ACR learns of an application, its addresses, its users and its redirect URLs."""
