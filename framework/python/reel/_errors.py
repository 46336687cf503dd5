"""What goes wrong with streams."""


class Error(Exception):
    """Anything that Reel refuses or that fails.

    `code` is the stable name of the reason ("not_found", "in_use", "bad_argument", "too_many_held", "timeout",
    "interrupted", "closed" ...), `message` says it for people, `where` names the stream or file, if any.
    """

    __module__ = "reel"  # what people catch, and what a traceback shows

    def __init__(self, code: str, message: str, where: str = "") -> None:
        super().__init__(f"{where}: {message}" if where else message)
        self.code = code
        self.message = message
        self.where = where

    def __reduce__(self) -> "tuple[type[Error], tuple[str, str, str]]":
        return type(self), (self.code, self.message, self.where)


class Ended(Error):
    """The end of the stream: every frame that was owed has been delivered, there will be no more."""

    __module__ = "reel"
