"""Pages for administrators: who may sign in, with which role."""
