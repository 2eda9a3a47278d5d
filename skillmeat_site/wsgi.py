"""The web process: `gunicorn skillmeat_site.wsgi`."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "skillmeat_site.settings")
os.environ.setdefault("SKILLMEAT_STATEMENT_TIMEOUT", "30")  # nobody waits longer for an answer than that
application = get_wsgi_application()
# What is loaded stays. A page of rows is thousands of objects without cycles: looking for some every 700 objects took
# a quarter of the time of large answers; every 10,000, it kept the rows of eighty pages (docs/performance.md).
gc.freeze()
gc.set_threshold(2_000, 20, 20)
