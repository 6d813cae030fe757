"""Who is told by e-mail, and whether a digest is sent: settings of operations, which decide no price."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from catalog.addresses import is_loopback
from catalog.records.fields import Record

EmailAddress = Annotated[str, StringConstraints(max_length=254, pattern=r"^[^\s@<>,;]+@[^\s@<>,;]+$")]


class EmailSettings(Record):
    """The mail server that takes messages, and whom they are for. Its password is in the environment alone."""

    server: str = Field(pattern=r"^[A-Za-z0-9.:_-]+$", description="host of the mail server that takes messages")
    port: int = Field(default=587, ge=1, le=65_535, description="its port")
    security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="how the connection is protected; `none` only without a `user`, or on loopback"
    )
    user: str | None = Field(
        default=None,
        min_length=1,
        description="name to log in with, with the password `SHELFPRICE_SMTP_PASSWORD`; null logs in nowhere",
    )
    sender: EmailAddress = Field(description="address that messages come from")
    recipients: tuple[EmailAddress, ...] = Field(
        min_length=1, strict=False, description="addresses of those who are told"
    )

    @model_validator(mode="after")
    def _keeps_its_password(self) -> "EmailSettings":
        if self.security == "none" and self.user is not None and not is_loopback(self.server):
            raise ValueError(
                f"security: expected starttls or tls where a password is sent to {self.server}, found none: others "
                "could read it"
            )
        return self


class NotifySettings(Record):
    """Whom messages reach beside the webhook of `alerts`. Nothing is sent by default."""

    email: EmailSettings | None = Field(
        default=None, description="each alert, and the digest, by e-mail; null sends none, fields as below"
    )
    digest: bool = Field(
        default=False,
        description="true: after each night, what waits, what was earned and which alerts are open is sent to the "
        "webhook of `alerts` and by e-mail",
    )
