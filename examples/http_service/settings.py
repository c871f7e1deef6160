"""What the host is told: by its environment, and by a file of members."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Member:
    """Someone who may see one org; or none."""

    name: str
    org_id: str | None


@dataclass(frozen=True)
class Settings:
    """How the host is set up."""

    database: Path
    port: int
    enabled: bool
    members: Mapping[str, Member]  # by the SHA-256 of their tokens
    clock: Callable[[], datetime]

    def member(self, token: str | None) -> Member | None:
        """Return whose token it is; None if it is nobody's."""
        # The digest is looked up, not the token: how long it takes says nothing of any token.
        return None if token is None else self.members.get(sha256(token.encode()).hexdigest())


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Return the settings that the environment, and the file it names, come to."""
    path = Path(environment.get("OVERAGES_CONFIG", HERE / "config.toml"))
    config = tomllib.loads(path.read_text(encoding="utf-8"))
    return Settings(
        database=Path(environment.get("OVERAGES_DB", "http_service.db")),
        port=int(environment.get("OVERAGES_PORT", "8000")),
        enabled=environment.get("ENABLE_OVERAGE_BILLING", "true") == "true",
        members={m["token_sha256"]: Member(m["name"], m.get("org")) for m in config["members"]},
        clock=_clock(config),
    )


def _clock(config: Mapping[str, Any]) -> Callable[[], datetime]:
    fixed: datetime | None = config.get("now")
    if fixed is None:
        return lambda: datetime.now(UTC)
    return lambda: fixed
