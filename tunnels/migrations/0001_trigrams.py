"""A trigram function of our own: the embedded PostgreSQL has no contrib, hence no pg_trgm."""

from __future__ import annotations

from django.db import migrations

CREATE = """
CREATE FUNCTION vpnconsole_trigrams(source text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
  SELECT coalesce(array_agg(DISTINCT substr(lower(source), i, 3)), '{}'::text[])
  FROM generate_series(1, length(source) - 2) AS i
$$
"""


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.RunSQL(CREATE, "DROP FUNCTION vpnconsole_trigrams(text)"),
    ]
