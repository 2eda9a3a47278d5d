"""The web process: `gunicorn skillmeat_site.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "skillmeat_site.settings")
os.environ.setdefault("SKILLMEAT_STATEMENT_TIMEOUT", "30")  # nobody waits longer for an answer than that
application = get_wsgi_application()
