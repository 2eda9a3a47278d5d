# One image for both processes: the web server, and with `python manage.py worker` as its command the worker.
FROM python:3.11-slim

RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/skillmeat skillmeat
WORKDIR /opt/skillmeat
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt

COPY manage.py LICENSE ./
COPY skillmeat_site skillmeat_site
COPY marketplace marketplace
COPY collections_app collections_app
COPY deployment_sets deployment_sets
COPY templates templates
COPY examples examples

# Whoever asks is never on the container's own loopback, so single-user mode would answer nobody.
ENV SKILLMEAT_DATA_DIR=/var/lib/skillmeat \
    SKILLMEAT_AUTH=multi-user \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER skillmeat
VOLUME /var/lib/skillmeat
EXPOSE 8000

# SKILLMEAT_ALLOWED_HOSTS has to hold 127.0.0.1 for this. A worker has no port: start it with --no-healthcheck.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["gunicorn", "skillmeat_site.wsgi", "--bind", "0.0.0.0:8000", "--workers", "2", "--threads", "4", "--no-control-socket", "--limit-request-line", "8190"]
