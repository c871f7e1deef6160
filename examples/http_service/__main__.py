"""An example host over HTTP: two endpoints and a page.

python -m examples.http_service
"""

import os

import uvicorn

from examples.http_service.app import make_app
from examples.http_service.settings import read_settings
from overages import SqliteRepository

if __name__ == "__main__":
    settings = read_settings(os.environ)
    with SqliteRepository(settings.database) as repository:
        uvicorn.run(make_app(settings, repository), host="127.0.0.1", port=settings.port)
