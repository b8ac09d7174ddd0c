"""Times of day for orchestrator: an example of a package that brings parts for program files."""
