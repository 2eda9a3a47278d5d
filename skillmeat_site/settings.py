"""Every setting of the product, from environment variables only; README.md lists them for people."""

from pathlib import Path

from skillmeat_site import configuration as env

BASE_DIR = Path(__file__).resolve().parent.parent

# --- Our own numbers -------------------------------------------------------------------------------

SKILLMEAT_DATA_DIR = env.directory("SKILLMEAT_DATA_DIR", BASE_DIR / "var")
SKILLMEAT_AUTH = env.choice("SKILLMEAT_AUTH", ("single-user", "multi-user"))
SKILLMEAT_QUEUE_URL = env.queue("SKILLMEAT_QUEUE_URL")
SKILLMEAT_WORKERS = env.positive_int("SKILLMEAT_WORKERS", 2)
SKILLMEAT_TRUSTED_PROXIES = env.networks("SKILLMEAT_TRUSTED_PROXIES")
SKILLMEAT_THROTTLE_USER = env.rate("SKILLMEAT_THROTTLE_USER", "6000/min")
SKILLMEAT_THROTTLE_ANONYMOUS = env.rate("SKILLMEAT_THROTTLE_ANONYMOUS", "600/min")
SKILLMEAT_THROTTLE_LOGIN = env.rate("SKILLMEAT_THROTTLE_LOGIN", "10/min")
SKILLMEAT_LOG_FORMAT = env.choice("SKILLMEAT_LOG_FORMAT", ("json", "console"))

SKILLMEAT_GITHUB_API_URL = env.http_url("SKILLMEAT_GITHUB_API_URL", "https://api.github.com")
SKILLMEAT_GITHUB_WEB_URL = env.http_url("SKILLMEAT_GITHUB_WEB_URL", "https://github.com")
GITHUB_TOKEN = env.token("GITHUB_TOKEN")
SKILLMEAT_LOCAL_REPOSITORIES = env.directories("SKILLMEAT_LOCAL_REPOSITORIES", (BASE_DIR / "examples",))
SKILLMEAT_DEPLOY_ROOTS = env.directories(
    "SKILLMEAT_DEPLOY_ROOTS", (SKILLMEAT_DATA_DIR / "projects",) if SKILLMEAT_AUTH == "single-user" else ()
)
SKILLMEAT_RESCAN_MIN_INTERVAL = env.positive_int("SKILLMEAT_RESCAN_MIN_INTERVAL", 300, low=0)
SKILLMEAT_HISTORY_DAYS = env.positive_int("SKILLMEAT_HISTORY_DAYS", 90, low=0)
SKILLMEAT_MAX_FILE_BYTES = env.positive_int("SKILLMEAT_MAX_FILE_BYTES", 10 * 1024**2)
SKILLMEAT_MAX_ARTIFACT_BYTES = env.positive_int("SKILLMEAT_MAX_ARTIFACT_BYTES", 50 * 1024**2)
SKILLMEAT_MAX_SOURCE_BYTES = env.positive_int("SKILLMEAT_MAX_SOURCE_BYTES", 1024**3)

# --- Security --------------------------------------------------------------------------------------

SECRET_KEY = env.secret_key(
    "SKILLMEAT_SECRET_KEY",
    SKILLMEAT_DATA_DIR / "secret-key",
    may_generate=SKILLMEAT_AUTH == "single-user",
)
SECRET_KEY_FALLBACKS = env.names("SKILLMEAT_SECRET_KEY_FALLBACKS")  # what they signed or sealed is still read
DEBUG = env.flag("SKILLMEAT_DEBUG")
ALLOWED_HOSTS = env.names("SKILLMEAT_ALLOWED_HOSTS", ("localhost", "127.0.0.1", "[::1]"))
SKILLMEAT_HTTPS = env.flag("SKILLMEAT_HTTPS")
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SKILLMEAT_HTTPS
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz)$"]  # probes ask this process itself, without TLS
SECURE_HSTS_SECONDS = 31_536_000 if SKILLMEAT_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SKILLMEAT_HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SKILLMEAT_TRUSTED_PROXIES else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Messages name what is private to a project, which does not belong into a cookie.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]

# --- The house -------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "skillmeat_site.console.apps.ConsoleConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_filters",
    "django_q",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "skillmeat_site",
    "skillmeat_site.accounts",
    "skillmeat_site.access",
    "skillmeat_site.audit",
    "skillmeat_site.jobs",
    "marketplace",
    "collections_app",
    "deployment_sets",
]
MIDDLEWARE = [
    "skillmeat_site.api.middleware.request_log",
    "django.middleware.security.SecurityMiddleware",
    "skillmeat_site.api.middleware.content_security_policy",
    "skillmeat_site.api.middleware.local_only",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "skillmeat_site.api.middleware.conditional_answers",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "skillmeat_site.urls"
WSGI_APPLICATION = "skillmeat_site.wsgi.application"
APPEND_SLASH = False  # a redirect would lose the body of a request
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True  # no collectstatic step: whitenoise reads the apps' static folders at start

# --- Data ------------------------------------------------------------------------------------------

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {"default": env.database("DATABASE_URL", SKILLMEAT_DATA_DIR / "db.sqlite3")}
DATABASES["default"] |= {"CONN_MAX_AGE": 600, "CONN_HEALTH_CHECKS": True}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # WAL lets readers pass the writer; IMMEDIATE waits for the write lock instead of failing half-way. No file
    # is mapped into memory, because every page that was read would count as the process's own.
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": (
            "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;"
            "PRAGMA cache_size=-16384;PRAGMA temp_store=MEMORY;PRAGMA journal_size_limit=67108864"
        ),
    }
else:
    # A process that hangs or is cut off must not hold up the others for ever. In milliseconds; what the URL
    # says goes first, and a pooler that refuses `options` is pleased with `?options=`.
    limits = {
        "lock_timeout": 20_000,
        "idle_in_transaction_session_timeout": 60_000,
        "statement_timeout": 1000 * env.positive_int("SKILLMEAT_STATEMENT_TIMEOUT", 0, low=0),
    }
    DATABASES["default"]["OPTIONS"] = {
        "connect_timeout": 10,
        "application_name": "skillmeat",
        "options": " ".join(f"-c {name}={value}" for name, value in limits.items()),
    } | DATABASES["default"].get("OPTIONS", {})

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "content": env.content("SKILLMEAT_CONTENT_URL", SKILLMEAT_DATA_DIR / "content"),
}

# Without Redis nothing is cached: throttles then count in files, see api/counters.py.
if SKILLMEAT_QUEUE_URL:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": SKILLMEAT_QUEUE_URL,
            "KEY_PREFIX": "skillmeat",
            "OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1},
        }
    }

# --- Jobs ------------------------------------------------------------------------------------------
# The queue only wakes workers up: it never retries, keeps nothing, and takes few messages ahead, because
# its redelivery clock starts when a message is taken. `retry` stands well above `timeout` for that reason.

Q_CLUSTER = {
    "name": "skillmeat",
    "label": "Task queue",
    "workers": SKILLMEAT_WORKERS,
    "queue_limit": 2,
    "bulk": 1,
    "timeout": 960,
    "retry": 3600,
    "max_attempts": 1,
    "ack_failures": True,
    "save_limit": -1,
    "catch_up": False,
    "poll": 0.2,
    "recycle": 200,
    "max_rss": 400_000,
} | ({"redis": SKILLMEAT_QUEUE_URL} if SKILLMEAT_QUEUE_URL else {"orm": "default"})

# --- API -------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "skillmeat_site.accounts.authentication.BearerAuthentication",
        "skillmeat_site.accounts.authentication.LocalOperatorAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["skillmeat_site.accounts.permissions.ScopePermission"],
    "DEFAULT_THROTTLE_CLASSES": ["skillmeat_site.api.throttles.RequestThrottle"],
    "DEFAULT_RENDERER_CLASSES": ["skillmeat_site.api.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["skillmeat_site.api.renderers.JSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "skillmeat_site.api.renderers.AlwaysJSON",
    "DEFAULT_FILTER_BACKENDS": ["skillmeat_site.api.filters.StrictFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "skillmeat_site.api.pagination.CursorPagination",
    "DEFAULT_SCHEMA_CLASS": "skillmeat_site.api.schema.ProblemSchema",
    "DEFAULT_METADATA_CLASS": "skillmeat_site.api.metadata.Pointer",
    "EXCEPTION_HANDLER": "skillmeat_site.api.problems.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "SkillMeat",
    "DESCRIPTION": "A self-hosted registry for Claude Code artifacts.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "skillmeat_site.api.reference.add_reference",
    ],
    "ENUM_NAME_OVERRIDES": {
        "JobStatus": "skillmeat_site.jobs.models.JobStatus",
        "EntryStatus": "marketplace.models.Status",
        "SourceVisibility": "marketplace.models.Visibility",
        "SetVisibility": "deployment_sets.models.Visibility",
        "RefreshStatus": "collections_app.models.RefreshStatus",
        "RefreshRunStatus": "collections_app.api.refreshing.RUN_STATUSES",
    },
}

# --- Logs ------------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {"()": "skillmeat_site.logs.JsonFormatter"},
        "console": {"()": "skillmeat_site.logs.ConsoleFormatter"},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": SKILLMEAT_LOG_FORMAT}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        # Django configures this one itself, with a console handler and mail; ours is the only handler.
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        # Its own messages repeat what the job room logs with more context.
        "django-q": {"level": "WARNING"},
        # It says at INFO where it has its credentials from.
        "botocore": {"level": "WARNING"},
        # It writes redirect targets, which can hold a token: at DEBUG always, at WARNING with broken headers.
        "urllib3": {"level": "ERROR"},
    },
}
