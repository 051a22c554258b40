from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="decision",
            name="number",
            field=models.IntegerField(default=0),
        ),
        migrations.AddField(
            model_name="modelendpoint",
            name="upstream_model",
            field=models.CharField(blank=True, default="", max_length=200),
        ),
        migrations.AddField(
            model_name="session",
            name="calls_used",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="session",
            name="tokens_used",
            field=models.BigIntegerField(default=0),
        ),
    ]
