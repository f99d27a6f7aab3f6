import django.contrib.postgres.indexes
import django.db.models.functions.text
import tunnels.models.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tunnels", "0002_tables"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="customergateway",
            index=models.Index(
                django.db.models.functions.text.Lower("name"),
                models.F("id"),
                name="customer_gateway_by_name",
            ),
        ),
        migrations.AddIndex(
            model_name="customergateway",
            index=django.contrib.postgres.indexes.GinIndex(
                tunnels.models.fields.Trigrams("name"), name="customer_gateway_name_trigrams"
            ),
        ),
        migrations.AddIndex(
            model_name="vpngateway",
            index=django.contrib.postgres.indexes.GinIndex(
                tunnels.models.fields.Trigrams("name"), name="vpn_gateway_name_trigrams"
            ),
        ),
    ]
