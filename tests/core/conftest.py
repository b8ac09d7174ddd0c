from hypothesis import settings

# The definitions compared with are slow by design, and a busy machine is no failure: no time limits.
settings.register_profile("reference", deadline=None)
settings.load_profile("reference")
