"""Django settings, made from one instance's folder (VEDETTE_INSTANCE).

Without an instance (tests, type checks) they stand on a throw-away database.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from vedette.kernel.errors import BadInput
from vedette.kernel.markings import RED
from vedette.kernel.permissions import Profile
from vedette.site.config import Config, read_config

_folder = os.environ.get("VEDETTE_INSTANCE")
CONFIG: Config | None = read_config(Path(_folder).resolve()) if _folder else None
WEB = Path(__file__).resolve().parent.parent / "web"


def _secret() -> str:
    if CONFIG is None:
        return "only-for-tests-" * 4
    return (CONFIG.folder / "keys" / "django.key").read_text(encoding="ascii").strip()


def _database(url: str, folder: Path | None) -> dict[str, Any]:
    if not url:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(folder / "db.sqlite3") if folder else ":memory:",
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                " PRAGMA foreign_keys=ON;",
            },
            # opening is slow, and closing the last connection writes the whole log back
            "CONN_MAX_AGE": 60,
        }
    parts = urlsplit(url)
    if parts.scheme not in ("postgresql", "postgres"):
        raise BadInput(f"setting database: {parts.scheme!r} is not postgresql")
    query = dict(pair.split("=", 1) for pair in parts.query.split("&") if "=" in pair)
    return {
        "ENGINE": "vedette.store.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(query.get("host", parts.hostname or "")),
        "PORT": str(query.get("port", parts.port or "")),
        "CONN_MAX_AGE": 60,
    }


SECRET_KEY = _secret()
DEBUG = False
PROFILE = CONFIG.profile if CONFIG else Profile.CLEARINGHOUSE
CEILING = CONFIG.ceiling if CONFIG else RED
_host = urlsplit(CONFIG.url).hostname if CONFIG else "testserver"
ALLOWED_HOSTS = [_host or "localhost", "127.0.0.1", "localhost", "[::1]", "testserver"]
SECURE = bool(CONFIG and CONFIG.url.startswith("https://"))
CSRF_TRUSTED_ORIGINS = [CONFIG.url] if CONFIG else []
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
# One host may serve several instances on several ports, and cookies know no ports.
_suffix = re.sub(r"\W", "", CONFIG.org)[-8:] if CONFIG else "test"
SESSION_COOKIE_NAME = f"vedette_session_{_suffix}"
CSRF_COOKIE_NAME = f"vedette_csrf_{_suffix}"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
X_FRAME_OPTIONS = "DENY"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "django_htmx",
    "django_tasks",
    "django_tasks_db",
    "vedette.store",
    "vedette.web",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "vedette.web.middleware.ContentPolicy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "vedette.web.ceilings.Ceiling",
    "vedette.web.middleware.PlainErrors",
]
ROOT_URLCONF = "vedette.site.urls"
WSGI_APPLICATION = "vedette.site.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [WEB / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "vedette.web.context.portal",
            ],
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    [
                        "django.template.loaders.filesystem.Loader",
                        "django.template.loaders.app_directories.Loader",
                    ],
                )
            ],
        },
    }
]
DATABASES = {
    "default": _database(CONFIG.database, CONFIG.folder)
    if CONFIG
    else _database(os.environ.get("VEDETTE_TEST_DATABASE", ""), None)
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "store.Person"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_ADAPTER = "vedette.web.accounts.ClosedAdapter"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = False
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Vedette"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not SECURE

TASKS = {
    "default": {
        "BACKEND": "django_tasks_db.DatabaseBackend",
        "QUEUES": ["default", "long"],
    }
}
LANGUAGE_CODE = "en-us"
USE_I18N = False
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
DATA_UPLOAD_MAX_MEMORY_SIZE = 32 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024
# where the instance's own files are: the machine's folder may be kept in memory
FILE_UPLOAD_TEMP_DIR = str(CONFIG.folder / "files" / "cache") if CONFIG else None
APPEND_SLASH = False

DEFAULT_FROM_EMAIL = CONFIG.mail_from if CONFIG else "vedette@localhost"
if CONFIG and CONFIG.mail.startswith("smtp://"):
    _mail = urlsplit(CONFIG.mail)
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    EMAIL_HOST, EMAIL_PORT = _mail.hostname or "localhost", _mail.port or 25
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = (
        unquote(_mail.username or ""),
        unquote(_mail.password or ""),
    )
elif CONFIG:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = CONFIG.folder / "files" / "mail"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"lines": {"()": "vedette.site.logs.JsonLines"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "lines"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {"vedette": {"level": "INFO"}},
}
