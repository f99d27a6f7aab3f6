"""The Django project of VPN Console: environment, settings, urls and the processes it runs."""
