"""Settings for the tests: the console's own, over a PostgreSQL of their own.

DATABASE_URL, when given, names the server to use instead; its role must be allowed to make
databases.
"""

from __future__ import annotations

from tests.cluster import database_settings
from vpnconsole.settings import *  # noqa: F403

DATABASES = {"default": database_settings()}
# Test pages name their files plainly, so that nothing has to be collected first.
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# Outermost, so that it sees what leaves.
MIDDLEWARE = ["tests.canary.CanaryMiddleware", *MIDDLEWARE]  # noqa: F405
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
# Real hashing costs a quarter of a second a login.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
