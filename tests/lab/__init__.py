"""The lab: true environments of conda and pip, built in seconds, for the end-to-end tests."""
